//! What a model had been shown and had produced up to a cut.
//!
//! That is what its last request held, its answer where it came before the cut, and the results of tools that came after
//! that request.

use serde_json::{Value, json};

use super::Kept;
use crate::event::{CallKind, Event, Given, Input, Item, Kind, Measure, Output, Returned, Role, Scope, Shown, Veiled};
use crate::semconv::{TOOL_CALL_ID, TOOL_NAME};

/// What stands in the place of what was cut, left out or masked.
const MARKERS: [&str; 4] = ["<truncated", r#"{"type":"truncated"}"#, "[redacted:", "<redacted"];

pub(super) struct History {
    pub(super) messages: Vec<Value>,
    pub(super) system: Option<Value>,
    pub(super) items: Vec<Item>,
    pub(super) kept: Kept,
}

/// What the thread of `scope` had been shown, by the events before the cut, in order.
pub(super) fn collect(before: &[&Event<Veiled>], scope: &Scope) -> History {
    let of_thread = |event: &&&Event<Veiled>| event.scope.thread == scope.thread;
    let events: Vec<&Event<Veiled>> = before.iter().filter(of_thread).copied().collect();
    let mut history = History { messages: Vec::new(), system: None, items: Vec::new(), kept: Kept::Nothing };
    let request = events.iter().enumerate().rev().find_map(|(place, event)| match &event.kind {
        Kind::Opened(_, Given::Request(input)) if event.key.kind == CallKind::Inference => Some((place, event, input)),
        _ => None,
    });
    let Some((place, opened, input)) = request else { return history };
    let mut whole = history.shown(&events, place, input);
    for event in events.iter().skip(place + 1) {
        match &event.kind {
            Kind::Closed(_, Returned::Answer(output)) if is_same(event, opened) => whole &= history.answered(output),
            Kind::Closed(closed, Returned::Result(result)) if event.key.kind == CallKind::Tool => {
                let of_call = |attr| {
                    let opened = events.iter().find_map(|one| match &one.kind {
                        Kind::Opened(opened, _) if is_same(one, event) => opened.attrs.get(attr),
                        _ => None,
                    });
                    opened.or_else(|| closed.attrs.get(attr))
                };
                whole &= history.returned(result, of_call(TOOL_CALL_ID), of_call(TOOL_NAME));
            }
            _ => {}
        }
    }
    history.kept = match (whole, history.messages.is_empty()) {
        (true, _) => Kept::Whole,
        (false, false) => Kept::Part,
        (false, true) => Kept::Nothing,
    };
    history
}

/// Whether both tell of one call. Keys repeat in other turns.
fn is_same(one: &Event<Veiled>, other: &Event<Veiled>) -> bool {
    one.key == other.key && one.scope == other.scope
}

impl History {
    /// What the last request held. Whether all of its content was kept.
    fn shown(&mut self, events: &[&Event<Veiled>], place: usize, input: &Input) -> bool {
        self.items = items(events, place, input);
        self.system = value(&input.system.shown);
        let messages = list(&input.shown);
        let has_all = messages.len() as u64 >= self.items.len() as u64 + input.omitted.unwrap_or(0);
        let is_whole = is_whole(&input.shown) && has_all;
        self.messages = messages;
        is_whole
    }

    fn answered(&mut self, output: &Output) -> bool {
        let messages = list(&output.shown);
        let has_all = messages.len() >= output.items.len() && is_whole(&output.shown);
        self.messages.extend(messages);
        self.items.extend(output.items.iter().map(|item| measured(item, Role::Assistant)));
        has_all || output.items.is_empty()
    }

    fn returned(
        &mut self,
        result: &Measure,
        call_id: Option<bytestring::ByteString>,
        name: Option<bytestring::ByteString>,
    ) -> bool {
        self.items.push(measured(result, Role::Tool));
        let Some(content) = result.shown.content() else { return result.length.is_none_or(|length| length == 0) };
        let response = match value(&result.shown) {
            Some(json @ (Value::Array(_) | Value::Object(_))) => json,
            _ => Value::from(&**content),
        };
        let mut part = json!({"type": "tool_call_response", "response": response});
        if let Some(map) = part.as_object_mut() {
            call_id.map(|id| map.insert("id".to_owned(), Value::from(&*id)));
            name.map(|name| map.insert("name".to_owned(), Value::from(&*name)));
        }
        self.messages.push(json!({"role": "tool", "parts": [part]}));
        is_whole(&result.shown)
    }
}

/// The digests of a whole history: a request tells those after its prefix, and the request with that chain those before.
fn items(events: &[&Event<Veiled>], place: usize, input: &Input) -> Vec<Item> {
    let mut parts = vec![&input.items];
    let mut prefix = input.prefix;
    for event in events.iter().take(place).rev() {
        let Some(wanted) = prefix else { break };
        if let Kind::Opened(_, Given::Request(earlier)) = &event.kind
            && earlier.chain == Some(wanted)
        {
            parts.push(&earlier.items);
            prefix = earlier.prefix;
        }
    }
    parts.into_iter().rev().flatten().cloned().collect()
}

fn measured(measure: &Measure, role: Role) -> Item {
    Item { digest: measure.digest, role, length: measure.length, part_kinds: "".into() }
}

fn value(shown: &Shown) -> Option<Value> {
    serde_json::from_str(shown.content()?).ok()
}

fn list(shown: &Shown) -> Vec<Value> {
    match value(shown) {
        Some(Value::Array(messages)) => messages,
        _ => Vec::new(),
    }
}

/// Whether nothing of a text was cut or masked, as far as the text itself says.
pub(in crate::replay) fn is_whole(shown: &Shown) -> bool {
    shown.content().is_some_and(|content| !MARKERS.iter().any(|marker| content.contains(marker)))
}
