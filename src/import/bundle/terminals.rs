//! Terminal operations: commands, and writes to running processes.

use bytestring::ByteString;
use serde_json::Value;

use super::Reason;
use super::known::Of;
use super::mapper::{Here, Mapper};
use super::tools::{Invocation, text_or_number};
use crate::event::{At, Attrs, CallKind, Given, Key, Measure, Outcome, Returned};
use crate::semconv::{
    Field, TERMINAL_CHUNK_ID, TERMINAL_CWD, TERMINAL_EXIT_CODE, TERMINAL_ID, TERMINAL_MAX_TOKENS, TERMINAL_OPERATION,
    TERMINAL_ORIGINAL_TOKENS, TERMINAL_YIELD_MS,
};

impl Mapper {
    /// A write is told by what was asked: the runtime tells only that there was one.
    pub(super) fn write_started(&mut self, here: &Here, tool: Key, id: &str, invocation: &Invocation) {
        let thread = here.scope.thread.clone();
        let Some(begun) = self.known.find(Of::Tool, id, Some(&thread)) else { return };
        let session = invocation.argument("session_id").and_then(text_or_number);
        if begun.tool != "write_stdin" || begun.terminal {
            return;
        }
        let Some(session) = session else { return };
        begun.terminal = true;
        begun.process = Some(session.clone());
        let mut attrs = Attrs::default();
        attrs.set(TERMINAL_OPERATION, ByteString::from_static("write_stdin"));
        attrs.set(TERMINAL_ID, self.label(&session));
        wanted(&mut attrs, |name| invocation.argument(name));
        let typed = invocation.argument("chars").and_then(Value::as_str).unwrap_or_default();
        let given = Given::Texts(vec![self.bodies.text(&[Field::ToolArguments], typed)]);
        self.open(here, here.key(CallKind::Terminal, id), Some(tool), id, (attrs, given));
    }

    /// What the runtime tells of a command.
    ///
    /// # Errors
    ///
    /// Where the end names another process than the beginning: its result is told, and the process stays.
    pub(super) fn terminal_runtime(
        &mut self,
        here: &Here,
        (id, tool): (&str, Key),
        is_begin: bool,
        outcome: Option<Outcome>,
        told: &Value,
    ) -> Result<(), Reason> {
        // The event of another tool under this one's id says nothing of a command.
        let Some(command) = told.get("command").and_then(Value::as_array) else { return Ok(()) };
        let key = here.key(CallKind::Terminal, id);
        let mut process = told.get("process_id").and_then(text_or_number);
        let thread = here.scope.thread.clone();
        let Some(begun) = self.known.find(Of::Tool, id, Some(&thread)) else { return Ok(()) };
        let is_write = begun.tool == "write_stdin";
        let is_other = begun.process.is_some() && process.is_some() && begun.process != process;
        process = process.filter(|_| !is_other);
        begun.process = begun.process.take().or_else(|| process.clone());
        // The end tells all that the beginning did, so it is enough where that was lost.
        if !std::mem::replace(&mut begun.terminal, true) {
            let began = told.get("started_at_ms").and_then(Value::as_u64).filter(|_| !is_begin);
            let began = began.map_or(here.at.time_unix_nano, |millis| millis.saturating_mul(1_000_000));
            let at = At { time_unix_nano: began.max(begun.began).min(here.at.time_unix_nano), ..here.at };
            let here = Here { scope: here.scope.clone(), at, uses: here.uses };
            self.open_terminal(&here, (id, tool), is_write, (command, process.as_deref()), told);
        }
        if is_begin || is_write {
            // The end of a write is its tool's.
            return Ok(());
        }
        let mut attrs = Attrs::default();
        if let Some(process) = process {
            attrs.set(TERMINAL_ID, self.label(&process));
        }
        if let Some(code) = told.get("exit_code").and_then(Value::as_i64) {
            attrs.set(TERMINAL_EXIT_CODE, code);
        }
        let returned = ["stdout", "stderr", "formatted_output"].map(|name| self.output(told.get(name)));
        self.close(here, key, outcome, (attrs, Returned::Texts(returned.to_vec())));
        if is_other { Err(Reason::Conflict) } else { Ok(()) }
    }

    fn open_terminal(
        &mut self,
        here: &Here,
        (id, tool): (&str, Key),
        is_write: bool,
        (command, process): (&[Value], Option<&str>),
        told: &Value,
    ) {
        let mut attrs = Attrs::default();
        let operation = if is_write { "write_stdin" } else { "exec_command" };
        attrs.set(TERMINAL_OPERATION, ByteString::from_static(operation));
        if let Some(process) = process {
            attrs.set(TERMINAL_ID, self.label(process));
        }
        if let Some(cwd) = told.get("cwd").and_then(Value::as_str) {
            attrs.set(TERMINAL_CWD, self.label(cwd));
        }
        wanted(&mut attrs, |name| told.get(name));
        let words = if is_write {
            vec![told.get("interaction_input").and_then(Value::as_str).unwrap_or_default()]
        } else {
            command.iter().filter_map(Value::as_str).collect()
        };
        let given = words.into_iter().map(|word| self.bodies.text(&[Field::ToolArguments], word)).collect();
        self.open(here, here.key(CallKind::Terminal, id), Some(tool), id, (attrs, Given::Texts(given)));
    }

    /// A write ends with its tool. What no member says stays unsaid: no exit code is invented.
    pub(super) fn write_ended(
        &mut self,
        here: &Here,
        (id, _): (&str, Key),
        outcome: Option<Outcome>,
        told: Option<&Value>,
    ) {
        let thread = here.scope.thread.clone();
        let begun = self.known.find(Of::Tool, id, Some(&thread));
        if !begun.is_some_and(|begun| begun.tool == "write_stdin" && begun.terminal) || outcome.is_none() {
            return;
        }
        let mut attrs = Attrs::default();
        let nothing = || Measure::default();
        let (mut out, mut err) = (nothing(), nothing());
        let member = |name: &str| told.and_then(|told| told.get(name));
        match member("type").and_then(Value::as_str) {
            Some("direct_response") => out = self.output(member("response_item").and_then(|item| item.get("output"))),
            Some("error") => err = self.output(member("error")),
            Some("code_mode_response") => {
                let value = |name: &str| member("value").and_then(|value| value.get(name));
                out = self.output(value("output"));
                if let Some(code) = value("exit_code").and_then(Value::as_i64) {
                    attrs.set(TERMINAL_EXIT_CODE, code);
                }
                if let Some(tokens) = value("original_token_count").and_then(Value::as_i64) {
                    attrs.set(TERMINAL_ORIGINAL_TOKENS, tokens);
                }
                if let Some(chunk) = value("chunk_id").and_then(Value::as_str) {
                    attrs.set(TERMINAL_CHUNK_ID, self.label(chunk));
                }
            }
            _ => {}
        }
        let key = here.key(CallKind::Terminal, id);
        self.close(here, key, outcome, (attrs, Returned::Texts(vec![out, err, nothing()])));
    }

    fn output(&self, text: Option<&Value>) -> Measure {
        match text {
            Some(Value::String(text)) => self.bodies.text(&[Field::ToolResults], text),
            None | Some(Value::Null) => Measure::default(),
            Some(other) => self.bodies.text(&[Field::ToolResults], &other.to_string()),
        }
    }
}

/// How long to wait and how much to return.
fn wanted<'a>(attrs: &mut Attrs, member: impl Fn(&str) -> Option<&'a Value>) {
    for (name, attr) in [("yield_time_ms", TERMINAL_YIELD_MS), ("max_output_tokens", TERMINAL_MAX_TOKENS)] {
        if let Some(number) = member(name).and_then(Value::as_i64) {
            attrs.set(attr, number);
        }
    }
}
