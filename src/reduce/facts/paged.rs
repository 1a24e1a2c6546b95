//! Values that grow without being moved.
//!
//! A vector that doubles leaves half of a budget unused, and one that grows by less is copied again and again: both into
//! memory that the kernel has to clear first. Pages are filled one after the other. What is told of their memory is what
//! has been filled, and of the first page an eighth more, which is what its growth costs on the average.

/// Entries of values whose pages hold 16,384 of them.
pub(super) type Paged<T> = Pages<T, 14>;

/// The least bytes that are asked for.
const LEAST: usize = 32;

/// Entries of values, each of which stands in one page. A place tells in its last `BITS` bits where in its page it is.
#[derive(Clone, Debug)]
pub(super) struct Pages<T, const BITS: u32> {
    last: Vec<T>,
    /// In a place of its own: most have none.
    full: Option<Box<Full<T>>>,
}

/// The pages before the last.
#[derive(Clone, Debug)]
struct Full<T> {
    pages: Vec<Vec<T>>,
    /// Their bytes.
    held: usize,
}

impl<T, const BITS: u32> Default for Pages<T, BITS> {
    fn default() -> Self {
        Self { last: Vec::new(), full: None }
    }
}

impl<T: Copy, const BITS: u32> Pages<T, BITS> {
    /// How many values a page holds, unless one entry alone is longer.
    const PAGE: usize = 1 << BITS;
    /// The most pages: places are 32 bits wide, and the last is no place.
    const PAGES: usize = (1 << (32 - BITS)) - 1;
    /// The most room that is left in a full page.
    const LEFT: usize = Self::PAGE / 8;

    /// The place of a new entry; nothing where there is no room for it.
    pub(super) fn push(&mut self, entry: &[T]) -> Option<u32> {
        let place = self.prepare(entry.len())?;
        self.last.extend_from_slice(entry);
        Some(place)
    }

    /// Makes room for an entry of this length. Answers its place, which one that is shorter has too.
    #[inline]
    pub(super) fn prepare(&mut self, length: usize) -> Option<u32> {
        if self.last.len() + room_of(length) > self.last.capacity() || self.is_full_for(length) {
            self.make_room(length)?;
        }
        Some((self.before() << BITS | self.last.len()) as u32)
    }

    /// Goes on with the entry for which there is room.
    pub(super) fn extend(&mut self, part: &[T]) {
        self.last.extend_from_slice(part);
    }

    fn make_room(&mut self, length: usize) -> Option<()> {
        if self.is_full_for(length) {
            if self.before() >= Self::PAGES {
                return None;
            }
            let mut page = std::mem::replace(&mut self.last, Vec::with_capacity(Self::first_room(length)));
            if page.capacity() - page.len() > Self::LEFT {
                page.shrink_to_fit();
            }
            let full = self.full.get_or_insert_with(|| Box::new(Full { pages: Vec::new(), held: 0 }));
            full.held += held_by_full(page.capacity(), size_of::<T>());
            full.pages.push(page);
        } else {
            self.last.reserve_exact(self.more_room(length) - self.last.len());
        }
        Some(())
    }

    /// Whether an entry of this length begins a page.
    fn is_full_for(&self, length: usize) -> bool {
        !self.last.is_empty() && self.last.len() + room_of(length) > Self::PAGE
    }

    /// The capacity that the last page needs for one more. The first grows in small steps: many rollouts have no more, and
    /// what is short of memory must see it become so.
    fn more_room(&self, length: usize) -> usize {
        let before = self.last.capacity();
        let more = if self.full.is_none() && before >= Self::PAGE / 16 { before / 4 } else { before };
        (self.last.len() + room_of(length)).max((before + more).clamp(LEAST / size_of::<T>(), Self::PAGE))
    }

    /// What stands at a place and behind it in its page.
    #[inline]
    pub(super) fn starting_at(&self, place: u32) -> &[T] {
        let page = self.page((place >> BITS) as usize);
        page.get(place as usize & (Self::PAGE - 1)..).unwrap_or_default()
    }

    /// The value at a place.
    #[inline]
    pub(super) fn at(&self, place: u32) -> Option<&T> {
        self.page((place >> BITS) as usize).get(place as usize & (Self::PAGE - 1))
    }

    pub(super) fn starting_at_mut(&mut self, place: u32) -> &mut [T] {
        let number = (place >> BITS) as usize;
        let page = if number == self.before() {
            Some(&mut self.last)
        } else {
            self.full.as_mut().and_then(|full| full.pages.get_mut(number))
        };
        page.and_then(|page| page.get_mut(place as usize & (Self::PAGE - 1)..)).unwrap_or_default()
    }

    /// How many pages there are before the last.
    #[inline]
    fn before(&self) -> usize {
        self.full.as_ref().map_or(0, |full| full.pages.len())
    }

    /// A page by its number; an empty one where there is none.
    #[inline]
    fn page(&self, number: usize) -> &[T] {
        match &self.full {
            Some(full) if number < full.pages.len() => full.pages.get(number).map_or(&[], Vec::as_slice),
            _ if number == self.before() => &self.last,
            _ => &[],
        }
    }

    /// All pages.
    pub(super) fn pages(&self) -> impl Iterator<Item = &[T]> {
        let full = self.full.iter().flat_map(|full| &full.pages);
        full.chain([&self.last]).map(Vec::as_slice)
    }

    /// Lets go of what was added from this place on.
    pub(super) fn truncate(&mut self, place: u32) {
        let (number, length) = ((place >> BITS) as usize, place as usize & (Self::PAGE - 1));
        while let Some(full) = self.full.as_mut().filter(|full| number < full.pages.len()) {
            let Some(page) = full.pages.pop() else { break };
            full.held -= held_by_full(page.capacity(), size_of::<T>());
            self.last = page;
        }
        if self.before() == 0 {
            self.full = None;
        }
        self.last.truncate(length);
    }

    /// About how many bytes it keeps in memory.
    pub(super) fn held(&self) -> usize {
        let full = self.full.as_ref().map_or(0, |full| full.held);
        full + self.with_growth(self.last.len()) * size_of::<T>()
    }

    /// How many bytes more that is at most with an entry of this length.
    pub(super) fn cost(&self, length: usize) -> usize {
        let left = if self.is_full_for(length) { Self::LEFT * size_of::<T>() + size_of::<Vec<T>>() } else { 0 };
        (self.with_growth(length) + 1) * size_of::<T>() + left
    }

    /// A new page begins with a half, so that a rollout that goes no further has not asked for all of it.
    const fn first_room(length: usize) -> usize {
        if length > Self::PAGE / 2 { length } else { Self::PAGE / 2 }
    }

    fn with_growth(&self, length: usize) -> usize {
        if self.full.is_none() { length + length / 8 } else { length }
    }

    /// Whether there is no room for another few.
    pub(super) fn is_used_up(&self) -> bool {
        self.before() + 2 >= Self::PAGES
    }

    /// The page of a place, and where in it that is.
    pub(super) const fn split(place: u32) -> (usize, usize) {
        ((place >> BITS) as usize, place as usize & (Self::PAGE - 1))
    }
}

/// An entry of nothing takes the place of one value, so that each place is in the page of its entry.
const fn room_of(length: usize) -> usize {
    if length == 0 { 1 } else { length }
}

const fn held_by_full(capacity: usize, each: usize) -> usize {
    capacity * each + size_of::<Vec<u8>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_where_they_are_and_can_be_taken_back() {
        let mut paged = Paged::<u8>::default();
        let mut places = Vec::new();
        for number in 0..5_000u32 {
            let entry =
                vec![number as u8; (number % 41) as usize + if number == 999 { 3 * Paged::<u8>::PAGE } else { 0 }];
            let bound = paged.held() + paged.cost(entry.len());
            let place = paged.push(&entry).unwrap();
            assert!(paged.held() <= bound, "{number}");
            places.push((place, entry));
        }
        for (place, entry) in &places {
            assert!(paged.starting_at(*place).starts_with(entry));
        }
        let full = &paged.full.as_ref().unwrap().pages;
        let asked_for = full.iter().map(Vec::capacity).sum::<usize>() + paged.last.capacity();
        assert!(paged.held() <= asked_for + asked_for / 64 && asked_for <= paged.held() + Paged::<u8>::PAGE);
        for (place, _) in places.iter().rev() {
            paged.truncate(*place);
            assert!(paged.starting_at(*place).is_empty());
        }
        assert_eq!((paged.before(), paged.last.len(), paged.held()), (0, 0, 0));
        assert_eq!(paged.push(&[1]), Some(0));
    }

    #[test]
    fn values_are_found_by_their_number() {
        let mut pages = Pages::<u32, 8>::default();
        for number in 0..2_000 {
            assert_eq!(pages.push(&[number]), Some(number));
        }
        assert_eq!((pages.at(1_999), pages.at(2_000), pages.at(u32::MAX)), (Some(&1_999), None, None));
        pages.starting_at_mut(700)[0] = 1;
        assert_eq!(pages.at(700), Some(&1));
        assert!(pages.starting_at(u32::MAX).is_empty() && pages.starting_at_mut(u32::MAX).is_empty());
        pages.truncate(700);
        assert_eq!((pages.at(699), pages.at(700), pages.before()), (Some(&699), None, 2));
    }
}
