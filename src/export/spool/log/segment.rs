//! One file of a log: who wrote it and when, then records.

use std::io;
use std::sync::Arc;

use super::disk::DiskFile;

/// Bytes before the first record.
pub(crate) const HEADER: usize = 64;

const MAGIC: [u8; 8] = *b"vspool\0\x01";

/// How hard a log tries that what it wrote survives more than its process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fsync {
    /// Written is enough: it survives the process, not a loss of power.
    #[default]
    Os,
    /// Synced once a second.
    Interval,
    /// Synced before it counts as written.
    Always,
}

impl Fsync {
    /// The word in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Os => "os",
            Self::Interval => "interval",
            Self::Always => "always",
        }
    }

    /// The one of this word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Os, Self::Interval, Self::Always].into_iter().find(|mode| word.eq_ignore_ascii_case(mode.as_str()))
    }
}

/// What the header of a segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: u64,
    pub(crate) first_index: u64,
    pub(crate) created_unix_nano: u64,
    /// The machine's life in which it was written; zeros where that cannot be known.
    pub(crate) boot: [u8; 16],
    pub(crate) fsync: Fsync,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let said = [
            &MAGIC[..],
            &self.number.to_le_bytes(),
            &self.first_index.to_le_bytes(),
            &self.created_unix_nano.to_le_bytes(),
            &self.boot,
            &[self.fsync as u8],
        ]
        .concat();
        bytes.iter_mut().zip(&said).for_each(|(place, byte)| *place = *byte);
        let (said, own) = bytes.split_at_mut(HEADER - 4);
        own.copy_from_slice(&crc32c::crc32c(said).to_le_bytes());
        bytes
    }

    /// Nothing where it is not the header of a segment.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (said, own) = bytes.get(..HEADER)?.split_at_checked(HEADER - 4)?;
        if !said.starts_with(&MAGIC) || crc32c::crc32c(said).to_le_bytes() != own {
            return None;
        }
        let number = |place: usize| Some(u64::from_le_bytes(said.get(place..place + 8)?.try_into().ok()?));
        let fsync = match said.get(48)? {
            0 => Fsync::Os,
            1 => Fsync::Interval,
            _ => Fsync::Always,
        };
        Some(Self {
            number: number(8)?,
            first_index: number(16)?,
            created_unix_nano: number(24)?,
            boot: said.get(32..48)?.try_into().ok()?,
            fsync,
        })
    }
}

/// The name of the segment of this number: names sort as numbers do.
pub(crate) fn name(number: u64) -> String {
    format!("{number:016x}.seg")
}

/// The number in a name, where it is the name of a segment.
pub(crate) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok().filter(|number| self::name(*number) == *name)
}

/// The life of this machine, as its kernel names it: another one means that it has been without power since.
pub(crate) fn boot() -> [u8; 16] {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let mut boot = [0; 16];
    for (place, pair) in boot.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).unwrap_or_default();
        *place = u8::from_str_radix(pair, 16).unwrap_or_default();
    }
    boot
}

/// A segment that is part of the log.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) file: Arc<dyn DiskFile>,
    /// Bytes that count: header and whole records.
    pub(crate) length: u64,
}

impl Segment {
    /// Its bytes from an offset on, as many as count, up to the length of the buffer.
    pub(crate) fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let Some(buffer) = buffer.get_mut(..wanted) else { return Ok(0) };
        self.file.read_at(buffer, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written_and_no_flipped_byte_passes() {
        let header = Header { number: 3, first_index: 9, created_unix_nano: 77, boot: [5; 16], fsync: Fsync::Interval };
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Some(header));
        for place in 0..HEADER {
            let mut flipped = bytes;
            flipped[place] ^= 1;
            assert_eq!(Header::decode(&flipped), None, "{place}");
            assert_eq!(Header::decode(&bytes[..place]), None);
        }
    }

    #[test]
    fn only_names_that_are_ours_are_segments() {
        assert_eq!(number(&name(255)), Some(255));
        for odd in ["", "00000000000000ff.se", "00000000000000FF.seg", "+0000000000000ff.seg", "ff.seg"] {
            assert_eq!(number(odd), None, "{odd}");
        }
    }
}
