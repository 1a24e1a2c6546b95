//! The pipeline: veils events as they come, folds the two of a call, and hands records to the sink.

use std::sync::Arc;

use super::guarded::guarded;
use super::newest::Newest;
use super::open_call::{OpenCall, Then};
use super::open_calls::OpenCalls;
use super::policies::Policies;
use super::progress::Progress;
use super::queue::{Batch, Queue};
use super::settlement::Settlement;
use super::step::Step;
use super::told::Item;
use super::watch::Watch;
use super::{Counters, Drop, Ranges, Refused, Sink};
use crate::event::{
    At, Attrs, CallRecord, Closed, Event, Given, Key, Kind, Mark, Outcome, Raw, RawAttrs, Record, Returned, Veiled,
};
use crate::privacy::{Foretold, Pass, Policy, Veil, says_something};
use crate::semconv::END_INFERRED;

/// What it works with.
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
    open: OpenCalls,
    /// Calls that have opened and of which a durable sink has not been told, and how many have opened since it last was.
    untold: Vec<Key>,
    since_told: usize,
    policies: Policies,
    progress: Option<Arc<Progress>>,
    /// Events that the sink was offered and may not have kept yet.
    handled: Ranges,
    /// Empty between two turns.
    steps: Vec<Step>,
}

/// So many bytes of events that are done may still count as waiting.
const RELEASED_AT_ONCE: usize = 16 << 10;
/// So much of what says something is looked at before it is veiled, and less where it is long.
const STEPS_AT_ONCE: usize = 16;
const BYTES_AT_ONCE: usize = 256 << 10;
/// Most calls of a busy host have closed when so many more have opened. Those that have not are told of, so that room is kept
/// for their closes before others take it.
const TOLD_AFTER: usize = 8;

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
            open: OpenCalls::default(),
            untold: Vec::new(),
            since_told: 0,
            progress,
            handled: Ranges::default(),
            steps: Vec::new(),
        }
    }

    /// Takes what waits, and hands it on. Who waits for a flush is left in the batch; where it is the last, nothing is open
    /// any more.
    pub(super) fn turn(&mut self, batch: &mut Batch, with_flushes: bool) {
        self.queue.fill(batch, with_flushes);
        let (mut steps, nothing) = (std::mem::take(&mut self.steps), Foretold::default());
        let (mut veiled, mut waiting) = (0, 0);
        for Item { told, bytes, .. } in batch.items.drain(..) {
            let step = Step::of(told);
            veiled += bytes;
            // Only what says something is worth waiting for others, and only what comes after it has to wait too.
            if steps.is_empty() && !step.events().any(says_something) {
                self.step(&step, &nothing);
                step.give();
            } else {
                steps.push(step);
                waiting += bytes;
                if steps.len() == STEPS_AT_ONCE || waiting >= BYTES_AT_ONCE {
                    waiting = 0;
                    self.steps(&mut steps);
                }
            }
            // The count is shared with all callers, so it is touched once for many events.
            if veiled >= RELEASED_AT_ONCE && steps.is_empty() {
                self.queue.release(std::mem::take(&mut veiled));
            }
        }
        self.steps(&mut steps);
        self.steps = steps;
        self.queue.release(veiled);
        self.commit();
        self.counters.set_veiled(self.veil.counts());
        self.counters.set_started_by_hand(self.queue.started());
        if let Some(at) = batch.flushes.iter().find_map(|flush| flush.last) {
            self.abandon(at);
            self.commit();
        }
    }

    /// Tells what was lost, where it is time to.
    pub(super) fn look(&mut self) {
        self.watch.look(&self.counters);
    }

    /// Has what was handed over kept, where the sink does that.
    fn commit(&mut self) {
        self.tell_open();
        let Some(progress) = &self.progress else { return };
        let committed = guarded(|| self.sink.durable().is_some_and(|durable| durable.commit()));
        if committed == Some(true) {
            progress.keep(&mut self.handled);
        }
    }

    /// Has a durable sink told of an opening, a little later.
    fn tell_later(&mut self, key: Key) {
        if self.since_told >= TOLD_AFTER {
            self.tell_open();
        }
        self.since_told += 1;
        self.untold.push(key);
    }

    /// Offers the openings of calls that are open still: what has closed meanwhile is told by its close.
    fn tell_open(&mut self) {
        self.since_told = 0;
        let mut untold = std::mem::take(&mut self.untold);
        for key in untold.drain(..) {
            let Some(call) = self.open.get(&key) else { continue };
            if let Err(refused) = self.offer_opening(key, call) {
                self.open.remove(&key);
                self.refuse(refused);
            }
        }
        self.untold = untold;
    }

    fn offer_opening(&self, key: Key, call: &OpenCall) -> Result<(), Refused> {
        self.offer(|| Record::Opened(Box::new(call.open_record(key))))
    }

    /// A call of which nothing was handed on is lost.
    fn refuse(&self, refused: Refused) {
        // Where a shutdown has run out of time it has been counted as lost.
        if self.settlement.claim() {
            self.counters.add_dropped(refused.reason, 1);
            self.settlement.settle();
        }
    }

    /// Takes all of these, of which the texts are hashed side by side.
    fn steps(&mut self, steps: &mut Vec<Step>) {
        if steps.is_empty() {
            return;
        }
        let foretold = self.veil.foretell(steps.iter().flat_map(Step::events));
        steps.iter().for_each(|step| self.step(step, &foretold));
        drop(foretold);
        steps.drain(..).for_each(Step::give);
    }

    fn step(&mut self, step: &Step, foretold: &Foretold<'_>) {
        match step {
            Step::Event(event) => self.event(event, foretold),
            Step::Whole { opened_at, closed_at, events } => self.whole(*opened_at, *closed_at, events, foretold),
        }
    }

    fn event(&mut self, event: &Event<Raw>, foretold: &Foretold<'_>) {
        self.keep_up(event.at);
        match &event.kind {
            Kind::Opened(..) => {
                if let Some(call) = self.opened(event, None, foretold) {
                    if self.sink.wants_opened() && self.progress.is_some() {
                        self.tell_later(event.key);
                    }
                    self.open.insert(event.key, call);
                }
            }
            Kind::Marked(mark) => self.marked(event, mark, foretold),
            Kind::Learned(attrs) => self.learned(event, attrs, foretold),
            Kind::Closed(..) => {
                let call = self.open.remove(&event.key);
                self.closed(event, call, foretold);
            }
            Kind::Stated { .. } | Kind::Quarantined { .. } | Kind::Tick | Kind::Unknown { .. } => {}
        }
    }

    /// What has happened meanwhile, before an event of this time is veiled.
    fn keep_up(&mut self, at: At) {
        self.forget_history_after_losses();
        self.policies.look(at.seq, &mut self.veil);
    }

    /// What `work` makes of an event of a call that opened under `policy`.
    fn veiled<T>(
        &mut self,
        event: &Event<Raw>,
        policy: Option<&Policy>,
        foretold: &Foretold<'_>,
        work: impl FnOnce(&mut Pass<'_>) -> T,
    ) -> T {
        let other = self.policies.other(policy, &self.veil);
        let veiled = self.veil.pass(other.as_ref(), event.scope.tenant.as_ref(), foretold, work);
        self.policies.lower_stores();
        self.handle(event.at);
        veiled
    }

    fn whole(
        &mut self,
        opened_at: At,
        closed_at: At,
        events: &Result<[Box<Event<Raw>>; 2], Drop>,
        foretold: &Foretold<'_>,
    ) {
        match events {
            Ok([opened, closed]) => {
                // The policy under which it opened, where that is another one by now.
                let under = self.policies.before(opened_at.seq);
                self.keep_up(opened_at);
                let call = self.opened(opened, under.as_ref(), foretold);
                self.keep_up(closed_at);
                self.closed(closed, call, foretold);
            }
            Err(reason) => {
                [opened_at, closed_at].into_iter().for_each(|at| self.handle(at));
                self.refuse(Refused { reason: *reason });
            }
        }
    }

    /// An event needs not be waited for once what is at hand has been kept.
    fn handle(&mut self, at: At) {
        if let (Some(_), Some(seq)) = (&self.progress, at.seq) {
            self.handled.insert(seq);
        }
    }

    /// Nothing where the call was refused.
    fn opened(&mut self, event: &Event<Raw>, under: Option<&Policy>, foretold: &Foretold<'_>) -> Option<OpenCall> {
        let Kind::Opened(opened, given) = &event.kind else { return None };
        let Event { key, at, .. } = *event;
        let (scope, given, opened) = self.veiled(event, under, foretold, |pass| {
            let scope = pass.scope(&event.scope, Some(&opened.span));
            let given = (!given.is_nothing()).then(|| Box::new(pass.given(key.kind, &scope, &opened.span, given)));
            (scope, given, pass.opened(opened))
        });
        let policy = under.unwrap_or_else(|| self.veil.policy()).clone();
        let call = OpenCall::new(scope, at, (opened, given), Then { losses: self.losses, policy });
        if self.sink.wants_opened()
            && self.progress.is_none()
            && let Err(refused) = self.offer_opening(key, &call)
        {
            self.refuse(refused);
            return None;
        }
        Some(call)
    }

    /// A mark of a call that was refused is lost with it.
    fn marked(&mut self, event: &Event<Raw>, mark: &Mark<Raw>, foretold: &Foretold<'_>) {
        let policy = self.policy_of(event.key);
        let mark = self.veiled(event, policy.as_ref(), foretold, |pass| {
            let scope = pass.scope(&event.scope, None);
            pass.mark(&scope, mark)
        });
        let mut is_kept = false;
        self.add(event.key, |record| is_kept = record.mark(event.at, mark));
        if !is_kept {
            self.counters.add_dropped(Drop::MarkLost, 1);
        }
    }

    fn learned(&mut self, event: &Event<Raw>, attrs: &RawAttrs, foretold: &Foretold<'_>) {
        let policy = self.policy_of(event.key);
        let attrs = self.veiled(event, policy.as_ref(), foretold, |pass| pass.attrs(attrs));
        self.add(event.key, |record| record.learn(&attrs));
    }

    /// Adds something to the record of a call, if it is open.
    fn add(&mut self, key: Key, add: impl FnOnce(&mut CallRecord<Veiled>)) {
        if let Some(call) = self.open.remove(&key) {
            self.open.insert(key, call.with(key, add));
        }
    }

    /// The policy under which a call opened.
    fn policy_of(&self, key: Key) -> Option<Policy> {
        self.open.get(&key).map(|call| call.then.policy.clone())
    }

    fn closed(&mut self, event: &Event<Raw>, call: Option<OpenCall>, foretold: &Foretold<'_>) {
        let (Some(call), Kind::Closed(closed, returned)) = (call, &event.kind) else {
            // The opening was refused and counted then: the close is not offered.
            return self.handle(event.at);
        };
        self.untold.pop_if(|key| *key == event.key);
        let (mut record, then) = call.into_record(event.key);
        record.closed_at = event.at;
        self.veiled(event, Some(&then.policy), foretold, |pass| pass.close(&mut record, closed, returned));
        self.finish(record, &then);
    }

    /// Hands on a call that is whole.
    fn finish(&mut self, mut record: Box<CallRecord<Veiled>>, then: &Then) {
        // A shutdown closes calls without an event.
        self.policies.look(None, &mut self.veil);
        self.policies.lower(&then.policy, &mut record);
        let key = record.key();
        let (chain, is_whole) = match &record.given {
            Given::Request(request) => (request.chain, request.prefix.is_none()),
            Given::Arguments(_) | Given::Texts(_) => (None, true),
        };
        if !self.settlement.claim() {
            // Whoever shut down has counted this call as lost.
            self.forget(key);
            return;
        }
        let is_alone = |record: &CallRecord<Veiled>| record.opened.span.is_own_id(&record.scope.thread);
        let scope = (chain.is_some() && !is_alone(&record)).then(|| Arc::clone(&record.scope));
        let taken = self.offer(|| Record::Closed(record));
        if !self.settlement.settle() {
            return;
        }
        match taken {
            Ok(()) => {
                self.counters.add_recorded();
                // What builds on a prefix that was lost meanwhile is no prefix for others.
                if let Some(scope) = scope.filter(|_| is_whole || then.losses == self.losses) {
                    self.veil.accepted(&scope, key.kind, chain);
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
        let mut keys: Vec<_> = self.open.iter().map(|(key, call)| (call.opened_at(), *key)).collect();
        keys.sort_unstable();
        for (_, key) in keys {
            let Some(call) = self.open.remove(&key) else { continue };
            let mut attrs = Attrs::default();
            attrs.set(END_INFERRED, true);
            let closed =
                Closed { outcome: Some(Outcome::Abandoned), attrs, error: Default::default(), links: Vec::new() };
            let (mut record, then) = call.into_record(key);
            record.close(at, closed, Returned::empty(key.kind));
            self.finish(record, &then);
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
