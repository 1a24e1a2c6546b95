//! Spans that wait in memory, in portions that one request can carry, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::time::Instant;

use crate::export::barrier::Barriers;
use crate::export::batch::{Batch, Origin};
use crate::export::limits::{Limits, Rank};
use crate::export::queue::{Next, Queue};
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
    /// Until when the sender looks by itself although nothing waits.
    lively: Option<Instant>,
    /// How many want everything that waits to be sent without delay.
    hurrying: usize,
    closed: bool,
    /// What waited was given up and counted.
    abandoned: bool,
}

/// Why a span was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::export) enum NotTaken {
    /// There would be room for it without its content.
    Content,
    Lost(Drop),
}

impl Outbox {
    pub(in crate::export) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), settled: Condvar::new() }
    }

    /// Adds encoded fields that hold so many spans, which stay together. `Ok(true)`: the sender has to look.
    #[cfg(feature = "collector")]
    pub(in crate::export) fn push_fields(&self, fields: &[u8], spans: u64, rank: Rank) -> Result<bool, NotTaken> {
        self.write(spans, rank, |out| out.extend_from_slice(fields))
    }

    /// The same for fields that `write` appends where they will leave from. Who sends may have to wait for it.
    pub(in crate::export) fn write(
        &self,
        spans: u64,
        rank: Rank,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<bool, NotTaken> {
        let lost = |reason| if rank == Rank::Content { NotTaken::Content } else { NotTaken::Lost(reason) };
        let mut state = self.lock();
        if state.closed {
            return Err(NotTaken::Lost(Drop::ShutDown));
        }
        if state.spans >= self.limits.queue_spans {
            return Err(NotTaken::Lost(Drop::ExportQueueFull));
        }
        let start = state.filling.len();
        write(&mut state.filling);
        let length = state.filling.len().saturating_sub(start);
        let room = rank.of(self.limits.queue_bytes).saturating_sub(state.bytes);
        if length > self.limits.batch_bytes || length > room {
            state.filling.truncate(start);
            let is_too_large = length > self.limits.batch_bytes;
            return Err(lost(if is_too_large { Drop::SpanTooLarge } else { Drop::ExportQueueFull }));
        }
        let mut due = state.since.is_none() && !state.watched;
        if state.filling.len() > self.limits.batch_bytes {
            let of_the_next = state.filling.split_off(start);
            state.complete_batch();
            state.filling.extend_from_slice(&of_the_next);
            due = true;
        }
        state.filling_count += spans;
        state.bytes += length;
        state.spans += usize::try_from(spans).unwrap_or(usize::MAX);
        state.next_number += spans;
        state.since.get_or_insert_with(Instant::now);
        if state.filling_count >= self.limits.batch_spans as u64 {
            state.complete_batch();
            due = true;
        }
        Ok(due)
    }

    #[cfg(test)]
    pub(in crate::export) fn push(&self, field: &[u8], rank: Rank) -> Result<bool, NotTaken> {
        self.write(1, rank, |out| out.extend_from_slice(field))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody is going to wait for what will wait here by then.
    pub(in crate::export) fn announce(&self) -> u64 {
        self.lock().barriers.announce()
    }

    /// All that is waited for under this ticket is here, and is due. Answers whether there is anything to send for it.
    pub(in crate::export) fn begin(&self, ticket: u64) -> bool {
        let mut state = self.lock();
        let (below, left) = (state.next_number, state.spans as u64);
        if !state.barriers.begin(ticket, below, left) {
            return false;
        }
        state.hurrying += 1;
        drop(state);
        if left == 0 {
            self.settled.notify_all();
        }
        left > 0
    }

    /// Waits until all of it is settled, and tells whether that came before the deadline.
    pub(in crate::export) fn wait(&self, ticket: u64, deadline: std::time::Instant) -> bool {
        let (mut state, is_over) = self.wait_until_over(self.lock(), ticket, deadline);
        if state.barriers.leave(ticket) {
            state.hurrying = state.hurrying.saturating_sub(1);
        }
        is_over
    }

    fn wait_until_over<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        ticket: u64,
        deadline: std::time::Instant,
    ) -> (MutexGuard<'s, State>, bool) {
        loop {
            if state.abandoned || state.barriers.is_over(ticket) {
                let is_over = !state.abandoned;
                return (state, is_over);
            }
            let left = deadline.checked_duration_since(std::time::Instant::now());
            let Some(left) = left.filter(|left| !left.is_zero()) else { return (state, false) };
            let waited = self.settled.wait_timeout(state, left);
            state = waited.map(|(state, _)| state).unwrap_or_else(|poisoned| poisoned.into_inner().0);
        }
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
            state.lively = Instant::now().checked_add(self.limits.batch_delay);
            return Next::Send(batch);
        }
        if state.closed {
            return Next::Stop;
        }
        // Where spans keep coming the sender waits although there is nothing, so that the first span of each batch need not
        // wake it: nothing that comes until then is due before.
        let until = due.or_else(|| state.lively.filter(|until| *until > Instant::now()));
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
        let (mut state, is_over) = self.wait_until_over(state, ticket, deadline);
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
        // The next batch will be about as long, so that its buffer need not grow step by step, and a little more is not twice.
        let next = Vec::with_capacity(self.filling.len() + self.filling.len() / 16);
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
mod tests;
