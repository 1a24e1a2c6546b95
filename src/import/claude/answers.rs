//! Rows of type `assistant`: one answer of a model comes in several of them.

use serde_json::Value;

use super::agents::Agents;
use super::lane::Lane;
use super::row::{Row, Said};
use crate::event::{Attrs, Outcome, Part, RawText, shape};
use crate::import::session::{Desk, Surety, mcp_server, response};
use crate::semconv::{ERROR_KIND, ERROR_RETRYABLE, MCP_SERVER, TOOL_KIND};

pub(super) fn take(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, row: &mut Row<'_>, at: u64) {
    let content = row.take_content();
    let Some(said) = &row.message.0 else { return };
    let ids = [said.id.some(), row.request.some(), row.uuid.some()];
    let Some(id) = ids.into_iter().flatten().next() else { return };
    lane.install(desk, None);
    if lane.thread.turn.is_none() || lane.candidate.is_some() {
        let (prompt, began) = match lane.candidate.take() {
            Some(candidate) => (candidate.id, candidate.at),
            None => (format!("answer-{id}"), at),
        };
        super::users::begin(lane, desk, agents, None, (&prompt, began));
    }
    lane.thread.saw(desk, at);
    let blocks = match content {
        Some(Value::Array(blocks)) => blocks,
        Some(text @ Value::String(_)) => vec![text],
        _ => Vec::new(),
    };
    let has_been_told = lane.answers.get(id).is_some();
    if !has_been_told && lane.thread.answer.as_ref().is_none_or(|answer| answer.id != id) {
        begin(lane, desk, row, said, id, at);
    }
    let has_answered = blocks.iter().any(|block| !is_thought(block));
    for block in blocks {
        add(lane, desk, agents, block, at, !has_been_told);
    }
    let Some(answer) = lane.thread.answer.as_mut().filter(|answer| answer.id == id) else { return };
    answer.add(Vec::new(), at);
    // What seemed to be the answer's end was none.
    answer.ended = None;
    if row.is_api_error.0 != Some(true) {
        answer.usage.raise(said.usage());
    }
    response(desk, &mut answer.closed, (None, None, None, said.stop_reason.some()));
    // All rows of an answer may say how it ended; its text comes after its thoughts.
    if has_answered && matches!(said.stop_reason.get(), Some("end_turn" | "stop_sequence" | "max_tokens" | "refusal")) {
        answer.ended = Some(desk.since(at));
        lane.thread.note_end(desk, Outcome::Completed, Surety::Said, at);
    }
}

fn begin(lane: &mut Lane, desk: &mut Desk, row: &Row<'_>, said: &Said<'_>, id: &str, at: u64) {
    if let Some(before) = &lane.thread.answer {
        let before = before.id.clone();
        lane.answers.set(&before, ());
    }
    let is_error = row.is_api_error.0 == Some(true);
    let model = said.model.some().filter(|model| *model != "<synthetic>");
    if let Some(model) = model {
        lane.thread.model = Some(desk.label(model));
    }
    lane.thread.goes_on();
    let Some(answer) = lane.thread.begin_answer(desk, id, at) else { return };
    let own = said.id.some().filter(|_| !is_error);
    let mut closed = Attrs::default();
    response(desk, &mut closed, (own, model, row.request.some(), None));
    if is_error {
        answer.outcome = Outcome::Failed;
        closed.set(ERROR_KIND, desk.reason(&error_word(row.api_error_status.0)));
        answer.closed = closed;
        return lane.thread.note_end(desk, Outcome::Failed, Surety::Said, at);
    }
    answer.closed = closed;
}

fn is_thought(block: &Value) -> bool {
    matches!(block.get("type").and_then(Value::as_str), Some("thinking" | "redacted_thinking"))
}

fn error_word(status: Option<u16>) -> String {
    status.map_or_else(|| "api_error".to_owned(), |status| format!("http_{status}"))
}

/// An attempt that failed and is made again.
pub(super) fn failed_attempt(lane: &mut Lane, desk: &mut Desk, row: &Row<'_>, at: u64) {
    let Some(id) = row.uuid.some() else { return };
    let mut attrs = Attrs::default();
    attrs.set(ERROR_RETRYABLE, true);
    let status = row.error.0.as_ref().and_then(|error| error.status.0);
    let id = format!("{id}#{}", row.attempt.0.unwrap_or(0));
    lane.thread.failed_attempt(desk, &id, at, attrs, &error_word(status));
}

fn add(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, block: Value, at: u64, is_fresh: bool) {
    let word = |name: &str| block.get(name).and_then(Value::as_str);
    let call = match word("type") {
        Some("tool_use") => word("id").zip(word("name")).map(|(id, name)| (id.to_owned(), name.to_owned())),
        _ => None,
    };
    let prompt = block.get("input").and_then(|input| input.get("prompt")?.as_str());
    if let (Some((id, name)), Some(prompt)) = (&call, prompt) {
        agents.asked(id, name, prompt);
    }
    let text = block.as_str().or_else(|| word("text")).or_else(|| word("thinking"));
    let answer = lane.thread.answer.as_ref().filter(|_| is_fresh);
    let growth = answer.zip(text).map(|(answer, text)| answer.growth(text));
    let mut parts = shape::blocks(block);
    if let Some((id, name)) = &call {
        let arguments = parts.iter().find_map(|part| match part {
            Part::ToolCall { arguments, .. } => Some(arguments),
            _ => None,
        });
        let is_new = open_tool(lane, desk, (id, name), arguments, at);
        if !is_new {
            return;
        }
    }
    let Some(answer) = lane.thread.answer.as_mut().filter(|_| is_fresh) else { return };
    match (growth, parts.pop()) {
        (Some(growth), Some(part)) if parts.is_empty() => answer.grow(part, growth, at),
        (_, last) => {
            parts.extend(last);
            answer.add(parts, at);
        }
    }
}

fn open_tool(lane: &mut Lane, desk: &mut Desk, call: (&str, &str), arguments: Option<&RawText>, at: u64) -> bool {
    let mut attrs = Attrs::default();
    if let Some(server) = mcp_server(call.1) {
        attrs.set(MCP_SERVER, desk.label(server));
        attrs.set(TOOL_KIND, desk.label("mcp"));
    }
    lane.thread.open_tool(desk, call, at, arguments, attrs).is_some()
}
