//! Rows of type `user`: prompts, what tools returned, and what the agent says in a person's name.

use serde_json::Value;

use super::agents::Agents;
use super::lane::{Candidate, Lane};
use super::row::{Outcome as Returns, Returned, Row};
use crate::event::{Attrs, Message, Outcome, Part, ResultContent, Role, shape};
use crate::import::session::{Desk, Origin, Surety, ToolEnd, first_line};
use crate::semconv::{ERROR_KIND, TERMINAL_EXIT_CODE, THREAD_FILE};

/// Texts that the agent itself writes as a person's.
const INTERRUPTED: &str = "[Request interrupted by user";
/// What a person typed to the agent, and what the agent printed: no prompt.
const COMMANDS: [&str; 6] = [
    "<command-name>",
    "<command-message>",
    "<local-command-stdout>",
    "<local-command-stderr>",
    "<bash-",
    "<local-command-caveat>",
];

pub(super) fn take(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, row: &mut Row<'_>, at: u64) {
    let Some(content) = row.take_content() else { return };
    let (results, rest) = split(content);
    for result in results {
        returned(lane, desk, agents, row, result, at);
    }
    let Some(rest) = rest else { return lane.thread.saw(desk, at) };
    if row.is_summary.0 == Some(true) {
        return lane.install(desk, Some(message(rest)));
    }
    lane.install(desk, None);
    let text = first_text(&rest);
    if text.starts_with(INTERRUPTED) {
        lane.thread.note_end(desk, Outcome::Cancelled, Surety::Final, at);
        lane.thread.saw(desk, at);
        return lane.thread.hear(message(rest));
    }
    let id = [row.prompt.some(), row.uuid.some()].into_iter().flatten().next().unwrap_or("prompt").to_owned();
    let is_prompt = row.is_meta.0 != Some(true) && !row.has_results();
    let is_command = COMMANDS.iter().any(|command| text.starts_with(command));
    if !is_prompt || id == lane.prompt {
        if !is_command && !lane.thread.is_final() {
            // The agent was told to go on.
            lane.thread.goes_on();
            lane.thread.saw(desk, at);
        }
        return lane.thread.hear(message(rest));
    }
    if is_command {
        lane.candidate.get_or_insert(Candidate { id, at });
        return lane.thread.hear(message(rest));
    }
    begin(lane, desk, agents, row.parent.some(), (&id, at));
    lane.thread.asked(message(rest), false);
}

/// A turn begins, on the branch that its parent stands on.
pub(super) fn begin(
    lane: &mut Lane,
    desk: &mut Desk,
    agents: &mut Agents,
    parent: Option<&str>,
    (id, at): (&str, u64),
) {
    lane.candidate = None;
    super::ends::end_turn(lane, desk, agents, at);
    lane.place_rows();
    if let Some(known) = parent.and_then(|parent| lane.rows.get(parent)).copied()
        && known.place != lane.thread.place()
    {
        lane.thread.rewind(desk, known.place);
        lane.thread.before = known.before;
    }
    lane.prompt.clear();
    lane.prompt.push_str(id);
    let mut attrs = Attrs::default();
    if let Some(file) = &lane.thread.who.file {
        attrs.set(THREAD_FILE, file.clone());
    }
    if lane.thread.open_turn(desk, id, at, attrs)
        && let Some(span) = lane.thread.turn_span()
    {
        agents.hooks.turn_began(at, lane.thread.scope(), span, lane.thread.who.parent.is_none());
    }
}

fn returned(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, row: &Row<'_>, result: Value, at: u64) {
    let Some(id) = result.get("tool_use_id").and_then(Value::as_str).map(str::to_owned) else { return };
    let unknown = Returned::default();
    let known = if let Returns::Known(known) = &row.returned { known } else { &unknown };
    let is_error = result.get("is_error").and_then(Value::as_bool) == Some(true);
    let mut end = ToolEnd { at, ..ToolEnd::default() };
    end.outcome = match () {
        () if matches!(row.returned, Returns::Rejected) => Some(Outcome::Denied),
        () if known.interrupted.0 == Some(true) => Some(Outcome::Cancelled),
        () if is_error => Some(Outcome::Failed),
        () => None,
    };
    if end.outcome == Some(Outcome::Failed) {
        end.error = result.get("content").map(first_text).and_then(first_line);
        end.attrs.set(ERROR_KIND, desk.reason("tool_error"));
    }
    if let Some(code) = known.exit_code.0 {
        end.attrs.set(TERMINAL_EXIT_CODE, code);
    }
    if let (Some(agent), Some(span)) = (known.agent.some(), lane.thread.tool_span(&id)) {
        agents.started(agent, Origin { span }, lane.thread.scope(), known.agent_type.some());
    }
    end.content = content(result);
    if let Some(answer) = &mut lane.thread.answer {
        answer.ended = Some(desk.since(at));
    }
    if let Some(record) = lane.thread.close_tool(&id, end) {
        lane.returned.push((desk.clock.saturating_add(desk.set.grace), id, record));
    }
}

fn content(result: Value) -> Option<ResultContent> {
    shape::blocks(Value::Array(vec![result])).into_iter().find_map(|part| match part {
        Part::ToolResult { content, .. } => Some(content),
        _ => None,
    })
}

/// What tools returned, and everything else of a content.
fn split(content: Value) -> (Vec<Value>, Option<Value>) {
    let Value::Array(blocks) = content else { return (Vec::new(), Some(content)) };
    let is_result = |block: &Value| block.get("type").and_then(Value::as_str) == Some("tool_result");
    let (results, rest): (Vec<Value>, Vec<Value>) = blocks.into_iter().partition(is_result);
    (results, if rest.is_empty() { None } else { Some(Value::Array(rest)) })
}

fn message(content: Value) -> Message {
    Message { role: Role::User, parts: shape::blocks(content) }
}

fn first_text(content: &Value) -> &str {
    match content {
        Value::String(text) => text,
        Value::Array(blocks) => {
            blocks.iter().find_map(|block| block.get("text").and_then(Value::as_str)).unwrap_or_default()
        }
        _ => "",
    }
}

impl Row<'_> {
    /// Whether the row tells what a tool returned.
    fn has_results(&self) -> bool {
        !matches!(self.returned, Returns::None)
    }
}
