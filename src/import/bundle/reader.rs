//! A bundle as a stream of events.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde_json::Value;

use super::folder::Folder;
use super::lines::{Line, Lines};
use super::mapper::Mapper;
use super::order::Order;
use super::record::{Record, Unread};
use super::{Form, Reason, TracePer};
use crate::event::{Event, Veiled};
use crate::privacy::Policy;

/// The largest manifest that is read, in bytes.
const MAX_MANIFEST: u64 = 1 << 20;
/// The content that may wait for its turn, in bytes.
const MAX_WAITING: usize = 64 << 20;

/// Why a bundle cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// There is no such folder.
    #[error("there is no such folder")]
    NoFolder,
    /// It has no `trace.jsonl` that can be read.
    #[error("the folder has no `trace.jsonl` that can be read")]
    NoLog,
}

/// Reads a bundle: an iterator over its events, in the order of their records.
///
/// Holds one record, one payload, the last list of items and a window of 4,096 records, whatever the bundle's length.
#[allow(missing_debug_implementations)]
pub struct BundleReader {
    lines: Option<Lines<BufReader<File>>>,
    order: Order<(u64, usize, Record)>,
    waiting: usize,
    last: Option<u64>,
    mapper: Mapper,
}

impl BundleReader {
    /// Opens a bundle. What it says leaves as the policy allows.
    ///
    /// # Errors
    ///
    /// [`BundleError`]. A manifest that is missing or broken is none: it is set aside like a record.
    pub fn open(path: impl AsRef<Path>, policy: Policy) -> Result<Self, BundleError> {
        let folder = Folder::open(path.as_ref()).map_err(|_| BundleError::NoFolder)?;
        let log = folder.file("trace.jsonl").map_err(|_| BundleError::NoLog)?;
        let manifest = folder.read("manifest.json", MAX_MANIFEST);
        let parsed = manifest.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|_| Reason::NotJson));
        let mut mapper = Mapper::new(folder, policy);
        match parsed {
            Ok(manifest @ Value::Object(_)) => mapper.manifest(&manifest),
            Ok(_) => mapper.quarantine(0, &Unread { seq: None, field: None, reason: Reason::Shape }),
            Err(reason) => mapper.quarantine(0, &Unread { seq: None, field: None, reason }),
        }
        let lines = Some(Lines::new(BufReader::new(log)));
        Ok(Self { lines, order: Order::new(), waiting: 0, last: None, mapper })
    }

    /// Sets in which shape histories are told.
    pub const fn form(&mut self, form: Form) {
        self.mapper.bodies.form = form;
    }

    /// Sets which spans share a trace.
    pub const fn trace_per(&mut self, per: TracePer) {
        self.mapper.per = per;
    }

    /// Reads until the window is full, then takes the first record of it. Whether there was one.
    fn advance(&mut self) -> bool {
        while self.lines.is_some() && !self.order.is_full() && self.waiting < MAX_WAITING {
            self.read_line();
        }
        let Some((line, length, record)) = self.order.pop() else { return false };
        self.waiting -= length;
        let seq = record.seq;
        match self.last {
            Some(last) if seq == last => self.aside(line, seq, Reason::Duplicate),
            Some(last) if seq > last + 1 => self.aside(line, seq, Reason::Gap),
            _ => {}
        }
        self.last = self.last.max(Some(seq));
        self.mapper.record(line, record);
        true
    }

    fn aside(&mut self, line: u64, seq: u64, reason: Reason) {
        self.mapper.quarantine(line, &Unread { seq: Some(seq), field: Some("seq"), reason });
    }

    fn read_line(&mut self) {
        let Some(lines) = &mut self.lines else { return };
        let (bytes, is_whole) = match lines.next() {
            Ok(Some(Line::Whole(bytes))) => (bytes, true),
            Ok(Some(Line::Unfinished(bytes))) => (bytes, false),
            Ok(Some(Line::Oversize)) => {
                let number = lines.number();
                return self.mapper.quarantine(number, &Unread { seq: None, field: None, reason: Reason::Oversize });
            }
            Ok(None) => {
                self.lines = None;
                return;
            }
            Err(_) => {
                let number = lines.number();
                self.lines = None;
                return self.mapper.quarantine(number, &Unread { seq: None, field: None, reason: Reason::Unreadable });
            }
        };
        let mut unread = None;
        let record = match Record::parse(bytes) {
            Ok(record) => Some(record),
            Err(error) => {
                // A write that broke off leaves half a record in front of the next one, on the same line.
                let rest = if error.reason == Reason::NotJson { after_half_a_record(bytes) } else { None };
                unread = Some(Unread {
                    reason: if is_whole || error.reason != Reason::NotJson { error.reason } else { Reason::Truncated },
                    ..error
                });
                rest.and_then(|rest| Record::parse(rest).ok())
            }
        };
        let (length, number) = (bytes.len(), lines.number());
        if let Some(unread) = unread {
            self.mapper.quarantine(number, &unread);
        }
        if let Some(record) = record {
            self.waiting += length;
            self.order.push(record.seq, (number, length, record));
        }
    }
}

/// What begins like a record in the middle of a line.
fn after_half_a_record(line: &[u8]) -> Option<&[u8]> {
    const BEGIN: &[u8] = b"{\"schema_version\":";
    let place = line.windows(BEGIN.len()).rposition(|window| window == BEGIN)?;
    line.get(place..).filter(|_| place > 0)
}

impl Iterator for BundleReader {
    type Item = Event<Veiled>;

    fn next(&mut self) -> Option<Event<Veiled>> {
        loop {
            if let Some(event) = self.mapper.told.pop_front() {
                return Some(event);
            }
            if !self.advance() {
                self.mapper.tell_early();
                return self.mapper.told.pop_front();
            }
        }
    }
}
