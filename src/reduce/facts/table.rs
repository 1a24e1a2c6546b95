//! Entries that are kept once and known by their place.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::paged::Paged;

/// Entries of bytes of any length, each once. Places count from 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    bytes: Paged<u8>,
    /// Where each begins.
    starts: Paged<u32>,
    len: u32,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
    held: usize,
}

/// As much as a table had.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark(pub(super) u32);

impl Table {
    /// The place of an entry, which is added where it is new; nothing where the table is full.
    pub(super) fn place(&mut self, entry: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(entry);
        if let Some(place) = self.places.find(hash, |place| self.get(*place) == Some(entry)) {
            return Some(*place);
        }
        let place = self.len;
        if place == u32::MAX || self.starts.is_used_up() {
            return None;
        }
        let start = self.bytes.push(entry)?;
        self.starts.push(&[start])?;
        self.len += 1;
        let (bytes, starts, hasher) = (&self.bytes, &self.starts, &self.hasher);
        let hash_of = |place: &u32| hasher.hash_one(get(bytes, starts, *place).unwrap_or_default());
        self.places.insert_unique(hash, place, hash_of);
        self.reckon();
        Some(place)
    }

    pub(super) fn find(&self, entry: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(entry);
        self.places.find(hash, |place| self.get(*place) == Some(entry)).copied()
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&[u8]> {
        get(&self.bytes, &self.starts, place)
    }

    /// All entries, one after the other, page by page.
    pub(super) fn pages(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.pages()
    }

    /// In which page one stands, where in it that begins, and what it is.
    pub(super) fn placed(&self, place: u32) -> Option<(usize, usize, &[u8])> {
        let entry = self.get(place)?;
        let (page, from) = Paged::<u8>::split(start(&self.starts, place)?);
        Some((page, from, entry))
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
        let (bytes, starts, hasher) = (&mut self.bytes, &mut self.starts, &self.hasher);
        take_back(&mut self.places, &mut self.len, mark, |place| {
            let hash = hasher.hash_one(get(bytes, starts, place).unwrap_or_default());
            if let Some(start) = start(starts, place) {
                bytes.truncate(start);
            }
            starts.truncate(place);
            hash
        });
        self.reckon();
    }

    fn reckon(&mut self) {
        self.held = self.bytes.held() + self.starts.held() + self.len as usize * PLACE;
    }

    /// The memory that it keeps; of the hash table near enough to bound it.
    pub(super) const fn held(&self) -> usize {
        self.held
    }
}

/// Takes out the places of all entries but the first `mark`, the last first. `take` takes out the entry itself, and answers
/// its hash.
pub(super) fn take_back(
    places: &mut HashTable<u32>,
    len: &mut u32,
    Mark(mark): Mark,
    mut take: impl FnMut(u32) -> u64,
) {
    while *len > mark {
        let place = *len - 1;
        if let Ok(entry) = places.find_entry(take(place), |known| *known == place) {
            entry.remove();
        }
        *len = place;
    }
}

#[inline]
fn get<'a>(bytes: &'a Paged<u8>, starts: &Paged<u32>, place: u32) -> Option<&'a [u8]> {
    let mut from_here = starts.starting_at(place).iter();
    let start = *from_here.next()?;
    let rest = bytes.starting_at(start);
    // The next begins where this one ends, if it stands in the same page.
    let next = match from_here.next() {
        Some(next) => Some(*next),
        None => starts.at(place.checked_add(1)?).copied(),
    };
    let (page, at) = Paged::<u8>::split(start);
    match next.map(Paged::<u8>::split) {
        Some((page_of_next, end)) if page_of_next == page => rest.get(..end.checked_sub(at)?),
        _ => Some(rest),
    }
}

fn start(starts: &Paged<u32>, place: u32) -> Option<u32> {
    starts.at(place).copied()
}

/// A 32-bit place in a hash table, its share of the free ones included.
pub(super) const PLACE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stands_once_and_can_be_taken_back() {
        let mut table = Table::default();
        assert_eq!(table.place(b"a"), Some(0));
        assert_eq!(table.place(b""), Some(1));
        let mark = table.mark();
        let entry = |number: u32| if number == 500 { vec![7; 50_000] } else { number.to_be_bytes().repeat(9) };
        for number in 0..2000u32 {
            assert_eq!(table.place(&entry(number)), Some(number + 2));
        }
        for number in 0..2000u32 {
            assert_eq!(table.get(number + 2), Some(&*entry(number)));
            assert_eq!(table.find(&entry(number)), Some(number + 2));
            let (page, from, whole) = table.placed(number + 2).unwrap();
            assert!(table.pages().nth(page).unwrap()[from..].starts_with(whole));
        }
        assert_eq!(table.place(b"a"), Some(0));
        table.back_to(mark);
        assert_eq!((table.len(), table.bytes.pages().count()), (2, 1));
        assert_eq!(table.place(&7u32.to_be_bytes()), Some(2));
        assert_eq!(table.get(1), Some(&b""[..]));
        assert_eq!(table.get(3), None);
    }
}
