//! What was done to texts that leave, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// What one veil, or one stage, has done to the texts that it let leave. Counted where they are shown.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    cut: AtomicU64,
    masked: AtomicU64,
}

impl Tally {
    /// Whole content did not fit into its attribute.
    pub(super) fn cut(&self) {
        self.cut.fetch_add(1, Ordering::Relaxed);
    }

    /// A detector found something in a text.
    pub(super) fn masked(&self) {
        self.masked.fetch_add(1, Ordering::Relaxed);
    }

    /// How many contents were cut, and in how many texts a detector found something.
    pub(crate) fn read(&self) -> (u64, u64) {
        (self.cut.load(Ordering::Relaxed), self.masked.load(Ordering::Relaxed))
    }
}
