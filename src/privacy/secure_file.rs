//! Files that decide what may leave: a key, a policy, rules of detectors.
//!
//! Promises never to wait for one, nor to read one from the working directory, nor more than a bound.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::event::wipe;

/// Whether the path may be a link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// It may: what counts is the file that it leads to.
    Followed,
    /// It may not.
    Refused,
}

/// Why a file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadError {
    /// There is none.
    Missing,
    /// It is no plain file, too long, a link, of a relative path, or cannot be read.
    Unreadable,
    /// Its owner or its permissions are not what they have to be.
    Refused,
}

/// The bytes of a plain file of at most `max_bytes`, if `check` agrees with what the open file is.
pub(super) fn read(
    path: &Path,
    max_bytes: u64,
    links: Links,
    check: impl FnOnce(&Metadata) -> bool,
) -> Result<Vec<u8>, ReadError> {
    if !path.is_absolute() {
        return Err(ReadError::Unreadable);
    }
    let file = open(path, links).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => ReadError::Missing,
        _ => ReadError::Unreadable,
    })?;
    // Asked of the open file, so that it cannot be exchanged between the question and the reading.
    let metadata = file.metadata().map_err(|_| ReadError::Unreadable)?;
    if !metadata.is_file() || metadata.len() > max_bytes {
        return Err(ReadError::Unreadable);
    }
    if !check(&metadata) {
        return Err(ReadError::Refused);
    }
    // A vector that grows would leave copies of a key behind.
    let capacity = usize::try_from(metadata.len()).unwrap_or_default();
    let mut bytes = Vec::with_capacity(capacity + 1);
    let read = file.take(max_bytes + 1).read_to_end(&mut bytes);
    if read.is_err() || bytes.len() as u64 > max_bytes {
        wipe(&mut bytes);
        return Err(ReadError::Unreadable);
    }
    Ok(bytes)
}

#[cfg(unix)]
fn open(path: &Path, links: Links) -> std::io::Result<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;

    // A pipe would be waited for.
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    flags.set(OFlags::NOFOLLOW, links == Links::Refused);
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path, _: Links) -> std::io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// Whether nobody but its owner can read a file.
#[cfg(unix)]
pub(super) fn is_readable_by_owner_alone(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 == 0
}

/// Without permission bits nothing can be said for a file.
#[cfg(not(unix))]
pub(super) fn is_readable_by_owner_alone(_: &Metadata) -> bool {
    false
}

/// Whether a file is `owner`'s, and nobody else can write it.
#[cfg(unix)]
pub(super) fn is_writable_by(owner: u32, metadata: &Metadata) -> bool {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    metadata.uid() == owner && metadata.permissions().mode() & 0o022 == 0
}

/// Without owners nothing can be said for a file.
#[cfg(not(unix))]
pub(super) fn is_writable_by(_: u32, _: &Metadata) -> bool {
    false
}
