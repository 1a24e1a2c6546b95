//! Attributes of a request that have been judged: most of them stand on every span of it, byte for byte.

use std::cell::Cell;

const PLACES: usize = 1 << 7;

/// Attributes of one request of which it is known that they stay as they are, by the whole of their bytes. Each has two places
/// where it may stand, and what was met again since somebody else wanted its place keeps it: ids, which are others on each
/// span, push nothing out. One that is not there is judged again: the verdict is the same. Nothing is copied, and nothing is
/// kept of it behind the request, so that no policy sees what another one let pass.
pub(in crate::processor) struct Seen<'r> {
    places: [Cell<Place<'r>>; PLACES],
    /// The name of a span that stayed, which follows from nothing but itself.
    name: Cell<&'r str>,
}

#[derive(Clone, Copy)]
struct Place<'r> {
    attribute: &'r [u8],
    /// Whether it was met again.
    is_met: bool,
}

impl Place<'_> {
    const EMPTY: Self = Self { attribute: &[], is_met: false };
}

impl Default for Seen<'_> {
    fn default() -> Self {
        Self { places: [const { Cell::new(Place::EMPTY) }; PLACES], name: Cell::new("") }
    }
}

impl<'r> Seen<'r> {
    /// Whether this `KeyValue` message has been seen.
    pub(super) fn has(&self, attribute: &[u8]) -> bool {
        let Some(places) = self.places_of(attribute) else { return false };
        let found = places.into_iter().find(|place| place.get().attribute == attribute);
        found.inspect(|place| place.set(Place { is_met: true, ..place.get() })).is_some()
    }

    /// It stays as it is.
    pub(super) fn stays(&self, attribute: &'r [u8]) {
        let Some([first, second]) = self.places_of(attribute) else { return };
        let new = Place { attribute, is_met: false };
        match (first.get().is_met, second.get().is_met) {
            // What came last may be met on the next span, as this may.
            (false, false) => second.set(first.replace(new)),
            (false, true) => first.set(new),
            (true, false) => second.set(new),
            (true, true) => {
                [first, second].into_iter().for_each(|place| place.set(Place { is_met: false, ..place.get() }));
            }
        }
    }

    /// Whether this name has been seen.
    pub(super) fn has_name(&self, name: &[u8]) -> bool {
        self.name.get().as_bytes() == name
    }

    /// It stays as it is.
    pub(super) fn name_stays(&self, name: &'r str) {
        self.name.set(name);
    }

    /// Where it may stand; a short one nowhere.
    fn places_of(&self, attribute: &[u8]) -> Option<[&Cell<Place<'r>>; 2]> {
        let first = number(attribute)?;
        Some([self.places.get(first)?, self.places.get(first ^ 1)?])
    }
}

/// The end tells attributes apart: there is the value, and before a short one the end of the key.
fn number(attribute: &[u8]) -> Option<usize> {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let (head, last) = attribute.split_last_chunk::<8>()?;
    let before = head.last_chunk::<8>()?;
    let (last, before) = (u64::from_le_bytes(*last), u64::from_le_bytes(*before));
    let mixed = (last ^ before.rotate_left(23) ^ attribute.len() as u64).wrapping_mul(MIX);
    Some((mixed >> (64 - PLACES.trailing_zeros())) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(what: &str, number: usize) -> Vec<u8> {
        format!("a long key for {what} {number}").into_bytes()
    }

    #[test]
    fn only_what_was_seen_is_known_however_many_share_a_place() {
        let attributes: Vec<_> = (0..10 * PLACES).map(|number| attribute("number", number)).collect();
        let seen = Seen::default();
        for attribute in &attributes {
            assert!(!seen.has(attribute));
            seen.stays(attribute);
            // The two that have its places may have been met since.
            let keep = seen.places_of(attribute).unwrap().iter().all(|place| place.get().attribute != &attribute[..]);
            assert!(seen.has(attribute) != keep);
        }
        assert!(!seen.has(b"another long key of no number"));
        assert!(!seen.has(b"") && !seen.has(b"short"));
    }

    #[test]
    fn what_stands_on_each_span_is_pushed_out_by_no_id_and_by_none_of_its_like() {
        let common: Vec<_> = (0..12).map(|number| attribute("all", number)).collect();
        let ids: Vec<_> = (0..1000).map(|number| attribute("one", number)).collect();
        let (seen, mut judged) = (Seen::default(), 0);
        for id in &ids {
            for attribute in common.iter().filter(|attribute| !seen.has(attribute)) {
                judged += 1;
                seen.stays(attribute);
            }
            assert!(!seen.has(id));
            seen.stays(id);
        }
        assert!(judged < 30, "{judged} for twelve");
    }
}
