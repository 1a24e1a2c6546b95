//! Entries of one length that are kept once and known by their place.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::paged::Pages;
use super::table::{Mark, PLACE, take_back};

/// Entries of `WIDTH` bytes each. Their first `KEY` bytes tell them apart: there is one entry for each. Places count from 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Fixed<const WIDTH: usize, const KEY: usize = WIDTH> {
    entries: Pages<[u8; WIDTH], 8>,
    len: u32,
    /// The entry that was asked for last.
    last: u32,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
    held: usize,
}

impl<const WIDTH: usize, const KEY: usize> Fixed<WIDTH, KEY> {
    /// The place of the entry with the key of this one, which is added where there is none; nothing where the table is full.
    #[inline]
    pub(super) fn place(&mut self, entry: &[u8; WIDTH]) -> Option<u32> {
        // The next one asked for is mostly the same: an id; the answer that its model is shown again; the history that goes on.
        if self.is(self.last, key_of(entry)) {
            return Some(self.last);
        }
        let hash = hash_of(&self.hasher, key_of::<WIDTH, KEY>(entry));
        if let Some(place) = self.places.find(hash, |place| self.is(*place, key_of(entry))) {
            self.last = *place;
            return Some(*place);
        }
        self.add(hash, entry)
    }

    fn add(&mut self, hash: u64, entry: &[u8; WIDTH]) -> Option<u32> {
        let place = self.len;
        if place == u32::MAX {
            return None;
        }
        self.entries.push(&[*entry])?;
        self.len += 1;
        self.last = place;
        let (entries, hasher) = (&self.entries, &self.hasher);
        let rehash = |place: &u32| entries.at(*place).map_or(0, |entry| hash_of::<KEY>(hasher, key_of(entry)));
        self.places.insert_unique(hash, place, rehash);
        self.reckon();
        Some(place)
    }

    pub(super) fn find(&self, key: &[u8; KEY]) -> Option<u32> {
        self.places.find(hash_of(&self.hasher, key), |place| self.is(*place, key)).copied()
    }

    #[inline]
    fn is(&self, place: u32, key: &[u8; KEY]) -> bool {
        self.get(place).is_some_and(|entry| is_equal(key_of(entry), key))
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&[u8; WIDTH]> {
        self.entries.at(place)
    }

    /// How many there are.
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    pub(super) const fn mark(&self) -> Mark {
        Mark(self.len)
    }

    /// Takes out what was added since.
    pub(super) fn back_to(&mut self, mark: Mark) {
        let (entries, hasher) = (&mut self.entries, &self.hasher);
        take_back(&mut self.places, &mut self.len, mark, |place| {
            let hash = entries.at(place).map_or(0, |entry| hash_of::<KEY>(hasher, key_of(entry)));
            entries.truncate(place);
            hash
        });
        self.reckon();
    }

    fn reckon(&mut self) {
        self.held = self.entries.held() + self.len as usize * PLACE;
    }

    /// The memory that it keeps; of the hash table near enough to bound it.
    pub(super) const fn held(&self) -> usize {
        self.held
    }
}

#[inline]
fn key_of<const WIDTH: usize, const KEY: usize>(entry: &[u8; WIDTH]) -> &[u8; KEY] {
    const { assert!(KEY <= WIDTH) };
    entry.first_chunk().unwrap_or(const { &[0; KEY] })
}

/// By words, without a call.
#[inline]
fn is_equal<const KEY: usize>(one: &[u8; KEY], other: &[u8; KEY]) -> bool {
    let ((words, rest), (others, of_other)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let is_same = |(one, other): (&[u8; 8], &[u8; 8])| u64::from_le_bytes(*one) == u64::from_le_bytes(*other);
    words.iter().zip(others).all(is_same) && rest.iter().zip(of_other).all(|(one, other)| one == other)
}

/// By words: the hasher takes a slice byte by byte beside its length.
#[inline]
fn hash_of<const KEY: usize>(hasher: &DefaultHashBuilder, key: &[u8; KEY]) -> u64 {
    let mut state = hasher.build_hasher();
    let (pairs, rest) = key.as_chunks::<16>();
    pairs.iter().for_each(|pair| state.write_u128(u128::from_le_bytes(*pair)));
    let (words, rest) = rest.as_chunks::<8>();
    words.iter().for_each(|word| state.write_u64(u64::from_le_bytes(*word)));
    rest.iter().for_each(|byte| state.write_u8(*byte));
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u32) -> [u8; 40] {
        let mut entry = [7; 40];
        entry[29..33].copy_from_slice(&number.to_be_bytes());
        entry
    }

    #[test]
    fn an_entry_is_known_by_its_key_and_can_be_taken_back() {
        let mut table = Fixed::<40, 33>::default();
        let mut mark = table.mark();
        for number in 0..2_000 {
            if number == 500 {
                mark = table.mark();
            }
            let bound = table.held() + 40 + PLACE + 4096;
            assert_eq!(table.place(&entry(number)), Some(number));
            assert!(table.held() <= bound);
            let again = entry(number).map(|byte| if byte == 7 { 7 } else { byte });
            assert_eq!(table.place(&again), Some(number));
        }
        let mut other = entry(3);
        other[39] = 9;
        assert_eq!(table.place(&other), Some(3), "what stands behind the key tells none apart");
        assert_eq!(table.get(3), Some(&entry(3)), "and is that of the first");
        for number in (0..2_000).rev() {
            assert_eq!(table.find(entry(number).first_chunk().unwrap()), Some(number));
        }
        let held = table.held();
        table.back_to(mark);
        assert_eq!((table.len(), table.find(entry(500).first_chunk().unwrap())), (500, None));
        assert_eq!(table.find(entry(499).first_chunk().unwrap()), Some(499));
        assert!(table.held() < held && table.get(500).is_none());
        assert_eq!(table.place(&entry(9_999)), Some(500));
    }
}
