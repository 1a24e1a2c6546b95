//! The reducer and its face.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;

use super::deadlines::{Deadlines, Which};
use super::generations::Generations;
#[cfg(feature = "collector")]
use super::generations::{GoesOn, Next};
use super::slot::Slot;
use super::tenants::Tenants;
use super::{Effect, Limits, Pressure};
use crate::event::{Event, Kind, Veiled};
use crate::reduce::derive::derive;
use crate::reduce::facts::{RolloutFacts, RolloutKey};
use crate::reduce::graph::Rollout;

/// Reduces while the run goes on.
#[derive(Debug)]
pub struct Reducer {
    pub(super) limits: Limits,
    pub(super) now: u64,
    pub(super) slots: BTreeMap<u64, Slot>,
    pub(super) by_key: BTreeMap<RolloutKey, u64>,
    pub(super) slots_made: u64,
    /// The slot of the last event.
    pub(super) last_slot: Option<u64>,
    /// Open rollouts, least recently touched first: who is idle next, and who is evicted next.
    pub(super) touched: BTreeSet<(u64, u64)>,
    pub(super) deadlines: Deadlines,
    /// Closed rollouts in the order of closing: those with all their facts, and those without.
    pub(super) whole: VecDeque<Which>,
    pub(super) bare: VecDeque<Which>,
    /// How many of these may be forgotten by now.
    pub(super) forgotten: usize,
    pub(super) generations: Generations,
    pub(super) tenants: Tenants,
    pub(super) bytes: usize,
    pub(super) announced: Option<u64>,
}

impl Reducer {
    /// A reducer that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            now: 0,
            slots: BTreeMap::new(),
            by_key: BTreeMap::new(),
            slots_made: 0,
            last_slot: None,
            touched: BTreeSet::new(),
            deadlines: Deadlines::default(),
            whole: VecDeque::new(),
            bare: VecDeque::new(),
            forgotten: 0,
            generations: Generations::default(),
            tenants: Tenants::default(),
            bytes: 0,
            announced: None,
        }
    }

    /// Takes an event in that arrived at `now_unix_nano`. What was due by then happens first. A `Tick`'s own time is
    /// the host's now.
    pub fn on(&mut self, event: Event<Veiled>, now_unix_nano: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        if matches!(event.kind, Kind::Tick) {
            return self.tick(now_unix_nano.max(event.at.time_unix_nano));
        }
        self.advance(now_unix_nano, &mut effects);
        self.observe(&event, &mut effects);
        self.announce(&mut effects);
        effects
    }

    /// Does what is due by `now_unix_nano`.
    pub fn tick(&mut self, now_unix_nano: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.advance(now_unix_nano, &mut effects);
        self.relieve(None, &mut effects);
        self.announce(&mut effects);
        effects
    }

    /// Does what is due, and what waits for `late_grace` alone. The rest stays open: another stage, or this one after a
    /// restart, may see its end.
    pub fn shutdown(&mut self, now_unix_nano: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.advance(now_unix_nano, &mut effects);
        self.close_what_waits(&mut effects);
        effects
    }

    /// How short memory is. At [`Pressure::Refuse`] new requests should be refused with a retryable answer.
    pub const fn pressure(&self) -> Pressure {
        if self.bytes > self.limits.refuse_above() {
            Pressure::Refuse
        } else if self.bytes > self.limits.evict_above() {
            Pressure::Evict
        } else {
            Pressure::None
        }
    }

    /// About how many bytes are held.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The graphs of the rollouts that are open, and of those that closed and kept their facts, in the order in which they
    /// were first seen; generations of one rollout in theirs. Linear in all that is held.
    pub fn rollouts(&self) -> Vec<Rollout> {
        self.slots.values().flat_map(Slot::facts).map(derive).collect()
    }

    /// Whether anything is still known of a rollout: it is open, or was closed and is not forgotten.
    pub fn remembers(&self, rollout: &RolloutKey) -> bool {
        self.by_key.contains_key(rollout)
    }

    /// The facts of a rollout: of its generations that closed and are not forgotten, oldest first, and of the one that is open.
    pub fn held(&self, rollout: &RolloutKey) -> impl Iterator<Item = &RolloutFacts> {
        self.by_key.get(rollout).and_then(|id| self.slots.get(id)).into_iter().flat_map(Slot::facts)
    }

    /// The same of all rollouts behind this one, in the order of tenant and id.
    pub fn held_after(&self, rollout: Option<&RolloutKey>) -> impl Iterator<Item = &RolloutFacts> {
        let from = rollout.map_or(Bound::Unbounded, Bound::Excluded);
        let slots = self.by_key.range((from, Bound::Unbounded)).filter_map(|(_, id)| self.slots.get(id));
        slots.flat_map(Slot::facts)
    }

    /// The facts of a rollout that is open.
    pub fn open_one(&self, rollout: &RolloutKey) -> Option<&RolloutFacts> {
        let live = self.slots.get(self.by_key.get(rollout)?)?.live.as_ref()?;
        Some(&live.facts)
    }

    /// Where a rollout that was forgotten goes on, if that is still known.
    #[cfg(feature = "collector")]
    pub(crate) fn goes_on(&self, rollout: &RolloutKey) -> Option<GoesOn> {
        let next = self.generations.get(rollout)?;
        Some(GoesOn { generation: next.generation, resumes: next.resumes })
    }

    /// What another reducer knew of a rollout that it had forgotten. Of two that knew of it the later generation holds.
    #[cfg(feature = "collector")]
    pub(crate) fn recall(&mut self, rollout: &RolloutKey, GoesOn { generation, resumes }: GoesOn) {
        if self.generations.get(rollout).is_none_or(|known| known.generation < generation) {
            self.generations.keep(rollout, Next { generation, resumes, heads: Vec::new() });
        }
    }

    /// The facts of the rollouts that are open, in the order in which they were first seen.
    pub fn open(&self) -> impl Iterator<Item = &RolloutFacts> {
        self.slots.values().filter_map(|slot| slot.live.as_ref()).map(|live| &live.facts)
    }
}
