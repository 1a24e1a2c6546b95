//! A span that has been looked at: how it is written, and which of its fields the policy has to judge.

use std::ops::Range;

use smallvec::SmallVec;

use super::runs::Runs;
use super::seen::Seen;
use super::span::{ATTRIBUTES, is_nothing_to_judge};
use super::splice::Placed;
use crate::otlp::wire::{Field, Wire};
use crate::otlp::{Form, KnownFields};

/// The fields that are left to be judged.
pub(super) type Left<'r> = SmallVec<[Placed<'r>; 8]>;

/// One look at a `Span` message of the request of which is known what was `seen`, for its form and for what the policy has to
/// judge. Most spans of a request differ in ids and times alone, and then nothing is `left`; which holds where the form is
/// canonical.
pub(super) fn look<'r>(span: &'r [u8], seen: &Seen<'r>, left: &mut Left<'r>) -> Form {
    let mut runs = seen.runs();
    let form = Form::of_span_but(span, &mut Look { seen, runs: &mut runs, left });
    runs.end(span);
    form
}

struct Look<'l, 'r> {
    seen: &'l Seen<'r>,
    runs: &'l mut Runs<'r>,
    left: &'l mut Left<'r>,
}

impl<'r> KnownFields<'r> for Look<'_, 'r> {
    #[inline]
    fn ahead(&mut self, at: usize, rest: &'r [u8]) -> usize {
        let length = self.runs.ahead(rest);
        if length > 0 {
            self.runs.known(at..at + length);
        }
        length
    }

    fn is_known(&mut self, at: Range<usize>, field: Field<'r>) -> bool {
        match (field.number, field.value) {
            (number, Wire::Bytes(attribute)) if number == u32::from(ATTRIBUTES) && self.seen.has(attribute) => {
                if field.minimal {
                    self.runs.known(at);
                }
                true
            }
            (5, Wire::Bytes(name)) if self.seen.has_name(name) => true,
            _ => {
                if !is_nothing_to_judge(&field) {
                    self.left.push((at, field));
                }
                false
            }
        }
    }
}
