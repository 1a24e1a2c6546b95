//! The one place where time is read.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of time that does not step back on one thread.
pub trait Clock: Debug + Send + Sync {
    /// Nanoseconds since 1970-01-01T00:00:00Z, at least as late as every earlier answer on this thread.
    fn unix_nanos(&self) -> u64;
}

/// The machine's clock: the wall's time when it was made, and monotonic time since then.
///
/// A call's duration is therefore never negative, whatever happens to the wall clock. A step of the wall clock during
/// the life of the process is not followed.
#[derive(Debug)]
pub struct SystemClock {
    /// By how much the wall's time is ahead of the monotonic one, in nanoseconds.
    ahead: u64,
}

impl Default for SystemClock {
    #[allow(clippy::disallowed_methods)]
    fn default() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_nanos = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX / 2);
        Self { ahead: unix_nanos.saturating_sub(monotonic_nanos()) }
    }
}

impl Clock for SystemClock {
    #[inline]
    fn unix_nanos(&self) -> u64 {
        self.ahead.saturating_add(monotonic_nanos())
    }
}

/// The clock of [`Instant`](std::time::Instant), whose differences cost as much again as the look at it.
#[cfg(target_os = "linux")]
#[inline]
fn monotonic_nanos() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec.cast_unsigned())
}

#[cfg(not(target_os = "linux"))]
fn monotonic_nanos() -> u64 {
    static FIRST: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    u64::try_from(FIRST.elapsed().as_nanos()).unwrap_or(u64::MAX)
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
