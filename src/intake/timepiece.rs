//! Whose time calls are recorded in.

use std::sync::Arc;

use crate::event::{Clock, CountedClock};

/// The source of time of one recorder.
#[derive(Clone, Debug)]
pub(crate) enum Timepiece {
    /// The machine's clock, which the pipeline's thread looks after.
    Machine(Arc<CountedClock>),
    /// One that the caller has brought.
    Given(Arc<dyn Clock>),
}

impl Default for Timepiece {
    fn default() -> Self {
        Self::Machine(Arc::default())
    }
}

impl Timepiece {
    /// Nanoseconds since 1970.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        match self {
            Self::Machine(clock) => clock.unix_nanos(),
            Self::Given(clock) => clock.unix_nanos(),
        }
    }

    /// Keeps the machine's clock right: to be called often, on a thread of ours.
    pub(super) fn look_after(&self) {
        if let Self::Machine(clock) = self {
            clock.look_after();
        }
    }
}
