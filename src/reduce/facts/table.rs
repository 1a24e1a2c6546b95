//! Entries that are kept once and known by their place.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::paged::Paged;

/// Entries of bytes, each once: of `WIDTH` bytes each, or of any length where that is 0. Places count from 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Table<const WIDTH: usize = 0> {
    bytes: Paged<u8>,
    /// Where each begins, where their lengths differ.
    starts: Paged<u32>,
    len: u32,
    /// The entry that was asked for last: of ids, the next one asked for is mostly the same.
    last: u32,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// As much as a table had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(u32);

impl<const WIDTH: usize> Table<WIDTH> {
    /// The place of an entry, which is added where it is new; nothing where the table is full.
    pub(super) fn place(&mut self, entry: &[u8]) -> Option<u32> {
        if WIDTH > 0 && self.get(self.last) == Some(entry) {
            return Some(self.last);
        }
        let hash = self.hasher.hash_one(entry);
        let (bytes, starts) = (&self.bytes, &self.starts);
        if let Some(place) = self.places.find(hash, |place| is::<WIDTH>(bytes, starts, *place, entry)) {
            self.last = *place;
            return Some(*place);
        }
        debug_assert!(WIDTH == 0 || entry.len() == WIDTH);
        let place = self.len;
        if place == u32::MAX || self.starts.is_used_up() {
            return None;
        }
        let start = self.bytes.push(entry)?;
        if WIDTH == 0 {
            self.starts.push(&[start])?;
        }
        self.len += 1;
        self.last = place;
        let (bytes, starts, hasher) = (&self.bytes, &self.starts, &self.hasher);
        self.places.insert_unique(hash, place, |place| {
            hasher.hash_one(get::<WIDTH>(bytes, starts, *place).unwrap_or_default())
        });
        Some(place)
    }

    pub(super) fn find(&self, entry: &[u8]) -> Option<u32> {
        if WIDTH > 0 && self.get(self.last) == Some(entry) {
            return Some(self.last);
        }
        let hash = self.hasher.hash_one(entry);
        self.places.find(hash, |place| is::<WIDTH>(&self.bytes, &self.starts, *place, entry)).copied()
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&[u8]> {
        get::<WIDTH>(&self.bytes, &self.starts, place)
    }

    /// All entries, one after the other, page by page.
    pub(super) fn pages(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.pages()
    }

    /// In which page one stands, where in it that begins, and what it is.
    pub(super) fn placed(&self, place: u32) -> Option<(usize, usize, &[u8])> {
        let entry = self.get(place)?;
        let (page, from) = Paged::<u8>::split(start::<WIDTH>(&self.starts, place)?);
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
        while self.len > mark.0 {
            let place = self.len - 1;
            let hash = self.hasher.hash_one(self.get(place).unwrap_or_default());
            if let Ok(entry) = self.places.find_entry(hash, |known| *known == place) {
                entry.remove();
            }
            if let Some(start) = start::<WIDTH>(&self.starts, place) {
                self.bytes.truncate(start);
            }
            self.starts.truncate(Paged::<u32>::nth(place, 1));
            self.len = place;
        }
    }

    /// The memory that it keeps; of the hash table near enough to bound it.
    pub(super) fn held(&self) -> usize {
        self.bytes.held() + self.starts.held() + self.len as usize * PLACE
    }
}

#[inline]
fn is<const WIDTH: usize>(bytes: &Paged<u8>, starts: &Paged<u32>, place: u32, entry: &[u8]) -> bool {
    get::<WIDTH>(bytes, starts, place) == Some(entry)
}

#[inline]
fn get<'a, const WIDTH: usize>(bytes: &'a Paged<u8>, starts: &Paged<u32>, place: u32) -> Option<&'a [u8]> {
    if WIDTH > 0 {
        return bytes.starting_at(Paged::<u8>::nth(place, WIDTH)).get(..WIDTH);
    }
    let mut from_here = starts.starting_at(Paged::<u32>::nth(place, 1)).iter();
    let start = *from_here.next()?;
    let rest = bytes.starting_at(start);
    // The next begins where this one ends, if it stands in the same page.
    let next = match from_here.next() {
        Some(next) => Some(*next),
        None => starts.starting_at(Paged::<u32>::nth(place.checked_add(1)?, 1)).first().copied(),
    };
    let (page, at) = Paged::<u8>::split(start);
    match next.map(Paged::<u8>::split) {
        Some((page_of_next, end)) if page_of_next == page => rest.get(..end.checked_sub(at)?),
        _ => Some(rest),
    }
}

fn start<const WIDTH: usize>(starts: &Paged<u32>, place: u32) -> Option<u32> {
    if WIDTH > 0 {
        return Some(Paged::<u8>::nth(place, WIDTH));
    }
    starts.starting_at(Paged::<u32>::nth(place, 1)).first().copied()
}

/// A 32-bit place in a hash table, its share of the free ones included.
pub(super) const PLACE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stands_once_and_can_be_taken_back() {
        let mut table = Table::<0>::default();
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

    #[test]
    fn entries_of_one_length_need_no_starts() {
        let mut table = Table::<4>::default();
        for number in 0..9_000u32 {
            assert_eq!(table.place(&number.to_be_bytes()), Some(number));
        }
        let mark = table.mark();
        table.place(b"more");
        table.back_to(mark);
        assert_eq!((table.len(), table.find(b"more"), table.get(9_000)), (9_000, None, None));
        assert_eq!(table.get(7), Some(&7u32.to_be_bytes()[..]));
        assert_eq!(table.starts.held(), 0);
    }
}
