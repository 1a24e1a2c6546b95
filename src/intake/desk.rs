//! What every way in needs to hand in a call: the time, an id, a place in the order of events, and the queue.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Counters, Counts, Drained, Drop, Intake, Propagation, Sampler, Timepiece, Whole};
use crate::event::{
    At, CallId, CallIds, Event, Key, Kind, Mark, ProducerId, Raw, RawAttrs, Scope, Source, prepare_ids,
};
use crate::privacy::Policy;

/// One process life's clock, ids and order of events, in front of its [`Intake`]. All ways in of one recorder share one.
pub(crate) struct Desk {
    intake: Intake,
    counters: Arc<Counters>,
    clock: Timepiece,
    producer: ProducerId,
    sampler: Sampler,
    propagation: Propagation,
}

impl Desk {
    pub(crate) fn new(
        intake: Intake,
        counters: Arc<Counters>,
        clock: Timepiece,
        producer: Option<ProducerId>,
        sampler: Sampler,
        propagation: Propagation,
    ) -> Self {
        prepare_ids();
        let producer = producer.unwrap_or_else(|| ProducerId::generate(clock.now()));
        Self { intake, counters, clock, producer, sampler, propagation }
    }

    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    pub(crate) fn call_id(&self, now: u64) -> CallId {
        CallIds::of_process().next(now)
    }

    /// The next place in this process' order of events.
    pub(crate) fn at(&self, time_unix_nano: u64) -> At {
        let seq = self.intake.next_seq();
        At { time_unix_nano, producer: Some(self.producer), seq: Some(seq) }
    }

    /// Takes the event that opens a call. `false`: there was no room, and the call must not be closed either.
    pub(crate) fn open(&self, event: Box<Event<Raw>>) -> bool {
        if !self.samples(&event.scope.rollout) {
            self.intake.skip(event.at.seq);
            return false;
        }
        self.intake.open(event)
    }

    /// A call that has a place in the order of events will not be handed in.
    pub(crate) fn skip(&self, at: At) {
        self.intake.skip(at.seq);
    }

    /// Whether the rollout of this id is recorded at all.
    pub(crate) fn samples(&self, rollout: &str) -> bool {
        self.sampler.samples(rollout)
    }

    /// Whether every rollout is recorded.
    pub(crate) fn samples_all(&self) -> bool {
        self.sampler == Sampler::ALL
    }

    /// Whether no rollout at all is recorded.
    pub(crate) fn samples_nothing(&self) -> bool {
        self.sampler == Sampler::NONE
    }

    /// Towards whom trace context and identity may be told.
    pub(crate) const fn propagation(&self) -> &Propagation {
        &self.propagation
    }

    /// Counts a result of a delegated call that was refused: it came over another connection, or names another tool.
    pub(crate) fn count_refused_result(&self, is_foreign: bool) {
        self.counters.add_refused_result(is_foreign);
    }

    /// Counts a call that has started and will be handed in whole when it ends.
    pub(crate) fn count_started(&self) {
        self.counters.add_started();
    }

    /// Counts a layer's span that opens, and will be handed in whole when it closes.
    pub(crate) fn span_opened(&self) {
        self.counters.add_span();
    }

    /// A span that was counted so, and has taken this place in the order of events, will not be handed in.
    pub(crate) fn span_lost(&self, opened: At, reason: Drop) {
        self.skip(opened);
        self.counters.add_lost_span(reason);
    }

    /// Takes a span that was counted so and has closed.
    pub(crate) fn whole(&self, whole: Box<dyn Whole>) {
        self.intake.whole(whole);
    }

    /// Takes a mark of a call that was taken, as of now.
    pub(crate) fn mark(&self, scope: &Arc<Scope>, key: Key, mark: Mark<Raw>) {
        self.tell(scope, key, Kind::Marked(mark));
    }

    /// Takes what was learned of a call that was taken.
    pub(crate) fn learn(&self, scope: &Arc<Scope>, key: Key, attrs: RawAttrs) {
        self.tell(scope, key, Kind::Learned(attrs));
    }

    fn tell(&self, scope: &Arc<Scope>, key: Key, kind: Kind<Raw>) {
        let (scope, at) = (Arc::clone(scope), self.at(self.now()));
        self.intake.mark(Box::new(Event { scope, key, at, source: Source::Recorder, kind }));
    }

    /// Takes the event that closes a call that was taken.
    pub(crate) fn close(&self, event: Box<Event<Raw>>) {
        self.intake.close(event);
    }

    /// Counts a call that was seen and not handed in.
    pub(crate) fn count_lost(&self, reason: Drop) {
        self.counters.add_dropped(reason, 1);
    }

    pub(crate) fn set_policy(&self, policy: Policy) {
        self.intake.set_policy(policy);
    }

    /// Up to where events are kept so that they outlive this process.
    pub(crate) fn durable_seq(&self) -> Option<u64> {
        self.intake.durable_seq()
    }

    pub(crate) fn flush(&self, timeout: Duration) -> Drained {
        self.intake.flush(timeout)
    }

    /// The same for the last time. Spans of a layer that are still open are counted as lost; calls by hand are ended.
    pub(crate) fn shutdown(&self, timeout: Duration) -> Drained {
        // All end at once, so that no order among them is told.
        let at = At { time_unix_nano: self.now(), producer: Some(self.producer), seq: None };
        self.intake.shutdown(timeout, at)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.intake.counts()
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("producer", &self.producer).field("intake", &self.intake).finish_non_exhaustive()
    }
}
