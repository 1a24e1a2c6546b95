//! How often forgotten rollouts were closed.
//!
//! A summary's ids are made of its rollout's id and generation. A rollout that goes on after its tombstone has gone must
//! not count from 0 again, or two different summaries would have the same ids. So a little is kept for longer: the
//! newest 65,536 of these, 64 bytes each, outside the byte budget.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use bytestring::ByteString;

use crate::event::{Digest, SpanId, TraceId};
use crate::reduce::facts::RolloutKey;

const KEPT: usize = 1 << 16;

/// Where a rollout that was forgotten goes on, for those who keep it longer than a reducer lives.
#[cfg(feature = "collector")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GoesOn {
    /// Its next generation.
    pub(crate) generation: u64,
    /// The summary of the one before.
    pub(crate) resumes: Option<(TraceId, SpanId)>,
}

#[cfg(feature = "collector")]
impl GoesOn {
    /// So many are kept, the newest.
    pub(crate) const KEPT: usize = KEPT;
}

/// Where a rollout goes on from.
#[derive(Clone, Debug, Default)]
pub(super) struct Next {
    pub(super) generation: u64,
    pub(super) resumes: Option<(TraceId, SpanId)>,
    /// The newest histories that its threads have shown: what comes next may extend them. Kept as long as the rollout is
    /// remembered by name.
    pub(super) heads: Vec<(ByteString, Digest)>,
}

#[derive(Debug, Default)]
pub(super) struct Generations {
    by_hash: BTreeMap<u64, Next>,
    oldest_first: VecDeque<u64>,
}

impl Generations {
    pub(super) fn keep(&mut self, key: &RolloutKey, next: Next) {
        let hash = hash(key);
        let bare = Next { heads: Vec::new(), ..next };
        if self.by_hash.insert(hash, bare).is_none() {
            self.oldest_first.push_back(hash);
        }
        if self.oldest_first.len() > KEPT
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.by_hash.remove(&oldest);
        }
    }

    pub(super) fn of(&self, key: &RolloutKey) -> Next {
        self.get(key).cloned().unwrap_or_default()
    }

    pub(super) fn get(&self, key: &RolloutKey) -> Option<&Next> {
        self.by_hash.get(&hash(key))
    }
}

pub(super) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
