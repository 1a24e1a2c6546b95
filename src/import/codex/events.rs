//! Rows of type `event_msg`: turns, tokens, and what the runtime did. And `compacted`.

use serde_json::Value;

use super::family::Family;
use super::file::File;
use super::items;
use super::row::Payload;
use crate::event::{Attrs, CallKind, Closed, Mark, MarkKind, Noted, Outcome, Part, RawText, Returned, Role};
use crate::import::session::{Desk, Surety, Usage, UsageMissing, moment};
use crate::semconv::{
    COMPACTION_ID, COMPACTION_REPLACED, COMPACTION_TRIGGER, ERROR_KIND, MCP_SERVER, TERMINAL_EXIT_CODE,
};

pub(super) fn take(file: &mut File, desk: &mut Desk, family: &mut Family, told: &Payload<'_>, at: u64) {
    match told.kind.or_empty() {
        "task_started" | "turn_started" => {
            let id = told.turn_id.some().map_or_else(|| file.next_name(), str::to_owned);
            file.open_turn(desk, family, &id, at);
        }
        "user_message" => items::user_message(file, told.message.or_empty()),
        "token_count" => token_count(file, desk, told),
        "task_complete" | "turn_complete" => {
            file.thread.saw(desk, at);
            // Tokens may still be told of an answer that has none.
            let surety = if file.thread.answer.is_some() { Surety::Said } else { Surety::Final };
            file.thread.note_end(desk, Outcome::Completed, surety, at);
            file.no_token_count();
            family.runs(&file.id, false);
        }
        "turn_aborted" => {
            if told.turn_id.some().is_none_or(|turn| turn == file.turn_id) {
                file.end_turn(desk, family, Some((Outcome::Cancelled, at)));
            }
        }
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
            if let Some((call, child)) = told.call_id.some().zip(told.new_thread_id.some()) {
                family.spawned(&file.id, call, child);
            }
        }
        "sub_agent_activity" => {
            let call = told.call_id.some().or(told.event_id.some());
            if let Some((call, child)) = call.zip(told.agent_thread_id.some()) {
                family.spawned(&file.id, call, child);
            }
        }
        "thread_rolled_back" => rolled_back(file, desk, told),
        kind if KNOWN.contains(&kind) => {}
        kind => desk.unknown(file.thread.scope(), at, if kind.is_empty() { "none" } else { kind }),
    }
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
fn token_count(file: &mut File, desk: &mut Desk, told: &Payload<'_>) {
    let Some(answer) = &mut file.thread.answer else { return };
    let info: Option<Value> = told.info.and_then(|info| serde_json::from_str(info.get()).ok());
    match Usage::read(info.as_ref().and_then(|info| info.get("last_token_usage"))) {
        Ok(usage) => answer.usage = usage,
        Err(UsageMissing::Missing) => answer.missing = Some(UsageMissing::Missing),
        Err(missing) => answer.missing = Some(missing),
    }
    file.thread.end_answer(desk);
}

/// The runtime did what a call asked for. The call returns when the model is told so.
fn ended(file: &mut File, desk: &mut Desk, told: &Payload<'_>, at: u64) {
    let Some(tool) = told.call_id.some().and_then(|id| file.thread.tool_mut(id)) else { return };
    tool.ended = Some(at);
    if let Some(code) = told.exit_code.0 {
        tool.closed.set(TERMINAL_EXIT_CODE, code);
    }
    let result: Option<Value> = told.result.and_then(|result| serde_json::from_str(result.get()).ok());
    let member = |path: &str| result.as_ref().and_then(|result| result.pointer(path));
    let is_error = member("/Err").is_some()
        || [member("/is_error"), member("/isError"), member("/Ok/is_error"), member("/Ok/isError")]
            .iter()
            .any(|flag| flag.and_then(Value::as_bool) == Some(true));
    let failed_code = told.exit_code.0.is_some_and(|code| code != 0);
    if told.status.get() == Some("declined") {
        tool.outcome = Some(Outcome::Denied);
    } else if failed_code || is_error || told.status.get() == Some("failed") || told.success.0 == Some(false) {
        tool.outcome = Some(Outcome::Failed);
        tool.closed.set(ERROR_KIND, desk.reason(if failed_code { "exit_code" } else { "tool_error" }));
    }
}

fn server(file: &mut File, desk: &Desk, told: &Payload<'_>) {
    let server = told.invocation.0.as_ref().and_then(|invocation| invocation.server.some());
    let tool = told.call_id.some().and_then(|id| file.thread.tool_mut(id));
    if let Some((tool, server)) = tool.zip(server) {
        tool.record.opened.attrs.set(MCP_SERVER, desk.label(server));
    }
}

fn begun(file: &mut File, told: &Payload<'_>, what: &str, at: u64) {
    const MOST: usize = 4096;
    if let Some(id) = told.call_id.some().filter(|_| file.begun.len() < MOST) {
        file.begun.insert(format!("{id}{what}"), at);
    }
}

/// The user took the last turns back: they are no part of what the model sees next.
fn rolled_back(file: &mut File, desk: &mut Desk, told: &Payload<'_>) {
    let turns = told.num_turns.0.unwrap_or(0) as usize;
    if turns == 0 {
        return;
    }
    let kept = file.places.len().saturating_sub(turns);
    if let Some(place) = file.places.get(kept).copied() {
        file.thread.rewind(desk, place);
        file.places.truncate(kept);
    }
}

/// A shorter history takes the place of the one before. The inference that made it is told with it.
pub(super) fn compacted(file: &mut File, desk: &mut Desk, family: &Family, told: &Payload<'_>, at: u64) {
    file.no_token_count();
    file.thread.end_answer(desk);
    file.tell_compaction(desk, family);
    let messages = told.replacement_history.map(|history| items::messages(history.get())).unwrap_or_default();
    let summary = told.message.some().map(RawText::from);
    if file.thread.turn.is_none() {
        _ = file.thread.replace(messages);
        return;
    }
    let number = file.compactions;
    file.compactions += 1;
    let id = told.window_id.some().map_or_else(|| format!("{}:compaction:{number}", file.turn_id), str::to_owned);
    let start = file.thread.turn.as_ref().map_or(at, |turn| turn.busy_until.min(at));
    let mut attrs = Attrs::default();
    attrs.set(COMPACTION_ID, desk.label(&id));
    if let Some(trigger) = told.trigger.some() {
        attrs.set(COMPACTION_TRIGGER, desk.label(trigger));
    }
    let Some(mut record) = file.thread.open_call(desk, (CallKind::Compaction, &id), start, attrs) else { return };
    let span = record.opened.span;
    let inference = format!("{}:{}", file.turn_id, file.thread.next_inference());
    if let Some(answer) = file.thread.begin_answer(desk, &inference, at) {
        answer.is_part_of(span);
        answer.add(summary.into_iter().map(Part::Text).collect(), at);
    }
    let replaced = file.thread.count();
    let mut messages = messages;
    if messages.is_empty() {
        messages.extend(told.message.some().map(|text| crate::event::Message::text(Role::User, text)));
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
