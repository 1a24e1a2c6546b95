//! Which call a span is.

use super::Said;
use crate::event::{Attrs, CallKind};
use crate::semconv as s;

/// The operation of the conventions that a span tells of; nothing for a span that groups others, and for one that is none.
pub(super) fn of(said: &Said<'_>, opened: &Attrs) -> Option<&'static str> {
    let own = opened.text(s::OPERATION_NAME).and_then(known);
    let text = |id| said.text(id);
    if own.is_some() {
        return own;
    }
    if let Some(word) = text(s::AI_OPERATION.id()) {
        return vercel(word);
    }
    if let Some(word) = text(s::OI_SPAN_KIND.id()) {
        return open_inference(word);
    }
    // A span that is a call of a model says so beside what it stands for in a workflow.
    if let Some(operation) = text(s::OL_REQUEST_TYPE.id()).and_then(request_type) {
        return Some(operation);
    }
    if let Some(word) = text(s::OL_SPAN_KIND.id()) {
        return traceloop(word);
    }
    let has = |name| opened.text(name).is_some_and(|text| !text.is_empty());
    match () {
        // An operation of the conventions that is no call, or a word of one's own.
        () if has(s::OPERATION_NAME) => None,
        () if has(s::TOOL_NAME) => Some("execute_tool"),
        // A model alone could stand on any span of a service.
        () if has(s::REQUEST_MODEL) && has(s::PROVIDER_NAME) => Some("chat"),
        () => None,
    }
}

/// The conventions' own word, as a constant.
fn known(operation: &str) -> Option<&'static str> {
    let kind = CallKind::of_operation(operation)?;
    kind.operations().iter().copied().find(|known| *known == operation)
}

/// `ai.operationId`: the outer span of a function is the agent's activation, the inner ones are what it did.
fn vercel(word: &str) -> Option<&'static str> {
    match word {
        "ai.toolCall" => Some("execute_tool"),
        "ai.generateText" | "ai.streamText" | "ai.generateObject" | "ai.streamObject" => Some("invoke_agent"),
        _ if word.ends_with(".doEmbed") => Some("embeddings"),
        _ if word.ends_with(".doGenerate") || word.ends_with(".doStream") => Some("chat"),
        _ => None,
    }
}

/// `openinference.span.kind`. A chain groups others.
fn open_inference(word: &str) -> Option<&'static str> {
    let is = |kind: &str| word.eq_ignore_ascii_case(kind);
    match () {
        () if is("LLM") => Some("chat"),
        () if is("EMBEDDING") => Some("embeddings"),
        () if is("TOOL") => Some("execute_tool"),
        () if is("AGENT") => Some("invoke_agent"),
        () if is("RETRIEVER") => Some("retrieval"),
        () => None,
    }
}

/// `llm.request.type`.
fn request_type(word: &str) -> Option<&'static str> {
    match word {
        "chat" => Some("chat"),
        "completion" => Some("text_completion"),
        "embedding" => Some("embeddings"),
        _ => None,
    }
}

/// `traceloop.span.kind`. A task groups others.
fn traceloop(word: &str) -> Option<&'static str> {
    match word {
        "workflow" => Some("invoke_workflow"),
        "agent" => Some("invoke_agent"),
        "tool" => Some("execute_tool"),
        _ => None,
    }
}
