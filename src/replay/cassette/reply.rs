//! What a recorded request came to.

use serde_json::{Value, json};

use super::answer::Recorded;
use crate::event::{Closed, Event, Kind, Outcome, Returned, Veiled};
use crate::replay::whole::Whole;
use crate::semconv::{ERROR_KIND, ERROR_RETRYABLE};

/// What a recorded request came to.
pub(super) enum Reply {
    /// An answer, with all of its content.
    Answer(Recorded),
    /// An error.
    Failure(Failure),
    /// An answer of which not all content was kept, or none.
    Lost,
}

/// A recorded error.
pub(super) struct Failure {
    /// The HTTP status: the one that was recorded, or the nearest to what was.
    pub(super) status: u16,
    /// Its class (`veilspan.error.kind`).
    kind: String,
}

impl Reply {
    pub(super) fn read(end: &Event<Veiled>, whole: &Whole<'_>) -> Self {
        let Kind::Closed(closed, returned) = &end.kind else { return Self::Lost };
        // Of one that was abandoned nobody knows what came of it.
        if closed.outcome.is_some_and(|outcome| outcome.is_error() && outcome != Outcome::Abandoned) {
            return Self::Failure(Failure::read(closed));
        }
        let Returned::Answer(output) = returned else { return Self::Lost };
        Recorded::read(closed, output, whole).map_or(Self::Lost, Self::Answer)
    }
}

impl Failure {
    fn read(closed: &Closed<Veiled>) -> Self {
        let kind = closed.attrs.text(ERROR_KIND).unwrap_or("failed").to_owned();
        let recorded = kind.parse().ok().filter(|status| (400..600).contains(status));
        let nearest = match (closed.outcome, closed.attrs.get(ERROR_RETRYABLE)) {
            (Some(Outcome::Timeout), _) => 504,
            (Some(Outcome::Disconnected), _) => 502,
            // No client tries again at it.
            (_, Some(false)) => 400,
            _ => 500,
        };
        Self { status: recorded.unwrap_or(nearest), kind }
    }

    /// The body, in the form that OpenAI's and Anthropic's clients read errors in.
    pub(super) fn body(&self) -> Value {
        json!({"type": "error", "error": {"type": self.kind, "message": "this error was recorded"}})
    }
}
