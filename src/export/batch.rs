//! Encoded spans, in portions that one request can carry, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::intake::Drop;

/// Spans of one request: length-delimited `ScopeSpans.spans` fields, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) spans: Bytes,
    pub(super) count: u64,
}

/// The limits of batches and of what waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) batch_spans: usize,
    pub(super) batch_bytes: usize,
    pub(super) batch_delay: Duration,
    pub(super) queue_bytes: usize,
    pub(super) queue_spans: usize,
}

/// What waits to be sent: full batches, and one that fills.
pub(super) struct Outbox {
    limits: Limits,
    state: Mutex<State>,
    emptied: Condvar,
}

#[derive(Default)]
struct State {
    full: VecDeque<Batch>,
    filling: Vec<u8>,
    filling_count: u64,
    /// When the first span of the filling batch came.
    since: Option<Instant>,
    /// What waits or is in flight.
    bytes: usize,
    spans: usize,
    in_flight: u64,
    /// The sender will look again by itself, no later than a span that comes now is due.
    watched: bool,
    /// A batch has been sent since the sender last waited.
    lively: bool,
    /// Everything that waits is to be sent without delay.
    hurried: bool,
    closed: bool,
    /// What waited was given up and counted.
    abandoned: bool,
}

/// What the sender should do next.
#[derive(Debug)]
pub(super) enum Next {
    Send(Batch),
    /// Nothing is due before this instant; without one, until something comes.
    Wait(Option<Instant>),
    Stop,
}

impl Outbox {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), emptied: Condvar::new() }
    }

    /// Adds one encoded span field. `Ok(true)`: the sender has to look.
    pub(super) fn push(&self, field: &[u8]) -> Result<bool, Drop> {
        if field.len() > self.limits.batch_bytes {
            return Err(Drop::SpanTooLarge);
        }
        let mut state = self.lock();
        if state.closed {
            return Err(Drop::ShutDown);
        }
        let is_full = state.spans >= self.limits.queue_spans;
        if is_full || state.bytes.saturating_add(field.len()) > self.limits.queue_bytes {
            return Err(Drop::ExportQueueFull);
        }
        let mut due = state.since.is_none() && !state.watched;
        if state.filling.len() + field.len() > self.limits.batch_bytes {
            state.complete_batch();
            due = true;
        }
        state.filling.extend_from_slice(field);
        state.filling_count += 1;
        state.bytes += field.len();
        state.spans += 1;
        state.since.get_or_insert_with(Instant::now);
        if state.filling_count >= self.limits.batch_spans as u64 {
            state.complete_batch();
            due = true;
        }
        Ok(due)
    }

    /// What is to be done now.
    pub(super) fn next(&self) -> Next {
        let mut state = self.lock();
        // A delay beyond what the clock can hold never ends.
        let due = state.since.and_then(|since| since.checked_add(self.limits.batch_delay));
        if state.hurried || due.is_some_and(|due| due <= Instant::now()) {
            state.complete_batch();
        }
        if let Some(batch) = state.full.pop_front() {
            state.in_flight = batch.count;
            state.watched = true;
            state.lively = true;
            return Next::Send(batch);
        }
        state.hurried = false;
        if state.closed {
            return Next::Stop;
        }
        // Where spans keep coming the sender waits once more although there is nothing, so that the first span of each
        // batch need not wake it.
        let lively = std::mem::take(&mut state.lively);
        let until = due.or_else(|| Instant::now().checked_add(self.limits.batch_delay).filter(|_| lively));
        state.watched = until.is_some();
        Next::Wait(until)
    }

    /// The batch that was sent last has been answered, for better or worse. `count` runs before anybody who waits can see
    /// it, and not at all where the batch was given up and counted before.
    pub(super) fn answered(&self, batch: &Batch, count: impl FnOnce()) {
        let mut state = self.lock();
        if state.abandoned {
            return;
        }
        count();
        state.bytes = state.bytes.saturating_sub(batch.spans.len());
        state.spans = state.spans.saturating_sub(usize::try_from(batch.count).unwrap_or(usize::MAX));
        state.in_flight = 0;
        let empty = state.is_empty();
        drop(state);
        if empty {
            self.emptied.notify_all();
        }
    }

    /// The batch that was sent last is to be sent again.
    pub(super) fn unanswered(&self, batch: Batch) {
        let mut state = self.lock();
        if !state.abandoned {
            state.in_flight = 0;
            state.full.push_front(batch);
        }
    }

    /// From now on everything that waits is due, and, where it is the last time, nothing more is taken.
    pub(super) fn hurry(&self, last: bool) {
        let mut state = self.lock();
        state.hurried = true;
        state.closed |= last;
    }

    /// Nobody waits any longer.
    pub(super) fn calm(&self) {
        self.lock().hurried = false;
    }

    pub(super) fn is_hurried(&self) -> bool {
        self.lock().hurried
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.lock().abandoned
    }

    /// Waits until nothing is left, and tells whether that came before the deadline.
    pub(super) fn wait_until_empty(&self, deadline: Instant) -> bool {
        let mut state = self.lock();
        while !state.is_empty() {
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                return false;
            };
            let waited = self.emptied.wait_timeout(state, left);
            state = waited.map(|(state, _)| state).unwrap_or_else(|poisoned| poisoned.into_inner().0);
        }
        true
    }

    /// Throws away what waits, for good, and tells how many spans that were; those in flight count too.
    pub(super) fn abandon(&self) -> u64 {
        let mut state = self.lock();
        state.complete_batch();
        let waiting: u64 = state.full.iter().map(|batch| batch.count).sum();
        let abandoned = waiting + state.in_flight;
        state.full.clear();
        state.in_flight = 0;
        state.closed = true;
        state.abandoned = true;
        abandoned
    }

    /// How many spans wait or are in flight.
    pub(super) fn waiting(&self) -> u64 {
        let state = self.lock();
        state.full.iter().map(|batch| batch.count).sum::<u64>() + state.filling_count + state.in_flight
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn complete_batch(&mut self) {
        if self.filling_count == 0 {
            return;
        }
        // The next batch will be about as long, so that its buffer need not grow step by step.
        let next = Vec::with_capacity(self.filling.len());
        let spans = Bytes::from(std::mem::replace(&mut self.filling, next));
        self.full.push_back(Batch { spans, count: self.filling_count });
        self.filling_count = 0;
        self.since = None;
    }

    fn is_empty(&self) -> bool {
        self.full.is_empty() && self.filling_count == 0 && self.in_flight == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(batch_spans: usize, batch_bytes: usize, queue_bytes: usize) -> Outbox {
        Outbox::new(Limits {
            batch_spans,
            batch_bytes,
            batch_delay: Duration::from_secs(3600),
            queue_bytes,
            queue_spans: 6,
        })
    }

    fn sent(outbox: &Outbox) -> Vec<u64> {
        let mut counts = Vec::new();
        while let Next::Send(batch) = outbox.next() {
            counts.push(batch.count);
            outbox.answered(&batch, || {});
        }
        counts
    }

    #[test]
    fn batches_are_cut_by_count_and_by_bytes() {
        let by_count = outbox(2, 1000, 1000);
        (0..5).for_each(|_| assert!(by_count.push(&[0; 10]).is_ok()));
        assert_eq!(sent(&by_count), [2, 2]);
        by_count.hurry(false);
        assert_eq!(sent(&by_count), [1]);
        let by_bytes = outbox(100, 25, 1000);
        (0..5).for_each(|_| assert!(by_bytes.push(&[0; 10]).is_ok()));
        assert_eq!(sent(&by_bytes), [2, 2]);
    }

    #[test]
    fn one_huge_span_is_refused_alone() {
        let outbox = outbox(10, 25, 1000);
        assert!(outbox.push(&[0; 10]).is_ok());
        assert_eq!(outbox.push(&[0; 26]), Err(Drop::SpanTooLarge));
        assert!(outbox.push(&[0; 10]).is_ok());
        outbox.hurry(true);
        assert_eq!(sent(&outbox), [2]);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_until_it_is_answered() {
        let outbox = outbox(1, 25, 30);
        assert!(outbox.push(&[0; 20]).is_ok());
        assert_eq!(outbox.push(&[0; 20]), Err(Drop::ExportQueueFull));
        let Next::Send(batch) = outbox.next() else { panic!("a full batch is due") };
        assert_eq!(outbox.push(&[0; 20]), Err(Drop::ExportQueueFull), "it is in flight");
        outbox.unanswered(batch);
        assert_eq!(outbox.waiting(), 1);
        assert_eq!(sent(&outbox), [1]);
        assert!(outbox.push(&[0; 20]).is_ok());
    }

    #[test]
    fn the_first_span_wakes_a_sender_that_sleeps_and_none_that_will_look_by_itself() {
        let outbox = outbox(2, 25, 1000);
        assert!(matches!(outbox.next(), Next::Wait(None)));
        assert_eq!(outbox.push(&[0; 10]), Ok(true), "it sleeps");
        assert!(matches!(outbox.next(), Next::Wait(Some(_))));
        assert_eq!(outbox.push(&[0; 10]), Ok(true), "a batch is full");
        assert_eq!(sent(&outbox), [2]);
        assert_eq!(outbox.push(&[0; 10]), Ok(false), "it waits once more after a batch");
        assert!(matches!(outbox.next(), Next::Wait(Some(_))));
        outbox.hurry(false);
        assert_eq!(sent(&outbox), [1]);
        assert!(matches!(outbox.next(), Next::Wait(None)), "and then it sleeps");
        assert_eq!(outbox.push(&[0; 10]), Ok(true));
    }

    #[test]
    fn a_closed_outbox_stops_when_it_is_empty_and_takes_nothing() {
        let outbox = outbox(10, 25, 30);
        assert!(outbox.push(&[0; 20]).is_ok());
        outbox.hurry(true);
        assert_eq!(outbox.push(&[0; 1]), Err(Drop::ShutDown));
        assert_eq!(sent(&outbox), [1]);
        assert!(matches!(outbox.next(), Next::Stop));
        assert!(outbox.wait_until_empty(Instant::now()));
    }
}
