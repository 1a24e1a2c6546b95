//! What gives way when memory is short, in this order: the facts of closed rollouts, oldest first; idle rollouts, the
//! least recently touched first; at last the tombstones themselves.

use super::slot::Kept;
use super::{Counter, Effect, Reducer, summary};
use crate::reduce::derive::derive;
use crate::reduce::graph::Reason;

impl Reducer {
    /// The rollout in `busy` is in use, so it stays.
    pub(super) fn relieve(&mut self, busy: Option<u64>, effects: &mut Vec<Effect>) {
        while self.bytes > self.limits.evict_above() {
            if self.strip_oldest(effects) {
                continue;
            }
            let idle = self.touched.iter().map(|(_, id)| *id).find(|id| Some(*id) != busy);
            match idle {
                Some(id) => self.close_rollout(id, Reason::Evicted, effects),
                None => break,
            }
        }
        while self.bytes > self.limits.refuse_above() {
            let Some(which) = self.bare.pop_front() else { return };
            let known = self.slots.get_mut(&which.slot).and_then(|slot| slot.tombstone(which.generation));
            if known.is_some() {
                self.forget(which, effects);
                effects.push(Effect::Count(Counter::Forgotten, 1));
            }
        }
    }

    /// Whether there was one to look at.
    fn strip_oldest(&mut self, effects: &mut Vec<Effect>) -> bool {
        let Some(which) = self.whole.pop_front() else { return false };
        // What it still has to say needs its facts.
        self.revise(which, effects);
        let Some(closed) = self.slots.get_mut(&which.slot).and_then(|slot| slot.tombstone(which.generation)) else {
            return true;
        };
        if let Kept::Facts(facts) = &closed.kept {
            let summary = summary::summary(facts, &derive(facts), closed.revision);
            closed.kept = Kept::bare(facts, summary);
            self.bytes -= closed.bytes;
            closed.weigh();
            self.bytes += closed.bytes;
            self.bare.push_back(which);
            effects.push(Effect::Count(Counter::Stripped, 1));
        }
        true
    }
}
