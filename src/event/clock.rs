//! The one place where time is read.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A source of time that never steps back.
pub trait Clock: Debug + Send + Sync {
    /// Nanoseconds since 1970-01-01T00:00:00Z, at least as late as every earlier answer of this clock.
    fn unix_nanos(&self) -> u64;
}

/// The machine's clock: the wall's time when it was made, and monotonic time since then.
///
/// A call's duration is therefore never negative, whatever happens to the wall clock. A step of the wall clock during
/// the life of the process is not followed.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    started_unix_nanos: u64,
}

impl Default for SystemClock {
    #[allow(clippy::disallowed_methods)]
    fn default() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_unix_nanos = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX / 2);
        Self { started: Instant::now(), started_unix_nanos }
    }
}

impl Clock for SystemClock {
    fn unix_nanos(&self) -> u64 {
        let elapsed = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.started_unix_nanos.saturating_add(elapsed)
    }
}

/// A clock that stands still until it is moved: for tests.
#[derive(Debug, Default)]
pub struct ManualClock {
    unix_nanos: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at `unix_nanos`.
    pub fn at(unix_nanos: u64) -> Self {
        Self { unix_nanos: AtomicU64::new(unix_nanos) }
    }

    /// Moves it forward.
    pub fn advance(&self, by: std::time::Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.unix_nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn unix_nanos(&self) -> u64 {
        self.unix_nanos.load(Ordering::Relaxed)
    }
}
