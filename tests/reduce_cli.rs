//! `veilspan reduce`, as it is called.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use proptest::prelude::*;
use serde_json::{Value, json};

fn bundle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bundles/every_kind")
}

fn veilspan(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    command.args(arguments).env_clear().env("VEILSPAN_HASH", "sha256").envs(variables.iter().copied());
    command.output().unwrap()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_bundle_is_printed_as_what_stands_beside_it() {
    let path = bundle();
    let path = path.to_str().unwrap();
    let expected = |name: &str| std::fs::read_to_string(bundle().join(name)).unwrap();
    assert_eq!(printed(&veilspan(&["reduce", path], &[])), expected("expected.json"));
    assert_eq!(printed(&veilspan(&["reduce", path, "--format", "tree"], &[])), expected("expected.tree"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    assert_eq!(printed(&veilspan(&["reduce", path, "-o", file.to_str().unwrap()], &[])), "");
    assert_eq!(std::fs::read_to_string(file).unwrap(), expected("expected.json"));
}

#[test]
fn why_a_command_failed_is_said_whatever_is_to_be_logged() {
    for filter in ["off", "my_service=debug", "veilspan=info", "", "no = filter ="] {
        let output = veilspan(&["reduce", "/there/is/no/such/bundle"], &[("RUST_LOG", filter)]);
        assert_ne!(output.status.code(), Some(0));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("ERROR") && said.contains("/there/is/no/such/bundle"), "{filter}: {said}");
    }
}

#[test]
fn the_readme_shows_what_is_printed() {
    let tree = std::fs::read_to_string(bundle().join("expected.tree")).unwrap();
    let command = "$ veilspan reduce tests/fixtures/bundles/every_kind --format tree\n";
    assert!(include_str!("../README.md").contains(&format!("```console\n{command}{tree}```\n")), "{tree}");
}

#[test]
fn a_tree_is_coloured_where_that_is_asked_for_and_plain_when_piped() {
    let path = bundle();
    let arguments = ["reduce", path.to_str().unwrap(), "--format", "tree"];
    let plain = printed(&veilspan(&arguments, &[("TERM", "xterm-256color")]));
    assert!(!plain.contains('\u{1b}'));
    let coloured = printed(&veilspan(&arguments, &[("CLICOLOR_FORCE", "1")]));
    assert!(coloured.contains("\u{1b}[32mcompleted\u{1b}[0m"));
    assert_eq!(printed(&veilspan(&arguments, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")])), plain);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tree");
    let to_file = [&arguments[..], &["-o", file.to_str().unwrap()]].concat();
    assert_eq!(printed(&veilspan(&to_file, &[("CLICOLOR_FORCE", "1")])), "");
    assert_eq!(std::fs::read_to_string(file).unwrap(), plain);
}

#[test]
fn codex_state_has_every_object_under_the_names_that_codex_gave() {
    let path = bundle();
    let text = printed(&veilspan(&["reduce", path.to_str().unwrap(), "--format", "codex-state"], &[]));
    let state: Value = serde_json::from_str(&text).unwrap();
    let keys = |name: &str| state[name].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!((&state["schema_version"], &state["status"]), (&json!(1), &json!("completed")));
    assert_eq!(keys("threads"), ["child-1", "root-1"]);
    assert_eq!(keys("codex_turns"), ["turn-1", "turn-2"]);
    assert_eq!(keys("inference_calls"), ["inf-1", "inf-2", "inf-3", "inf-4", "inf-5", "inf-6"]);
    assert_eq!(keys("tool_calls"), ["call-1", "call-2", "call-3", "call-4", "exec-1-1"]);
    assert_eq!(keys("code_cells"), ["code_cell:exec-1"]);
    assert_eq!(keys("terminal_sessions"), ["pty-1"]);
    assert_eq!(keys("compactions"), ["comp-1"]);
    assert_eq!(keys("compaction_requests"), ["compaction_request:1", "compaction_request:2"]);
    let edges = ["edge:agent_result:child-1:turn-2:root-1", "edge:spawn:root-1:child-1"];
    assert_eq!(keys("interaction_edges"), edges);
    let second = &state["inference_calls"]["inf-2"]["request_item_ids"];
    assert_eq!(second.as_array().unwrap().len(), 7, "a request that told two items shows all seven");
    let spawn = &state["interaction_edges"]["edge:spawn:root-1:child-1"];
    assert_eq!(spawn["source"], json!({"type": "tool_call", "tool_call_id": "call-3"}));
    assert_eq!(spawn["target"]["type"], "conversation_item");
    assert_eq!(state["threads"]["child-1"]["agent_path"], "/root/logs");
    assert_eq!(state["raw_payloads"]["raw_payload:1"]["path"], "payloads/1.json");
}

fn span(id: u64, parent: Option<u64>, operation: &str, from: u64, to: u64) -> Value {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let mut span = json!({
        "traceId": "0123456789abcdef0123456789abcdef", "spanId": format!("{id:016x}"), "name": operation, "kind": 1,
        "startTimeUnixNano": (from * 1_000_000_000).to_string(), "endTimeUnixNano": (to * 1_000_000_000).to_string(),
        "attributes": [
            text("gen_ai.operation.name", operation), text("veilspan.rollout.id", "r"), text("veilspan.thread.id", "th"),
            text("veilspan.turn.id", "tu"), text("veilspan.outcome", "completed"),
            text("gen_ai.tool.call.arguments", "canary in a coal mine"),
        ],
    });
    if let Some(parent) = parent {
        span["parentSpanId"] = format!("{parent:016x}").into();
    }
    span
}

fn lines(batches: &[Vec<Value>]) -> String {
    let line = |spans: &Vec<Value>| json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string() + "\n";
    batches.iter().map(line).collect()
}

#[test]
fn spans_in_any_order_and_in_any_batches_give_the_same_bytes_and_nothing_that_was_said() {
    let spans = [
        span(1, None, "invoke_agent", 1, 9),
        span(2, Some(1), "chat", 2, 3),
        span(3, Some(1), "execute_tool", 3, 5),
        span(4, Some(1), "chat", 5, 8),
    ];
    let folder = tempfile::tempdir().unwrap();
    let reduced = |name: &str, text: String| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        printed(&veilspan(&["reduce", file.to_str().unwrap()], &[]))
    };
    let at_once = reduced("a", lines(&[spans.to_vec()]));
    let mut turned = spans.to_vec();
    turned.reverse();
    let one_by_one: Vec<Vec<Value>> = turned.iter().chain(&spans).map(|span| vec![span.clone()]).collect();
    assert_eq!(reduced("b", lines(&one_by_one)), at_once);
    let state: Value = serde_json::from_str(&at_once).unwrap();
    assert_eq!((&state["totals"]["inferences"], &state["totals"]["tool_calls"]), (&json!(2), &json!(1)));
    assert!(!at_once.contains("canary"));
    // A line that is none costs only itself.
    assert_eq!(reduced("c", format!("{}canary in a coal mine\n", lines(&[spans.to_vec()]))), at_once);
}

#[test]
fn what_cannot_be_read_is_said_with_its_name_and_a_code_and_never_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage");
    std::fs::write(&garbage, "canary in a coal mine\n").unwrap();
    for (input, what) in [
        (garbage.to_str().unwrap(), "neither a recording nor OTLP JSON lines"),
        (folder.path().to_str().unwrap(), "no `trace.jsonl`"),
        ("/nonexistent/input", "cannot be read"),
    ] {
        let output = veilspan(&["reduce", input], &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(65), "{said}");
        assert!(said.contains(what) && said.contains(input) && !said.contains("canary"), "{said}");
    }
    assert_eq!(veilspan(&["reduce"], &[]).status.code(), Some(64));
    assert_eq!(veilspan(&["reduce", "latest"], &[]).status.code(), Some(64));
}

#[test]
fn requests_that_were_made_readable_or_stand_in_an_array_are_read_as_on_lines() {
    let folder = tempfile::tempdir().unwrap();
    let batches = [vec![span(1, None, "invoke_agent", 1, 9)], vec![span(2, Some(1), "chat", 2, 3)]];
    let text = lines(&batches);
    let requests: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let reduced = |text: &str| {
        let path = folder.path().join("spans.json");
        std::fs::write(&path, text).unwrap();
        let output = veilspan(&["reduce", path.to_str().unwrap()], &[]);
        (output.status.code(), printed(&output))
    };
    let expected = reduced(&text);
    assert_eq!(expected.0, Some(0));
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let behind = requests.iter().map(pretty).collect::<Vec<_>>().join("\n");
    let array = Value::Array(requests);
    let marked = |text: &str| format!("\u{feff}{text}");
    let (lines_of_windows, pretty) = (text.replace('\n', "\r\n"), pretty(&array));
    let others = [&pretty, &marked(&pretty), &array.to_string(), &behind, &marked(&text), &lines_of_windows];
    for (number, other) in others.iter().enumerate() {
        assert_eq!(reduced(other), expected, "{number}");
    }
    // What only begins so is garbage like any other.
    for garbage in ["{\n", "[\n", "[{\n{\n"] {
        assert_eq!(reduced(&format!("{garbage}{text}")), expected, "{garbage}");
    }
}

#[test]
fn a_run_that_says_that_it_has_ended_is_over_when_all_of_it_has_been_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.jsonl");
    let reduced = |spans: &[Value]| -> Value {
        std::fs::write(&file, lines(&[spans.to_vec()])).unwrap();
        serde_json::from_str(&printed(&veilspan(&["reduce", file.to_str().unwrap()], &[]))).unwrap()
    };
    let mut waits = span(1, None, "invoke_agent", 1, 4);
    waits["attributes"].as_array_mut().unwrap().retain(|attribute| attribute["key"] != "veilspan.outcome");
    let mut last = span(2, None, "invoke_agent", 5, 9);
    let set = |span: &mut Value, attribute: Value| span["attributes"].as_array_mut().unwrap().push(attribute);
    for attribute in last["attributes"].as_array_mut().unwrap() {
        if attribute["key"] == "veilspan.turn.id" {
            attribute["value"]["stringValue"] = "last".into();
        }
    }
    let open = reduced(&[waits.clone(), last.clone()]);
    assert!(open.get("closed").is_none() && open["threads"][0]["turns"][0].get("outcome").is_none(), "{open}");
    set(&mut last, json!({"key": "veilspan.rollout.end", "value": {"boolValue": true}}));
    let closed = reduced(&[last.clone(), waits.clone()]);
    assert_eq!((&closed["closed"], &closed["outcome"]), (&json!("ended"), &json!("completed")));
    assert_eq!(closed["threads"][0]["turns"][0]["outcome"], "abandoned", "who waited is not waited for");
    assert_eq!(reduced(&[waits, last.clone(), last]), closed);
}

#[test]
fn latest_is_the_newest_bundle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bundles");
    let variables = [("CODEX_ROLLOUT_TRACE_ROOT", root.to_str().unwrap())];
    let newest = printed(&veilspan(&["reduce", "latest"], &variables));
    assert_eq!(newest, std::fs::read_to_string(bundle().join("expected.json")).unwrap());
}

/// Lines that are no request: bytes, pieces of JSON, nesting without end, requests with something else in the place of spans.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let no_line_end = |bytes: Vec<u8>| bytes.into_iter().map(|byte| if byte == b'\n' { b' ' } else { byte }).collect();
    let other = prop_oneof![
        Just(json!(null)),
        Just(json!({"traceId": "zz", "spanId": 7})),
        any::<i64>().prop_map(Value::from),
        "[a-z\"]{0,6}".prop_map(Value::from),
    ];
    let request =
        other.prop_map(|span| json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string().into_bytes());
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..100).prop_map(no_line_end),
        "[\\[\\]{}\",:0-9a-z ]{1,60}".prop_map(String::into_bytes),
        (1usize..5000).prop_map(|depth| vec![b'['; depth]),
        request,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn garbage_between_the_lines_of_a_file_changes_no_byte(
        all in prop::collection::vec((garbage(), 0usize..5), 1..8)
    ) {
        let spans =
            [span(1, None, "invoke_agent", 1, 9), span(2, Some(1), "chat", 2, 3), span(3, Some(1), "execute_tool", 3, 5)];
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spans.jsonl");
        let reduced = |lines: &[Vec<u8>]| {
            std::fs::write(&file, lines.join(&b'\n')).unwrap();
            printed(&veilspan(&["reduce", file.to_str().unwrap()], &[]))
        };
        let clean: Vec<Vec<u8>> =
            spans.iter().map(|span| lines(&[vec![span.clone()]]).trim_end().as_bytes().to_vec()).collect();
        let mut dirty = clean.clone();
        for (line, place) in all {
            dirty.insert(place.min(dirty.len()), line);
        }
        prop_assert_eq!(reduced(&dirty), reduced(&clean));
    }
}
