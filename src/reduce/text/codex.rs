//! The shape that Codex' own reducer writes, so that viewers made for it work.
//!
//! Where Codex has a text, its digest stands here. What Codex does not have (findings, segments, approvals, what was set
//! aside) is left out; `state.json` has all.

use std::collections::BTreeMap;

use bytestring::ByteString;
use serde_json::{Map, Value, json};

use super::codex_objects::millis;
use super::codex_objects::status;
use super::codex_words::always;
use super::json_call::id;
use crate::event::{At, Attrs, CallKind, Key, Outcome};
use crate::reduce::graph::{Call, Numbers, Rollout, Thread, Turn};
use crate::semconv::{CODE_CELL_ID, EVIDENCE_REQUEST, EVIDENCE_RESPONSE, OPERATION_ID};

/// The names that Codex would have given. What Codex knows by one name alone, though there are several, has the number of
/// its use behind it.
pub(super) struct Names {
    items: BTreeMap<(ByteString, u32), usize>,
    calls: BTreeMap<Key, String>,
    turns: BTreeMap<(ByteString, ByteString), String>,
    terminals: BTreeMap<(ByteString, ByteString), String>,
    compactions: BTreeMap<(ByteString, ByteString), String>,
    operations: BTreeMap<Key, usize>,
    /// Where no counter tells what came first: the place of each time among all.
    order: Vec<At>,
    /// What each item was first seen in.
    payloads: BTreeMap<ByteString, Vec<ByteString>>,
}

impl Rollout {
    /// The graph in the shape of Codex' reduced rollout trace, `schema_version` 1. Maps are sorted by their keys.
    pub fn to_codex_state(&self) -> Value {
        let names = Names::of(self);
        let mut maps: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        let mut put = |map: &'static str, key: String, value: Value| {
            maps.entry(map).or_default().insert(key, value);
        };
        for thread in &self.threads {
            put("threads", thread.id.to_string(), names.thread(thread));
            for (number, item) in (0u32..).zip(&thread.items) {
                put("conversation_items", names.item(thread, number), names.visible(thread, number, item));
            }
            for compaction in &thread.compactions {
                let id = names.compaction(thread, compaction.id.as_ref());
                let value = json!({
                    "compaction_id": &id, "thread_id": &*thread.id, "codex_turn_id": names.turn(thread, &compaction.turn),
                    "installed_at_unix_ms": millis(Some(compaction.at)), "marker_item_id": names.item(thread, compaction.marker),
                    "request_ids": names.calls(&compaction.attempts),
                    "input_item_ids": names.items(thread, &compaction.replaced),
                    "replacement_item_ids": names.items(thread, &compaction.replacement),
                });
                put("compactions", id, value);
            }
            for terminal in &thread.terminals {
                let operations: Vec<String> =
                    terminal.operations.iter().map(|(_, key)| names.operation(*key)).collect();
                let id = names.terminal_id(thread, &terminal.id);
                let value = json!({
                    "terminal_id": &id, "thread_id": &*thread.id,
                    "created_by_operation_id": operations.first(), "operation_ids": operations,
                    "execution": names.window(terminal.started_at, None, "running"),
                });
                put("terminal_sessions", id, value);
            }
            for turn in &thread.turns {
                put("codex_turns", names.turn(thread, &turn.id), names.turn_of(thread, turn));
                for segment in &turn.segments {
                    for one in &segment.inferences {
                        put("inference_calls", names.call(one.call.key), names.inference(thread, turn, one));
                    }
                    for one in &segment.tool_calls {
                        put("tool_calls", names.call(one.call.key), names.tool(thread, turn, one));
                    }
                    for one in &segment.code_cells {
                        put("code_cells", names.call(one.call.key), names.cell(thread, turn, one));
                    }
                    for one in &segment.terminal_operations {
                        let tool = segment.tool_calls.iter().find(|tool| Some(tool.call.key) == one.tool);
                        put("terminal_operations", names.operation(one.call.key), names.terminal(thread, one, tool));
                    }
                    for one in &segment.compactions {
                        put("compaction_requests", names.call(one.call.key), names.attempt(thread, turn, &one.call));
                    }
                }
            }
        }
        for edge in &self.edges {
            if let Some((id, value)) = names.edge(self, edge) {
                put("interaction_edges", id, value);
            }
        }
        for evidence in &self.evidence {
            let id = &*evidence.reference;
            let path = id.strip_prefix("raw_payload:").map(|number| format!("payloads/{number}.json"));
            put(
                "raw_payloads",
                id.to_owned(),
                always(
                    json!({"raw_payload_id": id, "kind": {"type": evidence.kind.as_deref().unwrap_or_default()}, "path": path}),
                    &["path"],
                ),
            );
        }
        let status = match (self.outcome, self.closed) {
            (_, None) | (None, _) => "running",
            (Some(Outcome::Completed), _) => "completed",
            (Some(Outcome::Cancelled), _) => "aborted",
            _ => "failed",
        };
        let ended = self.closed.and(self.last_unix_nano).map(|nanos| nanos / 1_000_000);
        let mut state = json!({
            "schema_version": 1, "trace_id": self.recording.as_deref(), "rollout_id": &*self.id,
            "started_at_unix_ms": self.started_unix_nano.map(|nanos| nanos / 1_000_000), "ended_at_unix_ms": ended,
            "status": status, "root_thread_id": self.root.as_deref(),
        });
        state = always(state, &["trace_id", "root_thread_id"]);
        if let Value::Object(state) = &mut state {
            for name in MAPS {
                state.insert(name.to_owned(), Value::Object(maps.remove(name).unwrap_or_default()));
            }
        }
        state.sort_all_objects();
        state
    }
}

const MAPS: [&str; 12] = [
    "threads",
    "codex_turns",
    "conversation_items",
    "inference_calls",
    "code_cells",
    "tool_calls",
    "terminal_sessions",
    "terminal_operations",
    "compactions",
    "compaction_requests",
    "interaction_edges",
    "raw_payloads",
];

impl Names {
    pub(super) fn of(rollout: &Rollout) -> Self {
        let mut seen = Vec::new();
        let mut calls = Vec::new();
        let mut operations = Vec::new();
        let (mut turns, mut terminals, mut compactions) = (Vec::new(), Vec::new(), Vec::new());
        for thread in &rollout.threads {
            let items = (0u32..).zip(&thread.items);
            seen.extend(items.map(|(number, item)| (item.first_seen_unix_nano, thread.id.clone(), number)));
            let of = |id: &ByteString| (thread.id.clone(), id.clone());
            terminals.extend(thread.terminals.iter().map(|one| ((one.started_at, of(&one.id)), one.id.to_string())));
            let installed = thread.compactions.iter().map(|one| (Some(one.at), one.id.clone().unwrap_or_default()));
            compactions.extend(installed.map(|(at, id)| ((at, of(&id)), id.to_string())));
            for turn in &thread.turns {
                turns.push(((turn.started_unix_nano, of(&turn.id)), turn.id.to_string()));
                for call in turn.calls() {
                    calls.push(((call.key.kind, call.seen_at(), call.key), name_of(call)));
                    if call.key.kind == CallKind::Terminal {
                        operations.push((call.seen_at(), call.key));
                    }
                }
            }
        }
        seen.sort_unstable();
        operations.sort_unstable();
        let items = seen.into_iter().zip(1..).map(|((_, thread, number), name)| ((thread, number), name)).collect();
        let operations = operations.into_iter().zip(1..).map(|((_, key), name)| (key, name)).collect();
        Self {
            items,
            calls: each_its_own(calls, |(kind, ..)| *kind).map(|((_, _, key), name)| (key, name)).collect(),
            turns: each_its_own(turns, |_| ()).map(|((_, of), name)| (of, name)).collect(),
            terminals: each_its_own(terminals, |_| ()).map(|((_, of), name)| (of, name)).collect(),
            compactions: each_its_own(compactions, |_| ()).map(|((_, of), name)| (of, name)).collect(),
            operations,
            order: order(rollout),
            payloads: payloads(rollout),
        }
    }

    /// From when to when. Codex orders by a counter: where there is none, it is the place among all times.
    pub(super) fn window(&self, started: Option<At>, ended: Option<At>, status: &str) -> Value {
        let count = |at: At| at.seq.unwrap_or_else(|| self.order.partition_point(|other| *other <= at) as u64);
        json!({
            "started_at_unix_ms": millis(started).unwrap_or_default(), "started_seq": started.map_or(0, count),
            "ended_at_unix_ms": millis(ended), "ended_seq": ended.map(count), "status": status,
        })
    }

    pub(super) fn execution(&self, call: &Call) -> Value {
        let ended = call.closed_at.filter(|_| call.outcome != Some(Outcome::Abandoned));
        self.window(call.seen_at(), ended, status(call.outcome, Some(&call.attrs)))
    }

    /// A thread of which nobody told when it began has begun with the first that was seen of it.
    pub(super) fn thread_began(&self, thread: &Thread) -> Option<At> {
        let first = || thread.turns.iter().flat_map(Turn::calls).filter_map(Call::seen_at).min();
        thread.started_at.or_else(first).or(thread.ended_at)
    }

    /// The reference to what an item was first seen in.
    pub(super) fn payload(&self, thread: &Thread, number: u32) -> &str {
        self.payloads.get(&thread.id).and_then(|payloads| payloads.get(number as usize)).map_or("", |id| id)
    }

    pub(super) fn turn(&self, thread: &Thread, id: &ByteString) -> String {
        of_thread(&self.turns, thread, id)
    }

    pub(super) fn terminal_id(&self, thread: &Thread, id: &ByteString) -> String {
        of_thread(&self.terminals, thread, id)
    }

    pub(super) fn compaction(&self, thread: &Thread, id: Option<&ByteString>) -> String {
        of_thread(&self.compactions, thread, id.unwrap_or(&ByteString::new()))
    }

    pub(super) fn item(&self, thread: &Thread, number: u32) -> String {
        self.item_of(&thread.id, number)
    }

    pub(super) fn item_of(&self, thread: &ByteString, number: u32) -> String {
        format!("conversation_item:{}", self.items.get(&(thread.clone(), number)).copied().unwrap_or_default())
    }

    pub(super) fn items(&self, thread: &Thread, numbers: &Numbers) -> Vec<String> {
        numbers.iter().map(|number| self.item(thread, number)).collect()
    }

    pub(super) fn list(&self, thread: &Thread, numbers: &[u32]) -> Vec<String> {
        numbers.iter().map(|number| self.item(thread, *number)).collect()
    }

    pub(super) fn call(&self, key: Key) -> String {
        self.calls.get(&key).cloned().unwrap_or_else(|| id(key))
    }

    pub(super) fn calls(&self, keys: &[Key]) -> Vec<String> {
        keys.iter().map(|key| self.call(*key)).collect()
    }

    pub(super) fn operation(&self, key: Key) -> String {
        format!("terminal_operation:{}", self.operations.get(&key).copied().unwrap_or_default())
    }
}

/// All times of a rollout in order, where some have no counter.
fn order(rollout: &Rollout) -> Vec<At> {
    let of_calls = rollout.threads.iter().flat_map(|thread| &thread.turns).flat_map(Turn::calls);
    let of_threads = rollout.threads.iter().flat_map(|thread| {
        let of_turns = thread.turns.iter().map(|turn| turn.ended_at);
        of_turns.chain(thread.terminals.iter().map(|one| one.started_at)).chain([thread.started_at, thread.ended_at])
    });
    let all = of_calls.flat_map(|call| [call.opened_at, call.closed_at]).chain(of_threads).flatten();
    let mut all: Vec<At> = all.collect();
    if all.iter().all(|at| at.seq.is_some()) {
        return Vec::new();
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// What each item was first seen in: the answer that produced it, the compaction that put it there, or a request.
fn payloads(rollout: &Rollout) -> BTreeMap<ByteString, Vec<ByteString>> {
    let of_thread = |thread: &Thread| {
        let mut payloads = vec![ByteString::new(); thread.items.len()];
        let mut put = |numbers: &Numbers, payload: Option<ByteString>| {
            let Some(payload) = payload else { return };
            for number in numbers.iter() {
                if let Some(place) = payloads.get_mut(number as usize).filter(|place| place.is_empty()) {
                    *place = payload.clone();
                }
            }
        };
        for compaction in &thread.compactions {
            put(&compaction.replacement, compaction.evidence.clone());
        }
        let mut inferences: Vec<_> = thread.turns.iter().flat_map(Turn::inferences).collect();
        inferences.sort_by_key(|one| (one.call.opened_at, one.call.key));
        for one in &inferences {
            put(&one.output.items, one.call.attrs.get(EVIDENCE_RESPONSE));
        }
        for one in &inferences {
            put(&one.input.items, one.call.attrs.get(EVIDENCE_REQUEST));
        }
        payloads
    };
    rollout.threads.iter().map(|thread| (thread.id.clone(), of_thread(thread))).collect()
}

/// Names by what has them, the first use of a name first; a later use has its number behind it.
fn each_its_own<K: Ord, G: Ord>(
    mut all: Vec<(K, String)>,
    group: impl Fn(&K) -> G,
) -> impl Iterator<Item = (K, String)> {
    all.sort_unstable();
    let mut uses: BTreeMap<(G, String), u32> = BTreeMap::new();
    all.into_iter().map(move |(key, name)| {
        let uses = uses.entry((group(&key), name.clone())).or_default();
        *uses += 1;
        let own = if *uses > 1 { format!("{name}#{uses}") } else { name };
        (key, own)
    })
}

fn of_thread(names: &BTreeMap<(ByteString, ByteString), String>, thread: &Thread, id: &ByteString) -> String {
    names.get(&(thread.id.clone(), id.clone())).cloned().unwrap_or_else(|| id.to_string())
}

fn name_of(call: &Call) -> String {
    let own = |attrs: &Attrs| attrs.get(OPERATION_ID).map(|id| id.to_string());
    match (call.key.kind, call.attrs.text(CODE_CELL_ID)) {
        (CallKind::CodeCell, Some(cell)) => format!("code_cell:{cell}"),
        _ => own(&call.attrs).unwrap_or_else(|| id(call.key)),
    }
}
