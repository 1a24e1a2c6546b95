//! What waits to be sent, wherever it waits: the seam between those who record and the thread that sends.

use std::time::Duration;

use tokio::time::Instant;

use super::batch::Batch;
use crate::intake::Drop;

/// What the sender should do next.
#[derive(Debug)]
pub(crate) enum Next {
    Send(Batch),
    /// Nothing is due before this instant; without one, until something comes.
    Wait(Option<Instant>),
    Stop,
}

/// Spans on their way. The sender takes batches, and gives each back: settled, or to be sent again.
pub(crate) trait Queue: Send + Sync {
    /// What is to be done now.
    fn next(&self) -> Next;

    /// The batch need not be sent again. `count` runs before anybody who waits can see it, and not at all where the batch was
    /// given up and counted before.
    fn settle(&self, batch: &Batch, count: &mut dyn FnMut());

    /// Keeps the span of a batch of one that no peer takes, with the reason, and tells whether it could. It is still to be
    /// settled.
    fn set_aside(&self, _batch: &Batch, _reason: Drop) -> bool {
        false
    }

    /// These are to be sent again, before all others and in this order.
    fn again(&self, batches: Vec<Batch>);

    /// Does what is to be done once in a while, and says when next.
    fn tend(&self) -> Option<Duration> {
        None
    }

    /// How many spans wait or are in flight.
    fn waiting(&self) -> u64;

    /// The bytes of what waits and is not in flight.
    fn backlog_bytes(&self) -> u64;

    /// From now on everything that waits is due, and, where it is the last time, nothing more is taken.
    fn hurry(&self, last: bool);

    /// Nobody waits any longer.
    fn calm(&self);

    fn is_hurried(&self) -> bool;

    fn is_abandoned(&self) -> bool;

    /// Waits until what is there now is settled, and tells whether that came before the deadline.
    fn wait_for_all(&self, deadline: std::time::Instant) -> bool;

    /// Gives up what waits, for good, and tells how many spans are lost by it; those in flight count too.
    fn abandon(&self) -> u64;
}
