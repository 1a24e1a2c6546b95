//! Which spans are GenAI spans, in bytes of any form.

use super::dialect::{is_genai_key, is_genai_name};
use crate::otlp::wire::{Fields, Wire};

/// Whether a span, or one of its events, has an attribute of a GenAI dialect. Bytes that cannot be read count as one, so that
/// whoever decodes them refuses them.
pub(in crate::processor) fn is_genai(span: &[u8]) -> bool {
    Fields::new(span).any(|field| {
        field.map_or(true, |field| match (field.number, field.value) {
            (9, Wire::Bytes(attribute)) => has_genai_key(attribute),
            (11, Wire::Bytes(event)) => has_genai_attribute(event),
            _ => false,
        })
    })
}

fn has_genai_attribute(event: &[u8]) -> bool {
    Fields::new(event).any(|field| {
        field.map_or(true, |field| matches!((field.number, field.value), (3, Wire::Bytes(pair)) if has_genai_key(pair)))
    })
}

/// The key may stand more than once in bytes that are not canonical: each counts.
fn has_genai_key(attribute: &[u8]) -> bool {
    Fields::new(attribute).any(|field| {
        field.map_or(true, |field| matches!((field.number, field.value), (1, Wire::Bytes(key)) if is_genai_key(key)))
    })
}

/// Whether an `InstrumentationScope` message is that of a GenAI instrumentation.
pub(in crate::processor) fn is_genai_scope(scope: &[u8]) -> bool {
    Fields::new(scope).any(|field| {
        field.map_or(true, |field| matches!((field.number, field.value), (1, Wire::Bytes(name)) if is_genai_name(name)))
    })
}
