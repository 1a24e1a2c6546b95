//! What was observed, kept as it was: nothing is chosen here, so nothing depends on the order of arrival.
//!
//! Each event is one row of bytes. What rows repeat (texts, digests, items, ids) is kept once for each rollout, and what
//! the rows of one call have in common once for the call, so that a request that shows a long history again costs a few
//! bytes, and a hundred thousand facts a few megabytes.

mod calls;
mod chains;
mod codec;
mod detach;
mod events;
mod fixed;
mod ident;
mod item;
mod items;
mod key;
mod observation;
mod paged;
mod plain;
mod reading;
mod rollout;
mod row;
mod rows;
mod shapes;
mod table;
mod tables;
mod traces;

pub(super) use calls::{CallRows, Head};
pub(super) use codec::is_fact;
pub(super) use detach::detach;
pub(super) use item::{InputFact, OutputFact, Places};
pub use key::RolloutKey;
pub(super) use observation::{CallTold, Closing, GivenFact, MarkFact, NotedFact, Opening, Remark, ReturnedFact};
pub(super) use plain::shown;
pub(super) use reading::Reading;
pub(super) use rollout::Histories;
pub use rollout::{Absorbed, RolloutFacts};

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use bytestring::ByteString;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::graph::Rollout;
use crate::event::{Event, Key, Kind, Scope, Veiled};

/// All facts, by rollout. A join: absorbing is commutative, associative and idempotent, as long as the budget is not used
/// up.
///
/// What is held is bounded. Over the budget a fact is refused and counted; its rollout says so with a `truncated` finding,
/// unless not even the rollout was known. Deriving takes memory beside that, a few times what its rollout holds.
#[derive(Clone, Debug)]
pub struct Facts {
    /// In no order.
    #[expect(clippy::vec_box, reason = "a vector of rollouts would have room for twice as many, outside the budget")]
    rollouts: Vec<Box<RolloutFacts>>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// The rollout of the last fact: the next is mostly of the same.
    last: usize,
    budget: usize,
    held: usize,
    refused: u64,
}

/// What a rollout costs among all, beside itself: two ways to it, each with its share of the free ones.
const ENTRY: usize = 2 * size_of::<Box<RolloutFacts>>() + 16;

/// What a rollout costs beside its facts.
fn overhead(key: &RolloutKey) -> usize {
    RolloutFacts::EMPTY + ENTRY + key.bytes()
}

impl Default for Facts {
    fn default() -> Self {
        Self::within(Self::BUDGET)
    }
}

/// What tells the same is equal, whatever the budget.
impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.rollouts().eq(other.rollouts())
    }
}

impl Facts {
    /// The bytes that are held at most unless said otherwise: 1 GiB, some ten million facts.
    pub const BUDGET: usize = 1 << 30;

    /// No facts, and room for about so many bytes of them.
    pub fn within(bytes: usize) -> Self {
        Self {
            rollouts: Vec::new(),
            places: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            last: 0,
            budget: bytes,
            held: 0,
            refused: 0,
        }
    }

    /// Takes one observation in. Ticks tell nothing and are passed over. O(1) in the facts of its rollout, amortised.
    pub fn absorb(&mut self, event: &Event<Veiled>) -> Absorbed {
        if matches!(event.kind, Kind::Tick) {
            return Absorbed::Known;
        }
        let left = self.budget.saturating_sub(self.held);
        let known = self.rollouts.len();
        let Some(facts) = self.place_of(&event.scope, left).and_then(|place| self.rollouts.get_mut(place)) else {
            self.refused += 1;
            return Absorbed::Refused;
        };
        let left = self.budget.saturating_sub(self.held);
        let before = facts.bytes();
        let absorbed = facts.absorb_within(event, before.saturating_add(left), u64::MAX);
        // What the tables made room for stays, also where the event was not taken.
        self.held = self.held + facts.bytes() - before;
        self.refused += u64::from(absorbed == Absorbed::Refused);
        if absorbed == Absorbed::Refused && self.rollouts.len() > known {
            self.forget_last();
        }
        absorbed
    }

    /// Lets go of a rollout of which nothing was taken in.
    fn forget_last(&mut self) {
        let Some(facts) = self.rollouts.pop() else { return };
        let (key, place) = (facts.key(), self.rollouts.len());
        let hash = self.hasher.hash_one((&key.tenant, &key.rollout));
        if let Ok(entry) = self.places.find_entry(hash, |known| *known as usize == place) {
            entry.remove();
        }
        self.held -= overhead(key) + facts.bytes();
    }

    /// Where the rollout of a scope stands, which is added where it is new; nothing where there is no room for it.
    fn place_of(&mut self, scope: &Arc<Scope>, left: usize) -> Option<usize> {
        if self.rollouts.get(self.last).is_some_and(|facts| facts.is_last_scope(scope) || facts.key().is_of(scope)) {
            return Some(self.last);
        }
        let hash = self.hasher.hash_one((&scope.tenant, &scope.rollout));
        let rollouts = &self.rollouts;
        let is_it = |place: &u32| rollouts.get(*place as usize).is_some_and(|facts| facts.key().is_of(scope));
        if let Some(place) = self.places.find(hash, is_it) {
            self.last = *place as usize;
            return Some(self.last);
        }
        let key = RolloutKey::of(scope).detached();
        let overhead = overhead(&key);
        let place = u32::try_from(self.rollouts.len()).ok().filter(|_| overhead < left)?;
        self.held += overhead;
        self.rollouts.push(Box::new(RolloutFacts::new(key)));
        let (rollouts, hasher) = (&self.rollouts, &self.hasher);
        let hash_of = |place: &u32| {
            let key = rollouts.get(*place as usize).map(|facts| facts.key());
            key.map_or(0, |key| hasher.hash_one((&key.tenant, &key.rollout)))
        };
        self.places.insert_unique(hash, place, hash_of);
        self.last = place as usize;
        Some(self.last)
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
        let mut all: Vec<&RolloutFacts> = self.rollouts.iter().map(|facts| &**facts).collect();
        all.sort_unstable_by(|one, other| one.key().cmp(other.key()));
        all.into_iter()
    }

    /// The facts of each rollout, for whoever decides that one has closed.
    pub fn rollouts_mut(&mut self) -> impl Iterator<Item = &mut RolloutFacts> {
        self.rollouts.iter_mut().map(|facts| &mut **facts)
    }

    /// Closes what has ended, as a stage does that stops: all has been read, so that what a turn calls its last is over.
    #[cfg(feature = "cli")]
    pub(crate) fn close_what_ended(&mut self) {
        self.rollouts_mut().for_each(RolloutFacts::close_if_it_ends);
    }

    /// The graph of each rollout, in the order of tenant and id. A trace of others that names a conversation on some of its
    /// spans is of that conversation whole.
    pub fn derive(&self) -> Vec<Rollout> {
        let (foreign, adopted) = (self.foreign(), self.adopted());
        let mut parts: BTreeMap<&RolloutKey, Vec<&RolloutFacts>> = BTreeMap::new();
        for facts in self.rollouts() {
            if let Some(whole) = adopted.get(facts.key()) {
                parts.entry(whole).or_default().push(facts);
            }
        }
        let graph = |facts: &RolloutFacts| match (foreign.get(facts.key()), parts.get(facts.key())) {
            (None, None) => super::derive(facts),
            (keys, parts) => {
                let mut facts = facts.clone();
                facts.foreign.extend(keys.into_iter().flatten());
                parts.into_iter().flatten().for_each(|part| facts.adopt(part));
                super::derive(&facts)
            }
        };
        self.rollouts().filter(|facts| !adopted.contains_key(facts.key())).map(graph).collect()
    }

    /// The calls whose tenant is another than that of the span they are children of, whichever of the two came first.
    fn foreign(&self) -> BTreeMap<RolloutKey, BTreeSet<Key>> {
        let mut foreign: BTreeMap<RolloutKey, BTreeSet<Key>> = BTreeMap::new();
        let tenants: BTreeSet<&ByteString> =
            self.rollouts.iter().filter_map(|facts| facts.key().tenant.as_ref()).collect();
        if tenants.len() < 2 {
            return foreign;
        }
        let mut of_span = BTreeMap::new();
        let mut children = Vec::new();
        for facts in self.rollouts().filter(|facts| facts.key().tenant.is_some()) {
            let reading = Reading::of(facts);
            for (thread, turn) in reading.turns() {
                for (key, rows) in reading.calls(&thread, &turn) {
                    for span in reading.told(&rows).openings.iter().map(|opening| opening.span) {
                        of_span.insert((span.trace, span.span), &facts.key().tenant);
                        children.extend(span.parent.map(|parent| ((span.trace, parent), facts.key(), key)));
                    }
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
