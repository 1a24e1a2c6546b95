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

/// A span of OpenInference.
fn open_inference(kind: &str, (id, parent): (u64, u64), (from, to): (u64, u64), more: &[(&str, Value)]) -> Value {
    let kind = ("openinference.span.kind", json!({"stringValue": kind}));
    let attributes: Vec<Value> =
        [kind].iter().chain(more).map(|(key, value)| json!({"key": key, "value": value})).collect();
    json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": format!("{id:016x}"), "name": "x",
        "parentSpanId": if parent == 0 { String::new() } else { format!("{parent:016x}") },
        "startTimeUnixNano": (from * 1_000_000_000).to_string(), "endTimeUnixNano": (to * 1_000_000_000).to_string(),
        "attributes": attributes})
}

fn reduced_spans(requests: &[&[Value]]) -> (Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.jsonl");
    let lines = requests.iter().map(|spans| json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string());
    std::fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    let output = command.args(["reduce", file.to_str().unwrap()]).env_clear().env("VEILSPAN_HASH", "sha256");
    let output = output.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let state = String::from_utf8(output.stdout).unwrap();
    (serde_json::from_str(&state).unwrap_or_else(|_| panic!("{said}: more than one rollout: {state}")), said)
}

#[test]
fn a_graph_of_agents_is_one_run_with_a_thread_for_each_agent_inside_of_another() {
    let text = |text: &str| json!({"stringValue": text});
    let named = |name: &str| ("agent.name", text(name));
    let model = [("llm.model_name", text("gpt-x")), ("llm.provider", text("openai"))];
    // A session is named where the run begins; chains of the framework stand between the calls, and a web request among them.
    let spans = [
        open_inference("CHAIN", (1, 0), (1, 30), &[("session.id", text("s1"))]),
        open_inference("AGENT", (2, 1), (2, 29), &[named("planner"), ("session.id", text("s1"))]),
        open_inference("CHAIN", (3, 2), (3, 6), &[]),
        open_inference("LLM", (4, 3), (4, 5), &model),
        open_inference("TOOL", (5, 2), (7, 20), &[("tool.name", text("ask"))]),
        open_inference("CHAIN", (6, 5), (8, 19), &[]),
        open_inference("AGENT", (7, 6), (9, 18), &[named("helper")]),
        open_inference("CHAIN", (8, 7), (10, 17), &[]),
        open_inference("LLM", (9, 8), (11, 12), &model),
        json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00000000000000aa", "parentSpanId": "0000000000000009",
            "name": "POST", "startTimeUnixNano": "11000000001", "endTimeUnixNano": "11000000002"}),
    ];
    let (state, said) = reduced_spans(&[&spans]);
    assert!(!said.contains("WARN"), "{said}");
    assert_eq!((&state["rollout"], state["threads"].as_array().unwrap().len()), (&json!("s1"), 2));
    let turns = || state["threads"].as_array().unwrap().iter().flat_map(|thread| thread["turns"].as_array().unwrap());
    let mut agents: Vec<_> = turns()
        .map(|turn| {
            assert!(turn["waiting"].is_null() && turn["ended"].is_object(), "{turn}");
            (
                turn["agent"].as_str().unwrap(),
                turn["totals"]["inferences"].clone(),
                turn["spawned_by"]["call"].is_string(),
            )
        })
        .collect();
    agents.sort_by_key(|agent| agent.0);
    assert_eq!(agents, [("helper", json!(1), true), ("planner", json!(1), false)]);

    // However it arrives: span by span, the last first.
    let backwards: Vec<&[Value]> = spans.chunks(1).rev().collect();
    assert_eq!(reduced_spans(&backwards).0, state);
}

#[test]
fn a_call_that_cannot_be_read_is_told_of_and_a_span_of_something_else_is_not() {
    let wrong = json!([{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "veilspan.rollout.id", "value": {"intValue": "7"}}]);
    let mut unreadable = open_inference("LLM", (2, 0), (1, 2), &[]);
    unreadable["attributes"] = wrong;
    let call = open_inference("LLM", (1, 0), (1, 2), &[]);
    let (_, said) = reduced_spans(&[&[call, unreadable]]);
    assert!(said.contains("WARN") && said.contains("spans=1"), "{said}");
}
