//! A processor that adds what the runs of the spans that it hands on do otherwise than their baselines.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::worker::{Shared, start};
use crate::otlp::decode;
use crate::privacy::Policy;
use crate::processor::sdk::encode;
use crate::processor::sdk::redaction::{Redaction, RedactionCounts};
use crate::replay::{ComparisonCounts, Run};

/// How long a flush waits for what is queued. The SDK has no time for it.
const FLUSH: Duration = Duration::from_secs(30);

/// Hands ended spans on as a [`RedactingProcessor`](crate::processor::RedactingProcessor) does, and compares each run that
/// names its baseline by `veilspan.replay.of` with that baseline: at the end of each turn, and when it ends.
///
/// What is found it hands to the next processor as an ended span `replay <baseline>` with an event `veilspan.finding` for
/// each difference, linked to the spans that differ. Spans that come late are compared at the next flush, as a further
/// revision. Digests compare under one key alone: the baseline's must have been made with the policy's.
pub struct ReplayProcessor<P: SpanProcessor + 'static> {
    shared: Arc<Shared<P>>,
    redaction: Arc<Redaction>,
    /// Whether there is a thread; nothing before the first span.
    thread: Mutex<Option<bool>>,
}

impl<P: SpanProcessor + 'static> ReplayProcessor<P> {
    /// Before `next`, under `policy`, with the runs that others can be held against.
    pub fn new(next: P, policy: Policy, baselines: impl IntoIterator<Item = Run>) -> Self {
        Self {
            shared: Arc::new(Shared::new(next, baselines)),
            redaction: Redaction::new(policy),
            thread: Mutex::default(),
        }
    }

    /// What the policy has done, from now on too.
    pub fn counts(&self) -> RedactionCounts {
        RedactionCounts(Arc::clone(&self.redaction))
    }

    /// What was compared, from now on too.
    pub fn compared(&self) -> Compared {
        Compared(Arc::clone(&self.shared.comparisons))
    }

    /// Starts the thread with the first span, so that a processor that is never used costs none.
    fn has_thread(&self) -> bool {
        let mut thread = self.thread();
        *thread.get_or_insert_with(|| match start(&self.shared) {
            Ok(()) => true,
            Err(error) => {
                let error = error.kind();
                tracing::warn!(target: "veilspan", %error, "no thread for comparing; runs are compared where spans end");
                false
            }
        })
    }

    fn thread(&self) -> MutexGuard<'_, Option<bool>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drain(&self, timeout: Duration) {
        if *self.thread() == Some(true) {
            let _ = self.shared.queue.drained(timeout);
        }
        self.shared.flush();
    }
}

impl<P: SpanProcessor + 'static> SpanProcessor for ReplayProcessor<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.shared.next.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let Some((span, message)) = self.redaction.span_and_message(span) else { return };
        let is_sampled = span.span_context.is_sampled();
        self.shared.next.on_end(span);
        if let Some(message) = message.filter(|_| is_sampled) {
            if self.has_thread() { self.shared.push(message) } else { self.shared.compare(&message) }
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.drain(FLUSH);
        self.shared.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let begun = Instant::now();
        // The next processor needs time of its own to send what is added now.
        self.drain(timeout / 2);
        self.shared.queue.stop();
        self.shared.next.shutdown_with_timeout(timeout.saturating_sub(begun.elapsed()))
    }

    fn set_resource(&mut self, resource: &Resource) {
        let resource = self.redaction.resource(resource);
        self.shared.produced_by(decode::producer(&encode::resource(&resource)));
        // The SDK says this before there is any span, so that nobody else holds it.
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.next.set_resource(&resource);
        }
    }
}

impl<P: SpanProcessor + 'static> Drop for ReplayProcessor<P> {
    fn drop(&mut self) {
        // The thread ends by itself, and the last of the two drops the next processor.
        self.shared.queue.stop();
    }
}

impl<P: SpanProcessor + 'static> fmt::Debug for ReplayProcessor<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayProcessor").field("policy", &self.redaction.policy()).finish_non_exhaustive()
    }
}

/// What a [`ReplayProcessor`] has compared so far. A handle: take it before the processor goes into the provider.
#[derive(Clone, Debug)]
pub struct Compared(pub(super) Arc<Mutex<crate::replay::Comparisons>>);

impl Compared {
    /// What was counted.
    pub fn counts(&self) -> ComparisonCounts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counts()
    }
}
