//! A whole request body.

use super::node::{Json, Look, Node};
use super::{items, part, tools};
use crate::event::{Part, RawText, Request};

/// What a model was sent, from a provider's request body or from a bare array of messages. Nothing for a value that is
/// neither.
///
/// A message of role `system` in the list stays a message; only what the provider separates is [`Request::system`].
pub fn request(mut value: impl Json) -> Option<Request> {
    if value.look().is_array() {
        return Some(Request { messages: items::list(value, false), ..Request::default() });
    }
    let (messages, is_items) = match value.member("messages") {
        Some(messages) => (messages, false),
        None => match value.member("input") {
            Some(input) => (input, true),
            None => (value.member("prompt")?, false),
        },
    };
    let mut system = Vec::new();
    for key in ["system", "instructions", "system_instructions"] {
        system.extend(value.member(key).map(self::system).unwrap_or_default());
    }
    let definitions = ["tools", "functions"].into_iter().find_map(|key| value.member(key));
    Some(Request {
        system,
        tools: definitions.map(tools::tools).unwrap_or_default(),
        messages: items::list(messages, is_items),
    })
}

/// System instructions: a text, or blocks.
pub(super) fn system(node: impl Node) -> Vec<RawText> {
    if node.look().is_null() {
        Vec::new()
    } else if node.look().is_array() {
        node.elements().map(system_text).collect()
    } else {
        vec![system_text(node)]
    }
}

/// The text of a block; the JSON of one that has none.
fn system_text(mut block: impl Node) -> RawText {
    let key = ["text", "content"].into_iter().find(|key| block.has_string(key));
    match key.and_then(|key| block.string(key)) {
        Some(text) => text,
        None if block.look().is_string() => block.text(),
        None => match part::other(block) {
            Part::Other(json) => json,
            _ => RawText::from_static(""),
        },
    }
}
