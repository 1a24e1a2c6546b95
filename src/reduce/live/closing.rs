//! What is said when something closes.

use super::deadlines::{Deadline, TurnKey, Which};
use super::generations::Next;
use super::slot::{Kept, Live, Slot, Told, Tombstone};
use super::{Counter, Effect, Reducer, RolloutFinding, summary, synthesis};
use crate::event::Digest;
use crate::reduce::derive::{Place, derive, derive_turn, is_turn, told_of_turn};
use crate::reduce::facts::RolloutFacts;
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
        let Some(closed) = live.turns.get_mut(key).filter(|closed| !**closed) else { return };
        *closed = true;
        let turn = told_of_turn(&live.facts, &key.thread, &key.turn);
        if !is_turn(&turn) {
            return;
        }
        let mut findings = Vec::new();
        derive_turn(Place { thread: &key.thread, turn: &key.turn }, &live.facts, turn, None, &mut findings);
        findings.sort_unstable();
        let told = tell(&live.facts, &mut live.told, findings, effects);
        live.extra += told;
        self.bytes += told;
        effects.push(Effect::Count(Counter::TurnsClosed, 1));
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
        let Live { facts, turns, mut told, .. } = live;

        let mut closed = 0;
        for (thread, turn) in graph.turns() {
            let key = TurnKey { thread: thread.id.clone(), turn: turn.id.clone() };
            closed += u64::from(turns.get(&key) != Some(&true));
            if !turn.reported
                && let Some(span) = synthesis::turn(facts.key(), &thread.id, turn)
            {
                effects.push(Effect::AddSpan(Box::new(span)));
            }
        }
        let summary = summary::summary(&facts, &graph, 0);
        let heads = heads(&graph.threads, &facts.heads);
        tell(&facts, &mut told, graph.findings, effects);
        effects.extend(summary.iter().map(|summary| Effect::AddSpan(Box::new(summary.clone()))));
        if closed > 0 {
            effects.push(Effect::Count(Counter::TurnsClosed, closed));
        }
        effects.push(Effect::Count(Counter::RolloutsClosed(reason), 1));

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
        let tombstone = Tombstone::new(which.generation, kept, told, head_bytes);
        self.bytes += tombstone.bytes;
        slot.closed.push(tombstone);
        let too_many = slot.closed.len() > MAX_TOMBSTONES;
        let oldest = slot.closed.first().map(|oldest| Which { slot: id, generation: oldest.generation });
        self.deadlines.set(forget_at, Deadline::Forget(which));
        if let Some(oldest) = oldest.filter(|_| too_many) {
            self.forget(oldest, effects);
            effects.push(Effect::Count(Counter::Forgotten, 1));
        }
    }

    /// Late data is told of by a summary of the next revision.
    pub(super) fn revise(&mut self, which: Which, effects: &mut Vec<Effect>) {
        let Some(slot) = self.slots.get_mut(&which.slot) else { return };
        let key = slot.key.clone();
        let Some(closed) = slot.tombstone(which.generation).filter(|closed| closed.revising) else { return };
        closed.revising = false;
        closed.revision += 1;
        let revised = match &closed.kept {
            Kept::Facts(facts) => {
                let graph = derive(facts);
                let revised = summary::summary(facts, &graph, closed.revision);
                let told = tell(facts, &mut closed.told, graph.findings, effects);
                closed.bytes += told;
                self.bytes += told;
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
        self.bytes -= slot.closed.remove(place).bytes;
        let slots = &self.slots;
        let gone = |which: &Which| {
            slots
                .get(&which.slot)
                .is_none_or(|slot| slot.closed.iter().all(|closed| closed.generation != which.generation))
        };
        for queue in [&mut self.whole, &mut self.bare] {
            while queue.front().is_some_and(gone) {
                queue.pop_front();
            }
        }
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
        heads.extend(shown.into_iter().rev().take(OF_THREAD).map(|(_, chain)| (thread.id.clone(), chain)));
    }
    heads.extend_from_slice(before);
    heads.truncate(IN_ALL);
    heads
}

/// Tells what has not been told. Answers how many bytes it takes to remember that.
fn tell(facts: &RolloutFacts, told: &mut Told, findings: Vec<Finding>, effects: &mut Vec<Effect>) -> usize {
    let mut bytes = 0;
    for finding in findings {
        if told.first(&finding) {
            bytes += Told::BYTES;
            effects.push(Effect::Finding(Box::new(RolloutFinding {
                tenant: facts.key().tenant.clone(),
                rollout: facts.key().rollout.clone(),
                generation: facts.generation,
                finding,
            })));
        }
    }
    bytes
}
