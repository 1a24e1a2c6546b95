//! The thread on which things follow from spans.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use opentelemetry_sdk::trace::{SpanData, SpanProcessor};

use super::followed::{Followed, count};
use super::queue::Job;

/// A processor's next, and what it is told of.
pub(super) struct Shared<P> {
    pub(super) next: P,
    pub(super) followed: Arc<Followed>,
}

impl<P: SpanProcessor> Shared<P> {
    /// Hands spans of our own on. A processor that panics on one costs no other, and never our thread.
    pub(super) fn add(&self, spans: Vec<SpanData>) {
        let followed = &self.followed;
        for span in spans {
            // Whatever the panic has left behind is the processor's own, as where a host's thread panics in it.
            match catch_unwind(AssertUnwindSafe(|| self.next.on_end(span))) {
                Ok(()) => count(&followed.added),
                Err(_) => count(&followed.panicked),
            }
        }
    }

    fn work(&self) {
        let queue = &self.followed.queue;
        loop {
            match queue.next() {
                Job::Span(message) => {
                    self.add(self.followed.absorb(&message));
                    queue.finished();
                }
                Job::Tick => self.add(self.followed.tick()),
                Job::Stop => return,
            }
        }
    }
}

/// Starts the thread. It ends when the queue is stopped.
pub(super) fn start<P: SpanProcessor + 'static>(shared: &Arc<Shared<P>>) -> std::io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name("veilspan-follow".to_owned()).spawn(move || shared.work())
}
