//! What stood on the span before, piece by piece: most spans of a request have the same attributes in the same order, and
//! differ in an id or two between them.

use std::ops::Range;

use super::span::ATTRIBUTES;
use crate::otlp::writer::{BYTES, key};

/// The pieces of two spans of one request that are attributes of which it is known that they stay, as they are written: of the
/// span before, and of the one that is looked at. What begins as a piece of the span before needs no look but this one.
#[derive(Default)]
pub(super) struct Runs<'r> {
    before: Vec<&'r [u8]>,
    /// The one that is to come next.
    next: usize,
    misses: u8,
    now: Vec<Range<usize>>,
}

/// Of a span with more pieces the first ones are kept.
const MOST: usize = 32;
/// After so many looks that found nothing a span is of another kind than the one before.
const MOST_MISSES: u8 = 8;

impl<'r> Runs<'r> {
    /// How many bytes are known of what is left of a span, where a field begins.
    #[inline]
    pub(super) fn ahead(&mut self, rest: &[u8]) -> usize {
        if rest.first() != Some(&key(ATTRIBUTES, BYTES)) || self.misses == MOST_MISSES {
            return 0;
        }
        // One that is in the way may be missing here.
        let next = self.before.iter().enumerate().skip(self.next).take(2);
        let found = next.into_iter().find(|(_, run)| rest.starts_with(run)).map(|(place, run)| (place, run.len()));
        let Some((place, length)) = found else {
            self.misses += 1;
            return 0;
        };
        self.next = place + 1;
        length
    }

    /// What stands there is known. It has to be an attribute that is written in the shortest way.
    #[inline]
    pub(super) fn known(&mut self, at: Range<usize>) {
        if let Some(last) = self.now.last_mut().filter(|last| last.end == at.start) {
            last.end = at.end;
        } else if self.now.len() < MOST {
            self.now.push(at);
        }
    }

    /// All of a span has been looked at.
    pub(super) fn end(&mut self, span: &'r [u8]) {
        self.before.clear();
        self.before.extend(self.now.drain(..).filter_map(|at| span.get(at)));
        (self.next, self.misses) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A span of fields of two bytes each, of which those that are attributes are known.
    fn look<'r>(runs: &mut Runs<'r>, span: &'r [u8]) -> usize {
        let (mut at, mut ahead) = (0, 0);
        while at < span.len() {
            let length = runs.ahead(&span[at..]);
            ahead += length;
            if length == 0 && span[at] == 0x4a {
                runs.known(at..at + 2);
            } else if length > 0 {
                runs.known(at..at + length);
            }
            at += length.max(2);
        }
        runs.end(span);
        ahead
    }

    #[test]
    fn what_stood_on_the_span_before_is_known_around_what_did_not() {
        let mut runs = Runs::default();
        assert_eq!(look(&mut runs, b"\x0a1J1J2*iJ3"), 0);
        assert_eq!(look(&mut runs, b"\x0a2J1J2*jJ3"), 6, "an id in the middle");
        assert_eq!(look(&mut runs, b"\x0a3J1J2*k*lJ3J4"), 6, "one more");
        assert_eq!(look(&mut runs, b"\x0a4*mJ3J4"), 4, "the first are missing");
        assert_eq!(look(&mut runs, b"\x0a5J3*nJ4"), 0, "what stood together does no more");
        assert_eq!(look(&mut runs, b"\x0a5J3*nJ4"), 4);
        assert_eq!(look(&mut runs, b"\x0a5J3*nJ5"), 2);
        assert_eq!(look(&mut runs, b""), 0);
        assert_eq!(look(&mut runs, b"\x0a5J3*nJ5"), 0, "nothing stood before");
    }

    #[test]
    fn a_span_of_another_kind_and_one_of_very_many_pieces_cost_no_more_than_a_few_looks() {
        let mut runs = Runs::default();
        let one: Vec<u8> = (0..200u8).flat_map(|number| [b'J', number, b'*', number]).collect();
        let other: Vec<u8> = (0..200u8).flat_map(|number| [b'J', 255 - number, b'*', number]).collect();
        look(&mut runs, &one);
        assert_eq!(runs.before.len(), MOST);
        assert_eq!(look(&mut runs, &one), 2 * MOST);
        assert_eq!(look(&mut runs, &other), 0);
    }
}
