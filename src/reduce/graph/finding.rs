//! What a person should know.

use std::fmt;

use bytestring::ByteString;

use crate::event::Key;

/// Something that a person should know. Holds ids, words and counts only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The thread it is about.
    pub thread: Option<ByteString>,
    /// The turn it is about.
    pub turn: Option<ByteString>,
    /// The call it is about.
    pub call: Option<Key>,
    /// What counts.
    pub expected: Option<ByteString>,
    /// What was told instead.
    pub actual: Option<ByteString>,
    /// How many of them this stands for.
    pub count: u64,
}

impl Finding {
    /// How much it matters (`veilspan.finding.severity`).
    pub const fn severity(&self) -> Severity {
        match self.kind {
            FindingKind::Unknown | FindingKind::Orphan => Severity::Info,
            FindingKind::Conflict | FindingKind::Gap | FindingKind::Overlap | FindingKind::Truncated => {
                Severity::Warning
            }
        }
    }
}

/// What a finding says (`veilspan.finding.kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FindingKind {
    /// Two observations of one thing disagree; the graph shows the one that counts.
    Conflict,
    /// A turn that nobody reported, or the end of a call whose start nobody did.
    Orphan,
    /// A request that extends a chain which nobody in its thread has shown.
    Gap,
    /// Two segments of one thread were active at the same time.
    Overlap,
    /// Facts were dropped, because the rollout has more than its bound.
    Truncated,
    /// Events of a kind that this version does not know.
    Unknown,
}

impl FindingKind {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Orphan => "orphan",
            Self::Gap => "gap",
            Self::Overlap => "overlap",
            Self::Truncated => "truncated",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Good to know: nothing need be wrong.
    Info,
    /// Some of the graph is missing or doubtful.
    Warning,
}

impl Severity {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
        }
    }
}
