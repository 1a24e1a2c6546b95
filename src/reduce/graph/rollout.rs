//! The rollout and its threads.

use std::fmt;

use bytestring::ByteString;

use super::{Edge, Finding, Thread, Totals, Turn};
use crate::event::{At, Outcome};

/// One root agent run with all its sub-agents, as far as it was observed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rollout {
    /// Whose data it is.
    pub tenant: Option<ByteString>,
    /// Its id, unique in its tenant.
    pub id: ByteString,
    /// How often it was closed and opened again before.
    pub generation: u64,
    /// Why it closed; missing while it is open.
    pub closed: Option<Reason>,
    /// How it ended: the outcome of the root thread's last turn. Missing while that one is open.
    pub outcome: Option<Outcome>,
    /// The thread of the agent that nobody in the rollout started.
    pub root: Option<ByteString>,
    /// The first time seen.
    pub started_unix_nano: Option<u64>,
    /// The last time seen.
    pub last_unix_nano: Option<u64>,
    /// Its threads, by id.
    pub threads: Vec<Thread>,
    /// What passed between threads and turns, in order.
    pub edges: Vec<Edge>,
    /// What a person should know, in order.
    pub findings: Vec<Finding>,
    /// What was set aside, in order.
    pub quarantine: Vec<Quarantined>,
    /// What its producer calls the recording.
    pub recording: Option<ByteString>,
    /// References to what was seen of it, in order.
    pub evidence: Vec<Evidence>,
    /// Sums over all its turns.
    pub totals: Totals,
}

impl Rollout {
    /// All turns with their threads, thread by thread.
    pub fn turns(&self) -> impl Iterator<Item = (&Thread, &Turn)> {
        self.threads.iter().flat_map(|thread| thread.turns.iter().map(move |turn| (thread, turn)))
    }

    /// The name of the root agent.
    pub fn agent(&self) -> Option<&ByteString> {
        let root = self.root.as_ref()?;
        let place = self.threads.binary_search_by(|thread| thread.id.cmp(root)).ok()?;
        self.threads.get(place)?.turns.iter().find_map(|turn| turn.agent.as_ref())
    }
}

/// Something that was observed and could not be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarantined {
    /// Where it stood.
    pub place: ByteString,
    /// Why it was set aside.
    pub reason: ByteString,
}

/// A reference to something that was seen, kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// When it was seen.
    pub at: At,
    /// The reference.
    pub reference: ByteString,
    /// What kind of thing it is.
    pub kind: Option<ByteString>,
}

/// Why a rollout closed (`veilspan.rollout.reason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// One of its turns said that it was the last.
    Ended,
    /// It was silent for too long.
    Idle,
    /// Memory was short.
    Evicted,
}

impl Reason {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Idle => "idle",
            Self::Evicted => "evicted",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
