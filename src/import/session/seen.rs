//! What has been seen before, within a bound.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// A map from names to values that forgets the oldest names beyond a bound.
#[derive(Debug)]
pub(in crate::import) struct Recent<V> {
    state: RandomState,
    values: HashMap<u64, V>,
    order: VecDeque<u64>,
    bound: usize,
}

/// A name, as the map that it was asked of knows it.
#[derive(Clone, Copy, Debug)]
pub(in crate::import) struct Known(u64);

impl<V> Recent<V> {
    /// As many names as a table of 8192 places has room for, the one included that is about to be forgotten.
    pub(in crate::import) const FITS_8192: usize = 8192 / 8 * 7 - 1;

    /// A map of at most `bound` names.
    pub(in crate::import) fn new(bound: usize) -> Self {
        Self { state: RandomState::new(), values: HashMap::new(), order: VecDeque::new(), bound }
    }

    /// The value of a name.
    pub(in crate::import) fn get(&self, name: &str) -> Option<&V> {
        self.values.get(&self.state.hash_one(name))
    }

    /// Sets the value of a name. Whether the name is new.
    pub(in crate::import) fn set(&mut self, name: &str, value: V) -> bool {
        self.set_known(self.know(name), value)
    }

    /// What a name is known by here.
    pub(in crate::import) fn know(&self, name: &str) -> Known {
        Known(self.state.hash_one(name))
    }

    /// The same of a name that is known.
    pub(in crate::import) fn set_known(&mut self, Known(hash): Known, value: V) -> bool {
        let is_new = self.values.insert(hash, value).is_none();
        if is_new {
            self.order.push_back(hash);
            if self.order.len() > self.bound
                && let Some(oldest) = self.order.pop_front()
            {
                self.values.remove(&oldest);
            }
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_names_are_forgotten_first() {
        let mut recent = Recent::new(2);
        assert!(recent.set("a", 1) && recent.set("b", 2) && !recent.set("a", 3) && recent.set("c", 4));
        assert_eq!((recent.get("a"), recent.get("b"), recent.get("c")), (None, Some(&2), Some(&4)));
    }
}
