//! What passed between threads and turns.

use bytestring::ByteString;

use crate::event::{EdgeKind, Key, SpanId, TraceId};

/// Information that passed from one place to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// What passed; missing where the link does not say.
    pub kind: Option<EdgeKind>,
    /// Where it came from: what the link points to.
    pub from: End,
    /// Where it went: what carries the link.
    pub to: End,
}

/// One end of an edge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// The trace of the span there.
    pub trace: TraceId,
    /// The span.
    pub span: SpanId,
    /// What it stands for; missing where the span is not part of the rollout, or was not seen yet.
    pub node: Option<Node>,
}

/// A place in a rollout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// The thread.
    pub thread: ByteString,
    /// The turn.
    pub turn: ByteString,
    /// The call; missing where the turn itself is meant.
    pub call: Option<Key>,
}
