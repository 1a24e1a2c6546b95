//! The thread on which spans are reduced.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use opentelemetry_sdk::trace::{SpanData, SpanProcessor};

use super::counts::count;
use super::queue::Job;
use super::reduction::Reduction;

/// A processor's next, and what it is told of.
pub(super) struct Shared<P> {
    pub(super) next: P,
    pub(super) reduction: Arc<Reduction>,
}

impl<P: SpanProcessor> Shared<P> {
    /// Hands spans of our own on. A processor that panics on one costs no other, and never our thread.
    pub(super) fn add(&self, spans: Vec<SpanData>) {
        let counts = &self.reduction.counts;
        for span in spans {
            // Whatever the panic has left behind is the processor's own, as where a host's thread panics in it.
            match catch_unwind(AssertUnwindSafe(|| self.next.on_end(span))) {
                Ok(()) => count(&counts.added),
                Err(_) => count(&counts.panicked),
            }
        }
    }

    fn work(&self) {
        let queue = &self.reduction.queue;
        loop {
            match queue.next() {
                Job::Span(message) => {
                    self.add(self.reduction.absorb(&message));
                    queue.finished();
                }
                Job::Tick => self.add(self.reduction.tick()),
                Job::Stop => return,
            }
        }
    }
}

/// Starts the thread. It ends when the queue is stopped.
pub(super) fn start<P: SpanProcessor + 'static>(shared: &Arc<Shared<P>>) -> std::io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name("veilspan-reduce".to_owned()).spawn(move || shared.work())
}
