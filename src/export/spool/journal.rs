//! The log of one process life: which calls are open, which spans wait, and where they are read again.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::log::{Cursor, Log, NO_INDEX, Segment, Settled, Step};
use super::recent::Recent;
use super::records::{self, LOST, OPEN, SPAN};
use crate::export::envelope::Envelope;
use crate::export::limits::Limits;

/// What a close may be longer than its opening, at the most, and still find room that nobody can take away.
const CLOSE_BYTES: u64 = 1536;
/// What stands around the field of a record.
const OVERHEAD: u64 = (super::log::HEAD + records::PREFIX) as u64;

/// There is no room for it, on the disk or within the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

/// So many spans, and the bytes of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amount {
    pub(super) spans: u64,
    pub(super) bytes: u64,
}

impl Amount {
    const fn add(&mut self, length: usize) {
        self.spans += 1;
        self.bytes += length as u64;
    }

    const fn take(&mut self, length: usize) {
        self.spans = self.spans.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(length as u64);
    }
}

/// One log, its open calls, and what of it has been sent.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) log: Log,
    pub(super) settled: Settled,
    pub(super) envelope: Arc<Envelope>,
    /// Open calls: the index of the record that says so, and the room that is kept for their close.
    open: HashMap<u128, (u64, u64)>,
    open_at: BTreeMap<u64, u128>,
    /// Room that is kept for closes.
    reserved: u64,
    reading: Reading,
    /// The spans that have not been read, as long as there is room for all of them in memory.
    recent: Recent,
    /// Spans that are in the log, or about to be, and not settled.
    pub(super) waiting: u64,
    /// Of these, those that count and have not been read yet.
    pub(super) unread: Amount,
    /// Of these, those that do not count yet.
    pending: Amount,
    written: u64,
    /// Segments that were taken away, until somebody who holds no lock lets go of them.
    gone: Vec<Segment>,
    /// What was written by a stranger is looked at before it is sent.
    is_foreign: bool,
}

#[derive(Debug, Default)]
struct Reading {
    segment: Option<u64>,
    cursor: Cursor,
    next_index: u64,
    /// A span that was read and did not fit any more.
    ahead: Option<(u64, Vec<u8>)>,
}

/// Spans that were read to be sent together.
#[derive(Debug, Default)]
pub(super) struct Portion {
    pub(super) spans: Bytes,
    pub(super) indices: Vec<u64>,
    /// Damaged in between: they cannot be sent.
    pub(super) unreadable: Vec<u64>,
}

impl Journal {
    pub(super) fn new(log: Log, settled: Settled, envelope: Arc<Envelope>, is_foreign: bool) -> Self {
        Self {
            log,
            settled,
            envelope,
            open: HashMap::new(),
            open_at: BTreeMap::new(),
            reserved: 0,
            reading: Reading::default(),
            recent: Recent::default(),
            waiting: 0,
            unread: Amount::default(),
            pending: Amount::default(),
            written: 0,
            gone: Vec::new(),
            is_foreign,
        }
    }

    /// The same, with the spans that come now held in memory until they are read.
    pub(super) fn holding(mut self, recent: Recent) -> Self {
        self.recent = recent;
        self
    }

    /// What it takes of the budget: what is there, and what is promised.
    pub(super) const fn bytes(&self) -> u64 {
        self.log.bytes().saturating_add(self.reserved)
    }

    pub(super) fn has_open_calls(&self) -> bool {
        !self.open.is_empty()
    }

    /// Takes the opening of a call, where `room` is enough for it and for its close.
    pub(super) fn open(&mut self, id: u128, unix_nanos: u64, field: &[u8], room: u64) -> Result<(), NoRoom> {
        // Told once more, it is the same call.
        self.forget(id);
        let own = OVERHEAD + field.len() as u64;
        let reserve = own + CLOSE_BYTES;
        if own + reserve > room {
            return Err(NoRoom);
        }
        self.log.reserve(self.reserved + own + reserve).map_err(|_| NoRoom)?;
        let index = self.log.append(OPEN, &[&records::prefix(id, unix_nanos), field], false);
        self.open.insert(id, (index, reserve));
        self.open_at.insert(index, id);
        self.reserved += reserve;
        Ok(())
    }

    /// What was taken and does not count yet, in bytes.
    pub(super) const fn pending(&self) -> usize {
        self.log.pending()
    }

    /// Takes the span of a call that closes. One whose opening was taken has room of its own; beyond that it takes of `room`.
    pub(super) fn close(&mut self, id: u128, unix_nanos: u64, field: &[u8], room: u64) -> Result<(), NoRoom> {
        let own = OVERHEAD + field.len() as u64;
        let reserve = self.open.get(&id).map_or(0, |(_, reserve)| *reserve);
        let more = own.saturating_sub(reserve);
        if more > 0 {
            if more > room {
                return Err(NoRoom);
            }
            self.log.reserve(self.reserved + more).map_err(|_| NoRoom)?;
        }
        let index = self.log.append(SPAN, &[&records::prefix(id, unix_nanos), field], true);
        // Those that come behind one that is on disk alone are read behind it.
        if self.unread.spans + self.pending.spans == self.recent.spans() {
            self.recent.add(index, field);
        }
        self.forget(id);
        self.waiting += 1;
        self.pending.add(field.len());
        Ok(())
    }

    /// The close of an open call is lost: nobody is to tell of it.
    pub(super) fn lose(&mut self, id: u128, unix_nanos: u64) {
        if self.open.contains_key(&id) {
            self.log.append(LOST, &[&records::prefix(id, unix_nanos)], false);
            self.forget(id);
        }
    }

    fn forget(&mut self, id: u128) {
        if let Some((index, reserve)) = self.open.remove(&id) {
            self.open_at.remove(&index);
            self.reserved = self.reserved.saturating_sub(reserve);
        }
    }

    /// Makes everything count that was taken.
    pub(super) fn commit(&mut self, now: u64) -> io::Result<()> {
        self.log.commit(now)?;
        self.recent.count();
        let pending = std::mem::take(&mut self.pending);
        self.unread.spans += pending.spans;
        self.unread.bytes += pending.bytes;
        self.written += pending.spans;
        Ok(())
    }

    /// How many spans have come to count since this was last asked.
    pub(super) const fn take_written(&mut self) -> u64 {
        std::mem::replace(&mut self.written, 0)
    }

    pub(super) fn take_gone(&mut self) -> Vec<Segment> {
        std::mem::take(&mut self.gone)
    }

    /// A span that was found in the log, and whether it still has to be sent.
    pub(super) fn found(&mut self, index: u64, length: usize) -> bool {
        let waits = !self.settled.contains(index);
        if waits {
            self.waiting += 1;
            self.unread.add(length);
        }
        waits
    }

    /// Spans that count and have not been read yet, as many as one request may hold.
    pub(super) fn read(&mut self, limits: &Limits) -> io::Result<Portion> {
        if let Some((spans, indices)) = self.recent.take() {
            self.unread.spans = self.unread.spans.saturating_sub(indices.len() as u64);
            self.unread.bytes = self.unread.bytes.saturating_sub(spans.len() as u64);
            // Whoever reads the disk next finds his place anew.
            self.reading = Reading { next_index: indices.last().map_or(0, |last| last + 1), ..Reading::default() };
            return Ok(Portion { spans, indices, unreadable: Vec::new() });
        }
        let mut portion = Portion::default();
        let expected = usize::try_from(self.unread.bytes).unwrap_or(usize::MAX);
        let mut spans = Vec::with_capacity(expected.min(limits.batch_bytes));
        if let Some((index, field)) = self.reading.ahead.take() {
            self.unread.take(field.len());
            portion.indices.push(index);
            spans.extend_from_slice(&field);
        }
        while portion.indices.len() < limits.batch_spans {
            match self.read_span(&mut portion, &mut spans, limits.batch_bytes) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if portion.indices.is_empty() => return Err(error),
                // What has been read is sent.
                Err(_) => break,
            }
        }
        portion.spans = spans.into();
        Ok(portion)
    }

    /// Reads the next span into the portion. Whether there was one, and room for it.
    fn read_span(&mut self, portion: &mut Portion, spans: &mut Vec<u8>, most: usize) -> io::Result<bool> {
        let segments = self.log.segments();
        loop {
            let number = self.reading.segment;
            let place = segments.iter().position(|held| Some(held.segment.number) == number);
            let Some(held) = (match place {
                Some(place) => segments.get(place),
                None => {
                    segments.iter().rev().find(|held| held.first_index <= self.reading.next_index).or(segments.front())
                }
            }) else {
                return Ok(false);
            };
            if place.is_none() {
                self.reading.segment = Some(held.segment.number);
                self.reading.cursor = Cursor::default();
            }
            match self.reading.cursor.step(&held.segment)? {
                Step::Record(head, _) if head.index == NO_INDEX || head.index < self.reading.next_index => {}
                Step::Record(head, payload) => {
                    self.reading.next_index = head.index + 1;
                    if head.kind != SPAN || self.settled.contains(head.index) {
                        continue;
                    }
                    // Damage in what a stranger has left was counted when it was taken over.
                    if payload.is_none() && self.is_foreign {
                        continue;
                    }
                    match payload.and_then(records::told) {
                        Some(told) if !self.is_foreign || records::is_span_field(told.field) => {
                            if spans.len() + told.field.len() > most && !portion.indices.is_empty() {
                                self.reading.ahead = Some((head.index, told.field.to_vec()));
                                return Ok(false);
                            }
                            self.unread.take(told.field.len());
                            portion.indices.push(head.index);
                            spans.extend_from_slice(told.field);
                            return Ok(true);
                        }
                        _ => {
                            self.unread.take(head.length);
                            portion.unreadable.push(head.index);
                        }
                    }
                }
                Step::Damage => {}
                Step::End(_) => {
                    let place = segments.iter().position(|other| other.segment.number == held.segment.number);
                    let Some(next) = place.and_then(|place| segments.get(place + 1)) else { return Ok(false) };
                    self.reading.segment = Some(next.segment.number);
                    self.reading.cursor = Cursor::default();
                }
            }
        }
    }

    /// These spans need not be sent again.
    pub(super) fn settle(&mut self, indices: &[u64]) -> io::Result<()> {
        self.waiting = self.waiting.saturating_sub(indices.len() as u64);
        indices.iter().for_each(|index| self.log.release(*index));
        self.settled.settle(indices)
    }

    /// Takes segments away that hold nothing any more. Calls that are open in them are told again in the newest.
    pub(super) fn clean(&mut self, now: u64) -> io::Result<()> {
        while let Some((segment, behind)) = self.log.removable() {
            if self.open_at.range(..behind).next().is_some() {
                // Telling again what is mostly still open would never end.
                if self.log.bytes() <= self.reserved + 2 * self.log.segment_bytes() {
                    return Ok(());
                }
                let segment = segment.clone();
                self.carry(&segment, behind)?;
            }
            // What was told again has to count before it is taken away here.
            self.commit(now)?;
            self.gone.extend(self.log.remove_oldest()?);
            self.settled.forget_below(behind);
        }
        Ok(())
    }

    /// Tells again what is open in a segment, which ends before this index.
    fn carry(&mut self, segment: &Segment, behind: u64) -> io::Result<()> {
        let mut cursor = Cursor::default();
        // What was told again stands at the front, so that mostly little is read.
        let mut left = self.open_at.range(..behind).count();
        while left > 0 {
            match cursor.step(segment)? {
                Step::Record(head, Some(payload)) if head.kind == OPEN => {
                    let Some(told) = records::told(payload) else { continue };
                    let Some((index, _)) = self.open.get_mut(&told.id).filter(|(index, _)| *index == head.index) else {
                        continue;
                    };
                    self.open_at.remove(index);
                    *index = self.log.append(OPEN, &[payload], false);
                    self.open_at.insert(*index, told.id);
                    left -= 1;
                }
                Step::End(_) => return Ok(()),
                Step::Record(..) | Step::Damage => {}
            }
        }
        Ok(())
    }
}
