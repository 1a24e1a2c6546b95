//! Normalisation before hashing, so that equal content in two providers' shapes is equal.
//!
//! Each tool result is a message of its own, before the rest of its message, and names its call by its place among the
//! calls of the assistant message; encrypted blobs do not count; an empty text beside other parts is left out.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::event::{Message, Part, ResultContent, Role};

/// A message, as it is hashed.
pub(in crate::privacy) enum Piece<'r> {
    Result {
        ordinal: Option<u32>,
        content: &'r ResultContent,
    },
    /// A message without its tool results.
    Rest {
        role: Role,
        parts: &'r [Part],
    },
}

/// Which call of its assistant message an id names. The last message that has the id counts.
#[derive(Default)]
pub(in crate::privacy) struct Calls<'r>(HashMap<Cow<'r, str>, u32>);

impl<'r> Calls<'r> {
    /// Calls `found` with the pieces of a message, in order. Messages are to come oldest first.
    pub(in crate::privacy) fn pieces(&mut self, message: &'r Message, mut found: impl FnMut(Piece<'r>)) {
        if message.role == Role::Assistant {
            named(&message.parts).for_each(|(id, ordinal)| _ = self.0.insert(Cow::Borrowed(id), ordinal));
        }
        self.split(message, &mut found);
    }

    fn split<'m>(&self, message: &'m Message, found: &mut impl FnMut(Piece<'m>)) {
        unplaced(message, |id, piece| {
            found(match piece {
                Piece::Result { content, .. } => {
                    Piece::Result { ordinal: id.and_then(|id| self.0.get(id).copied()), content }
                }
                rest @ Piece::Rest { .. } => rest,
            });
        });
    }
}

/// The pieces of a message by itself: each result with the id of the call that it belongs to, whose place is not known.
pub(in crate::privacy) fn unplaced<'m>(message: &'m Message, mut found: impl FnMut(Option<&'m str>, Piece<'m>)) {
    let mut results = 0;
    for part in &message.parts {
        if let Part::ToolResult { call_id, content } = part {
            results += 1;
            found(call_id.as_ref().and_then(|id| id.expose()), Piece::Result { ordinal: None, content });
        }
    }
    let has_rest = |part: &Part| !is_empty_text(part) && !is_result(part);
    if results == 0 || message.parts.iter().any(has_rest) {
        found(None, Piece::Rest { role: message.role, parts: &message.parts });
    }
}

/// The ids of a message's calls, each with its place among them.
pub(in crate::privacy) fn named(parts: &[Part]) -> impl Iterator<Item = (&str, u32)> {
    let calls = parts.iter().filter_map(|part| match part {
        Part::ToolCall { id, .. } => Some(id.as_ref().and_then(|id| id.expose())),
        _ => None,
    });
    calls.zip(0..).filter_map(|(id, ordinal)| Some((id?, ordinal)))
}

/// The parts that a message's digest is made of.
pub(super) fn spoken(parts: &[Part]) -> impl Iterator<Item = &Part> {
    without_empty_texts(parts, |part| !is_encrypted(part)).filter(|part| !is_encrypted(part))
}

/// The parts of a message but its tool results; encrypted blobs are among them.
pub(in crate::privacy) fn without_results(parts: &[Part]) -> impl Iterator<Item = &Part> {
    without_empty_texts(parts, |part| !is_encrypted(part) && !is_result(part)).filter(|part| !is_result(part))
}

/// Leaves empty texts out, but the first where no part that counts has content.
fn without_empty_texts(parts: &[Part], counts: impl Fn(&Part) -> bool) -> impl Iterator<Item = &Part> {
    let has_content = parts.iter().any(|part| counts(part) && !is_empty_text(part));
    let kept = if has_content { None } else { parts.iter().position(is_empty_text) };
    let stays = move |(place, part): &(usize, &Part)| !is_empty_text(part) || Some(*place) == kept;
    parts.iter().enumerate().filter(stays).map(|(_, part)| part)
}

fn is_empty_text(part: &Part) -> bool {
    matches!(part, Part::Text(text) if text.is_empty())
}

const fn is_encrypted(part: &Part) -> bool {
    matches!(part, Part::Encrypted(_))
}

const fn is_result(part: &Part) -> bool {
    matches!(part, Part::ToolResult { .. })
}
