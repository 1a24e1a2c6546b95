//! What is said when something closes.

use std::collections::HashSet;

use super::deadlines::{Deadline, TurnKey, Which};
use super::generations::Next;
use super::slot::{Ending, Kept, Live, Slot, Told, Tombstone};
use super::{ClosedRollout, Counter, Effect, Reducer, RolloutFinding, summary, synthesis};
use crate::event::Digest;
use crate::reduce::derive::{Late, Part, Place, close, derive, derive_turn, is_turn, parts, was_asked_to_stop};
use crate::reduce::facts::{Reading, RolloutFacts, detach};
use crate::reduce::graph::{Finding, Reason, Thread, Turn};
use bytestring::ByteString;

/// The most closed generations that are remembered of one rollout: each event asks all of them for its turn.
const MAX_TOMBSTONES: usize = 16;

impl Reducer {
    /// A turn whose span has arrived: what was found about it is told now. Its calls that are still open stay so.
    pub(super) fn close_turn(&mut self, which: Which, key: &TurnKey, effects: &mut Vec<Effect>) {
        let Some(live) = self.slots.get_mut(&which.slot).and_then(|slot| slot.live_of(which.generation)) else {
            return;
        };
        let Some(Ending::Due(_)) = live.turns.get(key) else { return };
        let mut closed = Ending::Closed { synthesised: false };
        let facts = &Reading::of(&live.facts);
        let mut parts = parts(facts, &key.thread, &key.turn).into_iter();
        let Some(Part { told, .. }) = parts.next().filter(|part| is_turn(&part.told)) else {
            live.turns.insert(key.clone(), closed);
            return;
        };
        let (mut findings, place) = (Vec::new(), Place { thread: &key.thread, turn: &key.turn });
        // When late answers came matters to histories alone.
        let mut late = Late::default();
        let mut turn = derive_turn(place, facts, told, None, (&mut findings, &mut late));
        for part in parts {
            let place = Place { thread: &part.thread, turn: &part.turn };
            derive_turn(place, facts, part.told, None, (&mut findings, &mut late));
        }
        if turn.outcome.is_none() {
            if !was_asked_to_stop(&turn) {
                // What ended was not the turn: it waits for a person, or goes on in another segment.
                live.turns.remove(key);
                live.extra -= Ending::bytes(key);
                self.bytes -= Ending::bytes(key);
                return;
            }
            close(&mut turn);
            if !turn.reported
                && let Some(span) = synthesis::turn(live.facts.key(), &key.thread, &turn, &findings)
            {
                closed = Ending::Closed { synthesised: true };
                effects.push(Effect::AddSpan(Box::new(span)));
            }
        }
        live.turns.insert(key.clone(), closed);
        findings.sort_unstable();
        let told = tell(&live.facts, &mut live.told, &findings, effects);
        live.extra += told;
        self.bytes += told;
        effects.push(Effect::Count(Counter::TurnsClosed, 1));
        effects.push(Effect::TurnClosed(Box::new(live.facts.key().clone())));
    }

    /// A rollout closes, and with it all its turns.
    pub(super) fn close_rollout(&mut self, id: u64, reason: Reason, effects: &mut Vec<Effect>) {
        let forget_at = self.after(self.limits.tombstone);
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let Some(mut live) = slot.live.take() else { return };
        self.touched.remove(&(live.touched, id));
        self.bytes -= live.bytes();
        live.facts.close(reason);
        let graph = derive(&live.facts);
        let Live { facts, turns, ends, mut told, .. } = *live;
        let waiting = turns.values().filter_map(|ending| match ending {
            Ending::Due(due) => Some(*due),
            Ending::Closed { .. } => None,
        });
        waiting.chain(ends).for_each(|due| self.deadlines.cancel(due));

        let mut closed = 0;
        let (mut synthesised, mut synthesised_before) = (HashSet::new(), HashSet::new());
        for (thread, turn) in graph.turns() {
            let key = TurnKey { thread: thread.id.clone(), turn: turn.id.clone() };
            let ending = turns.get(&key);
            closed += u64::from(!matches!(ending, Some(Ending::Closed { .. })));
            if matches!(ending, Some(Ending::Closed { synthesised: true })) {
                synthesised_before.insert((&thread.id, &turn.id));
            } else if !turn.reported
                && let Some(span) = synthesis::turn(facts.key(), &thread.id, turn, &graph.findings)
            {
                synthesised.insert((&thread.id, &turn.id));
                effects.push(Effect::AddSpan(Box::new(span)));
            }
        }
        let summary = summary::summary(&facts, &graph, 0, |finding| {
            let of_turn = finding.thread.as_ref().zip(finding.turn.as_ref());
            // The span of a turn tells what was known by then.
            let by_now = |turn| synthesised.contains(turn) || (synthesised_before.contains(turn) && told.has(finding));
            of_turn.as_ref().is_some_and(by_now)
        });
        let heads = heads(&graph.threads, &facts.heads);
        tell(&facts, &mut told, &graph.findings, effects);
        effects.extend(summary.iter().map(|summary| Effect::AddSpan(Box::new(summary.clone()))));
        if closed > 0 {
            effects.push(Effect::Count(Counter::TurnsClosed, closed));
        }
        effects.push(Effect::Count(Counter::RolloutsClosed(reason), 1));
        effects.push(Effect::RolloutClosed(Box::new(ClosedRollout { graph, revision: 0 })));

        let which = Which { slot: id, generation: facts.generation };
        let resumes = summary.as_ref().map(|summary| (summary.trace, summary.span));
        let head_bytes = heads.iter().map(|(thread, _)| size_of::<(ByteString, Digest)>() + thread.len()).sum();
        slot.next = Next { generation: which.generation.saturating_add(1), resumes, heads };
        // Memory was short: nothing is won by keeping what was closed for it.
        let kept = match reason {
            Reason::Evicted => Kept::bare(&facts, summary),
            Reason::Ended | Reason::Idle => Kept::Facts(Box::new(facts)),
        };
        match kept {
            Kept::Facts(_) => self.whole.push_back(which),
            Kept::Bare { .. } => self.bare.push_back(which),
        }
        let forgotten = self.deadlines.set(forget_at, Deadline::Forget(which));
        let tombstone = Tombstone::new(which.generation, forgotten, kept, told, head_bytes);
        self.bytes += tombstone.bytes;
        slot.closed.push(tombstone);
        let too_many = slot.closed.len() > MAX_TOMBSTONES;
        let oldest = slot.closed.first().map(|oldest| Which { slot: id, generation: oldest.generation });
        if let Some(oldest) = oldest.filter(|_| too_many) {
            self.forget(oldest, effects);
            effects.push(Effect::Count(Counter::Forgotten, 1));
        }
    }

    /// Late data is told of by a summary of the next revision.
    pub(super) fn revise(&mut self, which: Which, effects: &mut Vec<Effect>) {
        let Some(slot) = self.slots.get_mut(&which.slot) else { return };
        let key = slot.key.clone();
        let Some(closed) = slot.tombstone(which.generation) else { return };
        let Some(due) = closed.revising.take() else { return };
        self.deadlines.cancel(due);
        closed.revision += 1;
        let revised = match &closed.kept {
            Kept::Facts(facts) => {
                let graph = derive(facts);
                let revised = summary::summary(facts, &graph, closed.revision, |_| false);
                let told = tell(facts, &mut closed.told, &graph.findings, effects);
                closed.bytes += told;
                self.bytes += told;
                effects.push(Effect::RolloutClosed(Box::new(ClosedRollout { graph, revision: closed.revision })));
                revised
            }
            Kept::Bare { summary, .. } => {
                summary.as_ref().and_then(|before| summary::repeat(before, &key, which.generation, closed.revision))
            }
        };
        effects.extend(revised.map(|summary| Effect::AddSpan(Box::new(summary))));
    }

    /// A tombstone's time is over. What it still had to say is said first.
    pub(super) fn forget(&mut self, which: Which, effects: &mut Vec<Effect>) {
        self.revise(which, effects);
        let Some(slot) = self.slots.get_mut(&which.slot) else { return };
        let Some(place) = slot.closed.iter().position(|closed| closed.generation == which.generation) else { return };
        let closed = slot.closed.remove(place);
        self.bytes -= closed.bytes;
        self.deadlines.cancel(closed.forgotten);
        self.tidy();
        let Some(slot) = self.slots.get(&which.slot) else { return };
        if slot.live.is_none()
            && slot.closed.is_empty()
            && let Some(slot) = self.slots.remove(&which.slot)
        {
            self.bytes -= Slot::overhead(&slot.key);
            self.by_key.remove(&slot.key);
            self.generations.keep(&slot.key, slot.next);
        }
    }
}

impl Reducer {
    /// Takes out of the order of closing what is forgotten: at its front at once, in the middle once that is the half of it.
    fn tidy(&mut self) {
        let slots = &self.slots;
        let is_there = |which: &Which| {
            slots
                .get(&which.slot)
                .is_some_and(|slot| slot.closed.iter().any(|closed| closed.generation == which.generation))
        };
        self.forgotten += 1;
        let is_half = 2 * self.forgotten > self.whole.len() + self.bare.len();
        for queue in [&mut self.whole, &mut self.bare] {
            while queue.front().is_some_and(|which| !is_there(which)) {
                queue.pop_front();
            }
            if is_half {
                queue.retain(is_there);
            }
        }
        if is_half {
            self.forgotten = 0;
        }
    }
}

/// The newest histories of each thread: a producer builds on one of its last eight.
fn heads(threads: &[Thread], before: &[(ByteString, Digest)]) -> Vec<(ByteString, Digest)> {
    const OF_THREAD: usize = 8;
    const IN_ALL: usize = 64;
    let mut heads = Vec::new();
    for thread in threads {
        let mut shown: Vec<_> = thread
            .turns
            .iter()
            .flat_map(Turn::inferences)
            .filter_map(|inference| Some((inference.call.seen_at(), inference.input.chain?)))
            .chain(thread.compactions.iter().filter_map(|one| Some((Some(one.at), one.chain?))))
            .collect();
        shown.sort_unstable();
        let id = detach(&thread.id);
        heads.extend(shown.into_iter().rev().take(OF_THREAD).map(|(_, chain)| (id.clone(), chain)));
    }
    heads.extend_from_slice(before);
    heads.truncate(IN_ALL);
    heads
}

/// Tells what has not been told. Answers how many bytes it takes to remember that.
fn tell(facts: &RolloutFacts, told: &mut Told, findings: &[Finding], effects: &mut Vec<Effect>) -> usize {
    let mut bytes = 0;
    for finding in findings {
        if told.first(finding) {
            bytes += Told::BYTES;
            effects.push(Effect::Finding(Box::new(RolloutFinding {
                tenant: facts.key().tenant.clone(),
                rollout: facts.key().rollout.clone(),
                generation: facts.generation,
                finding: finding.clone(),
            })));
        }
    }
    bytes
}
