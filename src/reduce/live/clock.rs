//! The passing of time.

use std::time::Duration;

use super::deadlines::Deadline;
use super::{Effect, Reducer};
use crate::reduce::graph::Reason;

impl Reducer {
    /// Does what is due by `now`, in the order in which it was due.
    pub(super) fn advance(&mut self, now: u64, effects: &mut Vec<Effect>) {
        self.now = self.now.max(now);
        loop {
            let deadline = self.deadlines.first().unwrap_or(u64::MAX);
            let idle = self.next_idle();
            if deadline.min(idle.map_or(u64::MAX, |(at, _)| at)) > self.now {
                return;
            }
            match idle {
                Some((at, slot)) if at < deadline => self.close_rollout(slot, Reason::Idle, effects),
                _ => match self.deadlines.pop() {
                    Some(due) => self.run(due, effects),
                    None => return,
                },
            }
        }
    }

    pub(super) fn run(&mut self, deadline: Deadline, effects: &mut Vec<Effect>) {
        match deadline {
            Deadline::CloseTurn(which, turn) => self.close_turn(which, &turn, effects),
            Deadline::EndRollout(which) => {
                let live = self.slots.get_mut(&which.slot).and_then(|slot| slot.live_of(which.generation));
                if live.is_some() {
                    self.close_rollout(which.slot, Reason::Ended, effects);
                }
            }
            Deadline::Revise(which) => self.revise(which, effects),
            Deadline::Forget(which) => self.forget(which, effects),
        }
    }

    /// When the least recently touched rollout will have been silent for too long, and which it is.
    fn next_idle(&self) -> Option<(u64, u64)> {
        let (touched, slot) = self.touched.first()?;
        Some((touched.saturating_add(nanos(self.limits.rollout_idle)), *slot))
    }

    /// Says when to come back, if that is earlier than what was said before, or what was said has passed.
    pub(super) fn announce(&mut self, effects: &mut Vec<Effect>) {
        let idle = self.next_idle().map(|(at, _)| at);
        let Some(next) = self.deadlines.first().into_iter().chain(idle).min() else { return };
        if self.announced.is_none_or(|announced| next < announced || announced <= self.now) {
            self.announced = Some(next);
            effects.push(Effect::WakeAt(next));
        }
    }

    pub(super) fn after(&self, wait: Duration) -> u64 {
        self.now.saturating_add(nanos(wait))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
