//! Tool calls: what their requester sent and got, and what the runtime did.

use bytestring::ByteString;
use serde_json::Value;
use zeroize::Zeroizing;

use super::agents::PASSED;
use super::ids;
use super::known::{Begun, Of};
use super::mapper::{Here, Mapper, STATUS, end_attrs, outcome};
use super::record::{Record, Unread};
use super::{Reason, bodies::Bodies};
use crate::event::{Arguments, Attrs, CallKind, Given, Key, MarkKind, Measure, Noted, RawText, Returned, shape};
use crate::semconv::{
    CODE_CELL_RUNTIME_ID, EVIDENCE_INVOCATION, EVIDENCE_KIND, EVIDENCE_REF, EVIDENCE_RESULT, MCP_CALL_ID, MCP_SERVER,
    RUNTIME_STATUS, TOOL_CALL_ID, TOOL_KIND, TOOL_NAME, TOOL_NAMESPACE, TOOL_REQUESTER, TOOL_RUNTIME_ID, WAIT_FOR,
};

/// What a requester asked of a tool. The texts are content.
#[derive(Default)]
pub(super) struct Invocation {
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) arguments: Zeroizing<String>,
    /// The arguments as JSON, where they are an object.
    pub(super) parsed: Option<Value>,
}

impl Invocation {
    fn parse(body: &[u8]) -> Result<Self, Reason> {
        let mut value: Value = serde_json::from_slice(body).map_err(|_| Reason::NotJson)?;
        let mut take = |name: &str| match value.get_mut(name).map(Value::take) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (name, namespace) = (take("tool_name"), take("tool_namespace"));
        let payload = value.get_mut("payload").map(Value::take).ok_or(Reason::Shape)?;
        let member = ["arguments", "input"].into_iter().find_map(|name| payload.get(name));
        let arguments = Zeroizing::new(match member {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => payload.to_string(),
        });
        let parsed = serde_json::from_str(&arguments).ok().filter(Value::is_object);
        Ok(Self { name, namespace, arguments, parsed })
    }

    pub(super) fn argument(&self, name: &str) -> Option<&Value> {
        self.parsed.as_ref()?.get(name).filter(|value| !value.is_null())
    }

    fn measure(&self, bodies: &Bodies) -> Arguments {
        bodies.items.telling().arguments(&RawText::from(self.arguments.as_str()))
    }
}

impl Mapper {
    pub(super) fn tool_started(&mut self, line: u64, record: &Record) -> Result<(), Unread> {
        let id = record.required("tool_call_id")?;
        let mut here = self.here(record, None, None);
        let mut attrs = Attrs::default();
        let word = |value: Option<&Value>, name: &str| value?.get(name)?.as_str().map(str::to_owned);
        let kind = word(record.value("kind"), "type").unwrap_or_default();
        for (name, attr) in [("model_visible_call_id", TOOL_CALL_ID), ("code_mode_runtime_tool_id", TOOL_RUNTIME_ID)] {
            if let Some(text) = record.text(name) {
                attrs.set(attr, self.label(text));
            }
        }
        let cell = self.requester(&here, record, &mut attrs);

        let mut invocation = Invocation::default();
        if let Some((payload, body)) = self.body(line, record, "invocation_payload") {
            let read = Invocation::parse(body.bytes());
            invocation = self.or_aside(line, record, "invocation_payload", read).unwrap_or_default();
            attrs.set(EVIDENCE_INVOCATION, self.label(&payload.id));
        }
        let (kind, server) = match &invocation.namespace {
            // What a tool of a namespace does is not known by its bare name.
            Some(namespace) => of_namespace(namespace),
            None => (&*kind, word(record.value("kind"), "server")),
        };
        attrs.set(TOOL_KIND, self.label(kind));
        if let Some(server) = server {
            attrs.set(MCP_SERVER, self.label(&server));
        }
        let of_kind = word(record.value("kind"), "name").or(word(record.value("kind"), "tool"));
        let label = word(record.value("summary"), "label");
        if let Some(name) = invocation.name.clone().or(of_kind).or(label) {
            attrs.set(TOOL_NAME, self.label(&name));
        }
        if let Some(namespace) = &invocation.namespace {
            attrs.set(TOOL_NAMESPACE, self.label(namespace));
        }
        if invocation.name.as_deref() == Some("wait")
            && let Some(cell) = invocation.argument("cell_id").and_then(text_or_number)
        {
            attrs.set(WAIT_FOR, self.label(&cell));
        }
        let message =
            invocation.argument("message").and_then(Value::as_str).map(|text| self.bodies.text(&PASSED, text));
        let begun = Begun {
            tool: kind.to_owned(),
            message: message.as_ref().and_then(|message| message.digest),
            message_length: message.and_then(|message| message.length),
            ..Begun::default()
        };
        self.begin(&mut here, Of::Tool, id, begun);
        let key = here.key(CallKind::Tool, id);
        let given = if invocation.name.is_some() { invocation.measure(&self.bodies) } else { Arguments::default() };
        let parent = cell.unwrap_or_else(|| here.turn());
        self.open(&here, key, Some(parent), id, (attrs, Given::Arguments(given)));
        self.write_started(&here, key, id, &invocation);
        Ok(())
    }

    /// Who asked for the tool; the code cell, where it was one.
    fn requester(&mut self, here: &Here, record: &Record, attrs: &mut Attrs) -> Option<Key> {
        let requester = record.value("requester")?;
        let word = match requester.get("type").and_then(Value::as_str) {
            Some("code_cell") => "code_cell",
            Some("model") => "model",
            _ => return None,
        };
        attrs.set(TOOL_REQUESTER, ByteString::from_static(word));
        let cell = requester.get("runtime_cell_id").and_then(Value::as_str)?;
        attrs.set(CODE_CELL_RUNTIME_ID, self.label(cell));
        let uses = self.known.find(Of::Cell, cell, Some(&here.scope.thread)).map_or(0, |begun| begun.uses);
        Some(ids::again(ids::key(&here.scope, CallKind::CodeCell, cell), uses))
    }

    pub(super) fn tool_correlated(&mut self, record: &Record) -> Result<(), Unread> {
        let (id, call) = (record.required("tool_call_id")?, record.required("mcp_call_id")?);
        let here = self.here_of(record, Of::Tool, id);
        if let Some(begun) = self.known.find(Of::Tool, id, Some(&here.scope.thread)) {
            // A call has one id at its server: the first that was told.
            if begun.server_call.get_or_insert_with(|| call.to_owned()) != call {
                return Err(record.unread("mcp_call_id", Reason::Conflict));
            }
        }
        let mut attrs = Attrs::default();
        attrs.set(MCP_CALL_ID, self.label(call));
        let key = here.key(CallKind::Tool, id);
        self.mark(&here, key, MarkKind::Correlated, attrs, Noted::Nothing);
        Ok(())
    }

    pub(super) fn runtime_started(&mut self, line: u64, record: &Record) -> Result<(), Unread> {
        self.runtime(line, record, MarkKind::RuntimeBegan)
    }

    pub(super) fn runtime_ended(&mut self, line: u64, record: &Record) -> Result<(), Unread> {
        self.runtime(line, record, MarkKind::RuntimeEnded)
    }

    fn runtime(&mut self, line: u64, record: &Record, mark: MarkKind) -> Result<(), Unread> {
        let id = record.required("tool_call_id")?;
        let here = self.here_of(record, Of::Tool, id);
        let key = here.key(CallKind::Tool, id);
        let mut attrs = Attrs::default();
        let status = if mark == MarkKind::RuntimeEnded { outcome(record)? } else { None };
        if let Some(status) = status {
            attrs.set(RUNTIME_STATUS, ByteString::from_static(status.as_str()));
        }
        let body = self.body(line, record, "runtime_payload");
        if let Some((payload, _)) = &body {
            attrs.set(EVIDENCE_REF, self.label(&payload.id));
            attrs.set(EVIDENCE_KIND, self.label(&payload.kind));
        }
        let told = body.and_then(|(_, body)| {
            let read = serde_json::from_slice::<Value>(body.bytes()).map_err(|_| Reason::NotJson);
            self.or_aside(line, record, "runtime_payload", read)
        });
        let server = told.as_ref().and_then(|told| told.get("invocation")?.get("server")?.as_str());
        if let Some(server) = server {
            attrs.set(MCP_SERVER, self.label(server));
        }
        self.mark(&here, key, mark, attrs, Noted::Nothing);
        let Some(told) = told else { return Ok(()) };
        let thread = here.scope.thread.clone();
        let begun = self.known.find(Of::Tool, id, Some(&thread)).cloned().unwrap_or_default();
        let told = match begun.tool.as_str() {
            "exec_command" | "write_stdin" => {
                self.terminal_runtime(&here, (id, key), mark == MarkKind::RuntimeBegan, status, &told)
            }
            "spawn_agent" | "assign_agent_task" | "send_message" | "close_agent" => {
                self.agent_runtime(&here, (id, key), &begun, &told)
            }
            _ => Ok(()),
        };
        told.map_err(|reason| record.unread("runtime_payload", reason))
    }

    pub(super) fn tool_ended(&mut self, line: u64, record: &Record) -> Result<(), Unread> {
        let id = record.required("tool_call_id")?;
        let outcome = outcome(record)?;
        let here = match outcome {
            Some(_) => self.here_of_end(record, Of::Tool, id),
            None => self.here_of(record, Of::Tool, id),
        };
        let key = here.key(CallKind::Tool, id);
        let mut attrs = end_attrs(record.required(STATUS)?);
        let mut result = Measure::default();
        let mut told = None;
        if let Some((payload, body)) = self.body(line, record, "result_payload") {
            attrs.set(EVIDENCE_RESULT, self.label(&payload.id));
            let read = serde_json::from_slice::<Value>(body.bytes()).map_err(|_| Reason::NotJson);
            told = self.or_aside(line, record, "result_payload", read);
        }
        if let Some(told) = &told {
            result = self.result(told);
        }
        self.write_ended(&here, (id, key), outcome, told.as_ref());
        if outcome.is_some() {
            self.close(&here, key, outcome, (attrs, Returned::Result(result)));
        }
        Ok(())
    }

    /// The digest of what the requester got.
    fn result(&self, told: &Value) -> Measure {
        let text = |value: &Value| match value {
            Value::String(text) => RawText::from(text.as_str()),
            other => RawText::from(other.to_string()),
        };
        let content = match told.get("type").and_then(Value::as_str) {
            Some("direct_response") => told.get("response_item").and_then(result_of_item),
            Some("code_mode_response") => told.get("value").map(|value| crate::event::ResultContent::Text(text(value))),
            Some("error") => told.get("error").map(|error| crate::event::ResultContent::Text(text(error))),
            _ => Some(crate::event::ResultContent::Text(RawText::from(told.to_string()))),
        };
        content.map_or_else(Measure::default, |content| self.bodies.items.telling().result(&content))
    }
}

/// What kind of tool one of a namespace is, and the server that has it.
fn of_namespace(namespace: &str) -> (&'static str, Option<String>) {
    match namespace.strip_prefix("mcp") {
        Some("") => ("mcp", None),
        Some(server) if server.starts_with("__") => {
            let server = server.trim_matches('_');
            ("mcp", Some(server.to_owned()).filter(|server| !server.is_empty()))
        }
        _ => ("other", None),
    }
}

/// The content of a result that stands as an item.
fn result_of_item(item: &Value) -> Option<crate::event::ResultContent> {
    let mut message = shape::messages(Value::Array(vec![item.clone()])).pop()?;
    match message.parts.pop()? {
        crate::event::Part::ToolResult { content, .. } => Some(content),
        part => Some(crate::event::ResultContent::Parts(vec![part])),
    }
}

pub(super) fn text_or_number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
