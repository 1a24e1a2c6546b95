//! `veilspan import`, as it is called.
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::receiver::{Behaviour, Receiver, text};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};
use tonic::Status;

fn bundle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bundles/every_kind")
}

fn veilspan(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    command.args(arguments).env_clear().env("VEILSPAN_HASH", "sha256").envs(variables.iter().copied());
    command.output().unwrap()
}

fn import(bundle: &Path, more: &[&str]) -> Output {
    let arguments = [&["import", "codex", bundle.to_str().unwrap()], more].concat();
    veilspan(&arguments, &[])
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn spans(lines: &str) -> Vec<Span> {
    let requests = lines.lines().map(|line| serde_json::from_str::<ExportTraceServiceRequest>(line).unwrap());
    let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn reduced(input: &Path) -> Value {
    let output = veilspan(&["reduce", input.to_str().unwrap()], &[]);
    serde_json::from_str(&printed(&output)).unwrap()
}

/// What spans tell of a graph: its calls by kind, turn by turn, each with its outcome and its own words.
fn told(state: &Value) -> Vec<Value> {
    let mut told = Vec::new();
    for thread in state["threads"].as_array().unwrap() {
        for turn in thread["turns"].as_array().unwrap().iter().filter(|turn| turn["reported"] == true) {
            let segment = &turn["segments"][0];
            for kind in ["inferences", "tool_calls", "code_cells", "terminal_operations", "compaction_attempts"] {
                for call in segment[kind].as_array().into_iter().flatten() {
                    let attributes = &call["attributes"];
                    let usage = &attributes["gen_ai.usage.input_tokens"];
                    told.push(json!([
                        thread["id"],
                        turn["id"],
                        kind,
                        call["id"],
                        call["outcome"],
                        call["started"],
                        call["arguments"],
                        call["result"],
                        attributes["gen_ai.tool.name"],
                        attributes["gen_ai.response.id"],
                        usage,
                    ]));
                }
            }
        }
    }
    told
}

#[test]
fn a_bundle_reduces_from_its_spans_to_the_calls_that_it_reduces_to_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.jsonl");
    let lines = printed(&import(&bundle(), &["--dry-run"]));
    std::fs::write(&file, &lines).unwrap();
    let (of_bundle, of_spans) = (reduced(&bundle()), reduced(&file));
    assert_eq!(told(&of_spans), told(&of_bundle));
    assert!(told(&of_spans).len() > 10);
    let totals = |state: &Value| state["totals"].clone();
    assert_eq!(totals(&of_spans)["inferences"], totals(&of_bundle)["inferences"]);
    assert_eq!(totals(&of_spans)["gen_ai.usage.input_tokens"], totals(&of_bundle)["gen_ai.usage.input_tokens"]);
    // The first turn of a sub-agent follows from the tool that started it, and is another trace.
    let spawn = of_spans["edges"].as_array().unwrap().iter().find(|edge| edge["kind"] == "spawn").unwrap();
    assert_eq!(spawn["to"]["thread"], "child-1");
    assert_eq!(printed(&import(&bundle(), &["--dry-run"])), lines, "a recording told twice is told the same");
}

#[test]
fn each_turn_is_a_trace_and_by_choice_the_whole_run() {
    let traces = |lines: &str| {
        let mut traces: Vec<_> = spans(lines).into_iter().map(|span| span.trace_id).collect();
        traces.sort();
        traces.dedup();
        traces.len()
    };
    assert_eq!(traces(&printed(&import(&bundle(), &["--dry-run"]))), 2);
    let whole = printed(&import(&bundle(), &["--dry-run", "--trace-per", "rollout"]));
    assert_eq!(traces(&whole), 1);
    let spans = spans(&whole);
    let child = spans
        .iter()
        .find(|span| text(span, "veilspan.thread.id") == Some("child-1") && span.name.starts_with("invoke_agent"))
        .unwrap();
    let starter = spans.iter().find(|span| span.span_id == child.parent_span_id).expect("a child of its starter");
    assert!(starter.name.starts_with("execute_tool"), "{}", starter.name);
}

#[test]
fn the_last_turn_of_the_root_says_that_the_run_ends() {
    let spans = spans(&printed(&import(&bundle(), &["--dry-run"])));
    let ends = |span: &&Span| span.attributes.iter().any(|attribute| attribute.key == "veilspan.rollout.end");
    let ending: Vec<_> = spans.iter().filter(ends).collect();
    assert_eq!(ending.len(), 1);
    assert_eq!(text(ending[0], "veilspan.thread.id"), Some("root-1"));
}

#[test]
fn what_is_sent_is_what_is_printed() {
    let receiver = Receiver::start(Behaviour::Accept);
    let endpoint = format!("http://{}", receiver.address);
    let printed = spans(&printed(&import(&bundle(), &["--dry-run"])));
    assert!(import(&bundle(), &["--endpoint", &endpoint]).status.success());
    let mut sent = receiver.spans();
    let mut printed = printed;
    sent.sort_by(|a, b| a.span_id.cmp(&b.span_id));
    printed.sort_by(|a, b| a.span_id.cmp(&b.span_id));
    assert_eq!(sent, printed);
    // The environment names a peer as it does for a service.
    let path = bundle();
    let again = veilspan(&["import", "codex", path.to_str().unwrap()], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    assert!(again.status.success());
    assert_eq!(receiver.spans().len(), 2 * printed.len());
}

#[test]
fn a_peer_that_is_busy_is_waited_for_and_one_that_refuses_is_told_of() {
    let busy = Receiver::start(Behaviour::Accept);
    busy.behave(Behaviour::RefuseFirst(2, Status::unavailable("busy")));
    let endpoint = format!("http://{}", busy.address);
    assert!(import(&bundle(), &["--endpoint", &endpoint]).status.success());
    assert!(!busy.spans().is_empty());

    let refusing = Receiver::start(Behaviour::Accept);
    refusing.behave(Behaviour::Refuse(Status::invalid_argument("canary in a coal mine")));
    let endpoint = format!("http://{}", refusing.address);
    let output = import(&bundle(), &["--endpoint", &endpoint]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains("were refused") && !said.contains("canary"), "{said}");
}

#[test]
fn a_peer_that_is_not_there_ends_the_command_with_what_has_not_arrived() {
    let output = import(&bundle(), &["--endpoint", "http://127.0.0.1:1"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains("0 of"), "{said}");
}

#[test]
fn what_cannot_be_read_or_sent_is_said_with_a_code() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(import(folder.path(), &["--dry-run"]).status.code(), Some(65));
    assert_eq!(import(&bundle(), &["--endpoint", "not an address"]).status.code(), Some(64));
    assert_eq!(import(&bundle(), &["--dry-run", "--endpoint", "http://127.0.0.1:1"]).status.code(), Some(64));
    let path = bundle();
    let arguments = ["import", "codex", path.to_str().unwrap()];
    assert_eq!(veilspan(&arguments, &[("OTEL_SDK_DISABLED", "true")]).status.code(), Some(64));
}

#[test]
fn nothing_that_was_said_in_a_recording_is_sent() {
    const CANARY: &str = "canary in a coal mine";
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("payloads")).unwrap();
    let body = json!({"instructions": CANARY, "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": CANARY}]}, CANARY]});
    std::fs::write(folder.path().join("payloads/1.json"), body.to_string()).unwrap();
    std::fs::write(folder.path().join("manifest.json"), r#"{"rollout_id": "R", "root_thread_id": "R"}"#).unwrap();
    let payload = json!({"raw_payload_id": "1", "kind": {"type": "inference_request"}, "path": "payloads/1.json"});
    let told = [
        json!({"type": "codex_turn_started", "codex_turn_id": "t", "thread_id": "R"}),
        json!({"type": "inference_started", "inference_call_id": "i", "thread_id": "R", "codex_turn_id": "t",
            "model": "m", "provider_name": CANARY, "request_payload": payload}),
        json!({"type": "inference_failed", "inference_call_id": "i", "error": CANARY}),
        json!({"type": CANARY, "text": CANARY}),
    ];
    let line = |(seq, payload): (usize, &Value)| {
        json!({"schema_version": 1, "seq": seq + 1, "wall_time_unix_ms": seq, "rollout_id": "R", "thread_id": "R",
            "codex_turn_id": "t", "payload": payload})
        .to_string()
    };
    let log: Vec<String> = told.iter().enumerate().map(line).collect();
    std::fs::write(folder.path().join("trace.jsonl"), log.join("\n") + "\n{\"broken\": \"" + CANARY).unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let endpoint = format!("http://{}", receiver.address);
    for more in [&["--dry-run"][..], &["--endpoint", &endpoint]] {
        let output = import(folder.path(), more);
        assert!(output.status.success());
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!text.contains("canary") && !text.contains("coal"), "{text}");
    }
    let sent = format!("{:?}", receiver.spans());
    assert!(sent.contains("chat") && !sent.contains("canary"), "{sent}");
}

#[test]
fn a_history_is_sent_once_and_reduces_to_all_of_it() {
    const REQUESTS: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("payloads")).unwrap();
    std::fs::write(folder.path().join("manifest.json"), r#"{"rollout_id": "R", "root_thread_id": "R"}"#).unwrap();
    let mut lines = Vec::new();
    let mut told = |payload: Value| {
        lines.push(
            json!({"schema_version": 1, "seq": lines.len() + 1, "wall_time_unix_ms": lines.len(),
            "rollout_id": "R", "thread_id": "R", "codex_turn_id": "t", "payload": payload})
            .to_string(),
        );
    };
    told(json!({"type": "codex_turn_started", "codex_turn_id": "t", "thread_id": "R"}));
    let mut history = vec![json!({"role": "user", "content": "begin"})];
    for number in 0..REQUESTS {
        let path = format!("payloads/{number}.json");
        let body = json!({"model": "m", "instructions": "be kind", "input": history, "tools": [{"name": "x"}]});
        std::fs::write(folder.path().join(&path), serde_json::to_string_pretty(&body).unwrap()).unwrap();
        let payload = json!({"raw_payload_id": path, "kind": {"type": "inference_request"}, "path": path});
        told(json!({"type": "inference_started", "inference_call_id": format!("i{number}"), "thread_id": "R",
            "codex_turn_id": "t", "model": "m", "provider_name": "p", "request_payload": payload}));
        told(json!({"type": "inference_failed", "inference_call_id": format!("i{number}"), "error": "x"}));
        history.push(json!({"type": "function_call", "call_id": "c", "name": "x", "arguments": "{}"}));
        history.push(json!({"type": "function_call_output", "call_id": "c", "output": number.to_string()}));
    }
    told(json!({"type": "codex_turn_ended", "codex_turn_id": "t", "status": "completed"}));
    told(json!({"type": "rollout_ended", "status": "completed"}));
    std::fs::write(folder.path().join("trace.jsonl"), lines.join("\n") + "\n").unwrap();
    let printed = printed(&import(folder.path(), &["--dry-run"]));
    let chats: Vec<Span> = spans(&printed).into_iter().filter(|span| span.name.starts_with("chat")).collect();
    let whole = chats.iter().filter(|span| text(span, "veilspan.input.prefix").is_none()).count();
    assert_eq!((chats.len(), whole), (REQUESTS, REQUESTS.div_ceil(16)));
    let spans = folder.path().join("spans.jsonl");
    std::fs::write(&spans, &printed).unwrap();
    let state = reduced(&spans);
    assert_eq!(state["threads"][0]["items"].as_array().unwrap().len(), 1 + 2 * (REQUESTS - 1));
    assert!(state["findings"].is_null(), "{}", state["findings"]);
}

/// The log of a run with two turns; each record at its second.
fn log() -> Vec<String> {
    let turn =
        |kind: &str, id: &str| json!({"type": kind, "codex_turn_id": id, "thread_id": "R", "status": "completed"});
    let inference = |kind: &str, id: &str, turn: &str| {
        json!({"type": kind, "inference_call_id": id, "thread_id": "R", "codex_turn_id": turn, "model": "m",
            "provider_name": "openai", "request_payload": null, "response_payload": null})
    };
    let told = [
        (json!({"type": "rollout_started", "trace_id": "trace-1", "root_thread_id": "R"}), ""),
        (json!({"type": "thread_started", "thread_id": "R", "agent_path": "/root"}), ""),
        (turn("codex_turn_started", "t1"), "t1"),
        (inference("inference_started", "i1", "t1"), "t1"),
        (inference("inference_completed", "i1", "t1"), "t1"),
        (turn("codex_turn_ended", "t1"), "t1"),
        (turn("codex_turn_started", "t2"), "t2"),
        (inference("inference_started", "i2", "t2"), "t2"),
        (inference("inference_completed", "i2", "t2"), "t2"),
        (inference("inference_started", "i3", "t2"), "t2"),
        (inference("inference_completed", "i3", "t2"), "t2"),
        (turn("codex_turn_ended", "t2"), "t2"),
        (json!({"type": "thread_ended", "thread_id": "R", "status": "completed"}), ""),
        (json!({"type": "rollout_ended", "status": "completed"}), ""),
    ];
    let line = |(seq, (payload, turn)): (usize, &(Value, &str))| {
        json!({"schema_version": 1, "seq": seq + 1, "wall_time_unix_ms": 1000 * seq, "rollout_id": "R", "thread_id": "R",
            "codex_turn_id": Some(turn).filter(|turn| !turn.is_empty()), "payload": payload})
        .to_string()
            + "\n"
    };
    told.iter().enumerate().map(line).collect()
}

#[test]
fn whatever_part_of_a_bundle_was_imported_while_it_was_written_the_whole_is_told_once_and_the_same() {
    let log = log();
    let write = |folder: &Path, lines: &[String]| {
        std::fs::write(folder.join("manifest.json"), r#"{"rollout_id": "R", "root_thread_id": "R"}"#).unwrap();
        std::fs::write(folder.join("trace.jsonl"), lines.concat()).unwrap();
    };
    let whole = tempfile::tempdir().unwrap();
    write(whole.path(), &log);
    let mut expected = spans(&printed(&import(whole.path(), &["--dry-run"])));
    assert_eq!(expected.len(), 5);
    expected.sort_by(|a, b| a.span_id.cmp(&b.span_id));
    for cut in 1..log.len() {
        let (folder, home, receiver) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Receiver::start(Behaviour::Accept));
        let (path, home) = (folder.path().to_str().unwrap(), home.path().to_str().unwrap());
        let endpoint = format!("http://{}", receiver.address);
        for lines in [&log[..cut], &log[..], &log[..]] {
            write(folder.path(), lines);
            _ = veilspan(&["import", "codex", path, "--endpoint", &endpoint], &[("HOME", home)]);
        }
        let mut sent = receiver.spans();
        sent.sort_by(|a, b| a.span_id.cmp(&b.span_id));
        assert_eq!(sent, expected, "cut at {cut}");
    }
}

#[test]
fn the_summary_says_what_was_found() {
    let said = |bundle: &Path| String::from_utf8(import(bundle, &["--dry-run"]).stderr).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = log();
    std::fs::write(folder.path().join("trace.jsonl"), log.concat()).unwrap();
    std::fs::write(folder.path().join("manifest.json"), r#"{"rollout_id": "R", "root_thread_id": "R"}"#).unwrap();
    assert!(said(folder.path()).contains("findings=0"), "{}", said(folder.path()));
    std::fs::write(folder.path().join("trace.jsonl"), log.concat() + "no record\n").unwrap();
    let one = said(folder.path());
    assert!(one.contains("findings=1") && one.contains("finding=\"quarantined\""), "{one}");
    let of_spans = reduced(folder.path())["findings"].as_array().unwrap().len();
    assert_eq!(of_spans, 1);
}
