//! The pipeline's thread: veils events as they come, folds the two of a call, and hands records to the sink.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::calls::Calls;
use super::newest::Newest;
use super::policies::Policies;
use super::progress::Progress;
use super::queue::{Batch, Item, Queue, Told};
use super::settlement::Settlement;
use super::spares::unboxed;
use super::watch::Watch;
use super::{Counters, Drop, Ranges, Refused, Sink, Whole};
use crate::event::{
    At, Attrs, CallRecord, Closed, Event, Given, Key, Kind, Mark, OpenRecord, Opened, Outcome, Raw, Record, Returned,
    Scope, Veiled,
};
use crate::privacy::{Policy, Veil};
use crate::semconv::END_INFERRED;

/// What the thread works with.
pub(super) struct Pipeline {
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
    progress: Option<Arc<Progress>>,
    /// Events that the sink was offered and may not have kept yet.
    handled: Ranges,
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
    pub(super) fn new(
        (queue, counters, settlement): (Arc<Queue>, Arc<Counters>, Arc<Settlement>),
        policy: Policy,
        newest: &Arc<Newest>,
        sink: Arc<dyn Sink>,
        progress: Option<Arc<Progress>>,
    ) -> Self {
        Self {
            policies: Policies::new(Arc::clone(newest), policy.clone()),
            queue,
            veil: Veil::new(policy),
            losses_seen: sink.losses(),
            sink,
            counters,
            settlement,
            watch: Watch::default(),
            losses: 0,
            open: Calls::default(),
            progress,
            handled: Ranges::default(),
        }
    }

    pub(super) fn run(&mut self) {
        let mut batch = Batch::default();
        loop {
            self.queue.take(&mut batch);
            for Item { told, bytes } in batch.items.drain(..) {
                match told {
                    Told::Event(event) => self.raw_event(unboxed(event), None),
                    Told::Whole(whole) => self.whole(whole),
                }
                self.queue.release(bytes);
            }
            self.commit();
            self.counters.set_veiled(self.veil.counts());
            for flush in batch.flushes.drain(..) {
                if let Some(at) = flush.last {
                    self.abandon(at);
                    self.commit();
                }
                let complete = flush.is_alone || drained(&*self.sink, flush.deadline, flush.last.is_some());
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

    /// Has what was handed over kept, where the sink does that.
    fn commit(&mut self) {
        let Some(progress) = &self.progress else { return };
        let committed = guarded(|| self.sink.durable().is_some_and(|durable| durable.commit()));
        if committed == Some(true) {
            progress.keep(&mut self.handled);
        }
    }

    /// `under` is the policy under which its call opened, where that is known by itself.
    fn raw_event(&mut self, event: Event<Raw>, under: Option<&Policy>) {
        self.forget_history_after_losses();
        self.policies.look(event.at.seq, &mut self.veil);
        let opened_under = under.or_else(|| self.open.get(&event.key).map(|call| &call.policy));
        let event = self.policies.event(opened_under, &mut self.veil, event);
        self.policies.lower_stores();
        self.handle(event.at);
        self.event(event, under.cloned());
    }

    fn whole(&mut self, whole: Box<dyn Whole>) {
        let (opened_at, closed_at) = (whole.opened_at(), whole.closed_at());
        match whole.unfold() {
            Ok([opened, closed]) => {
                let under = self.policies.before(opened_at.seq);
                self.raw_event(opened, under.as_ref());
                self.raw_event(closed, None);
            }
            Err(reason) => {
                [opened_at, closed_at].into_iter().for_each(|at| self.handle(at));
                // Where a shutdown has run out of time it has been counted as lost.
                if self.settlement.claim() {
                    self.counters.add_dropped(reason, 1);
                    self.settlement.settle();
                }
            }
        }
    }

    /// An event needs not be waited for once what is at hand has been kept.
    fn handle(&mut self, at: At) {
        if let (Some(_), Some(seq)) = (&self.progress, at.seq) {
            self.handled.insert(seq);
        }
    }

    fn event(&mut self, event: Event<Veiled>, under: Option<Policy>) {
        let Event { scope, key, at, kind, .. } = event;
        match kind {
            Kind::Opened(opened, given) => self.opened(scope, key, at, opened, given, under),
            Kind::Marked(mark) => self.marked(key, at, mark),
            Kind::Learned(attrs) => {
                if let Some(call) = self.open.get_mut(&key) {
                    call.record.learn(&attrs);
                }
            }
            Kind::Closed(closed, returned) => self.closed(&scope, key, at, closed, returned),
            Kind::Stated { .. } | Kind::Quarantined { .. } | Kind::Tick | Kind::Unknown { .. } => {}
        }
    }

    fn opened(
        &mut self,
        scope: Arc<Scope>,
        key: Key,
        at: At,
        opened: Opened<Veiled>,
        given: Given<Veiled>,
        under: Option<Policy>,
    ) {
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
        let policy = under.unwrap_or_else(|| self.veil.policy().clone());
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
            self.forget(key);
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
                self.forget(key);
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

    fn forget(&self, key: Key) {
        guarded(|| self.sink.durable().map(|durable| durable.forget(key)));
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

/// A sink that panics has not drained.
pub(super) fn drained(sink: &dyn Sink, deadline: Instant, last: bool) -> bool {
    guarded(|| if last { sink.shutdown(deadline) } else { sink.flush(deadline) }).unwrap_or(false)
}

fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}
