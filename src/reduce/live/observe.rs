//! An event finds its generation: the open one, one that has closed and knows its turn, or a new one.

use super::deadlines::{Deadline, TurnKey, Which};
use super::slot::{Kept, Live, Slot, Told};
use super::{Counter, Effect, Reducer};
use crate::event::{CallKind, Closed, Event, Kind, Scope, Veiled};
use crate::reduce::facts::{Fact, RolloutFacts, RolloutKey};
use crate::semconv::ROLLOUT_END;

/// What a fact may not do.
enum Bound {
    OfRollout,
    OfAll,
}

impl Reducer {
    pub(super) fn observe(&mut self, event: &Event<Veiled>, effects: &mut Vec<Effect>) {
        let Some(fact) = Fact::of(event) else { return };
        let id = self.slot_for(&event.scope);
        self.relieve(Some(id), effects);
        match self.closed_generation_that_knows(id, &event.scope) {
            Some(generation) => self.observe_late(Which { slot: id, generation }, &event.scope, fact, effects),
            None => self.observe_live(id, event, fact, effects),
        }
        self.relieve(Some(id), effects);
    }

    fn slot_for(&mut self, scope: &Scope) -> u64 {
        let key = RolloutKey::of(scope);
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        let key = key.detached();
        let id = self.slots_made;
        self.slots_made += 1;
        self.bytes += Slot::overhead(&key);
        let next = self.generations.of(&key);
        self.slots.insert(id, Slot { key: key.clone(), next, live: None, closed: Vec::new() });
        self.by_key.insert(key, id);
        id
    }

    fn closed_generation_that_knows(&self, id: u64, scope: &Scope) -> Option<u64> {
        let slot = self.slots.get(&id)?;
        if slot.live.as_ref().is_some_and(|live| live.facts.turn(&scope.thread, &scope.turn).is_some()) {
            return None;
        }
        slot.closed.iter().rev().find(|closed| closed.kept.knows(scope)).map(|closed| closed.generation)
    }

    fn observe_live(&mut self, id: u64, event: &Event<Veiled>, fact: Fact, effects: &mut Vec<Effect>) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let live = match &mut slot.live {
            Some(live) => live,
            none => {
                self.touched.insert((self.now, id));
                none.insert(Live::new(slot.key.clone(), slot.next, self.now))
            }
        };
        let Some(price) = live.facts.price(&event.scope, &fact) else {
            effects.push(Effect::Count(Counter::Duplicate, 1));
            return;
        };
        self.touched.remove(&(live.touched, id));
        self.touched.insert((self.now, id));
        live.touched = self.now;
        let which = Which { slot: id, generation: live.facts.generation };
        let bound = bound_hit(&self.limits, self.bytes, &live.facts, price);
        match bound {
            None => {
                live.facts.take(&event.scope, fact);
                self.bytes += price;
            }
            Some(bound) => turn_away(&mut live.facts, bound, effects),
        }
        if let (CallKind::Turn, Kind::Closed(closed, _)) = (event.key.kind, &event.kind) {
            self.turn_closed(which, &event.scope, closed);
        }
    }

    /// Sets the deadlines that the arrival of a turn's span sets. The first arrival counts.
    fn turn_closed(&mut self, which: Which, scope: &Scope, closed: &Closed<Veiled>) {
        let grace = self.after(self.limits.late_grace);
        let Some(live) = self.slots.get_mut(&which.slot).and_then(|slot| slot.live.as_mut()) else { return };
        if closed.attrs.get(ROLLOUT_END) == Some(true) && !live.ends {
            live.ends = true;
            self.deadlines.set(grace, Deadline::EndRollout(which));
        }
        // A fact that the bound turned away may have been the only one of its turn.
        let known = live.facts.threads.get_key_value(&*scope.thread);
        let known = known.and_then(|(thread, told)| Some((thread, told.turns.get_key_value(&*scope.turn)?.0)));
        let Some((thread, turn)) = known.filter(|_| closed.outcome.is_some()) else { return };
        let key = TurnKey { thread: thread.clone(), turn: turn.clone() };
        if !live.turns.contains_key(&key) {
            live.turns.insert(key.clone(), false);
            // The texts are the facts' own.
            let bytes = 2 * size_of::<TurnKey>() + Told::BYTES;
            live.extra += bytes;
            self.bytes += bytes;
            self.deadlines.set(grace, Deadline::CloseTurn(which, key));
        }
    }

    fn observe_late(&mut self, which: Which, scope: &Scope, fact: Fact, effects: &mut Vec<Effect>) {
        let grace = self.after(self.limits.late_grace);
        let Some(closed) = self.slots.get_mut(&which.slot).and_then(|slot| slot.tombstone(which.generation)) else {
            return;
        };
        match &mut closed.kept {
            Kept::Facts(facts) => {
                let Some(price) = facts.price(scope, &fact) else {
                    effects.push(Effect::Count(Counter::Duplicate, 1));
                    return;
                };
                match bound_hit(&self.limits, self.bytes, facts, price) {
                    None => {
                        facts.take(scope, fact);
                        closed.bytes += price;
                        self.bytes += price;
                    }
                    Some(bound) => turn_away(facts, bound, effects),
                }
                effects.push(Effect::Count(Counter::Late, 1));
            }
            Kept::Bare { .. } => effects.push(Effect::Count(Counter::LateWithoutFacts, 1)),
        }
        if !closed.revising {
            closed.revising = true;
            self.deadlines.set(grace, Deadline::Revise(which));
        }
    }
}

fn bound_hit(limits: &super::Limits, held: usize, facts: &RolloutFacts, price: usize) -> Option<Bound> {
    if facts.bytes().saturating_add(price) > limits.rollout_bytes || facts.count() >= limits.rollout_facts {
        return Some(Bound::OfRollout);
    }
    (held.saturating_add(price) > limits.bytes).then_some(Bound::OfAll)
}

fn turn_away(facts: &mut RolloutFacts, bound: Bound, effects: &mut Vec<Effect>) {
    facts.truncated += 1;
    let counter = match bound {
        Bound::OfRollout => Counter::Truncated,
        Bound::OfAll => Counter::Refused,
    };
    effects.push(Effect::Count(counter, 1));
}
