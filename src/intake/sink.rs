//! Where records go.

use std::time::Instant;

use super::Drop;
use crate::event::{Key, Record};

/// Takes the records of finished calls. Called on the pipeline's thread, one call at a time.
pub trait Sink: Send + Sync {
    /// Takes one record, or refuses it. A refused `Opened` means that its `Closed` is never offered.
    fn take(&self, record: Record) -> Result<(), Refused>;

    /// Whether `Opened` records are wanted at all; without them a call costs less.
    fn wants_opened(&self) -> bool {
        true
    }

    /// How often something that was taken has been lost since then. When this grows, every thread tells its history anew.
    fn losses(&self) -> u64 {
        0
    }

    /// What keeps records so that they outlive this process, where the sink does that. Such a sink is told of an opening a
    /// little later, at the latest before [`Durable::commit`], and of none of a call that has closed by then.
    fn durable(&self) -> Option<&dyn Durable> {
        None
    }

    /// Whether `flush` and `shutdown` keep their deadline and may be called on any thread, while records are taken. Where
    /// they may not, they are called on the pipeline's thread, and nothing is taken meanwhile.
    fn drains_alone(&self) -> bool {
        false
    }

    /// What begins a flush for somebody who waits, where the sink has that: whoever waits is then woken once, by the sink, and
    /// not by the pipeline before.
    fn relay(&self) -> Option<&dyn Relay> {
        None
    }

    /// Sends what waits, until `deadline` at the latest, and tells whether nothing is left.
    fn flush(&self, _deadline: Instant) -> bool {
        true
    }

    /// The same for the last time.
    fn shutdown(&self, deadline: Instant) -> bool {
        self.flush(deadline)
    }
}

/// Flushes that begin on one thread and are waited for on another.
pub trait Relay {
    /// Somebody is going to wait for a flush. The number that is answered stands for it.
    fn announce(&self) -> u64;

    /// All that is waited for under this number has been taken. Called on the pipeline's thread.
    fn begin(&self, number: u64);

    /// Waits until what was there when it began has been sent, until `deadline` at the latest, and tells whether it has. Called
    /// once for each number that was announced.
    fn wait(&self, number: u64, deadline: Instant) -> bool;
}

/// Keeps records so that they outlive this process.
pub trait Durable {
    /// Keeps all that was taken so far, and tells whether all of it is kept. Called on the pipeline's thread whenever it has
    /// nothing more to offer.
    fn commit(&self) -> bool;

    /// The close of a call whose opening was taken is lost, and was counted: nothing is to be told of the call. May be called
    /// on any thread.
    fn forget(&self, key: Key);
}

/// A record that a sink did not take, and why. The pipeline counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record was refused: {}", reason.as_str())]
pub struct Refused {
    /// The reason under which the call is counted as lost.
    pub reason: Drop,
}

impl Default for Refused {
    fn default() -> Self {
        Self { reason: Drop::SinkRefused }
    }
}

/// What a flush or a shutdown came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Whether nothing that was recorded before waits any more, in time. What was lost on its way stands in the counts.
    pub complete: bool,
    /// Totals since the recorder was made.
    pub counts: super::Counts,
}

impl Drained {
    /// What a recorder that records nothing drains.
    pub(crate) const fn nothing() -> Self {
        Self { complete: true, counts: super::Counts::ZERO }
    }
}
