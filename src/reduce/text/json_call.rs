//! Calls in `state.json`.

use serde_json::{Map, Value};

use bytestring::ByteString;

use crate::event::{self, Arguments, At, Attrs, Key, KeyIdentity, Measure};
use crate::reduce::derive::cell_status;
use crate::reduce::graph::{
    Answer, Call, CallMark, CodeCell, Conflict, Inference, Numbers, OtherCall, Runtime, Shown, TerminalOperation,
    ToolCall,
};

/// Sets a member where there is something to say.
pub(super) fn put(map: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}

/// A call's id: ours, or its trace and span; `#` and a number where it is not the first of that id.
pub(in crate::reduce) fn id(key: Key) -> String {
    let mut text = match key.id {
        KeyIdentity::Call(id) => id.to_string(),
        KeyIdentity::Span(trace, span) => format!("{trace}-{span}"),
        KeyIdentity::None => "none".to_owned(),
    };
    if key.occurrence > 0 {
        text.push('#');
        text.push_str(&key.occurrence.to_string());
    }
    text
}

pub(super) fn at(at: At) -> Value {
    let mut map = Map::new();
    put(&mut map, "unix_nano", Some(at.time_unix_nano));
    put(&mut map, "producer", at.producer.map(|producer| producer.to_string()));
    put(&mut map, "seq", at.seq);
    map.into()
}

pub(super) fn call(call: &Call) -> Map<String, Value> {
    let mut map = Map::new();
    put(&mut map, "id", Some(id(call.key)));
    if let Some(span) = call.span {
        put(&mut map, "trace", Some(span.trace.to_string()));
        put(&mut map, "span", Some(span.span.to_string()));
        put(&mut map, "parent", span.parent.map(|parent| parent.to_string()));
    }
    put(&mut map, "started", call.opened_at.map(at));
    put(&mut map, "ended", call.closed_at.map(at));
    put(&mut map, "duration_nanos", call.duration_nanos());
    put(&mut map, "outcome", call.outcome.map(|outcome| outcome.as_str()));
    put(&mut map, "end_inferred", call.end_inferred.then_some(true));
    put(&mut map, "late", call.late.then_some(true));
    put(&mut map, "policy", call.policy.as_deref());
    put(&mut map, "attributes", attributes(&call.attrs));
    put(&mut map, "error", some(measure(&call.error)));
    let marks: Vec<Value> = call.marks.iter().map(mark).collect();
    put(&mut map, "marks", (!marks.is_empty()).then_some(marks));
    let conflicts: Vec<Value> = call.conflicts.iter().map(conflict).collect();
    put(&mut map, "conflicts", (!conflicts.is_empty()).then_some(conflicts));
    map
}

fn conflict(conflict: &Conflict) -> Value {
    let mut map = Map::new();
    put(&mut map, "outcome", Some(conflict.outcome.as_str()));
    put(&mut map, "at", Some(at(conflict.at)));
    map.into()
}

fn attributes(attrs: &Attrs) -> Option<Map<String, Value>> {
    let mut map = Map::new();
    for (id, value) in attrs.iter() {
        let value = match value {
            event::Value::Text(text) => Value::from(&**text),
            event::Value::Int(number) => Value::from(*number),
            event::Value::Double(number) => Value::from(*number),
            event::Value::Bool(flag) => Value::from(*flag),
            event::Value::Texts(texts) => texts.iter().map(|text| Value::from(&**text)).collect(),
            event::Value::Ints(numbers) => numbers.iter().copied().collect(),
        };
        map.insert(id.name().key.to_owned(), value);
    }
    (!map.is_empty()).then_some(map)
}

pub(super) fn inference(inference: &Inference) -> Value {
    let mut map = call(&inference.call);
    put(&mut map, "gap", inference.gap.then_some(true));
    put(&mut map, "started_tool_calls", keys(&inference.started));
    put(&mut map, "input", some(input(&inference.input)));
    put(&mut map, "output", some(output(&inference.output)));
    map.into()
}

pub(super) fn tool(tool: &ToolCall) -> Value {
    let Arguments { digest, exact, length, shown: _ } = &tool.arguments;
    let mut arguments = Map::new();
    put(&mut arguments, "digest", digest.map(|digest| digest.to_string()));
    put(&mut arguments, "exact", exact.map(|digest| digest.to_string()));
    put(&mut arguments, "length", *length);
    let mut map = call(&tool.call);
    put(&mut map, "arguments", some(arguments));
    put(&mut map, "result", some(measure(&tool.result)));
    put(&mut map, "occurrence", (tool.occurrence > 0).then_some(tool.occurrence));
    put(&mut map, "placeholders", (tool.placeholders > 0).then_some(tool.placeholders));
    put(&mut map, "call_items", list(&tool.call_items));
    put(&mut map, "output_items", list(&tool.output_items));
    put(&mut map, "runtime", some(runtime(&tool.runtime)));
    put(&mut map, "code_cell", tool.cell.map(id));
    put(&mut map, "terminal_operation", tool.terminal.map(id));
    map.into()
}

pub(super) fn some(map: Map<String, Value>) -> Option<Map<String, Value>> {
    (!map.is_empty()).then_some(map)
}

fn input(input: &Shown) -> Map<String, Value> {
    let mut map = Map::new();
    put(&mut map, "prefix", input.prefix.map(|digest| digest.to_string()));
    put(&mut map, "chain", input.chain.map(|digest| digest.to_string()));
    put(&mut map, "omitted", input.omitted);
    put(&mut map, "system", some(measure(&input.system)));
    put(&mut map, "tools", input.tools.map(|digest| digest.to_string()));
    put(&mut map, "told", (input.told > 0).then_some(input.told));
    put(&mut map, "items", numbers(&input.items));
    put(&mut map, "blobs", digests(&input.blobs));
    map
}

fn output(output: &Answer) -> Map<String, Value> {
    let mut map = Map::new();
    put(&mut map, "items", numbers(&output.items));
    put(&mut map, "blobs", digests(&output.blobs));
    map
}

/// Runs of numbers: `3`, or `0-17` for all from the first to the last.
pub(super) fn numbers(numbers: &Numbers) -> Option<Value> {
    let run = |(first, count): &(u32, u32)| match count {
        1 => first.to_string(),
        _ => format!("{first}-{}", first.saturating_add(count - 1)),
    };
    (!numbers.is_empty()).then(|| numbers.runs().iter().map(run).map(Value::from).collect())
}

pub(super) fn code_cell(cell: &CodeCell) -> Value {
    let mut map = call(&cell.call);
    put(&mut map, "reported", Some(cell.reported));
    put(&mut map, "source", some(measure(&cell.source)));
    put(&mut map, "status", cell_status(cell).as_deref());
    put(&mut map, "responded", cell.responded_at.map(at));
    put(&mut map, "yielded", cell.yielded_at.map(at));
    put(&mut map, "source_item", cell.source_item);
    put(&mut map, "output_items", list(&cell.output_items));
    put(&mut map, "nested_tool_calls", keys(&cell.nested));
    put(&mut map, "waits", keys(&cell.waits));
    map.into()
}

pub(super) fn operation(operation: &TerminalOperation) -> Value {
    let mut map = call(&operation.call);
    put(&mut map, "request", measures(&operation.request));
    put(&mut map, "result", measures(&operation.result));
    put(&mut map, "tool_call", operation.tool.map(id));
    map.into()
}

pub(super) fn other(other: &OtherCall) -> Value {
    let mut map = call(&other.call);
    put(&mut map, "kind", Some(other.call.key.kind.default_operation()));
    put(&mut map, "given", measures(&other.given));
    put(&mut map, "returned", measures(&other.returned));
    map.into()
}

fn mark(mark: &CallMark) -> Value {
    let mut map = Map::new();
    put(&mut map, "kind", Some(mark.kind.as_str()));
    put(&mut map, "at", Some(at(mark.at)));
    put(&mut map, "attributes", attributes(&mark.attrs));
    put(&mut map, "content", measures(&mark.content));
    map.into()
}

fn runtime(runtime: &Runtime) -> Map<String, Value> {
    let mut map = Map::new();
    put(&mut map, "began", runtime.began_at.map(at));
    put(&mut map, "ended", runtime.ended_at.map(at));
    put(&mut map, "outcome", runtime.outcome.as_deref());
    put(&mut map, "evidence", texts(&runtime.evidence));
    map
}

pub(super) fn keys(keys: &[Key]) -> Option<Value> {
    (!keys.is_empty()).then(|| keys.iter().map(|key| Value::from(id(*key))).collect())
}

pub(super) fn texts(texts: &[ByteString]) -> Option<Value> {
    (!texts.is_empty()).then(|| texts.iter().map(|text| Value::from(&**text)).collect())
}

pub(super) fn list(numbers: &[u32]) -> Option<Value> {
    (!numbers.is_empty()).then(|| numbers.iter().copied().map(Value::from).collect())
}

/// Each keeps its place, so that one of which nothing may be told is an empty object.
fn measures(all: &[Measure]) -> Option<Value> {
    (!all.is_empty()).then(|| all.iter().map(|one| Value::from(measure(one))).collect())
}

pub(super) fn measure(measure: &Measure) -> Map<String, Value> {
    let mut map = Map::new();
    put(&mut map, "digest", measure.digest.map(|digest| digest.to_string()));
    put(&mut map, "length", measure.length);
    map
}

fn digests(digests: &[event::Digest]) -> Option<Value> {
    (!digests.is_empty()).then(|| digests.iter().map(|digest| Value::from(digest.to_string())).collect())
}
