//! What an exporter did not take, and what is answered for it.

use std::time::Duration;

use tonic::{Code, Status};

use crate::otlp::{ExportError, refusal};

/// A request that was not taken. The peer's words are not kept: they may quote what it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collector) struct Refused {
    code: Code,
    retry_after: Option<Duration>,
    is_answered: bool,
    is_retryable: bool,
}

impl Refused {
    /// Nothing is known of it: it may be sent again.
    pub(super) const UNKNOWN: Self =
        Self { code: Code::Unavailable, retry_after: None, is_answered: false, is_retryable: true };

    /// The worse of two answers: what can be sent again is, so that nobody misses it.
    pub(super) fn worst(one: Result<u64, Self>, other: Result<u64, Self>) -> Result<u64, Self> {
        match (one, other) {
            (Ok(one), Ok(other)) => Ok(one.max(other)),
            (Err(one), Err(other)) if other.is_retryable && !one.is_retryable => Err(other),
            (Err(one), _) => Err(one),
            (Ok(_), Err(other)) => Err(other),
        }
    }

    /// Whether the same may be sent again.
    pub(in crate::collector) const fn is_retryable(&self) -> bool {
        self.is_retryable
    }

    /// Whether the next hop may have refused the request because of a single span in it.
    pub(in crate::collector) const fn is_about_the_content(&self) -> bool {
        self.is_answered && matches!(self.code, Code::InvalidArgument | Code::Internal | Code::Unknown)
    }

    /// The answer above for this answer below.
    pub(in crate::collector) fn answer(&self) -> Status {
        refusal(self.code, "the next hop did not take the request", self.retry_after)
    }
}

impl From<&ExportError> for Refused {
    fn from(error: &ExportError) -> Self {
        Self {
            code: error.code(),
            retry_after: error.retry_after(),
            is_answered: error.answered(),
            is_retryable: error.retryable(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_refusals_the_one_that_may_be_sent_again_is_the_answer() {
        let for_good =
            Refused { code: Code::InvalidArgument, retry_after: None, is_answered: true, is_retryable: false };
        for (one, other) in [(for_good, Refused::UNKNOWN), (Refused::UNKNOWN, for_good)] {
            assert_eq!(Refused::worst(Err(one), Err(other)), Err(Refused::UNKNOWN));
        }
        assert_eq!(Refused::worst(Ok(3), Err(for_good)), Err(for_good));
        assert_eq!(Refused::worst(Err(for_good), Ok(3)), Err(for_good));
        assert_eq!(Refused::worst(Ok(3), Ok(5)), Ok(5));
    }
}
