//! A map from calls.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::event::Key;

/// A map from calls of this process.
///
/// Their ids are our own and count up, so nobody can choose them to collide, and hashing them can be cheap.
pub(super) type Calls<T> = HashMap<Key, T, BuildHasherDefault<CallHasher>>;

#[derive(Default)]
pub(super) struct CallHasher(u64);

impl CallHasher {
    fn add(&mut self, number: u64) {
        // 2^64 divided by the golden ratio: neighbours end far apart.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for CallHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.add(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.add(u64::from(number));
    }

    fn write_isize(&mut self, number: isize) {
        self.add(number.cast_unsigned() as u64);
    }

    fn write_u128(&mut self, number: u128) {
        // The upper half counts, the lower half is the same in all ids of a process.
        self.add((number >> 64) as u64 ^ number as u64);
    }

    fn finish(&self) -> u64 {
        // A table takes its place from the low bits and its tag from the high ones.
        self.0 ^ self.0 >> 32
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::*;
    use crate::event::{CallIds, CallKind, KeyIdentity};

    #[test]
    fn calls_that_follow_each_other_spread() {
        let ids = CallIds::default();
        let key = || Key { kind: CallKind::Inference, id: KeyIdentity::Call(ids.next(0)), occurrence: 0 };
        let hashes: Vec<u64> = (0..1024).map(|_| Calls::<()>::default().hasher().hash_one(key())).collect();
        let places: HashSet<u64> = hashes.iter().map(|hash| hash & 1023).collect();
        let tags: HashSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        assert!(places.len() > 512, "{}", places.len());
        assert!(tags.len() > 96, "{}", tags.len());
    }
}
