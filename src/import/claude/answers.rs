//! Rows of type `assistant`: one answer of a model comes in several of them.

use super::agents::Agents;
use super::lane::Lane;
use super::row::{Row, status, usage};
use crate::event::{Attrs, Outcome, Part, RawText};
use crate::import::session::{
    Answer, Desk, LABELS, Surety, Usage, UsageMissing, first_line, mcp_server, push, response,
};
use crate::json::Node;
use crate::semconv::{ERROR_KIND, ERROR_RETRYABLE, MCP_SERVER, TOOL_KIND};

/// `is_again`: the row stands twice.
pub(super) fn take(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, row: &Row<'_>, (at, is_again): (u64, bool)) {
    let Some(said) = row.message else { return };
    let Some(id) = row.answer_id() else { return };
    let is_open = lane.thread.answer.as_ref().is_some_and(|answer| answer.id == id);
    if is_again && !is_open {
        return;
    }
    lane.install(desk, None);
    if lane.thread.turn.is_none() || lane.candidate.is_some() && !is_open {
        let (prompt, began) = match lane.candidate.take() {
            Some(candidate) => (candidate.id, candidate.at),
            None => (format!("answer-{id}"), at),
        };
        super::users::begin(lane, desk, agents, None, (&prompt, began));
    }
    lane.thread.saw(desk, at);
    let text = row.content.filter(|content| content.is_text());
    let blocks = || row.content.into_iter().flat_map(Node::elements).chain(text);
    let has_been_told = lane.answers.get(id).is_some();
    if !has_been_told && lane.thread.answer.as_ref().is_none_or(|answer| answer.id != id) {
        begin(lane, desk, row, said, id, at);
    }
    let has_answered = blocks().any(|block| !is_thought(block));
    if row.is_api_error {
        // The row may be of an answer that was told already, and another one be open.
        let is_open = lane.thread.answer.as_ref().is_some_and(|answer| answer.id == id);
        let said = blocks().find_map(|block| block.as_str().or_else(|| block.word("text"))).filter(|_| is_open);
        said.and_then(first_line).into_iter().for_each(|said| lane.thread.write_error(said));
    } else {
        for block in blocks() {
            let how = if has_been_told {
                How::Told
            } else if is_again {
                How::Again
            } else {
                How::Fresh
            };
            add(lane, desk, agents, block, at, how);
        }
    }
    let Some(answer) = lane.thread.answer.as_mut().filter(|answer| answer.id == id) else { return };
    answer.add(Vec::new(), at);
    // What seemed to be the answer's end was none.
    answer.ended = None;
    if !row.is_api_error {
        count(answer, usage(said));
    }
    let stop_reason = said.word("stop_reason");
    response(desk, &mut answer.closed, (None, None, None, stop_reason));
    // All rows of an answer may say how it ended; its text comes after its thoughts.
    if has_answered && matches!(stop_reason, Some("end_turn" | "stop_sequence" | "max_tokens" | "refusal")) {
        answer.ended = Some(desk.since(at));
        lane.thread.note_end(desk, Outcome::Completed, Surety::Said, at);
    }
}

fn begin(lane: &mut Lane, desk: &mut Desk, row: &Row<'_>, said: Node<'_>, id: &str, at: u64) {
    lane.note_answer();
    let is_error = row.is_api_error;
    let model = said.word("model").filter(|model| *model != "<synthetic>");
    if let Some(model) = model {
        lane.thread.model = Some(desk.label(model));
    }
    lane.thread.goes_on();
    let Some(answer) = lane.thread.begin_answer(desk, id, at) else { return };
    let own = said.word("id").filter(|_| !is_error);
    let mut closed = std::mem::take(&mut answer.closed);
    response(desk, &mut closed, (own, model, row.request, None));
    if is_error {
        answer.outcome = Outcome::Failed;
        closed.set(ERROR_KIND, desk.reason(&error_word(row.api_error_status)));
        answer.closed = closed;
        return lane.thread.note_end(desk, Outcome::Failed, Surety::Said, at);
    }
    answer.closed = closed;
}

/// Counts the tokens that a row of an answer tells, or keeps the best reason why none does.
fn count(answer: &mut Answer, told: Result<Usage, UsageMissing>) {
    answer.is_cached_beside = true;
    match told {
        Ok(usage) => answer.usage.raise(usage),
        Err(UsageMissing::NoTokenCount) => _ = answer.missing.get_or_insert(UsageMissing::NoTokenCount),
        Err(missing) => answer.missing = Some(missing),
    }
}

fn is_thought(block: Node<'_>) -> bool {
    matches!(block.word("type"), Some("thinking" | "redacted_thinking"))
}

fn error_word(status: Option<u16>) -> String {
    status.map_or_else(|| "api_error".to_owned(), |status| format!("http_{status}"))
}

/// An attempt that failed and is made again.
pub(super) fn failed_attempt(lane: &mut Lane, desk: &mut Desk, row: &Row<'_>, at: u64) {
    let Some(id) = row.uuid else { return };
    let mut attrs = Attrs::default();
    attrs.set(ERROR_RETRYABLE, true);
    let status = row.error.and_then(|error| status(error.get("status")?));
    let id = format!("{id}#{}", row.attempt);
    lane.note_answer();
    lane.thread.failed_attempt(desk, &id, at, attrs, &error_word(status));
}

/// How a block comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Fresh,
    /// In a row that stands twice.
    Again,
    /// Its answer was told.
    Told,
}

fn add(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, block: Node<'_>, at: u64, how: How) {
    let word = |name: &str| block.get(name).and_then(Node::as_str);
    let call = match word("type") {
        Some("tool_use") => word("id").zip(word("name")),
        _ => None,
    };
    let prompt = block.get("input").and_then(|input| input.get("prompt")?.as_str());
    if let (Some((id, name)), Some(prompt)) = (call, prompt) {
        agents.asked(id, name, prompt);
    }
    let mut parts = Vec::new();
    push(block, &mut parts);
    if let Some((id, name)) = call {
        let arguments = parts.iter().find_map(|part| match part {
            Part::ToolCall { arguments, .. } => Some(arguments),
            _ => None,
        });
        let is_new = open_tool(lane, desk, (id, name), arguments, at);
        if !is_new {
            return;
        }
    }
    if let Some(answer) = lane.thread.answer.as_mut().filter(|_| how != How::Told) {
        match parts.pop() {
            Some(text @ (Part::Text(_) | Part::Reasoning(_))) if parts.is_empty() => match how {
                How::Again => answer.say_again(text, at),
                _ => answer.grow(text, at),
            },
            _ if how == How::Again && call.is_none() => {}
            last => {
                parts.extend(last);
                answer.add(parts, at);
            }
        }
    }
    if let Some((id, _)) = call {
        close_early(lane, desk, id);
    }
}

fn open_tool(lane: &mut Lane, desk: &mut Desk, call: (&str, &str), arguments: Option<&RawText>, at: u64) -> bool {
    let mut attrs = Attrs::with_capacity(LABELS);
    if let Some(server) = mcp_server(call.1) {
        attrs.set(MCP_SERVER, desk.label(server));
        attrs.set(TOOL_KIND, desk.label("mcp"));
    }
    lane.thread.open_tool(desk, call, at, arguments, attrs).is_some()
}

/// A call that is told after what it returned has returned.
fn close_early(lane: &mut Lane, desk: &Desk, id: &str) {
    if let Some(record) = lane.thread.returned_early(id) {
        lane.has_returned(desk, id, record);
    }
}
