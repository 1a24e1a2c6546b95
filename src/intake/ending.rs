//! How a shutdown ended, for everybody who asks for one.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The outcome of the one shutdown, once it is known.
#[derive(Debug, Default)]
pub(super) struct Ending {
    complete: Mutex<Option<bool>>,
    known: Condvar,
}

impl Ending {
    pub(super) fn tell(&self, complete: bool) {
        self.complete.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(complete);
        self.known.notify_all();
    }

    /// Waits for it; where it takes longer than `timeout`, nothing is complete.
    pub(super) fn wait(&self, timeout: Duration) -> bool {
        let complete = self.complete.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.known.wait_timeout_while(complete, timeout, |complete| complete.is_none());
        let (complete, _) = waited.unwrap_or_else(PoisonError::into_inner);
        complete.unwrap_or(false)
    }
}
