//! Folders and files of this user's alone: what the spool and the payload store lie in.
//!
//! Promises that no link is followed in the last step of a path nor inside of a folder, that nothing is taken for ours that
//! another user owns or anybody else may touch, and never to wait for a pipe. A folder is held open, and everything in it is
//! opened from there, so that it cannot be exchanged between a question and its answer. Leaves what lies in them to others.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

const NO_LINK: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Read and written by its owner alone.
const OURS_ALONE: Mode = Mode::from_raw_mode(0o600);

/// Why a folder cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FolderError {
    /// It is not there.
    Missing(Errno),
    /// It cannot be made.
    Make(Errno),
    /// It is a link, or no folder.
    Link(Errno),
    /// It cannot be opened.
    Open(Errno),
    /// It is another user's, or others may touch it.
    Owner,
}

/// Opens a folder that is ours alone, and makes it where it is missing and its parent is there.
pub(crate) fn make(path: &Path) -> Result<OwnedFd, FolderError> {
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => open(path),
        // What may not be written to may hold the folder all the same.
        Err(error) => open(path).map_err(|found| match found {
            FolderError::Missing(_) => FolderError::Make(error),
            found => found,
        }),
    }
}

/// Opens a folder that is ours alone.
pub(crate) fn open(path: &Path) -> Result<OwnedFd, FolderError> {
    let folder = rustix::fs::open(path, FOLDER, Mode::empty()).map_err(|error| match error {
        Errno::NOENT => FolderError::Missing(error),
        Errno::LOOP | Errno::NOTDIR => FolderError::Link(error),
        _ => FolderError::Open(error),
    })?;
    let stat = rustix::fs::fstat(&folder).map_err(FolderError::Open)?;
    if is_ours(&stat, FileType::Directory) { Ok(folder) } else { Err(FolderError::Owner) }
}

/// Makes a folder in another one, where it is not there yet.
pub(crate) fn make_inside(folder: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    match rustix::fs::mkdirat(folder, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Opens a folder in another one, where it is ours alone.
pub(crate) fn open_inside(folder: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
    let folder = rustix::fs::openat(folder, name, FOLDER, Mode::empty())?;
    let stat = rustix::fs::fstat(&folder)?;
    if is_ours(&stat, FileType::Directory) { Ok(folder) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// A plain file that is ours, has one name, and that nobody else may touch, to be read and written.
pub(crate) fn open_file(folder: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
    opened(folder, name, OFlags::RDWR)
}

/// The same to be read alone.
pub(crate) fn read_file(folder: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
    opened(folder, name, OFlags::RDONLY)
}

fn opened(folder: BorrowedFd<'_>, name: &str, access: OFlags) -> io::Result<OwnedFd> {
    let file = rustix::fs::openat(folder, name, access | NO_LINK, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    if !is_ours(&stat, FileType::RegularFile) || stat.st_nlink != 1 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "not a plain file of ours alone"));
    }
    Ok(file)
}

/// Makes a file that is not there yet.
pub(crate) fn create_file(folder: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(folder, name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | NO_LINK, OURS_ALONE)?)
}

/// The length of a plain file that is ours, has one name, and that nobody else may touch.
pub(crate) fn length_of(folder: BorrowedFd<'_>, name: &str) -> Option<u64> {
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    let is_plain = is_ours(&stat, FileType::RegularFile) && stat.st_nlink == 1;
    is_plain.then(|| u64::try_from(stat.st_size).unwrap_or_default())
}

/// Of this type, of our user, and closed to everybody else.
pub(crate) fn is_ours(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
        && stat.st_uid == rustix::process::geteuid().as_raw()
        && stat.st_mode & 0o077 == 0
}

/// The names in a folder. Names of ours are ASCII; what is not even Unicode is not ours.
pub(crate) fn names(folder: BorrowedFd<'_>) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder)? {
        if let Ok(name) = entry?.file_name().to_str().map(str::to_owned)
            && name != "."
            && name != ".."
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Takes a name out of a folder, where it is there.
pub(crate) fn remove(folder: impl AsFd, name: &str) -> io::Result<()> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
