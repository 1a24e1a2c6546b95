//! Spans on their way to the thread, and when to look at the clock.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The bytes that may wait. A span takes about one kilobyte.
const MAX_BYTES: usize = 16 << 20;
/// What a waiting span costs beside its bytes.
const OVERHEAD: usize = size_of::<Vec<u8>>();

/// What there is to do.
pub(super) enum Job {
    /// A `Span` message that has passed the policy.
    Span(Vec<u8>),
    /// A time has come.
    Tick,
    /// Nothing more.
    Stop,
}

/// Whether a span was taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Taken,
    /// Too much is waiting already.
    Full,
    /// Nobody takes any more.
    Stopped,
}

#[derive(Default)]
pub(super) struct Queue {
    inside: Mutex<Inside>,
    work: Condvar,
    done: Condvar,
}

#[derive(Default)]
struct Inside {
    spans: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Spans taken in, and spans that are done with. Of the latter there are never more.
    taken: u64,
    finished: u64,
    wake_at: Option<Instant>,
    stopped: bool,
}

impl Queue {
    pub(super) fn push(&self, span: Vec<u8>) -> Pushed {
        let mut inside = self.lock();
        if inside.stopped {
            return Pushed::Stopped;
        }
        let cost = span.len() + OVERHEAD;
        if inside.bytes + cost > MAX_BYTES {
            return Pushed::Full;
        }
        inside.bytes += cost;
        inside.taken += 1;
        inside.spans.push_back(span);
        drop(inside);
        self.work.notify_one();
        Pushed::Taken
    }

    /// Waits for something to do.
    pub(super) fn next(&self) -> Job {
        let mut inside = self.lock();
        loop {
            if let Some(span) = inside.spans.pop_front() {
                inside.bytes -= span.len() + OVERHEAD;
                return Job::Span(span);
            }
            if inside.stopped {
                return Job::Stop;
            }
            let now = Instant::now();
            match inside.wake_at {
                Some(at) if at <= now => {
                    inside.wake_at = None;
                    return Job::Tick;
                }
                Some(at) => {
                    let wait = self.work.wait_timeout(inside, at - now).unwrap_or_else(PoisonError::into_inner);
                    inside = wait.0;
                }
                None => inside = self.work.wait(inside).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// A span that [`next`](Self::next) gave is done with: what followed from it is handed on.
    pub(super) fn finished(&self) {
        self.lock().finished += 1;
        self.done.notify_all();
    }

    /// Asks for a tick after this time. The latest wish counts.
    pub(super) fn wake_after(&self, wait: Duration) {
        // So long a time that the clock cannot reckon it never comes.
        self.lock().wake_at = Instant::now().checked_add(wait);
        self.work.notify_one();
    }

    /// Waits until all that was taken so far is finished. Whether it is.
    pub(super) fn drained(&self, timeout: Duration) -> bool {
        let inside = self.lock();
        let until = inside.taken;
        let wait = self.done.wait_timeout_while(inside, timeout, |inside| inside.finished < until && !inside.stopped);
        wait.unwrap_or_else(PoisonError::into_inner).0.finished >= until
    }

    /// Takes no more. What waits is still given out.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.work.notify_all();
        self.done.notify_all();
    }

    /// Takes again.
    pub(super) fn restart(&self) {
        self.lock().stopped = false;
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_its_bytes_it_takes_nothing_and_says_so() {
        let queue = Queue::default();
        assert_eq!(queue.push(vec![0; MAX_BYTES - OVERHEAD]), Pushed::Taken);
        assert_eq!(queue.push(Vec::new()), Pushed::Full);
        assert!(matches!(queue.next(), Job::Span(_)));
        assert_eq!(queue.push(Vec::new()), Pushed::Taken);
        queue.stop();
        assert_eq!(queue.push(Vec::new()), Pushed::Stopped);
        assert!(matches!(queue.next(), Job::Span(_)));
        assert!(matches!(queue.next(), Job::Stop));
    }

    #[test]
    fn it_is_drained_when_what_was_taken_is_finished() {
        let queue = Queue::default();
        assert!(queue.drained(Duration::ZERO));
        assert_eq!(queue.push(Vec::new()), Pushed::Taken);
        assert!(!queue.drained(Duration::ZERO));
        assert!(matches!(queue.next(), Job::Span(_)));
        assert!(!queue.drained(Duration::ZERO));
        queue.finished();
        assert!(queue.drained(Duration::ZERO));
    }

    #[test]
    fn a_tick_comes_when_its_time_has() {
        let queue = Queue::default();
        queue.wake_after(Duration::from_millis(1));
        assert!(matches!(queue.next(), Job::Tick));
    }
}
