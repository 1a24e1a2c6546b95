//! The commands: what they print, and every file that they leave behind, of recordings in which everything is planted.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use veilspan::Policy;
use veilspan::privacy::Level;
use veilspan::semconv::Field::{self, Completions, Prompts, Reasoning, ToolArguments, ToolResults};

use super::policies::every_level;
use super::script::{Claude, Codex, SESSION, lines, time};
use crate::support::canaries::{Class, Echo, Exits, Plants, Shape, bytes_of};

const SENT: &[Field] = &[Prompts];
const ANSWERED: &[Field] = &[Completions];
const GIVEN: &[Field] = &[ToolArguments];
const RETURNED: &[Field] = &[ToolResults];

fn claude(p: &mut Plants) -> Vec<u8> {
    let mut script = Claude::default();
    let thought = json!({"type": "thinking", "thinking": p.said(&[Reasoning], "claude's thought")});
    script.prompt(1.0, "p1", &p.said(SENT, "claude's prompt")).answer(2.0, "m1", thought, (1, 1), "");
    let input = json!({"command": p.said(GIVEN, "claude's argument"), (p.said(GIVEN, "claude's key")): 1});
    script.call(3.0, "m1", ("t1", "Bash"), input);
    let known = json!({"is_error": true, "known": {"stdout": p.said(RETURNED, "claude's output")}});
    script.result(4.0, "t1", &p.said(RETURNED, "claude's result"), known);
    script.row(4.5, json!({"type": p.label("type of a row"), "content": p.hidden("unknown content")}));
    script.say(5.0, "m2", &p.said(ANSWERED, "claude's answer"));
    for row in script.rows.iter_mut().filter(|row| row["message"]["model"].is_string()) {
        row["message"]["model"] = p.label("claude's model").into();
    }
    script.row(6.0, json!({"type": "system", "subtype": "turn_duration", "gitBranch": p.hidden("branch")}));
    script.bytes()
}

fn codex(p: &mut Plants) -> Vec<u8> {
    let mut script = Codex::session(1.0, "main-1");
    script.rows[0]["payload"]["base_instructions"] = json!({"text": p.said(&[Field::System], "codex' instructions")});
    script.rows[0]["payload"]["git"] =
        json!({"repository_url": p.hidden("repository"), "branch": p.hidden("git branch")});
    script.rows[1]["payload"]["model"] = p.label("codex' model").into();
    script.start(2.0, "t1").asks(2.0, &p.said(SENT, "codex' prompt"));
    script.thinks(3.0, &p.said(&[Reasoning], "codex' thought")).says(3.0, &p.said(ANSWERED, "codex' answer"));
    let arguments = json!({"command": [p.said(GIVEN, "codex' command")]}).to_string();
    script.calls(4.0, "c1", "shell", &arguments).tokens(4.0, 1, 1);
    script.event(4.5, &p.label("kind of an event"), json!({"text": p.hidden("unknown event")}));
    script.gets(5.0, "c1", json!(format!("Error: {}", p.said(RETURNED, "codex' result"))));
    let history = json!([p.said(SENT, "replacement")]);
    script.row(5.5, "compacted", json!({"message": p.said(ANSWERED, "summary"), "replacement_history": history}));
    script.tokens(5.6, 1, 1).end(6.0, "t1");
    script.bytes()
}

fn ouroboros(p: &mut Plants) -> Vec<u8> {
    let event = |second, kind: &str, data: Value| {
        json!({"id": "e", "type": kind, "timestamp": time(second), "aggregate_type": "execution", "aggregate_id": "x1",
            "data": data, "event_version": 1})
    };
    let said = |p: &mut Plants, more: Value| {
        let mut data = json!({"call_id": "01A", "target_type": "execution", "execution_id": "run-1",
            "model_id": p.label("journal's model"), "extra": {"x": {"y": p.hidden("extra")}}});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let asked = json!({"prompt_preview": p.hidden("journal's prompt"), "prompt": p.hidden("journal's whole prompt")});
    let answered = json!({"completion_preview": p.hidden("journal's answer"), "is_error": false, "duration_ms": 900});
    lines(&[
        event(1.0, "llm.call.requested", said(p, asked)),
        event(2.0, "llm.call.returned", said(p, answered)),
        event(3.0, &p.label("kind of the journal"), json!({"x": p.hidden("unknown data")})),
    ])
}

fn otlp(p: &mut Plants) -> Vec<u8> {
    let text = |key: &str, value: String| json!({"key": key, "value": {"stringValue": value}});
    let messages = |role: &str, said: String| {
        json!([{"role": role, "parts": [{"type": "text", "content": said}], "finish_reason": "stop"}]).to_string()
    };
    let attributes = vec![
        text("gen_ai.operation.name", "chat".to_owned()),
        text("gen_ai.request.model", p.label("model of a span")),
        text("veilspan.rollout.id", p.label("rollout of a span")),
        text("veilspan.usage.missing", p.hidden("what is no reason")),
        text("gen_ai.input.messages", messages("user", p.said(SENT, "question of a span"))),
        text("gen_ai.output.messages", messages("assistant", p.said(ANSWERED, "answer of a span"))),
        text("some.words", p.said(SENT, "unknown attribute")),
    ];
    let span = json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": p.hidden("name"),
        "kind": 3, "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225601000000000",
        "attributes": attributes, "status": {"code": 2, "message": p.hidden("status")}});
    lines(&[json!({"resourceSpans": [{"resource": {"attributes": [text("service.name", p.label("service"))]},
        "scopeSpans": [{"scope": {"name": "s"}, "spans": [span]}]}]})])
}

fn hook(p: &mut Plants) -> Vec<u8> {
    let payload = json!({
        "session_id": SESSION, "hook_event_name": "PostToolUse", "transcript_path": p.label("name of the transcript"), "cwd": p.hidden("folder"),
        "tool_name": p.label("hooked tool"), "tool_use_id": p.label("hooked id"),
        "tool_input": {"command": p.said(GIVEN, "hooked argument")}, "tool_response": {"stdout": p.said(RETURNED, "hooked result")},
        "prompt": p.said(SENT, "hooked prompt"), "last_assistant_message": p.said(ANSWERED, "hooked answer"),
        "error": p.said(&[Field::Errors], "hooked error"), (p.hidden("hooked key")): p.hidden("hooked value"),
    });
    payload.to_string().into_bytes()
}

/// A home, and what lies beside it to be read.
pub struct Desk {
    pub home: tempfile::TempDir,
    inputs: tempfile::TempDir,
    level: &'static str,
}

impl Desk {
    pub fn new(policy: &Policy) -> Self {
        let folder = || tempfile::tempdir().unwrap();
        Self { home: folder(), inputs: folder(), level: policy.level().as_str() }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.inputs.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_veilspan"))
            .args(arguments)
            .env_clear()
            .envs([("VEILSPAN_CONTENT", self.level), ("VEILSPAN_CONTENT_MAX", "full"), ("RUST_LOG", "trace")])
            .envs(["HOME", "TMPDIR"].map(|name| (name, self.home.path())))
            .env("VEILSPAN_PAYLOADS", self.home.path().join("payloads"))
            .env("VEILSPAN_ATTRIBUTE_BYTES", "400")
            .current_dir(&self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whoever does not read is no failure of ours.
        _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }
}

/// Every command that reads a recording.
fn commands<'a>(path: &'a str, importer: Option<&'a str>, written: &'a str) -> Vec<Vec<&'a str>> {
    let mut commands = vec![
        vec!["reduce", path],
        vec!["reduce", path, "--format", "tree"],
        vec!["reduce", path, "--format", "codex-state", "-o", written],
        vec!["diff", path, path],
        vec!["diff", path, path, "--format", "json"],
        vec!["replay", path],
        vec!["restore", path, "--at", "end"],
    ];
    commands.extend(importer.map(|agent| vec!["import", agent, path, "--dry-run"]));
    commands
}

/// Told of what the commands of this round have made of one recording; answers how many of them had something to say.
pub fn look(exits: &mut Exits<'_>, desk: &Desk, path: &Path, importer: Option<&str>, round: usize) -> usize {
    let written = desk.home.path().join("written.json");
    let commands = commands(path.to_str().unwrap(), importer, written.to_str().unwrap());
    let mut told = 0;
    for arguments in commands.iter().cycle().skip(round * EACH_ROUND).take(EACH_ROUND) {
        let output = desk.run(arguments, b"");
        let command = arguments.join(" ");
        exits.veiled(&format!("what `{command}` prints"), &output.stdout);
        exits.named(&format!("what `{command}` logs"), &output.stderr);
        told += usize::from(!output.stdout.is_empty());
    }
    exits.veiled("files", &bytes_of(desk.home.path()));
    told
}

/// The commands that are run of each recording under each level in each shape: with the rounds each has its turn.
const EACH_ROUND: usize = 2;

#[test]
fn what_commands_print_and_write_of_a_recording_is_what_the_policy_lets_leave() {
    type Script = fn(&mut Plants) -> Vec<u8>;
    let recordings: [(&str, Option<&str>, Script); 4] = [
        ("rollout-main-1.jsonl", Some("codex"), codex),
        ("00000000-0000-4000-8000-00000000000a.jsonl", Some("claude-code"), claude),
        ("journal.jsonl", Some("ouroboros"), ouroboros),
        ("spans.json", None, otlp),
    ];
    let (mut told, mut labels, mut round) = ([0; 4], [0; 4], 0);
    for policy in every_level() {
        for shape in Shape::ALL {
            for (place, (name, importer, script)) in recordings.into_iter().enumerate() {
                let desk = Desk::new(&policy);
                let mut plants = Plants::new(shape);
                let path = desk.put(name, &script(&mut plants));
                let mut exits = Exits::of(&plants, &policy);
                told[place] += look(&mut exits, &desk, &path, importer, round);
                exits.assert_kept();
                labels[place] += exits.seen().filter(|canary| canary.class == Class::Label).count();
            }
            round += 1;
        }
    }
    // Lest nothing is found for want of anything to find.
    assert!(told.iter().all(|told| *told > 8), "{told:?}");
    assert!(labels.iter().all(|labels| *labels > 0), "{labels:?}");
}

#[test]
fn what_is_listed_and_imported_of_the_sessions_at_home_is_what_the_policy_lets_leave() {
    for policy in every_level() {
        for shape in Shape::ALL {
            let mut plants = Plants::new(shape);
            let desk = Desk::new(&policy);
            let at =
                [".claude/projects/-planted", ".codex/sessions/2026/01/01"].map(|below| desk.home.path().join(below));
            at.iter().for_each(|folder| std::fs::create_dir_all(folder).unwrap());
            std::fs::write(at[0].join(format!("{SESSION}.jsonl")), claude(&mut plants)).unwrap();
            let name = "rollout-2026-01-01T00-00-00-00000000-0000-4000-8000-00000000000b.jsonl";
            std::fs::write(at[1].join(name), codex(&mut plants)).unwrap();
            let echo = Echo::start();
            let mut exits = Exits::of(&plants, &policy);
            for arguments in [&["sessions"][..], &["import", "claude-code", "latest", "--endpoint", &echo.url()]] {
                let output = desk.run(arguments, b"");
                // The sink says that it refused a span of what was imported.
                assert!(arguments.len() > 1 || output.status.success());
                exits.veiled("what it prints", &output.stdout);
                exits.named("what it logs", &output.stderr);
            }
            let requests = echo.requests();
            assert!(!requests.is_empty());
            requests.iter().for_each(|request| exits.veiled("the wire", request));
            for left in [".local", ".cache", "payloads"] {
                exits.veiled("files", &bytes_of(&desk.home.path().join(left)));
            }
            exits.assert_kept();
        }
    }
}

#[test]
fn what_a_hook_keeps_is_what_the_policy_lets_leave() {
    for policy in every_level() {
        for shape in Shape::ALL {
            let desk = Desk::new(&policy);
            let mut plants = Plants::new(shape);
            let output = desk.run(&["hook", "--source", "claude-code"], &hook(&mut plants));
            let kept = bytes_of(desk.home.path());
            let mut exits = Exits::of(&plants, &policy);
            exits.silent("stdout", &output.stdout);
            exits.silent("stderr", &output.stderr);
            exits.veiled("the journal of hooks", &kept);
            exits.assert_kept();
            assert!(!kept.is_empty());
            assert_eq!(exits.seen().any(|canary| canary.class == Class::Label), shape == Shape::Label);
        }
    }
}

#[test]
fn long_content_that_a_command_refers_to_is_kept_before_it_ends() {
    let policy = &every_level()[3];
    assert_eq!(policy.level(), Level::Masked);
    let desk = Desk::new(policy);
    let mut script = Codex::session(1.0, "main-1");
    let long = "what was asked at length ".repeat(400);
    script.start(2.0, "t1").asks(2.0, &long).says(3.0, &long).tokens(4.0, 1, 1).end(6.0, "t1");
    let path = desk.put("rollout-main-1.jsonl", &script.bytes());
    let output = desk.run(&["reduce", path.to_str().unwrap()], b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!bytes_of(&desk.home.path().join("payloads")).is_empty(), "it is kept in the folder of payloads");
}
