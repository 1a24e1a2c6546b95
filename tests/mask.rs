//! `veilspan mask`, as a process.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn mask(arguments: &[&str], environment: &[(&str, &str)], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    command.arg("mask").args(arguments).env_clear().envs(environment.iter().copied());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A process that ends early closes its end; what it read is what counts.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn text_is_masked_and_the_rest_stays_byte_for_byte() {
    let output = mask(&[], &[], b"mail jane@example.com\r\n\tDB_PASSWORD=hunter2\n\nno end");
    assert_eq!(stdout(&output), "mail [redacted:email]\r\n\tDB_PASSWORD=[redacted:password]\n\nno end");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn lines_of_json_keep_their_ids_and_order() {
    let input = "{\"id\":7,\"text\":\"call +1 415 555 2671\"}\n\n{\"text\":\"nothing\",\"id\":\"b\",\"more\":\"jane@example.com\"}\n";
    let output = mask(&["--jsonl"], &[], input.as_bytes());
    assert_eq!(
        stdout(&output),
        "{\"id\":7,\"text\":\"call [redacted:phone-number]\"}\n{\"id\":\"b\",\"text\":\"nothing\"}\n"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_bad_line_is_told_by_its_number_and_the_rest_is_masked() {
    let long = format!("{{\"id\":3,\"text\":\"{}\"}}", "canary ".repeat(3 << 20));
    let input = format!(
        "{{\"id\":1,\"text\":\"a@example.com\"}}\n{{\"id\":2,\"text\":canary}}\n{long}\n{{\"id\":4}}\n{{\"id\":5,\"text\":\"b\"}}"
    );
    let output = mask(&["--jsonl"], &[], input.as_bytes());
    assert_eq!(stdout(&output), "{\"id\":1,\"text\":\"[redacted:email]\"}\n{\"id\":5,\"text\":\"b\"}\n");
    assert_eq!(output.status.code(), Some(65));
    let told = String::from_utf8(output.stderr).unwrap();
    for line in ["line=2", "line=3", "line=4"] {
        assert!(told.contains(line), "{told}");
    }
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn a_file_of_rules_adds_to_the_rules_and_a_bad_one_is_told_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.yaml");
    std::fs::write(&path, "rules:\n  - name: employee-id\n    pattern: 'EMP-[0-9]{6}'\n").unwrap();
    let path = path.to_str().unwrap();
    let by_argument = mask(&["--detectors", path], &[], b"EMP-123456 a@example.com");
    assert_eq!(stdout(&by_argument), "[redacted:employee-id] [redacted:email]");
    let by_variable = mask(&[], &[("VEILSPAN_DETECTORS", path)], b"EMP-123456");
    assert_eq!(stdout(&by_variable), "[redacted:employee-id]");

    std::fs::write(path, "rules:\n  - name: employee-id\n    pattern: '(canary'\n").unwrap();
    let bad = mask(&["--detectors", path], &[], b"EMP-123456");
    let told = String::from_utf8(bad.stderr).unwrap();
    assert_eq!((bad.status.code(), bad.stdout.len()), (Some(65), 0));
    assert!(told.contains("line 3") && !told.contains("canary"), "{told}");
}

#[test]
fn without_detectors_nothing_is_let_through() {
    let output = mask(&[], &[("VEILSPAN_DETECTORS", "none")], b"canary");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(64), 0));
    let missing = mask(&["--detectors", "/nonexistent/rules"], &[], b"canary");
    assert_eq!((missing.status.code(), missing.stdout.len()), (Some(69), 0));
}
