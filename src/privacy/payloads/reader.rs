//! Reading a payload again.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use super::MAX_BYTES;
use super::error::FolderProblem;
use super::setting::NAME;
use crate::environment::Environment;
use crate::event::{Digest, hex};
use crate::folder;
use crate::privacy::c1::Hasher;
use crate::privacy::c1::digest::text_bytes;
use crate::privacy::policy::lasting_hasher;

/// Reads payloads of one tenant, and tells whether they are what their references say.
#[derive(Debug)]
pub struct PayloadReader {
    folder: OwnedFd,
    hasher: Hasher,
}

/// Why there is no payload to be had. Says neither what stands in it nor in the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct PayloadError(#[from] pub(crate) PayloadProblem);

/// What is wrong, and what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PayloadProblem {
    #[error("VEILSPAN_PAYLOADS names no folder: set it to the absolute path that the service was given")]
    NoFolder,
    #[error("the folder of VEILSPAN_PAYLOADS cannot be used: {0}")]
    Folder(FolderProblem),
    #[error("there is no key to verify with: set VEILSPAN_HASH, and VEILSPAN_HASH_KEY_FILE, as the service has them")]
    NoKey,
    #[error(
        "the reference was made in another way than this environment's digests: set VEILSPAN_HASH as the service has it"
    )]
    Algorithm,
    #[error("there is no payload of this reference: it was never written, or has been deleted")]
    Missing,
    #[error("what stands in the payload's place is no plain file of this user's alone, or too long; it is not read")]
    Refused,
    #[error("the payload cannot be read")]
    Unreadable,
    #[error(
        "the payload is not what its reference says: it was made with another key or for another tenant, or has been \
         changed; it is not used"
    )]
    Mismatch,
}

impl PayloadReader {
    /// The folder and the key that this process' environment names (`VEILSPAN_PAYLOADS`, `VEILSPAN_HASH_KEY_FILE`), for the
    /// payloads of a tenant (`veilspan.tenant.id`).
    ///
    /// # Errors
    ///
    /// No folder is named or it cannot be used, or there is no key that lasts.
    pub fn from_env(tenant: Option<&str>) -> Result<Self, PayloadError> {
        Self::from_environment(&Environment::from_process(), tenant)
    }

    /// The same of an environment.
    ///
    /// # Errors
    ///
    /// As of [`from_env`](Self::from_env).
    pub fn from_environment(environment: &Environment, tenant: Option<&str>) -> Result<Self, PayloadError> {
        let path = environment.otel(NAME).map(Path::new).filter(|path| path.is_absolute());
        let path = path.ok_or(PayloadProblem::NoFolder)?;
        let hasher = lasting_hasher(environment).ok_or(PayloadProblem::NoKey)?;
        let folder = folder::open(path).map_err(|error| PayloadProblem::Folder(error.into()))?;
        Ok(Self { folder, hasher: hasher.for_tenant(tenant) })
    }

    /// The bytes that a reference stands for.
    pub(crate) fn get(&self, reference: &Digest) -> Result<Vec<u8>, PayloadProblem> {
        if reference.algorithm != self.hasher.algorithm() {
            return Err(PayloadProblem::Algorithm);
        }
        let name = &mut [0; 64];
        let file = folder::read_file(self.folder.as_fd(), hex::encode(&reference.bytes, name));
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::NotFound => PayloadProblem::Missing,
            // A link, a pipe, a folder, somebody else's.
            _ => PayloadProblem::Refused,
        })?;
        let mut bytes = Vec::new();
        let read = File::from(file).take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|_| PayloadProblem::Unreadable)?;
        match () {
            () if bytes.len() > MAX_BYTES => Err(PayloadProblem::Refused),
            () if text_bytes(&self.hasher, &bytes) != *reference => Err(PayloadProblem::Mismatch),
            () => Ok(bytes),
        }
    }
}
