//! Runs that say the same in other words, and in other places.

use std::path::Path;

use serde_json::{Value, json};

use super::cli::veilspan;

/// The verdict of two inputs, and each difference with its severity.
fn compared(baseline: &str, candidate: &str) -> (String, Vec<(String, String)>) {
    let output = veilspan(&["diff", baseline, candidate, "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert!(!output.stdout.windows(6).any(|bytes| bytes == b"canary"), "no value is told");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let differences = report["differences"].as_array().unwrap().iter();
    let differences = differences.filter(|one| one["severity"] != "info");
    (text(&report["verdict"]), differences.map(|one| (text(&one["kind"]), text(&one["severity"]))).collect())
}

fn same() -> (String, Vec<(String, String)>) {
    ("same".to_owned(), Vec::new())
}

fn drift(kind: &str, severity: &str) -> (String, Vec<(String, String)>) {
    ("drift".to_owned(), vec![(kind.to_owned(), severity.to_owned())])
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// A run of one turn of which `inside` and `events` are part, as a line of OTLP JSON.
fn write(folder: &Path, name: &str, inside: &[Vec<Value>], events: &[Vec<Value>]) -> String {
    let own = |operation: &str| {
        let ids = ["veilspan.rollout.id", "veilspan.thread.id", "veilspan.turn.id"];
        let mut all: Vec<Value> = ids.iter().map(|key| attribute(key, "r")).collect();
        all.push(attribute("veilspan.outcome", "completed"));
        all.extend((!operation.is_empty()).then(|| attribute("gen_ai.operation.name", operation)));
        all
    };
    let events = events
        .iter()
        .map(|attributes| json!({"name": "veilspan.decision", "timeUnixNano": "2000000", "attributes": attributes}));
    let span = |id: u32, attributes: Vec<Value>, events: Vec<Value>| {
        let parent = if id == 1 { String::new() } else { format!("{:016x}", 1) };
        json!({
            "traceId": "0123456789abcdef0123456789abcdef", "spanId": format!("{id:016x}"), "parentSpanId": parent,
            "name": "s", "kind": 1, "startTimeUnixNano": format!("{}000000", id), "endTimeUnixNano": format!("{}000001", id),
            "attributes": attributes, "events": events,
        })
    };
    let mut spans = vec![span(1, own("invoke_agent"), events.collect())];
    for (number, attributes) in inside.iter().enumerate() {
        spans.push(span(number as u32 + 2, [own(""), attributes.clone()].concat(), Vec::new()));
    }
    let line = json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": spans}]}]});
    let path = folder.join(format!("{name}.jsonl"));
    std::fs::write(&path, format!("{line}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn c03_an_action_is_compared_whatever_its_producer_calls_it() {
    let folder = tempfile::tempdir().unwrap();
    let decided = |name: &str, key: &str, action: &str| {
        let confidence = json!({"key": "veilspan.decision.confidence", "value": {"doubleValue": 0.5}});
        write(folder.path(), name, &[], &[vec![attribute(key, action), confidence]])
    };
    let baseline = decided("baseline", "action", "canary A");
    assert_eq!(compared(&baseline, &decided("same", "chosen_action", "canary A")), same());
    let other = decided("other", "chosen_action", "canary B");
    assert_eq!(compared(&baseline, &other), drift("action", "critical"));
    assert_eq!(compared(&other, &baseline), drift("action", "critical"));
}

/// A folder of hook events: a tool is run, in these words.
fn hooks(folder: &Path, name: &str, tool: impl Fn(&str) -> Value) -> String {
    let folder = folder.join(name);
    std::fs::create_dir(&folder).unwrap();
    let event = |second: u32, hook: &str, more: &Value| {
        let mut payload = json!({"session_id": "s-1", "hook_event_name": hook, "prompt_id": "p-1"});
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        (format!("2026-01-01T12:00:{second:02}Z"), hook.to_owned(), payload)
    };
    let lines = [
        event(1, "UserPromptSubmit", &json!({"prompt": "canary"})),
        event(2, "PreToolUse", &tool("PreToolUse")),
        event(3, "PostToolUse", &tool("PostToolUse")),
        event(4, "Stop", &json!({})),
    ];
    let is_flat = name.starts_with("flat");
    let lines: Vec<String> = lines
        .into_iter()
        .map(|(ts, hook, mut payload)| {
            if is_flat {
                payload["ts"] = ts.into();
                return payload.to_string();
            }
            json!({"ts": ts, "hook": hook, "payload": payload}).to_string()
        })
        .collect();
    std::fs::write(folder.join("events.ndjson"), lines.join("\n")).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn used(key: &'static str, name: &'static str) -> impl Fn(&str) -> Value {
    move |hook| {
        let mut told = json!({"tool_use_id": "t-1", "tool_input": {"command": "canary"}});
        told[key] = name.into();
        if hook == "PostToolUse" {
            told["tool_response"] = "canary".into();
        }
        told
    }
}

#[test]
fn c04_a_tool_is_compared_whatever_its_producer_calls_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, key, tool| hooks(folder.path(), name, used(key, tool));
    let baseline = run("baseline", "tool", "bash");
    assert_eq!(compared(&baseline, &run("same", "tool_name", "bash")), same());
    assert_eq!(compared(&baseline, &run("other", "tool_name", "python")), drift("tool", "warning"));
    // The dialects of spans.
    let called = |name: &str, attributes: Vec<Value>| write(folder.path(), name, &[attributes], &[]);
    let own = |tool| {
        called("own", vec![attribute("gen_ai.operation.name", "execute_tool"), attribute("gen_ai.tool.name", tool)])
    };
    let others = [
        vec![attribute("openinference.span.kind", "TOOL"), attribute("tool.name", "bash")],
        vec![attribute("traceloop.span.kind", "tool"), attribute("traceloop.entity.name", "bash")],
    ];
    for (place, attributes) in others.into_iter().enumerate() {
        let other = called(&format!("dialect-{place}"), attributes);
        assert_eq!(compared(&own("bash"), &other), same(), "{place}");
        assert_eq!(compared(&own("python"), &other), drift("tool", "warning"), "{place}");
    }
}

#[test]
fn c13_fields_at_the_top_and_fields_in_a_payload_are_equal_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, tool| hooks(folder.path(), name, used("tool_name", tool));
    let (nested, flat) = (run("nested", "bash"), run("flat", "bash"));
    assert_eq!(compared(&nested, &flat), same());
    let reduced = |input: &str| String::from_utf8(veilspan(&["reduce", input]).stdout).unwrap();
    assert!(reduced(&nested).contains("bash"));
    assert_eq!(reduced(&nested), reduced(&flat));
    assert_eq!(compared(&nested, &run("flat-other", "python")), drift("tool", "warning"));
}
