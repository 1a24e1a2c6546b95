//! What becomes of a batch that a peer did not take.

use tonic::Code;

use super::batch::Batch;
use crate::otlp::ExportError;

/// What is to be done with a batch after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send it again, when the time has come.
    Again,
    /// It is too long for this peer: send its halves.
    Halve,
    /// The peer does not want us as we are, whatever we send. That may be put right on its side: ask once a minute.
    Hold,
    /// It is refused for good.
    Refused,
    /// The same, of one span that is too long for this peer.
    TooLong,
}

/// A single span is sent so often to a peer that says that it is out of range, which some mean as "too long" and some as
/// "come again".
const OUT_OF_RANGE_TRIES: u32 = 3;

impl Verdict {
    /// By the rules of OTLP, and by what receivers say of what is too long: Go's servers and HTTP's 413 say that a resource is
    /// exhausted without saying when to come again, tonic's that the message is out of range.
    pub(super) fn of(error: &ExportError, batch: &Batch) -> Self {
        match error.code() {
            Code::ResourceExhausted if error.retry_after().is_none() && batch.count > 1 => Self::Halve,
            Code::ResourceExhausted if error.retry_after().is_none() => Self::TooLong,
            Code::OutOfRange if batch.count > 1 => Self::Halve,
            Code::OutOfRange if batch.attempts >= OUT_OF_RANGE_TRIES => Self::TooLong,
            _ if error.retryable() => Self::Again,
            Code::Unauthenticated | Code::PermissionDenied | Code::NotFound | Code::Unimplemented => Self::Hold,
            _ => Self::Refused,
        }
    }
}
