//! The resource and the scopes of GenAI spans, in canonical bytes.

use super::attributes::{AttributeList, Of};
use super::named::Named;
use super::rules::Rules;
use super::span::label;
use super::splice::{Splice, ranged};
use super::value::utf8;
use crate::otlp::wire::{Fields, Malformed, Wire};

/// A `Resource` as much as may leave of it; nothing where all of it may.
pub(super) fn resource<'r>(rules: &Rules<'r>, bytes: &'r [u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut splice = Splice::new(bytes);
    let named = Named::new(bytes, 1);
    let mut attributes = AttributeList::new(rules, &named, Of::Owner);
    for field in ranged(bytes) {
        let (range, field) = field?;
        match (field.number, field.value) {
            (1, Wire::Bytes(attribute)) => attributes.attribute(range, attribute, &mut splice)?,
            (2, Wire::Varint(_)) => {}
            (3, Wire::Bytes(entity)) if is_entity_of_labels(rules, entity)? => {}
            _ => drop(splice.replace(range)),
        }
    }
    Ok(splice.finish())
}

/// An `InstrumentationScope` as much as may leave of it; nothing where all of it may.
pub(super) fn scope<'r>(rules: &Rules<'r>, bytes: &'r [u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut splice = Splice::new(bytes);
    let named = Named::new(bytes, 3);
    let mut attributes = AttributeList::new(rules, &named, Of::Owner);
    for field in ranged(bytes) {
        let (range, field) = field?;
        match (field.number, field.value) {
            (number @ (1 | 2), Wire::Bytes(text)) => label(rules, range, number, text, &mut splice)?,
            (3, Wire::Bytes(attribute)) => attributes.attribute(range, attribute, &mut splice)?,
            (4, Wire::Varint(_)) => {}
            _ => drop(splice.replace(range)),
        }
    }
    Ok(splice.finish())
}

/// An entity names attributes by their keys: one whose keys are no labels would name none.
fn is_entity_of_labels(rules: &Rules<'_>, entity: &[u8]) -> Result<bool, Malformed> {
    for field in Fields::new(entity) {
        let field = field?;
        match (field.number, field.value) {
            (1..=4, Wire::Bytes(text)) if rules.stays(utf8(text)?) => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}
