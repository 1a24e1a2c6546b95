//! A future that neither depends on the host's runtime nor takes its thread down.
//!
//! tonic 0.14 panics on an answer whose `grpc-status-details-bin` is not base64. `opentelemetry_otlp` hands its answers to
//! tonic unseen and has no place for a guard of ours, so that a peer could end the SDK's export thread, and with it all
//! exports. It also sleeps between attempts on the runtime in whose context it is polled: a host that blocks its runtime
//! in an export would wait for itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tracing::subscriber::{NoSubscriber, set_default};

/// The future has panicked. Its words are not kept: nobody knows what they quote.
pub(crate) struct Panicked;

/// Polls a future in the context of a runtime, and ends with it when it panics.
pub(crate) struct Guarded<'a, F> {
    future: Option<Pin<Box<F>>>,
    runtime: Option<&'a Handle>,
    is_silent: bool,
}

impl<'a, F> Guarded<'a, F> {
    /// In the context of `runtime`; without one, in that of whoever polls it.
    pub(crate) fn new(future: F, runtime: Option<&'a Handle>) -> Self {
        Self { future: Some(Box::pin(future)), runtime, is_silent: false }
    }

    /// And nothing is logged meanwhile, on a thread that is not ours.
    pub(crate) fn silent(self) -> Self {
        Self { is_silent: true, ..self }
    }
}

impl<F: Future> Future for Guarded<'_, F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let _inside = self.runtime.map(Handle::enter);
        let _silence = self.is_silent.then(|| set_default(NoSubscriber::new()));
        let Some(future) = &mut self.future else { return Poll::Ready(Err(Panicked)) };
        // A future that has panicked is not polled again. What it shares with others is its exporter, whose locks are
        // poisoned then, and tell so.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(_) => {
                self.future = None;
                Poll::Ready(Err(Panicked))
            }
        }
    }
}
