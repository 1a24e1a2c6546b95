//! What gives way when memory is short, in this order: the facts of closed rollouts, oldest first; of those that are only
//! remembered, the oldest, as long as they are more than those that are open; idle rollouts, the least recently touched
//! first; at last whatever is remembered.

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
            if 2 * self.bare.len() > self.slots.len() && self.forget_oldest(effects) {
                continue;
            }
            let idle = self.touched.iter().map(|(_, id)| *id).find(|id| Some(*id) != busy);
            match idle {
                Some(id) => self.close_rollout(id, Reason::Evicted, effects),
                None => break,
            }
        }
        while self.bytes > self.limits.refuse_above() && self.forget_oldest(effects) {}
    }

    /// Whether there was one.
    fn forget_oldest(&mut self, effects: &mut Vec<Effect>) -> bool {
        while let Some(which) = self.bare.pop_front() {
            let known = self.slots.get_mut(&which.slot).and_then(|slot| slot.tombstone(which.generation));
            if known.is_some() {
                self.forget(which, effects);
                effects.push(Effect::Count(Counter::Forgotten, 1));
                return true;
            }
        }
        false
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
            let summary = summary::summary(facts, &derive(facts), closed.revision, |_| false);
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
