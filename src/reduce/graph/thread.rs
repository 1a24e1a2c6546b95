//! One agent's message history.

use bytestring::ByteString;

use super::{Compaction, OtherCall, TerminalSession, Turn, VisibleItem};
use crate::event::{At, Outcome};

/// One agent's message history.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thread {
    /// Its id, unique in its rollout.
    pub id: ByteString,
    /// What was told of its agent.
    pub agent: Agent,
    /// When it began, where that was told by itself.
    pub started_at: Option<At>,
    /// When it ended, where that was told.
    pub ended_at: Option<At>,
    /// How it ended, where that was told.
    pub outcome: Option<Outcome>,
    /// Its turns, in the order of their start.
    pub turns: Vec<Turn>,
    /// What models were shown and produced in it, in the order in which it was first seen.
    pub items: Vec<VisibleItem>,
    /// Histories that were replaced, in order.
    pub compactions: Vec<Compaction>,
    /// Terminals that its tools used, by id.
    pub terminals: Vec<TerminalSession>,
    /// Inputs that waited for their turn or were turned away, in order.
    pub admissions: Vec<OtherCall>,
}

/// What was told of a thread's agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Agent {
    /// Its path among the agents of the rollout.
    pub path: Option<ByteString>,
    /// What it is called.
    pub nickname: Option<ByteString>,
    /// What it is for.
    pub role: Option<ByteString>,
    /// What it was started for.
    pub task: Option<ByteString>,
    /// The model that it uses unless told otherwise.
    pub model: Option<ByteString>,
    /// The thread that started it.
    pub parent: Option<ByteString>,
}
