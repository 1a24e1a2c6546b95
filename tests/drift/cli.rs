//! `veilspan diff`, as it is called.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

pub fn veilspan(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    command.args(arguments).env_clear().env("VEILSPAN_HASH", "sha256").output().unwrap()
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// A run of calls of these tools, each with this result, as a line of a Collector's file exporter.
fn write(folder: &Path, name: &str, tools: &[(&str, &str)]) -> String {
    let span = |id: usize, parent: Option<usize>, operation: &str, from: usize, to: usize, more: Vec<Value>| {
        let mut attributes = vec![
            attribute("gen_ai.operation.name", operation),
            attribute("veilspan.rollout.id", name),
            attribute("veilspan.thread.id", "th"),
            attribute("veilspan.turn.id", "tu"),
            attribute("veilspan.outcome", "completed"),
        ];
        attributes.extend(more);
        let mut span = json!({
            "traceId": "0123456789abcdef0123456789abcdef", "spanId": format!("{id:016x}"), "name": operation, "kind": 1,
            "startTimeUnixNano": (from as u64 * 1_000_000).to_string(),
            "endTimeUnixNano": (to as u64 * 1_000_000).to_string(), "attributes": attributes,
        });
        if let Some(parent) = parent {
            span["parentSpanId"] = format!("{parent:016x}").into();
        }
        span
    };
    let mut spans = vec![span(1, None, "invoke_agent", 1, 1000, vec![attribute("gen_ai.agent.name", "planner")])];
    for (number, (tool, result)) in tools.iter().enumerate() {
        let more = vec![
            attribute("gen_ai.tool.name", tool),
            attribute("gen_ai.tool.call.arguments", "{}"),
            attribute("gen_ai.tool.call.result", result),
        ];
        spans.push(span(number + 2, Some(1), "execute_tool", 10 * number + 2, 10 * number + 9, more));
    }
    let line = json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": spans}]}]});
    let path = folder.join(format!("{name}.jsonl"));
    std::fs::write(&path, format!("{line}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_exit_code_is_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let one = write(folder.path(), "one", &[("search", "a"), ("read", "canary in a coal mine")]);
    let same = write(folder.path(), "same", &[("search", "a"), ("read", "canary in a coal mine")]);
    let other = write(folder.path(), "other", &[("search", "a"), ("delete", "b"), ("read", "canary in a mine")]);
    let output = veilspan(&["diff", &one, &same]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("\nsame\n"));

    let output = veilspan(&["diff", &one, &other]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("execute_tool delete") && text.contains("\ndrift: 2 differences"), "{text}");
    assert!(text.contains("first divergence: #1 insertion of execute_tool delete"), "{text}");
    let output = veilspan(&["diff", &one, &other, "--format", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["verdict"], &report["first_divergence"]), (&json!("drift"), &json!(0)));
    assert_eq!(report["differences"][0]["kind"], "insertion");
    assert_eq!(report["differences"][1]["kind"], "result");
    assert_eq!(report["differences"][1]["candidate"]["span"], format!("{:016x}", 4));
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn what_cannot_be_compared_is_an_error_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let one = write(folder.path(), "one", &[("search", "a")]);
    let other = write(folder.path(), "other", &[("search", "a")]);
    let both = folder.path().join("both.jsonl");
    std::fs::write(&both, std::fs::read_to_string(&one).unwrap() + &std::fs::read_to_string(&other).unwrap()).unwrap();
    let code = |arguments: &[&str]| veilspan(arguments).status.code();
    assert_eq!(code(&["diff", &one]), Some(64));
    assert_eq!(code(&["diff", &one, "/nonexistent"]), Some(65));
    let output = veilspan(&["diff", both.to_str().unwrap(), &one]);
    assert_eq!(output.status.code(), Some(65));
    assert!(String::from_utf8(output.stderr).unwrap().contains("holds 2 rollouts"));
}
