//! One GenAI span, in canonical bytes.

#[cfg(feature = "collector")]
use super::attributes;
use super::attributes::{AttributeList, Of};
use super::named::Named;
use super::names::{is_safe_trace_state, span_name};
use super::rules::Rules;
use super::splice::{Placed, Splice, ranged};
use super::value::utf8;
use super::write::text_attribute;
use crate::otlp::wire::{Field, Malformed, Wire};
use crate::otlp::writer::put_bytes;
use crate::semconv;

/// The field of a span that has its attributes.
pub(super) const ATTRIBUTES: u8 = 9;

/// The span as much as may leave of it; nothing where all of it may. Its other fields than `fields` stay.
pub(super) fn span<'r>(
    rules: &Rules<'r>,
    bytes: &'r [u8],
    fields: impl Iterator<Item = Result<Placed<'r>, Malformed>>,
) -> Result<Option<Vec<u8>>, Malformed> {
    let mut splice = Splice::new(bytes);
    let mut attributes = AttributeList::new(rules, rules.attributes(), Of::Span);
    for field in fields {
        let (range, field) = field?;
        match (field.number, field.value) {
            _ if is_nothing_to_judge(&field) => {}
            (3, Wire::Bytes(state)) if is_safe_trace_state(rules, utf8(state)?) => {}
            (5, Wire::Bytes(name)) => {
                if let Some(name) = span_name(rules, utf8(name)?) {
                    put_bytes(splice.replace(range), 5, name.as_bytes());
                }
            }
            (9, Wire::Bytes(attribute)) => attributes.attribute(range, attribute, &mut splice)?,
            (11, Wire::Bytes(bytes)) => splice.replace_message(range, 11, event(rules, bytes)?),
            (13, Wire::Bytes(bytes)) => splice.replace_message(range, 13, link(rules, bytes)?),
            (15, Wire::Bytes(bytes)) => splice.replace_message(range, 15, status(rules, bytes)?),
            // A trace state that is no labels. Canonical bytes have nothing else, but nothing else would stay either.
            _ => drop(splice.replace(range)),
        }
    }
    attributes.finish(&mut splice);
    if splice.is_changed() && !rules.attributes().has_valid(&[semconv::POLICY.id()]) {
        text_attribute(splice.append(), ATTRIBUTES, semconv::POLICY.key(), rules.snapshot());
    }
    Ok(splice.finish())
}

/// Ids, times, numbers: in canonical bytes they are nothing else.
pub(super) const fn is_nothing_to_judge(field: &Field<'_>) -> bool {
    matches!(
        (field.number, field.value),
        (1 | 2 | 4, Wire::Bytes(_))
            | (7 | 8, Wire::Fixed64(_))
            | (16, Wire::Fixed32(_))
            | (6 | 10 | 12 | 14, Wire::Varint(_))
    )
}

/// Whether a field is an attribute that stays as it is.
#[cfg(feature = "collector")]
pub(super) fn is_attribute_that_stays<'r>(rules: &Rules<'r>, field: &Field<'r>) -> bool {
    match (field.number, field.value) {
        (number, Wire::Bytes(attribute)) if number == u32::from(ATTRIBUTES) => attributes::stays(rules, attribute),
        _ => false,
    }
}

fn event<'r>(rules: &Rules<'r>, bytes: &'r [u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut splice = Splice::new(bytes);
    let named = Named::new(bytes, 3);
    let mut attributes = AttributeList::new(rules, &named, Of::Span);
    for field in ranged(bytes) {
        let (range, field) = field?;
        match (field.number, field.value) {
            (1, Wire::Fixed64(_)) | (4, Wire::Varint(_)) => {}
            (2, Wire::Bytes(name)) => label(rules, range, 2, name, &mut splice)?,
            (3, Wire::Bytes(attribute)) => attributes.attribute(range, attribute, &mut splice)?,
            _ => drop(splice.replace(range)),
        }
    }
    attributes.finish(&mut splice);
    Ok(splice.finish())
}

fn link<'r>(rules: &Rules<'r>, bytes: &'r [u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut splice = Splice::new(bytes);
    let named = Named::new(bytes, 4);
    let mut attributes = AttributeList::new(rules, &named, Of::Span);
    for field in ranged(bytes) {
        let (range, field) = field?;
        match (field.number, field.value) {
            (1 | 2, Wire::Bytes(_)) | (5, Wire::Varint(_)) | (6, Wire::Fixed32(_)) => {}
            (3, Wire::Bytes(state)) if is_safe_trace_state(rules, utf8(state)?) => {}
            (4, Wire::Bytes(attribute)) => attributes.attribute(range, attribute, &mut splice)?,
            _ => drop(splice.replace(range)),
        }
    }
    attributes.finish(&mut splice);
    Ok(splice.finish())
}

/// A status, with as much of what it says in words as errors may tell.
fn status(rules: &Rules<'_>, bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut splice = Splice::new(bytes);
    for field in ranged(bytes) {
        let (range, field) = field?;
        match (field.number, field.value) {
            (3, Wire::Varint(_)) => {}
            (2, Wire::Bytes([])) => {}
            (2, Wire::Bytes(message)) => {
                let message = utf8(message)?;
                match rules.telling().status(message) {
                    Some(told) if told == message => {}
                    Some(told) => put_bytes(splice.replace(range), 2, told.as_bytes()),
                    None => drop(splice.replace(range)),
                }
            }
            _ => drop(splice.replace(range)),
        }
    }
    Ok(splice.finish())
}

/// Passes a text that is a label or becomes one.
pub(super) fn label(
    rules: &Rules<'_>,
    range: std::ops::Range<usize>,
    number: u32,
    text: &[u8],
    splice: &mut Splice<'_>,
) -> Result<(), Malformed> {
    if let std::borrow::Cow::Owned(label) = rules.label(utf8(text)?) {
        put_bytes(splice.replace(range), number, label.as_bytes());
    }
    Ok(())
}
