//! Calls in `state.json`.

use serde_json::{Map, Value};

use crate::event::{self, Arguments, At, Attrs, Input, Item, Key, KeyIdentity, Measure, Output};
use crate::reduce::graph::{Call, Conflict, Inference, ToolCall};

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
    map.into()
}

fn some(map: Map<String, Value>) -> Option<Map<String, Value>> {
    (!map.is_empty()).then_some(map)
}

fn input(input: &Input) -> Map<String, Value> {
    let mut map = Map::new();
    put(&mut map, "prefix", input.prefix.map(|digest| digest.to_string()));
    put(&mut map, "chain", input.chain.map(|digest| digest.to_string()));
    put(&mut map, "omitted", input.omitted);
    put(&mut map, "system", some(measure(&input.system)));
    put(&mut map, "tools", input.tools.map(|digest| digest.to_string()));
    let items: Vec<Value> = input.items.iter().map(item).collect();
    put(&mut map, "items", (!items.is_empty()).then_some(items));
    put(&mut map, "blobs", digests(&input.blobs));
    map
}

fn item(item: &Item) -> Value {
    let mut map = Map::new();
    put(&mut map, "digest", item.digest.map(|digest| digest.to_string()));
    put(&mut map, "role", Some(item.role.as_str()));
    put(&mut map, "length", item.length);
    put(&mut map, "part_kinds", (!item.part_kinds.is_empty()).then_some(&*item.part_kinds));
    map.into()
}

fn output(output: &Output) -> Map<String, Value> {
    let mut map = Map::new();
    let items: Vec<Value> = output.items.iter().map(|item| measure(item).into()).collect();
    put(&mut map, "items", (!items.is_empty()).then_some(items));
    put(&mut map, "blobs", digests(&output.blobs));
    map
}

fn measure(measure: &Measure) -> Map<String, Value> {
    let mut map = Map::new();
    put(&mut map, "digest", measure.digest.map(|digest| digest.to_string()));
    put(&mut map, "length", measure.length);
    map
}

fn digests(digests: &[event::Digest]) -> Option<Value> {
    (!digests.is_empty()).then(|| digests.iter().map(|digest| Value::from(digest.to_string())).collect())
}
