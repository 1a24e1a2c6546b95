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

/// No receiver refuses so few bytes for their number: of gRPC's and HTTP's servers the strictest default is 1 MiB.
const NEVER_TOO_LONG: usize = 64 << 10;

impl Verdict {
    /// By the rules of OTLP, and by what receivers say of what is too long. `largest` is the longest batch that this peer has
    /// taken.
    ///
    /// "Resource exhausted" without a time to come again is no answer to try again after: a quota is used up, or the request
    /// is too long. Only of the latter anything is left for its halves. Where the peer does not say which, a batch no longer
    /// than one that it took was not too long for it.
    pub(super) fn of(error: &ExportError, batch: &Batch, largest: usize) -> Self {
        let may_be_long = error.message_len() == 0 && batch.spans.len() > largest.max(NEVER_TOO_LONG);
        match error.code() {
            Code::ResourceExhausted if error.retry_after().is_none() => {
                if error.is_about_length() || may_be_long {
                    Self::too_long(batch)
                } else {
                    Self::Refused
                }
            }
            // tonic's servers say so of what is too long; of anything else it is one to send again.
            Code::OutOfRange if error.is_about_length() => Self::too_long(batch),
            _ if error.retryable() => Self::Again,
            Code::Unauthenticated | Code::PermissionDenied | Code::NotFound | Code::Unimplemented => Self::Hold,
            _ => Self::Refused,
        }
    }

    const fn too_long(batch: &Batch) -> Self {
        if batch.count > 1 { Self::Halve } else { Self::TooLong }
    }
}
