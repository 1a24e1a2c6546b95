//! One message, of every provider that has roles.

use super::node::{Look, Node};
use super::{call, part};
use crate::event::{Message, Part, ResultContent, Role};

/// Where a message may have its content. One with none of these is not understood.
const HOLDERS: &[&str] = &["content", "parts", "refusal", "audio", "tool_calls", "function_call"];

/// Reads a message; one without a role is `role`'s.
pub(super) fn message(mut node: impl Node, role: Role) -> Message {
    if !node.look().is_object() {
        return Message { role, parts: vec![part::other(node)] };
    }
    let role = node.look().get("role").and_then(Look::as_str).map_or(role, Role::from_word);
    let mut parts = Vec::new();
    push_thoughts(&mut node, &mut parts);
    let before = parts.len();
    for key in ["content", "parts"] {
        if let Some(content) = node.member(key) {
            part::push_all(content, 0, &mut parts);
        }
    }
    if role == Role::Tool && node.look().get("parts").is_none() {
        answer_call(&mut node, before, &mut parts);
    }
    for key in ["refusal", "audio"] {
        push_extra(&mut node, key, &mut parts);
    }
    match node.member("tool_calls") {
        Some(calls) if calls.look().is_array() => parts.extend(calls.elements().map(call::chat_call)),
        Some(odd) => parts.push(part::other(odd)),
        None => {}
    }
    // The form before `tool_calls`.
    parts.extend(node.member("function_call").map(|old| call::call(old).unwrap_or_else(part::other)));
    if parts.is_empty() && !HOLDERS.iter().any(|key| node.look().get(key).is_some()) {
        parts.push(part::other(node));
    }
    Message { role, parts }
}

/// What gateways add to a chat message: the thoughts, as one text.
fn push_thoughts(node: &mut impl Node, parts: &mut Vec<Part>) {
    let key = ["reasoning_content", "reasoning"].into_iter().find(|key| node.has_string(key));
    if let Some(thoughts) = key.and_then(|key| node.string(key)) {
        parts.extend(part::as_reasoning(Part::Text(thoughts)));
    }
}

/// In a chat the whole message of a tool is the result, unless its blocks say so themselves.
fn answer_call(node: &mut impl Node, before: usize, parts: &mut Vec<Part>) {
    let content = parts.split_off(before);
    if content.iter().any(|part| matches!(part, Part::ToolResult { .. })) {
        parts.extend(content);
        return;
    }
    let mut content = content;
    let content = match content.pop() {
        Some(Part::Text(text)) if content.is_empty() => ResultContent::Text(text),
        last => {
            content.extend(last);
            if content.is_empty() { call::nothing() } else { ResultContent::Parts(content) }
        }
    };
    parts.push(Part::ToolResult { call_id: node.string("tool_call_id"), content });
}

fn push_extra(node: &mut impl Node, key: &str, parts: &mut Vec<Part>) {
    let Some(mut extra) = node.member(key) else { return };
    if extra.look().is_string() {
        return parts.push(Part::Text(extra.text()));
    }
    // The model's own speech: given with an answer, named by its id afterwards.
    if let Some(id) = extra.string("id") {
        return parts.push(Part::Reference(id));
    }
    parts.push(part::other(extra));
}
