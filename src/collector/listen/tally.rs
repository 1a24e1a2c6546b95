//! What happened at one listener.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counted for metrics; the names are what they count.
#[derive(Debug, Default)]
pub(in crate::collector) struct Tally {
    pub(in crate::collector) connections: AtomicU64,
    pub(in crate::collector) connections_refused: AtomicU64,
    pub(in crate::collector) connections_failed: AtomicU64,
    pub(in crate::collector) connections_silent: AtomicU64,
    pub(in crate::collector) requests: AtomicU64,
    pub(in crate::collector) unauthenticated: AtomicU64,
    pub(in crate::collector) misdirected: AtomicU64,
    open_connections: AtomicU64,
    open_requests: AtomicU64,
}

impl Tally {
    pub(super) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::collector) fn open_connections(&self) -> u64 {
        self.open_connections.load(Ordering::Relaxed)
    }

    pub(in crate::collector) fn open_requests(&self) -> u64 {
        self.open_requests.load(Ordering::Relaxed)
    }

    pub(super) fn connection(&self) -> Open<'_> {
        Self::add(&self.connections);
        Open::new(&self.open_connections)
    }

    pub(in crate::collector) fn request(&self) -> Open<'_> {
        Self::add(&self.requests);
        Open::new(&self.open_requests)
    }
}

/// Counts one more as long as it lives.
pub(in crate::collector) struct Open<'a>(&'a AtomicU64);

impl<'a> Open<'a> {
    pub(in crate::collector) fn new(counter: &'a AtomicU64) -> Self {
        Tally::add(counter);
        Self(counter)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
