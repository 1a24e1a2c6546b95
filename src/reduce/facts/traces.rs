//! Traces of others of which some spans name their conversation and some do not.
//!
//! A span that names none stands for itself: its trace is its rollout. Where all is told, spans of the same trace tell better: it
//! is of the conversation that they name, as what runs inside of a call is of that call's run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytestring::ByteString;

use super::{Facts, Reading, RolloutFacts, RolloutKey};
use crate::event::{KeyIdentity, Scope, TraceId};

/// The rollouts that are nothing but a trace, each with the rollout that it is a part of.
pub(super) type Adopted = BTreeMap<RolloutKey, RolloutKey>;

impl Facts {
    /// Where the spans of a trace name several conversations it stays by itself.
    pub(super) fn adopted(&self) -> Adopted {
        let traces: Vec<&RolloutFacts> =
            self.rollouts.iter().map(|facts| &**facts).filter(|facts| is_a_trace(facts)).collect();
        if traces.is_empty() || self.rollouts.len() == traces.len() {
            return Adopted::new();
        }
        let wanted: BTreeSet<&RolloutKey> = traces.iter().map(|facts| facts.key()).collect();
        let mut named: BTreeMap<RolloutKey, BTreeSet<&RolloutKey>> = BTreeMap::new();
        for facts in self.rollouts.iter().filter(|facts| !wanted.contains(facts.key())) {
            let key = facts.key();
            for (thread, turn) in Reading::of(facts).turns() {
                let of_trace = RolloutKey { tenant: key.tenant.clone(), rollout: turn };
                if thread == key.rollout && wanted.contains(&of_trace) {
                    named.entry(of_trace).or_default().insert(key);
                }
            }
        }
        let only =
            |names: BTreeSet<&RolloutKey>| names.first().filter(|_| names.len() == 1).map(|only| (*only).clone());
        named.into_iter().filter_map(|(trace, names)| Some((trace, only(names)?))).collect()
    }
}

/// Whether nothing but spans of others is told of it, of one trace, which they stand for by themselves.
fn is_a_trace(facts: &RolloutFacts) -> bool {
    let id = &facts.key().rollout;
    if id.parse::<TraceId>().is_err() {
        return false;
    }
    let reading = Reading::of(facts);
    let mut turns = reading.turns();
    let is_alone = turns.next().is_some_and(|(thread, turn)| thread == *id && turn == *id) && turns.next().is_none();
    is_alone
        && reading.remarks().next().is_none()
        && reading.calls(id, id).all(|(key, _)| matches!(key.id, KeyIdentity::Span(..)))
}

impl RolloutFacts {
    /// Takes in what was told of a trace that is a part of it.
    pub(super) fn adopt(&mut self, trace: &Self) {
        let rollout = &self.key.rollout;
        let turn: ByteString = trace.key.rollout.clone();
        let scope = Scope { tenant: self.key.tenant.clone(), rollout: rollout.clone(), thread: rollout.clone(), turn };
        let scope = Arc::new(scope);
        for mut event in trace.events() {
            event.scope = Arc::clone(&scope);
            self.absorb(&event);
        }
        self.truncated += trace.truncated;
    }
}
