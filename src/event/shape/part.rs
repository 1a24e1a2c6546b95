//! Blocks of content, of every provider.

use super::node::{Look, Node};
use super::{blob, call, json, media};
use crate::event::Part;

/// Content within content (blocks in a tool's result) is read this far; what is deeper stays JSON.
const MAX_NESTING: usize = 8;

/// Adds what a message's `content` holds: a text, or blocks.
pub(super) fn push_all(content: impl Node, nesting: usize, parts: &mut Vec<Part>) {
    if content.look().is_array() {
        content.elements().for_each(|block| push(block, nesting, parts));
    } else if !content.look().is_null() {
        push(content, nesting, parts);
    }
}

/// The parts of what a message's `content` holds: a text, or blocks.
#[cfg(feature = "import")]
pub(crate) fn blocks(content: serde_json::Value) -> Vec<Part> {
    let mut parts = Vec::new();
    push_all(content, 0, &mut parts);
    parts
}

/// Adds what a block holds.
pub(super) fn push(mut block: impl Node, nesting: usize, parts: &mut Vec<Part>) {
    if block.look().is_string() {
        return parts.push(Part::Text(block.text()));
    }
    if nesting > MAX_NESTING {
        return parts.push(other(block));
    }
    let kind = block.kind().map_or(Kind::Unknown, Kind::of);
    match kind {
        Kind::Text => match ["text", "content", "value"].into_iter().find_map(|key| block.string(key)) {
            Some(text) => parts.push(Part::Text(text)),
            None => parts.push(other(block)),
        },
        Kind::Refusal => match block.string("refusal") {
            Some(text) => parts.push(Part::Text(text)),
            None => parts.push(other(block)),
        },
        Kind::Reasoning => push_reasoning(block, nesting, parts),
        Kind::Redacted if block.has_string("data") => parts.extend(block.member("data").map(blob::encrypted)),
        Kind::Json if block.look().get("value").is_some() => {
            parts.extend(block.member("value").map(|value| Part::Text(value.text())));
        }
        Kind::Call => parts.push(call::call(block).unwrap_or_else(other)),
        Kind::Result => parts.push(call::result(block, nesting)),
        Kind::Document => push_document(block, nesting, parts),
        _ => push_other(block, &[], parts),
    }
}

/// The kinds of blocks that are read here; all but media.
enum Kind {
    Text,
    Refusal,
    Reasoning,
    Redacted,
    /// Any JSON: what the Vercel AI SDK has as the output of a tool.
    Json,
    Call,
    Result,
    Document,
    Unknown,
}

impl Kind {
    fn of(word: &str) -> Self {
        match word {
            "text" | "input_text" | "output_text" | "summary_text" | "error-text" => Self::Text,
            "refusal" => Self::Refusal,
            "thinking" | "reasoning" | "reasoning_text" => Self::Reasoning,
            "redacted_thinking" => Self::Redacted,
            "json" | "error-json" => Self::Json,
            "tool_use" | "tool_call" | "tool-call" | "function_call" | "custom_tool_call" => Self::Call,
            "tool_result" | "tool_call_response" | "tool-result" => Self::Result,
            // `function_call_output`, `custom_tool_call_output`, `computer_call_output`, and their like.
            _ if word.ends_with("_call_output") => Self::Result,
            "document" => Self::Document,
            _ => Self::Unknown,
        }
    }
}

/// Readable thoughts: the text itself, then its summaries, then what only the provider can read.
fn push_reasoning(mut block: impl Node, nesting: usize, parts: &mut Vec<Part>) {
    let mut is_understood = false;
    for key in ["thinking", "text", "content", "summary"] {
        let Some(thoughts) = block.member(key) else { continue };
        is_understood = true;
        let mut found = Vec::new();
        push_all(thoughts, nesting + 1, &mut found);
        parts.extend(found.into_iter().filter_map(as_reasoning));
    }
    if block.has_string("encrypted_content") {
        is_understood = true;
        parts.extend(block.member("encrypted_content").map(blob::encrypted));
    }
    if !is_understood {
        parts.push(other(block));
    }
}

/// Text in a block of thoughts is a thought. One that is withheld has an empty text beside its signature.
pub(super) fn as_reasoning(part: Part) -> Option<Part> {
    match part {
        Part::Text(text) | Part::Reasoning(text) => (!text.is_empty()).then_some(Part::Reasoning(text)),
        part => Some(part),
    }
}

/// Anthropic's documents: their text, blocks, bytes or reference, after what the application says of them.
fn push_document(mut block: impl Node, nesting: usize, parts: &mut Vec<Part>) {
    let holds_blocks = block.look().get("source").and_then(Look::kind) == Some("content");
    let context = block.string("context").map(Part::Text);
    let told: &[&str] = if context.is_some() { &["context"] } else { &[] };
    parts.extend(context);
    if holds_blocks {
        let content = block.member("source").and_then(|mut source| source.member("content"));
        return content.into_iter().for_each(|content| push_all(content, nesting + 1, parts));
    }
    push_other(block, told, parts);
}

/// Media, or what is not understood. Of its members these are `told` already.
fn push_other(block: impl Node, told: &[&str], parts: &mut Vec<Part>) {
    const ENCRYPTED: &str = "encrypted_content";
    let mut block = match media::read(block) {
        Ok(part) => return parts.push(part),
        Err(block) => block,
    };
    let encrypted = if block.has_string(ENCRYPTED) { block.member(ENCRYPTED) } else { None };
    if encrypted.is_none() && told.is_empty() {
        return parts.push(other(block));
    }
    // What has been taken out of an owned value would be a null in it, and would stand in a borrowed one twice.
    let without: Vec<&str> =
        json::HINTS.iter().chain(told).copied().chain(encrypted.as_ref().map(|_| ENCRYPTED)).collect();
    parts.extend(encrypted.map(blob::encrypted));
    parts.push(Part::Other(block.look().write(&without)));
}

/// What is not understood, as JSON; ids, signatures and hints are no part of it.
pub(super) fn other(block: impl Node) -> Part {
    Part::Other(block.look().write(json::HINTS))
}
