//! Which finished calls have been offered to the sink, and which were given up, decided once for each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nothing more is offered.
const GIVEN_UP: u64 = 1 << 63;
/// One call is with the sink right now.
const IN_HAND: u64 = 1 << 62;
/// Whoever gave up has counted the one in hand as lost.
const WRITTEN_OFF: u64 = 1 << 61;
const COUNT: u64 = WRITTEN_OFF - 1;

/// How long a sink may take to finish the call it holds before that call is written off.
const PATIENCE: Duration = Duration::from_millis(10);

/// Shared by the pipeline, which offers calls, and by a shutdown that runs out of time.
#[derive(Debug, Default)]
pub(super) struct Settlement(AtomicU64);

impl Settlement {
    /// Before a finished call is offered. `false`: it has been counted as lost and must not be.
    pub(super) fn claim(&self) -> bool {
        let claimed = |state: u64| (state & GIVEN_UP == 0).then(|| (state | IN_HAND) + 1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, claimed).is_ok()
    }

    /// After it was offered. `false`: it took so long that it was written off.
    pub(super) fn settle(&self) -> bool {
        self.0.fetch_and(!IN_HAND, Ordering::AcqRel) & WRITTEN_OFF == 0
    }

    /// From now on nothing is offered. Answers how many calls have been, the first time.
    pub(super) fn give_up(&self) -> Option<u64> {
        let before = self.0.fetch_or(GIVEN_UP, Ordering::AcqRel);
        if before & GIVEN_UP != 0 {
            return None;
        }
        let started = Instant::now();
        while self.0.load(Ordering::Acquire) & IN_HAND != 0 && started.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
        let state = self.0.fetch_or(WRITTEN_OFF, Ordering::AcqRel);
        Some((state & COUNT) - u64::from(state & IN_HAND != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_offered_or_given_up_and_never_both() {
        let settlement = Settlement::default();
        assert!(settlement.claim() && settlement.settle());
        assert!(settlement.claim() && settlement.settle());
        assert_eq!(settlement.give_up(), Some(2));
        assert!(!settlement.claim());
        assert_eq!(settlement.give_up(), None);
    }

    #[test]
    fn a_call_that_stays_with_the_sink_is_written_off() {
        let settlement = Settlement::default();
        assert!(settlement.claim());
        assert_eq!(settlement.give_up(), Some(0));
        assert!(!settlement.settle());
    }
}
