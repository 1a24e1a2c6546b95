//! A span that has been looked at: how it is written, and which of its fields the policy has to judge.

use smallvec::SmallVec;

use super::seen::Seen;
use super::span::{ATTRIBUTES, is_nothing_to_judge};
use super::splice::Placed;
use crate::otlp::Form;
use crate::otlp::wire::{Field, Wire};

/// The fields that are left to be judged.
pub(super) type Left<'r> = SmallVec<[Placed<'r>; 8]>;

/// One look at a `Span` message of the request of which is known what was `seen`, for its form and for what the policy has to
/// judge. Most spans of a request differ in ids and times alone, and then nothing is `left`; which holds where the form is
/// canonical.
pub(super) fn look<'r>(span: &'r [u8], seen: &Seen<'_>, left: &mut Left<'r>) -> Form {
    Form::of_span_but(span, |range, field| {
        let is_known = is_known(&field, seen);
        if !is_known && !is_nothing_to_judge(&field) {
            left.push((range, field));
        }
        is_known
    })
}

/// Whether the same has stayed on another span.
fn is_known(field: &Field<'_>, seen: &Seen<'_>) -> bool {
    match (field.number, field.value) {
        (number, Wire::Bytes(attribute)) if number == u32::from(ATTRIBUTES) => seen.has(attribute),
        (5, Wire::Bytes(name)) => seen.has_name(name),
        _ => false,
    }
}
