//! The join.

use super::cost::OVERHEAD;
use super::detach::detach;
use super::observation::{Observation, OpenBody};
use super::rollout::{Absorbed, Fact, RolloutFacts, Shown, ThreadFacts, UnknownFact};
use crate::event::{Event, Key, Kind, Scope, Veiled};

impl Fact {
    /// Nothing where the event tells nothing that is kept.
    pub(in crate::reduce) fn of(event: &Event<Veiled>) -> Option<Self> {
        if let Kind::Unknown { name } = &event.kind {
            return Some(Self::Unknown(UnknownFact {
                name: detach(name),
                thread: detach(&event.scope.thread),
                turn: detach(&event.scope.turn),
                key: event.key,
                at: event.at,
            }));
        }
        Some(Self::Call(event.key, Observation::of(event.key.kind, &event.kind, event.at)?))
    }
}

impl RolloutFacts {
    /// Takes one observation of this rollout in. O(log n).
    pub fn absorb(&mut self, event: &Event<Veiled>) -> Absorbed {
        match Fact::of(event) {
            Some(fact) => self.take(&event.scope, fact),
            None => Absorbed::Known,
        }
    }

    /// The bytes that the fact would add; nothing where it is known.
    pub(in crate::reduce) fn price(&self, scope: &Scope, fact: &Fact) -> Option<usize> {
        match fact {
            Fact::Unknown(unknown) if self.unknown.contains(unknown) => None,
            Fact::Unknown(unknown) => Some(unknown_bytes(unknown)),
            Fact::Call(key, observation) => {
                let thread = self.threads.get(&*scope.thread);
                let turn = thread.and_then(|thread| thread.turns.get(&*scope.turn));
                let call = turn.and_then(|turn| turn.calls.get(key));
                if call.is_some_and(|call| call.contains(observation)) {
                    return None;
                }
                let new_thread = if thread.is_none() { OVERHEAD * 2 + scope.thread.len() } else { 0 };
                let new_turn = if turn.is_none() { OVERHEAD * 2 + scope.turn.len() } else { 0 };
                Some(observation.bytes() + new_thread + new_turn + shown_bytes(observation))
            }
        }
    }

    pub(in crate::reduce) fn take(&mut self, scope: &Scope, fact: Fact) -> Absorbed {
        let Some(bytes) = self.price(scope, &fact) else { return Absorbed::Known };
        match fact {
            Fact::Unknown(unknown) => {
                self.unknown.insert(unknown);
            }
            Fact::Call(key, observation) => self.insert(scope, key, observation),
        }
        self.bytes += bytes;
        self.count += 1;
        Absorbed::New(bytes)
    }

    fn insert(&mut self, scope: &Scope, key: Key, observation: Observation) {
        if !self.threads.contains_key(&*scope.thread) {
            self.threads.insert(detach(&scope.thread), ThreadFacts::default());
        }
        let Some(thread) = self.threads.get_mut(&*scope.thread) else { return };
        if let Observation::Opening(opening) = &observation
            && let OpenBody::Inference(input) = &opening.body
            && let Some(chain) = input.chain
        {
            let shown = thread.chains.entry(chain).or_insert(Shown::Once(key));
            if *shown != Shown::Once(key) {
                *shown = Shown::Several;
            }
        }
        if !thread.turns.contains_key(&*scope.turn) {
            thread.turns.insert(detach(&scope.turn), super::TurnFacts::default());
        }
        if let Some(turn) = thread.turns.get_mut(&*scope.turn) {
            turn.calls.entry(key).or_default().insert(observation);
        }
    }
}

fn unknown_bytes(unknown: &UnknownFact) -> usize {
    OVERHEAD + size_of_val(unknown) + unknown.name.len() + unknown.thread.len() + unknown.turn.len()
}

fn shown_bytes(observation: &Observation) -> usize {
    match observation {
        Observation::Opening(opening) if matches!(opening.body, OpenBody::Inference(_)) => {
            OVERHEAD + size_of::<Shown>()
        }
        _ => 0,
    }
}
