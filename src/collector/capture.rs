//! An output that keeps what it is given: for programs that run a stage in their own process.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Keeps requests in memory, in the order in which they left the stage.
#[derive(Default)]
pub struct Capture {
    requests: Mutex<Vec<Bytes>>,
}

/// Their number. Without `privacy` in its pipeline a stage hands on what was said.
impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").field("requests", &self.lock().len()).finish()
    }
}

impl Capture {
    /// The requests so far, each an `ExportTraceServiceRequest`.
    pub fn requests(&self) -> Vec<Bytes> {
        self.lock().clone()
    }

    pub(super) fn add(&self, request: Bytes) {
        self.lock().push(request);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Bytes>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
