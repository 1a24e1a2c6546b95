//! A processor that adds what follows from the spans that it hands on.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::counts::count;
use super::queue::Pushed;
use super::reduction::{Reduced, Reduction};
use super::worker::{Shared, start};
use crate::otlp::decode;
use crate::privacy::Policy;
use crate::processor::sdk::encode;
use crate::processor::sdk::redaction::{PolicyHandle, Redaction, RedactionCounts, flushed};
use crate::reduce::Limits;

/// How long a flush waits for what is queued. The SDK has no time for it.
const FLUSH: Duration = Duration::from_secs(30);

/// Hands ended spans on as a [`RedactingProcessor`](crate::processor::RedactingProcessor) does, and adds what follows from
/// them: turns that nobody reported, and a summary of each rollout that closes.
///
/// What it adds is handed to the next processor as ended spans; those are told of no start. Spans that were recorded but not
/// sampled are handed on and not reduced. Under one policy and one set of [`Limits`] the same spans leave the same graph
/// here and in a stage. It stands inside of no other wrapper of ours: it brings the policy along.
///
/// A flush reaches the next processor after all that ended before it was reduced, and what followed was handed on. Shutting
/// down closes at once what waits for late data alone, and leaves the rest open.
pub struct ReducingProcessor<P: SpanProcessor + 'static> {
    shared: Arc<Shared<P>>,
    redaction: Arc<Redaction>,
    worker: Mutex<Worker>,
}

#[derive(Default)]
enum Worker {
    /// No span has come yet.
    #[default]
    Unneeded,
    Running(JoinHandle<()>),
    /// No thread could be had: spans are reduced where they end.
    Refused,
}

impl<P: SpanProcessor + 'static> ReducingProcessor<P> {
    /// Before `next`, under `policy`, with the default [`Limits`].
    pub fn new(next: P, policy: Policy) -> Self {
        Self::with_limits(next, policy, Limits::default())
    }

    /// The same with other times and bounds. At 90 % of its bytes a stage asks its peers to wait; here nobody can wait, so
    /// that facts over the bound are turned away and counted.
    pub fn with_limits(next: P, policy: Policy, limits: Limits) -> Self {
        Self {
            shared: Arc::new(Shared { next, reduction: Reduction::new(limits) }),
            redaction: Redaction::new(policy),
            worker: Mutex::default(),
        }
    }

    /// The policy that it applies.
    pub fn policy(&self) -> Policy {
        self.redaction.policy()
    }

    /// What swaps the policy, from now on too.
    pub fn policy_handle(&self) -> PolicyHandle {
        PolicyHandle(Arc::clone(&self.redaction))
    }

    /// What the policy has done, from now on too.
    pub fn counts(&self) -> RedactionCounts {
        RedactionCounts(Arc::clone(&self.redaction))
    }

    /// What was reduced, from now on too.
    pub fn reduced(&self) -> Reduced {
        Reduced(Arc::clone(&self.shared.reduction))
    }

    fn reduce(&self, message: Vec<u8>) {
        if !self.has_thread() {
            return self.shared.add(self.shared.reduction.absorb(&message));
        }
        match self.shared.reduction.queue.push(message) {
            Pushed::Taken => {}
            Pushed::Full | Pushed::Stopped => count(&self.shared.reduction.counts.missed),
        }
    }

    /// Starts the thread with the first span, so that a processor that is never used costs none.
    fn has_thread(&self) -> bool {
        let mut worker = self.worker();
        if matches!(*worker, Worker::Unneeded) {
            *worker = match start(&self.shared) {
                Ok(thread) => Worker::Running(thread),
                Err(error) => {
                    let error = error.kind();
                    tracing::warn!(target: "veilspan", %error, "no thread for reduction; spans are reduced where they end");
                    Worker::Refused
                }
            };
        }
        matches!(*worker, Worker::Running(_))
    }

    /// Waits until all that was queued before is reduced.
    fn drain(&self, timeout: Duration) {
        if matches!(*self.worker(), Worker::Running(_)) {
            let _ = self.shared.reduction.queue.drained(timeout);
        }
    }

    fn worker(&self) -> MutexGuard<'_, Worker> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: SpanProcessor + 'static> SpanProcessor for ReducingProcessor<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.shared.next.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let Some((span, message)) = self.redaction.span_and_message(span) else { return };
        let is_sampled = span.span_context.is_sampled();
        self.shared.next.on_end(span);
        if let Some(message) = message.filter(|_| is_sampled) {
            self.reduce(message);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.drain(FLUSH);
        self.shared.add(self.shared.reduction.tick());
        flushed(self.shared.next.force_flush(), self.redaction.flush(Redaction::LONGEST))
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let begun = Instant::now();
        // The next processor needs time of its own to send what is added now.
        self.drain(timeout / 2);
        self.shared.reduction.queue.stop();
        self.shared.add(self.shared.reduction.shutdown());
        let left = || timeout.saturating_sub(begun.elapsed());
        flushed(self.shared.next.shutdown_with_timeout(left()), self.redaction.flush(left()))
    }

    fn set_resource(&mut self, resource: &Resource) {
        let resource = self.redaction.resource(resource);
        self.shared.reduction.produced_by(decode::producer(&encode::resource(&resource)));
        let worker = self.worker.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Worker::Running(thread) = std::mem::take(worker) {
            // The SDK says this before there is any span; whoever says it later waits for what is queued.
            self.shared.reduction.queue.stop();
            let _ = thread.join();
            self.shared.reduction.queue.restart();
        }
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.next.set_resource(&resource);
        }
    }
}

impl<P: SpanProcessor + 'static> Drop for ReducingProcessor<P> {
    fn drop(&mut self) {
        // The thread ends by itself, and the last of the two drops the next processor.
        self.shared.reduction.queue.stop();
    }
}

impl<P: SpanProcessor + 'static> fmt::Debug for ReducingProcessor<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReducingProcessor").field("policy", &self.policy()).finish_non_exhaustive()
    }
}
