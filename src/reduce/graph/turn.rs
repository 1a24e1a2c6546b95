//! Turns and their segments.

use bytestring::ByteString;

use super::{Call, CodeCell, Inference, Node, OtherCall, TerminalOperation, ToolCall, Totals};
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
    /// How it ended; missing while it is open or waits for a person, and where its producer has no word for that.
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

    /// Its code cells, segment by segment.
    pub fn code_cells(&self) -> impl Iterator<Item = &CodeCell> {
        self.segments.iter().flat_map(|segment| &segment.code_cells)
    }

    /// Its waits for a person's decision, segment by segment.
    pub fn approvals(&self) -> impl Iterator<Item = &OtherCall> {
        self.segments.iter().flat_map(|segment| &segment.approvals)
    }

    /// All its calls but the segments themselves, segment by segment.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.segments.iter().flat_map(Segment::calls)
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
    /// Code cells, in the order of their start.
    pub code_cells: Vec<CodeCell>,
    /// Terminal operations, in the order of their start.
    pub terminal_operations: Vec<TerminalOperation>,
    /// Attempts to make the history shorter, in the order of their start.
    pub compactions: Vec<OtherCall>,
    /// Waits for a person's decision, in the order of their start.
    pub approvals: Vec<OtherCall>,
    /// All other calls, in the order of their start.
    pub others: Vec<OtherCall>,
}

impl Segment {
    /// A segment without calls.
    pub(in crate::reduce) const fn empty(index: i64, call: Option<Call>) -> Self {
        Self {
            index,
            call,
            inferences: Vec::new(),
            tool_calls: Vec::new(),
            code_cells: Vec::new(),
            terminal_operations: Vec::new(),
            compactions: Vec::new(),
            approvals: Vec::new(),
            others: Vec::new(),
        }
    }

    /// All its calls but itself: model requests, tool calls, then the rest, kind by kind.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        let inferences = self.inferences.iter().map(|inference| &inference.call);
        let others = [&self.compactions, &self.approvals, &self.others].into_iter().flatten();
        inferences
            .chain(self.tool_calls.iter().map(|tool| &tool.call))
            .chain(self.code_cells.iter().map(|cell| &cell.call))
            .chain(self.terminal_operations.iter().map(|operation| &operation.call))
            .chain(others.map(|other| &other.call))
    }

    pub(in crate::reduce) fn calls_mut(&mut self) -> impl Iterator<Item = &mut Call> {
        let inferences = self.inferences.iter_mut().map(|inference| &mut inference.call);
        let others = [&mut self.compactions, &mut self.approvals, &mut self.others].into_iter().flatten();
        inferences
            .chain(self.tool_calls.iter_mut().map(|tool| &mut tool.call))
            .chain(self.code_cells.iter_mut().map(|cell| &mut cell.call))
            .chain(self.terminal_operations.iter_mut().map(|operation| &mut operation.call))
            .chain(others.map(|other| &mut other.call))
    }
}
