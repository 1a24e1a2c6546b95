//! What a person should know.

use std::fmt;

use bytestring::ByteString;

use crate::event::{Attrs, Key};
use crate::reduce::text::call_id;
use crate::semconv::{
    FINDING_ACTUAL, FINDING_CALL, FINDING_COUNT, FINDING_EXPECTED, FINDING_KIND, FINDING_NAME, FINDING_SEVERITY,
    THREAD_ID, TURN_ID,
};

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
    /// What of it: the name of a parameter, the id of a call.
    pub subject: Option<ByteString>,
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
            FindingKind::Unknown | FindingKind::Orphan | FindingKind::Cancel => Severity::Info,
            FindingKind::Leak
            | FindingKind::TenantMismatch
            | FindingKind::ForeignConnection
            | FindingKind::ToolMismatch => Severity::Error,
            FindingKind::Conflict
            | FindingKind::Gap
            | FindingKind::Overlap
            | FindingKind::ParameterDrift
            | FindingKind::Quarantined
            | FindingKind::Truncated => Severity::Warning,
        }
    }
}

impl Finding {
    /// It as attributes of a span event or a log record. What it is about of a call, the name of a parameter for one,
    /// is `veilspan.finding.name`.
    pub fn to_attrs(&self) -> Attrs {
        let mut attrs = Attrs::default();
        attrs.set(FINDING_KIND, ByteString::from_static(self.kind.as_str()));
        attrs.set(FINDING_SEVERITY, ByteString::from_static(self.severity().as_str()));
        for (attr, label) in [(THREAD_ID, &self.thread), (TURN_ID, &self.turn), (FINDING_NAME, &self.subject)] {
            label.iter().for_each(|label| attrs.set(attr, label.clone()));
        }
        if let Some(call) = self.call {
            attrs.set(FINDING_CALL, call_id(call).into());
        }
        for (attr, value) in [(FINDING_EXPECTED, &self.expected), (FINDING_ACTUAL, &self.actual)] {
            value.iter().for_each(|value| attrs.set(attr, vec![value.clone()]));
        }
        attrs.set(FINDING_COUNT, i64::try_from(self.count).unwrap_or(i64::MAX));
        attrs
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
    /// Events or items of a kind that this version does not know.
    Unknown,
    /// A parameter of model requests changed inside a turn.
    ParameterDrift,
    /// Content of one thread was seen in another that nothing passed to.
    Leak,
    /// A span names another tenant than its parent, and was set aside.
    TenantMismatch,
    /// A result came from another connection than its call was given to, and was set aside.
    ForeignConnection,
    /// A result names another tool than its call, and was set aside.
    ToolMismatch,
    /// Records that could not be used were set aside.
    Quarantined,
    /// A stop was asked for after the end, and changed nothing.
    Cancel,
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
            Self::ParameterDrift => "parameter_drift",
            Self::Leak => "leak",
            Self::TenantMismatch => "tenant_mismatch",
            Self::ForeignConnection => "foreign_connection",
            Self::ToolMismatch => "tool_mismatch",
            Self::Quarantined => "quarantined",
            Self::Cancel => "cancel",
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
    /// What belongs to one party was seen with another.
    Error,
    /// A run did something else than the run it was held against.
    Critical,
}

impl Severity {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}
