//! Normalisation before hashing, so that equal content in two providers' shapes is equal.
//!
//! Each tool result is a message of its own, before the rest of its message, and names its call by its place among the
//! calls of the assistant message; encrypted blobs do not count; an empty text beside other parts is left out.

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
pub(in crate::privacy) struct Calls<'r>(HashMap<&'r str, u32>);

impl<'r> Calls<'r> {
    /// Calls `found` with the pieces of a message, in order. Messages are to come oldest first.
    pub(in crate::privacy) fn pieces(&mut self, message: &'r Message, mut found: impl FnMut(Piece<'r>)) {
        if message.role == Role::Assistant {
            self.note(&message.parts);
        }
        let mut results = 0;
        for part in &message.parts {
            if let Part::ToolResult { call_id, content } = part {
                results += 1;
                let id = call_id.as_ref().and_then(|id| id.expose());
                found(Piece::Result { ordinal: id.and_then(|id| self.0.get(id).copied()), content });
            }
        }
        let has_rest = |part: &Part| !is_empty_text(part) && !is_result(part);
        if results == 0 || message.parts.iter().any(has_rest) {
            found(Piece::Rest { role: message.role, parts: &message.parts });
        }
    }

    fn note(&mut self, parts: &'r [Part]) {
        let mut ordinal = 0;
        for part in parts {
            if let Part::ToolCall { id, .. } = part {
                if let Some(id) = id.as_ref().and_then(|id| id.expose()) {
                    self.0.insert(id, ordinal);
                }
                ordinal += 1;
            }
        }
    }
}

/// The parts that a message's digest is made of.
pub(super) fn spoken(parts: &[Part]) -> impl Iterator<Item = &Part> {
    without_empty_texts(parts, |part| !is_encrypted(part)).filter(|part| !is_encrypted(part))
}

/// The parts of a message but its tool results; encrypted blobs are among them.
pub(super) fn without_results(parts: &[Part]) -> impl Iterator<Item = &Part> {
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
