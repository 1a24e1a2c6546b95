//! A processor that adds what the runs of the spans that it hands on do otherwise than their baselines.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use opentelemetry_sdk::trace::SpanProcessor;

use super::alike;
use super::followed::Followed;
use super::wrapped::Wrapped;
use crate::privacy::Policy;
use crate::processor::follow::Follow;
use crate::reduce::Limits;
use crate::replay::{Baselines, ComparisonCounts, Run};

/// Hands ended spans on as a [`RedactingProcessor`](crate::processor::RedactingProcessor) does, and compares each run that
/// names its baseline by `veilspan.replay.of` with that baseline: when a turn of it closes, and when it closes itself.
///
/// What is found it hands to the next processor as ended spans: `drift <step>`, a child of the step that differs, with an event
/// `veilspan.finding` for each difference; and when the run has closed `replay <baseline>`, in a trace of its own and linked
/// to those steps, with the verdict. What comes after that is told by a further revision. Digests compare under one key alone:
/// the baseline's must have been made with the policy's.
///
/// When a turn and a run close is said by [`Limits`], and so is how much is kept of them: as in a
/// [`ReducingProcessor`](crate::processor::ReducingProcessor), beside which it needs no other memory in a stage alone. Like
/// that one it brings the policy along.
pub struct ReplayProcessor<P: SpanProcessor + 'static>(Wrapped<P>);

impl<P: SpanProcessor + 'static> ReplayProcessor<P> {
    /// Before `next`, under `policy`, with the runs that others can be held against and the default [`Limits`].
    pub fn new(next: P, policy: Policy, baselines: impl IntoIterator<Item = Run>) -> Self {
        Self::with_limits(next, policy, Baselines::new(baselines), Limits::default())
    }

    /// The same with other times and bounds, and with rules for runs that do not name their baseline.
    pub fn with_limits(next: P, policy: Policy, baselines: Baselines, limits: Limits) -> Self {
        Self(Wrapped::new(next, policy, Follow::comparing(limits, baselines)))
    }

    /// What was compared, from now on too.
    pub fn compared(&self) -> Compared {
        Compared(self.0.followed())
    }
}

alike::processor!(ReplayProcessor);

/// What a [`ReplayProcessor`] has compared so far. A handle: take it before the processor goes into the provider.
#[derive(Clone)]
pub struct Compared(Arc<Followed>);

impl Compared {
    /// What was counted.
    pub fn counts(&self) -> ComparisonCounts {
        let missed = self.0.missed.load(Ordering::Relaxed);
        ComparisonCounts { missed, ..self.0.read(Follow::compared).unwrap_or_default() }
    }

    /// About how many bytes are held of the runs that are watched.
    pub fn bytes(&self) -> usize {
        self.0.read(|follow| follow.reducer().bytes())
    }
}

alike::handle!(Compared);
