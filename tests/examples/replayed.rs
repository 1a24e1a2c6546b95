//! The agent is recorded, run again with its recording in the model's place, and run again with another tool result.

use std::path::Path;

use serde_json::{Value, json};

use crate::program::sent_under;
use crate::runs::{Model, Says, Served, veilspan};

/// What the example's own model does: it asks for tools, and tells what they found.
async fn model() -> Model {
    Model::start(|messages| {
        let last = messages.last().unwrap();
        let asked = messages.iter().rposition(|message| message["role"] == "user").unwrap();
        let found = messages.iter().skip(asked).filter(|message| message["role"] == "tool").count();
        match (last["content"].as_str().unwrap_or_default().contains("times"), found) {
            (true, 0) => Says::Call("multiply", json!({"a": 42, "b": 2})),
            (false, 0) => Says::Call("add", json!({"a": 17, "b": 25})),
            (_, 1) if asked == 1 => Says::Call("temperature", json!({"city": "Oslo"})),
            _ => Says::Text(format!("Here is what I found: {}.", last["content"])),
        }
    })
    .await
}

/// Runs the agent, and writes what it sends as a Collector's file exporter does.
fn agent(folder: &Path, name: &str, variables: &[(&str, &str)]) -> String {
    let lines = sent_under("agent", variables).requests();
    let lines: Vec<String> = lines.iter().map(|request| serde_json::to_string(request).unwrap()).collect();
    let path = folder.join(format!("{name}.jsonl"));
    std::fs::write(&path, lines.join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn diff(baseline: &str, candidate: &str) -> (Option<i32>, Value) {
    let output = veilspan(&["diff", baseline, candidate, "--format", "json"], &[("VEILSPAN_HASH", "sha256")]);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_is_free_of_drift_until_a_tool_result_changes_and_then_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = folder.path().join("recorded.jsonl").to_str().unwrap().to_owned();
    let model = model().await;
    let recording = Served::recording(&recorded, &model.url);
    let first = agent(folder.path(), "first", &[("OPENAI_BASE_URL", &recording.url)]);
    recording.stop();

    let served = Served::start(&recorded);
    let again = agent(folder.path(), "again", &[("OPENAI_BASE_URL", &served.url)]);
    let (code, report) = diff(&first, &again);
    assert_eq!((code, &report["verdict"]), (Some(0), &"same".into()), "{report:#}");
    assert_eq!((&report["not_comparable"], &report["unsure"]), (&0.into(), &Value::Array(Vec::new())));

    let changed = [("OPENAI_BASE_URL", model.url.as_str()), ("AGENT_DEGREES", "99")];
    let changed = agent(folder.path(), "changed", &changed);
    let (code, report) = diff(&first, &changed);
    assert_eq!((code, &report["first_divergence"]), (Some(1), &0.into()), "{report:#}");
    let told = report["differences"].as_array().unwrap().iter().filter(|one| one["severity"] != "info");
    let members = ["step", "kind", "name", "input", "since"];
    let told: Vec<Value> = told.map(|one| members.iter().map(|name| one[name].clone()).collect()).collect();
    let expected = json!([
        ["execute_tool", "result", "temperature", "same", null],
        ["chat", "output", "gpt-scripted", "changed", 0],
    ]);
    assert_eq!(Value::from(told), expected, "{report:#}");
    assert!(report["affected"].as_u64().unwrap() > 0, "the second question was asked after another answer");
}
