//! The process that a recorder was made in. After a `fork` its threads are not in the child, and its files are not the
//! child's to write: there the recorder is a disabled one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Looks whether this is still the process in which it was made. That costs a system call, so a caller asks only where much
/// waits and the pipeline has taken nothing for five seconds, by the time of events; what was found out is remembered.
#[derive(Debug)]
pub(super) struct Birth {
    process: u32,
    now: fn() -> u32,
    is_elsewhere: AtomicBool,
    /// When the pipeline last took something, or a caller last asked, in nanoseconds since 1970; zero before.
    alive: AtomicU64,
}

const PATIENCE: u64 = 5_000_000_000;

impl Default for Birth {
    fn default() -> Self {
        Self::of(std::process::id)
    }
}

impl Birth {
    fn of(now: fn() -> u32) -> Self {
        Self { process: now(), now, is_elsewhere: AtomicBool::new(false), alive: AtomicU64::new(0) }
    }

    /// What was found out before.
    pub(super) fn is_known_elsewhere(&self) -> bool {
        self.is_elsewhere.load(Ordering::Relaxed)
    }

    /// Whether it is time to ask again.
    pub(super) fn is_due(&self, unix_nanos: u64) -> bool {
        let alive = self.alive.load(Ordering::Relaxed);
        let is_due = alive > 0 && unix_nanos.saturating_sub(alive) >= PATIENCE;
        if alive == 0 || is_due {
            self.is_alive(unix_nanos);
        }
        is_due
    }

    /// The pipeline has taken an event of this time.
    pub(super) fn is_alive(&self, unix_nanos: u64) {
        self.alive.store(unix_nanos, Ordering::Relaxed);
    }

    /// Whether this is another process. Says so once.
    pub(super) fn is_elsewhere(&self) -> bool {
        if self.is_known_elsewhere() {
            return true;
        }
        let is_elsewhere = (self.now)() != self.process;
        if is_elsewhere && !self.is_elsewhere.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "veilspan",
                "this process was forked off one that records; nothing is recorded here: make a recorder after the fork"
            );
        }
        is_elsewhere
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn another_process_is_noticed_and_remembered() {
        static PROCESS: AtomicU32 = AtomicU32::new(7);
        let birth = Birth::of(|| PROCESS.load(Ordering::Relaxed));
        assert!(!birth.is_elsewhere());
        PROCESS.store(8, Ordering::Relaxed);
        assert!(!birth.is_known_elsewhere() && birth.is_elsewhere() && birth.is_known_elsewhere());
    }

    #[test]
    fn a_caller_asks_only_where_the_pipeline_takes_nothing_for_long() {
        let birth = Birth::default();
        let ask = |seconds: u64| birth.is_due(seconds * 1_000_000_000);
        assert_eq!([1, 2, 5, 6, 7, 10, 11].map(ask), [false, false, false, true, false, false, true]);
        birth.is_alive(100_000_000_000);
        assert_eq!([101, 104, 105].map(ask), [false, false, true]);
    }
}
