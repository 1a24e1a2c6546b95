//! Handing spans on, and adding what follows from them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::followed::{Followed, count};
use super::queue::Pushed;
use super::worker::{Shared, start};
use crate::otlp::decode;
use crate::privacy::Policy;
use crate::processor::follow::Follow;
use crate::processor::sdk::encode;
use crate::processor::sdk::redaction::{PolicyHandle, Redaction, RedactionCounts, flushed};

/// How long a flush waits for what is queued. The SDK has no time for it.
const FLUSH: Duration = Duration::from_secs(30);

/// The next processor, what follows from the spans that it is handed, and the policy that both stand behind.
pub(super) struct Wrapped<P: SpanProcessor + 'static> {
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
    /// No thread could be had: spans are done with where they end.
    Refused,
}

impl<P: SpanProcessor + 'static> Wrapped<P> {
    pub(super) fn new(next: P, policy: Policy, follow: Follow) -> Self {
        Self {
            shared: Arc::new(Shared { next, followed: Followed::new(follow) }),
            redaction: Redaction::new(policy),
            worker: Mutex::default(),
        }
    }

    pub(super) fn policy(&self) -> Policy {
        self.redaction.policy()
    }

    pub(super) fn policy_handle(&self) -> PolicyHandle {
        PolicyHandle(Arc::clone(&self.redaction))
    }

    pub(super) fn counts(&self) -> RedactionCounts {
        RedactionCounts(Arc::clone(&self.redaction))
    }

    pub(super) fn followed(&self) -> Arc<Followed> {
        Arc::clone(&self.shared.followed)
    }

    fn follow(&self, message: Vec<u8>) {
        if !self.has_thread() {
            return self.shared.add(self.shared.followed.absorb(&message));
        }
        match self.shared.followed.queue.push(message) {
            Pushed::Taken => {}
            Pushed::Full | Pushed::Stopped => count(&self.shared.followed.missed),
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
                    tracing::warn!(target: "veilspan", %error, "no thread; what follows from spans is done where they end");
                    Worker::Refused
                }
            };
        }
        matches!(*worker, Worker::Running(_))
    }

    /// Waits until all that was queued before is done with.
    fn drain(&self, timeout: Duration) {
        if matches!(*self.worker(), Worker::Running(_)) {
            let _ = self.shared.followed.queue.drained(timeout);
        }
    }

    fn worker(&self) -> MutexGuard<'_, Worker> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: SpanProcessor + 'static> Wrapped<P> {
    pub(super) fn on_start(&self, span: &mut Span, context: &Context) {
        self.shared.next.on_start(span, context);
    }

    pub(super) fn on_end(&self, span: SpanData) {
        let Some((span, message)) = self.redaction.span_and_message(span) else { return };
        let is_sampled = span.span_context.is_sampled();
        self.shared.next.on_end(span);
        if let Some(message) = message.filter(|_| is_sampled) {
            self.follow(message);
        }
    }

    pub(super) fn force_flush(&self) -> OTelSdkResult {
        self.drain(FLUSH);
        self.shared.add(self.shared.followed.tick());
        flushed(self.shared.next.force_flush(), self.redaction.flush(Redaction::LONGEST))
    }

    pub(super) fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let begun = Instant::now();
        // The next processor needs time of its own to send what is added now.
        self.drain(timeout / 2);
        self.shared.followed.queue.stop();
        self.shared.add(self.shared.followed.shutdown());
        let left = || timeout.saturating_sub(begun.elapsed());
        flushed(self.shared.next.shutdown_with_timeout(left()), self.redaction.flush(left()))
    }

    pub(super) fn set_resource(&mut self, resource: &Resource) {
        let resource = self.redaction.resource(resource);
        self.shared.followed.produced_by(decode::producer(&encode::resource(&resource)));
        let worker = self.worker.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Worker::Running(thread) = std::mem::take(worker) {
            // The SDK says this before there is any span; whoever says it later waits for what is queued.
            self.shared.followed.queue.stop();
            let _ = thread.join();
            self.shared.followed.queue.restart();
        }
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.next.set_resource(&resource);
        }
    }
}

impl<P: SpanProcessor + 'static> Drop for Wrapped<P> {
    fn drop(&mut self) {
        // The thread ends by itself, and the last of the two drops the next processor.
        self.shared.followed.queue.stop();
    }
}
