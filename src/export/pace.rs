//! How fast what has gathered during an outage is sent after it: not twice as fast as it came.
//!
//! Thirty exporters that find their peer again at once would otherwise send an hour's spans in a second, and take it down
//! again. Whoever flushes or shuts down is not slowed down.

use std::time::Duration;

use tokio::time::Instant;

/// How many times the rate at which it came. Below two, since requests come in lumps.
const TIMES: f64 = 1.75;

/// A backlog is never waited for longer than this between two requests.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Since when nothing has been taken.
    outage: Option<Instant>,
    /// Bytes a second, as long as there is a backlog.
    rate: Option<f64>,
    not_before: Option<Instant>,
}

impl Pace {
    /// A request has failed in a way that makes everything wait.
    pub(super) fn failed(&mut self, now: Instant) {
        self.outage.get_or_insert(now);
    }

    /// A request with so many bytes of our own was taken, and so many wait. Without any there is nothing to slow down.
    pub(super) fn taken(&mut self, now: Instant, bytes: usize, backlog: u64) {
        if let Some(since) = self.outage.take()
            && bytes as u64 + backlog > 0
        {
            let seconds = now.duration_since(since).as_secs_f64().max(1e-3);
            self.rate = Some((TIMES * (backlog as f64 + bytes as f64) / seconds).max(1.0));
            self.sent(now, bytes);
        }
    }

    /// A request of so many bytes is on its way.
    pub(super) fn sent(&mut self, now: Instant, bytes: usize) {
        let Some(rate) = self.rate else { return };
        let pause = Duration::try_from_secs_f64(bytes as f64 / rate).unwrap_or(LONGEST).min(LONGEST);
        let from = self.not_before.filter(|not_before| *not_before > now).unwrap_or(now);
        self.not_before = from.checked_add(pause);
    }

    /// Nothing is due any more: the backlog is gone.
    pub(super) const fn caught_up(&mut self) {
        self.rate = None;
        self.not_before = None;
    }

    /// When the next request may go, where that is not now.
    pub(super) fn not_before(&self, now: Instant) -> Option<Instant> {
        self.not_before.filter(|not_before| *not_before > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_sent_not_twice_as_fast_as_it_came_and_then_there_is_no_limit() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.taken(start, 1000, 0);
        assert_eq!(pace.not_before(start), None, "there was no outage");
        pace.failed(start);
        pace.failed(start + Duration::from_secs(50));
        let back = start + Duration::from_secs(100);
        // A hundred bytes a second for a hundred seconds.
        pace.taken(back, 1750, 8250);
        let next = pace.not_before(back).unwrap();
        assert_eq!(next, back + Duration::from_secs(10));
        pace.sent(next, 175);
        pace.sent(next, 175);
        assert_eq!(pace.not_before(next), Some(next + Duration::from_secs(2)));
        pace.taken(next, 175, 8000);
        assert_eq!(pace.not_before(next), Some(next + Duration::from_secs(2)), "it was charged when it was sent");
        pace.caught_up();
        assert_eq!(pace.not_before(next), None);
    }

    #[test]
    fn an_outage_in_which_nothing_gathered_slows_nothing_down() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.failed(start);
        pace.taken(start + Duration::from_secs(100), 0, 0);
        pace.sent(start + Duration::from_secs(100), 1 << 20);
        assert_eq!(pace.not_before(start), None);
    }
}
