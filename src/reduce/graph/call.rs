//! Calls: what inferences, tool calls and the segments of turns have in common, and what each has of its own.

use bytestring::ByteString;

use crate::event::{Arguments, At, Attrs, Input, Key, Measure, Outcome, Output, SpanIds};

/// One call, both halves folded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Its key, unique in its turn.
    pub key: Key,
    /// The span that tells of it; missing where only its end was seen.
    pub span: Option<SpanIds>,
    /// When it opened; missing where only its end was seen.
    pub opened_at: Option<At>,
    /// When it closed; missing while it is open, and where nobody told.
    pub closed_at: Option<At>,
    /// How it ended; missing while it is open, on a segment that ended in a wait, and where nobody said.
    pub outcome: Option<Outcome>,
    /// Whether the outcome was concluded from another event (`veilspan.end.inferred`): the end of its turn, or the
    /// closing of its rollout.
    pub end_inferred: bool,
    /// Whether it ended after its turn had ended.
    pub late: bool,
    /// Names, parameters, usage.
    pub attrs: Attrs,
    /// The policy in force when it opened.
    pub policy: Option<ByteString>,
    /// Ends that were told and lost against the outcome.
    pub conflicts: Vec<Conflict>,
}

/// An end that was told and lost against another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// What was told.
    pub outcome: Outcome,
    /// When, and by whom.
    pub at: At,
}

impl Call {
    /// Nanoseconds from its opening to its end, where both were told.
    pub fn duration_nanos(&self) -> Option<u64> {
        Some(self.closed_at?.time_unix_nano.saturating_sub(self.opened_at?.time_unix_nano))
    }
}

/// One attempt of one model request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inference {
    /// What it has in common with other calls.
    pub call: Call,
    /// What the model was sent.
    pub input: Input,
    /// What it answered.
    pub output: Output,
    /// Whether it extends a chain that nobody in its thread has shown.
    pub gap: bool,
}

/// One execution of one tool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolCall {
    /// What it has in common with other calls.
    pub call: Call,
    /// What the tool was called with.
    pub arguments: Arguments,
    /// What it returned.
    pub result: Measure,
}
