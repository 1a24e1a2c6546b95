//! Tool calls and their results.

use super::node::{Look, Node};
use super::part;
use crate::event::{Part, RawText, ResultContent};

/// A call whose name and arguments stand in one object. The node comes back if it has no name.
///
/// The id of a call and of its result is kept, since it says to which call a result belongs; it is no content.
pub(super) fn call<N: Node>(mut node: N) -> Result<Part, N> {
    let Some(name) = node.string("name").or_else(|| node.string("toolName")) else { return Err(node) };
    // Of a responses item `id` names the item, `call_id` the call.
    let id = ["call_id", "toolCallId", "id"].into_iter().find_map(|key| node.string(key));
    let arguments = ["arguments", "input", "args"].into_iter().find_map(|key| node.member(key));
    Ok(Part::ToolCall { id, name, arguments: text_or_empty(arguments) })
}

/// An element of a chat message's `tool_calls`.
pub(super) fn chat_call<N: Node>(mut node: N) -> Part {
    let holder = ["function", "custom"].into_iter().find(|key| node.look().get(key).is_some_and(has_name));
    let Some(holder) = holder else {
        return call(node).unwrap_or_else(part::other);
    };
    let id = node.string("id");
    let found = node.member(holder).map(call);
    match found {
        Some(Ok(Part::ToolCall { name, arguments, .. })) => Part::ToolCall { id, name, arguments },
        // It has a name, so that this is not reached.
        _ => part::other(node),
    }
}

fn has_name<'v>(holder: impl Look<'v>) -> bool {
    holder.get("name").is_some_and(Look::is_string)
}

fn text_or_empty(node: Option<impl Node>) -> RawText {
    node.map_or(RawText::from_static(""), Node::text)
}

/// The result of a call, its content under one of the names that providers have for it.
pub(super) fn result(mut node: impl Node, nesting: usize) -> Part {
    let call_id =
        ["tool_use_id", "call_id", "tool_call_id", "toolCallId", "id"].into_iter().find_map(|key| node.string(key));
    let content = ["content", "output", "response", "result"].into_iter().find_map(|key| node.member(key));
    Part::ToolResult { call_id, content: result_content(content, nesting) }
}

/// A tool returned nothing.
pub(super) const fn nothing() -> ResultContent {
    ResultContent::Text(RawText::from_static(""))
}

/// What a tool returned: a text, parts, or any JSON, whose text it is then.
pub(super) fn result_content(node: Option<impl Node>, nesting: usize) -> ResultContent {
    let Some(node) = node else { return nothing() };
    let is_parts = match node.look().as_array().map(Iterator::peekable) {
        Some(mut elements) => match elements.peek() {
            Some(_) => elements.all(|element| element.kind().is_some()),
            None => return nothing(),
        },
        None => node.kind().is_some(),
    };
    if !is_parts {
        return ResultContent::Text(node.text());
    }
    let mut parts = Vec::new();
    part::push_all(node, nesting + 1, &mut parts);
    ResultContent::Parts(parts)
}
