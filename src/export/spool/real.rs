//! A folder of the machine's own file system. Everything is opened from the folder that is held, and no link is followed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::fs::{AtFlags, FallocateFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::log::{Disk, DiskFile};

/// Read and written by its owner alone.
const OURS_ALONE: Mode = Mode::from_raw_mode(0o600);
const NO_LINK: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// A folder, held open.
#[derive(Debug)]
pub(super) struct RealDisk(OwnedFd);

impl RealDisk {
    pub(super) const fn new(folder: OwnedFd) -> Self {
        Self(folder)
    }
}

impl Disk for RealDisk {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | NO_LINK;
        let file = rustix::fs::openat(&self.0, name, flags, OURS_ALONE)?;
        Ok(Arc::new(RealFile(file.into())))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(open_file(self.0.as_fd(), name)?.into())))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        names(self.0.as_fd())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }
}

/// A plain file that is ours, has one name, and that nobody else may touch.
pub(super) fn open_file(folder: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
    let file = rustix::fs::openat(folder, name, OFlags::RDWR | NO_LINK, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    if !is_ours(&stat, FileType::RegularFile) || stat.st_nlink != 1 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "not a plain file of ours alone"));
    }
    Ok(file)
}

/// Makes a file that is not there yet.
pub(super) fn create_file(folder: BorrowedFd<'_>, name: &str) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(folder, name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | NO_LINK, OURS_ALONE)?)
}

/// Of this type, of our user, and closed to everybody else.
pub(super) fn is_ours(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
        && stat.st_uid == rustix::process::geteuid().as_raw()
        && stat.st_mode & 0o077 == 0
}

pub(super) fn names(folder: BorrowedFd<'_>) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder)? {
        // Names of ours are ASCII; what is not even Unicode is not ours.
        if let Ok(name) = entry?.file_name().to_str().map(str::to_owned)
            && name != "."
            && name != ".."
        {
            names.push(name);
        }
    }
    Ok(names)
}

#[derive(Debug)]
struct RealFile(std::fs::File);

impl DiskFile for RealFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.0, FallocateFlags::KEEP_SIZE, 0, bytes) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}
