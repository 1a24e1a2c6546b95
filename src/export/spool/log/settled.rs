//! Which records of a log need not be sent again, on disk beside it.
//!
//! Each settlement appends one entry: the first index and the last one of what was settled together, and a checksum.
//! Entries are never changed; where there are too many a new file takes all that still matter, and the old one goes.

use std::io;
use std::sync::Arc;

use super::disk::{Disk, DiskFile};
use crate::intake::Ranges;

const ENTRY: usize = 20;
/// A file this long is replaced.
const LONGEST: u64 = 64 << 10;
/// A file that is read is not trusted: nothing of ours is longer.
const READ_AT_MOST: u64 = 16 << 20;
const PREFIX: &str = "settled-";

/// The settled records of one log.
#[derive(Debug)]
pub(crate) struct Settled {
    disk: Arc<dyn Disk>,
    file: Option<(String, Arc<dyn DiskFile>, u64)>,
    next_number: u64,
    is_synced: bool,
    ranges: Ranges,
}

impl Settled {
    /// What the files in `disk` say; where `is_synced`, a settlement counts when it is synced.
    pub(crate) fn open(disk: Arc<dyn Disk>, is_synced: bool) -> io::Result<Self> {
        let mut settled = Self { disk, file: None, next_number: 0, is_synced, ranges: Ranges::default() };
        for name in settled.disk.names()? {
            let Some(number) = name.strip_prefix(PREFIX).and_then(|digits| u64::from_str_radix(digits, 16).ok()) else {
                continue;
            };
            settled.next_number = settled.next_number.max(number.saturating_add(1));
            let file = settled.disk.open(&name)?;
            let mut bytes = vec![0; usize::try_from(file.len()?.min(READ_AT_MOST)).unwrap_or_default()];
            let read = file.read_at(&mut bytes, 0)?;
            bytes.truncate(read);
            bytes.chunks_exact(ENTRY).filter_map(decode).for_each(|(first, last)| {
                settled.ranges.insert_range(first..=last);
            });
        }
        Ok(settled)
    }

    pub(crate) fn contains(&self, index: u64) -> bool {
        self.ranges.contains(index)
    }

    /// These records are settled, each by itself; written as the ranges that they make.
    pub(crate) fn settle(&mut self, indices: &[u64]) -> io::Result<()> {
        let mut added = Ranges::default();
        indices.iter().for_each(|index| added.insert(*index));
        let bytes: Vec<u8> = added.iter().flat_map(|range| encode(*range.start(), *range.end())).collect();
        self.ranges.absorb(&mut added);
        if self.file.as_ref().is_some_and(|(_, _, length)| length + bytes.len() as u64 > LONGEST) {
            return self.replace();
        }
        self.append(&bytes)
    }

    /// Nothing below this index is in the log any longer.
    pub(crate) fn forget_below(&mut self, index: u64) {
        self.ranges.forget_below(index);
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (name, file, length) = match self.file.take() {
            Some(open) => open,
            None => {
                let name = format!("{PREFIX}{:x}", self.next_number);
                let file = self.disk.create(&name)?;
                self.next_number += 1;
                if self.is_synced {
                    self.disk.sync()?;
                }
                (name, file, 0)
            }
        };
        // After a failure the next settlement begins a new file: where this one ends is not known.
        file.write_at(bytes, length)?;
        if self.is_synced {
            file.sync()?;
        }
        self.file = Some((name, file, length + bytes.len() as u64));
        Ok(())
    }

    fn replace(&mut self) -> io::Result<()> {
        let old = self.file.take();
        let bytes: Vec<u8> = self.ranges.iter().flat_map(|range| encode(*range.start(), *range.end())).collect();
        self.append(&bytes)?;
        old.map_or(Ok(()), |(name, _, _)| self.disk.remove(&name))
    }
}

fn encode(first: u64, last: u64) -> [u8; ENTRY] {
    let mut entry = [0; ENTRY];
    let said = [first.to_le_bytes(), last.to_le_bytes()].concat();
    let own = crc32c::crc32c(&said).to_le_bytes();
    entry.iter_mut().zip(said.iter().chain(&own)).for_each(|(place, byte)| *place = *byte);
    entry
}

fn decode(entry: &[u8]) -> Option<(u64, u64)> {
    let (said, own) = entry.split_at_checked(16)?;
    if crc32c::crc32c(said).to_le_bytes() != own {
        return None;
    }
    let number = |range: std::ops::Range<usize>| Some(u64::from_le_bytes(said.get(range)?.try_into().ok()?));
    number(0..8).zip(number(8..16))
}
