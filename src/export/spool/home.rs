//! The spool's folder, and in it one folder for each process life, held by a lock of the operating system.
//!
//! ```text
//! VEILSPAN_SPOOL_DIR/          0700, ours, no link
//!     01KAN…/                  one process life, by its producer id
//!         lock                 held as long as that process, or whoever took over from it, works here
//!         0000000000000001.seg
//!         settled-0
//!     set-aside/               spans that no peer takes
//! ```
//!
//! A folder is taken over by taking its lock, and by nothing else: neither its age nor a process id says anything. Whoever
//! removes a folder holds its lock, and whoever has taken a lock looks whether the folder is still there. A process that was
//! forked off and runs no other program holds its parent's lock as long as it lives.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, FlockOperation};
use rustix::io::Errno;

use super::error::{Problem, SpoolError};
use super::real::RealDisk;
use crate::event::ProducerId;
use crate::folder::{self, FolderError};

const LOCK: &str = "lock";

/// The spool's folder, held open.
#[derive(Debug)]
pub(super) struct Home(pub(super) OwnedFd);

/// The folder of one process life, whose lock is held as long as this lives.
#[derive(Debug)]
pub(super) struct Life {
    folder: OwnedFd,
    name: String,
    // Closing it gives the lock back.
    _lock: OwnedFd,
}

impl Home {
    /// Opens the folder, and makes it where it is missing and its parent is there.
    pub(super) fn open(path: &Path) -> Result<Self, SpoolError> {
        folder::make(path).map(Self).map_err(|error| match error {
            FolderError::Missing(error) | FolderError::Open(error) => SpoolError::new(Problem::Open, error),
            FolderError::Make(error) => SpoolError::new(Problem::Make, error),
            FolderError::Link(error) => SpoolError::new(Problem::Link, error),
            FolderError::Owner => SpoolError::bare(Problem::Owner),
        })
    }

    #[cfg(feature = "collector")]
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Makes the folder of a process life.
    pub(super) fn begin(&self, producer: ProducerId) -> Result<Life, SpoolError> {
        let failed = |error: io::Error| SpoolError::new(Problem::Begin, error);
        let name = producer.to_string();
        // Between making a folder and locking it somebody may find it, take it for an empty one, and remove it.
        for _ in 0..16 {
            folder::make_inside(self.0.as_fd(), &name).map_err(failed)?;
            let Ok(folder) = folder::open_inside(self.0.as_fd(), &name) else { continue };
            let lock = folder::create_file(folder.as_fd(), LOCK).or_else(|_| folder::open_file(folder.as_fd(), LOCK));
            match lock {
                Ok(lock) => {
                    if let Some(life) = self.locked(folder, name.clone(), lock).map_err(failed)? {
                        return Ok(life);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(SpoolError::bare(Problem::Begin))
    }

    /// Takes over one folder whose process is gone, and that is not among those already looked at.
    pub(super) fn adopt(&self, is_known: impl Fn(&str) -> bool) -> io::Result<Option<Life>> {
        let mut names = folder::names(self.0.as_fd())?;
        names.sort();
        for name in names.into_iter().filter(|name| name.parse::<ProducerId>().is_ok() && !is_known(name)) {
            // What cannot be opened as ours is left alone.
            let Ok(folder) = folder::open_inside(self.0.as_fd(), &name) else { continue };
            let lock = match folder::open_file(folder.as_fd(), LOCK) {
                Ok(lock) => lock,
                // Its maker died before it had a lock, or is about to make one: then this fails for one of the two.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let Ok(lock) = folder::create_file(folder.as_fd(), LOCK) else { continue };
                    lock
                }
                Err(_) => continue,
            };
            if let Ok(Some(life)) = self.locked(folder, name, lock) {
                return Ok(Some(life));
            }
        }
        Ok(None)
    }

    /// The life, where its lock was free and its folder is still what its name says.
    fn locked(&self, folder: OwnedFd, name: String, lock: OwnedFd) -> io::Result<Option<Life>> {
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let (held, own) = (rustix::fs::fstat(&lock)?, rustix::fs::fstat(&folder)?);
        let named = |at: &OwnedFd, name: &str| rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW);
        let (Ok(lock_there), Ok(folder_there)) = (named(&folder, LOCK), named(&self.0, &name)) else { return Ok(None) };
        let is_same = (held.st_dev, held.st_ino) == (lock_there.st_dev, lock_there.st_ino)
            && (own.st_dev, own.st_ino) == (folder_there.st_dev, folder_there.st_ino);
        Ok(is_same.then_some(Life { folder, name, _lock: lock }))
    }

    /// Removes the folder of a life, where nothing is left in it, and gives its lock back.
    pub(super) fn remove(&self, life: Life) {
        // What cannot be removed now is found again by whoever looks next.
        let is_ours = |name: &String| name == LOCK || name.starts_with("settled-");
        let Ok(names) = folder::names(life.folder.as_fd()) else { return };
        if names.iter().all(is_ours) {
            for name in names.iter().filter(|name| *name != LOCK).map(String::as_str).chain([LOCK]) {
                let _ = rustix::fs::unlinkat(&life.folder, name, AtFlags::empty());
            }
            let _ = rustix::fs::unlinkat(&self.0, &*life.name, AtFlags::REMOVEDIR);
        }
    }
}

impl Life {
    /// The folder as a disk.
    pub(super) fn disk(&self) -> io::Result<RealDisk> {
        Ok(RealDisk::new(self.folder.try_clone()?))
    }

    /// How many bytes its disk has left for us; as many as one likes where it does not say.
    pub(super) fn free_bytes(&self) -> u64 {
        rustix::fs::fstatvfs(&self.folder).map_or(u64::MAX, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}
