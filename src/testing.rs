//! For tests of code that records: a sink that keeps what it takes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::event::{CallRecord, Event, Record, Source, Veiled};
use crate::intake::{Refused, Sink};

/// Keeps records in memory, in the order in which they came.
#[derive(Debug, Default)]
pub struct MemorySink {
    records: Mutex<Vec<Record>>,
    refusing: AtomicBool,
}

impl MemorySink {
    /// What it has taken. Flush the recorder first: records come on another thread.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The closed calls among them.
    pub fn calls(&self) -> Vec<CallRecord<Veiled>> {
        let closed = |record| match record {
            Record::Closed(call) => Some(*call),
            Record::Opened(_) => None,
        };
        self.records().into_iter().filter_map(closed).collect()
    }

    /// The events of the closed calls, in the order of the process.
    pub fn events(&self) -> Vec<Event<Veiled>> {
        let mut events: Vec<_> = self.calls().into_iter().flat_map(|call| call.into_events(Source::Recorder)).collect();
        events.sort_by_key(|event| event.at.seq);
        events
    }

    /// From now on it refuses what it is offered, or takes it again.
    pub fn refuse(&self, refusing: bool) {
        self.refusing.store(refusing, Ordering::Release);
    }
}

impl Sink for MemorySink {
    fn take(&self, record: Record) -> Result<(), Refused> {
        if self.refusing.load(Ordering::Acquire) {
            return Err(Refused::default());
        }
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        Ok(())
    }
}
