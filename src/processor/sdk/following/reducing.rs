//! A processor that adds what reduction makes of the spans that it hands on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use opentelemetry_sdk::trace::SpanProcessor;

use super::alike;
use super::followed::Followed;
use super::wrapped::Wrapped;
use crate::privacy::Policy;
use crate::processor::follow::{Follow, ReductionCounts};
use crate::reduce::{Limits, Rollout};

/// Hands ended spans on as a [`RedactingProcessor`](crate::processor::RedactingProcessor) does, and adds what follows from
/// them: turns that nobody reported, and a summary of each rollout that closes. Findings are events of these.
///
/// What it adds is handed to the next processor as ended spans; those are told of no start. Spans that were recorded but not
/// sampled are handed on and not reduced. Under one policy and one set of [`Limits`] the same spans leave the same graph
/// here and in a stage. It stands inside of no other wrapper of ours: it brings the policy along.
///
/// A flush reaches the next processor after all that ended before it was reduced, and what followed was handed on. Shutting
/// down closes at once what waits for late data alone, and leaves the rest open.
pub struct ReducingProcessor<P: SpanProcessor + 'static>(Wrapped<P>);

impl<P: SpanProcessor + 'static> ReducingProcessor<P> {
    /// Before `next`, under `policy`, with the default [`Limits`].
    pub fn new(next: P, policy: Policy) -> Self {
        Self::with_limits(next, policy, Limits::default())
    }

    /// The same with other times and bounds. At 90 % of its bytes a stage asks its peers to wait; here nobody can wait, so
    /// that facts over the bound are turned away and counted.
    pub fn with_limits(next: P, policy: Policy, limits: Limits) -> Self {
        Self(Wrapped::new(next, policy, Follow::reducing(limits)))
    }

    /// What was reduced, from now on too.
    pub fn reduced(&self) -> Reduced {
        Reduced(self.0.followed())
    }
}

alike::processor!(ReducingProcessor);

/// What a [`ReducingProcessor`] has reduced so far. A handle: take it before the processor goes into the provider.
#[derive(Clone)]
pub struct Reduced(Arc<Followed>);

impl Reduced {
    /// The rollouts that are open or closed and not forgotten, in the order in which they were first seen. Derives all
    /// of them, in time linear in what they hold.
    pub fn rollouts(&self) -> Vec<Rollout> {
        self.0.read(|follow| follow.reducer().rollouts())
    }

    /// What was counted.
    pub fn counts(&self) -> ReductionCounts {
        let counts = self.0.read(|follow| follow.counts().clone());
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let (added, panicked, missed) = (read(&self.0.added), read(&self.0.panicked), read(&self.0.missed));
        ReductionCounts { added, panicked, missed, ..counts }
    }
}

alike::handle!(Reduced);
