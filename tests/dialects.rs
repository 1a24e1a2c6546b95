//! The same run in every dialect reduces to the same calls, with nothing that was said.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

const DIALECTS: [&str; 6] = ["claude_code", "genai_old", "openinference", "openllmetry", "rig", "vercel_ai"];

fn fixture(dialect: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dialects").join(format!("{dialect}.jsonl"))
}

fn reduced(input: &Path) -> (Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    let output = command.args(["reduce", input.to_str().unwrap()]).env_clear().env("VEILSPAN_HASH", "sha256");
    let output = output.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("canary"), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    (serde_json::from_str(&text).unwrap_or_else(|_| panic!("more than one rollout: {text}")), text)
}

/// What the dialects have in common.
fn told(state: &Value) -> Value {
    let turn = &state["threads"][0]["turns"][0];
    let segment = &turn["segments"][0];
    let inferences = segment["inferences"].as_array().unwrap().iter().map(|call| {
        let attributes = &call["attributes"];
        json!([
            attributes["gen_ai.operation.name"],
            attributes["gen_ai.provider.name"],
            attributes["gen_ai.request.model"],
            attributes["gen_ai.usage.input_tokens"],
            attributes["gen_ai.usage.output_tokens"],
            attributes["gen_ai.usage.reasoning.output_tokens"],
            attributes["gen_ai.usage.cache_read.input_tokens"],
            attributes["gen_ai.response.finish_reasons"],
            call["started"]["unix_nano"],
            call["outcome"],
        ])
    });
    let inferences: Vec<Value> = inferences.collect();
    let tools = segment["tool_calls"].as_array().unwrap().iter();
    let tools: Vec<Value> = tools
        .map(|call| {
            let arguments = &call["arguments"];
            let exact = if arguments["exact"].is_null() { &arguments["digest"] } else { &arguments["exact"] };
            let result = (&call["result"]["digest"], &call["result"]["length"]);
            json!([call["attributes"]["gen_ai.tool.name"], exact, arguments["length"], result, call["outcome"]])
        })
        .collect();
    let totals = &state["totals"];
    json!({
        "rollout": state["rollout"], "thread": state["threads"][0]["id"], "turn": turn["id"], "agent": turn["agent"],
        "reported": turn["reported"], "inferences": inferences, "tools": tools,
        "tokens": [totals["gen_ai.usage.input_tokens"], totals["gen_ai.usage.output_tokens"]],
        "findings": state["findings"],
    })
}

#[test]
fn the_same_run_reduces_to_the_same_calls_in_every_dialect() {
    let (of_rig, _) = reduced(&fixture("rig"));
    let expected = told(&of_rig);
    assert_eq!((&expected["rollout"], &expected["agent"]), (&json!("conv-1"), &json!("planner")));
    assert_eq!(expected["turn"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(expected["tokens"], json!([2520, 90]));
    assert_eq!((expected["inferences"].as_array().unwrap().len(), expected["tools"].as_array().unwrap().len()), (2, 2));
    assert_eq!(expected["inferences"][0][7], json!(["stop"]));
    assert_eq!((&expected["tools"][0][4], &expected["tools"][1][4]), (&Value::Null, &json!("failed")));
    assert!(expected["tools"][0][1].as_str().unwrap().starts_with("sha256:"));
    for dialect in DIALECTS {
        let (state, text) = reduced(&fixture(dialect));
        assert_eq!(told(&state), expected, "{dialect}");
        assert!(!text.contains("canary") && !text.contains("coal"), "{dialect}");
    }
}

#[test]
fn codex_names_its_conversation_on_some_spans_alone_so_that_its_trace_is_the_rollout() {
    let (state, text) = reduced(&fixture("codex"));
    let (codex, rig) = (told(&state), told(&reduced(&fixture("rig")).0));
    assert_eq!(codex["rollout"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!((&codex["agent"], &codex["tokens"]), (&json!("codex"), &rig["tokens"]));
    assert_eq!((codex["tools"].as_array().unwrap().len(), &codex["tools"][1][4]), (2, &json!("failed")));
    // It says nothing of why an answer ended.
    let but_reason = |call: &Value| [&call.as_array().unwrap()[..7], &call.as_array().unwrap()[8..]].concat();
    let calls = |it: &Value| it["inferences"].as_array().unwrap().iter().map(but_reason).collect::<Vec<_>>();
    assert_eq!(calls(&codex), calls(&rig));
    assert!(!text.contains("canary") && !text.contains("coal"));
}

#[test]
fn spans_of_one_dialect_reduce_the_same_in_any_order_and_twice() {
    for dialect in DIALECTS {
        let mut request: Value = serde_json::from_str(&std::fs::read_to_string(fixture(dialect)).unwrap()).unwrap();
        let spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array_mut().unwrap();
        let mut turned: Vec<Value> = spans.iter().rev().cloned().collect();
        turned.append(spans);
        *spans = turned;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("turned.jsonl");
        std::fs::write(&file, format!("{request}\n")).unwrap();
        assert_eq!(reduced(&file).1, reduced(&fixture(dialect)).1, "{dialect}");
    }
}

#[test]
fn a_span_that_groups_others_and_one_of_a_service_are_no_calls() {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let span = |id: u64, attributes: Vec<Value>| {
        json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": format!("{id:016x}"), "name": "x",
            "startTimeUnixNano": "1", "endTimeUnixNano": "2", "attributes": attributes})
    };
    let spans = [
        span(1, vec![text("openinference.span.kind", "CHAIN"), text("llm.model_name", "gpt-x")]),
        span(2, vec![text("traceloop.span.kind", "task"), text("traceloop.entity.name", "step")]),
        span(3, vec![text("gen_ai.request.model", "gpt-x")]),
        span(4, vec![text("ai.operationId", "ai.embed")]),
        span(5, vec![text("gen_ai.operation.name", "create_agent"), text("gen_ai.agent.name", "planner")]),
        span(6, vec![text("http.route", "/")]),
        // A name of the conventions wins over any other for the same.
        span(
            7,
            vec![
                text("llm.model_name", "other"),
                text("gen_ai.operation.name", "chat"),
                text("gen_ai.request.model", "gpt-x"),
            ],
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.jsonl");
    std::fs::write(&file, json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string()).unwrap();
    let (state, _) = reduced(&file);
    assert_eq!(state["totals"]["inferences"], 1);
    assert_eq!(state["totals"]["tool_calls"], 0);
    let call = &state["threads"][0]["turns"][0]["segments"][0]["inferences"][0];
    assert_eq!(call["attributes"]["gen_ai.request.model"], "gpt-x");
    // Without a conversation a trace is a rollout.
    assert_eq!(state["rollout"], "0af7651916cd43dd8448eb211c80319c");
}
