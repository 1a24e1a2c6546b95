//! What became of payloads.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the payloads of a folder, in this process, since it was first used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadCounts {
    /// Files that were written.
    pub written: u64,
    /// Payloads that were there or on their way already.
    pub known: u64,
    /// Payloads for which there was no room in the queue; their spans have no reference.
    pub over_bound: u64,
    /// Payloads that could not be written. Their spans may have a reference.
    pub failed: u64,
    /// Payloads that were not written, since a stricter policy came first. Their spans may have a reference.
    pub withdrawn: u64,
}

impl PayloadCounts {
    pub(crate) const ZERO: Self = Self { written: 0, known: 0, over_bound: 0, failed: 0, withdrawn: 0 };

    /// What was counted since `before`.
    pub(crate) const fn since(self, before: Self) -> Self {
        Self {
            written: self.written - before.written,
            known: self.known - before.known,
            over_bound: self.over_bound - before.over_bound,
            failed: self.failed - before.failed,
            withdrawn: self.withdrawn - before.withdrawn,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    written: AtomicU64,
    known: AtomicU64,
    over_bound: AtomicU64,
    failed: AtomicU64,
    withdrawn: AtomicU64,
}

/// What becomes of one payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Written,
    Known,
    OverBound,
    Failed,
    Withdrawn,
}

impl Counters {
    /// Counts so many, and answers how many there were before.
    pub(super) fn add(&self, fate: Fate, count: usize) -> u64 {
        let counter = match fate {
            Fate::Written => &self.written,
            Fate::Known => &self.known,
            Fate::OverBound => &self.over_bound,
            Fate::Failed => &self.failed,
            Fate::Withdrawn => &self.withdrawn,
        };
        counter.fetch_add(count as u64, Ordering::Relaxed)
    }

    pub(super) fn read(&self) -> PayloadCounts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PayloadCounts {
            written: load(&self.written),
            known: load(&self.known),
            over_bound: load(&self.over_bound),
            failed: load(&self.failed),
            withdrawn: load(&self.withdrawn),
        }
    }
}

impl std::ops::AddAssign for PayloadCounts {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.known += other.known;
        self.over_bound += other.over_bound;
        self.failed += other.failed;
        self.withdrawn += other.withdrawn;
    }
}
