//! Tool definitions of every provider.

use super::json;
use super::node::{Look, Node};
use crate::event::{RawText, ToolDefinition};

/// The definitions of a list.
pub(super) fn tools(list: impl Node) -> Vec<ToolDefinition> {
    if list.look().is_null() {
        Vec::new()
    } else if list.look().is_array() {
        list.elements().map(tool).collect()
    } else {
        vec![tool(list)]
    }
}

/// One definition.
pub(crate) fn tool(mut node: impl Node) -> ToolDefinition {
    // OpenAI's chat completions put the definition in an object named after its type.
    let holder = ["function", "custom"].into_iter().find(|key| node.look().get(key).is_some_and(Look::is_object));
    if let Some(inner) = holder.and_then(|key| node.member(key)) {
        return definition(inner);
    }
    definition(node)
}

/// A tool is told by its name, what it does and what it takes; strictness and cache hints are no part of it.
fn definition(mut node: impl Node) -> ToolDefinition {
    if !node.has_string("name") {
        return nameless(node);
    }
    let name = node.string("name").unwrap_or_else(|| RawText::from_static(""));
    let description = node.string("description");
    let parameters = ["parameters", "input_schema", "inputSchema"].into_iter().find_map(|key| node.member(key));
    ToolDefinition { name, description, parameters: parameters.map(Node::text) }
}

/// A tool of the provider's own, whose type is its name: all else that it says is what it takes.
fn nameless(node: impl Node) -> ToolDefinition {
    let name = RawText::from(node.kind().unwrap_or_default());
    ToolDefinition { name, description: None, parameters: Some(node.look().write(json::HINTS)) }
}
