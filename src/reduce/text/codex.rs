//! The shape that Codex' own reducer writes, so that viewers made for it work.
//!
//! Where Codex has a text, its digest stands here. What Codex does not have (findings, segments, approvals, what was set
//! aside) is left out; `state.json` has all. Each request holds all the items that it showed once more, so the text grows as
//! the square of a run; it is made object by object while it is written.

use std::collections::BTreeMap;

use serde_core::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::codex_names::Names;
use super::codex_objects::millis;
use super::codex_words::always;
use crate::event::Outcome;
use crate::reduce::graph::{
    Call, CodeCell, Compaction, Edge, Evidence, Inference, Rollout, TerminalOperation, TerminalSession, Thread,
    ToolCall, Turn, VisibleItem,
};

impl Rollout {
    /// The graph in the shape of Codex' reduced rollout trace, `schema_version` 1. Maps are sorted by their keys.
    pub fn to_codex_state(&self) -> Value {
        serde_json::to_value(self.codex_state()).unwrap_or_default()
    }

    /// The same, to be written: no more than one of its objects is in memory at a time.
    pub fn codex_state(&self) -> impl Serialize + '_ {
        State::of(self)
    }
}

/// What becomes an object.
enum Object<'a> {
    Thread(&'a Thread),
    Item(&'a Thread, u32, &'a VisibleItem),
    Compaction(&'a Thread, usize, &'a Compaction),
    Terminal(&'a Thread, &'a TerminalSession),
    Turn(&'a Thread, &'a Turn),
    Inference(&'a Thread, &'a Turn, &'a Inference),
    Tool(&'a Thread, &'a Turn, &'a ToolCall),
    Cell(&'a Thread, &'a Turn, &'a CodeCell),
    Operation(&'a Thread, &'a TerminalOperation, Option<&'a ToolCall>),
    Attempt(&'a Thread, &'a Turn, &'a Call),
    Edge(&'a Edge),
    Evidence(&'a Evidence),
}

/// The maps, by their names and the names in them.
type Maps<'a> = BTreeMap<&'static str, BTreeMap<String, Object<'a>>>;

struct State<'a> {
    rollout: &'a Rollout,
    names: Names,
    maps: Maps<'a>,
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

impl<'a> State<'a> {
    fn of(rollout: &'a Rollout) -> Self {
        let names = Names::of(rollout);
        let mut maps: Maps<'a> = MAPS.into_iter().map(|name| (name, BTreeMap::new())).collect();
        let mut put = |map: &'static str, key: String, object: Object<'a>| {
            maps.entry(map).or_default().insert(key, object);
        };
        for thread in &rollout.threads {
            put("threads", thread.id.to_string(), Object::Thread(thread));
            for (number, item) in (0u32..).zip(&thread.items) {
                put("conversation_items", names.item(thread, number), Object::Item(thread, number, item));
            }
            for (place, one) in thread.compactions.iter().enumerate() {
                put("compactions", names.compaction(thread, place), Object::Compaction(thread, place, one));
            }
            for one in &thread.terminals {
                put("terminal_sessions", names.terminal_id(thread, &one.id), Object::Terminal(thread, one));
            }
            for turn in &thread.turns {
                put("codex_turns", names.turn(thread, &turn.id), Object::Turn(thread, turn));
                for segment in &turn.segments {
                    for one in &segment.inferences {
                        put("inference_calls", names.call(one.call.key), Object::Inference(thread, turn, one));
                    }
                    for one in &segment.tool_calls {
                        put("tool_calls", names.call(one.call.key), Object::Tool(thread, turn, one));
                    }
                    for one in &segment.code_cells {
                        put("code_cells", names.call(one.call.key), Object::Cell(thread, turn, one));
                    }
                    for one in &segment.terminal_operations {
                        let tool = segment.tool_calls.iter().find(|tool| Some(tool.call.key) == one.tool);
                        put("terminal_operations", names.operation(one.call.key), Object::Operation(thread, one, tool));
                    }
                    for one in &segment.compactions {
                        put("compaction_requests", names.call(one.call.key), Object::Attempt(thread, turn, &one.call));
                    }
                }
            }
        }
        for edge in &rollout.edges {
            if let Some((id, _)) = names.edge(rollout, edge) {
                put("interaction_edges", id, Object::Edge(edge));
            }
        }
        for evidence in &rollout.evidence {
            put("raw_payloads", evidence.reference.to_string(), Object::Evidence(evidence));
        }
        Self { rollout, names, maps }
    }

    fn value(&self, object: &Object<'_>) -> Value {
        let names = &self.names;
        let mut value = match *object {
            Object::Thread(thread) => names.thread(thread),
            Object::Item(thread, number, item) => names.visible(thread, number, item),
            Object::Compaction(thread, place, one) => names.installed(thread, place, one),
            Object::Terminal(thread, one) => names.session(thread, one),
            Object::Turn(thread, turn) => names.turn_of(thread, turn),
            Object::Inference(thread, turn, one) => names.inference(thread, turn, one),
            Object::Tool(thread, turn, one) => names.tool(thread, turn, one),
            Object::Cell(thread, turn, one) => names.cell(thread, turn, one),
            Object::Operation(thread, one, tool) => names.terminal(thread, one, tool),
            Object::Attempt(thread, turn, call) => names.attempt(thread, turn, call),
            Object::Edge(edge) => names.edge(self.rollout, edge).map(|(_, value)| value).unwrap_or_default(),
            Object::Evidence(evidence) => payload(evidence),
        };
        // Another crate of the program may have switched serde_json to keep the order of insertion.
        value.sort_all_objects();
        value
    }

    /// What is no map.
    fn whole(&self) -> Value {
        let rollout = self.rollout;
        let status = match (rollout.outcome, rollout.closed) {
            (_, None) | (None, _) => "running",
            (Some(Outcome::Completed), _) => "completed",
            (Some(Outcome::Cancelled), _) => "aborted",
            _ => "failed",
        };
        let ended = rollout.closed.and(rollout.last_unix_nano).map(|nanos| nanos / 1_000_000);
        let whole = json!({
            "schema_version": 1, "trace_id": rollout.recording.as_deref(), "rollout_id": &*rollout.id,
            "started_at_unix_ms": rollout.started_unix_nano.map_or(0, |nanos| nanos / 1_000_000),
            "ended_at_unix_ms": ended, "status": status, "root_thread_id": rollout.root.as_deref(),
        });
        always(whole, &["trace_id", "root_thread_id"])
    }
}

fn payload(evidence: &Evidence) -> Value {
    let id = &*evidence.reference;
    let path = id.strip_prefix("raw_payload:").map(|number| format!("payloads/{number}.json"));
    let kind = json!({"type": evidence.kind.as_deref().unwrap_or_default()});
    always(json!({"raw_payload_id": id, "kind": kind, "path": path}), &["path"])
}

impl Names {
    fn installed(&self, thread: &Thread, place: usize, compaction: &Compaction) -> Value {
        json!({
            "compaction_id": self.compaction(thread, place), "thread_id": &*thread.id,
            "codex_turn_id": self.turn(thread, &compaction.turn), "installed_at_unix_ms": millis(Some(compaction.at)),
            "marker_item_id": self.item(thread, compaction.marker), "request_ids": self.calls(&compaction.attempts),
            "input_item_ids": self.items(thread, &compaction.replaced),
            "replacement_item_ids": self.items(thread, &compaction.replacement),
        })
    }

    fn session(&self, thread: &Thread, terminal: &TerminalSession) -> Value {
        let operations: Vec<String> = terminal.operations.iter().map(|(_, key)| self.operation(*key)).collect();
        let value = json!({
            "terminal_id": self.terminal_id(thread, &terminal.id), "thread_id": &*thread.id,
            "created_by_operation_id": operations.first(), "operation_ids": operations,
            "execution": self.window(terminal.started_at, None, "running"),
        });
        always(value, &["created_by_operation_id"])
    }
}

impl Serialize for State<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = self.whole();
        let members = whole.as_object().into_iter().flatten();
        let mut all: BTreeMap<&str, Member<'_>> =
            members.map(|(name, value)| (name.as_str(), Member::Value(value))).collect();
        all.extend(self.maps.iter().map(|(name, map)| (*name, Member::Map(self, map))));
        let mut state = serializer.serialize_map(Some(all.len()))?;
        for (name, member) in &all {
            state.serialize_entry(name, member)?;
        }
        state.end()
    }
}

/// A member of the whole.
enum Member<'a> {
    Value(&'a Value),
    Map(&'a State<'a>, &'a BTreeMap<String, Object<'a>>),
}

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Map(state, map) => serializer.collect_map(map.iter().map(|(id, object)| (id, state.value(object)))),
        }
    }
}
