//! Which events are kept so that they outlive this process.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::Ranges;

/// The events that need not be waited for: kept, or never taken.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    settled: Mutex<Ranges>,
    changed: Condvar,
}

impl Progress {
    /// An event was not taken: nobody will ever keep it.
    pub(super) fn skip(&self, seq: u64) {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).insert(seq);
    }

    /// These are kept.
    pub(super) fn keep(&self, seqs: &mut Ranges) {
        if !seqs.is_empty() {
            self.settled.lock().unwrap_or_else(PoisonError::into_inner).absorb(seqs);
            self.changed.notify_all();
        }
    }

    /// The last of all events from the first on that are settled without a hole.
    pub(super) fn watermark(&self) -> Option<u64> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).unbroken()
    }

    /// Waits until an event is settled, and tells whether it was in time.
    pub(super) fn wait_for(&self, seq: u64, timeout: Duration) -> bool {
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(settled, timeout, |settled| !settled.contains(seq));
        let (settled, _) = waited.unwrap_or_else(PoisonError::into_inner);
        settled.contains(seq)
    }
}
