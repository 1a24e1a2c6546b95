//! Spans that wait in memory, in portions that one request can carry, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::time::Instant;

use super::barrier::Barriers;
use super::batch::{Batch, Origin};
use super::limits::{Limits, Rank};
use super::queue::{Next, Queue};
use crate::intake::Drop;

/// What waits to be sent: full batches, and one that fills.
pub(crate) struct Outbox {
    limits: Limits,
    state: Mutex<State>,
    settled: Condvar,
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
    /// The number of the next span.
    next_number: u64,
    barriers: Barriers,
    /// The sender will look again by itself, no later than a span that comes now is due.
    watched: bool,
    /// A batch has been sent since the sender last waited.
    lively: bool,
    /// How many want everything that waits to be sent without delay.
    hurrying: usize,
    closed: bool,
    /// What waited was given up and counted.
    abandoned: bool,
}

/// Why a span was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// There would be room for it without its content.
    Content,
    Lost(Drop),
}

impl Outbox {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), settled: Condvar::new() }
    }

    /// Adds one encoded span field. `Ok(true)`: the sender has to look.
    pub(super) fn push(&self, field: &[u8], rank: Rank) -> Result<bool, NotTaken> {
        self.push_fields(field, 1, rank)
    }

    /// Adds encoded fields that hold so many spans, which stay together.
    pub(super) fn push_fields(&self, fields: &[u8], spans: u64, rank: Rank) -> Result<bool, NotTaken> {
        if fields.len() > self.limits.batch_bytes {
            return Err(if rank == Rank::Content { NotTaken::Content } else { NotTaken::Lost(Drop::SpanTooLarge) });
        }
        let mut state = self.lock();
        if state.closed {
            return Err(NotTaken::Lost(Drop::ShutDown));
        }
        if state.bytes.saturating_add(fields.len()) > rank.of(self.limits.queue_bytes) {
            return Err(if rank == Rank::Content { NotTaken::Content } else { NotTaken::Lost(Drop::ExportQueueFull) });
        }
        if state.spans >= self.limits.queue_spans {
            return Err(NotTaken::Lost(Drop::ExportQueueFull));
        }
        let mut due = state.since.is_none() && !state.watched;
        if state.filling.len() + fields.len() > self.limits.batch_bytes {
            state.complete_batch();
            due = true;
        }
        state.filling.extend_from_slice(fields);
        state.filling_count += spans;
        state.bytes += fields.len();
        state.spans += usize::try_from(spans).unwrap_or(usize::MAX);
        state.next_number += spans;
        state.since.get_or_insert_with(Instant::now);
        if state.filling_count >= self.limits.batch_spans as u64 {
            state.complete_batch();
            due = true;
        }
        Ok(due)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue for Outbox {
    fn next(&self) -> Next {
        let mut state = self.lock();
        // A delay beyond what the clock can hold never ends.
        let due = state.since.and_then(|since| since.checked_add(self.limits.batch_delay));
        if state.is_hurried() || due.is_some_and(|due| due <= Instant::now()) {
            state.complete_batch();
        }
        if let Some(batch) = state.full.pop_front() {
            state.in_flight += batch.count;
            state.watched = true;
            state.lively = true;
            return Next::Send(batch);
        }
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

    fn settle(&self, batch: &Batch, count: &mut dyn FnMut()) {
        let mut state = self.lock();
        if state.abandoned {
            return;
        }
        count();
        state.bytes = state.bytes.saturating_sub(batch.spans.len());
        state.spans = state.spans.saturating_sub(usize::try_from(batch.count).unwrap_or(usize::MAX));
        state.in_flight = state.in_flight.saturating_sub(batch.count);
        let Origin::Memory { first } = batch.origin else { return };
        let is_over = state.barriers.settle(first..first + batch.count);
        drop(state);
        if is_over {
            self.settled.notify_all();
        }
    }

    fn again(&self, batches: Vec<Batch>) {
        let mut state = self.lock();
        if state.abandoned {
            return;
        }
        for batch in batches.into_iter().rev() {
            state.in_flight = state.in_flight.saturating_sub(batch.count);
            state.full.push_front(batch);
        }
    }

    fn hurry(&self, last: bool) {
        let mut state = self.lock();
        state.hurrying += 1;
        state.closed |= last;
    }

    fn calm(&self) {
        let mut state = self.lock();
        state.hurrying = state.hurrying.saturating_sub(1);
    }

    fn is_hurried(&self) -> bool {
        self.lock().is_hurried()
    }

    fn is_abandoned(&self) -> bool {
        self.lock().abandoned
    }

    fn wait_for_all(&self, deadline: std::time::Instant) -> bool {
        let mut state = self.lock();
        let left = state.spans as u64;
        if left == 0 || state.abandoned {
            return left == 0;
        }
        let below = state.next_number;
        let ticket = state.barriers.enter(below, left);
        let is_over = loop {
            if state.abandoned || state.barriers.is_over(ticket) {
                break !state.abandoned;
            }
            let left = deadline.checked_duration_since(std::time::Instant::now());
            let Some(left) = left.filter(|left| !left.is_zero()) else { break false };
            let waited = self.settled.wait_timeout(state, left);
            state = waited.map(|(state, _)| state).unwrap_or_else(|poisoned| poisoned.into_inner().0);
        };
        state.barriers.leave(ticket);
        is_over
    }

    fn abandon(&self) -> u64 {
        let mut state = self.lock();
        state.complete_batch();
        let waiting: u64 = state.full.iter().map(|batch| batch.count).sum();
        let abandoned = waiting + state.in_flight;
        state.full.clear();
        state.in_flight = 0;
        state.closed = true;
        state.abandoned = true;
        drop(state);
        self.settled.notify_all();
        abandoned
    }

    fn backlog_bytes(&self) -> u64 {
        let state = self.lock();
        state.full.iter().map(|batch| batch.spans.len() as u64).sum::<u64>() + state.filling.len() as u64
    }

    fn waiting(&self) -> u64 {
        let state = self.lock();
        state.full.iter().map(|batch| batch.count).sum::<u64>() + state.filling_count + state.in_flight
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
        let origin = Origin::Memory { first: self.next_number - self.filling_count };
        self.full.push_back(Batch { spans, count: self.filling_count, attempts: 0, origin });
        self.filling_count = 0;
        self.since = None;
    }

    const fn is_hurried(&self) -> bool {
        self.hurrying > 0 || self.closed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const BARE: Rank = Rank::TurnEnd;

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
            outbox.settle(&batch, &mut || {});
        }
        counts
    }

    #[test]
    fn batches_are_cut_by_count_and_by_bytes() {
        let by_count = outbox(2, 1000, 1000);
        (0..5).for_each(|_| assert!(by_count.push(&[0; 10], BARE).is_ok()));
        assert_eq!(sent(&by_count), [2, 2]);
        by_count.hurry(false);
        assert_eq!(sent(&by_count), [1]);
        let by_bytes = outbox(100, 25, 1000);
        (0..5).for_each(|_| assert!(by_bytes.push(&[0; 10], BARE).is_ok()));
        assert_eq!(sent(&by_bytes), [2, 2]);
    }

    #[test]
    fn one_huge_span_is_refused_alone() {
        let outbox = outbox(10, 25, 1000);
        assert!(outbox.push(&[0; 10], BARE).is_ok());
        assert_eq!(outbox.push(&[0; 26], BARE), Err(NotTaken::Lost(Drop::SpanTooLarge)));
        assert_eq!(outbox.push(&[0; 26], Rank::Content), Err(NotTaken::Content), "it may be shorter without");
        assert!(outbox.push(&[0; 10], BARE).is_ok());
        outbox.hurry(true);
        assert_eq!(sent(&outbox), [2]);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_until_it_is_answered() {
        let outbox = outbox(1, 25, 30);
        let full = Err(NotTaken::Lost(Drop::ExportQueueFull));
        assert!(outbox.push(&[0; 20], BARE).is_ok());
        assert_eq!(outbox.push(&[0; 20], BARE), full);
        let Next::Send(batch) = outbox.next() else { panic!("a full batch is due") };
        assert_eq!(outbox.push(&[0; 20], BARE), full, "it is in flight");
        outbox.again(vec![batch]);
        assert_eq!(outbox.waiting(), 1);
        assert_eq!(sent(&outbox), [1]);
        assert!(outbox.push(&[0; 20], BARE).is_ok());
    }

    #[test]
    fn where_room_runs_short_content_goes_first_and_the_end_of_a_turn_last() {
        let outbox = outbox(1, 1600, 1600);
        let push = |rank| outbox.push(&[0; 100], rank).is_ok();
        let mut taken = Vec::new();
        for rank in [Rank::Content, Rank::Completed, Rank::Failed, Rank::TurnEnd] {
            // Each span counts against the number of spans as well: it is sent, and its bytes stay in flight.
            let mut count = 0;
            while push(rank) {
                count += 1;
                assert!(matches!(outbox.next(), Next::Send(_)));
                outbox.lock().spans = 0;
            }
            taken.push(count);
        }
        assert_eq!(taken, [12, 2, 1, 1]);
    }

    #[test]
    fn the_first_span_wakes_a_sender_that_sleeps_and_none_that_will_look_by_itself() {
        let outbox = outbox(2, 25, 1000);
        assert!(matches!(outbox.next(), Next::Wait(None)));
        assert_eq!(outbox.push(&[0; 10], BARE), Ok(true), "it sleeps");
        assert!(matches!(outbox.next(), Next::Wait(Some(_))));
        assert_eq!(outbox.push(&[0; 10], BARE), Ok(true), "a batch is full");
        assert_eq!(sent(&outbox), [2]);
        assert_eq!(outbox.push(&[0; 10], BARE), Ok(false), "it waits once more after a batch");
        assert!(matches!(outbox.next(), Next::Wait(Some(_))));
        outbox.hurry(false);
        assert_eq!(sent(&outbox), [1]);
        assert!(matches!(outbox.next(), Next::Wait(None)), "and then it sleeps");
        assert_eq!(outbox.push(&[0; 10], BARE), Ok(true));
    }

    #[test]
    fn a_closed_outbox_stops_when_it_is_empty_and_takes_nothing() {
        let outbox = outbox(10, 25, 30);
        assert!(outbox.push(&[0; 20], BARE).is_ok());
        outbox.hurry(true);
        assert_eq!(outbox.push(&[0; 1], BARE), Err(NotTaken::Lost(Drop::ShutDown)));
        assert_eq!(sent(&outbox), [1]);
        assert!(matches!(outbox.next(), Next::Stop));
        assert!(outbox.wait_for_all(std::time::Instant::now()));
    }
}
