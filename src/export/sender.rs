//! Encoded fields on their way to a peer: pushed from any thread, sent from one of our own.

use std::sync::Arc;
use std::time::Instant;

use super::config::{ExporterConfig, ExporterError};
use super::envelope::Envelope;
use super::io::{self, Shared};
use super::limits::{Limits, Rank};
use super::outbox::{NotTaken, Outbox};
use super::queue::Queue;
use crate::intake::{Counters, Drop};

/// Batches what its queue holds and sends it, again and again until it is answered.
pub(crate) struct Sender<Q: Queue = Outbox> {
    queue: Arc<Q>,
    shared: Arc<Shared>,
}

impl Sender {
    /// Starts the thread that sends what waits in memory. Nothing is connected before the first field.
    pub(crate) fn start(
        config: &ExporterConfig,
        envelope: Envelope,
        counters: Arc<Counters>,
    ) -> Result<Self, ExporterError> {
        Self::from(Outbox::new(config.limits()), config, envelope, counters)
    }

    /// Takes one encoded field, unless there is no room for it.
    #[cfg(feature = "collector")]
    pub(crate) fn push(&self, field: &[u8]) -> Result<(), Drop> {
        self.push_request(field, 1)
    }

    /// The same for a whole request, which is sent as it is or together with others.
    #[cfg(feature = "collector")]
    pub(crate) fn push_request(&self, request: &[u8], spans: u64) -> Result<(), Drop> {
        let pushed = self.queue.push_fields(request, spans, Rank::TurnEnd).map_err(|not_taken| match not_taken {
            NotTaken::Lost(reason) => reason,
            NotTaken::Content => Drop::ExportQueueFull,
        });
        if pushed? {
            self.wake();
        }
        Ok(())
    }

    /// The same for a span that may have to give way to others, and that `write` appends where it will leave from.
    pub(super) fn write_ranked(&self, rank: Rank, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), NotTaken> {
        if self.queue.write(1, rank, write)? {
            self.wake();
        }
        Ok(())
    }
}

impl<Q: Queue + 'static> Sender<Q> {
    pub(super) fn from(
        queue: Q,
        config: &ExporterConfig,
        envelope: Envelope,
        counters: Arc<Counters>,
    ) -> Result<Self, ExporterError> {
        let queue = Arc::new(queue);
        let shared = Arc::new(Shared::new(Arc::clone(&queue) as Arc<dyn Queue>, counters));
        io::start(Arc::clone(&shared), config.peer(), envelope)?;
        Ok(Self { queue, shared })
    }
}

impl<Q: Queue> Sender<Q> {
    pub(super) fn queue(&self) -> &Q {
        &self.queue
    }

    /// Lets the sender look again.
    pub(super) fn wake(&self) {
        self.shared.wake.notify_one();
    }

    /// Something was taken with less than it had.
    pub(super) fn add_loss(&self) {
        self.shared.add_loss();
    }

    /// How often something that was taken has been lost.
    pub(crate) fn losses(&self) -> u64 {
        self.shared.losses()
    }

    /// What waits, for somebody who looks at it once in a while and keeps nothing alive.
    #[cfg(feature = "sdk")]
    pub(super) fn watch(&self) -> std::sync::Weak<dyn Queue>
    where
        Q: 'static,
    {
        Arc::downgrade(&self.shared.queue)
    }

    /// How many spans wait or are in flight.
    pub(crate) fn waiting(&self) -> u64 {
        self.queue.waiting()
    }

    /// Sends what waits, until the deadline, and tells whether nothing is left. Blocks.
    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        self.queue.hurry(false);
        self.wake();
        let complete = self.queue.wait_for_all(deadline);
        self.queue.calm();
        complete
    }

    /// The same for the last time; what is left in memory is counted as lost.
    pub(crate) fn shutdown(&self, deadline: Instant) -> bool {
        self.queue.hurry(true);
        self.wake();
        let complete = self.queue.wait_for_all(deadline);
        self.give_up();
        complete
    }

    fn give_up(&self) {
        self.shared.counters.add_dropped(Drop::PeerUnreachable, self.queue.abandon());
        self.wake();
    }
}

impl<Q: Queue> std::ops::Drop for Sender<Q> {
    /// Ends its thread. What still waits in memory is lost, and counted.
    fn drop(&mut self) {
        self.give_up();
    }
}

impl ExporterConfig {
    pub(super) const fn limits(&self) -> Limits {
        Limits {
            batch_spans: self.batch_spans,
            batch_bytes: self.batch_bytes,
            batch_delay: self.batch_delay,
            queue_bytes: self.queue_bytes,
            queue_spans: self.queue_spans,
        }
    }
}
