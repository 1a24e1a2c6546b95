//! An event finds its generation: the open one, one that has closed and knows its turn, or a new one.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::deadlines::{Deadline, TurnKey, Which};
use super::slot::{Ending, Kept, Live, Slot};
use super::{Counter, Effect, Limits, Reducer};
use crate::event::{CallKind, Closed, Event, Key, Kind, MarkKind, Scope, Veiled};
use crate::reduce::facts::{Absorbed, RolloutFacts, RolloutKey, detach, is_fact};
use crate::semconv::ROLLOUT_END;

impl Reducer {
    pub(super) fn observe(&mut self, event: &Event<Veiled>, effects: &mut Vec<Effect>) {
        if !is_fact(&event.kind) {
            return;
        }
        let id = self.slot_for(&event.scope);
        self.relieve(Some(id), effects);
        match self.closed_generation_that_knows(id, &event.scope) {
            Some(generation) => self.observe_late(Which { slot: id, generation }, event, effects),
            None => self.observe_live(id, event, effects),
        }
        self.relieve(Some(id), effects);
    }

    fn slot_for(&mut self, scope: &Arc<Scope>) -> u64 {
        // The next event is mostly of the same rollout as the last.
        let is_it = |id: &u64| {
            let was_last = |slot: &Slot| slot.live.as_ref().is_some_and(|live| live.facts.is_last_scope(scope));
            self.slots.get(id).is_some_and(|slot| was_last(slot) || slot.key.is_of(scope))
        };
        if let Some(id) = self.last_slot.filter(is_it) {
            return id;
        }
        let key = RolloutKey::of(scope);
        if let Some(id) = self.by_key.get(&key) {
            self.last_slot = Some(*id);
            return *id;
        }
        let key = key.detached();
        let id = self.slots_made;
        self.slots_made += 1;
        self.last_slot = Some(id);
        self.bytes += Slot::overhead(&key);
        let next = self.generations.of(&key);
        self.slots.insert(id, Slot { key: key.clone(), next, live: None, closed: Vec::new() });
        self.by_key.insert(key, id);
        id
    }

    fn closed_generation_that_knows(&self, id: u64, scope: &Scope) -> Option<u64> {
        let slot = self.slots.get(&id).filter(|slot| !slot.closed.is_empty())?;
        if slot.live.as_ref().is_some_and(|live| live.facts.knows(&scope.thread, &scope.turn)) {
            return None;
        }
        slot.closed.iter().rev().find(|closed| closed.kept.knows(scope)).map(|closed| closed.generation)
    }

    fn observe_live(&mut self, id: u64, event: &Event<Veiled>, effects: &mut Vec<Effect>) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let live = match &mut slot.live {
            Some(live) => live,
            none => {
                self.touched.insert((self.now, id));
                let live = Live::new(slot.key.clone(), slot.next.clone(), self.now);
                let live = none.insert(Box::new(live));
                self.bytes += live.bytes();
                live
            }
        };
        let which = Which { slot: id, generation: live.facts.generation };
        let foreign = self.tenants.foreign(event, which);
        let before = live.facts.bytes();
        let absorbed = within(&self.limits, self.bytes, &mut live.facts, event);
        // What the tables made room for stays, also where the event was not taken.
        self.bytes = self.bytes - before + live.facts.bytes();
        for (which, key) in foreign {
            self.set_aside(which, key, effects);
        }
        let Some(live) = self.slots.get_mut(&id).and_then(|slot| slot.live.as_deref_mut()) else { return };
        if absorbed == Absorbed::Known {
            effects.push(Effect::Count(Counter::Duplicate, 1));
            return;
        }
        if absorbed == Absorbed::Refused {
            effects.push(Effect::Count(turned_away(&self.limits, &live.facts), 1));
        }
        if live.touched != self.now {
            self.touched.remove(&(live.touched, id));
            self.touched.insert((self.now, id));
            live.touched = self.now;
        }
        match (event.key.kind, &event.kind) {
            (CallKind::Turn, Kind::Closed(closed, _)) => self.turn_closed(which, &event.scope, closed),
            // A turn that never gets to tell its end closes after it was asked to stop, or was seen to.
            (CallKind::Cancel, Kind::Opened(..)) => self.close_later(which, &event.scope),
            (_, Kind::Marked(mark)) if mark.kind == MarkKind::CancelObserved => self.close_later(which, &event.scope),
            _ => {}
        }
    }

    /// A call whose parent belongs to another tenant is no part of its rollout.
    fn set_aside(&mut self, which: Which, key: Key, effects: &mut Vec<Effect>) {
        let Some(slot) = self.slots.get_mut(&which.slot) else { return };
        let facts = match slot.live.as_mut().filter(|live| live.facts.generation == which.generation) {
            Some(live) => &mut live.facts,
            None => match slot.tombstone(which.generation).map(|closed| &mut closed.kept) {
                Some(Kept::Facts(facts)) => facts,
                _ => return,
            },
        };
        let before = facts.bytes();
        if facts.foreign.insert(key) {
            effects.push(Effect::Count(Counter::TenantMismatch, 1));
            let more = facts.bytes() - before;
            self.bytes += more;
            if let Some(closed) = slot.tombstone(which.generation) {
                closed.bytes += more;
            }
        }
    }

    /// Sets the deadlines that the arrival of a turn's span sets. The first arrival counts.
    fn turn_closed(&mut self, which: Which, scope: &Scope, closed: &Closed<Veiled>) {
        let grace = self.after(self.limits.late_grace);
        let Some(live) = self.slots.get_mut(&which.slot).and_then(|slot| slot.live.as_mut()) else { return };
        if closed.attrs.get(ROLLOUT_END) == Some(true) && live.ends.is_none() {
            live.ends = Some(self.deadlines.set(grace, Deadline::EndRollout(which)));
        }
        if closed.outcome.is_some() {
            self.close_later(which, scope);
        }
    }

    /// A turn closes when nothing more has come for a while. The first reason to close it counts.
    fn close_later(&mut self, which: Which, scope: &Scope) {
        let grace = self.after(self.limits.late_grace);
        let Some(live) = self.slots.get_mut(&which.slot).and_then(|slot| slot.live.as_mut()) else { return };
        // A fact that the bound turned away may have been the only one of its turn.
        if !live.facts.knows(&scope.thread, &scope.turn) {
            return;
        }
        let key = TurnKey { thread: detach(&scope.thread), turn: detach(&scope.turn) };
        if let Entry::Vacant(place) = live.turns.entry(key) {
            let bytes = Ending::bytes(place.key());
            let due = self.deadlines.set(grace, Deadline::CloseTurn(which, place.key().clone()));
            place.insert(Ending::Due(due));
            live.extra += bytes;
            self.bytes += bytes;
        }
    }

    fn observe_late(&mut self, which: Which, event: &Event<Veiled>, effects: &mut Vec<Effect>) {
        let grace = self.after(self.limits.late_grace);
        let foreign = self.tenants.foreign(event, which);
        let Some(closed) = self.slots.get_mut(&which.slot).and_then(|slot| slot.tombstone(which.generation)) else {
            return;
        };
        match &mut closed.kept {
            Kept::Facts(facts) => {
                let before = facts.bytes();
                let absorbed = within(&self.limits, self.bytes, facts, event);
                let after = facts.bytes();
                closed.bytes = closed.bytes - before + after;
                self.bytes = self.bytes - before + after;
                match absorbed {
                    Absorbed::New => {}
                    Absorbed::Refused => effects.push(Effect::Count(turned_away(&self.limits, facts), 1)),
                    Absorbed::Known => {
                        effects.push(Effect::Count(Counter::Duplicate, 1));
                        return;
                    }
                }
                effects.push(Effect::Count(Counter::Late, 1));
            }
            Kept::Bare { .. } => effects.push(Effect::Count(Counter::LateWithoutFacts, 1)),
        }
        if closed.revising.is_none() {
            closed.revising = Some(self.deadlines.set(grace, Deadline::Revise(which)));
        }
        for (which, key) in foreign {
            self.set_aside(which, key, effects);
        }
    }
}

fn within(limits: &Limits, held: usize, facts: &mut RolloutFacts, event: &Event<Veiled>) -> Absorbed {
    let left = limits.bytes.saturating_sub(held);
    facts.absorb_within(event, limits.rollout_bytes.min(facts.bytes().saturating_add(left)), limits.rollout_facts)
}

/// Which bound a fact was turned away by.
fn turned_away(limits: &Limits, facts: &RolloutFacts) -> Counter {
    // A row is small beside the bound of a rollout.
    const ROW: usize = 4096;
    let of_rollout = facts.count() >= limits.rollout_facts || facts.bytes().saturating_add(ROW) > limits.rollout_bytes;
    if of_rollout { Counter::Truncated } else { Counter::Refused }
}
