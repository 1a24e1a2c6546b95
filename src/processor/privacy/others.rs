//! Spans that are no GenAI spans: what a detector hits in a text of theirs is masked, and all else keeps its bytes.

use std::borrow::Cow;

use super::named::Entry;
use super::seen::Seen;
use super::span::ATTRIBUTES;
use super::splice::{Splice, ranged};
use super::value::utf8;
use crate::otlp::wire::{Malformed, Wire};
use crate::otlp::writer::put_bytes;
use crate::privacy::measure::Telling;

/// The fields of a message in which somebody may have written something.
struct Shape(&'static [(u32, Inside)]);

enum Inside {
    Text,
    Message(&'static Shape),
}

use Inside::{Message, Text};

static SPAN: Shape =
    Shape(&[(5, Text), (9, Message(&PAIR)), (11, Message(&EVENT)), (13, Message(&LINK)), (15, Message(&STATUS))]);
static EVENT: Shape = Shape(&[(2, Text), (3, Message(&PAIR))]);
static LINK: Shape = Shape(&[(4, Message(&PAIR))]);
static STATUS: Shape = Shape(&[(2, Text)]);
static PAIR: Shape = Shape(&[(2, Message(&VALUE))]);
static VALUE: Shape = Shape(&[(1, Text), (5, Message(&ARRAY)), (6, Message(&MAP))]);
static ARRAY: Shape = Shape(&[(1, Message(&VALUE))]);
static MAP: Shape = Shape(&[(1, Message(&PAIR))]);

/// The span as much as may leave of it; nothing where all of it may. `seen` are attributes of other such spans of the request
/// in which nothing was hit. Its form bounds how deep it recurses.
pub(super) fn span<'r>(
    telling: &Telling<'_>,
    bytes: &'r [u8],
    seen: Option<&Seen<'r>>,
) -> Result<Option<Vec<u8>>, Malformed> {
    if telling.policy.detectors().is_none() {
        return Ok(None);
    }
    let mut splice = Splice::new(bytes);
    for field in ranged(bytes) {
        let (range, field) = field?;
        let (number, Wire::Bytes(inner)) = (field.number, field.value) else { continue };
        let is_attribute = number == u32::from(ATTRIBUTES);
        if is_attribute && seen.is_some_and(|seen| seen.has(inner)) {
            continue;
        }
        match masked(telling, &SPAN, number, inner)? {
            Some(other) => put_bytes(splice.replace(range), number, &other),
            None if is_attribute => seen.into_iter().for_each(|seen| seen.stays(inner, Entry::default())),
            None => {}
        }
    }
    Ok(splice.finish())
}

/// The content of a field, if it is another one now.
fn masked(telling: &Telling<'_>, of: &Shape, number: u32, bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let shape = match of.0.iter().find(|(known, _)| *known == number) {
        None => return Ok(None),
        Some((_, Text)) => {
            return Ok(match telling.masked(utf8(bytes)?) {
                Cow::Borrowed(_) => None,
                Cow::Owned(text) => Some(text.into_bytes()),
            });
        }
        Some((_, Message(shape))) => shape,
    };
    let mut splice = Splice::new(bytes);
    for field in ranged(bytes) {
        let (range, field) = field?;
        if let Wire::Bytes(inner) = field.value {
            splice.replace_message(range, field.number, masked(telling, shape, field.number, inner)?);
        }
    }
    Ok(splice.finish())
}
