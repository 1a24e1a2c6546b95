//! What passed between threads and turns.

use bytestring::ByteString;

use crate::event::{At, EdgeKind, Key, SpanId, TraceId};

/// Information that passed from one place to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// What passed; missing where the link does not say.
    pub kind: Option<EdgeKind>,
    /// Where it came from.
    pub from: End,
    /// Where it went.
    pub to: End,
    /// When it was sent, where it was observed by itself.
    pub started_at: Option<At>,
    /// When it had been sent.
    pub ended_at: Option<At>,
    /// The id that its producer gave it.
    pub id: Option<ByteString>,
    /// The items of the receiving thread that hold it.
    pub items: Vec<u32>,
    /// References to what was seen of it, in order.
    pub evidence: Vec<ByteString>,
}

/// One end of an edge.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// The trace of the span there, where a link names it.
    pub trace: Option<TraceId>,
    /// The span.
    pub span: Option<SpanId>,
    /// The thread, where no turn or call of it is meant.
    pub thread: Option<ByteString>,
    /// What it stands for; missing where the span is not part of the rollout, or was not seen yet.
    pub node: Option<Node>,
    /// The item that holds what passed, by its number in the thread.
    pub item: Option<u32>,
}

impl End {
    /// The thread it is in.
    pub fn thread(&self) -> Option<&ByteString> {
        self.thread.as_ref().or_else(|| self.node.as_ref().map(|node| &node.thread))
    }
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
