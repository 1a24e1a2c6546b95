//! Where forgotten rollouts go on, as long as it is worth knowing.

use std::collections::{BTreeMap, HashMap};

use crate::reduce::{GoesOn, RolloutKey};

/// The newest record of each rollout that says so, 65,536 of them at most.
#[derive(Debug, Default)]
pub(super) struct Next {
    by_rollout: HashMap<RolloutKey, u64>,
    by_index: BTreeMap<u64, (RolloutKey, GoesOn)>,
}

impl Next {
    /// A record that was written. Answers with those that nobody needs any more: an older one of the same rollout, and the
    /// oldest of all where there are too many.
    pub(super) fn put(&mut self, index: u64, rollout: RolloutKey, goes_on: GoesOn) -> Vec<u64> {
        let older = self.by_rollout.insert(rollout.clone(), index);
        self.by_index.insert(index, (rollout, goes_on));
        let mut free: Vec<u64> = older.into_iter().collect();
        free.iter().for_each(|older| drop(self.by_index.remove(older)));
        if self.by_index.len() > GoesOn::KEPT
            && let Some((oldest, (rollout, _))) = self.by_index.pop_first()
        {
            self.by_rollout.remove(&rollout);
            free.push(oldest);
        }
        free
    }

    /// The records before this index.
    pub(super) fn before(&self, index: u64) -> Vec<(RolloutKey, GoesOn)> {
        self.by_index.range(..index).map(|(_, next)| next.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;

    use super::*;

    #[test]
    fn of_a_rollout_the_newest_is_kept_and_of_all_the_newest() {
        let key = |number: usize| RolloutKey { tenant: None, rollout: ByteString::from(number.to_string()) };
        let goes_on = |generation| GoesOn { generation, resumes: None };
        let mut next = Next::default();
        assert!(next.put(1, key(0), goes_on(1)).is_empty());
        assert_eq!(next.put(2, key(0), goes_on(2)), [1]);
        assert_eq!(next.before(3), [(key(0), goes_on(2))]);
        assert!(next.before(2).is_empty());
        for number in 1..GoesOn::KEPT {
            assert!(next.put(2 + number as u64, key(number), goes_on(1)).is_empty());
        }
        assert_eq!(next.put(1 << 20, key(1 << 20), goes_on(1)), [2]);
    }
}
