//! The reducer behind a processor, and a handle to look at it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::trace::SpanData;

use super::added;
use super::counts::{ByName, Counts, ReductionCounts, count};
use super::queue::Queue;
use crate::event::{Clock, ProducerId, Source, SystemClock};
use crate::otlp::{SpanView, dialects};
use crate::reduce::{Effect, Limits, Reducer, Rollout};

/// What a processor and its thread share with whoever looks.
pub(super) struct Reduction {
    state: Mutex<State>,
    clock: SystemClock,
    pub(super) queue: Queue,
    pub(super) counts: Counts,
}

struct State {
    reducer: Reducer,
    by_name: ByName,
    /// The process life that the resource names.
    producer: Option<ProducerId>,
}

impl Reduction {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        let state = State { reducer: Reducer::new(limits), by_name: ByName::default(), producer: None };
        Arc::new(Self {
            state: Mutex::new(state),
            clock: SystemClock::default(),
            queue: Queue::default(),
            counts: Counts::default(),
        })
    }

    pub(super) fn produced_by(&self, producer: Option<ProducerId>) {
        self.lock().producer = producer;
    }

    /// Takes in what a `Span` message tells. Answers the spans that are to be added.
    pub(super) fn absorb(&self, message: &[u8]) -> Vec<SpanData> {
        let now = self.clock.unix_nanos();
        let mut state = self.lock();
        let call = SpanView::parse(message).ok().and_then(|view| dialects::call(&view, state.producer).ok());
        let Some(call) = call else {
            count(&self.counts.not_calls);
            return Vec::new();
        };
        count(&self.counts.reduced);
        let events = call.into_events(Source::Otlp);
        let effects = events.flat_map(|event| state.reducer.on(event, now)).collect();
        self.follow(state, effects, now)
    }

    /// Does what is due.
    pub(super) fn tick(&self) -> Vec<SpanData> {
        let now = self.clock.unix_nanos();
        let mut state = self.lock();
        let effects = state.reducer.tick(now);
        self.follow(state, effects, now)
    }

    /// Closes what waits for late data alone.
    pub(super) fn shutdown(&self) -> Vec<SpanData> {
        let now = self.clock.unix_nanos();
        let mut state = self.lock();
        let effects = state.reducer.shutdown(now);
        self.follow(state, effects, now)
    }

    fn follow(&self, mut state: MutexGuard<'_, State>, effects: Vec<Effect>, now: u64) -> Vec<SpanData> {
        let mut spans = Vec::new();
        for effect in effects {
            match effect {
                Effect::AddSpan(span) => spans.push(added::span_data(&span)),
                Effect::Finding(finding) => {
                    count(&self.counts.findings);
                    let kind = finding.finding.kind.as_str();
                    tracing::debug!(target: "veilspan", kind, rollout = %finding.rollout, "finding");
                }
                Effect::Count(counter, by) => state.by_name.add(counter, by),
                Effect::WakeAt(at) => self.queue.wake_after(Duration::from_nanos(at.saturating_sub(now))),
            }
        }
        spans
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a [`ReducingProcessor`](super::ReducingProcessor) has reduced so far. A handle: take it before the processor goes
/// into the provider.
#[derive(Clone)]
pub struct Reduced(pub(super) Arc<Reduction>);

impl Reduced {
    /// The rollouts that are open or closed and not forgotten, in the order in which they were first seen. Derives all
    /// of them, in time linear in what they hold.
    pub fn rollouts(&self) -> Vec<Rollout> {
        let state = self.0.lock();
        state.reducer.rollouts()
    }

    /// What was counted.
    pub fn counts(&self) -> ReductionCounts {
        let by_name = self.0.lock().by_name.clone();
        self.0.counts.read(by_name)
    }
}

impl fmt::Debug for Reduced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reduced").field("counts", &self.counts()).finish()
    }
}
