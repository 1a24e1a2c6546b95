//! Attributes of a request that have been judged: most of them stand on every span of it, byte for byte.

use std::cell::Cell;

const PLACES: usize = 1 << 7;

/// Attributes of one request of which it is known that they stay as they are, by the whole of their bytes. One that was
/// pushed out by another is judged again: the verdict is the same. Nothing is copied, and nothing is kept of it behind the
/// request, so that no policy sees what another one let pass.
pub(in crate::processor) struct Seen<'r> {
    places: [Cell<&'r [u8]>; PLACES],
    /// The name of a span that stayed, which follows from nothing but itself.
    name: Cell<&'r str>,
}

impl Default for Seen<'_> {
    fn default() -> Self {
        Self { places: [const { Cell::new(&[]) }; PLACES], name: Cell::new("") }
    }
}

impl<'r> Seen<'r> {
    /// Whether this `KeyValue` message has been seen.
    pub(super) fn has(&self, attribute: &[u8]) -> bool {
        self.place(attribute).is_some_and(|place| place.get() == attribute)
    }

    /// It stays as it is.
    pub(super) fn stays(&self, attribute: &'r [u8]) {
        if let Some(place) = self.place(attribute) {
            place.set(attribute);
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

    /// Where it would stand. The end tells attributes apart: there is the value, and before a short one the end of the key.
    fn place(&self, attribute: &[u8]) -> Option<&Cell<&'r [u8]>> {
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        let (head, last) = attribute.split_last_chunk::<8>()?;
        let before = head.last_chunk::<8>()?;
        let (last, before) = (u64::from_le_bytes(*last), u64::from_le_bytes(*before));
        let mixed = (last ^ before.rotate_left(23) ^ attribute.len() as u64).wrapping_mul(MIX);
        self.places.get((mixed >> (64 - PLACES.trailing_zeros())) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_seen_is_known_however_many_share_a_place() {
        let attributes: Vec<String> =
            (0..10 * PLACES).map(|number| format!("a long key for number {number}")).collect();
        let seen = Seen::default();
        for attribute in &attributes {
            assert!(!seen.has(attribute.as_bytes()), "{attribute}");
            seen.stays(attribute.as_bytes());
            assert!(seen.has(attribute.as_bytes()), "{attribute}");
        }
        assert!(!seen.has(b"another long key of no number"));
        assert!(!seen.has(b"") && !seen.has(b"short"));
    }
}
