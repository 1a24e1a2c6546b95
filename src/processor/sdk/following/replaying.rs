//! A processor that adds what the runs of the spans that it hands on do otherwise than their baselines.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::logs::{Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::followed::Followed;
use super::outlets::{self, Outlet};
use super::wrapped::Wrapped;
use crate::privacy::Policy;
use crate::processor::follow::Follow;
use crate::processor::sdk::redaction::{PolicyHandle, RedactionCounts};
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

    /// The policy that it applies.
    pub fn policy(&self) -> Policy {
        self.0.policy()
    }

    /// What swaps the policy, from now on too.
    pub fn policy_handle(&self) -> PolicyHandle {
        self.0.policy_handle()
    }

    /// What the policy has done, from now on too.
    pub fn counts(&self) -> RedactionCounts {
        self.0.counts()
    }

    /// What was compared, from now on too.
    pub fn compared(&self) -> Compared {
        Compared(self.0.followed())
    }
}

impl<P: SpanProcessor + 'static> SpanProcessor for ReplayProcessor<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

impl<P: SpanProcessor + 'static> fmt::Debug for ReplayProcessor<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayProcessor").field("policy", &self.policy()).finish_non_exhaustive()
    }
}

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

    /// From now on findings are also log records of this provider, named `veilspan.finding`. Call it once for each provider.
    pub fn tell_findings<L: Logger + Send + 'static>(&self, provider: &impl LoggerProvider<Logger = L>) {
        self.0.tell(Outlet::logs(provider));
    }

    /// Counts findings as `veilspan.findings` of this provider, by severity. Call it once for each provider.
    pub fn tell_metrics(&self, provider: &impl MeterProvider) {
        outlets::count_in(provider, &self.0);
    }
}

impl fmt::Debug for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compared").field("counts", &self.counts()).finish()
    }
}
