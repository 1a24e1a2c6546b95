//! Why a request is not answered: pointers and digests, never values.

use std::fmt;

use serde_json::{Value, json};

use super::api::put;
use crate::event::{Digest, SpanIds};

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The body is no request of the API that it was sent to.
    NotARequest,
    /// No such request was recorded. With the nearest one, where there is any.
    NotRecorded(Option<Nearest>),
    /// Such a request was recorded so many times, and was answered as often.
    Exhausted {
        /// How many times.
        recorded: usize,
    },
    /// It was recorded, and not all of its answer was kept.
    Lost,
}

/// The recorded request that shares the longest beginning with one that was not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// The span that tells of it.
    pub span: SpanIds,
    /// How many messages both begin with; a tool's result is one of its own.
    pub messages: usize,
    /// Whether both have the same instructions and tools.
    pub shares_setting: bool,
    /// The chain digest of the recorded request up to where the two part; nothing where it ends before.
    pub expected: Option<Digest>,
    /// The chain digest of this request up to there; nothing where it ends before.
    pub actual: Option<Digest>,
}

impl Missing {
    /// The HTTP status: always a client's error, and none that a client tries again at.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotARequest => 400,
            Self::NotRecorded(_) | Self::Exhausted { .. } | Self::Lost => 422,
        }
    }

    /// The body of the answer, in the form that OpenAI's and Anthropic's clients read errors in.
    pub fn body(&self) -> Value {
        let kind = match self {
            Self::NotARequest => "invalid_request_error",
            Self::NotRecorded(_) => "not_recorded",
            Self::Exhausted { .. } => "recording_exhausted",
            Self::Lost => "answer_not_kept",
        };
        let mut error = json!({"type": kind, "message": self.to_string()});
        if let Self::NotRecorded(Some(nearest)) = self {
            let nearest = json!({
                "trace": nearest.span.trace.to_string(),
                "span": nearest.span.span.to_string(),
                "pointer": nearest.pointer(),
                "expected": nearest.expected.map(|digest| digest.to_string()),
                "actual": nearest.actual.map(|digest| digest.to_string()),
            });
            put(&mut error, "nearest", nearest);
        }
        json!({"type": "error", "error": error})
    }
}

impl Nearest {
    /// Where the two part, as a JSON pointer into the messages.
    pub fn pointer(&self) -> String {
        if self.shares_setting { format!("/messages/{}", self.messages) } else { "/system or /tools".to_owned() }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARequest => f.write_str("the body is no request of this API"),
            Self::NotRecorded(None) => f.write_str("no answer was recorded"),
            Self::NotRecorded(Some(nearest)) => {
                let (pointer, span) = (nearest.pointer(), nearest.span.span);
                write!(f, "no answer was recorded for this request; the nearest is span {span}, up to {pointer}")
            }
            Self::Exhausted { recorded } => {
                write!(f, "this request was recorded {recorded} times, and has been answered as often")
            }
            Self::Lost => f.write_str(
                "this request was recorded without all of its answer, which is kept where VEILSPAN_CONTENT and \
                 VEILSPAN_CONTENT_MAX are `full`",
            ),
        }
    }
}

impl std::error::Error for Missing {}
