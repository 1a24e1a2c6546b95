//! A bundle of one agent: 200 requests, each with the whole history before it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use veilspan::environment::Environment;
use veilspan::import::bundle::BundleReader;
use veilspan::privacy::Policy;
use veilspan::reduce::Facts;

const REQUESTS: usize = 200;

pub fn write() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("payloads")).unwrap();
    let manifest = json!({"trace_id": "T", "rollout_id": "R", "root_thread_id": "R", "started_at_unix_ms": 0});
    fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
    let (mut lines, mut payloads) = (Vec::new(), 0);
    let mut told = |payload: Value| {
        let seq = lines.len() + 1;
        let record = json!({"schema_version": 1, "seq": seq, "wall_time_unix_ms": seq, "rollout_id": "R",
            "thread_id": "R", "codex_turn_id": "t", "payload": payload});
        lines.push(record.to_string());
    };
    let mut payload = |kind: &str, body: &Value| {
        payloads += 1;
        let path = format!("payloads/{payloads}.json");
        fs::write(folder.path().join(&path), serde_json::to_string_pretty(body).unwrap()).unwrap();
        json!({"raw_payload_id": format!("raw_payload:{payloads}"), "kind": {"type": kind}, "path": path})
    };
    told(json!({"type": "codex_turn_started", "codex_turn_id": "t", "thread_id": "R"}));
    let mut history =
        vec![json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": words(0, 80)}]})];
    for number in 0..REQUESTS {
        let request =
            payload("inference_request", &json!({"model": "m", "instructions": words(1, 400), "input": history}));
        told(json!({"type": "inference_started", "inference_call_id": format!("i{number}"), "thread_id": "R",
            "codex_turn_id": "t", "model": "m", "provider_name": "p", "request_payload": request}));
        let call = json!({"type": "function_call", "call_id": format!("c{number}"), "name": "exec_command",
            "arguments": json!({"cmd": words(number, 12)}).to_string()});
        let response =
            payload("inference_response", &json!({"response_id": format!("r{number}"), "output_items": [call]}));
        told(json!({"type": "inference_completed", "inference_call_id": format!("i{number}"),
            "response_id": format!("r{number}"), "response_payload": response}));
        let output =
            json!({"type": "function_call_output", "call_id": format!("c{number}"), "output": words(number, 120)});
        history.extend([call, output]);
    }
    fs::write(folder.path().join("trace.jsonl"), lines.join("\n") + "\n").unwrap();
    folder
}

fn words(seed: usize, count: usize) -> String {
    const WORDS: [&str; 8] = ["file", "build", "test", "\"error\"", "src/main.rs", "warning:", "ünused", "line\n"];
    (0..count).map(|place| format!("{}{} ", WORDS[(seed * 31 + place * 7) % WORDS.len()], seed + place)).collect()
}

pub fn reduce(folder: &Path) -> usize {
    let (policy, _) = Policy::builder().unkeyed_sha256().build_in(&Environment::default());
    let mut facts = Facts::default();
    for event in BundleReader::open(folder, policy).unwrap() {
        facts.absorb(&event);
    }
    facts.derive().iter().map(|rollout| rollout.threads[0].items.len()).sum()
}

pub fn parse(folder: &Path) -> usize {
    let log = fs::read(folder.join("trace.jsonl")).unwrap();
    let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut members = lines.map(|line| size(&serde_json::from_slice(line).unwrap())).sum::<usize>();
    for entry in fs::read_dir(folder.join("payloads")).unwrap() {
        members += size(&serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap());
    }
    members
}

fn size(value: &Value) -> usize {
    value.as_object().map_or(0, serde_json::Map::len)
}
