//! What was observed, kept as it was: nothing is chosen here, so nothing depends on the order of arrival.
//!
//! Each event is one row of bytes. What rows repeat (texts, digests, items, ids) is kept once for each rollout, so that a
//! request that shows a long history again costs a few bytes, and a hundred thousand facts a few megabytes.

mod codec;
mod detach;
mod item;
mod key;
mod observation;
mod rollout;
mod row;
mod table;
mod tables;

pub(super) use codec::is_fact;
pub(super) use detach::detach;
pub(super) use item::{InputFact, OutputFact};
pub use key::RolloutKey;
pub(super) use observation::{Closing, GivenFact, MarkFact, NotedFact, Observation, Opening, Remark, ReturnedFact};
pub use rollout::{Absorbed, RolloutFacts};

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;

use super::graph::Rollout;
use crate::event::{Event, Key, Kind, Veiled};

/// All facts, by rollout. A join: absorbing is commutative, associative and idempotent, as long as the budget is not used
/// up.
///
/// What is held is bounded. Over the budget a fact is refused and counted; its rollout says so with a `truncated` finding,
/// unless not even the rollout was known. Deriving takes memory beside that, a few times what its rollout holds.
#[derive(Clone, Debug)]
pub struct Facts {
    rollouts: BTreeMap<RolloutKey, Box<RolloutFacts>>,
    budget: usize,
    held: usize,
    refused: u64,
}

/// What a rollout costs in the map of all.
const ENTRY: usize = 2 * size_of::<(RolloutKey, Box<RolloutFacts>)>();

impl Default for Facts {
    fn default() -> Self {
        Self::within(Self::BUDGET)
    }
}

/// What tells the same is equal, whatever the budget.
impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.rollouts == other.rollouts
    }
}

impl Facts {
    /// The bytes that are held at most unless said otherwise: 1 GiB, some ten million facts.
    pub const BUDGET: usize = 1 << 30;

    /// No facts, and room for about so many bytes of them.
    pub const fn within(bytes: usize) -> Self {
        Self { rollouts: BTreeMap::new(), budget: bytes, held: 0, refused: 0 }
    }

    /// Takes one observation in. Ticks tell nothing and are passed over. O(1) in the facts of its rollout, amortised.
    pub fn absorb(&mut self, event: &Event<Veiled>) -> Absorbed {
        if matches!(event.kind, Kind::Tick) {
            return Absorbed::Known;
        }
        let key = RolloutKey::of(&event.scope);
        let left = self.budget.saturating_sub(self.held);
        let facts = match self.rollouts.get_mut(&key) {
            Some(facts) => facts,
            None => {
                let key = key.detached();
                let overhead = RolloutFacts::EMPTY + ENTRY + 2 * key.bytes();
                if overhead >= left {
                    self.refused += 1;
                    return Absorbed::Refused;
                }
                self.held += overhead;
                self.rollouts.entry(key.clone()).or_insert_with(|| Box::new(RolloutFacts::new(key)))
            }
        };
        let before = facts.bytes();
        let absorbed = facts.absorb_within(event, before.saturating_add(left), u64::MAX);
        // What the tables made room for stays, also where the event was not taken.
        self.held = self.held + facts.bytes() - before;
        self.refused += u64::from(absorbed == Absorbed::Refused);
        absorbed
    }

    /// About how many bytes are held.
    pub const fn bytes(&self) -> usize {
        self.held
    }

    /// How many observations found no room.
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// The facts of each rollout, in the order of tenant and id.
    pub fn rollouts(&self) -> impl Iterator<Item = &RolloutFacts> {
        self.rollouts.values().map(|facts| &**facts)
    }

    /// The facts of each rollout, for whoever decides that one has closed.
    pub fn rollouts_mut(&mut self) -> impl Iterator<Item = &mut RolloutFacts> {
        self.rollouts.values_mut().map(|facts| &mut **facts)
    }

    /// The graph of each rollout, in the order of tenant and id.
    pub fn derive(&self) -> Vec<Rollout> {
        let foreign = self.foreign();
        let graph = |facts: &RolloutFacts| match foreign.get(facts.key()) {
            Some(keys) => {
                let mut facts = facts.clone();
                facts.foreign.extend(keys);
                super::derive(&facts)
            }
            None => super::derive(facts),
        };
        self.rollouts().map(graph).collect()
    }

    /// The calls whose tenant is another than that of the span they are children of, whichever of the two came first.
    fn foreign(&self) -> BTreeMap<RolloutKey, BTreeSet<Key>> {
        let mut foreign: BTreeMap<RolloutKey, BTreeSet<Key>> = BTreeMap::new();
        let tenants: BTreeSet<&ByteString> = self.rollouts.keys().filter_map(|key| key.tenant.as_ref()).collect();
        if tenants.len() < 2 {
            return foreign;
        }
        let mut of_span = BTreeMap::new();
        let mut children = Vec::new();
        for facts in self.rollouts().filter(|facts| facts.key().tenant.is_some()) {
            for (thread, turn) in facts.turns() {
                for (key, observation) in facts.of_turn(&thread, &turn) {
                    let Observation::Opening(opening) = observation else { continue };
                    let span = opening.span;
                    of_span.insert((span.trace, span.span), &facts.key().tenant);
                    children.extend(span.parent.map(|parent| ((span.trace, parent), facts.key(), key)));
                }
            }
        }
        for (parent, rollout, key) in children {
            if of_span.get(&parent).is_some_and(|tenant| **tenant != rollout.tenant) {
                foreign.entry(rollout.clone()).or_default().insert(key);
            }
        }
        foreign
    }
}
