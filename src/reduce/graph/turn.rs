//! Turns and their segments.

use bytestring::ByteString;

use super::{Call, Inference, Node, ToolCall, Totals};
use crate::event::{At, Outcome};

/// One activation of one agent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// Its id, unique in its thread.
    pub id: ByteString,
    /// The agent's name.
    pub agent: Option<ByteString>,
    /// Whether any producer told of the turn itself. Otherwise it is known from the scope of its calls, which are
    /// orphans until somebody does.
    pub reported: bool,
    /// When it opened; of a turn that nobody reported, when the first of its calls did.
    pub started_unix_nano: Option<u64>,
    /// When it ended; missing while it is open or waits for a person, and where nobody told.
    pub ended_at: Option<At>,
    /// How it ended; missing while it is open or waits for a person.
    pub outcome: Option<Outcome>,
    /// Whether the outcome was concluded, because its rollout closed before anybody told.
    pub end_inferred: bool,
    /// Whether its last segment ended in a wait for a person.
    pub waiting: bool,
    /// What started it: a tool call of another turn, for a sub-agent.
    pub spawned_by: Option<Node>,
    /// Its parts between waits, in order; one without a call of its own where nobody reported the turn.
    pub segments: Vec<Segment>,
    /// Sums over its calls.
    pub totals: Totals,
}

impl Turn {
    /// Nanoseconds from its start to its end, where both were told.
    pub fn duration_nanos(&self) -> Option<u64> {
        Some(self.ended_at?.time_unix_nano.saturating_sub(self.started_unix_nano?))
    }

    /// Its model requests, segment by segment.
    pub fn inferences(&self) -> impl Iterator<Item = &Inference> {
        self.segments.iter().flat_map(|segment| &segment.inferences)
    }

    /// Its tool calls, segment by segment.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.segments.iter().flat_map(|segment| &segment.tool_calls)
    }

    /// All its calls but the segments themselves: model requests and tool calls of each segment.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.segments.iter().flat_map(|segment| {
            let inferences = segment.inferences.iter().map(|inference| &inference.call);
            inferences.chain(segment.tool_calls.iter().map(|tool| &tool.call))
        })
    }
}

/// The part of a turn between waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// Its number in the turn, 0 first.
    pub index: i64,
    /// The `invoke_agent` span; missing where nobody reported it.
    pub call: Option<Call>,
    /// Model requests, in the order of their start.
    pub inferences: Vec<Inference>,
    /// Tool calls, in the order of their start.
    pub tool_calls: Vec<ToolCall>,
}
