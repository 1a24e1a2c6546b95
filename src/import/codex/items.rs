//! Rows of type `response_item`: what a model was shown and produced.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::family::Family;
use super::file::File;
use super::outputs;
use super::skills;
use crate::event::{Attrs, Message, Outcome, Role};
use crate::import::session::{
    Answer, Desk, LABELS, Surety, ToolEnd, UsageMissing, mcp_server, messages, parts, raw, text,
};
use crate::json::Node;
use crate::semconv::{MCP_SERVER, PERMISSION_REQUESTED, SKILL_NAME, SKILL_TRIGGER, SKILLS, TOOL_KIND, TOOL_NAME};

pub(super) fn take(file: &mut File, desk: &mut Desk, family: &mut Family, (kind, item): (&str, Node<'_>), at: u64) {
    match kind {
        "message" if item.word("role") != Some("assistant") => hear(file, item),
        "message" | "agent_message" | "reasoning" => produced(file, desk, family, (kind, item), at),
        "ghost_snapshot" | "compaction" | "compaction_summary" | "context_compaction" => {}
        _ if kind.ends_with("_output") => outputs::take(file, desk, family, item, at),
        _ if kind.ends_with("_call") => called(file, desk, family, (kind, item), at),
        _ => {
            desk.unknown(file.thread.scope(), at, if kind.is_empty() { "none" } else { kind });
            produced(file, desk, family, (kind, item), at);
        }
    }
}

/// A hash by which a text is known again; it never leaves.
pub(super) fn known(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

fn first_text(item: Node<'_>) -> Option<&str> {
    item.get("content")?.elements().next()?.get("text")?.as_str()
}

/// Whether a user said it, and not the agent in a user's name.
pub(super) fn is_user_s(item: Node<'_>) -> bool {
    let is_added = |said: &str| said.starts_with('<') || said.starts_with("# AGENTS.md");
    item.word("type") == Some("message") && item.word("role") == Some("user") && !first_text(item).is_some_and(is_added)
}

fn hear(file: &mut File, item: Node<'_>) {
    let said = first_text(item);
    let is_user = item.word("role") == Some("user");
    if is_user_s(item) {
        file.rollbacks.asked();
    }
    if let Some(said) = said.filter(|_| is_user) {
        // What is told twice is told before the answer: the same after it was said again.
        if file.is_implied() && file.is_answered() {
            file.heard.clear();
        }
        // The same is told as an event, before it or after it.
        if !file.heard.insert(known(said)) {
            return;
        }
        skills::mentioned(said, &mut file.skills);
    }
    messages(item).into_iter().for_each(|message| file.thread.hear(message));
}

/// A model answers: the first item after the last count of tokens begins an inference.
fn produced(file: &mut File, desk: &mut Desk, family: &mut Family, (kind, item): (&str, Node<'_>), at: u64) {
    let parts = parts(item);
    file.imply_turn(desk, family, at, false);
    begin(file, desk, at);
    file.thread.saw(desk, at);
    if file.is_implied() {
        // No row will tell that it ended: mostly a message is the last of it.
        match kind {
            "message" | "agent_message" => {
                file.thread.note_end(desk, Outcome::Completed, Surety::Guessed, at);
            }
            _ => file.thread.goes_on(),
        }
    }
    if let Some(answer) = &mut file.thread.answer {
        answer.add(parts, at);
    }
}

fn begin(file: &mut File, desk: &mut Desk, at: u64) {
    // What comes after a compaction is no part of the answer that was its summary, and what comes after a count that
    // told no tokens none of the answer before it.
    let is_over = |answer: &Answer| {
        answer.is_aside() || answer.missing.is_some_and(|missing| missing != UsageMissing::NoTokenCount)
    };
    if file.thread.answer.as_ref().is_some_and(is_over) {
        file.no_token_count();
        file.thread.end_answer(desk);
    }
    if file.thread.answer.is_none() && file.thread.turn.is_some() {
        let id = format!("{}:{}", file.turn_name, file.thread.next_inference());
        file.thread.begin_answer(desk, &id, at);
    }
}

fn called(file: &mut File, desk: &mut Desk, family: &mut Family, (kind, item): (&str, Node<'_>), at: u64) {
    let member = |name: &str| item.get(name).filter(|member| !member.is_null());
    let arguments = ["arguments", "input", "action"].into_iter().find_map(member).map(text);
    let id = item.word("call_id").or_else(|| item.word("id"));
    if id.is_some_and(|id| file.thread.was_called(id)) {
        return file.thread.saw(desk, at);
    }
    produced(file, desk, family, (kind, item), at);
    let is_hosted = matches!(kind, "web_search_call" | "image_generation_call" | "file_search_call");
    let unnamed = (id.is_none() && is_hosted).then(|| hosted_id(file, kind));
    let Some(id) = id.or(unnamed.as_deref()) else { return };
    let name = item.word("name").unwrap_or(kind.strip_suffix("_call").unwrap_or(kind));
    let mut attrs = Attrs::with_capacity(LABELS);
    attrs.set(TOOL_KIND, desk.label(kind));
    if let Some(server) = mcp_server(name) {
        attrs.set(MCP_SERVER, desk.label(server));
    }
    if let Some(arguments) = &arguments {
        if outputs::asks_for_permission(arguments) {
            attrs.set(PERMISSION_REQUESTED, true);
        }
        if let Some(skill) = skills::loaded(name, arguments) {
            let is_explicit = file.skills.iter().any(|mentioned| mentioned == skill);
            attrs.set(SKILL_NAME, desk.label(skill));
            attrs.set(SKILL_TRIGGER, if is_explicit { "explicit" } else { "implicit" }.into());
            attrs.set(TOOL_NAME, desk.label(&format!("skill:{skill}")));
            let label = desk.label(skill);
            if let Some(turn) = &mut file.thread.turn {
                let _ = turn.record.opened.attrs.push_text(SKILLS.id(), label);
            }
        }
    }
    let start = file.begun.remove(id).unwrap_or(at).min(at);
    let arguments = arguments.map(raw);
    let span =
        file.thread.open_tool(desk, (id, name), start, arguments.as_ref(), attrs).map(|tool| tool.record.opened.span);
    let Some(span) = span else { return };
    family.called(&file.id, (id, name), span, at);
    if let Some(record) = file.thread.returned_early(id) {
        return desk.call(record);
    }
    // What the provider itself runs has returned when it is told.
    let status = item.word("status");
    if is_hosted && matches!(status, Some("completed" | "failed" | "incomplete")) {
        let ended = file.begun.remove(&format!("{id}/end")).unwrap_or(at);
        let failed = status != Some("completed");
        let outcome = failed.then_some(Outcome::Failed);
        let end = ToolEnd { at: ended, outcome, ..ToolEnd::default() };
        if let Some(record) = file.thread.close_tool(id, end) {
            desk.call(record);
        }
    }
}

/// The id of a call that the provider ran and that has none: that of the events that told of it first, else its number
/// among those of the turn.
fn hosted_id(file: &mut File, kind: &str) -> String {
    let begun = |key: &String| {
        let id = key.strip_suffix("/end")?;
        Some((*file.begun.get(id)?, id.to_owned()))
    };
    if let Some((_, id)) = file.begun.keys().filter_map(begun).min() {
        return id;
    }
    file.unnamed += 1;
    format!("{}:{kind}:{}", file.turn_name, file.unnamed)
}

/// A message of the user, told as an event.
pub(super) fn user_message(file: &mut File, text: &str) {
    file.rollbacks.asked();
    skills::mentioned(text, &mut file.skills);
    let is_known = !file.heard.insert(known(text));
    file.thread.asked(Message::text(Role::User, text), is_known);
}

/// A text of the user becomes part of the history, unless an item has told it already.
pub(super) fn heard(file: &mut File, text: &str) {
    if file.heard.insert(known(text)) {
        file.thread.hear(Message::text(Role::User, text));
    }
}
