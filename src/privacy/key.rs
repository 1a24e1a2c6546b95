//! The key of digests: from a variable, from a file, or for the life of the process.

use std::fmt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretSlice};
use zeroize::Zeroize;

use super::c1::Hasher;
use super::label::is_label;
use super::secure_file::{self, Links, ReadError};
use crate::environment::{Environment, Setting, Warning};

/// The fewest bytes of a key: as many as a digest has.
const MIN_BYTES: usize = 32;
/// A longer file is no key.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// A key of digests and its id. Neither `Debug` nor any error shows the key.
#[derive(Clone)]
pub struct Key {
    secret: SecretSlice<u8>,
    id: String,
}

/// A key that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It has fewer than 32 bytes.
    #[error("the key has fewer than 32 bytes")]
    TooShort,
    /// The file is missing, no plain file, a link, too long, of a relative path, or cannot be read.
    #[error("the key file cannot be read")]
    Unreadable,
    /// Others than its owner can read the file.
    #[error("the key file can be read by others than its owner")]
    ReadableByOthers,
    /// The machine has no random numbers to make one of.
    #[error("no random numbers to make a key of")]
    NoRandomness,
}

impl Key {
    /// A key of these bytes, named `id` or else after itself.
    pub fn new(mut bytes: Vec<u8>, id: Option<String>) -> Result<Self, KeyError> {
        if bytes.len() < MIN_BYTES {
            bytes.zeroize();
            return Err(KeyError::TooShort);
        }
        let id = id.unwrap_or_else(|| Hasher::key_id(&bytes));
        Ok(Self { secret: SecretSlice::from(exact(bytes)), id })
    }

    /// A random key for the life of this process. Its digests compare with nothing outside.
    pub fn ephemeral() -> Result<Self, KeyError> {
        let mut bytes = vec![0; MIN_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
        let id = format!("ephemeral-{}", Hasher::key_id(&bytes));
        Self::new(bytes, Some(id))
    }

    /// The key in a file: its bytes without one newline at the end. The path is absolute and no link, and nobody but the
    /// file's owner can read it.
    pub fn from_file(path: &Path, id: Option<String>) -> Result<Self, KeyError> {
        let read = secure_file::read(path, MAX_FILE_BYTES, Links::Refused, secure_file::is_readable_by_owner_alone);
        let mut bytes = read.map_err(|error| match error {
            ReadError::Refused => KeyError::ReadableByOthers,
            ReadError::Missing | ReadError::Unreadable => KeyError::Unreadable,
        })?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        Self::new(bytes, id)
    }

    /// The key that the environment names, if it names one; and what is wrong with it.
    pub(super) fn from_environment(
        environment: &Environment,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Self>, Warning> {
        const BAD_KEY: &str = "the key cannot be used (it needs at least 32 bytes; its file an absolute path without a link \
             at its end, and nobody but its owner who may read it); no digests leave";
        let id = match environment.get("VEILSPAN_HASH_KEY_ID") {
            Setting::Unset => None,
            Setting::Set(id) if is_label(id.trim()) => Some(id.trim().to_owned()),
            Setting::Set(_) | Setting::NotUnicode => {
                let message = "not a name of letters, digits and `._:/@+-`; the key is named after itself";
                warnings.push(Warning::new("VEILSPAN_HASH_KEY_ID", "", message));
                None
            }
        };
        let bad = |variable: &str| Warning::new(variable, "", BAD_KEY);
        match (environment.get("VEILSPAN_HASH_KEY"), environment.get("VEILSPAN_HASH_KEY_FILE")) {
            (Setting::Set(key), _) => {
                Self::new(key.as_bytes().to_vec(), id).map(Some).map_err(|_| bad("VEILSPAN_HASH_KEY"))
            }
            (Setting::NotUnicode, _) => Err(bad("VEILSPAN_HASH_KEY")),
            (Setting::Unset, Setting::Set(path)) => {
                Self::from_file(Path::new(path), id).map(Some).map_err(|_| bad("VEILSPAN_HASH_KEY_FILE"))
            }
            (Setting::Unset, Setting::NotUnicode) => Err(bad("VEILSPAN_HASH_KEY_FILE")),
            (Setting::Unset, Setting::Unset) => Ok(None),
        }
    }

    /// Its name on the wire.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn hasher(&self) -> Hasher {
        Hasher::hmac_sha256(self.secret.expose_secret())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The same bytes without room behind them: a secret of another capacity would be copied, and the copy not be wiped.
fn exact(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.capacity() == bytes.len() {
        return bytes;
    }
    let mut exact = Vec::with_capacity(bytes.len());
    exact.extend_from_slice(&bytes);
    bytes.zeroize();
    exact
}
