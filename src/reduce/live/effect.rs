//! What follows from an event or from the passing of time.

use bytestring::ByteString;

use super::SynthSpan;
use crate::reduce::facts::RolloutKey;
use crate::reduce::graph::{Finding, Reason, Rollout};

/// Something for the host to do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Send a span that no producer sent.
    AddSpan(Box<SynthSpan>),
    /// Tell a person.
    Finding(Box<RolloutFinding>),
    /// A turn has closed, in a rollout that is open.
    TurnClosed(Box<RolloutKey>),
    /// A rollout has closed, or has changed after it had.
    RolloutClosed(Box<ClosedRollout>),
    /// Add to a counter.
    Count(Counter, u64),
    /// Call [`tick`](super::Reducer::tick) at this time (nanoseconds since 1970), or later, or earlier. The latest one
    /// given counts.
    WakeAt(u64),
}

/// A finding and the rollout it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutFinding {
    /// Whose data it is.
    pub tenant: Option<ByteString>,
    /// The rollout.
    pub rollout: ByteString,
    /// Which generation of it.
    pub generation: u64,
    /// What was found.
    pub finding: Finding,
}

/// A rollout that has closed.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosedRollout {
    /// What is known of it now.
    pub graph: Rollout,
    /// How often it has changed since: 0 when it closes.
    pub revision: u64,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Counter {
    /// Turns that closed.
    TurnsClosed,
    /// Rollouts that closed.
    RolloutsClosed(Reason),
    /// Events that were known already.
    Duplicate,
    /// Events of rollouts that had closed.
    Late,
    /// Late events that only their arrival is told of, because the rollout's facts had given way to memory.
    LateWithoutFacts,
    /// Facts turned away by a rollout's own bound.
    Truncated,
    /// Facts turned away because memory was full.
    Refused,
    /// Calls whose parent belongs to another tenant, set aside.
    TenantMismatch,
    /// Closed rollouts whose facts gave way to memory.
    Stripped,
    /// Closed rollouts forgotten before their time.
    Forgotten,
}

impl Counter {
    /// A name for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TurnsClosed => "turns_closed",
            Self::RolloutsClosed(Reason::Ended) => "rollouts_ended",
            Self::RolloutsClosed(Reason::Idle) => "rollouts_idle",
            Self::RolloutsClosed(Reason::Evicted) => "rollouts_evicted",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::LateWithoutFacts => "late_without_facts",
            Self::Truncated => "truncated",
            Self::Refused => "refused",
            Self::TenantMismatch => "tenant_mismatch",
            Self::Stripped => "stripped",
            Self::Forgotten => "forgotten",
        }
    }
}
