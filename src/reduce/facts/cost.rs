//! The memory that a fact keeps, near enough to bound it.

use std::mem::size_of;

use super::observation::{CloseBody, Closing, Observation, OpenBody, Opening};
use crate::event::{Attrs, Digest, Item, Link, Measure, Value};
use crate::semconv::KeyId;

/// What a tree node, an allocation's header and the like add to each fact.
pub(in crate::reduce) const OVERHEAD: usize = 64;

impl Observation {
    pub(in crate::reduce) fn bytes(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Opening(opening) => opening_bytes(opening),
                Self::Closing(closing) => closing_bytes(closing),
            }
    }
}

fn opening_bytes(opening: &Opening) -> usize {
    let body = match &opening.body {
        OpenBody::Turn | OpenBody::Tool(_) => 0,
        OpenBody::Inference(input) => {
            let kinds: usize = input.items.iter().map(|item| item.part_kinds.len()).sum();
            size_of_val(&**input)
                + input.items.len() * size_of::<Item>()
                + kinds
                + input.blobs.len() * size_of::<Digest>()
        }
    };
    let policy = opening.policy.as_ref().map_or(0, |policy| policy.len());
    size_of::<Opening>() + body + attrs_bytes(&opening.attrs) + opening.links.len() * size_of::<Link>() + policy
}

fn closing_bytes(closing: &Closing) -> usize {
    let body = match &closing.body {
        CloseBody::Turn | CloseBody::Tool(_) => 0,
        CloseBody::Inference(output) => {
            output.items.len() * size_of::<Measure>() + output.blobs.len() * size_of::<Digest>()
        }
    };
    size_of::<Closing>() + body + attrs_bytes(&closing.attrs)
}

fn attrs_bytes(attrs: &Attrs) -> usize {
    attrs
        .iter()
        .map(|(_, value)| {
            size_of::<(KeyId, Value)>()
                + match value {
                    Value::Text(text) => text.len(),
                    Value::Texts(texts) => texts.iter().map(|text| size_of_val(text) + text.len()).sum(),
                    Value::Ints(numbers) => size_of_val(numbers.as_slice()),
                    Value::Int(_) | Value::Double(_) | Value::Bool(_) => 0,
                }
        })
        .sum()
}
