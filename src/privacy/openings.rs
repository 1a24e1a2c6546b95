//! What calls were found to open with before: a service asks the same model with the same parameters again and again.
//!
//! Keeps only openings of which all has left as it was given, so that what is kept here has been told. One that comes twice
//! is kept: of one that never comes again a number remains. Costs a look at some bytes for a call whose opening is another one
//! each time.

use crate::event::{Attrs, RawAttrs, RawValue};
use crate::semconv::Class;

/// As many openings as are told apart.
const PLACES: usize = 64;
/// A longer one is made anew each time.
const LONGEST: usize = 1 << 10;

/// The openings that came more than once, each at the place that its bytes lead to.
#[derive(Default)]
pub(super) struct Openings {
    places: Vec<Place>,
    /// Where the last one was found.
    last: usize,
}

#[derive(Clone, Default)]
struct Place {
    /// What its last visitor's bytes led to.
    seen: u64,
    row: Vec<u8>,
    /// What leaves of them, shared with the calls.
    attrs: Attrs,
}

impl Openings {
    /// What these became when they came before.
    pub(super) fn known(&mut self, raw: &RawAttrs) -> Option<Attrs> {
        let row = raw.row();
        let is_it = |place: &&Place| place.row == row && !row.is_empty();
        if let Some(place) = self.places.get(self.last).filter(is_it) {
            return Some(place.attrs.clone());
        }
        let number = place_of(number_of(row));
        let place = self.places.get(number).filter(is_it)?;
        self.last = number;
        Some(place.attrs.clone())
    }

    /// These all left as they were given, as `attrs`.
    pub(super) fn learn(&mut self, raw: &RawAttrs, attrs: &mut Attrs) {
        let row = raw.row();
        if row.is_empty() || row.len() > LONGEST {
            return;
        }
        let seen = number_of(row);
        self.places.resize(PLACES, Place::default());
        let Some(place) = self.places.get_mut(place_of(seen)) else { return };
        if place.seen != seen {
            place.seen = seen;
            return;
        }
        // A digest stands in the place of such a text.
        let is_hashed = |(id, value): (_, RawValue<'_>)| is_text(value) && class_of(id) == Class::Digest;
        if raw.iter().any(is_hashed) {
            return;
        }
        attrs.share();
        *place = Place { seen, row: row.to_vec(), attrs: attrs.clone() };
    }
}

const fn is_text(value: RawValue<'_>) -> bool {
    matches!(value, RawValue::Text(_) | RawValue::Element(_))
}

fn class_of(id: crate::semconv::KeyId) -> Class {
    id.name().class
}

/// Where two rows have the same number they take turns in one place, and that is all.
fn number_of(row: &[u8]) -> u64 {
    // 2^64 divided by the golden ratio.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |number: u64, word: u64| (number.rotate_left(5) ^ word).wrapping_mul(SPREAD);
    let (words, rest) = row.as_chunks::<8>();
    let number = words.iter().fold(row.len() as u64, |number, word| mix(number, u64::from_le_bytes(*word)));
    rest.iter().fold(number, |number, byte| mix(number, u64::from(*byte)))
}

const fn place_of(number: u64) -> usize {
    (number >> (u64::BITS - PLACES.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;

    use super::*;
    use crate::semconv::{MAX_TOKENS, REQUEST_MODEL, STOP_DIGEST};

    fn opening(model: &str, tokens: i64) -> (RawAttrs, Attrs) {
        let (mut raw, mut attrs) = (RawAttrs::default(), Attrs::default());
        raw.text(REQUEST_MODEL, model);
        raw.int(MAX_TOKENS, tokens);
        attrs.set(REQUEST_MODEL, ByteString::from(model));
        attrs.set(MAX_TOKENS, tokens);
        (raw, attrs)
    }

    #[test]
    fn what_came_twice_is_known_and_never_taken_for_another() {
        let (mut openings, mut found) = (Openings::default(), 0);
        for round in 0..4 {
            for (model, tokens) in (0..3).flat_map(|model| (0..5).map(move |tokens| (model, tokens))) {
                let (raw, mut attrs) = opening(&format!("gpt-{model}"), tokens);
                let Some(known) = openings.known(&raw) else {
                    openings.learn(&raw, &mut attrs);
                    continue;
                };
                assert!(round >= 2 && known == attrs && known.shared().is_some());
                found += 1;
            }
        }
        assert!(found > 0);
    }

    #[test]
    fn a_text_of_which_a_digest_leaves_is_never_kept() {
        let (mut openings, mut raw) = (Openings::default(), RawAttrs::default());
        raw.text(REQUEST_MODEL, "gpt");
        raw.text(STOP_DIGEST, "said");
        for _ in 0..4 {
            openings.learn(&raw, &mut Attrs::default());
        }
        assert!(openings.places.iter().all(|place| place.row.is_empty()));
    }

    #[test]
    fn an_opening_that_is_another_each_time_and_a_long_one_are_not_kept() {
        let mut openings = Openings::default();
        for number in 0..1000 {
            let (raw, mut attrs) = opening(&format!("id-{number}"), number);
            assert!(openings.known(&raw).is_none());
            openings.learn(&raw, &mut attrs);
            assert!(attrs.shared().is_none());
        }
        for _ in 0..4 {
            let (raw, mut attrs) = opening(&"x".repeat(LONGEST), 1);
            openings.learn(&raw, &mut attrs);
            assert!(openings.known(&raw).is_none() && openings.known(&RawAttrs::default()).is_none());
        }
        assert!(openings.places.iter().all(|place| place.row.is_empty()));
    }
}
