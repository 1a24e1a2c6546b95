//! What stands in a request again and again, byte for byte: most attributes of a span stand on each span beside it.

/// The places of one request. A power of two.
const PLACES: usize = 1 << 7;

/// Attributes of one request, by the whole of their bytes, each with what is known of it.
///
/// Each has two places where it may stand, and what was met again since somebody else wanted its place keeps it: ids, which
/// are others on each span, push nothing out. One that is not there is looked at again, with the same result. Nothing is
/// copied, and nothing outlives the request.
pub(crate) struct Repeated<'r, T> {
    places: Vec<Place<'r, T>>,
}

struct Place<'r, T> {
    attribute: &'r [u8],
    /// Whether it was met again.
    is_met: bool,
    known: T,
}

impl<'r, T: Default> Repeated<'r, T> {
    /// Room for what stands in a request.
    #[cfg(any(feature = "collector", feature = "sdk", test))]
    pub(crate) fn of_request() -> Self {
        let empty = || Place { attribute: &[], is_met: false, known: T::default() };
        Self { places: std::iter::repeat_with(empty).take(PLACES).collect() }
    }

    /// Room for nothing: of what stands alone nothing comes again.
    pub(crate) const fn of_one() -> Self {
        Self { places: Vec::new() }
    }

    /// What is known of this `KeyValue` message, and where it stood when it was met first.
    pub(crate) fn find(&mut self, attribute: &[u8]) -> Option<(&'r [u8], &mut T)> {
        let first = number(attribute)?;
        let is_it = |place: &usize| self.places.get(*place).is_some_and(|place| place.attribute == attribute);
        let place = [first, first ^ 1].into_iter().find(is_it)?;
        let place = self.places.get_mut(place)?;
        place.is_met = true;
        Some((place.attribute, &mut place.known))
    }

    /// It is none of those that are known.
    pub(crate) fn put(&mut self, attribute: &'r [u8], known: T) {
        let Some(number) = number(attribute) else { return };
        let Some([one, other]) = self.places.get_mut(number & !1..).and_then(<[_]>::first_chunk_mut) else { return };
        let [first, second] = if number & 1 == 0 { [one, other] } else { [other, one] };
        let new = Place { attribute, is_met: false, known };
        match (first.is_met, second.is_met) {
            // What came last may be met on the next span, as this may.
            (false, false) => *second = std::mem::replace(first, new),
            (false, true) => *first = new,
            (true, false) => *second = new,
            (true, true) => (first.is_met, second.is_met) = (false, false),
        }
    }
}

/// The first of the places where it may stand; nothing of a short one. The end tells attributes apart: there is the value, and
/// before a short one the end of the key.
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
    fn only_what_was_met_is_known_however_many_share_a_place() {
        let attributes: Vec<_> = (0..10 * PLACES).map(|number| attribute("number", number)).collect();
        let mut known = Repeated::of_request();
        let mut kept = 0;
        for (place, attribute) in attributes.iter().enumerate() {
            assert!(known.find(attribute).is_none());
            known.put(attribute, place);
            if let Some((first, told)) = known.find(attribute) {
                assert!(std::ptr::eq(first, attribute.as_slice()) && *told == place);
                kept += 1;
            }
        }
        // The two that have its places may have been met since.
        assert!(kept > 2 * attributes.len() / 3, "{kept}");
        assert!(known.find(b"another long key of no number").is_none());
        assert!(known.find(b"").is_none() && known.find(b"short").is_none());
    }

    #[test]
    fn what_stands_on_each_span_is_pushed_out_by_no_id_and_by_none_of_its_like() {
        let common: Vec<_> = (0..12).map(|number| attribute("all", number)).collect();
        let ids: Vec<_> = (0..1000).map(|number| attribute("one", number)).collect();
        let (mut known, mut judged) = (Repeated::of_request(), 0);
        for id in &ids {
            for attribute in &common {
                if known.find(attribute).is_none() {
                    judged += 1;
                    known.put(attribute, ());
                }
            }
            assert!(known.find(id).is_none());
            known.put(id, ());
        }
        assert!(judged < 30, "{judged} for twelve");
    }

    #[test]
    fn what_stands_alone_is_not_remembered() {
        let mut known = Repeated::of_one();
        known.put(b"an attribute that stands alone", 1);
        assert!(known.find(b"an attribute that stands alone").is_none());
    }
}
