//! What reduction has counted.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::reduce::Counter;

/// What a [`ReducingProcessor`](super::ReducingProcessor) has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReductionCounts {
    /// Spans that told of a call and were reduced.
    pub reduced: u64,
    /// GenAI spans that tell of no call, or name no rollout: handed on, and no part of a graph.
    pub not_calls: u64,
    /// Spans that were handed on and not reduced, because too much was waiting.
    pub missed: u64,
    /// Spans that were added: turns that nobody reported, and summaries.
    pub added: u64,
    /// Spans that were to be added, and that the next processor panicked on.
    pub panicked: u64,
    /// Findings.
    pub findings: u64,
    /// What the [`Reducer`](crate::reduce::Reducer) has counted, by [`Counter::as_str`].
    pub by_name: Vec<(&'static str, u64)>,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) reduced: AtomicU64,
    pub(super) not_calls: AtomicU64,
    pub(super) missed: AtomicU64,
    pub(super) added: AtomicU64,
    pub(super) panicked: AtomicU64,
    pub(super) findings: AtomicU64,
}

/// The reducer's own counters.
#[derive(Clone, Debug, Default)]
pub(super) struct ByName(Vec<(&'static str, u64)>);

impl ByName {
    pub(super) fn add(&mut self, counter: Counter, count: u64) {
        let name = counter.as_str();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += count,
            None => self.0.push((name, count)),
        }
    }
}

impl Counts {
    pub(super) fn read(&self, by_name: ByName) -> ReductionCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut by_name = by_name.0;
        by_name.sort_unstable();
        ReductionCounts {
            reduced: read(&self.reduced),
            not_calls: read(&self.not_calls),
            missed: read(&self.missed),
            added: read(&self.added),
            panicked: read(&self.panicked),
            findings: read(&self.findings),
            by_name,
        }
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
