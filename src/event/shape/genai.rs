//! The GenAI conventions' own schema (profile `v1_41`), which spans carry as attributes.

use super::node::Json;
use super::{items, request, tools as definitions};
use crate::event::{Message, RawText, ToolDefinition};

/// The messages of `gen_ai.input.messages` or `gen_ai.output.messages`.
pub fn messages(value: impl Json) -> Vec<Message> {
    items::list(value, false)
}

/// The parts of `gen_ai.system_instructions`.
pub fn system(value: impl Json) -> Vec<RawText> {
    request::system(value)
}

/// The definitions of `gen_ai.tool.definitions`.
pub fn tools(value: impl Json) -> Vec<ToolDefinition> {
    definitions::tools(value)
}
