//! How long things wait and how much they may hold.

use std::time::Duration;

/// Times and bounds of a [`Reducer`](super::Reducer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a turn waits for more after its span has arrived, and a rollout after its last turn's. Late data waits
    /// as long for more of its kind.
    pub late_grace: Duration,
    /// How long a rollout may be silent.
    pub rollout_idle: Duration,
    /// How long a closed rollout is remembered.
    pub tombstone: Duration,
    /// Bytes held in all. At 80 % idle rollouts close as evicted, at 90 % new requests should be refused.
    pub bytes: usize,
    /// Bytes held for one rollout.
    pub rollout_bytes: usize,
    /// Facts held for one rollout.
    pub rollout_facts: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            late_grace: Duration::from_secs(10),
            rollout_idle: Duration::from_secs(30 * 60),
            tombstone: Duration::from_secs(10 * 60),
            bytes: 512 << 20,
            rollout_bytes: 8 << 20,
            rollout_facts: 100_000,
        }
    }
}

impl Limits {
    /// Above this, idle rollouts close.
    pub(super) const fn evict_above(&self) -> usize {
        self.bytes / 10 * 8
    }

    /// Above this, new requests should be refused.
    pub(super) const fn refuse_above(&self) -> usize {
        self.bytes / 10 * 9
    }
}

/// How short memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Pressure {
    /// There is room.
    None,
    /// Idle rollouts are being closed.
    Evict,
    /// New requests should be refused with a retryable answer.
    Refuse,
}
