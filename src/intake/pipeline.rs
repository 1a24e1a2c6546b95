//! The pipeline's thread: veils events as they come, folds the two of a call, and hands records to the sink.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use super::calls::Calls;
use super::ending::Ending;
use super::newest::{Newest, Swap};
use super::policies::Policies;
use super::queue::{Batch, Bounds, Flush, Item, Queue};
use super::settlement::Settlement;
use super::watch::Watch;
use super::weight::drop_content;
use super::{Counters, Counts, Drained, Drop, Refused, Sink};
use crate::event::{
    At, Attrs, CallRecord, Closed, Event, Given, Key, Kind, Mark, OpenRecord, Opened, Outcome, Raw, Record, Returned,
    Scope, Veiled,
};
use crate::privacy::{Policy, Veil};
use crate::semconv::END_INFERRED;

/// The way from the callers to a sink. One thread of its own does all the work.
pub struct Intake {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    settlement: Arc<Settlement>,
    ending: Ending,
    newest: Arc<Newest>,
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
        counters: Arc<Counters>,
    ) -> Result<Self, IntakeError> {
        let queue = Arc::new(Queue::new(bounds));
        let settlement = Arc::new(Settlement::default());
        let newest = Arc::new(Newest::new(&policy));
        let mut pipeline = Pipeline {
            policies: Policies::new(Arc::clone(&newest), policy.clone()),
            queue: Arc::clone(&queue),
            veil: Veil::new(policy),
            losses_seen: sink.losses(),
            sink,
            counters: Arc::clone(&counters),
            settlement: Arc::clone(&settlement),
            watch: Watch::default(),
            losses: 0,
            open: Calls::default(),
        };
        std::thread::Builder::new()
            .name("veilspan-pipeline".to_owned())
            .spawn(move || pipeline.run())
            .map_err(IntakeError)?;
        Ok(Self { queue, counters, settlement, ending: Ending::default(), newest })
    }

    /// Takes the event that opens a call. `false`: there was no room, and the call must not be closed either.
    pub(crate) fn open(&self, event: Box<Event<Raw>>) -> bool {
        self.counters.add_started();
        self.open_started(event)
    }

    /// The same for a call that has been counted as started before.
    pub(crate) fn open_started(&self, event: Box<Event<Raw>>) -> bool {
        self.count(self.queue.open(self.useful(event)))
    }

    /// The next number in this process' order of events.
    pub(crate) fn next_seq(&self) -> u64 {
        self.queue.next_seq()
    }

    /// Takes a mark of a call that was taken, or what was learned of it.
    pub(crate) fn mark(&self, event: Box<Event<Raw>>) {
        let taken = self.queue.mark(self.useful(event));
        // The call itself is told, or counted, by the shutdown.
        self.count(taken.map_err(|reason| if reason == Drop::ShutDown { Drop::MarkLost } else { reason }));
    }

    /// Takes the event that closes a call that was taken. After a shutdown, which has ended the call, it tells nothing.
    pub(crate) fn close(&self, event: Box<Event<Raw>>) {
        match self.queue.close(self.useful(event)) {
            Err(Drop::ShutDown) => {}
            taken => {
                self.count(taken);
            }
        }
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
        match self.drain(timeout, None) {
            Some(complete) => Drained { complete, counts: self.counts() },
            None => self.second(timeout),
        }
    }

    /// The same for the last time, at `at`: calls that are open are told as abandoned, those that open later are counted as
    /// lost.
    pub(crate) fn shutdown(&self, timeout: Duration, at: At) -> Drained {
        let Some(complete) = self.drain(timeout, Some(at)) else { return self.second(timeout) };
        if !complete && let Some(settled) = self.settlement.give_up() {
            self.counters.add_dropped(Drop::ShutDown, self.queue.opened().saturating_sub(settled));
        }
        self.ending.tell(complete);
        Drained { complete, counts: self.counts() }
    }

    /// It is being shut down or has been: whoever comes second hears how that ends.
    fn second(&self, timeout: Duration) -> Drained {
        let complete = self.ending.wait(timeout.min(DAY));
        Drained { complete, counts: self.counts() }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// Whether nothing waits any more; nothing where it was shut down before.
    fn drain(&self, timeout: Duration, last: Option<At>) -> Option<bool> {
        let timeout = timeout.min(DAY);
        // The sink stops a little before the caller does, so that its answer still counts.
        let margin = Duration::from_millis(100).min(timeout / 4);
        let (answer, answered) = sync_channel(1);
        self.queue.flush(Flush { deadline: Instant::now() + timeout - margin, last, answer }).ok()?;
        Some(answered.recv_timeout(timeout).unwrap_or(false))
    }
}

/// A time-out beyond what the clock can hold means to wait for a day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl std::ops::Drop for Intake {
    /// Lets the thread finish what it has, without waiting for it.
    fn drop(&mut self) {
        let (answer, _) = sync_channel(1);
        let deadline = Instant::now() + Duration::from_secs(5);
        // Whoever could close a call would still hold this, so that none is open.
        let last = Some(At { time_unix_nano: 0, producer: None, seq: None });
        // Already shut down: nothing is left to do.
        let _ = self.queue.flush(Flush { deadline, last, answer });
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

struct Pipeline {
    queue: Arc<Queue>,
    veil: Veil,
    sink: Arc<dyn Sink>,
    counters: Arc<Counters>,
    settlement: Arc<Settlement>,
    watch: Watch,
    /// How often something was lost, as far as the history that was told is concerned.
    losses: u64,
    losses_seen: u64,
    open: Calls<Box<OpenCall>>,
    policies: Policies,
}

/// What a call's opened event told, until its closed event comes: the record, of which the close is still missing. On the
/// heap, since it is larger than all else here and would move with every step.
struct OpenCall {
    record: CallRecord<Veiled>,
    /// The losses that had happened when it was veiled.
    losses: u64,
    /// The policy under which it was veiled.
    policy: Policy,
}

impl Pipeline {
    fn run(&mut self) {
        let mut batch = Batch::default();
        loop {
            self.queue.take(&mut batch);
            for Item { event, bytes } in batch.items.drain(..) {
                self.forget_history_after_losses();
                self.policies.look(event.at.seq, &mut self.veil);
                let opened_under = self.open.get(&event.key).map(|call| &call.policy);
                let event = self.policies.event(opened_under, &mut self.veil, *event);
                self.queue.release(bytes);
                self.event(event);
            }
            self.counters.set_labels_replaced(self.veil.counts().labels_replaced);
            for flush in batch.flushes.drain(..) {
                if let Some(at) = flush.last {
                    self.abandon(at);
                }
                let drain = if flush.last.is_some() { Sink::shutdown } else { Sink::flush };
                let sink = Arc::clone(&self.sink);
                let complete = guarded(|| drain(&*sink, flush.deadline)).unwrap_or(false);
                self.watch.look(&self.counters);
                // Nobody may be waiting any more.
                let _ = flush.answer.send(complete);
                if flush.last.is_some() {
                    return;
                }
            }
            self.watch.look(&self.counters);
        }
    }

    fn event(&mut self, event: Event<Veiled>) {
        let Event { scope, key, at, kind, .. } = event;
        match kind {
            Kind::Opened(opened, given) => self.opened(scope, key, at, opened, given),
            Kind::Marked(mark) => self.marked(key, at, mark),
            Kind::Learned(attrs) => {
                if let Some(call) = self.open.get_mut(&key) {
                    call.record.learn(&attrs);
                }
            }
            Kind::Closed(closed, returned) => self.closed(&scope, key, at, closed, returned),
            Kind::Tick | Kind::Unknown { .. } => {}
        }
    }

    fn opened(&mut self, scope: Arc<Scope>, key: Key, at: At, opened: Opened<Veiled>, given: Given<Veiled>) {
        if self.sink.wants_opened() {
            let open = || OpenRecord { scope: Arc::clone(&scope), key, at, opened: opened.clone() };
            if let Err(refused) = self.offer(|| Record::Opened(open())) {
                // Where a shutdown has run out of time it has been counted as lost.
                if self.settlement.claim() {
                    self.counters.add_dropped(refused.reason, 1);
                    self.settlement.settle();
                }
                return;
            }
        }
        let record = CallRecord::open(scope, key, at, opened, given);
        let policy = self.veil.policy().clone();
        self.open.insert(key, Box::new(OpenCall { record, losses: self.losses, policy }));
    }

    /// A mark of a call that was refused is lost with it.
    fn marked(&mut self, key: Key, at: At, mark: Mark<Veiled>) {
        let is_kept = self.open.get_mut(&key).is_some_and(|call| call.record.mark(at, mark));
        if !is_kept {
            self.counters.add_dropped(Drop::MarkLost, 1);
        }
    }

    fn closed(&mut self, scope: &Scope, key: Key, at: At, closed: Closed<Veiled>, returned: Returned<Veiled>) {
        let Some(mut call) = self.open.remove(&key) else {
            // The opening was refused and counted then: the close is not offered.
            return;
        };
        call.record.close(at, closed, returned);
        // A shutdown closes calls without an event.
        self.policies.look(None, &mut self.veil);
        self.policies.lower(&call.policy, &mut call.record);
        let losses = call.losses;
        let (chain, is_whole) = match &call.record.given {
            Given::Request(request) => (request.chain, request.prefix.is_none()),
            Given::Arguments(_) | Given::Texts(_) => (None, true),
        };
        if !self.settlement.claim() {
            // Whoever shut down has counted this call as lost.
            return;
        }
        let taken = self.offer(|| Record::Closed(call.record));
        if !self.settlement.settle() {
            return;
        }
        match taken {
            Ok(()) => {
                self.counters.add_recorded();
                // What builds on a prefix that was lost meanwhile is no prefix for others.
                if is_whole || losses == self.losses {
                    self.veil.accepted(scope, key.kind, chain);
                }
            }
            Err(refused) => {
                self.counters.add_dropped(refused.reason, 1);
                self.forget_history();
            }
        }
    }

    /// Ends what is open at a shutdown, in the order in which it was opened.
    fn abandon(&mut self, at: At) {
        let mut keys: Vec<_> = self.open.values().map(|call| (call.record.opened_at, call.record.key())).collect();
        keys.sort_unstable();
        for (_, key) in keys {
            let Some(call) = self.open.get(&key) else { continue };
            let scope = Arc::clone(&call.record.scope);
            let mut attrs = Attrs::default();
            attrs.set(END_INFERRED, true);
            let closed =
                Closed { outcome: Some(Outcome::Abandoned), attrs, error: Default::default(), links: Vec::new() };
            self.closed(&scope, key, at, closed, Returned::empty(key.kind));
        }
    }

    /// A sink that panics has refused: the pipeline lives on.
    fn offer(&self, record: impl FnOnce() -> Record) -> Result<(), Refused> {
        guarded(|| self.sink.take(record())).unwrap_or(Err(Refused::default()))
    }

    fn forget_history_after_losses(&mut self) {
        let losses = self.sink.losses();
        if losses != self.losses_seen {
            self.losses_seen = losses;
            self.forget_history();
        }
    }

    fn forget_history(&mut self) {
        self.losses += 1;
        self.veil.lost();
    }
}

fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Intake>();
};
