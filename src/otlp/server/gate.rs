//! How much may be taken in at once, by all connections together.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::not_read::NotRead;
use super::spares::Spares;

/// Bounds of what is being received and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateLimits {
    /// The most bytes that requests without an answer may take together, packed and unpacked.
    pub bytes: usize,
    /// The most requests that have come whole and have no answer.
    pub requests: usize,
    /// How long a caller may take to send one request.
    pub read_time: Duration,
}

impl Default for GateLimits {
    /// 256 MiB, 512 requests and thirty seconds.
    fn default() -> Self {
        Self { bytes: 256 << 20, requests: 512, read_time: Duration::from_secs(30) }
    }
}

/// What was refused before anybody looked into it, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateCounts {
    /// There was no room for one more: refused with a time to come again.
    pub no_room: u64,
    /// One was longer than the receiver takes, packed or unpacked.
    pub too_large: u64,
    /// One had not come whole in time.
    pub too_slow: u64,
    /// One could not be unpacked, or was framed wrongly.
    pub garbled: u64,
    /// The caller went away while it came.
    pub broken: u64,
    /// One came in an encoding that is not read here.
    pub encoding: u64,
}

/// The bounds, and what is in use of them. Listeners that share one share its bounds.
#[derive(Debug, Default)]
pub struct Gate {
    limits: GateLimits,
    bytes: AtomicUsize,
    requests: AtomicUsize,
    refused: [AtomicU64; NotRead::KINDS],
    spares: Spares,
}

impl Gate {
    /// A gate with these bounds.
    pub fn new(limits: GateLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// What was refused so far.
    pub fn counts(&self) -> GateCounts {
        let count = |kind: NotRead| self.refused.get(kind.place()).map_or(0, |count| count.load(Ordering::Relaxed));
        GateCounts {
            no_room: count(NotRead::NoRoom),
            too_large: count(NotRead::TooLarge),
            too_slow: count(NotRead::TooSlow),
            garbled: count(NotRead::Garbled),
            broken: count(NotRead::Broken),
            encoding: count(NotRead::Encoding),
        }
    }

    /// Bytes and requests in use.
    pub fn in_use(&self) -> (usize, usize) {
        (self.bytes.load(Ordering::Relaxed), self.requests.load(Ordering::Relaxed))
    }

    /// To be called now and then: lets go of memory that nobody has needed since.
    pub(crate) fn tend(&self) {
        self.spares.tend();
    }

    pub(super) const fn spares(&self) -> &Spares {
        &self.spares
    }

    pub(super) const fn read_time(&self) -> Duration {
        self.limits.read_time
    }

    /// Lets one more request in.
    pub(super) fn enter(&self) -> Result<(), NotRead> {
        if self.requests.fetch_add(1, Ordering::Relaxed) >= self.limits.requests {
            self.leave();
            return Err(NotRead::NoRoom);
        }
        Ok(())
    }

    pub(super) fn leave(&self) {
        self.requests.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn take(&self, bytes: usize) -> Result<(), NotRead> {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.limits.bytes {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(NotRead::NoRoom);
        }
        Ok(())
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn count(&self, kind: NotRead) {
        if let Some(count) = self.refused.get(kind.place()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}
