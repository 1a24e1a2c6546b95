//! Marks: what was observed inside a call, at one point of time.

use std::str::FromStr;

use derive_where::derive_where;

use super::{At, Content};

/// What kind of observation a mark is. On the wire it is an event of the call's span, named [`as_str`](Self::as_str).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MarkKind {
    /// An agent decided what to do.
    Decision,
    /// The state of an agent was kept, so that a run can go on from there.
    Checkpoint,
    /// A shorter history took the place of the one before.
    CompactionInstalled,
    /// A code cell gave what it had so far, and went on.
    Yielded,
    /// A call noticed that it should stop.
    CancelObserved,
    /// The first chunk of a streamed answer came.
    FirstChunk,
    /// Somebody said how much the call matters.
    Importance,
    /// A call gave its first answer, and did not yield with it.
    Responded,
    /// The runtime began to do what a tool call asks for.
    RuntimeBegan,
    /// It had done it, or had not.
    RuntimeEnded,
    /// A server's id of a call became known.
    Correlated,
    /// Something passed to another thread.
    Passed,
}

impl MarkKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::Decision,
        Self::Checkpoint,
        Self::CompactionInstalled,
        Self::Yielded,
        Self::CancelObserved,
        Self::FirstChunk,
        Self::Importance,
        Self::Responded,
        Self::RuntimeBegan,
        Self::RuntimeEnded,
        Self::Correlated,
        Self::Passed,
    ];

    /// The name of the span event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "veilspan.decision",
            Self::Checkpoint => "veilspan.checkpoint",
            Self::CompactionInstalled => "veilspan.compaction",
            Self::Yielded => "veilspan.yield",
            Self::CancelObserved => "veilspan.cancel",
            Self::FirstChunk => "veilspan.first_chunk",
            Self::Importance => "veilspan.importance",
            Self::Responded => "veilspan.response",
            Self::RuntimeBegan => "veilspan.runtime.begin",
            Self::RuntimeEnded => "veilspan.runtime.end",
            Self::Correlated => "veilspan.correlation",
            Self::Passed => "veilspan.edge",
        }
    }
}

impl FromStr for MarkKind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or(())
    }
}

/// One observation inside a call.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Attrs, C::Request, C::Payload, C::Payloads)]
pub struct Mark<C: Content> {
    /// What was observed.
    pub kind: MarkKind,
    /// Names, numbers, labels.
    pub attrs: C::Attrs,
    /// What was said with it.
    pub noted: Noted<C>,
}

/// The content of a mark.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Request, C::Payload, C::Payloads)]
#[non_exhaustive]
pub enum Noted<C: Content> {
    /// None.
    Nothing,
    /// Of a [`Decision`](MarkKind::Decision).
    Decision {
        /// What is to be done.
        action: C::Payload,
        /// What else could have been done.
        alternatives: C::Payloads,
    },
    /// Of a [`Checkpoint`](MarkKind::Checkpoint).
    State(C::Payload),
    /// Of a [`Passed`](MarkKind::Passed).
    Message(C::Payload),
    /// Of a [`CompactionInstalled`](MarkKind::CompactionInstalled). Boxed, since no other mark is as large.
    Histories(Box<Histories<C>>),
}

/// The two histories of a compaction. A valid one of what was veiled has messages, blobs, a chain and `omitted` alone: no
/// prefix, no system instructions and no tools.
#[derive_where(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord; C::Request)]
pub struct Histories<C: Content> {
    /// The history that was replaced.
    pub replaced: C::Request,
    /// What took its place.
    pub replacement: C::Request,
}

impl<C: Content> Noted<C> {
    /// The content that a kind of mark has, empty.
    pub fn empty(kind: MarkKind) -> Self {
        match kind {
            MarkKind::Decision => {
                Self::Decision { action: C::Payload::default(), alternatives: C::Payloads::default() }
            }
            MarkKind::Checkpoint => Self::State(C::Payload::default()),
            MarkKind::CompactionInstalled => Self::Histories(Box::default()),
            MarkKind::Passed => Self::Message(C::Payload::default()),
            MarkKind::Yielded
            | MarkKind::CancelObserved
            | MarkKind::FirstChunk
            | MarkKind::Importance
            | MarkKind::Responded
            | MarkKind::RuntimeBegan
            | MarkKind::RuntimeEnded
            | MarkKind::Correlated => Self::Nothing,
        }
    }
}

/// A mark with its place in time.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Attrs, C::Request, C::Payload, C::Payloads)]
pub struct Marked<C: Content> {
    /// When it was observed, and by whom.
    pub at: At,
    /// What was observed.
    pub mark: Mark<C>,
}
