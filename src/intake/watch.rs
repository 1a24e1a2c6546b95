//! Tells an operator of losses, once in a while and without a word of what was lost.

use std::time::{Duration, Instant};

use super::{Counters, Drop, Losses};

const EVERY: Duration = Duration::from_secs(60);

/// What has been told of, and when.
#[derive(Default)]
pub(super) struct Watch {
    told: Losses,
    last: Option<Instant>,
}

impl Watch {
    /// Says what has been lost since it last said something.
    pub(super) fn look(&mut self, counters: &Counters) {
        let lost = counters.read().dropped;
        if lost == self.told || self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        for reason in Drop::ALL {
            let more = lost.of(reason).saturating_sub(self.told.of(reason));
            if more > 0 {
                tracing::warn!(target: "veilspan", reason = reason.as_str(), lost = more, "calls or their content were lost");
            }
        }
        self.told = lost;
    }
}
