//! A processor that hands on what may leave.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::redaction::{PolicyHandle, Redaction, RedactionCounts, flushed};
use crate::privacy::Policy;

/// Applies a [`Policy`] to all that another processor gets of ended spans, and to the resource.
///
/// At a span's start the other processor is handed the SDK's own span, which it may add to; what it reads there is as it
/// was said. Spans that were recorded but not sampled are handed on: whether they are exported is for who exports.
pub struct RedactingProcessor<P> {
    inner: P,
    redaction: Arc<Redaction>,
}

impl<P> RedactingProcessor<P> {
    /// Before `inner`, under `policy`.
    pub fn new(inner: P, policy: Policy) -> Self {
        Self { inner, redaction: Redaction::new(policy) }
    }

    /// The policy that it applies.
    pub fn policy(&self) -> Policy {
        self.redaction.policy()
    }

    /// What swaps the policy, from now on too.
    pub fn policy_handle(&self) -> PolicyHandle {
        PolicyHandle(Arc::clone(&self.redaction))
    }

    /// What it has done, from now on too.
    pub fn counts(&self) -> RedactionCounts {
        RedactionCounts(Arc::clone(&self.redaction))
    }
}

impl<P: SpanProcessor> SpanProcessor for RedactingProcessor<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if let Some(span) = self.redaction.span(span) {
            self.inner.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        flushed(self.inner.force_flush(), self.redaction.flush(Redaction::LONGEST))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        flushed(self.inner.shutdown_with_timeout(timeout), self.redaction.flush(timeout))
    }

    fn shutdown(&self) -> OTelSdkResult {
        flushed(self.inner.shutdown(), self.redaction.flush(Redaction::LONGEST))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(&self.redaction.resource(resource));
    }
}

impl<P> fmt::Debug for RedactingProcessor<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedactingProcessor").field("policy", &self.policy()).finish_non_exhaustive()
    }
}
