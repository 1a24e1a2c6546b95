//! What was counted on the way.

use crate::reduce::{Counter, Severity};

/// What reduction has done so far.
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
    /// What the [`Reducer`](crate::reduce::Reducer) has counted, by [`Counter::as_str`], sorted.
    pub by_name: Vec<(&'static str, u64)>,
}

impl ReductionCounts {
    pub(super) fn add(&mut self, counter: Counter, count: u64) {
        let name = counter.as_str();
        match self.by_name.binary_search_by_key(&name, |(known, _)| known) {
            Ok(place) => {
                if let Some((_, sum)) = self.by_name.get_mut(place) {
                    *sum += count;
                }
            }
            Err(place) => self.by_name.insert(place, (name, count)),
        }
    }
}

/// Findings by who found them and by how much they matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct FindingCounts(Vec<((&'static str, Severity), u64)>);

impl FindingCounts {
    pub(super) fn add(&mut self, by: &'static str, severity: Severity) {
        match self.0.binary_search_by_key(&(by, severity), |(known, _)| *known) {
            Ok(place) => {
                if let Some((_, sum)) = self.0.get_mut(place) {
                    *sum += 1;
                }
            }
            Err(place) => self.0.insert(place, ((by, severity), 1)),
        }
    }

    /// Each with its words, sorted.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        self.0.iter().map(|((by, severity), count)| (*by, severity.as_str(), *count))
    }
}
