//! A processor that adds what reduction makes of the spans that it hands on.

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
use crate::processor::follow::{Follow, ReductionCounts};
use crate::processor::sdk::redaction::{PolicyHandle, RedactionCounts};
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

    /// What was reduced, from now on too.
    pub fn reduced(&self) -> Reduced {
        Reduced(self.0.followed())
    }
}

impl<P: SpanProcessor + 'static> SpanProcessor for ReducingProcessor<P> {
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

impl<P: SpanProcessor + 'static> fmt::Debug for ReducingProcessor<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReducingProcessor").field("policy", &self.policy()).finish_non_exhaustive()
    }
}

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

    /// From now on findings are also log records of this provider, named `veilspan.finding`. Call it once for each provider.
    pub fn tell_findings<L: Logger + Send + 'static>(&self, provider: &impl LoggerProvider<Logger = L>) {
        self.0.tell(Outlet::logs(provider));
    }

    /// Counts findings as `veilspan.findings` of this provider, by severity. Call it once for each provider.
    pub fn tell_metrics(&self, provider: &impl MeterProvider) {
        outlets::count_in(provider, &self.0);
    }
}

impl fmt::Debug for Reduced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reduced").field("counts", &self.counts()).finish()
    }
}
