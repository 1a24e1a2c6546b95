//! The recorder itself: shared by every handle, cheap to clone.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::inference::InferenceBuilder;
use super::tool::ToolBuilder;
use super::turn::TurnBuilder;
use crate::event::{At, CallId, CallIds, Clock, Event, ProducerId, Raw, SystemClock};
use crate::intake::{Bounds, Counters, Counts, Drained, Intake, Sampler, Sink};
use crate::privacy::Policy;

/// Records calls. Clones share one queue; a disabled one does nothing.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    shared: Option<Arc<Shared>>,
}

pub(super) struct Shared {
    intake: Intake,
    sampler: Sampler,
    clock: Arc<dyn Clock>,
    call_ids: CallIds,
    producer: ProducerId,
    seq: AtomicU64,
}

impl Recorder {
    /// A recorder that records nothing. It has the same face, allocates nothing and runs no closure.
    pub const fn disabled() -> Self {
        Self { shared: None }
    }

    /// A recorder into a sink of the caller's.
    pub fn builder() -> RecorderBuilder {
        RecorderBuilder::default()
    }

    /// Whether it records anything.
    pub fn is_enabled(&self) -> bool {
        self.shared.is_some()
    }

    /// An activation of `agent`.
    pub fn turn(&self, agent: &str) -> TurnBuilder {
        TurnBuilder::new(self.shared.as_ref(), agent)
    }

    /// A model request outside any turn. `provider` is a value of `gen_ai.provider.name`.
    pub fn inference(&self, provider: &str, model: &str) -> InferenceBuilder {
        InferenceBuilder::new(self.shared.as_ref(), None, provider, model)
    }

    /// A tool execution outside any turn.
    pub fn tool(&self, name: &str) -> ToolBuilder {
        ToolBuilder::new(self.shared.as_ref(), None, name)
    }

    /// Waits until all that was recorded before has left, or `timeout` has passed. Blocks the calling thread.
    pub fn flush(&self, timeout: Duration) -> Drained {
        self.shared.as_ref().map_or(NOTHING_RECORDED, |shared| shared.intake.flush(timeout))
    }

    /// The same for the last time. Calls that close later are counted as lost. Blocks the calling thread.
    pub fn shutdown(&self, timeout: Duration) -> Drained {
        self.shared.as_ref().map_or(NOTHING_RECORDED, |shared| shared.intake.shutdown(timeout))
    }

    /// Totals since the recorder was made.
    pub fn counts(&self) -> Counts {
        self.shared.as_ref().map(|shared| shared.intake.counts()).unwrap_or_default()
    }
}

const NOTHING_RECORDED: Drained = Drained::nothing();

impl Shared {
    pub(super) fn now(&self) -> u64 {
        self.clock.unix_nanos()
    }

    pub(super) fn call_id(&self, now: u64) -> CallId {
        self.call_ids.next(now)
    }

    /// The next place in this process' order of events.
    pub(super) fn at(&self, time_unix_nano: u64) -> At {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed);
        At { time_unix_nano, producer: Some(self.producer), seq: Some(seq) }
    }

    pub(super) fn open(&self, event: Box<Event<Raw>>) -> bool {
        self.sampler.samples(&event.scope.rollout) && self.intake.open(event)
    }

    pub(super) fn close(&self, event: Box<Event<Raw>>) {
        self.intake.close(event);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("producer", &self.producer).field("intake", &self.intake).finish_non_exhaustive()
    }
}

/// Builds a [`Recorder`] into a sink.
#[derive(Default)]
#[must_use]
pub struct RecorderBuilder {
    sink: Option<Arc<dyn Sink>>,
    policy: Option<Policy>,
    clock: Option<Arc<dyn Clock>>,
    producer: Option<ProducerId>,
    sampler: Sampler,
    bounds: Bounds,
    counters: Arc<Counters>,
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
        self.clock = Some(clock);
        self
    }

    /// Which agent runs are recorded at all. Without one all are.
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
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

    /// The recorder. Where its thread cannot be started it is a disabled one, which is logged.
    pub fn build(self) -> Recorder {
        let Some(sink) = self.sink else { return Recorder::disabled() };
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::default()));
        let policy = self.policy.unwrap_or_else(Policy::from_env);
        match Intake::start(policy, sink, self.bounds, self.counters) {
            Ok(intake) => {
                let producer = self.producer.unwrap_or_else(|| ProducerId::generate(clock.unix_nanos()));
                let call_ids = CallIds::default();
                let shared =
                    Shared { intake, sampler: self.sampler, clock, call_ids, producer, seq: AtomicU64::new(0) };
                Recorder { shared: Some(Arc::new(shared)) }
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
