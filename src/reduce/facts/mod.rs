//! What was observed, kept as it was: nothing is chosen here, so nothing depends on the order of arrival.

mod absorb;
mod call;
mod cost;
mod detach;
mod key;
mod observation;
mod rollout;
mod versions;

pub(super) use call::CallFacts;
pub use key::RolloutKey;
pub(super) use observation::{CloseBody, Closing, OpenBody, Opening};
pub use rollout::{Absorbed, RolloutFacts};
pub(super) use rollout::{Fact, Shown, ThreadFacts, TurnFacts};

use std::collections::BTreeMap;

use super::graph::Rollout;
use crate::event::{Event, Kind, Veiled};

/// All facts, by rollout. A join: absorbing is commutative, associative and idempotent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    rollouts: BTreeMap<RolloutKey, RolloutFacts>,
}

impl Facts {
    /// Takes one observation in. Ticks tell nothing and are passed over. O(log n).
    pub fn absorb(&mut self, event: &Event<Veiled>) -> Absorbed {
        if matches!(event.kind, Kind::Tick) {
            return Absorbed::Known;
        }
        let key = RolloutKey::of(&event.scope);
        let facts = match self.rollouts.get_mut(&key) {
            Some(facts) => facts,
            None => {
                let key = key.detached();
                self.rollouts.entry(key.clone()).or_insert_with(|| RolloutFacts::new(key))
            }
        };
        facts.absorb(event)
    }

    /// The facts of each rollout, in the order of tenant and id.
    pub fn rollouts(&self) -> impl Iterator<Item = &RolloutFacts> {
        self.rollouts.values()
    }

    /// The facts of each rollout, for whoever decides that one has closed.
    pub fn rollouts_mut(&mut self) -> impl Iterator<Item = &mut RolloutFacts> {
        self.rollouts.values_mut()
    }

    /// The graph of each rollout, in the order of tenant and id.
    pub fn derive(&self) -> Vec<Rollout> {
        self.rollouts().map(super::derive).collect()
    }
}
