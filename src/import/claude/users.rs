//! Rows of type `user`: prompts, what tools returned, and what the agent says in a person's name.

use std::borrow::Cow;

use super::agents::Agents;
use super::lane::{Candidate, Lane};
use super::row::{ESCAPES, Outcome as Returns, Row};
use crate::event::{Attrs, Message, Outcome, RawText, Role, wipe};
use crate::import::session::{
    Desk, Origin, Surety, ToolEnd, blocks, exit_code, first_line, push, read_line, unix_nanos,
};
use crate::json::{Node, Tape};
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

pub(super) fn take(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, row: &Row<'_>, at: u64) {
    let Some(content) = row.content else { return };
    for result in content.elements().filter(|block| is_result(*block)) {
        returned(lane, desk, agents, row, result, at);
    }
    if content.is_array() && content.elements().all(is_result) {
        return lane.thread.saw(desk, at);
    }
    if row.is_summary {
        return lane.install(desk, Some(message(content)));
    }
    lane.install(desk, None);
    let text = first_text(content);
    if text.starts_with(INTERRUPTED) {
        lane.thread.note_end(desk, Outcome::Cancelled, Surety::Final, at);
        lane.thread.saw(desk, at);
        return lane.thread.hear(message(content));
    }
    let id = row.prompt_id().to_owned();
    let is_command = is_command(text);
    if !row.may_be_prompt() || id == lane.prompt {
        if !is_command && !lane.thread.is_final() {
            // The agent was told to go on.
            lane.thread.goes_on();
            lane.thread.saw(desk, at);
        }
        return lane.thread.hear(message(content));
    }
    if is_command {
        lane.candidate.get_or_insert(Candidate { id, at });
        return lane.thread.hear(message(content));
    }
    begin_prompted(lane, desk, agents, row, (&id, at), text);
    lane.thread.asked(message(content), false);
}

/// Whether a row is the first one of a prompt that begins a turn.
pub(super) fn begins_turn(lane: &Lane, row: &Row<'_>) -> bool {
    row.is_prompt() && row.prompt_id() != lane.prompt
}

/// When the last prompt before a time stands in the transcript of a session.
pub(super) fn last_prompt(
    lines: impl Iterator<Item = Vec<u8>>,
    tape: &mut Tape,
    (session, before): (Option<&str>, u64),
) -> Option<u64> {
    let (mut last, mut prompt) = (None, String::new());
    for mut line in lines {
        let read = read_line(tape, line.trim_ascii(), ESCAPES, |row| {
            let row = Row::of(row);
            let is_own = !row.is_sidechain && (session.is_none() || row.session.is_none() || row.session == session);
            let id = row.prompt_id();
            if !is_own || row.kind != "user" || id == prompt || !row.is_prompt() {
                return None;
            }
            id.clone_into(&mut prompt);
            unix_nanos(row.timestamp).filter(|at| *at <= before)
        });
        wipe(&mut line);
        last = last.max(read.ok().flatten());
    }
    last
}

/// What a person typed while the model was at work is shown to it in an attachment, and stands in no row of its own.
pub(super) fn attached(lane: &mut Lane, desk: &mut Desk, row: &Row<'_>, at: u64) {
    let Some(attachment) = row.attachment.filter(|attachment| attachment.word("type") == Some("queued_command")) else {
        return;
    };
    if let Some(prompt) = attachment.get("prompt").filter(|prompt| !prompt.is_null()) {
        lane.thread.saw(desk, at);
        lane.thread.hear(message(prompt));
    }
}

/// A turn begins with a person's prompt. One that was sent before keeps the name under which it was.
fn begin_prompted(
    lane: &mut Lane,
    desk: &mut Desk,
    agents: &mut Agents,
    row: &Row<'_>,
    (id, at): (&str, u64),
    prompt: &str,
) {
    let sent = if agents.sent.is_empty() || lane.thread.who.parent.is_some() {
        None
    } else {
        agents.sent.take(at, &lane.thread.measured_prompt(prompt))
    };
    begin(lane, desk, agents, Some(row), (sent.as_deref().unwrap_or(id), at));
    // Its later rows name it as the transcript does.
    id.clone_into(&mut lane.prompt);
}

/// A turn begins, on the branch that the parent of its first row stands on.
pub(super) fn begin(
    lane: &mut Lane,
    desk: &mut Desk,
    agents: &mut Agents,
    row: Option<&Row<'_>>,
    (id, at): (&str, u64),
) {
    lane.candidate = None;
    super::ends::end_turn(lane, desk, agents, at);
    lane.place_rows();
    if let Some(branch) = row.and_then(|row| lane.branch(row.parent, row.is_root)) {
        lane.thread.rewind(desk, branch.place);
        lane.thread.before = branch.before;
    }
    lane.prompt.clear();
    lane.prompt.push_str(id);
    let mut attrs = Attrs::default();
    if let Some(file) = &lane.thread.who.file {
        attrs.set(THREAD_FILE, file.clone());
    }
    if lane.thread.open_turn(desk, id, at, attrs)
        && let Some(span) = lane.thread.turn_span().filter(|_| lane.thread.who.parent.is_none())
    {
        agents.hooks.places.turn_began(at, lane.thread.scope(), span);
    }
}

fn returned(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, row: &Row<'_>, result: Node<'_>, at: u64) {
    let Some(id) = result.get("tool_use_id").and_then(Node::as_str) else { return };
    let known = if let Returns::Known(known) = row.returned { Some(known) } else { None };
    let of_known = |name: &str| known.and_then(|known| known.get(name));
    let has_failed = of_known("status").is_some_and(|status| matches!(status.as_str(), Some("failed" | "error")));
    let is_error = has_failed || result.get("is_error").and_then(Node::as_bool) == Some(true);
    let mut end = ToolEnd { at, ..ToolEnd::default() };
    end.outcome = match () {
        () if matches!(row.returned, Returns::Rejected) => Some(Outcome::Denied),
        () if of_known("interrupted").and_then(Node::as_bool) == Some(true) => Some(Outcome::Cancelled),
        () if is_error => Some(Outcome::Failed),
        () => None,
    };
    let mut code = of_known("exitCode").and_then(Node::as_i64);
    if end.outcome == Some(Outcome::Failed) {
        let said = result.get("content").map(first_text);
        code = code.or_else(|| exit_code(said?));
        let known = of_known("error").filter(|_| has_failed).and_then(Node::text);
        end.error = known.as_deref().or(said).and_then(first_line);
        if let Some(Cow::Owned(text)) = known {
            // Wiped.
            drop(RawText::from(text));
        }
        let kind = if code.is_some_and(|code| code != 0) { "exit_code" } else { "tool_error" };
        end.attrs.set(ERROR_KIND, desk.reason(kind));
    }
    if let Some(code) = code {
        end.attrs.set(TERMINAL_EXIT_CODE, code);
    }
    let word = |name: &str| of_known(name).and_then(Node::text).filter(|word| !word.is_empty());
    if let (Some(agent), Some(span)) = (word("agentId"), lane.thread.tool_span(id)) {
        agents.started(&agent, Origin { span }, lane.thread.scope(), word("agentType").as_deref());
    }
    end.content = crate::import::session::returned(result);
    if let Some(answer) = &mut lane.thread.answer {
        answer.ended = Some(desk.since(at));
    }
    if let Some(record) = lane.thread.close_tool(id, end) {
        lane.has_returned(desk, id, record);
    }
}

pub(super) fn is_result(block: Node<'_>) -> bool {
    block.get("type").and_then(Node::as_str) == Some("tool_result")
}

/// A content without what tools returned.
fn message(content: Node<'_>) -> Message {
    let mut parts = Vec::new();
    if content.is_array() {
        content.elements().filter(|block| !is_result(*block)).for_each(|block| push(block, &mut parts));
    } else {
        parts = blocks(content);
    }
    Message { role: Role::User, parts }
}

fn first_text(content: Node<'_>) -> &str {
    let first = || content.elements().find_map(|block| block.get("text").and_then(Node::as_str));
    content.as_str().or_else(first).unwrap_or_default()
}

fn is_command(text: &str) -> bool {
    COMMANDS.iter().any(|command| text.starts_with(command))
}

impl Row<'_> {
    fn prompt_id(&self) -> &str {
        self.prompt.or(self.uuid).unwrap_or("prompt")
    }

    /// Whether a person may have said it to the model: no tool returned it, and the agent did not add it.
    const fn may_be_prompt(&self) -> bool {
        !self.is_meta && matches!(self.returned, Returns::None)
    }

    /// Whether it is a prompt, where it is the first row of that.
    fn is_prompt(&self) -> bool {
        let Some(content) = self.content else { return false };
        let is_result = content.is_array() && content.elements().all(is_result);
        let text = first_text(content);
        self.may_be_prompt() && !self.is_summary && !is_result && !text.starts_with(INTERRUPTED) && !is_command(text)
    }
}
