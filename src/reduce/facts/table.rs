//! Byte strings kept once each, known by their place.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Byte strings one after the other, each once. A place is a number that never changes.
///
/// Those of a table with a `WIDTH` all have that length; 0 means any.
#[derive(Clone, Debug, Default)]
pub(super) struct Table<const WIDTH: usize = 0> {
    bytes: Vec<u8>,
    /// Where each ends, where their lengths differ.
    ends: Vec<u32>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// As much as a table had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(usize);

impl<const WIDTH: usize> Table<WIDTH> {
    /// The most bytes of one table: places and ends are 32 bits wide.
    const MAX: usize = u32::MAX as usize;

    /// The place of an entry, which is added where it is new; nothing where the table is full.
    pub(super) fn place(&mut self, entry: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(entry);
        let (bytes, ends) = (&self.bytes, &self.ends);
        if let Some(place) = self.places.find(hash, |place| get::<WIDTH>(bytes, ends, *place) == Some(entry)) {
            return Some(*place);
        }
        debug_assert!(WIDTH == 0 || entry.len() == WIDTH);
        let place = u32::try_from(self.len()).ok()?;
        let end = self.bytes.len().checked_add(entry.len()).filter(|end| *end <= Self::MAX)?;
        grow(&mut self.bytes, entry.len());
        self.bytes.extend_from_slice(entry);
        if WIDTH == 0 {
            grow(&mut self.ends, 1);
            self.ends.push(end as u32);
        }
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        self.places
            .insert_unique(hash, place, |place| hasher.hash_one(get::<WIDTH>(bytes, ends, *place).unwrap_or_default()));
        Some(place)
    }

    pub(super) fn find(&self, entry: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(entry);
        self.places.find(hash, |place| get::<WIDTH>(&self.bytes, &self.ends, *place) == Some(entry)).copied()
    }

    pub(super) fn get(&self, place: u32) -> Option<&[u8]> {
        get::<WIDTH>(&self.bytes, &self.ends, place)
    }

    /// All entries, one after the other.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where among all of them one stands.
    pub(super) fn span(&self, place: u32) -> Option<Range<usize>> {
        span::<WIDTH>(&self.ends, place)
    }

    fn len(&self) -> usize {
        self.bytes.len().checked_div(WIDTH).unwrap_or(self.ends.len())
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.len())
    }

    /// Takes out what was added since.
    pub(super) fn back_to(&mut self, mark: Mark) {
        while self.len() > mark.0 {
            let place = (self.len() - 1) as u32;
            let hash = self.hasher.hash_one(self.get(place).unwrap_or_default());
            if let Ok(entry) = self.places.find_entry(hash, |known| *known == place) {
                entry.remove();
            }
            self.ends.pop();
            let end = if WIDTH == 0 { self.ends.last().map_or(0, |end| *end as usize) } else { place as usize * WIDTH };
            self.bytes.truncate(end);
        }
    }

    /// The memory that it keeps, near enough to bound it: what was put in, and what growing costs on the average.
    pub(super) fn held(&self) -> usize {
        held_by(self.bytes.len()) + self.ends.len() * 4 + self.len() * PLACE
    }
}

fn get<'a, const WIDTH: usize>(bytes: &'a [u8], ends: &[u32], place: u32) -> Option<&'a [u8]> {
    bytes.get(span::<WIDTH>(ends, place)?)
}

fn span<const WIDTH: usize>(ends: &[u32], place: u32) -> Option<Range<usize>> {
    let place = place as usize;
    if WIDTH > 0 {
        let start = place.checked_mul(WIDTH)?;
        return Some(start..start.checked_add(WIDTH)?);
    }
    let end = *ends.get(place)? as usize;
    let start = if place == 0 { 0 } else { *ends.get(place - 1)? as usize };
    Some(start..end)
}

/// A 32-bit place in a hash table, its share of the free ones included.
pub(super) const PLACE: usize = 8;

/// What so many bytes keep in a vector that grows by eighths.
pub(super) const fn held_by(bytes: usize) -> usize {
    bytes + bytes / 16
}

/// Room for `more`, an eighth at a time: a doubling would leave half of the budget unused.
pub(super) fn grow<T>(vector: &mut Vec<T>, more: usize) {
    if vector.capacity() - vector.len() < more {
        vector.reserve_exact(more.max(vector.len() / 8).max(16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stands_once_and_can_be_taken_back() {
        let mut table = Table::<0>::default();
        assert_eq!(table.place(b"a"), Some(0));
        assert_eq!(table.place(b""), Some(1));
        let mark = table.mark();
        for number in 0..1000u32 {
            assert_eq!(table.place(&number.to_be_bytes()), Some(number + 2));
        }
        assert_eq!(table.place(b"a"), Some(0));
        table.back_to(mark);
        assert_eq!(table.len(), 2);
        assert_eq!(table.place(&7u32.to_be_bytes()), Some(2));
        assert_eq!(table.get(1), Some(&b""[..]));
        assert_eq!(table.get(3), None);
    }

    #[test]
    fn entries_of_one_length_need_no_ends() {
        let mut table = Table::<4>::default();
        for number in 0..100u32 {
            assert_eq!(table.place(&number.to_be_bytes()), Some(number));
        }
        let mark = table.mark();
        table.place(b"more");
        table.back_to(mark);
        assert_eq!((table.len(), table.find(b"more"), table.get(100)), (100, None, None));
        assert_eq!(table.get(7), Some(&7u32.to_be_bytes()[..]));
    }
}
