//! What tools returned, and how it is told that they failed.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::family::Family;
use super::file::File;
use super::items;
use super::row::text;
use crate::event::{Outcome, Part, RawText, ResultContent};
use crate::import::session::{Desk, Loose, Object, Text, ToolEnd, exit_code, first_line};
use crate::semconv::{ERROR_KIND, TERMINAL_EXIT_CODE};

pub(super) fn take(file: &mut File, desk: &mut Desk, family: &mut Family, item: Value, at: u64) {
    let Some(id) = item.get("call_id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned) else {
        return;
    };
    let mut end = ToolEnd { at, ..ToolEnd::default() };
    let (has_output, other) = {
        let member = |name: &str| item.get(name).filter(|member| !member.is_null());
        let output = ["output", "result"].into_iter().find_map(member);
        let said = output.map(text).unwrap_or_default();
        let is_object = said.trim_start().starts_with('{');
        let told: Option<Told<'_>> = if is_object { serde_json::from_str(&said).ok() } else { None };
        match &told {
            Some(told) => {
                if let Some(child) = told.agent_id.get() {
                    family.spawned(&file.id, &id, child);
                }
                of_object(desk, told, &mut end);
            }
            None => of_text(desk, &said, &mut end),
        }
        // Of `tool_search_output` and its like.
        let kind = item.get("type").and_then(Value::as_str);
        let is_known = matches!(kind, Some("function_call_output" | "custom_tool_call_output"));
        let is_other = !is_known || member("output").is_none_or(Value::is_object);
        let other = (is_other && output.is_some()).then(|| ResultContent::Text(RawText::from(&*said)));
        (output.is_some(), other)
    };
    end.content = content(item, has_output).or(other);
    if let Some(record) = file.thread.close_tool(&id, end) {
        desk.call(record);
    }
}

fn content(item: Value, has_output: bool) -> Option<ResultContent> {
    let messages = if has_output { items::messages_of(item) } else { Vec::new() };
    messages.into_iter().flat_map(|message| message.parts).find_map(|part| match part {
        Part::ToolResult { content, .. } => Some(content),
        _ => None,
    })
}

/// What an object that a tool returned says of itself.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow, default)]
    agent_id: Text<'a>,
    #[serde(default)]
    exit_code: Loose<i64>,
    #[serde(default, rename = "exitCode")]
    exit_code_too: Loose<i64>,
    #[serde(default)]
    metadata: Object<Metadata>,
    #[serde(borrow, default)]
    status: Text<'a>,
    /// Read where the tool failed: mostly it is long.
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
    #[serde(default)]
    is_error: Loose<bool>,
    #[serde(default, rename = "isError")]
    is_error_too: Loose<bool>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    exit_code: Loose<i64>,
}

fn fail(desk: &Desk, end: &mut ToolEnd, kind: &str, error: Option<&str>) {
    end.outcome = Some(Outcome::Failed);
    end.attrs.set(ERROR_KIND, desk.reason(kind));
    end.error = error.and_then(first_line);
}

/// An object that says of itself that it is an error.
fn of_object(desk: &Desk, told: &Told<'_>, end: &mut ToolEnd) {
    let metadata = told.metadata.0.as_ref().and_then(|metadata| metadata.exit_code.0);
    let code = told.exit_code.0.or(told.exit_code_too.0).or(metadata);
    let is_error = told.is_error.0 == Some(true) || told.is_error_too.0 == Some(true);
    if let Some(code) = code {
        end.attrs.set(TERMINAL_EXIT_CODE, code);
    }
    let error = match &told.error {
        Some(Value::String(error)) => Some(error.as_str()),
        Some(Value::Object(error)) => Some(error.get("message").and_then(Value::as_str).unwrap_or_default()),
        _ => None,
    };
    let kind = if is_error || matches!(told.status.get(), Some("error" | "failed")) || error.is_some() {
        "tool_error"
    } else if code.is_some_and(|code| code != 0) {
        "exit_code"
    } else {
        return;
    };
    let text = |told: Option<&RawValue>| match serde_json::from_str(told?.get()).ok()? {
        Value::String(text) => Some(text),
        _ => None,
    };
    match error {
        Some(error) => fail(desk, end, kind, Some(error)),
        None => fail(desk, end, kind, text(told.message).or_else(|| text(told.output)).as_deref()),
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
