//! `veilspan import --follow`: files that grow, are cut short and are replaced.
#![cfg(all(unix, feature = "cli"))]
#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

#[path = "import/script.rs"]
mod script;
mod support;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use rustix::process::{Pid, Signal, kill_process};
use script::{Claude, Codex};
use support::receiver::{Behaviour, Receiver};

fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    command.env_clear().env("VEILSPAN_HASH", "sha256").env("HOME", home).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn follow(home: &Path, path: &Path, endpoint: &str) -> Child {
    follow_of(home, "codex", path, endpoint)
}

fn follow_of(home: &Path, agent: &str, path: &Path, endpoint: &str) -> Child {
    let path = path.to_str().unwrap();
    command(home).args(["import", agent, path, "--follow", "--endpoint", endpoint]).spawn().unwrap()
}

fn stop(mut child: Child) {
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let long = Instant::now() + Duration::from_secs(120);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < long, "it ends on Ctrl-C");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn session() -> Codex {
    let mut script = Codex::session(1.0, "main-1");
    for turn in 0..3 {
        let (second, id) = (10.0 * f64::from(turn) + 2.0, format!("t{turn}"));
        script.start(second, &id).asks(second, "go").calls(second + 1.0, &format!("c{turn}"), "shell", "{}");
        script.tokens(second + 1.0, 1, 1).gets(second + 2.0, &format!("c{turn}"), serde_json::json!("x"));
        script.says(second + 3.0, "done").tokens(second + 3.0, 1, 1).end(second + 4.0, &id);
    }
    script
}

fn sorted(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by(|one, other| one.span_id.cmp(&other.span_id));
    spans
}

fn imported(path: &Path) -> Vec<Span> {
    imported_of("codex", path)
}

fn imported_of(agent: &str, path: &Path) -> Vec<Span> {
    let (home, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(Behaviour::Accept));
    let arguments = ["import", agent, path.to_str().unwrap(), "--endpoint", &receiver.url()];
    assert!(command(home.path()).args(arguments).status().unwrap().success());
    sorted(receiver.spans())
}

#[test]
fn a_session_that_grows_in_portions_is_sent_as_one_that_is_imported_whole_and_once() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rollout-main-1.jsonl");
    let receiver = Receiver::start(Behaviour::Accept);
    let bytes = session().bytes();
    let mut file = File::create(&path).unwrap();
    let (early, late) = bytes.split_at(bytes.len() * 2 / 3);
    let first = follow(home.path(), &path, &receiver.url());
    for portion in early.chunks(301) {
        file.write_all(portion).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    // The first turn has ended by what came after it: a tool, two inferences, the turn itself.
    receiver.wait_for_spans(4);
    stop(first);
    let second = follow(home.path(), &path, &receiver.url());
    file.write_all(late).unwrap();
    drop(file);
    let whole = imported(&path);
    assert_eq!(whole.len(), 12);
    receiver.wait_for_spans(whole.len());
    stop(second);
    assert_eq!(sorted(receiver.spans()), whole);
}

#[test]
fn a_file_that_is_cut_short_or_replaced_is_read_anew_and_nothing_is_sent_twice() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rollout-main-1.jsonl");
    let receiver = Receiver::start(Behaviour::Accept);
    let script = session();
    let bytes = script.bytes();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let child = follow(home.path(), &path, &receiver.url());
    receiver.wait_for_spans(4);
    fs::write(&path, &bytes[..bytes.len() / 3]).unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let beside = home.path().join("beside");
    fs::write(&beside, &bytes).unwrap();
    fs::rename(&beside, &path).unwrap();
    let whole = imported(&path);
    receiver.wait_for_spans(whole.len());
    stop(child);
    assert_eq!(sorted(receiver.spans()), whole);
}

/// Adds portions of files of any size, each in its own order.
fn grow(files: &mut [(std::path::PathBuf, &[u8])], mut seed: u64) {
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    while files.iter().any(|(_, rest)| !rest.is_empty()) {
        let place = random(files.len());
        let (path, rest) = &mut files[place];
        let (now, later) = rest.split_at(rest.len().min(1 + random(20_000)));
        File::options().append(true).create(true).open(path).unwrap().write_all(now).unwrap();
        *rest = later;
        std::thread::sleep(Duration::from_millis(15));
    }
}

fn assert_manifest(spans: &[Span]) {
    let of = |kind: &str| spans.iter().filter(|span| span.name.starts_with(kind)).count();
    assert_eq!((of("invoke_agent"), of("chat"), of("execute_tool")), (4, 7, 13));
    let sum = |name: &str| -> i64 {
        let attributes = spans.iter().flat_map(|span| &span.attributes).filter(|attribute| attribute.key == name);
        let values = attributes.filter_map(|attribute| attribute.value.as_ref()?.value.as_ref());
        values.map(|value| if let Value::IntValue(count) = value { *count } else { panic!() }).sum()
    };
    let tokens = ["input_tokens", "output_tokens", "cache_read.input_tokens", "cache_creation.input_tokens"];
    assert_eq!(tokens.map(|name| sum(&format!("gen_ai.usage.{name}"))), [187_216, 1_867, 165_784, 21_064]);
}

#[test]
fn t39_a_real_session_that_is_followed_live_gives_the_numbers_of_its_manifest() {
    let Some(corpus) = std::env::var_os("VEILSPAN_CORPUS") else {
        println!("skipped: VEILSPAN_CORPUS names no folder of recordings");
        return;
    };
    let from = Path::new(&corpus).join("claude/four-turns");
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("live");
    let name = "transcripts/4381b0d7-d67e-4187-bb2d-86a101d3b955.jsonl";
    let (events, rows) = (fs::read(from.join("events.ndjson")).unwrap(), fs::read(from.join(name)).unwrap());
    fs::create_dir_all(folder.join("transcripts")).unwrap();
    // So that it is one session from its beginning.
    fs::write(folder.join("events.ndjson"), b"").unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    for round in 0..2 {
        let child = follow_of(home.path(), "claude-code", &folder, &receiver.url());
        if round == 0 {
            let mut files = [(folder.join("events.ndjson"), &events[..]), (folder.join(name), &rows[..])];
            grow(&mut files, 7);
            receiver.wait_for_spans(24);
        } else {
            std::thread::sleep(Duration::from_secs(2));
        }
        stop(child);
        assert_manifest(&receiver.spans());
    }
    assert_eq!(sorted(receiver.spans()), imported_of("claude-code", &folder));
}

#[test]
fn a_journal_that_grows_is_followed_and_a_call_that_runs_is_sent_once_it_has_returned() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("journal.jsonl");
    let event = |second: u32, kind: &str, call: u32| {
        let data = serde_json::json!({"call_id": format!("call-{call}"), "model_id": "m", "is_error": false});
        let time = format!("2026-01-01T00:00:{second:02}Z");
        serde_json::json!({"type": kind, "timestamp": time, "aggregate_type": "x", "aggregate_id": "1", "data": data})
            .to_string()
            + "\n"
    };
    let mut rows: Vec<String> = (0..20).map(|call| event(call, "llm.call.requested", call)).collect();
    rows.extend((0..20).map(|call| event(call + 20, "llm.call.returned", call)));
    let bytes = rows.concat().into_bytes();
    let (early, late) = bytes.split_at(bytes.len() * 3 / 4);
    let receiver = Receiver::start(Behaviour::Accept);
    fs::write(&path, b"").unwrap();
    let first = follow_of(home.path(), "ouroboros", &path, &receiver.url());
    grow(&mut [(path.clone(), early)], 3);
    receiver.wait_for_spans(8);
    stop(first);
    let second = follow_of(home.path(), "ouroboros", &path, &receiver.url());
    grow(&mut [(path.clone(), late)], 4);
    receiver.wait_for_spans(20);
    stop(second);
    assert_eq!(sorted(receiver.spans()), imported_of("ouroboros", &path));
}

#[test]
fn a_session_that_begins_in_a_followed_folder_and_two_files_of_one_name_are_each_read_by_themselves() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("sessions");
    fs::create_dir_all(folder.join("a")).unwrap();
    fs::create_dir_all(folder.join("b")).unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let child = follow(home.path(), &folder, &receiver.url());
    let bytes = session().bytes();
    let name = "rollout-main-1.jsonl";
    grow(&mut [(folder.join("a").join(name), &bytes[..]), (folder.join("b").join(name), &bytes[..])], 5);
    receiver.wait_for_spans(12);
    stop(child);
    assert_eq!(sorted(receiver.spans()), imported(&folder.join("a").join(name)));
}

#[test]
fn a_stop_hook_waits_until_what_it_ends_was_sent_and_not_where_nobody_sends_it() {
    use script::{Claude, SESSION};
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(format!("{SESSION}.jsonl"));
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "go").say(2.0, "m1", "done");
    fs::write(&path, script.bytes()).unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let hook = |millis: &str| {
        let mut hook = command(home.path());
        let hook = hook.args(["hook", "--source", "claude-code"]).env("VEILSPAN_HOOK_BLOCK_MS", millis);
        let mut child = hook.stdin(Stdio::piped()).spawn().unwrap();
        let payload = serde_json::json!({"session_id": SESSION, "hook_event_name": "Stop"}).to_string();
        child.stdin.take().unwrap().write_all(payload.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    };
    hook("50");
    assert_eq!(receiver.spans().len(), 0);
    let child = follow_of(home.path(), "claude-code", &path, &receiver.url());
    hook("600000");
    assert_eq!(receiver.spans().len(), 2, "the hook has waited");
    stop(child);
}

#[test]
fn a_compressed_session_in_a_followed_folder_is_read_and_read_anew_when_it_has_changed() {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("sessions");
    fs::create_dir(&folder).unwrap();
    let packed = folder.join("rollout-main-1.jsonl.zst");
    let write = |bytes: &[u8]| fs::write(&packed, compress_to_vec(bytes, CompressionLevel::Fastest)).unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let bytes = session().bytes();
    fs::write(&packed, b"not yet what it will be").unwrap();
    let child = follow(home.path(), &folder, &receiver.url());
    write(&bytes[..bytes.len() * 2 / 3]);
    receiver.wait_for_spans(4);
    write(&bytes);
    let plain = home.path().join("rollout-main-1.jsonl");
    fs::write(&plain, &bytes).unwrap();
    let whole = imported(&plain);
    receiver.wait_for_spans(whole.len());
    stop(child);
    assert_eq!(sorted(receiver.spans()), whole);
}

#[test]
fn a_session_that_hooks_alone_tell_of_is_followed_and_one_with_a_transcript_is_told_by_that() {
    use script::{Claude, SESSION};
    const OTHER: &str = "00000000-0000-4000-8000-00000000000b";
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("live");
    fs::create_dir_all(folder.join("transcripts")).unwrap();
    let events = folder.join("events.ndjson");
    let hook = |second, session: &str, name: &str, more| hook_line(second, session, name, &more);
    // As an editor may write it.
    let mut lines = "\u{feff}".to_owned();
    for session in [SESSION, OTHER] {
        for turn in 0..2 {
            let second = f64::from(turn) * 10.0;
            lines += &hook(second + 1.0, session, "UserPromptSubmit", serde_json::json!({"prompt": "go"}));
            // Nobody gives it an id: it is known by its place.
            let tool = serde_json::json!({"tool_name": "Bash", "tool_input": {}, "tool_response": "ok"});
            lines += &hook(second + 2.0, session, "PostToolUse", tool);
            lines += &hook(second + 3.0, session, "Stop", serde_json::json!({}));
        }
    }
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "go").say(3.0, "m1", "done").prompt(11.0, "p2", "go").say(13.0, "m2", "done");
    fs::write(&events, b"").unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let child = follow_of(home.path(), "claude-code", &folder, &receiver.url());
    let transcript = folder.join("transcripts").join(format!("{SESSION}.jsonl"));
    grow(&mut [(events.clone(), lines.as_bytes()), (transcript, &script.bytes())], 9);
    // Two turns with a tool each from hooks, two turns with an inference each from the transcript. The hooks wait for a
    // transcript, and their turns for what comes late.
    (0..20).find(|_| receiver.wait_for_spans(8).len() >= 8).unwrap();
    stop(child);
    let names = |spans: &[Span], kind: &str| spans.iter().filter(|span| span.name.starts_with(kind)).count();
    let spans = sorted(receiver.spans());
    let kinds = ["invoke_agent", "execute_tool", "chat"];
    assert_eq!(kinds.map(|kind| names(&spans, kind)), [4, 2, 2]);
    assert_eq!(spans, imported_of("claude-code", &folder));
}

/// A line of a journal of hooks.
fn hook_line(second: f64, session: &str, name: &str, more: &serde_json::Value) -> String {
    let mut payload = serde_json::json!({"session_id": session, "hook_event_name": name});
    payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::json!({"ts": script::time(second), "hook": name, "payload": payload}).to_string() + "\n"
}

#[test]
fn what_hooks_alone_told_of_is_not_told_again_by_a_transcript_that_comes_late() {
    use script::{Claude, SESSION};
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("live");
    fs::create_dir_all(folder.join("transcripts")).unwrap();
    let hook = |second, name: &str, more| hook_line(second, SESSION, name, &more);
    let (mut lines, mut script) = (String::new(), Claude::default());
    for (turn, prompt) in ["go", "go", "stop"].into_iter().enumerate() {
        let (second, tool) = (turn as f64 * 10.0, format!("toolu_{turn}"));
        // Nobody gives the turn an id.
        lines += &hook(second + 1.0, "UserPromptSubmit", serde_json::json!({"prompt": prompt}));
        let call =
            serde_json::json!({"tool_name": "Bash", "tool_use_id": tool, "tool_input": {}, "tool_response": "ok"});
        lines += &hook(second + 3.0, "PostToolUse", call);
        lines += &hook(second + 4.0, "Stop", serde_json::json!({}));
        script.prompt(second + 1.2, &format!("p{turn}"), prompt);
        script.call(second + 2.0, &format!("m{turn}"), (&tool, "Bash"), serde_json::json!({})).result(
            second + 3.0,
            &tool,
            "ok",
            serde_json::json!({}),
        );
    }
    // Of the last turn hooks did not tell.
    script.prompt(41.0, "p3", "go").say(42.0, "m3", "done");
    fs::write(folder.join("events.ndjson"), lines).unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let import = || {
        let arguments = ["import", "claude-code", folder.to_str().unwrap(), "--endpoint", &receiver.url()];
        assert!(command(home.path()).args(arguments).status().unwrap().success());
        receiver.spans()
    };
    let kinds = ["invoke_agent", "execute_tool", "chat"];
    let count = |spans: &[Span]| kinds.map(|kind| spans.iter().filter(|span| span.name.starts_with(kind)).count());
    let alone = import();
    assert_eq!(count(&alone), [3, 3, 0]);
    fs::write(folder.join("transcripts").join(format!("{SESSION}.jsonl")), script.bytes()).unwrap();
    let both = import();
    assert_eq!(count(&both), [4, 3, 4], "what the transcript alone knows is told, and nothing else again");
    let place = |span: &Span| (span.trace_id.clone(), span.span_id.clone());
    let turns: Vec<_> = both.iter().filter(|span| span.name.starts_with(kinds[0])).map(place).collect();
    for chat in both.iter().filter(|span| span.name.starts_with("chat")) {
        assert!(turns.contains(&(chat.trace_id.clone(), chat.parent_span_id.clone())));
    }
    assert_eq!(import().len(), both.len());
}

#[test]
fn a_turn_whose_prompt_hooks_did_not_tell_is_not_told_again_by_a_transcript_that_comes_late() {
    use script::{Claude, SESSION};
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("live");
    fs::create_dir_all(folder.join("transcripts")).unwrap();
    let hook = |second, name: &str, more| hook_line(second, SESSION, name, &more);
    let mut script = Claude::default();
    // Hooks were set up in the middle of the second turn.
    script.prompt(1.0, "p0", "go").say(2.0, "m0", "done");
    let mut lines = String::new();
    for (turn, prompt) in [(1, "go on"), (2, "more")] {
        let (second, tool) = (f64::from(turn) * 10.0, format!("toolu_{turn}"));
        let input = serde_json::json!({});
        script.prompt(second, &format!("p{turn}"), prompt).call(second + 5.0, "m1", (&tool, "Bash"), input.clone());
        script.result(second + 6.0, &tool, "ok", input);
        if turn == 2 {
            lines += &hook(second, "UserPromptSubmit", serde_json::json!({"prompt": prompt}));
        }
        let call =
            serde_json::json!({"tool_name": "Bash", "tool_use_id": tool, "tool_input": {}, "tool_response": "ok"});
        lines += &hook(second + 6.0, "PostToolUse", call);
        lines += &hook(second + 7.0, "Stop", serde_json::json!({}));
    }
    fs::write(folder.join("events.ndjson"), lines).unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let import = || {
        let arguments = ["import", "claude-code", folder.to_str().unwrap(), "--endpoint", &receiver.url()];
        assert!(command(home.path()).args(arguments).status().unwrap().success());
        receiver.spans()
    };
    let kinds = ["invoke_agent", "execute_tool"];
    let count = |spans: &[Span]| kinds.map(|kind| spans.iter().filter(|span| span.name.starts_with(kind)).count());
    assert_eq!(count(&import()), [2, 2]);
    fs::write(folder.join("transcripts").join(format!("{SESSION}.jsonl")), script.bytes()).unwrap();
    assert_eq!(count(&import()), [3, 2], "the first turn alone is new");
    assert_eq!(count(&import()), [3, 2]);
}

#[test]
fn what_a_session_copied_of_another_one_is_known_whatever_their_names() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("sessions");
    fs::create_dir(&folder).unwrap();
    let parent = session();
    let mut fork = Codex::default();
    fork.row(40.0, "session_meta", serde_json::json!({"id": "fork-1", "forked_from_id": "main-1"}));
    fork.rows.extend(parent.rows.clone());
    fork.start(41.0, "f1").says(42.0, "x").tokens(42.0, 1, 1).end(43.0, "f1");
    fs::write(folder.join("rollout-a.jsonl"), fork.bytes()).unwrap();
    fs::write(folder.join("rollout-b.jsonl"), parent.bytes()).unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let child = follow(home.path(), &folder, &receiver.url());
    receiver.wait_for_spans(14);
    stop(child);
    let of = |id: &str| {
        let is_of = |span: &Span| {
            let value = |key: &str| span.attributes.iter().find(|one| one.key == key)?.value.as_ref()?.value.clone();
            value("gen_ai.conversation.id") == Some(Value::StringValue(id.to_owned()))
        };
        receiver.spans().iter().filter(|span| is_of(span)).count()
    };
    assert_eq!((of("main-1"), of("fork-1")), (12, 2));
}

#[test]
fn a_bundle_that_grows_is_followed_and_nothing_of_it_is_sent_twice() {
    let home = tempfile::tempdir().unwrap();
    let (fixture, bundle) = (Path::new("tests/fixtures/bundles/every_kind"), home.path().join("bundle"));
    fs::create_dir_all(bundle.join("payloads")).unwrap();
    fs::copy(fixture.join("manifest.json"), bundle.join("manifest.json")).unwrap();
    for payload in fs::read_dir(fixture.join("payloads")).unwrap() {
        let payload = payload.unwrap();
        fs::copy(payload.path(), bundle.join("payloads").join(payload.file_name())).unwrap();
    }
    let lines = fs::read(fixture.join("trace.jsonl")).unwrap();
    let ends: Vec<usize> = lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    let (early, late) = lines.split_at(ends[ends.len() / 2]);
    let log = bundle.join("trace.jsonl");
    fs::write(&log, early).unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let before = imported(&bundle);
    let child = follow(home.path(), &bundle, &receiver.url());
    let first = receiver.wait_for_spans(before.len()).len();
    fs::OpenOptions::new().append(true).open(&log).unwrap().write_all(late).unwrap();
    let whole = imported(&bundle);
    assert!(0 < first && first < whole.len());
    (0..20).find(|_| receiver.wait_for_spans(whole.len()).len() >= whole.len()).unwrap();
    stop(child);
    let ids =
        |spans: &[Span]| spans.iter().map(|span| (span.span_id.clone(), span.trace_id.clone())).collect::<Vec<_>>();
    assert_eq!(ids(&sorted(receiver.spans())), ids(&whole));
}

#[test]
fn what_a_session_copied_of_one_that_is_followed_is_not_sent_again() {
    const EARLIER: &str = script::SESSION;
    const LATER: &str = "00000000-0000-4000-8000-000000000005";
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("project");
    fs::create_dir(&folder).unwrap();
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").call(2.0, "m1", ("t1", "Bash"), serde_json::json!({"command": "ls"}));
    script.result(3.0, "t1", "files", serde_json::json!({})).say(4.0, "m2", "done");
    let copied = script.rows.len();
    script.prompt(10.0, "p2", "more").say(11.0, "m3", "yes");
    for row in &mut script.rows {
        for member in ["uuid", "parentUuid"] {
            let number = row[member].as_str().and_then(|name| name.strip_prefix("row-")).map(str::to_owned);
            row[member] = number.map(|number| format!("11111111-2222-4333-8444-{number:0>12}")).into();
        }
    }
    let receiver = Receiver::start(Behaviour::Accept);
    fs::write(folder.join(format!("{EARLIER}.jsonl")), script::lines(&script.rows[..copied])).unwrap();
    let child = follow_of(home.path(), "claude-code", &folder, &receiver.url());
    receiver.wait_for_spans(2);
    // All of it under the later session's id, and at first less than there was.
    script.rows.iter_mut().for_each(|row| row["sessionId"] = LATER.into());
    let path = folder.join(format!("{LATER}.jsonl"));
    let (now, later) = script.rows.split_at(copied - 1);
    fs::write(&path, script::lines(now)).unwrap();
    std::thread::sleep(Duration::from_millis(900));
    File::options().append(true).open(&path).unwrap().write_all(&script::lines(later)).unwrap();
    let whole = imported_of("claude-code", &folder);
    assert_eq!(whole.len(), 6);
    receiver.wait_for_spans(whole.len());
    stop(child);
    assert_eq!(sorted(receiver.spans()), whole);
}
