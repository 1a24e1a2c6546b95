//! Why a request was not even read.

use std::time::Duration;

use tonic::{Code, Status};

use crate::otlp::refusal::refusal;

/// How long a caller is asked to wait where there is no room.
const COME_AGAIN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotRead {
    NoRoom,
    TooLarge,
    TooSlow,
    Garbled,
    Broken,
    Encoding,
}

impl NotRead {
    pub(super) const KINDS: usize = 6;

    pub(super) const fn place(self) -> usize {
        self as usize
    }
}

impl From<NotRead> for Status {
    fn from(kind: NotRead) -> Self {
        match kind {
            NotRead::NoRoom => refusal(Code::ResourceExhausted, "the receiver is short of memory", Some(COME_AGAIN)),
            // Without a time to come again it is refused for good: by the rules of OTLP it would be sent again, and again.
            NotRead::TooLarge => Self::resource_exhausted("the message is larger than this receiver takes"),
            NotRead::TooSlow => Self::deadline_exceeded("the request did not come in time"),
            NotRead::Garbled => Self::invalid_argument("the request is not framed or compressed as it says"),
            NotRead::Broken => Self::cancelled("the request broke off"),
            NotRead::Encoding => Self::unimplemented("the request is compressed in a way that is not read here"),
        }
    }
}
