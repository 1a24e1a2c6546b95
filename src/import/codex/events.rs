//! Rows of type `event_msg`: turns, tokens, and what the runtime did. And `compacted`.

use super::family::Family;
use super::file::File;
use super::items;
use crate::event::{Attrs, CallKind, Closed, Mark, MarkKind, Noted, Outcome, Part, RawText, Returned, Role};
use crate::import::session::{Desk, Surety, Usage, messages, moment};
use crate::json::Node;
use crate::semconv::{
    COMPACTION_ID, COMPACTION_REPLACED, COMPACTION_TRIGGER, ERROR_KIND, MCP_SERVER, TERMINAL_EXIT_CODE,
};

pub(super) fn take(file: &mut File, desk: &mut Desk, family: &mut Family, (what, told): (&str, Node<'_>), at: u64) {
    match what {
        "task_started" | "turn_started" => {
            file.told_turn(desk, family, told.word("turn_id"), at);
        }
        "user_message" => {
            file.imply_turn(desk, family, at, true);
            items::user_message(file, said(told).unwrap_or_default());
        }
        "token_count" => token_count(file, told),
        "task_complete" | "turn_complete" if is_of_this(file, told) => completed(file, desk, family, at),
        "turn_aborted" if is_of_this(file, told) => aborted(file, desk, family, at),
        "task_complete" | "turn_complete" | "turn_aborted" => {}
        "error" => file.thread.note_end(desk, Outcome::Failed, Surety::Guessed, at),
        "exec_command_end" | "patch_apply_end" => ended(file, desk, told, at),
        "mcp_tool_call_begin" => server(file, desk, told),
        "mcp_tool_call_end" => {
            server(file, desk, told);
            ended(file, desk, told, at);
        }
        "web_search_begin" | "image_generation_begin" => begun(file, told, "", at),
        "web_search_end" | "image_generation_end" => begun(file, told, "/end", at),
        "collab_agent_spawn_end" => {
            if let Some((call, child)) = told.word("call_id").zip(told.word("new_thread_id")) {
                family.spawned(&file.id, call, child);
            }
        }
        "sub_agent_activity" => {
            let call = told.word("call_id").or_else(|| told.word("event_id"));
            if let Some((call, child)) = call.zip(told.word("agent_thread_id")) {
                family.spawned(&file.id, call, child);
            }
        }
        "thread_rolled_back" => rolled_back(file, desk, told),
        kind if KNOWN.contains(&kind) => {}
        kind => desk.unknown(file.thread.scope(), at, if kind.is_empty() { "none" } else { kind }),
    }
}

/// Whether what tells of a turn tells of the one that runs. One that no row gave an id has none that anyone could tell.
fn is_of_this(file: &File, told: Node<'_>) -> bool {
    file.is_nameless() || told.word("turn_id").is_none_or(|turn| turn == file.turn_id)
}

/// The turn ended, where nothing told so before.
fn completed(file: &mut File, desk: &mut Desk, family: &mut Family, at: u64) {
    if file.thread.has_said_its_end() {
        return;
    }
    file.thread.saw(desk, at);
    // Tokens may still be told of an answer that has none.
    let surety = if file.thread.answer.is_some() { Surety::Said } else { Surety::Final };
    file.thread.note_end(desk, Outcome::Completed, surety, at);
    file.no_token_count();
    family.runs(&file.id, false);
}

/// The turn was interrupted, and its tools with it. The tokens of the answer that was being given may still be told.
fn aborted(file: &mut File, desk: &mut Desk, family: &mut Family, at: u64) {
    // The first row that tells of its end tells when that was.
    if !file.thread.has_said_its_end() {
        file.thread.saw(desk, at);
    }
    file.thread.abandon_tools(desk, at, Some(Outcome::Cancelled));
    let surety = if file.thread.answer.is_some() { Surety::Said } else { Surety::Final };
    file.thread.note_end(desk, Outcome::Cancelled, surety, at);
    file.no_token_count();
    family.runs(&file.id, false);
}

/// Events that hold nothing of a call, or that stand in another row too.
const KNOWN: [&str; 22] = [
    "agent_message",
    "agent_reasoning",
    "agent_reasoning_raw_content",
    "agent_reasoning_section_break",
    "collab_agent_spawn_begin",
    "collab_agent_interaction_begin",
    "collab_agent_interaction_end",
    "collab_close_begin",
    "collab_close_end",
    "collab_waiting_begin",
    "collab_waiting_end",
    "context_compacted",
    "entered_review_mode",
    "exec_command_begin",
    "exited_review_mode",
    "guardian_assessment",
    "item_completed",
    "patch_apply_begin",
    "thread_name_updated",
    "thread_settings_applied",
    "undo_completed",
    "warning",
];

/// The tokens of the last response: it ended with its last item, whenever this is written.
fn token_count(file: &mut File, told: Node<'_>) {
    let Some(answer) = &mut file.thread.answer else { return };
    match Usage::read(told.get("info").and_then(|info| info.get("last_token_usage"))) {
        Ok(usage) => {
            answer.usage = usage;
            answer.is_whole = true;
        }
        // It is over, but a count that says nothing may be of limits alone: the one of its tokens may come yet.
        Err(missing) => answer.missing = Some(missing),
    }
}

/// The runtime did what a call asked for. The call returns when the model is told so.
fn ended(file: &mut File, desk: &mut Desk, told: Node<'_>, at: u64) {
    let Some(tool) = told.word("call_id").and_then(|id| file.thread.tool_mut(id)) else { return };
    tool.ended = Some(at);
    let code = told.get("exit_code").and_then(Node::as_i64);
    if let Some(code) = code {
        tool.closed.set(TERMINAL_EXIT_CODE, code);
    }
    let result = told.get("result");
    let of_result = |name: &str| result.and_then(|result| result.get(name));
    let flags = |of: Option<Node<'_>>| {
        ["is_error", "isError"].iter().any(|name| of.and_then(|of| of.get(name)?.as_bool()) == Some(true))
    };
    let is_error = of_result("Err").is_some() || flags(result) || flags(of_result("Ok"));
    let failed_code = code.is_some_and(|code| code != 0);
    let (status, success) = (told.word("status"), told.get("success").and_then(Node::as_bool));
    if status == Some("declined") {
        tool.outcome = Some(Outcome::Denied);
    } else if failed_code || is_error || status == Some("failed") || success == Some(false) {
        tool.outcome = Some(Outcome::Failed);
        tool.closed.set(ERROR_KIND, desk.reason(if failed_code { "exit_code" } else { "tool_error" }));
    }
}

fn server(file: &mut File, desk: &Desk, told: Node<'_>) {
    let server = told.get("invocation").and_then(|invocation| invocation.word("server"));
    let tool = told.word("call_id").and_then(|id| file.thread.tool_mut(id));
    if let Some((tool, server)) = tool.zip(server) {
        tool.record.opened.attrs.set(MCP_SERVER, desk.label(server));
    }
}

/// The text that an event tells.
pub(super) fn said(told: Node<'_>) -> Option<&str> {
    ["message", "text", "prompt"].into_iter().find_map(|name| told.get(name)?.as_str())
}

fn begun(file: &mut File, told: Node<'_>, what: &str, at: u64) {
    const MOST: usize = 4096;
    if let Some(id) = told.word("call_id").filter(|_| file.begun.len() < MOST) {
        file.begun.insert(format!("{id}{what}"), at);
    }
}

/// The user took the last turns back: they are no part of what the model sees next.
pub(super) fn rolled_back(file: &mut File, desk: &mut Desk, told: Node<'_>) {
    let turns = told.get("num_turns").and_then(Node::as_u64).filter(|turns| *turns > 0);
    if let Some((place, before)) = turns.and_then(|turns| file.rollbacks.take_back(turns)) {
        file.thread.rewind(desk, place);
        file.thread.before = before;
    }
}

/// What the compaction of a window is called: one window may be compacted more than once.
fn window_name(file: &mut File, window: &str) -> String {
    let before = file.windows.get(window).copied().unwrap_or_default();
    file.windows.set(window, before + 1);
    if before == 0 { window.to_owned() } else { format!("{window}#{before}") }
}

/// A shorter history takes the place of the one before. The inference that made it is told with it.
pub(super) fn compacted(file: &mut File, desk: &mut Desk, family: &Family, told: Node<'_>, at: u64) {
    file.no_token_count();
    file.thread.end_answer(desk);
    file.tell_compaction(desk, family);
    let mut messages = told.get("replacement_history").map(messages).unwrap_or_default();
    let summary = said(told).filter(|summary| !summary.is_empty());
    if file.thread.turn.is_none() {
        _ = file.thread.replace(messages);
        return;
    }
    let number = file.compactions;
    file.compactions += 1;
    let id = match told.word("window_id") {
        Some(window) => window_name(file, window),
        None => format!("{}:compaction:{number}", file.turn_name),
    };
    let start = file.thread.turn.as_ref().map_or(at, |turn| turn.busy_until.min(at));
    let mut attrs = Attrs::default();
    attrs.set(COMPACTION_ID, desk.label(&id));
    if let Some(trigger) = told.word("trigger") {
        attrs.set(COMPACTION_TRIGGER, desk.label(trigger));
    }
    let Some(mut record) = file.thread.open_call(desk, (CallKind::Compaction, &id), start, attrs) else { return };
    let span = record.opened.span;
    let inference = format!("{}:{}", file.turn_name, file.thread.next_inference());
    if let Some(answer) = file.thread.begin_answer(desk, &inference, at) {
        answer.is_part_of(span);
        answer.add(summary.into_iter().map(|text| Part::Text(RawText::from(text))).collect(), at);
    }
    let replaced = file.thread.count();
    if messages.is_empty() {
        messages.extend(summary.map(|text| crate::event::Message::text(Role::User, text)));
    }
    let histories = file.thread.replace(messages);
    let mut attrs = Attrs::default();
    attrs.set(COMPACTION_ID, desk.label(&id));
    attrs.set(COMPACTION_REPLACED, i64::try_from(replaced).unwrap_or(i64::MAX));
    record.mark(
        moment(at),
        Mark { kind: MarkKind::CompactionInstalled, attrs, noted: Noted::Histories(Box::new(histories)) },
    );
    let closed = Closed { outcome: Some(Outcome::Completed), ..Closed::default() };
    record.close(moment(at), closed, Returned::empty(CallKind::Compaction));
    file.thread.saw(desk, at);
    file.compaction = Some(record);
}
