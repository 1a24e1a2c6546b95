//! The parts of a message: their digests, lengths and kinds.

use super::ahead::Ahead;
use super::{digest, message};
use crate::event::{Digest, Part, ResultContent};

/// Tool results in tool results are followed this far.
const MAX_NESTING: usize = 16;

/// The digest of a part, which is missing where its content was not taken.
pub(super) fn part(ahead: &Ahead<'_>, part: &Part, nesting: usize) -> Option<Digest> {
    let hasher = ahead.hasher();
    match part {
        Part::Text(text) => ahead.text(text),
        Part::Reasoning(text) => ahead.reasoning(text),
        Part::ToolCall { name, arguments, .. } => ahead.call(name, arguments),
        // A result that does not stand in a message of its own: no assistant message to count calls in.
        Part::ToolResult { content: inner, .. } => {
            Some(digest::result(hasher, None, &content(ahead, inner, nesting + 1)?))
        }
        Part::Blob(bytes) | Part::Encrypted(bytes) => ahead.bytes(bytes),
        Part::Reference(text) => Some(digest::reference(hasher, text.expose()?)),
        Part::Other(json) => Some(digest::other(hasher, json.expose()?)),
    }
}

/// The digest of what a tool returned: of the text, or of the parts as a message.
pub(super) fn content(ahead: &Ahead<'_>, content: &ResultContent, nesting: usize) -> Option<Digest> {
    match content {
        ResultContent::Text(text) => ahead.text(text),
        ResultContent::Parts(_) if nesting > MAX_NESTING => None,
        ResultContent::Parts(parts) => message::of_parts(ahead, parts, nesting),
    }
}

/// The bytes of texts, arguments and decoded blobs. Names, references and encrypted blobs do not count.
pub(super) fn length(part: &Part) -> u64 {
    match part {
        Part::Text(text) | Part::Reasoning(text) => text.len() as u64,
        Part::ToolCall { arguments, .. } => arguments.len() as u64,
        Part::ToolResult { content, .. } => content_length(content),
        Part::Blob(bytes) => bytes.len() as u64,
        // Not measured as a rule, but of what was not taken the length is all there is.
        Part::Reference(text) | Part::Other(text) if text.expose().is_none() => text.len() as u64,
        Part::Reference(_) | Part::Other(_) | Part::Encrypted(_) => 0,
    }
}

pub(super) fn content_length(content: &ResultContent) -> u64 {
    match content {
        ResultContent::Text(text) => text.len() as u64,
        ResultContent::Parts(parts) => parts.iter().map(length).sum(),
    }
}

/// The word for a part's kind, which the GenAI conventions have for most.
pub(super) const fn kind(part: &Part) -> &'static str {
    match part {
        Part::Text(_) => "text",
        Part::Reasoning(_) => "reasoning",
        Part::ToolCall { .. } => "tool_call",
        Part::ToolResult { .. } => "tool_call_response",
        Part::Blob(_) => "blob",
        Part::Encrypted(_) => "encrypted",
        Part::Reference(_) => "uri",
        Part::Other(_) => "other",
    }
}

/// The word for a part whose content was not taken.
pub(super) const OVERSIZE: &str = "oversize";
