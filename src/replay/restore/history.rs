//! What a model had been shown and had produced up to a cut.
//!
//! That is what its last request held, its answer where it came before the cut, and the results of tools that came after
//! that request.

use bytestring::ByteString;
use serde_json::{Value, json};

use super::Kept;
use crate::event::{CallKind, Event, Given, Input, Item, Kind, Measure, Output, Returned, Role, Scope, Shown, Veiled};
use crate::privacy::Policy;
use crate::privacy::c1::Hasher;
use crate::replay::whole::Whole;
use crate::semconv::{TOOL_CALL_ID, TOOL_NAME};

pub(super) struct History {
    pub(super) messages: Vec<Value>,
    pub(super) system: Option<Value>,
    pub(super) items: Vec<Item>,
    pub(super) kept: Kept,
}

/// What the thread of `scope` had been shown, by the events before the cut, in order, read under a policy.
pub(super) fn collect(before: &[&Event<Veiled>], scope: &Scope, hashers: &[Hasher], under: Option<&Policy>) -> History {
    let of_thread = |event: &&&Event<Veiled>| event.scope.thread == scope.thread;
    let events: Vec<&Event<Veiled>> = before.iter().filter(of_thread).copied().collect();
    let mut history = History { messages: Vec::new(), system: None, items: Vec::new(), kept: Kept::Nothing };
    let request = events.iter().enumerate().rev().find_map(|(place, event)| match &event.kind {
        Kind::Opened(_, Given::Request(input)) if event.key.kind == CallKind::Inference => Some((place, event, input)),
        _ => None,
    });
    let Some((place, opened, input)) = request else { return history };
    let policy_of = |event: &Event<Veiled>| {
        let opened = events.iter().find(|one| is_same(one, event) && matches!(one.kind, Kind::Opened(..)));
        match opened.map(|one| &one.kind) {
            Some(Kind::Opened(opened, _)) => opened.policy.as_ref(),
            _ => None,
        }
    };
    let judge = |event: &Event<Veiled>| Whole::new(hashers, policy_of(event), under);
    let mut whole = history.shown(&events, place, input, &judge(opened));
    for event in events.iter().skip(place + 1) {
        match &event.kind {
            Kind::Closed(_, Returned::Answer(output)) if is_same(event, opened) => {
                whole &= history.answered(output, &judge(event));
            }
            Kind::Closed(closed, Returned::Result(result)) if event.key.kind == CallKind::Tool => {
                let of_call = |attr| {
                    let opened = events.iter().find_map(|one| match &one.kind {
                        Kind::Opened(opened, _) if is_same(one, event) => opened.attrs.get(attr),
                        _ => None,
                    });
                    opened.or_else(|| closed.attrs.get(attr))
                };
                whole &= history.returned(result, [of_call(TOOL_CALL_ID), of_call(TOOL_NAME)], &judge(event));
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

/// How much was kept of the data that an agent told a checkpoint with.
pub(super) fn kept(data: Option<&Measure>, whole: &Whole<'_>) -> Kept {
    match data {
        Some(data) if data.shown.content().is_some() && whole.text(data) => Kept::Whole,
        Some(data) if data.shown.content().is_some() => Kept::Part,
        _ => Kept::Nothing,
    }
}

/// Whether both tell of one call. Keys repeat in other turns.
fn is_same(one: &Event<Veiled>, other: &Event<Veiled>) -> bool {
    one.key == other.key && one.scope == other.scope
}

impl History {
    /// What the last request held. Whether all of its content was kept.
    fn shown(&mut self, events: &[&Event<Veiled>], place: usize, input: &Input, whole: &Whole<'_>) -> bool {
        let (items, system) = told(events, place, input);
        self.items = items;
        self.system = value(&input.system.shown);
        self.messages = list(&input.shown);
        whole.messages(input, &self.items) && whole.system(&input.system.shown, system)
    }

    fn answered(&mut self, output: &Output, whole: &Whole<'_>) -> bool {
        self.messages.extend(list(&output.shown));
        self.items.extend(output.items.iter().map(|item| measured(item, Role::Assistant)));
        output.items.is_empty() || whole.answer(output)
    }

    fn returned(&mut self, result: &Measure, [call_id, name]: [Option<ByteString>; 2], whole: &Whole<'_>) -> bool {
        self.items.push(measured(result, Role::Tool));
        let is_whole = whole.text(result);
        let Some(content) = result.shown.content() else { return is_whole };
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
        is_whole
    }
}

/// What is measured of a whole history, and of the instructions before it: a request tells the messages after its prefix,
/// and the request with that chain those before.
fn told<'e>(events: &[&'e Event<Veiled>], place: usize, input: &'e Input) -> (Vec<Item>, &'e Measure) {
    let mut parts = vec![&input.items];
    let (mut prefix, mut system) = (input.prefix, &input.system);
    for event in events.iter().take(place).rev() {
        let Some(wanted) = prefix else { break };
        if let Kind::Opened(_, Given::Request(earlier)) = &event.kind
            && earlier.chain == Some(wanted)
        {
            parts.push(&earlier.items);
            (prefix, system) = (earlier.prefix, &earlier.system);
        }
    }
    (parts.into_iter().rev().flatten().cloned().collect(), system)
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
