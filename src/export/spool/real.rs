//! A folder of the machine's own file system. Everything is opened from the folder that is held, and no link is followed.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::log::{Disk, DiskFile};
use crate::folder;

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
        Ok(Arc::new(RealFile(folder::create_file(self.0.as_fd(), name)?.into())))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(folder::open_file(self.0.as_fd(), name)?.into())))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        folder::names(self.0.as_fd())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        folder::remove(&self.0, name)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }
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
