//! What tools returned, and how it is told that they failed.

use std::borrow::Cow;

use super::family::Family;
use super::file::File;
use crate::event::{Outcome, RawText, ResultContent};
use crate::import::session::{Desk, ToolEnd, exit_code, first_line, raw, returned, text};
use crate::json::{Escapes, Node, Tape};
use crate::privacy::heard::Returning;
use crate::semconv::{ERROR_KIND, TERMINAL_EXIT_CODE};

pub(super) fn take(file: &mut File, desk: &mut Desk, family: &mut Family, item: Node<'_>, at: u64) {
    let Some(id) = item.word("call_id") else { return };
    if !file.thread.waits_for(id) {
        file.thread.end_whole_answer(desk);
    }
    let mut end = ToolEnd { at, ..ToolEnd::default() };
    let member = |name: &str| item.get(name).filter(|member| !member.is_null());
    let output = ["output", "result"].into_iter().find_map(member);
    if let Some(output) = output {
        let said = output.as_str().map_or_else(|| text(output), Cow::Borrowed);
        // Of a list of texts the first one tells how the tool ended.
        let first = output.elements().find_map(|part| part.get("text")?.as_str());
        let judged = first.unwrap_or(&said);
        if !of_object(file, desk, family, id, judged, &mut end) {
            of_text(desk, judged, &mut end);
        }
        end.content = returned(item);
        if end.content.is_none() {
            // `tool_search_output` and its like are of no known kind.
            end.content = Some(Returning::Content(ResultContent::Text(raw(said))));
        } else if let Cow::Owned(said) = said {
            // Wiped.
            drop(RawText::from(said));
        }
    }
    let record = file.thread.close_tool(id, end);
    file.thread.end_whole_answer(desk);
    record.into_iter().for_each(|record| desk.call(record));
}

fn fail(desk: &Desk, end: &mut ToolEnd<'_>, kind: &str, error: Option<&str>) {
    end.outcome = Some(Outcome::Failed);
    end.attrs.set(ERROR_KIND, desk.reason(kind));
    end.error = error.and_then(first_line);
}

/// Reads what an object that a tool returned says of itself; false where it is none.
fn of_object(file: &File, desk: &mut Desk, family: &mut Family, call: &str, said: &str, end: &mut ToolEnd<'_>) -> bool {
    if !said.trim_start().starts_with('{') {
        return false;
    }
    // Mostly its output is long, and is not asked for.
    let mut tape = std::mem::take(&mut desk.within);
    let read = tape.read(said, Escapes::Left, |told| {
        if let Some(child) = told.get("agent_id").and_then(Node::text) {
            family.returned(&file.id, call, &child);
        }
        judge(desk, told, end);
    });
    desk.within = tape;
    read.is_ok()
}

/// An object may say of itself that it is an error.
fn judge(desk: &Desk, told: Node<'_>, end: &mut ToolEnd<'_>) {
    let number = |of: Node<'_>, name: &str| of.get(name).and_then(Node::as_i64);
    let metadata = || number(told.get("metadata")?, "exit_code");
    let code = number(told, "exit_code").or_else(|| number(told, "exitCode")).or_else(metadata);
    if let Some(code) = code {
        end.attrs.set(TERMINAL_EXIT_CODE, code);
    }
    let flag = |name: &str| told.get(name).and_then(Node::as_bool) == Some(true);
    let status = told.get("status").and_then(Node::text);
    let is_no_success = told.get("success").and_then(Node::as_bool) == Some(false);
    let is_error = flag("is_error") || flag("isError") || is_no_success;
    let has_failed = is_error || matches!(status.as_deref(), Some("error" | "failed"));
    let error = told.get("error").and_then(|error| match error.text() {
        None if error.is_object() => Some(error.get("message").and_then(Node::text).unwrap_or_default()),
        text => text,
    });
    let kind = if has_failed || error.is_some() {
        "tool_error"
    } else if code.is_some_and(|code| code != 0) {
        "exit_code"
    } else {
        return;
    };
    let said = || ["message", "output", "content"].into_iter().find_map(|name| told.get(name)?.text());
    let error = error.or_else(said);
    fail(desk, end, kind, error.as_deref());
}

/// The lines of a text. Of many that are long few are asked for, whose ends `str::lines` takes long to find.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = memchr::memchr(b'\n', text.as_bytes());
        rest = end.and_then(|end| text.get(end + 1..));
        let line = text.get(..end.unwrap_or(text.len()))?;
        Some(line.strip_suffix('\r').unwrap_or(line))
    })
}

fn of_text(desk: &Desk, said: &str, end: &mut ToolEnd<'_>) {
    let code = exit_code(said).or_else(|| {
        lines(said)
            .take(8)
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
    let asks = |told: Node<'_>| {
        let by_word = told.get("sandbox_permissions").and_then(Node::text);
        let by_flag = told.get("with_escalated_permissions").and_then(Node::as_bool);
        by_word.is_some_and(|word| !matches!(&*word, "" | "use_default")) || by_flag == Some(true)
    };
    Tape::default().read(arguments, Escapes::Left, asks).unwrap_or(false)
}
