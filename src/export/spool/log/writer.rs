//! Appending, and what becomes of a segment that cannot be written.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::disk::{Disk, DiskFile};
use super::frame;
use super::segment::{self, Fsync, HEADER, Header, Segment};

/// The index of a record that stands at the beginning of each segment and is none of the log's own.
pub(crate) const NO_INDEX: u64 = u64::MAX;

/// How a log is written.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// A segment is not written beyond this, unless one record alone is longer.
    pub(crate) segment_bytes: u64,
    pub(crate) fsync: Fsync,
    pub(crate) boot: [u8; 16],
    /// Stands at the beginning of each segment.
    pub(crate) preamble: Option<(u8, Bytes)>,
}

impl Options {
    /// So much is gathered before it is written at the latest.
    pub(crate) const fn commit_bytes(&self) -> usize {
        let quarter = (self.segment_bytes / 4) as usize;
        if quarter < 256 << 10 { quarter } else { 256 << 10 }
    }
}

/// A segment, and how many of its records are still needed.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) segment: Segment,
    pub(crate) first_index: u64,
    pub(crate) held: u64,
}

/// An append-only log in one folder.
///
/// A record counts when [`Log::commit`] has returned `Ok`; until then it is in memory alone. A segment in which a write or
/// a sync has failed is never written again: what did not count in it is cut off and goes into another.
#[derive(Debug)]
pub(crate) struct Log {
    disk: Arc<dyn Disk>,
    options: Options,
    segments: VecDeque<Held>,
    /// The bytes of all of them.
    counted: u64,
    /// Whether the last segment may be written.
    is_open: bool,
    /// Room that is kept on the disk in the last segment.
    allocated: u64,
    spares: Vec<(u64, Arc<dyn DiskFile>)>,
    next_number: u64,
    next_index: u64,
    pending: Vec<u8>,
    pending_first: u64,
    pending_held: u64,
    unsynced: bool,
}

impl Log {
    /// A log that goes on behind these segments: none in a new folder.
    pub(crate) fn new(disk: Arc<dyn Disk>, options: Options, segments: VecDeque<Held>, next_index: u64) -> Self {
        let greatest = segments.iter().map(|held| held.segment.number).max();
        let next_number = greatest.map_or(1, |greatest| greatest.saturating_add(1));
        Self {
            disk,
            options,
            counted: segments.iter().map(|held| held.segment.length).sum(),
            segments,
            is_open: false,
            allocated: 0,
            spares: Vec::new(),
            next_number,
            next_index,
            pending: Vec::new(),
            pending_first: next_index,
            pending_held: 0,
            unsynced: false,
        }
    }

    /// Adds a record and answers its index. One that is `held` keeps its segment until it is released.
    pub(crate) fn append(&mut self, kind: u8, parts: &[&[u8]], held: bool) -> u64 {
        let index = self.next_index;
        frame::put(&mut self.pending, kind, index, parts);
        self.next_index += 1;
        self.pending_held += u64::from(held);
        index
    }

    /// The index of the next record.
    pub(crate) const fn next_index(&self) -> u64 {
        self.next_index
    }

    /// How long a segment may become.
    pub(crate) const fn segment_bytes(&self) -> u64 {
        self.options.segment_bytes
    }

    /// What was appended and does not count yet, in bytes.
    pub(crate) const fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Makes everything that was appended count. What fails stays pending, and is tried again with the next commit.
    pub(crate) fn commit(&mut self, now: u64) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let long = HEADER as u64 + self.pending.len() as u64;
        let fits = |last: &Held| last.segment.length + self.pending.len() as u64 <= self.options.segment_bytes;
        if self.is_open && self.segments.back().is_some_and(fits) {
            match self.write() {
                Ok(()) => return Ok(()),
                Err(_) => self.close_segment(),
            }
        }
        self.close_segment();
        self.open_segment(now, long)?;
        self.write().inspect_err(|_| {
            // Nothing counts in it: it goes, so that a disk that fails for long does not fill with beginnings.
            self.close_segment();
            if let Some(last) = self.segments.pop_back() {
                self.counted -= last.segment.length;
                let _ = self.disk.remove(&segment::name(last.segment.number));
            }
        })
    }

    /// Syncs what counts, where that has not been done. A failure closes the segment for good.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        let Some(last) = self.segments.back().filter(|_| self.unsynced) else { return Ok(()) };
        let synced = last.segment.file.sync();
        self.unsynced = false;
        if synced.is_err() {
            self.close_segment();
        }
        synced
    }

    /// Whether something counts that is not synced.
    pub(crate) const fn is_unsynced(&self) -> bool {
        self.unsynced
    }

    /// Keeps room on the disk, so that so many bytes more than are pending can be written whatever others do with it.
    pub(crate) fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        let wanted = bytes.saturating_add(self.pending.len() as u64);
        let waste = self.options.commit_bytes() as u64;
        let active = match self.segments.back().filter(|_| self.is_open) {
            Some(last) => self.allocated.saturating_sub(last.segment.length).saturating_sub(waste),
            None => 0,
        };
        let overhead = waste + HEADER as u64 + self.preamble_len();
        let of_spare = self.options.segment_bytes.saturating_sub(overhead).max(1);
        while active + self.spares.len() as u64 * of_spare < wanted {
            let (number, file) = self.create()?;
            if let Err(error) = file.reserve(self.options.segment_bytes) {
                // Its name is free again; where even that fails it stays behind, empty.
                let _ = self.disk.remove(&segment::name(number));
                return Err(error);
            }
            self.spares.push((number, file));
        }
        Ok(())
    }

    /// The segments, oldest first.
    pub(crate) const fn segments(&self) -> &VecDeque<Held> {
        &self.segments
    }

    /// The bytes of all segments, pending ones included.
    pub(crate) const fn bytes(&self) -> u64 {
        self.counted + self.pending.len() as u64
    }

    /// A held record is no longer needed.
    pub(crate) fn release(&mut self, index: u64) {
        let place = self.segments.partition_point(|held| held.first_index <= index);
        if let Some(held) = place.checked_sub(1).and_then(|place| self.segments.get_mut(place)) {
            held.held = held.held.saturating_sub(1);
        }
    }

    /// The oldest segment, where none of its records is held and it is not being written, and the index behind it.
    pub(crate) fn removable(&self) -> Option<(&Segment, u64)> {
        let oldest = self.segments.front().filter(|oldest| oldest.held == 0)?;
        match self.segments.get(1) {
            Some(next) => Some((&oldest.segment, next.first_index)),
            None if !self.is_open => Some((&oldest.segment, self.pending_first)),
            None => None,
        }
    }

    /// Takes the oldest segment away, and hands it out: whoever lets go of it last waits until the system has given back the
    /// memory that it took.
    pub(crate) fn remove_oldest(&mut self) -> io::Result<Option<Segment>> {
        let Some(oldest) = self.segments.pop_front() else { return Ok(None) };
        self.counted -= oldest.segment.length;
        self.disk.remove(&segment::name(oldest.segment.number))?;
        // Names vanish in the order in which they were removed: a younger segment is never lost before an older one.
        if self.options.fsync == Fsync::Always {
            self.disk.sync()?;
        }
        Ok(Some(oldest.segment))
    }

    /// From now on nothing more is written into the last segment; room that was kept is given back.
    pub(crate) fn close(&mut self) {
        self.close_segment();
        for (number, _) in std::mem::take(&mut self.spares) {
            // An empty file that stays behind harms nobody.
            let _ = self.disk.remove(&segment::name(number));
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(last) = self.segments.back_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        last.segment.file.write_at(&self.pending, last.segment.length)?;
        if self.options.fsync == Fsync::Always {
            last.segment.file.sync()?;
        }
        last.segment.length += self.pending.len() as u64;
        self.counted += self.pending.len() as u64;
        last.held += self.pending_held;
        self.unsynced = self.options.fsync != Fsync::Always;
        self.pending.clear();
        self.pending.shrink_to(4 * self.options.commit_bytes());
        self.pending_first = self.next_index;
        self.pending_held = 0;
        Ok(())
    }

    /// Makes the segment that `length` bytes will be written to, and begins it.
    fn open_segment(&mut self, now: u64, length: u64) -> io::Result<()> {
        let length = length.saturating_add(self.preamble_len());
        let is_long = length > self.options.segment_bytes;
        let (number, file, allocated) = match (is_long, self.spares.is_empty()) {
            (false, false) => {
                let (number, file) = self.spares.remove(0);
                (number, file, self.options.segment_bytes)
            }
            _ => {
                let (number, file) = self.create()?;
                (number, file, 0)
            }
        };
        let header = Header {
            number,
            first_index: self.pending_first,
            created_unix_nano: now,
            boot: self.options.boot,
            fsync: self.options.fsync,
        };
        let mut beginning = header.encode().to_vec();
        if let Some((kind, payload)) = &self.options.preamble {
            frame::put(&mut beginning, *kind, NO_INDEX, &[payload]);
        }
        let begun = file.write_at(&beginning, 0).and_then(|()| match self.options.fsync {
            Fsync::Always => self.disk.sync(),
            Fsync::Os | Fsync::Interval => Ok(()),
        });
        if let Err(error) = begun {
            let _ = self.disk.remove(&segment::name(number));
            return Err(error);
        }
        let segment = Segment { number, file, length: beginning.len() as u64 };
        self.counted += segment.length;
        self.segments.push_back(Held { segment, first_index: self.pending_first, held: 0 });
        self.is_open = true;
        self.allocated = allocated;
        Ok(())
    }

    /// What counts in it stays, the rest is cut off.
    fn close_segment(&mut self) {
        if let Some(last) = self.segments.back().filter(|_| self.is_open) {
            // Where this fails, what does not count stays behind; whoever reads it finds it again in the next segment.
            let _ = last.segment.file.truncate(last.segment.length);
            if self.unsynced && self.options.fsync == Fsync::Interval {
                let _ = last.segment.file.sync();
            }
        }
        self.unsynced = false;
        self.is_open = false;
        self.allocated = 0;
    }

    fn create(&mut self) -> io::Result<(u64, Arc<dyn DiskFile>)> {
        let number = self.next_number;
        let file = self.disk.create(&segment::name(number))?;
        self.next_number = number.checked_add(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok((number, file))
    }

    fn preamble_len(&self) -> u64 {
        self.options.preamble.as_ref().map_or(0, |(_, payload)| (frame::HEAD + payload.len()) as u64)
    }
}
