//! An exporter that exports what may leave.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::redaction::{PolicyHandle, Redaction, RedactionCounts, flushed};
use crate::export::Startup;
use crate::export::upstream::{Guarded, IoRuntime, Panicked};
use crate::privacy::Policy;

/// Applies a [`Policy`] to all that another exporter gets: spans and the resource.
///
/// Spans that were recorded but not sampled are not exported, which the SDK's batch processor leaves to nobody. An exporter
/// that panics while it exports has failed to export, and is asked again with the next batch. Errors pass as they are.
pub struct RedactingExporter<E> {
    inner: E,
    redaction: Arc<Redaction>,
    /// What there is to say with the first export.
    startup: Mutex<Option<Startup>>,
    is_off: bool,
    // After the exporter, whose connections it serves.
    runtime: Option<IoRuntime>,
}

impl<E> RedactingExporter<E> {
    /// Before `inner`, under `policy`.
    pub fn new(inner: E, policy: Policy) -> Self {
        Self { inner, redaction: Redaction::new(policy), startup: Mutex::new(None), is_off: false, runtime: None }
    }

    /// The same with a runtime for what `inner` waits for.
    pub(super) fn on(self, runtime: IoRuntime) -> Self {
        Self { runtime: Some(runtime), ..self }
    }

    /// The same with something to say: told with the first export, since a host sets its subscriber up after this.
    pub(super) fn telling(self, startup: Startup) -> Self {
        Self { startup: Mutex::new(Some(startup)), ..self }
    }

    /// The same, exporting nothing.
    pub(super) fn switched_off(self) -> Self {
        Self { is_off: true, ..self }
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

impl<E: SpanExporter> SpanExporter for RedactingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let startup = self.startup.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(startup) = startup {
            startup.tell();
        }
        if self.is_off {
            return Ok(());
        }
        let batch = self.redaction.batch(batch);
        if batch.is_empty() {
            return Ok(());
        }
        let export = async { self.inner.export(batch).await };
        match Guarded::new(export, self.runtime.as_ref().map(IoRuntime::handle)).await {
            Ok(result) => result,
            Err(Panicked) => {
                if self.redaction.count_panic() == 0 {
                    tracing::warn!(target: "veilspan", "the exporter has panicked; its batch is lost");
                }
                Err(OTelSdkError::InternalFailure("the exporter has panicked".to_owned()))
            }
        }
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        flushed(self.inner.shutdown_with_timeout(timeout), self.redaction.flush(timeout))
    }

    fn shutdown(&self) -> OTelSdkResult {
        flushed(self.inner.shutdown(), self.redaction.flush(Redaction::LONGEST))
    }

    fn force_flush(&self) -> OTelSdkResult {
        flushed(self.inner.force_flush(), self.redaction.flush(Redaction::LONGEST))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(&self.redaction.resource(resource));
    }
}

impl<E> fmt::Debug for RedactingExporter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedactingExporter").field("policy", &self.policy()).finish_non_exhaustive()
    }
}
