//! Encoded fields on their way to a peer: pushed from any thread, sent from one of our own.

use std::sync::Arc;
use std::time::Instant;

use super::batch::{Limits, Outbox};
use super::config::{ExporterConfig, ExporterError};
use super::io::{Envelope, Io, Shared};
use crate::intake::{Counters, Drop};

/// Batches fields and sends them, again and again until they are answered.
pub(crate) struct Sender {
    shared: Arc<Shared>,
}

impl Sender {
    /// Starts the thread that sends. Nothing is connected before the first field.
    pub(crate) fn start(
        config: &ExporterConfig,
        envelope: Envelope,
        counters: Arc<Counters>,
    ) -> Result<Self, ExporterError> {
        let limits = Limits {
            batch_spans: config.batch_spans,
            batch_bytes: config.batch_bytes,
            batch_delay: config.batch_delay,
            queue_bytes: config.queue_bytes,
            queue_spans: config.queue_spans,
        };
        let shared = Arc::new(Shared::new(Outbox::new(limits), counters));
        Io::start(Arc::clone(&shared), &config.peer(), envelope)?;
        Ok(Self { shared })
    }

    /// Takes one encoded field, unless there is no room for it.
    pub(crate) fn push(&self, field: &[u8]) -> Result<(), Drop> {
        if self.shared.outbox.push(field)? {
            self.shared.wake.notify_one();
        }
        Ok(())
    }

    /// How often something that was taken has been lost.
    pub(crate) fn losses(&self) -> u64 {
        self.shared.losses()
    }

    /// How many fields wait or are in flight.
    pub(crate) fn waiting(&self) -> u64 {
        self.shared.outbox.waiting()
    }

    /// Sends what waits, until the deadline, and tells whether nothing is left. Blocks.
    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        self.shared.outbox.hurry(false);
        self.shared.wake.notify_one();
        let complete = self.shared.outbox.wait_until_empty(deadline);
        self.shared.outbox.calm();
        complete
    }

    /// The same for the last time; what is left is counted as lost.
    pub(crate) fn shutdown(&self, deadline: Instant) -> bool {
        self.shared.outbox.hurry(true);
        self.shared.wake.notify_one();
        let complete = self.shared.outbox.wait_until_empty(deadline);
        self.shared.counters.add_dropped(Drop::PeerUnreachable, self.shared.outbox.abandon());
        self.shared.wake.notify_one();
        complete
    }
}

impl std::ops::Drop for Sender {
    /// Ends its thread. What still waits is lost, and counted.
    fn drop(&mut self) {
        self.shared.counters.add_dropped(Drop::PeerUnreachable, self.shared.outbox.abandon());
        self.shared.wake.notify_one();
    }
}
