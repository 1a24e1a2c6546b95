//! The way from the callers to a sink: where events are taken in, and where flushes and the shutdown are asked for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use super::ending::Ending;
use super::guarded::{drained, guarded};
use super::newest::{Newest, Swap};
use super::pipeline::Pipeline;
use super::progress::Progress;
use super::queue::{Asked, Bounds, Flush, Queue};
use super::settlement::Settlement;
use super::turns::Turns;
use super::weight::drop_content;
use super::{Counters, Counts, Drained, Drop, Relay, Sink, Timepiece, Whole};
use crate::event::{At, Event, Raw};
use crate::privacy::Policy;

/// The way from the callers to a sink. One thread of its own does all the work.
pub struct Intake {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    settlement: Arc<Settlement>,
    ending: Ending,
    newest: Arc<Newest>,
    sink: Arc<dyn Sink>,
    progress: Option<Arc<Progress>>,
    /// How long a caller waits for its event to be kept.
    wait: Option<Duration>,
    /// The pipeline, where callers veil what they hand in.
    inline: Option<Arc<Turns>>,
    /// After a `fork`: all that was open here is counted.
    is_left: AtomicBool,
}

/// What a caller does beside handing in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// It waits so long for its event to be kept by a durable sink.
    pub(crate) wait: Option<Duration>,
    /// It veils its event itself.
    pub(crate) is_inline: bool,
}

/// The pipeline could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the pipeline's thread could not be started")]
pub struct IntakeError(#[source] std::io::Error);

impl Intake {
    /// Starts the pipeline's thread.
    pub(crate) fn start(
        policy: Policy,
        sink: Arc<dyn Sink>,
        bounds: Bounds,
        manner: Manner,
        counters: Arc<Counters>,
        clock: Timepiece,
    ) -> Result<Self, IntakeError> {
        let progress = sink.durable().map(|_| Arc::new(Progress::default()));
        let queue = Arc::new(Queue::new(bounds, manner.wait.is_some()));
        let settlement = Arc::new(Settlement::default());
        let newest = Arc::new(Newest::new(&policy));
        let shared = (Arc::clone(&queue), Arc::clone(&counters), Arc::clone(&settlement));
        let pipeline = Pipeline::new(shared, policy, &newest, Arc::clone(&sink), progress.clone());
        let turns = Arc::new(Turns::new(pipeline, Arc::clone(&sink)));
        let inline = manner.is_inline.then(|| Arc::clone(&turns));
        let waiting = Arc::clone(&queue);
        std::thread::Builder::new()
            .name("veilspan-pipeline".to_owned())
            .spawn(move || {
                let look_after = || clock.look_after();
                look_after();
                waiting.wait(look_after);
                while turns.take() {
                    look_after();
                    waiting.wait(look_after);
                }
            })
            .map_err(IntakeError)?;
        let wait = manner.wait.filter(|_| progress.is_some());
        let is_left = AtomicBool::new(false);
        Ok(Self {
            queue,
            counters,
            settlement,
            ending: Ending::default(),
            newest,
            sink,
            progress,
            wait,
            inline,
            is_left,
        })
    }

    /// Takes the event that opens a call. `false`: there was no room, and the call must not be closed either.
    pub(crate) fn open(&self, event: Box<Event<Raw>>) -> bool {
        let seq = event.at.seq;
        let taken = self.queue.open(self.useful(event));
        if taken.is_err() {
            // The queue counts those that it takes.
            self.counters.add_started();
        }
        let taken = self.count(taken);
        self.veil_inline();
        self.settle(seq, taken);
        taken
    }

    /// Takes a span that has closed and was counted as open before. What closes after the shutdown was counted by that.
    pub(crate) fn whole(&self, mut whole: Box<dyn Whole>) {
        if !self.newest.takes_content() {
            whole.drop_content();
        }
        let (opened, closed) = (whole.opened_at().seq, whole.closed_at().seq);
        let taken = match self.queue.whole(whole) {
            Err(Drop::ShutDown) => false,
            Err(reason) => {
                self.counters.add_lost_span(reason);
                false
            }
            taken => self.count(taken),
        };
        self.veil_inline();
        if !taken {
            self.settle(opened, false);
        }
        // Who waits for the end waits for the whole.
        self.settle(closed, taken);
    }

    /// The next number in this process' order of events.
    pub(crate) fn next_seq(&self) -> u64 {
        self.queue.next_seq()
    }

    /// Takes a mark of a call that was taken, or what was learned of it.
    pub(crate) fn mark(&self, event: Box<Event<Raw>>) {
        let seq = event.at.seq;
        let taken = self.queue.mark(self.useful(event));
        // The call itself is told, or counted, by the shutdown.
        if !self.count(taken.map_err(|reason| if reason == Drop::ShutDown { Drop::MarkLost } else { reason })) {
            self.skip(seq);
        }
        self.veil_inline();
    }

    /// Takes the event that closes a call that was taken. After a shutdown, which has ended the call, it tells nothing.
    pub(crate) fn close(&self, event: Box<Event<Raw>>) {
        let seq = event.at.seq;
        let is_taken = match self.queue.close(self.useful(event)) {
            Err(Drop::ShutDown) => false,
            Err(Drop::Forked) if self.is_left.load(Ordering::Relaxed) => false,
            taken => self.count(taken),
        };
        self.veil_inline();
        self.settle(seq, is_taken);
    }

    /// Veils what was handed in, where callers do that. After a `fork` another thread may have been in its turn.
    #[inline]
    fn veil_inline(&self) {
        if let Some(turns) = &self.inline
            && !self.queue.is_elsewhere()
        {
            turns.take_inline();
        }
    }

    /// An event that was taken may have to be waited for; of one that was not nobody will ever hear.
    #[inline]
    fn settle(&self, seq: Option<u64>, taken: bool) {
        if let (Some(progress), Some(seq)) = (&self.progress, seq) {
            self.settle_with(progress, seq, taken);
        }
    }

    fn settle_with(&self, progress: &Progress, seq: u64, taken: bool) {
        if !taken {
            progress.skip(seq);
        } else if let Some(wait) = self.wait
            && !progress.wait_for(seq, wait)
        {
            self.counters.add_wait_cut_short();
        }
    }

    /// An event took a place in the order of events and is not handed in.
    pub(crate) fn skip(&self, seq: Option<u64>) {
        self.settle(seq, false);
    }

    /// The last of all events from the first on that are kept so that they outlive this process, or were never taken.
    pub(crate) fn durable_seq(&self) -> Option<u64> {
        self.progress.as_ref()?.watermark()
    }

    /// From now on calls open under this policy. Those that are open keep theirs, except that what it lets less leave of holds
    /// for all that has not been encoded.
    pub(crate) fn set_policy(&self, policy: Policy) {
        self.newest.set(Swap { seq: self.queue.coming_seq(), policy });
    }

    /// The event without content, where nothing may be told of any.
    fn useful(&self, mut event: Box<Event<Raw>>) -> Box<Event<Raw>> {
        if !self.newest.takes_content() {
            drop_content(event.key, &mut event.kind);
        }
        event
    }

    fn count(&self, taken: Result<bool, Drop>) -> bool {
        match taken {
            Ok(false) => true,
            Ok(true) => {
                self.counters.add_dropped(Drop::ContentOverBound, 1);
                true
            }
            Err(reason) => {
                self.counters.add_dropped(reason, 1);
                false
            }
        }
    }

    /// Waits until all that was recorded before has left, or `timeout` has passed.
    pub(crate) fn flush(&self, timeout: Duration) -> Drained {
        if self.queue.is_elsewhere() {
            return Drained { complete: true, counts: self.counts() };
        }
        match self.drain(timeout, None) {
            Some(complete) => Drained { complete, counts: self.counts() },
            None => self.second(timeout),
        }
    }

    /// The same for the last time, at `at`: calls that are open are told as abandoned, those that open later are counted as
    /// lost.
    pub(crate) fn shutdown(&self, timeout: Duration, at: At) -> Drained {
        if self.queue.is_elsewhere() {
            return self.leave();
        }
        self.skip(at.seq);
        let Some(complete) = self.drain(timeout, Some(at)) else { return self.second(timeout) };
        if !complete && let Some(settled) = self.settlement.give_up() {
            self.counters.add_dropped(Drop::ShutDown, self.queue.opened().saturating_sub(settled));
        }
        self.ending.tell(complete);
        Drained { complete, counts: self.counts() }
    }

    /// Counts all that this process will never tell, since it was forked off.
    fn leave(&self) -> Drained {
        if !self.is_left.swap(true, Ordering::Relaxed) {
            self.counters.shut_spans(self.queue.whole_ones());
            let counts = self.counts();
            let told = counts.recorded.saturating_add(counts.dropped.calls());
            self.counters.add_dropped(Drop::Forked, counts.started.saturating_sub(told));
        }
        Drained { complete: true, counts: self.counts() }
    }

    /// It is being shut down or has been: whoever comes second hears how that ends.
    fn second(&self, timeout: Duration) -> Drained {
        let complete = self.ending.wait(timeout.min(DAY));
        Drained { complete, counts: self.counts() }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counters.set_started_by_hand(self.queue.started());
        Counts { payloads: self.newest.payload_counts(), ..self.counters.read() }
    }

    /// Whether nothing waits any more; nothing where it was shut down before.
    fn drain(&self, timeout: Duration, last: Option<At>) -> Option<bool> {
        let timeout = timeout.min(DAY);
        // The sink stops a little before the caller does, so that its answer still counts.
        let margin = Duration::from_millis(100).min(timeout / 4);
        let deadline = Instant::now() + timeout - margin;
        let complete = match self.sink.relay().filter(|_| last.is_none()) {
            Some(relay) => self.relayed(relay, deadline)?,
            None => self.answered(deadline, margin, last)?,
        };
        Some(complete & self.newest.flush_stores(deadline))
    }

    /// Waits for the sink, which the pipeline tells when everything has been handed over.
    fn relayed(&self, relay: &dyn Relay, deadline: Instant) -> Option<bool> {
        let Some(number) = guarded(|| relay.announce()) else { return Some(false) };
        let asked = self.queue.flush(Flush { deadline, last: None, asked: Asked::Sink(number) });
        // Nobody begins what was not asked for.
        let until = if asked.is_ok() { deadline } else { Instant::now() };
        let complete = guarded(|| relay.wait(number, until)).unwrap_or(false);
        asked.ok().map(|()| complete)
    }

    /// Waits for the pipeline's answer, and for the sink where that drains alone.
    fn answered(&self, deadline: Instant, margin: Duration, last: Option<At>) -> Option<bool> {
        let (answer, answered) = sync_channel(1);
        let is_alone = self.sink.drains_alone();
        let asked = self.queue.flush(Flush { deadline, last, asked: Asked::Pipeline { is_alone, answer } });
        if last.is_some() {
            // From here on nothing is taken.
            self.counters.shut_spans(self.queue.whole_ones());
        }
        asked.ok()?;
        let left = deadline.saturating_duration_since(Instant::now()) + margin;
        let complete = answered.recv_timeout(left).unwrap_or(false);
        // The pipeline has handed everything over, and goes on meanwhile.
        Some(complete & (!is_alone || drained(&*self.sink, deadline, last.is_some())))
    }
}

/// A time-out beyond what the clock can hold means to wait for a day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl std::ops::Drop for Intake {
    /// Lets the thread finish what it has, without waiting for it.
    fn drop(&mut self) {
        // There nobody is left who would give back what another thread held when this process was forked off.
        if self.queue.is_elsewhere() {
            return;
        }
        let (answer, _) = sync_channel(1);
        let deadline = Instant::now() + Duration::from_secs(5);
        // Whoever could close a call would still hold this, so that none is open.
        let last = Some(At { time_unix_nano: 0, producer: None, seq: None });
        // Already shut down: nothing is left to do.
        let _ = self.queue.flush(Flush { deadline, last, asked: Asked::Pipeline { is_alone: false, answer } });
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Intake>();
};
