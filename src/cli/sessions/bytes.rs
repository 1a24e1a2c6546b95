//! The bytes of a session file: opened without following a link, and decompressed where it is compressed.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The most bytes that a compressed file may turn into.
const MAX_DECOMPRESSED: u64 = 16 << 30;
/// The most that it may grow, however small it is.
const MAX_RATIO: u64 = 2000;

/// A file that is read from its beginning.
pub(in crate::cli) enum Bytes {
    Plain(File),
    Zstd(Frames),
}

/// The frames of a compressed file, one after the other (RFC 8878, section 3): whoever adds to one may begin another.
pub(in crate::cli) struct Frames {
    file: File,
    decoder: Box<FrameDecoder>,
    /// How much more they may turn into.
    left: u64,
}

impl Bytes {
    pub(in crate::cli) fn open(path: &Path) -> io::Result<Self> {
        let file = open(path)?;
        let length = file.metadata()?.len();
        if !is_compressed(path) {
            return Ok(Self::Plain(file));
        }
        let left = MAX_DECOMPRESSED.min((length.saturating_mul(MAX_RATIO)).max(64 << 20));
        let mut frames = Frames { file, decoder: Box::new(FrameDecoder::new()), left };
        if frames.next_frame()? { Ok(Self::Zstd(frames)) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Zstd(frames) => frames.read(buffer),
        }
    }
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let some = BlockDecodingStrategy::UptoBytes(buffer.len());
                self.decoder.decode_blocks(&mut self.file, some).map_err(|_| io::ErrorKind::InvalidData)?;
            }
            let read = self.decoder.read(buffer).map_err(|_| io::ErrorKind::InvalidData)?;
            // A small file that never ends would fill the disk of whoever receives its spans.
            self.left = self.left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?;
            if read > 0 || buffer.is_empty() || !self.next_frame()? {
                return Ok(read);
            }
        }
    }
}

impl Frames {
    /// Begins the next frame that holds something. Whether there is one.
    fn next_frame(&mut self) -> io::Result<bool> {
        while self.file.stream_position()? < self.file.metadata()?.len() {
            match self.decoder.init(&mut self.file) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    self.file.seek_relative(length.into())?;
                }
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        Ok(false)
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
