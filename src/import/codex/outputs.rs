//! What tools returned, and how it is told that they failed.

use serde_json::Value;

use super::family::Family;
use super::file::File;
use super::items;
use super::row::{Payload, text};
use crate::event::{Outcome, Part, RawText, ResultContent};
use crate::import::session::{Desk, ToolEnd, exit_code, first_line};
use crate::semconv::{ERROR_KIND, TERMINAL_EXIT_CODE};

pub(super) fn take(file: &mut File, desk: &mut Desk, family: &mut Family, told: &Payload<'_>, payload: &str, at: u64) {
    let Some(id) = told.call_id.some() else { return };
    let output = told.output.or(told.result);
    let said = output.map(text).unwrap_or_default();
    let parsed: Option<Value> =
        if said.trim_start().starts_with('{') { serde_json::from_str(&said).ok() } else { None };
    if let Some(child) = parsed.as_ref().and_then(|parsed| parsed.get("agent_id")).and_then(Value::as_str) {
        family.spawned(&file.id, id, child);
    }
    let mut end = ToolEnd { at, ..ToolEnd::default() };
    match &parsed {
        Some(parsed) => of_object(desk, parsed, &mut end),
        None => of_text(desk, &said, &mut end),
    }
    end.content = content(payload, output.is_some()).or_else(|| {
        // Of `tool_search_output` and its like.
        output.map(|_| ResultContent::Text(RawText::from(said.as_str())))
    });
    if let Some(record) = file.thread.close_tool(id, end) {
        desk.call(record);
    }
}

fn content(payload: &str, has_output: bool) -> Option<ResultContent> {
    let messages = if has_output { items::messages(payload) } else { Vec::new() };
    messages.into_iter().flat_map(|message| message.parts).find_map(|part| match part {
        Part::ToolResult { content, .. } => Some(content),
        _ => None,
    })
}

fn fail(desk: &Desk, end: &mut ToolEnd, kind: &str, error: Option<&str>) {
    end.outcome = Some(Outcome::Failed);
    end.attrs.set(ERROR_KIND, desk.reason(kind));
    end.error = error.and_then(first_line);
}

/// An object that says of itself that it is an error.
fn of_object(desk: &Desk, told: &Value, end: &mut ToolEnd) {
    let word = |name: &str| told.get(name).and_then(Value::as_str);
    let flag = |name: &str| told.get(name).and_then(Value::as_bool) == Some(true);
    let code = ["/exit_code", "/exitCode", "/metadata/exit_code"].iter().find_map(|path| told.pointer(path)?.as_i64());
    if let Some(code) = code {
        end.attrs.set(TERMINAL_EXIT_CODE, code);
    }
    let error = match told.get("error") {
        Some(Value::String(error)) => Some(error.as_str()),
        Some(Value::Object(error)) => Some(error.get("message").and_then(Value::as_str).unwrap_or_default()),
        _ => None,
    };
    let said = error.or(word("message")).or(word("output"));
    if flag("is_error") || flag("isError") || matches!(word("status"), Some("error" | "failed")) || error.is_some() {
        fail(desk, end, "tool_error", said);
    } else if code.is_some_and(|code| code != 0) {
        fail(desk, end, "exit_code", said);
    }
}

fn of_text(desk: &Desk, said: &str, end: &mut ToolEnd) {
    let begin = said.lines().take(8);
    let code = exit_code(said).or_else(|| {
        begin
            .take_while(|line| *line != "Output:")
            .find_map(|line| line.strip_prefix("Process exited with code ")?.trim().parse().ok())
    });
    if let Some(code) = code {
        end.attrs.set(TERMINAL_EXIT_CODE, code);
    }
    if code.is_some_and(|code| code != 0) {
        fail(desk, end, "exit_code", Some(said));
    } else if said.trim_start().starts_with("Error:") {
        fail(desk, end, "tool_error", Some(said));
    }
}

/// Whether a call asks for more than its sandbox allows.
pub(super) fn asks_for_permission(arguments: &str) -> bool {
    if !arguments.contains("permissions") {
        return false;
    }
    let Ok(Value::Object(told)) = serde_json::from_str(arguments) else { return false };
    let by_word = told.get("sandbox_permissions").and_then(Value::as_str);
    let by_flag = told.get("with_escalated_permissions").and_then(Value::as_bool);
    by_word.is_some_and(|word| !matches!(word, "" | "use_default")) || by_flag == Some(true)
}
