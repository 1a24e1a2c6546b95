//! The little that a log needs of a file system, so that tests can stand a disk in its place that forgets.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

/// One folder, held open. Names are plain names of files in it.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Makes a file that is not there yet.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file of ours. What is no plain file of ours is refused, a link above all.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// What is there, in any order.
    fn names(&self) -> io::Result<Vec<String>>;
    /// Takes a name away.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Returns when names that were made or taken away would survive a loss of power.
    fn sync(&self) -> io::Result<()>;
}

/// An open file.
pub(crate) trait DiskFile: Debug + Send + Sync {
    /// Writes all of it, or fails; what of it was written then is not known.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Reads as much as there is, up to the length of the buffer.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// How long it is.
    fn len(&self) -> io::Result<u64>;
    /// Cuts it off, and gives back room that was kept behind it.
    fn truncate(&self, length: u64) -> io::Result<()>;
    /// Keeps room for so many bytes, so that writing them cannot fail for want of it. A file system that cannot do that
    /// answers as if it had.
    fn reserve(&self, bytes: u64) -> io::Result<()>;
    /// Returns when what was written would survive a loss of power (`fdatasync`).
    fn sync(&self) -> io::Result<()>;
}
