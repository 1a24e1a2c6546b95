//! The model-visible items of a rollout, each once, and where each stands.
//!
//! An item that is told of as a whole is the same as another of its role and digest, whatever else is told of it: that is
//! found out once, when it comes. One that its source tells by its parts is compared by them, later.

use super::fixed::Fixed;
use super::row::{RowReader, RowWriter, algorithm_byte, algorithm_of};
use super::table::{self, Table};
use crate::event::Digest;

/// The bytes that make an item the same as another: its digest, or its length where there is none; then its role.
const SAME: usize = 33;
/// Those, and how it was told of first: its length and the kinds of its parts.
const WHOLE: usize = SAME + LOOK;
const LOOK: usize = 4;
/// The place of such an item, and another way in which it was told of.
const ANOTHER: usize = 4 + LOOK;
/// A way of telling that has no room there.
const ELSEWHERE: [u8; LOOK] = [u8::MAX; LOOK];

/// The first length that has no room there, with one added.
const LONG: u32 = 0xff_ffff;

/// Of what stands beside the role.
const HAS_DIGEST: u8 = 0x80;
const HAS_LENGTH: u8 = 0x40;
const ALGORITHM: u8 = 0x20;
const ROLE: u8 = 0x0f;

/// The first two bits of a place say of which table it is.
const IS_LOOK: u32 = 1 << 30;
const IS_ODD: u32 = 2 << 30;
const IS_PARTED: u32 = 3 << 30;
const NUMBER: u32 = IS_LOOK - 1;
/// Of items that are told of as a whole, the next ones say with which kinds of parts: 0 are those that it had first.
const VARIANT: u32 = 27;
const VARIANTS: usize = 7;
const OF_WHOLE: u32 = (1 << VARIANT) - 1;

#[derive(Clone, Debug, Default)]
pub(super) struct Items {
    whole: Fixed<WHOLE, SAME>,
    /// Kinds of parts that items were told of with once more, each with one added. An answer is told without any, and then
    /// shown to the next model with those that it has.
    variants: [u32; VARIANTS],
    /// In a place of its own: small rollouts have none.
    others: Option<Box<Others>>,
}

#[derive(Clone, Debug, Default)]
struct Others {
    /// Other ways in which those were told of, each with the place of its item.
    looks: Fixed<ANOTHER>,
    /// Ways of telling of those that have no room among the others.
    odd: Table,
    /// Items that are known by their parts.
    parted: Table,
}

/// As much as there was.
pub(super) struct Marks(table::Mark, [u32; VARIANTS], [table::Mark; 3]);

/// An item that is told of as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) digest: Option<Digest>,
    pub(super) role: u8,
    pub(super) length: Option<u64>,
    /// What their text is known by; 0 for the empty one.
    pub(super) kinds: u32,
}

impl Whole {
    fn entry(&self) -> [u8; WHOLE] {
        let mut entry = [0; WHOLE];
        let flags = match &self.digest {
            Some(digest) => {
                entry.first_chunk_mut().into_iter().for_each(|bytes| *bytes = digest.bytes);
                HAS_DIGEST | (algorithm_byte(digest.algorithm) * ALGORITHM)
            }
            None => {
                let length = self.length.unwrap_or_default().to_le_bytes();
                entry.first_chunk_mut().into_iter().for_each(|bytes| *bytes = length);
                if self.length.is_some() { HAS_LENGTH } else { 0 }
            }
        };
        entry.get_mut(SAME - 1).into_iter().for_each(|byte| *byte = self.role | flags);
        entry.last_chunk_mut().into_iter().for_each(|bytes| *bytes = self.look());
        entry
    }

    fn look(&self) -> [u8; LOOK] {
        // Without a digest the length is a part of what makes it the same.
        let length = self.length.filter(|_| self.digest.is_some()).map_or(Some(0), |length| length.checked_add(1));
        let length = length.and_then(|length| u32::try_from(length).ok()).filter(|length| *length < LONG);
        match (length.map(u32::to_le_bytes), u8::try_from(self.kinds)) {
            (Some([a, b, c, _]), Ok(kinds)) => [a, b, c, kinds],
            _ => ELSEWHERE,
        }
    }

    fn of_entry(entry: &[u8; WHOLE]) -> Self {
        let mut rest = RowReader { rest: entry };
        let (bytes, beside): ([u8; 32], u8) = (rest.raw(), rest.byte());
        let [a, b, c, kinds] = rest.raw();
        let role = beside & ROLE;
        let kinds = u32::from(kinds);
        if beside & HAS_DIGEST != 0 {
            let algorithm = algorithm_of(u8::from(beside & ALGORITHM != 0));
            let length = u32::from_le_bytes([a, b, c, 0]).checked_sub(1).map(u64::from);
            return Self { digest: Some(Digest { algorithm, bytes }), role, length, kinds };
        }
        let length = bytes.first_chunk().map(|length| u64::from_le_bytes(*length));
        Self { digest: None, role, length: length.filter(|_| beside & HAS_LENGTH != 0), kinds }
    }
}

impl Items {
    pub(super) fn marks(&self) -> Marks {
        let of_others = |others: &Others| [others.looks.mark(), others.odd.mark(), others.parted.mark()];
        Marks(self.whole.mark(), self.variants, self.others.as_deref().map(of_others).unwrap_or_default())
    }

    pub(super) fn back_to(&mut self, Marks(whole, variants, [looks, odd, parted]): &Marks) {
        self.whole.back_to(*whole);
        self.variants = *variants;
        if let Some(others) = &mut self.others {
            others.looks.back_to(*looks);
            others.odd.back_to(*odd);
            others.parted.back_to(*parted);
        }
    }

    pub(super) fn held(&self) -> usize {
        let of_others =
            |others: &Others| size_of::<Others>() + others.looks.held() + others.odd.held() + others.parted.held();
        self.whole.held() + self.others.as_deref().map_or(0, of_others)
    }

    /// How many there are, each way of telling of one by itself.
    pub(super) fn len(&self) -> u32 {
        let of_others = |others: &Others| others.looks.len() + others.odd.len() + others.parted.len();
        self.whole.len() + self.others.as_deref().map_or(0, of_others)
    }

    fn others(&mut self) -> &mut Others {
        self.others.get_or_insert_default()
    }

    fn look_at(&self, place: u32) -> Option<&[u8; ANOTHER]> {
        self.others.as_ref()?.looks.get(place & NUMBER)
    }

    fn odd_at(&self, place: u32) -> Option<RowReader<'_>> {
        Some(RowReader { rest: self.others.as_ref()?.odd.get(place & NUMBER)? })
    }

    /// The place of an item that is told of as a whole; nothing where there is no room for it.
    pub(super) fn place(&mut self, item: &Whole) -> Option<u32> {
        let entry = item.entry();
        let place = self.whole.place(&entry).filter(|place| *place <= OF_WHOLE)?;
        let (known, told): (Option<&[u8; LOOK]>, _) = (self.whole.get(place)?.last_chunk(), item.look());
        if told == ELSEWHERE {
            let mut odd = RowWriter::default();
            odd.number(u64::from(place));
            odd.optional(item.length);
            odd.number(u64::from(item.kinds));
            return Some(self.others().odd.place(odd.bytes()).filter(|place| *place <= NUMBER)? | IS_ODD);
        }
        if known == Some(&told) {
            return Some(place);
        }
        let length = |look: &[u8; LOOK]| look.first_chunk::<3>().copied();
        if known.and_then(length) == length(&told)
            && let Some(variant) = self.variant(item.kinds)
        {
            return Some(place | variant << VARIANT);
        }
        let mut look = [0; ANOTHER];
        look.first_chunk_mut().into_iter().for_each(|bytes| *bytes = place.to_le_bytes());
        look.last_chunk_mut().into_iter().for_each(|bytes| *bytes = told);
        Some(self.others().looks.place(&look).filter(|place| *place <= NUMBER)? | IS_LOOK)
    }

    /// The number of these kinds among those that items were told of with once more; nothing where there are too many.
    fn variant(&mut self, kinds: u32) -> Option<u32> {
        let kinds = kinds.checked_add(1)?;
        let place = self.variants.iter().position(|known| *known == kinds || *known == 0)?;
        *self.variants.get_mut(place)? = kinds;
        Some(place as u32 + 1)
    }

    /// The place of an item that is known by its parts.
    pub(super) fn place_of_parted(&mut self, entry: &[u8]) -> Option<u32> {
        Some(self.others().parted.place(entry).filter(|place| *place <= NUMBER)? | IS_PARTED)
    }

    /// What is known of the parts of the item at a place; nothing where it is told of as a whole.
    pub(super) fn parted(&self, place: u32) -> Option<&[u8]> {
        if place & !NUMBER == IS_PARTED { self.others.as_ref()?.parted.get(place & NUMBER) } else { None }
    }

    /// The place that items which are the same have in common, of those that are told of as a whole.
    #[inline]
    pub(super) fn same(&self, place: u32) -> Option<u32> {
        match place & !NUMBER {
            0 => Some(place & OF_WHOLE),
            IS_LOOK => self.look_at(place)?.first_chunk().map(|same| u32::from_le_bytes(*same)),
            IS_ODD => Some(self.odd_at(place)?.index()),
            _ => None,
        }
    }

    /// The item at a place, where it is told of as a whole.
    pub(super) fn whole(&self, place: u32) -> Option<Whole> {
        let mut entry = *self.whole.get(self.same(place)?)?;
        match place & !NUMBER {
            IS_LOOK => {
                let look: &[u8; LOOK] = self.look_at(place)?.last_chunk()?;
                entry.last_chunk_mut().into_iter().for_each(|bytes| *bytes = *look);
                Some(Whole::of_entry(&entry))
            }
            IS_ODD => {
                let mut odd = self.odd_at(place)?;
                odd.index();
                Some(Whole { length: odd.optional(), kinds: odd.index(), ..Whole::of_entry(&entry) })
            }
            _ => {
                let whole = Whole::of_entry(&entry);
                let variant = (place & NUMBER) >> VARIANT;
                let kinds = variant.checked_sub(1).and_then(|variant| self.variants.get(variant as usize));
                Some(Whole { kinds: kinds.map_or(whole.kinds, |kinds| kinds.wrapping_sub(1)), ..whole })
            }
        }
    }
}

/// A place as it is written: places of one table are near one another.
pub(super) const fn number_of(place: u32) -> i64 {
    place.rotate_left(5) as i64
}

pub(super) const fn place_of(number: i64) -> u32 {
    (number as u32).rotate_right(5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Algorithm;

    #[test]
    fn items_are_read_as_they_were_told_and_the_same_ones_have_a_place_in_common() {
        let mut items = Items::default();
        let digests =
            [None, Some((Algorithm::Sha256, 1)), Some((Algorithm::HmacSha256, 1)), Some((Algorithm::Sha256, 2))];
        let lengths =
            [None, Some(0), Some(7), Some(0xff_fffd), Some(0xff_fffe), Some(u64::from(u32::MAX)), Some(u64::MAX)];
        let mut told = Vec::new();
        for (digest, length) in digests.iter().flat_map(|digest| lengths.map(|length| (digest, length))) {
            let many = (0..2 * VARIANTS as u32).map(|kinds| (4, kinds));
            let few = [(0, 0), (5, 0), (5, 1), (2, 0xff_ffff), (2, 0x100_0000), (2, u32::MAX)];
            for (role, kinds) in few.into_iter().chain(many) {
                let digest = digest.map(|(algorithm, byte)| Digest { algorithm, bytes: [byte; 32] });
                told.push(Whole { digest, role, length, kinds });
            }
        }
        let places: Vec<_> = told.iter().map(|item| items.place(item).unwrap()).collect();
        for (item, place) in told.iter().zip(&places) {
            assert_eq!(items.whole(*place), Some(*item));
            assert_eq!(items.place(item), Some(*place));
            assert_eq!((place_of(number_of(*place)), items.parted(*place)), (*place, None));
            for (other, at) in told.iter().zip(&places) {
                let is_alike = other.digest.is_some() || other.length == item.length;
                let is_same = (item.digest, item.role) == (other.digest, other.role) && is_alike;
                assert_eq!(items.same(*place) == items.same(*at), is_same, "{item:?} {other:?}");
            }
        }
        let marks = items.marks();
        let (count, held) = (items.len(), items.held());
        let parted = items.place_of_parted(b"parts").unwrap();
        items.place(&Whole { digest: None, role: 3, length: None, kinds: 9 }).unwrap();
        assert_eq!((items.parted(parted), items.same(parted)), (Some(&b"parts"[..]), None));
        assert_eq!(place_of(number_of(parted)), parted);
        items.back_to(&marks);
        assert_eq!((items.len(), items.held(), items.parted(parted)), (count, held, None));
    }
}
