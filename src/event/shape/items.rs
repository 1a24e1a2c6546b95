//! Lists of messages, and of the items that OpenAI's responses have instead.

use serde_json::Value;

use super::node::{Json, Look, Node};
use super::{message, part};
use crate::event::{Message, Part, Role};

/// The messages of a list in any shape: chat messages, response items, the GenAI conventions' messages. A string is
/// one message of the user.
pub fn messages(value: impl Json) -> Vec<Message> {
    list(value, false)
}

/// Reads a list. In a list of items those of one answer become one message of the assistant.
pub(super) fn list(value: impl Node, is_items: bool) -> Vec<Message> {
    if value.look().is_null() {
        return Vec::new();
    }
    match value.look().as_array().map(|mut elements| elements.any(is_item)) {
        Some(has_items) => all(value.elements(), is_items || has_items),
        None => vec![item(value)],
    }
}

/// The messages of a list of which each element stands by itself.
pub(crate) fn messages_of(elements: &[Value]) -> Vec<Message> {
    all(elements.iter(), elements.iter().any(is_item))
}

fn all(elements: impl Iterator<Item = impl Node>, is_items: bool) -> Vec<Message> {
    let mut messages = Vec::with_capacity(elements.size_hint().0);
    elements.for_each(|element| add(item(element), is_items, &mut messages));
    messages
}

fn add(message: Message, is_items: bool, messages: &mut Vec<Message>) {
    match messages.last_mut() {
        Some(last) if is_items && last.role == Role::Assistant && message.role == Role::Assistant => {
            last.parts.extend(message.parts);
        }
        _ => messages.push(message),
    }
}

/// Whether an element stands for a part of a message rather than for a message.
fn is_item<'v>(element: impl Look<'v>) -> bool {
    element.get("role").is_none() && element.kind().is_some()
}

/// An element of a list as a message of its own.
fn item(mut element: impl Node) -> Message {
    if element.look().is_string() {
        return Message { role: Role::User, parts: vec![Part::Text(element.text())] };
    }
    if !is_item(element.look()) {
        return message::message(element, Role::Other);
    }
    let kind = element.kind().unwrap_or_default();
    let role = match kind {
        "message" => return message::message(element, Role::Assistant),
        _ if kind.ends_with("_output") => Role::Tool,
        _ if kind.starts_with("input_") || kind.ends_with("_response") => Role::User,
        _ if is_produced(kind) => Role::Assistant,
        _ => Role::Other,
    };
    let mut parts = Vec::new();
    match element.kind() {
        Some("item_reference") if element.has_string("id") => parts.extend(element.string("id").map(Part::Reference)),
        _ => part::push(element, 0, &mut parts),
    }
    Message { role, parts }
}

/// Whether a model produces items of this kind.
fn is_produced(kind: &str) -> bool {
    const KINDS: &[&str] = &[
        "agent_message",
        "mcp_approval_request",
        "mcp_list_tools",
        "output_text",
        "reasoning",
        "redacted_thinking",
        "refusal",
        "thinking",
    ];
    kind.ends_with("_call") || kind.ends_with("_use") || kind.contains("compaction") || KINDS.contains(&kind)
}
