//! `state.json`: the graph, byte for byte the same for the same facts.

use serde_json::{Map, Value};

use super::json_call::{self, put};
use super::json_item;
use crate::reduce::graph::{
    Agent, Edge, End, Evidence, Finding, Node, Quarantined, Rollout, Segment, Thread, Totals, Turn,
};

/// The version of the format of `state.json` that is written.
///
/// Version 2 is an object with `version`, `tenant`, `rollout`, `generation`, `closed` (why), `outcome`, `recording`, `root`
/// (the root thread), `started_unix_nano`, `last_unix_nano`, `totals`, `threads` (by id), `edges`, `findings`,
/// `quarantine` and `evidence`. A thread has its `agent`, `turns` (by start) with `segments` with `inferences`,
/// `tool_calls`, `code_cells`, `terminal_operations`, `compaction_attempts`, `approvals` and `others` (by start), its
/// `items` (what models were shown and produced, in the order in which it was first seen), `compactions`, `terminals` and
/// `admissions`. Items are named by their number in their thread, 0 first; lists of a request's items are runs of them,
/// `0-17` from the first to the last. Names are sorted. Times are nanoseconds since 1970, durations nanoseconds, both as
/// integers; digests, ids and outcomes are text; attributes stand under their names on the wire. What is not known is
/// absent, flags that are false and empty lists are too, except for `threads`, `turns` and `segments`. A later version may
/// add names; a name never changes its meaning. In version 1 a request held its items themselves.
pub const STATE_VERSION: u64 = 2;

impl Rollout {
    /// The graph as a JSON value.
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "version", Some(STATE_VERSION));
        put(&mut map, "tenant", self.tenant.as_deref());
        put(&mut map, "rollout", Some(&*self.id));
        put(&mut map, "generation", Some(self.generation));
        put(&mut map, "closed", self.closed.map(|reason| reason.as_str()));
        put(&mut map, "outcome", self.outcome.map(|outcome| outcome.as_str()));
        put(&mut map, "root", self.root.as_deref());
        put(&mut map, "recording", self.recording.as_deref());
        put(&mut map, "started_unix_nano", self.started_unix_nano);
        put(&mut map, "last_unix_nano", self.last_unix_nano);
        put(&mut map, "totals", Some(totals(&self.totals)));
        put(&mut map, "threads", Some(list(&self.threads, thread)));
        put(&mut map, "edges", some_list(&self.edges, edge));
        put(&mut map, "findings", some_list(&self.findings, finding));
        put(&mut map, "quarantine", some_list(&self.quarantine, quarantined));
        put(&mut map, "evidence", some_list(&self.evidence, evidence));
        let mut json = Value::Object(map);
        // Another crate of the program may have switched serde_json to keep the order of insertion.
        json.sort_all_objects();
        json
    }

    /// The text of `state.json`: indented, with a line break at its end.
    pub fn serialise(&self) -> String {
        format!("{:#}\n", self.to_json())
    }
}

fn list<T>(entries: &[T], write: impl Fn(&T) -> Value) -> Value {
    entries.iter().map(write).collect()
}

fn some_list<T>(entries: &[T], write: impl Fn(&T) -> Value) -> Option<Value> {
    (!entries.is_empty()).then(|| list(entries, write))
}

fn thread(thread: &Thread) -> Value {
    let mut map = Map::new();
    put(&mut map, "id", Some(&*thread.id));
    put(&mut map, "agent", json_call::some(agent(&thread.agent)));
    put(&mut map, "started", thread.started_at.map(json_call::at));
    put(&mut map, "ended", thread.ended_at.map(json_call::at));
    put(&mut map, "outcome", thread.outcome.map(|outcome| outcome.as_str()));
    put(&mut map, "turns", Some(list(&thread.turns, turn)));
    put(&mut map, "items", some_list(&thread.items, json_item::item));
    put(&mut map, "compactions", some_list(&thread.compactions, json_item::compaction));
    put(&mut map, "terminals", some_list(&thread.terminals, json_item::terminal));
    put(&mut map, "admissions", some_list(&thread.admissions, json_call::other));
    map.into()
}

fn agent(agent: &Agent) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, text) in [
        ("path", &agent.path),
        ("nickname", &agent.nickname),
        ("role", &agent.role),
        ("task", &agent.task),
        ("model", &agent.model),
        ("parent", &agent.parent),
    ] {
        put(&mut map, name, text.as_deref());
    }
    map
}

fn quarantined(quarantined: &Quarantined) -> Value {
    let mut map = Map::new();
    put(&mut map, "place", Some(&*quarantined.place));
    put(&mut map, "reason", Some(&*quarantined.reason));
    map.into()
}

fn evidence(evidence: &Evidence) -> Value {
    let mut map = Map::new();
    put(&mut map, "at", Some(json_call::at(evidence.at)));
    put(&mut map, "reference", Some(&*evidence.reference));
    put(&mut map, "kind", evidence.kind.as_deref());
    map.into()
}

fn turn(turn: &Turn) -> Value {
    let mut map = Map::new();
    put(&mut map, "id", Some(&*turn.id));
    put(&mut map, "agent", turn.agent.as_deref());
    put(&mut map, "reported", Some(turn.reported));
    put(&mut map, "started_unix_nano", turn.started_unix_nano);
    put(&mut map, "ended", turn.ended_at.map(json_call::at));
    put(&mut map, "duration_nanos", turn.duration_nanos());
    put(&mut map, "outcome", turn.outcome.map(|outcome| outcome.as_str()));
    put(&mut map, "end_inferred", turn.end_inferred.then_some(true));
    put(&mut map, "waiting", turn.waiting.then_some(true));
    put(&mut map, "spawned_by", turn.spawned_by.as_ref().map(node));
    put(&mut map, "totals", Some(totals(&turn.totals)));
    put(&mut map, "segments", Some(list(&turn.segments, segment)));
    map.into()
}

fn segment(segment: &Segment) -> Value {
    let mut map = segment.call.as_ref().map(json_call::call).unwrap_or_default();
    put(&mut map, "index", Some(segment.index));
    put(&mut map, "inferences", some_list(&segment.inferences, json_call::inference));
    put(&mut map, "tool_calls", some_list(&segment.tool_calls, json_call::tool));
    put(&mut map, "code_cells", some_list(&segment.code_cells, json_call::code_cell));
    put(&mut map, "terminal_operations", some_list(&segment.terminal_operations, json_call::operation));
    put(&mut map, "compaction_attempts", some_list(&segment.compactions, json_call::other));
    put(&mut map, "approvals", some_list(&segment.approvals, json_call::other));
    put(&mut map, "others", some_list(&segment.others, json_call::other));
    map.into()
}

fn totals(totals: &Totals) -> Value {
    let mut map = Map::new();
    put(&mut map, "turns", Some(totals.turns));
    put(&mut map, "inferences", Some(totals.inferences));
    put(&mut map, "tool_calls", Some(totals.tool_calls));
    put(&mut map, "late", (totals.late > 0).then_some(totals.late));
    put(&mut map, "late_nanos", (totals.late_nanos > 0).then_some(totals.late_nanos));
    put(&mut map, "errors", (totals.errors > 0).then_some(totals.errors));
    put(&mut map, "wait_nanos", (totals.wait_nanos > 0).then_some(totals.wait_nanos));
    put(&mut map, "inference_nanos", Some(totals.inference_nanos));
    put(&mut map, "tool_nanos", Some(totals.tool_nanos));
    for (attr, sum) in totals.tokens() {
        put(&mut map, attr.key(), sum);
    }
    map.into()
}

fn edge(edge: &Edge) -> Value {
    let mut map = Map::new();
    put(&mut map, "kind", edge.kind.map(|kind| kind.as_str()));
    put(&mut map, "from", Some(end(&edge.from)));
    put(&mut map, "to", Some(end(&edge.to)));
    put(&mut map, "started", edge.started_at.map(json_call::at));
    put(&mut map, "ended", edge.ended_at.map(json_call::at));
    put(&mut map, "id", edge.id.as_deref());
    put(&mut map, "items", json_call::list(&edge.items));
    put(&mut map, "evidence", json_call::texts(&edge.evidence));
    map.into()
}

fn end(end: &End) -> Value {
    let mut map = end.node.as_ref().map(node_map).unwrap_or_default();
    if let Some(thread) = &end.thread {
        put(&mut map, "thread", Some(&**thread));
    }
    put(&mut map, "item", end.item);
    put(&mut map, "trace", end.trace.map(|trace| trace.to_string()));
    put(&mut map, "span", end.span.map(|span| span.to_string()));
    map.into()
}

fn node(node: &Node) -> Value {
    node_map(node).into()
}

fn node_map(node: &Node) -> Map<String, Value> {
    let mut map = Map::new();
    put(&mut map, "thread", Some(&*node.thread));
    put(&mut map, "turn", Some(&*node.turn));
    put(&mut map, "call", node.call.map(json_call::id));
    map
}

fn finding(finding: &Finding) -> Value {
    let mut map = Map::new();
    put(&mut map, "kind", Some(finding.kind.as_str()));
    put(&mut map, "severity", Some(finding.severity().as_str()));
    put(&mut map, "thread", finding.thread.as_deref());
    put(&mut map, "turn", finding.turn.as_deref());
    put(&mut map, "call", finding.call.map(json_call::id));
    put(&mut map, "subject", finding.subject.as_deref());
    put(&mut map, "expected", finding.expected.as_deref());
    put(&mut map, "actual", finding.actual.as_deref());
    put(&mut map, "count", Some(finding.count));
    map.into()
}
