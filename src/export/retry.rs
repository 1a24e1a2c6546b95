//! When a request that failed is sent again.

use std::time::Duration;

use rand::Rng;

/// Waits that double, with full jitter: each is drawn from zero to the bound of its turn.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// A peer that refuses us (wrong credentials, no such service) is asked again once a minute.
pub(super) const REFUSED: Duration = Duration::from_secs(60);

impl Backoff {
    /// The wait before the next attempt, at least as long as the peer asked for.
    pub(super) fn next(&mut self, peer_asked_for: Option<Duration>) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let drawn = bound.mul_f64(f64::from(rand::rng().next_u32()) / f64::from(u32::MAX));
        peer_asked_for.map_or(drawn, |asked| asked.saturating_add(drawn))
    }

    /// An attempt has succeeded.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_never_undercut_the_peer() {
        let mut backoff = Backoff::default();
        assert!(backoff.next(None) <= FIRST);
        for _ in 0..100 {
            assert!(backoff.next(None) <= LONGEST);
        }
        let asked = Duration::from_secs(90);
        assert!(backoff.next(Some(asked)) >= asked);
        backoff.reset();
        assert!(backoff.next(None) <= FIRST);
    }
}
