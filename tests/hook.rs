//! `veilspan hook`: what it keeps, and that nothing it meets is a concern of the agent.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const CANARY: &str = "canary in a coal mine";
const SESSION: &str = "00000000-0000-4000-8000-00000000000a";

fn call(home: &Path, arguments: &[&str], variables: &[(&str, &str)], payload: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_veilspan"))
        .arg("hook")
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever does not read is no failure of ours.
    _ = child.stdin.take().unwrap().write_all(payload);
    child.wait_with_output().unwrap()
}

fn keep(home: &Path, payload: &Value) {
    let output = call(home, &["--source", "claude-code"], &[], payload.to_string().as_bytes());
    assert_eq!((output.status.code(), output.stdout.len(), output.stderr.len()), (Some(0), 0, 0));
}

fn journals(home: &Path) -> Vec<PathBuf> {
    let folder = home.join(".local/state/veilspan/hooks");
    fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

fn planted() -> Value {
    json!({
        "session_id": SESSION, "hook_event_name": "PostToolUse", "transcript_path": format!("/home/{CANARY}/{SESSION}.jsonl"),
        "cwd": format!("/home/{CANARY}"), "tool_name": "Bash", "tool_use_id": "t1", "duration_ms": 70,
        "tool_input": {"command": CANARY, (CANARY): 1}, "tool_response": {"stdout": CANARY}, "prompt": CANARY,
        "last_assistant_message": CANARY, "error": CANARY, "permission_mode": CANARY, "message": CANARY, (CANARY): CANARY,
    })
}

#[test]
fn a_hook_keeps_names_and_digests_for_its_owner_alone_and_not_a_word() {
    let home = tempfile::tempdir().unwrap();
    keep(home.path(), &planted());
    keep(
        home.path(),
        &json!({"session_id": CANARY, "hook_event_name": CANARY, "tool_name": CANARY, "agent_id": CANARY}),
    );
    let journals = journals(home.path());
    assert_eq!(journals.len(), 2, "one for each session");
    for path in &journals {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(path), mode(path.parent().unwrap())), (0o600, 0o700));
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!name.contains(SESSION) && !name.contains("canary"));
        let text = fs::read_to_string(path).unwrap();
        assert!(!text.contains("canary") && !text.contains("coal") && !text.contains("/home"), "{text}");
    }
    let all: Vec<String> = journals.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let told = all.iter().find(|text| text.contains(SESSION)).unwrap();
    let fact: Value = serde_json::from_str(told).unwrap();
    assert_eq!((&fact["tool"], &fact["tool_id"], &fact["duration_ms"]), (&json!("Bash"), &json!("t1"), &json!(70)));
    assert!(fact["given"]["digest"].as_str().unwrap().starts_with("hmac-sha256:"));
}

/// Arguments, variables, and what stands on stdin.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a [u8]);

/// What a tool returned is looked into, as an object and as a text, and a field may stand there under both of its names.
#[test]
fn nothing_that_a_hook_looks_into_is_kept_as_it_was_said() {
    let home = tempfile::tempdir().unwrap();
    let response = json!({
        "is_error": true, "status": CANARY, "error": {"message": CANARY}, "agentId": CANARY, "agent_id": CANARY,
        "interrupted": CANARY, (CANARY): CANARY,
    });
    for response in [response.clone(), response.to_string().into(), format!("{CANARY} {response}").into()] {
        let mut payload = planted();
        payload.as_object_mut().unwrap().remove("error");
        for (name, value) in [("tool_response", &response), ("output", &response), ("tool", &json!(CANARY))] {
            payload[name] = value.clone();
        }
        for name in ["input", "last_agent_message", "sessionId", "prompt_id", "turn_id"] {
            payload[name] = CANARY.into();
        }
        keep(home.path(), &payload);
    }
    let [journal] = journals(home.path()).try_into().unwrap();
    let text = fs::read_to_string(journal).unwrap();
    assert_eq!(text.lines().count(), 3);
    assert!(!text.contains("canary") && !text.contains("coal"), "{text}");
    let errors: Vec<bool> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["is_error"] == json!(true)).collect();
    assert_eq!(errors, [true, true, false]);
}

#[test]
fn t49_whatever_goes_wrong_a_hook_succeeds_and_says_nothing() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("no-folder");
    fs::write(&file, b"x").unwrap();
    let nowhere = file.to_str().unwrap();
    let good = planted().to_string();
    let cases: [Case<'_>; 9] = [
        (&["--source", "claude-code"], &[], b""),
        (&["--source", "claude-code"], &[], b"not json"),
        (&["--source", "claude-code"], &[], b"[1]"),
        (&["--source", "claude-code"], &[], b"\xff\xfe"),
        (&[], &[], good.as_bytes()),
        (&["--source", "nobody", "--what"], &[], good.as_bytes()),
        (&["--source", "codex"], &[("XDG_STATE_HOME", nowhere), ("HOME", nowhere)], good.as_bytes()),
        (
            &["--source", "codex"],
            &[("VEILSPAN_CONTENT", "everything"), ("VEILSPAN_HASH_KEY", "short")],
            good.as_bytes(),
        ),
        (
            &["--source", "codex"],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), ("RUST_LOG", "trace")],
            b"{}",
        ),
    ];
    for (arguments, variables, payload) in cases {
        let output = call(home.path(), arguments, variables, payload);
        let said = [output.stdout, output.stderr].concat();
        assert_eq!(
            (output.status.code(), said.len()),
            (Some(0), 0),
            "{arguments:?} {}",
            String::from_utf8_lossy(&said)
        );
    }
    let long = vec![b'x'; 20 << 20];
    assert!(call(home.path(), &["--source", "codex"], &[], &long).status.success());
}

#[test]
fn a_journal_that_is_a_link_is_not_written() {
    let home = tempfile::tempdir().unwrap();
    keep(home.path(), &planted());
    let journal = journals(home.path()).pop().unwrap();
    let elsewhere = home.path().join("elsewhere");
    fs::write(&elsewhere, b"mine").unwrap();
    fs::remove_file(&journal).unwrap();
    symlink(&elsewhere, &journal).unwrap();
    keep(home.path(), &planted());
    assert_eq!(fs::read(&elsewhere).unwrap(), b"mine");
}

#[test]
fn what_hooks_kept_is_part_of_the_import() {
    let home = tempfile::tempdir().unwrap();
    let transcript = home.path().join(format!("{SESSION}.jsonl"));
    let row = |uuid: &str, kind: &str, content: Value, more: Value| {
        let mut row =
            json!({"uuid": uuid, "type": kind, "sessionId": SESSION, "timestamp": "2026-01-01T00:00:01.000Z"});
        row["message"] = json!({"id": "m1", "role": kind, "model": "claude-x", "content": content});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row.to_string()
    };
    let rows = [
        row("a", "user", json!("go"), json!({"promptId": "p1"})),
        row("b", "assistant", json!([{"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}]), json!({})),
        row(
            "c",
            "user",
            json!([{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]),
            json!({"toolUseResult": {}}),
        ),
    ];
    fs::write(&transcript, rows.join("\n") + "\n").unwrap();
    // Some shells put a mark before what they hand on, and some editors before what they keep.
    let payload = format!("\u{feff}{}", planted());
    assert!(call(home.path(), &["--source", "claude-code"], &[], payload.as_bytes()).status.success());
    let journal = journals(home.path()).pop().unwrap();
    let kept = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, format!("\u{feff}{kept}")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_veilspan"))
        .args(["import", "claude-code", transcript.to_str().unwrap(), "--dry-run"])
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("veilspan.tool.execution_ms"), "{printed}");
}
