//! The facts of one rollout.

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;

use super::call::CallFacts;
use super::key::RolloutKey;
use super::observation::Observation;
use crate::event::{At, Digest, Key, SpanId, TraceId};
use crate::reduce::graph::Reason;

/// What became of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absorbed {
    /// It told something new, and keeps about so many bytes.
    New(usize),
    /// It was known already, or tells nothing.
    Known,
}

/// Everything observed of one rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutFacts {
    pub(in crate::reduce) key: RolloutKey,
    /// How often the rollout was closed before, and the span of the summary that this generation goes on from.
    pub(in crate::reduce) generation: u64,
    pub(in crate::reduce) resumes: Option<(TraceId, SpanId)>,
    pub(in crate::reduce) closed: Option<Reason>,
    pub(in crate::reduce) threads: BTreeMap<ByteString, ThreadFacts>,
    pub(in crate::reduce) unknown: BTreeSet<UnknownFact>,
    /// Facts that the bound turned away.
    pub(in crate::reduce) truncated: u64,
    pub(super) bytes: usize,
    pub(super) count: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::reduce) struct ThreadFacts {
    pub(in crate::reduce) turns: BTreeMap<ByteString, TurnFacts>,
    /// The chain digests that inferences of this thread have shown, so that a gap is seen without a second pass.
    pub(in crate::reduce) chains: BTreeMap<Digest, Shown>,
}

/// By whom a chain was shown. No call vouches for its own prefix, so one and several are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reduce) enum Shown {
    Once(Key),
    Several,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::reduce) struct TurnFacts {
    pub(in crate::reduce) calls: BTreeMap<Key, CallFacts>,
}

/// An event of a kind that this version does not know: kept, so that it can be reported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::reduce) struct UnknownFact {
    pub(in crate::reduce) name: ByteString,
    pub(in crate::reduce) thread: ByteString,
    pub(in crate::reduce) turn: ByteString,
    pub(in crate::reduce) key: Key,
    pub(in crate::reduce) at: At,
}

/// An event made ready to be kept.
pub(in crate::reduce) enum Fact {
    Call(Key, Observation),
    Unknown(UnknownFact),
}

impl RolloutFacts {
    /// No facts yet.
    pub fn new(key: RolloutKey) -> Self {
        Self {
            key,
            generation: 0,
            resumes: None,
            closed: None,
            threads: BTreeMap::new(),
            unknown: BTreeSet::new(),
            truncated: 0,
            bytes: 0,
            count: 0,
        }
    }

    /// Which rollout this is.
    pub const fn key(&self) -> &RolloutKey {
        &self.key
    }

    /// About how many bytes the facts keep in memory.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many facts there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Says that nothing more is expected: what is still open has been abandoned. The first reason given stays.
    pub fn close(&mut self, reason: Reason) {
        self.closed.get_or_insert(reason);
    }

    pub(in crate::reduce) fn turn(&self, thread: &str, turn: &str) -> Option<&TurnFacts> {
        self.threads.get(thread)?.turns.get(turn)
    }
}
