//! Span links, and what passed between the two ends.

use std::str::FromStr;

use super::{SpanId, TraceId};

/// What passed between two threads or turns (`veilspan.edge.kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EdgeKind {
    /// A tool call started a sub-agent.
    Spawn,
    /// A task was handed to a running agent.
    Task,
    /// A message was sent.
    Message,
    /// A result came back.
    Result,
    /// An agent was closed.
    Close,
    /// An attempt follows a failed one.
    Retry,
    /// A turn goes on after a wait or a restart.
    Resume,
    /// A replay points to what it repeats.
    Replay,
    /// A turn follows the turn before it.
    Turn,
}

impl EdgeKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Spawn,
        Self::Task,
        Self::Message,
        Self::Result,
        Self::Close,
        Self::Retry,
        Self::Resume,
        Self::Replay,
        Self::Turn,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spawn => "spawn",
            Self::Task => "task",
            Self::Message => "message",
            Self::Result => "result",
            Self::Close => "close",
            Self::Retry => "retry",
            Self::Resume => "resume",
            Self::Replay => "replay",
            Self::Turn => "turn",
        }
    }
}

impl FromStr for EdgeKind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or(())
    }
}

/// A link to another span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Link {
    /// The trace of the other span.
    pub trace: TraceId,
    /// The other span.
    pub span: SpanId,
    /// What passed between the two, where it is known.
    pub kind: Option<EdgeKind>,
}
