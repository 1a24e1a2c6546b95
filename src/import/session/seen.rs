//! What has been seen before, within a bound.
//!
//! Kept in chunks of a few tens of kilobytes, of which the oldest is forgotten whole: a table that grew as one would take
//! its size twice while it grows, and leave a hole of each size that it had.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use rustc_hash::FxBuildHasher;

/// The most bytes of a chunk, but where there would be more than [`MAX_CHUNKS`] of them.
const CHUNK_BYTES: usize = 24 << 10;
const MAX_CHUNKS: usize = 32;

/// A map from names to values that forgets the oldest names beyond a bound.
#[derive(Debug)]
pub(in crate::import) struct Recent<V> {
    state: RandomState,
    /// The newest last. Names are known by keyed hashes, which need not be hashed well again.
    chunks: VecDeque<HashMap<u64, V, FxBuildHasher>>,
    /// The names of one chunk, and the most chunks.
    chunk: usize,
    most: usize,
}

/// A name, as the map that it was asked of knows it.
#[derive(Clone, Copy, Debug)]
pub(in crate::import) struct Known(u64);

impl<V> Recent<V> {
    /// A map that remembers the newest `bound` names, and hardly more.
    pub(in crate::import) fn new(bound: usize) -> Self {
        // A table has a power of two of places, and one in eight stays free.
        let places: usize = 1 << (CHUNK_BYTES / (size_of::<(u64, V)>() + 1)).max(8).ilog2();
        let chunk = (places / 8 * 7).max(bound.div_ceil(MAX_CHUNKS)).min(bound.max(1));
        let most = bound.div_ceil(chunk) + 1;
        Self { state: RandomState::default(), chunks: VecDeque::new(), chunk, most }
    }

    /// The value of a name.
    pub(in crate::import) fn get(&self, name: &str) -> Option<&V> {
        let Known(hash) = self.know(name);
        self.chunks.iter().rev().find_map(|chunk| chunk.get(&hash))
    }

    /// The value of a name, to be changed.
    pub(in crate::import) fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.get_known_mut(self.know(name))
    }

    pub(in crate::import) fn get_known_mut(&mut self, Known(hash): Known) -> Option<&mut V> {
        self.chunks.iter_mut().rev().find_map(|chunk| chunk.get_mut(&hash))
    }

    /// Sets the value of a name. Whether the name is new.
    pub(in crate::import) fn set(&mut self, name: &str, value: V) -> bool {
        let known = self.know(name);
        match self.get_known_mut(known) {
            Some(place) => {
                *place = value;
                false
            }
            None => {
                self.note(known, value);
                true
            }
        }
    }

    /// What a name is known by here.
    pub(in crate::import) fn know(&self, name: &str) -> Known {
        Known(self.state.hash_one(name))
    }

    /// Sets the value of a name that mostly is new: it is not looked for.
    pub(in crate::import) fn note(&mut self, Known(hash): Known, value: V) {
        let is_full = self.chunks.back().is_none_or(|newest| newest.len() >= self.chunk);
        if is_full {
            // Most maps stay small, and one that does not fills its chunks.
            let room = if self.chunks.is_empty() { 0 } else { self.chunk };
            self.chunks.push_back(HashMap::with_capacity_and_hasher(room, FxBuildHasher));
            if self.chunks.len() > self.most {
                self.chunks.pop_front();
            }
        }
        if let Some(newest) = self.chunks.back_mut() {
            newest.insert(hash, value);
        }
    }
}

impl Known {
    /// What is known by a hash of its own, which never leaves.
    pub(in crate::import) const fn by(hash: u64) -> Self {
        Self(hash)
    }
}

/// The newest of what is met again and again, in two generations: most of it is new, and looked for in two places.
#[derive(Debug, Default)]
pub(in crate::import) struct Newest {
    young: HashSet<u64, FxBuildHasher>,
    old: HashSet<u64, FxBuildHasher>,
}

impl Newest {
    /// How many of one generation are remembered.
    const REMEMBERED: usize = 1 << 11;

    /// Whether it was met before. From now on it was.
    pub(in crate::import) fn is_again(&mut self, Known(hash): Known) -> bool {
        if self.old.contains(&hash) || !self.young.insert(hash) {
            return true;
        }
        if self.young.len() >= Self::REMEMBERED {
            // The room of the older ones is that of the next ones.
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        false
    }

    /// Nothing was met yet.
    pub(in crate::import) fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_met_lately_is_met_again_and_what_was_long_ago_is_not() {
        let (mut newest, most) = (Newest::default(), 10 * Newest::REMEMBERED as u64);
        for hash in 0..most {
            assert!(!newest.is_again(Known::by(hash)));
            assert!(newest.young.len() < Newest::REMEMBERED && newest.old.len() <= Newest::REMEMBERED);
        }
        let newer = most - Newest::REMEMBERED as u64;
        assert!((newer..most).all(|hash| newest.is_again(Known::by(hash))));
        assert!(!newest.is_again(Known::by(0)));
        newest.forget();
        assert!(!newest.is_again(Known::by(most - 1)));
    }

    #[test]
    fn the_newest_names_are_remembered_and_the_oldest_are_not() {
        for bound in [1, 2, 100, 10_000, 100_000] {
            let mut recent = Recent::new(bound);
            let names: Vec<String> = (0..4 * bound).map(|name| name.to_string()).collect();
            for (place, name) in names.iter().enumerate() {
                assert!(recent.set(name, place));
            }
            let known = names.iter().filter(|name| recent.get(name).is_some()).count();
            assert!((bound..=2 * bound).contains(&known), "{known} of {bound}");
            assert!(names.iter().rev().take(bound).all(|name| recent.get(name).is_some()));
            assert!(names.iter().take(bound).all(|name| recent.get(name).is_none()));
        }
    }

    #[test]
    fn a_name_has_the_value_that_it_was_given_last() {
        let mut recent = Recent::new(2);
        assert!(recent.set("a", 1) && recent.set("b", 2) && !recent.set("a", 3) && recent.set("c", 4));
        assert_eq!((recent.get("a"), recent.get("b"), recent.get("c")), (Some(&3), Some(&2), Some(&4)));
        recent.note(recent.know("b"), 5);
        assert_eq!(recent.get("b"), Some(&5));
    }
}
