//! The bytes of a session file: opened without following a link, and decompressed where it is compressed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ruzstd::decoding::StreamingDecoder;

/// The most bytes that a compressed file may turn into.
const MAX_DECOMPRESSED: u64 = 16 << 30;
/// The most that it may grow, however small it is.
const MAX_RATIO: u64 = 2000;

/// A file that is read from its beginning.
pub(in crate::cli) enum Bytes {
    Plain(File),
    Zstd { decoder: Box<StreamingDecoder<File, ruzstd::decoding::FrameDecoder>>, left: u64 },
}

impl Bytes {
    pub(in crate::cli) fn open(path: &Path) -> io::Result<Self> {
        let file = open(path)?;
        let length = file.metadata()?.len();
        if !is_compressed(path) {
            return Ok(Self::Plain(file));
        }
        let decoder = StreamingDecoder::new(file).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let left = MAX_DECOMPRESSED.min((length.saturating_mul(MAX_RATIO)).max(64 << 20));
        Ok(Self::Zstd { decoder: Box::new(decoder), left })
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Zstd { decoder, left } => {
                let read = decoder.read(buffer).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
                // A small file that never ends would fill the disk of whoever receives its spans.
                *left = left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?;
                Ok(read)
            }
        }
    }
}

impl Bytes {
    /// Whether another file has taken the place of the one that is read, or it became shorter than what was read of it.
    pub(in crate::cli) fn was_replaced(&self, path: &Path, read: u64) -> bool {
        let Self::Plain(file) = self else { return false };
        let (Ok(then), Ok(now)) = (file.metadata(), std::fs::symlink_metadata(path)) else { return true };
        identity(&then) != identity(&now) || then.len() < read
    }
}

/// Whether a file is compressed, by its name.
pub(in crate::cli) fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst")
}

/// What tells a file from another one of its name.
#[cfg(unix)]
pub(in crate::cli) fn identity(found: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

#[cfg(not(unix))]
pub(in crate::cli) fn identity(_: &std::fs::Metadata) -> (u64, u64) {
    (0, 0)
}

/// Opens a plain file that is no link and that nobody has to be waited for.
#[cfg(unix)]
pub(in crate::cli) fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;

    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

#[cfg(not(unix))]
pub(in crate::cli) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}
