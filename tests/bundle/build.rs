//! Bundles, record by record. A record's number is its time in milliseconds.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use veilspan::event::{Event, Veiled};
use veilspan::import::bundle::BundleReader;
use veilspan::privacy::Policy;
use veilspan::reduce::{Facts, FindingKind, Inference, Rollout, Thread, ToolCall};

pub struct Bundle {
    pub folder: TempDir,
    seq: u64,
    pub lines: Vec<String>,
    payloads: u32,
}

impl Bundle {
    /// A rollout whose root thread and first turn have begun.
    pub fn new() -> Self {
        let mut bundle = Self::empty();
        bundle.at(None, None, json!({"type": "rollout_started", "trace_id": "T", "root_thread_id": "R"}));
        bundle.thread("R", "/root");
        bundle.turn("R", "t1");
        bundle
    }

    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = json!({
            "schema_version": 1, "trace_id": "T", "rollout_id": "R", "root_thread_id": "R", "started_at_unix_ms": 0,
            "raw_event_log": "trace.jsonl", "payloads_dir": "payloads",
        });
        fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
        fs::create_dir(folder.path().join("payloads")).unwrap();
        Self { folder, seq: 0, lines: Vec::new(), payloads: 0 }
    }

    pub fn at(&mut self, thread: Option<&str>, turn: Option<&str>, payload: Value) -> u64 {
        self.seq += 1;
        let record = json!({
            "schema_version": 1, "seq": self.seq, "wall_time_unix_ms": self.seq, "rollout_id": "R",
            "thread_id": thread, "codex_turn_id": turn, "payload": payload,
        });
        self.lines.push(record.to_string());
        self.seq
    }

    /// Gives each record another time in milliseconds, by its number.
    pub fn set_times(&mut self, time: impl Fn(u64) -> u64) {
        for line in &mut self.lines {
            let mut record: Value = serde_json::from_str(line).unwrap();
            record["wall_time_unix_ms"] = time(record["seq"].as_u64().unwrap()).into();
            *line = record.to_string();
        }
    }

    /// In the first turn of the root.
    pub fn told(&mut self, payload: Value) -> u64 {
        self.at(Some("R"), Some("t1"), payload)
    }

    pub fn payload(&mut self, kind: &str, body: Value) -> Value {
        self.payloads += 1;
        let path = format!("payloads/{}.json", self.payloads);
        fs::write(self.folder.path().join(&path), serde_json::to_string_pretty(&body).unwrap()).unwrap();
        json!({"raw_payload_id": format!("raw_payload:{}", self.payloads), "kind": {"type": kind}, "path": path})
    }

    pub fn thread(&mut self, thread: &str, path: &str) {
        self.at(
            None,
            None,
            json!({"type": "thread_started", "thread_id": thread, "agent_path": path, "metadata_payload": null}),
        );
    }

    /// A thread that another started.
    pub fn child(&mut self, thread: &str, path: &str, parent: &str) {
        let metadata = self.payload(
            "session_metadata",
            json!({
                "thread_id": thread, "agent_path": path, "nickname": "Nick", "agent_role": "worker", "model": "m",
                "session_source": {"subagent": {"thread_spawn": {"parent_thread_id": parent, "depth": 1}}},
            }),
        );
        let started =
            json!({"type": "thread_started", "thread_id": thread, "agent_path": path, "metadata_payload": metadata});
        self.at(None, None, started);
    }

    pub fn turn(&mut self, thread: &str, turn: &str) {
        let started = json!({"type": "codex_turn_started", "codex_turn_id": turn, "thread_id": thread});
        self.at(Some(thread), Some(turn), started);
    }

    pub fn end_turn(&mut self, thread: &str, turn: &str, status: &str) -> u64 {
        self.at(Some(thread), Some(turn), json!({"type": "codex_turn_ended", "codex_turn_id": turn, "status": status}))
    }

    pub fn ask(&mut self, id: &str, input: Value) {
        self.ask_in("R", "t1", id, json!({"model": "m", "input": input}));
    }

    pub fn ask_in(&mut self, thread: &str, turn: &str, id: &str, body: Value) {
        let request = self.payload("inference_request", body);
        let started = json!({
            "type": "inference_started", "inference_call_id": id, "thread_id": thread, "codex_turn_id": turn,
            "model": "m", "provider_name": "p", "request_payload": request,
        });
        self.at(Some(thread), Some(turn), started);
    }

    pub fn answer(&mut self, id: &str, response: &str, items: Value) {
        self.answer_in("R", "t1", id, response, items);
    }

    pub fn answer_in(&mut self, thread: &str, turn: &str, id: &str, response: &str, items: Value) {
        let usage = json!({
            "input_tokens": 10, "cached_input_tokens": 1, "output_tokens": 2, "reasoning_output_tokens": 0,
        });
        let body = json!({"response_id": response, "token_usage": usage, "output_items": items});
        let payload = self.payload("inference_response", body);
        let completed = json!({
            "type": "inference_completed", "inference_call_id": id, "response_id": response,
            "upstream_request_id": "up-1", "response_payload": payload,
        });
        self.at(Some(thread), Some(turn), completed);
    }

    /// A tool that the model called, by the id of its call.
    pub fn tool(&mut self, id: &str, kind: Value, invocation: Value) {
        self.tool_in(("R", "t1"), id, kind, json!({"type": "model"}), invocation);
    }

    pub fn tool_in(&mut self, at: (&str, &str), id: &str, kind: Value, requester: Value, invocation: Value) {
        let payload = self.payload("tool_invocation", invocation);
        let started = json!({
            "type": "tool_call_started", "tool_call_id": id, "model_visible_call_id": id, "requester": requester,
            "kind": kind, "summary": {"type": "generic", "label": "x"}, "invocation_payload": payload,
        });
        self.at(Some(at.0), Some(at.1), started);
    }

    pub fn tool_begin(&mut self, id: &str, body: Value) {
        let payload = self.payload("tool_runtime_event", body);
        self.told(json!({"type": "tool_call_runtime_started", "tool_call_id": id, "runtime_payload": payload}));
    }

    pub fn tool_done(&mut self, id: &str, status: &str, body: Value) {
        let payload = self.payload("tool_runtime_event", body);
        let ended = json!({"type": "tool_call_runtime_ended", "tool_call_id": id, "status": status, "runtime_payload": payload});
        self.told(ended);
    }

    pub fn tool_end(&mut self, id: &str, status: &str, body: Value) {
        let payload = self.payload("tool_result", body);
        self.told(json!({"type": "tool_call_ended", "tool_call_id": id, "status": status, "result_payload": payload}));
    }

    pub fn write(&self) -> &Path {
        fs::write(self.folder.path().join("trace.jsonl"), self.lines.join("\n") + "\n").unwrap();
        self.folder.path()
    }

    pub fn events(&self) -> Vec<Event<Veiled>> {
        read(self.write())
    }

    /// What it reduces to, in both orders of its events.
    pub fn reduce(&self) -> Rollout {
        reduce(&self.events())
    }
}

pub fn policy() -> Policy {
    Policy::builder().unkeyed_sha256().build_in(&veilspan::environment::Environment::default()).0
}

pub fn read(folder: &Path) -> Vec<Event<Veiled>> {
    BundleReader::open(folder, policy()).unwrap().collect()
}

pub fn reduce(events: &[Event<Veiled>]) -> Rollout {
    let state = |events: &mut dyn Iterator<Item = &Event<Veiled>>| {
        let mut facts = Facts::default();
        events.for_each(|event| {
            facts.absorb(event);
        });
        facts.derive()
    };
    let mut forwards = state(&mut events.iter());
    let backwards = state(&mut events.iter().rev());
    assert_eq!(forwards.len(), 1);
    assert_eq!(forwards[0].serialise(), backwards[0].serialise());
    forwards.remove(0)
}

pub fn user(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

pub fn developer(text: &str) -> Value {
    json!({"type": "message", "role": "developer", "content": [{"type": "input_text", "text": text}]})
}

pub fn assistant(text: &str) -> Value {
    json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]})
}

pub fn call(id: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "exec_command", "arguments": arguments})
}

pub fn output(id: &str, text: &str) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": text})
}

pub fn thread<'a>(rollout: &'a Rollout, id: &str) -> &'a Thread {
    rollout.threads.iter().find(|thread| thread.id == id).unwrap()
}

/// The inferences of the root, in the order of their start.
pub fn inferences(rollout: &Rollout) -> Vec<&Inference> {
    thread(rollout, "R").turns.iter().flat_map(|turn| turn.inferences()).collect()
}

pub fn tools<'a>(rollout: &'a Rollout, id: &str) -> Vec<&'a ToolCall> {
    thread(rollout, id).turns.iter().flat_map(|turn| turn.tool_calls()).collect()
}

/// The items that a request shows.
pub fn shown(inference: &Inference) -> Vec<u32> {
    inference.input.items.iter().collect()
}

pub fn produced(inference: &Inference) -> Vec<u32> {
    inference.output.items.iter().collect()
}

pub fn kinds(rollout: &Rollout) -> Vec<FindingKind> {
    rollout.findings.iter().map(|finding| finding.kind).collect()
}
