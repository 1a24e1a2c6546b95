//! The recorder itself: shared by every handle, cheap to clone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ambient;
use super::builder::Builder;
use super::kind;
use super::place::{CallRef, LentOrigin, Origin};
use crate::environment::{Environment, warn_once};
use crate::event::{Clock, ProducerId};
use crate::intake::{Bounds, Counters, Counts, Desk, Drained, Intake, Manner, Propagation, Sampler, Sink, Timepiece};
use crate::privacy::Policy;
use crate::semconv::CANCEL_REASON;

/// Records calls. Clones share one queue; a disabled one does nothing.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    desk: Option<Arc<Desk>>,
}

impl Recorder {
    /// A recorder that records nothing. It has the same face, allocates nothing and runs no closure.
    pub const fn disabled() -> Self {
        Self { desk: None }
    }

    /// A recorder into a sink of the caller's.
    pub fn builder() -> RecorderBuilder {
        RecorderBuilder::default()
    }

    pub(super) fn at(desk: &Arc<Desk>) -> Self {
        Self { desk: Some(Arc::clone(desk)) }
    }

    /// Whether it records anything.
    pub fn is_enabled(&self) -> bool {
        self.desk.is_some()
    }

    /// From now on calls open under this policy. Those that are open keep theirs, except that a stricter one holds at once
    /// for all that has not been encoded. The resource keeps what it said when the recorder was made.
    pub fn set_policy(&self, policy: Policy) {
        if let Some(desk) = &self.desk {
            desk.set_policy(policy);
        }
    }

    /// Waits until all that was recorded before has left, or `timeout` has passed. Blocks the calling thread.
    pub fn flush(&self, timeout: Duration) -> Drained {
        self.desk.as_ref().map_or(NOTHING_RECORDED, |desk| desk.flush(timeout))
    }

    /// The same for the last time. Calls that are still open are told as `abandoned`, with `veilspan.end.inferred`; spans
    /// that a layer still waits for, and calls that start later, are counted as lost. Blocks the calling thread.
    pub fn shutdown(&self, timeout: Duration) -> Drained {
        self.desk.as_ref().map_or(NOTHING_RECORDED, |desk| desk.shutdown(timeout))
    }

    /// Who records a new call, and what runs around it.
    pub(super) fn origin(&self) -> Option<Origin> {
        let desk = self.desk.as_ref()?;
        let around = ambient::around(desk);
        Some(around.unwrap_or_else(|| Origin { desk: Arc::clone(desk), parent: None, remote: None }))
    }

    /// Asks the turn that a call belongs to, wherever it runs, to stop. It is told at once, as a `cancel` span of its own in
    /// the turn's scope: so it is known even of a turn that never gets to tell its end. `reason` is a class of a few
    /// words, never a text (`veilspan.cancel.reason`).
    pub fn request_cancel(&self, call: &CallRef, reason: &str) {
        let (Some(desk), Some(place)) = (&self.desk, &call.place) else { return };
        let origin = LentOrigin { desk, parent: Some(place.lend()), remote: None };
        Builder::<kind::Cancel>::new(Some(origin)).text(CANCEL_REASON, reason).start().finish();
    }

    /// The watermark of the spool: every start and every end of a call whose `veilspan.seq` or `veilspan.seq.end` is not above
    /// it is written, with `VEILSPAN_SPOOL_FSYNC=always` also synced, so that it is told even if this process dies now, or was
    /// not taken and counted. Marks are written with the end of their call. Nothing without a spool.
    pub fn durable_seq(&self) -> Option<u64> {
        self.desk.as_ref()?.durable_seq()
    }

    /// Where its calls are handed in; nothing where it is disabled.
    pub(crate) const fn desk(&self) -> Option<&Arc<Desk>> {
        self.desk.as_ref()
    }

    /// Totals since the recorder was made.
    pub fn counts(&self) -> Counts {
        self.desk.as_ref().map(|desk| desk.counts()).unwrap_or_default()
    }
}

const NOTHING_RECORDED: Drained = Drained::nothing();

/// Builds a [`Recorder`] into a sink.
#[derive(Default)]
#[must_use]
pub struct RecorderBuilder {
    sink: Option<Arc<dyn Sink>>,
    policy: Option<Policy>,
    clock: Option<Timepiece>,
    producer: Option<ProducerId>,
    sampler: Sampler,
    bounds: Bounds,
    propagation: Option<Propagation>,
    counters: Arc<Counters>,
    manner: Manner,
}

impl RecorderBuilder {
    /// Where records go. Without a sink the recorder is a disabled one.
    pub fn sink(mut self, sink: Arc<dyn Sink>) -> Self {
        self.sink = Some(sink);
        self
    }

    /// What may leave. Without one the environment's policy holds.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// The source of time. Without one the machine's clock is read.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(Timepiece::Given(clock));
        self
    }

    /// The same, where the sink reads the machine's clock too.
    pub(crate) fn timepiece(mut self, clock: Timepiece) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Which agent runs are recorded at all. Without one all are.
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Towards whom trace context and identity may be told. Without it the environment says.
    pub fn propagation(mut self, propagation: Propagation) -> Self {
        self.propagation = Some(propagation);
        self
    }

    /// How much may wait in the intake.
    pub fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// The id of this process life, where the sink must know it too.
    pub(crate) fn producer(mut self, producer: ProducerId) -> Self {
        self.producer = Some(producer);
        self
    }

    /// Counters that the sink shares.
    pub(crate) fn counters(mut self, counters: Arc<Counters>) -> Self {
        self.counters = counters;
        self
    }

    /// What a caller does beside handing in.
    pub(crate) fn manner(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }

    /// The recorder. Where its thread cannot be started it is a disabled one, which is logged.
    pub fn build(self) -> Recorder {
        let Some(sink) = self.sink else { return Recorder::disabled() };
        let clock = self.clock.unwrap_or_default();
        let policy = self.policy.unwrap_or_else(Policy::from_env);
        match Intake::start(policy, sink, self.bounds, self.manner, Arc::clone(&self.counters), clock.clone()) {
            Ok(intake) => {
                let propagation = self.propagation.unwrap_or_else(|| {
                    let (propagation, warnings) = Propagation::from_environment(&Environment::from_process());
                    warn_once(&warnings);
                    propagation
                });
                let desk = Desk::new(intake, self.counters, clock, self.producer, self.sampler, propagation);
                Recorder { desk: Some(Arc::new(desk)) }
            }
            Err(_) => {
                tracing::warn!(target: "veilspan", "the pipeline's thread could not be started; nothing is recorded");
                Recorder::disabled()
            }
        }
    }
}

impl fmt::Debug for RecorderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderBuilder")
            .field("policy", &self.policy)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::event::Record;
    use crate::intake::Refused;
    use crate::testing::MemorySink;

    /// Without digests, so that no key is looked for.
    fn inline(sink: Arc<dyn Sink>) -> Recorder {
        let policy = Policy::builder().no_digests().build_in(&Environment::default()).0;
        Recorder::builder().sink(sink).policy(policy).manner(Manner { wait: None, is_inline: true }).build()
    }

    #[test]
    fn what_is_said_inline_is_veiled_when_the_caller_goes_on() {
        let sink = Arc::new(MemorySink::default());
        let recorder = inline(Arc::clone(&sink) as Arc<dyn Sink>);
        for number in 1..=100 {
            recorder.tool("t").arguments("what was said").start().finish();
            assert_eq!(sink.calls().len(), number, "nothing waits");
        }
    }

    #[test]
    fn threads_that_veil_at_once_lose_nothing_and_keep_each_call_in_order() {
        let sink = Arc::new(MemorySink::default());
        let recorder = inline(Arc::clone(&sink) as Arc<dyn Sink>);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let recorder = recorder.clone();
                scope.spawn(move || (0..200).for_each(|_| recorder.tool("t").start().finish()));
            }
        });
        assert_eq!(sink.calls().len(), 800);
        let drained = recorder.shutdown(Duration::from_secs(20));
        assert!(drained.complete && drained.counts.dropped.calls() == 0);
    }

    /// Records a call of its own for each that it is told of first.
    #[derive(Default)]
    struct Talkative(OnceLock<Recorder>, MemorySink);

    impl Sink for Talkative {
        fn take(&self, record: Record) -> Result<(), Refused> {
            if self.1.records().len() < 8 {
                self.0.get().into_iter().for_each(|recorder| recorder.tool("of the sink").start().finish());
            }
            self.1.take(record)
        }
    }

    #[test]
    fn a_sink_that_records_itself_does_not_wait_for_itself() {
        let sink = Arc::new(Talkative::default());
        let recorder = inline(Arc::clone(&sink) as Arc<dyn Sink>);
        assert!(sink.0.set(recorder.clone()).is_ok());
        recorder.tool("t").start().finish();
        assert!(recorder.shutdown(Duration::from_secs(20)).complete);
        assert!(sink.1.calls().len() > 1);
    }
}
