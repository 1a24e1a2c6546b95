//! What a person should know of what was imported: the findings of its reduction, counted by kind.
//!
//! Holds no more than [`BYTES`] of facts: over that the runs that were silent longest are derived and let go.

use std::collections::BTreeMap;

use super::send::unix_now;
use crate::event::{Event, Source, Veiled};
use crate::import::session::Told;
use crate::reduce::{Effect, Finding, FindingKind, Limits, Reducer, Severity, derive};

/// The facts that are held at once, in bytes.
const BYTES: usize = 32 << 20;

/// Reduces what is told beside its sending.
pub(super) struct Findings {
    reducer: Reducer,
    counts: BTreeMap<(FindingKind, Severity), u64>,
}

impl Findings {
    pub(super) fn new() -> Self {
        let limits = Limits { bytes: BYTES, ..Limits::default() };
        Self { reducer: Reducer::new(limits), counts: BTreeMap::new() }
    }

    /// Takes what a reader tells.
    pub(super) fn take(&mut self, told: &Told) {
        match told {
            Told::Call(record) => record.clone().into_events(Source::Import).for_each(|event| self.event(event)),
            Told::Event(event) => self.event((**event).clone()),
        }
    }

    /// Takes an event.
    pub(super) fn event(&mut self, event: Event<Veiled>) {
        let effects = self.reducer.on(event, unix_now());
        self.add(effects);
    }

    /// Lets go of the runs that were silent for long.
    pub(super) fn tick(&mut self) {
        let effects = self.reducer.tick(unix_now());
        self.add(effects);
    }

    fn add(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            // What comes after a run was let go is told of it no more.
            if let Effect::RolloutClosed(closed) = effect
                && closed.revision == 0
            {
                count(&mut self.counts, &closed.graph.findings);
            }
        }
    }

    /// Says what was found, by its kind, and gives the number of all.
    pub(super) fn finish(mut self) -> u64 {
        let effects = self.reducer.shutdown(unix_now());
        self.add(effects);
        for facts in self.reducer.open() {
            count(&mut self.counts, &derive(facts).findings);
        }
        for ((kind, severity), count) in &self.counts {
            let (finding, severity) = (kind.as_str(), severity.as_str());
            tracing::info!(target: "veilspan", finding, severity, count, "found");
        }
        self.counts.values().sum()
    }
}

fn count(counts: &mut BTreeMap<(FindingKind, Severity), u64>, findings: &[Finding]) {
    for finding in findings {
        *counts.entry((finding.kind, finding.severity())).or_default() += 1;
    }
}
