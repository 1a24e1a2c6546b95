//! Calls: what all kinds have in common, and what each has of its own.

use bytestring::ByteString;

use super::{Answer, Numbers, Shown};
use crate::event::{Arguments, At, Attrs, Digest, Key, MarkKind, Measure, Outcome, SpanIds};

/// One call, all observations folded.
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
    /// What its error said of itself.
    pub error: Measure,
    /// What was observed inside it, in order.
    pub marks: Vec<CallMark>,
    /// Ends that were told and lost against the outcome.
    pub conflicts: Vec<Conflict>,
}

/// What was observed inside a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallMark {
    /// When, and by whom.
    pub at: At,
    /// What was observed.
    pub kind: MarkKind,
    /// Names, numbers, labels.
    pub attrs: Attrs,
    /// Its content: a decision's action and then its alternatives, a checkpoint's state, a message.
    pub content: Vec<Measure>,
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

    /// When it began, or else when the first was seen of it.
    pub(in crate::reduce) fn seen_at(&self) -> Option<At> {
        let first = || self.marks.first().map(|mark| mark.at).into_iter().chain(self.closed_at).min();
        self.opened_at.or_else(first)
    }
}

/// One attempt of one model request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inference {
    /// What it has in common with other calls.
    pub call: Call,
    /// What the model was sent.
    pub input: Shown,
    /// What it answered.
    pub output: Answer,
    /// Whether it extends a history that nobody in its thread has shown.
    pub gap: bool,
    /// The tool calls that its answer asked for and that were seen.
    pub started: Vec<Key>,
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
    /// Which use of the provider's call id it is in its segment, 0 first.
    pub occurrence: u32,
    /// How often a placeholder was returned before the result: a stop for an approval.
    pub placeholders: u32,
    /// The items that ask for it.
    pub call_items: Vec<u32>,
    /// The items that hold its result.
    pub output_items: Vec<u32>,
    /// What the runtime did, beside what its requester sent and got.
    pub runtime: Runtime,
    /// The code cell that asked for it.
    pub cell: Option<Key>,
    /// The terminal operation inside it.
    pub terminal: Option<Key>,
}

/// The run-time side of a tool call.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Runtime {
    /// When it began.
    pub began_at: Option<At>,
    /// When it ended.
    pub ended_at: Option<At>,
    /// How it ended.
    pub outcome: Option<ByteString>,
    /// References to what was seen of it, in order.
    pub evidence: Vec<ByteString>,
}

/// Code written by a model that calls tools itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeCell {
    /// What it has in common with other calls.
    pub call: Call,
    /// The source.
    pub source: Measure,
    /// Whether its start was told; otherwise it is known from the tools that it called.
    pub reported: bool,
    /// What its runtime said of it last, before its end.
    pub status: Option<ByteString>,
    /// When it first gave anything back.
    pub responded_at: Option<At>,
    /// When it first gave what it had and went on.
    pub yielded_at: Option<At>,
    /// The item that holds its source.
    pub source_item: Option<u32>,
    /// The items that hold its output.
    pub output_items: Vec<u32>,
    /// The tools that it called.
    pub nested: Vec<Key>,
    /// The tools that waited for it.
    pub waits: Vec<Key>,
}

/// A command, or a write to a running process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TerminalOperation {
    /// What it has in common with other calls.
    pub call: Call,
    /// What was run, or what was typed.
    pub request: Vec<Measure>,
    /// What it wrote: to the output, to the error output, and both as they were shown.
    pub result: Vec<Measure>,
    /// The tool call around it.
    pub tool: Option<Key>,
}

/// Any other kind of call: an attempt at a compaction, an approval, a search.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherCall {
    /// What it has in common with other calls.
    pub call: Call,
    /// What it was given.
    pub given: Vec<Measure>,
    /// What it returned.
    pub returned: Vec<Measure>,
}

/// A history that was replaced by a shorter one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Compaction {
    /// Its id.
    pub id: Option<ByteString>,
    /// The turn in which it was installed.
    pub turn: ByteString,
    /// When, and by whom it was told.
    pub at: At,
    /// The item that marks the place.
    pub marker: u32,
    /// The attempts that led to it.
    pub attempts: Vec<Key>,
    /// The items that were replaced.
    pub replaced: Numbers,
    /// The items that took their place.
    pub replacement: Numbers,
    /// The chain digest of the history that took its place.
    pub chain: Option<Digest>,
    /// The reference to what was seen of it.
    pub evidence: Option<ByteString>,
}

/// A terminal that one or more operations used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TerminalSession {
    /// Its id.
    pub id: ByteString,
    /// When the first operation began.
    pub started_at: Option<At>,
    /// The operations, each with its turn, in order.
    pub operations: Vec<(ByteString, Key)>,
}
