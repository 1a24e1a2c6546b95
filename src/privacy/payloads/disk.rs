//! The folder: files under the digits of their digests, and `new`, where they are written.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::counts::Fate;
use super::error::FolderProblem;
use crate::folder::{self, FolderError};

/// Where files are written before they have a name.
const NEW: &str = "new";

/// Somebody who clears up may take what has just been made for something left behind: then another is made.
const ATTEMPTS: u32 = 8;

/// The folder, held open.
#[derive(Debug)]
pub(super) struct Disk {
    folder: OwnedFd,
    new: OwnedFd,
    /// What tells the folder from all others.
    place: (u64, u64),
}

impl Disk {
    /// Opens the folder, and makes it where it is missing and its parent is there.
    pub(super) fn make(path: &Path) -> Result<Self, FolderProblem> {
        let folder = folder::make(path)?;
        folder::make_inside(folder.as_fd(), NEW).map_err(|_| FolderProblem::Open)?;
        let new = folder::open_inside(folder.as_fd(), NEW).map_err(|_| FolderProblem::Open)?;
        let stat = rustix::fs::fstat(&folder).map_err(|_| FolderProblem::Open)?;
        Ok(Self { folder, new, place: (stat.st_dev, stat.st_ino) })
    }

    pub(super) const fn place(&self) -> (u64, u64) {
        self.place
    }

    /// Writes a file under `name`, unless it is there. `may_leave` is asked before it gets its name.
    pub(super) fn store(&self, name: &str, text: &[u8], may_leave: &dyn Fn() -> bool) -> io::Result<Fate> {
        // One of another length is one that somebody else has cut, and is replaced; so is a link, which is not followed.
        if folder::length_of(self.folder.as_fd(), name) == Some(text.len() as u64) {
            return Ok(Fate::Known);
        }
        for _ in 0..ATTEMPTS {
            let Some((file, beside)) = self.begin()? else { continue };
            let written = self.write(file, text).and_then(|file| match may_leave() {
                true => self.put(&beside, name).map(|is_there| (file, is_there.then_some(Fate::Written))),
                false => Ok((file, Some(Fate::Withdrawn))),
            });
            match written {
                Ok((_, Some(Fate::Written))) => return Ok(Fate::Written),
                // Cleared up by somebody else meanwhile.
                Ok((_, None)) => {}
                Ok((_, Some(fate))) => return folder::remove(&self.new, &beside).map(|()| fate),
                Err(error) => {
                    // What is left is found by whoever begins next.
                    let _ = folder::remove(&self.new, &beside);
                    return Err(error);
                }
            }
        }
        Err(io::ErrorKind::Interrupted.into())
    }

    /// Makes a file to write, and holds its lock, so that nobody takes it for something left behind.
    fn begin(&self) -> io::Result<Option<(OwnedFd, String)>> {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let beside = format!("{:032x}", u128::from_le_bytes(random));
        let file = folder::create_file(self.new.as_fd(), &beside)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some((file, beside))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, file: OwnedFd, text: &[u8]) -> io::Result<File> {
        let mut file = File::from(file);
        file.write_all(text)?;
        file.sync_data()?;
        Ok(file)
    }

    /// Gives a file its name, in the place of whatever has it. `false`: there is no such file any more.
    fn put(&self, beside: &str, name: &str) -> io::Result<bool> {
        match rustix::fs::renameat(&self.new, beside, &self.folder, name) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the names of all files that were written outlive the machine.
    pub(super) fn sync(&self) -> bool {
        rustix::fs::fsync(&self.folder).is_ok()
    }

    /// Removes what processes that have died left unfinished: files whose lock is free.
    pub(super) fn clear_up(&self) {
        for name in folder::names(self.new.as_fd()).unwrap_or_default() {
            let Ok(file) = folder::open_file(self.new.as_fd(), &name) else { continue };
            if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                // What cannot be removed now is found again by whoever looks next.
                let _ = folder::remove(&self.new, &name);
            }
        }
    }
}

impl From<FolderError> for FolderProblem {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Missing(_) => Self::Missing,
            FolderError::Make(_) => Self::Make,
            FolderError::Link(_) => Self::Link,
            FolderError::Open(_) => Self::Open,
            FolderError::Owner => Self::Owner,
        }
    }
}
