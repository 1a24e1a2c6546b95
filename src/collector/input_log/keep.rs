//! Which records are still needed, and by whom.

use std::collections::HashMap;

use crate::reduce::RolloutKey;

/// The records that rollouts need which are not forgotten.
#[derive(Debug, Default)]
pub(super) struct Keep {
    /// Of each rollout the records that tell of it.
    records: HashMap<RolloutKey, Vec<u64>>,
    /// Of each record how many rollouts need it.
    needed: HashMap<u64, usize>,
}

impl Keep {
    /// A record that tells of these rollouts, each once.
    pub(super) fn add(&mut self, index: u64, rollouts: Vec<RolloutKey>) {
        self.needed.insert(index, rollouts.len());
        for rollout in rollouts {
            self.records.entry(rollout).or_default().push(index);
        }
    }

    /// Those that are not remembered any more.
    pub(super) fn forgotten(&self, is_remembered: impl Fn(&RolloutKey) -> bool) -> Vec<RolloutKey> {
        let mut forgotten: Vec<_> = self.records.keys().filter(|rollout| !is_remembered(rollout)).cloned().collect();
        forgotten.sort_unstable();
        forgotten
    }

    /// Nobody needs the records of this rollout for its sake; those that nobody needs at all.
    pub(super) fn forget(&mut self, rollout: &RolloutKey) -> Vec<u64> {
        let mut free = Vec::new();
        for index in self.records.remove(rollout).unwrap_or_default() {
            let Some(needed) = self.needed.get_mut(&index) else { continue };
            *needed = needed.saturating_sub(1);
            if *needed == 0 {
                self.needed.remove(&index);
                free.push(index);
            }
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;

    use super::*;

    #[test]
    fn a_record_is_free_when_its_last_rollout_is_forgotten() {
        let key = |name: &str| RolloutKey { tenant: None, rollout: ByteString::from(name) };
        let mut keep = Keep::default();
        keep.add(1, vec![key("a"), key("b")]);
        keep.add(2, vec![key("a")]);
        keep.add(3, vec![key("b")]);
        assert_eq!(keep.forgotten(|rollout| *rollout != key("a")), [key("a")]);
        assert_eq!(keep.forget(&key("a")), [2]);
        assert_eq!(keep.forget(&key("b")), [1, 3]);
        assert!(keep.forgotten(|_| false).is_empty() && keep.needed.is_empty());
    }
}
