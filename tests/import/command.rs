//! `veilspan import` of sessions, as it is called.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;

use super::script::{Claude, Codex, SESSION};
use crate::support::receiver::{Behaviour, Receiver};

/// Said in sessions, and never to be told.
pub const CANARY: &str = "canary in a coal mine";

pub fn veilspan(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    command.args(arguments).env_clear().env("VEILSPAN_HASH", "sha256").env("HOME", home).output().unwrap()
}

pub fn import(home: &Path, agent: &str, path: &Path, more: &[&str]) -> Output {
    veilspan(home, &[&["import", agent, path.to_str().unwrap()], more].concat())
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

pub fn spans(output: &Output) -> Vec<Span> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let requests = text.lines().map(|line| serde_json::from_str::<ExportTraceServiceRequest>(line).unwrap());
    let mut spans: Vec<Span> = requests
        .flat_map(|request| request.resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect();
    spans.sort_by(|one, other| one.span_id.cmp(&other.span_id));
    spans
}

/// A session in which everything that can be said is planted.
pub fn claude() -> Claude {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", CANARY).answer(2.0, "m1", json!({"type": "thinking", "thinking": CANARY}), (1, 1), "");
    script.call(3.0, "m1", ("t1", "Bash"), json!({"command": CANARY, (CANARY): 1}));
    script.result(4.0, "t1", CANARY, json!({"is_error": true, "known": {"stdout": CANARY}}));
    script.row(4.5, json!({"type": CANARY, "content": CANARY})).say(5.0, "m2", CANARY);
    script.row(6.0, json!({"type": "system", "subtype": "turn_duration", "gitBranch": CANARY}));
    script
}

pub fn codex() -> Codex {
    let mut script = Codex::session(1.0, "main-1");
    script.rows[0]["payload"]["base_instructions"] = json!({"text": CANARY});
    script.rows[0]["payload"]["git"] = json!({"repository_url": "https://canary-secret@host/x", "branch": CANARY});
    script.start(2.0, "t1").asks(2.0, CANARY).thinks(3.0, CANARY).says(3.0, CANARY);
    script.calls(4.0, "c1", "shell", &json!({"command": [CANARY]}).to_string()).tokens(4.0, 1, 1);
    script.event(4.5, CANARY, json!({"text": CANARY})).gets(5.0, "c1", json!(format!("Error: {CANARY}")));
    script.row(5.5, "compacted", json!({"message": CANARY, "replacement_history": [CANARY]}));
    script.tokens(5.6, 1, 1).end(6.0, "t1");
    script
}

fn written(folder: &Path) -> [(&'static str, PathBuf); 2] {
    let files = [
        ("claude-code", folder.join(format!("{SESSION}.jsonl")), claude().bytes()),
        ("codex", folder.join("rollout-main-1.jsonl"), codex().bytes()),
    ];
    files.map(|(agent, path, bytes)| {
        std::fs::write(&path, bytes).unwrap();
        (agent, path)
    })
}

#[test]
fn t45_no_word_of_a_session_is_sent_printed_or_written() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (agent, path) in written(folder.path()) {
        let mut broken = std::fs::read(&path).unwrap();
        broken.extend(format!("{{\"type\": \"{CANARY}\", {CANARY}\n").into_bytes());
        std::fs::write(&path, broken).unwrap();
        let receiver = Receiver::start(Behaviour::Accept);
        let endpoint = receiver.url();
        for more in [&["--dry-run"][..], &["--endpoint", &endpoint]] {
            let output = import(home.path(), agent, &path, more);
            assert_eq!(output.status.code(), Some(65), "{}", said(&output));
            for word in ["canary", "coal mine", "planted", "myapp"] {
                assert!(!said(&output).contains(word), "{agent}: {word}");
            }
        }
        let sent = receiver.bytes();
        assert!(!sent.is_empty());
        for word in ["canary", "coal mine", "planted", "myapp", home.path().to_str().unwrap()] {
            assert!(!sent.windows(word.len()).any(|window| window == word.as_bytes()), "{agent}: {word}");
        }
    }
    let mut files = vec![home.path().to_path_buf()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = std::fs::read(path).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"canary"));
        }
    }
}

#[test]
fn t35_a_session_is_sent_once_and_again_only_when_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (agent, path) in written(folder.path()) {
        let receiver = Receiver::start(Behaviour::Accept);
        let endpoint = receiver.url();
        let printed = spans(&import(home.path(), agent, &path, &["--dry-run"]));
        assert!(!printed.is_empty());
        let sending = |more: &[&str]| {
            let output = import(home.path(), agent, &path, &[&["--endpoint", &endpoint], more].concat());
            assert!(output.status.success(), "{}", said(&output));
            receiver.spans().len()
        };
        assert_eq!(sending(&[]), printed.len());
        assert_eq!(sending(&[]), printed.len(), "nothing is sent twice");
        assert_eq!(sending(&["--resend"]), 2 * printed.len());
        let mut sent = receiver.spans();
        sent.sort_by(|one, other| one.span_id.cmp(&other.span_id));
        sent.dedup();
        assert_eq!(sent, printed, "every copy is the same");
    }
}

#[test]
fn t35_a_turn_that_runs_is_not_sent_before_it_has_ended() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (agent, path) in written(folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        let whole = spans(&import(home.path(), agent, &path, &["--dry-run"]));
        let receiver = Receiver::start(Behaviour::Accept);
        let sending = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let output = import(home.path(), agent, &path, &["--endpoint", &receiver.url()]);
            assert!(output.status.success(), "{}", said(&output));
            said(&output)
        };
        // In the middle of a line, too.
        for part in [bytes.len() / 2, bytes.len() * 3 / 4] {
            let said = sending(&bytes[..part]);
            assert!(said.contains("1 turn still open, not sent") && said.contains("torn=1"), "{said}");
        }
        let said = sending(&bytes);
        assert!(!said.contains("still open"), "{said}");
        let mut sent = receiver.spans();
        sent.sort_by(|one, other| one.span_id.cmp(&other.span_id));
        assert_eq!(sent, whole);
    }
}

#[test]
fn t35_a_session_that_nobody_goes_on_with_is_told_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (agent, path) in written(folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let turns = || {
            let spans = spans(&import(home.path(), agent, &path, &["--dry-run"]));
            spans.iter().filter(|span| span.name.starts_with("invoke_agent")).count()
        };
        assert_eq!(turns(), 0);
        let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 3600);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(yesterday).unwrap();
        assert_eq!(turns(), 1);
    }
}

#[test]
fn a_session_of_which_hooks_alone_tell_is_imported() {
    let Some(corpus) = super::told::corpus() else { return };
    let home = tempfile::tempdir().unwrap();
    let alone = spans(&import(home.path(), "claude-code", &corpus.join("claude/example-simple"), &["--dry-run"]));
    let operations: Vec<_> = alone.iter().map(|span| span.name.split(' ').next().unwrap()).collect();
    assert_eq!(operations.iter().filter(|name| **name == "invoke_agent").count(), 1);
    assert_eq!(operations.iter().filter(|name| **name == "execute_tool").count(), 2);
    let both = spans(&import(home.path(), "claude-code", &corpus.join("claude/four-turns"), &["--dry-run"]));
    let of = |kind: &str| both.iter().filter(|span| span.name.starts_with(kind)).count();
    assert_eq!((of("invoke_agent"), of("chat"), of("execute_tool")), (4, 7, 13));
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_is_told_to_its_end_and_said_to_have_been() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut script = Codex::session(1.0, "main-1");
    for turn in 0..2500 {
        let (second, id) = (10.0 + f64::from(turn) * 4.0, format!("t{turn}"));
        script.start(second, &id).asks(second, "go").says(second + 1.0, "x").tokens(second + 1.0, 1, 1);
        script.end(second + 2.0, &id);
    }
    let path = folder.path().join("rollout-main-1.jsonl");
    std::fs::write(&path, script.bytes()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    command.args(["import", "codex", path.to_str().unwrap(), "--dry-run"]).env_clear().env("HOME", home.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It has printed the first of its spans, waits for somebody who reads them, and has not read all of the file.
    let mut first = [0];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    let beside = folder.path().join("beside");
    std::fs::write(&beside, b"{}\n").unwrap();
    std::fs::rename(&beside, &path).unwrap();
    let mut output = child.wait_with_output().unwrap();
    output.stdout.splice(..0, first);
    assert_eq!(output.status.code(), Some(65), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("replaced"));
    assert_eq!(spans(&output).len(), 5000);
}

#[test]
fn t44_the_file_of_a_sub_agent_hangs_under_the_call_that_its_ancestors_file_tells() {
    let home = tempfile::tempdir().unwrap();
    let sessions = home.path().join(".codex/sessions/2026/01/01");
    std::fs::create_dir_all(&sessions).unwrap();
    let [main, agent] = ["00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b"];
    let mut parent = Codex::session(1.0, main);
    parent.start(2.0, "t1").calls(3.0, "s1", "spawn_agent", "{}").tokens(3.0, 1, 1);
    parent.gets(4.0, "s1", json!(format!("{{\"agent_id\":\"{agent}\"}}"))).end(20.0, "t1");
    let mut child = Codex::default();
    child.row(4.0, "session_meta", json!({"id": agent, "parent_thread_id": main}));
    child.start(5.0, "c1").says(6.0, "x").tokens(6.0, 1, 1).end(7.0, "c1");
    // Its parent is known also where a mark stands before that row.
    let marked = ["\u{feff}".as_bytes(), &child.bytes()].concat();
    for (time, id, bytes) in [("03", main, parent.bytes()), ("04", agent, marked)] {
        std::fs::write(sessions.join(format!("rollout-2026-01-01T00-00-{time}-{id}.jsonl")), bytes).unwrap();
    }
    let run = |name: &Path| spans(&import(home.path(), "codex", name, &["--dry-run"]));
    let whole = run(&sessions);
    assert_eq!(whole.len(), 5);
    let file = sessions.join(format!("rollout-2026-01-01T00-00-04-{agent}.jsonl"));
    assert_eq!(run(&file), whole);
    assert_eq!(run(Path::new(agent)), whole);
    assert_eq!(run(Path::new(main)).len(), 3);
}

#[test]
fn t37_a_broken_line_is_named_by_file_and_line_and_an_empty_file_is_bad_data() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [_, (agent, path)] = written(folder.path());
    let whole = spans(&import(home.path(), agent, &path, &["--dry-run"]));
    let mut lines: Vec<Vec<u8>> = codex().bytes().split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    lines.insert(3, b"{\"type\": nothing\n".to_vec());
    std::fs::write(&path, lines.concat()).unwrap();
    let output = import(home.path(), agent, &path, &["--dry-run"]);
    assert_eq!((output.status.code(), spans(&output)), (Some(65), whole));
    assert!(said(&output).contains("rollout-main-1.jsonl") && said(&output).contains("line=4"), "{}", said(&output));
    for nothing in ["", "\n  \n\r\n"] {
        std::fs::write(&path, nothing).unwrap();
        let output = import(home.path(), agent, &path, &["--dry-run"]);
        assert_eq!(output.status.code(), Some(65), "{nothing:?}");
        assert!(said(&output).contains("the file is empty"), "{}", said(&output));
    }
}

#[test]
fn t44_ids_and_latest_name_a_session_and_links_and_paths_do_not() {
    let home = tempfile::tempdir().unwrap();
    let projects = home.path().join(".claude/projects/one");
    std::fs::create_dir_all(&projects).unwrap();
    let file = projects.join(format!("{SESSION}.jsonl"));
    std::fs::write(&file, claude().bytes()).unwrap();
    let run = |name: &str| import(home.path(), "claude-code", Path::new(name), &["--dry-run"]);
    let by_path = spans(&run(file.to_str().unwrap()));
    assert_eq!((spans(&run(SESSION)), spans(&run("latest"))), (by_path.clone(), by_path.clone()));
    assert_eq!(spans(&run(home.path().to_str().unwrap())), by_path);
    for name in ["../one", "nothing", "one/../../x"] {
        assert_eq!(run(name).status.code(), Some(65), "{name}");
    }
    let link = projects.join("link.jsonl");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(run(link.to_str().unwrap()).status.code(), Some(65));
    assert_eq!(spans(&run(projects.to_str().unwrap())), by_path, "a link in a folder is passed over");
    let listed = said(&veilspan(home.path(), &["sessions", "claude-code"]));
    assert_eq!(listed.lines().count(), 2);
    assert!(listed.contains(SESSION));
    std::fs::create_dir_all(home.path().join(".claude/projects/two")).unwrap();
    std::fs::copy(&file, home.path().join(format!(".claude/projects/two/{SESSION}.jsonl"))).unwrap();
    assert_eq!(run(SESSION).status.code(), Some(65), "two files have the id");
    assert_eq!(spans(&run("latest")), by_path);
}

#[test]
fn a_compressed_session_is_the_same_and_one_that_never_ends_is_cut_off() {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [_, (agent, path)] = written(folder.path());
    let plain = spans(&import(home.path(), agent, &path, &["--dry-run"]));
    let packed = folder.path().join("rollout-main-1.jsonl.zst");
    std::fs::write(&packed, compress_to_vec(codex().bytes().as_slice(), CompressionLevel::Fastest)).unwrap();
    assert_eq!(spans(&import(home.path(), agent, &packed, &["--dry-run"])), plain);
    // One that was added to, with a frame of somebody else's in between (RFC 8878, section 3.1.2).
    let bytes = codex().bytes();
    let (begin, rest) = bytes.split_at(bytes.len() / 2);
    let [begin, rest] = [begin, rest].map(|part| compress_to_vec(part, CompressionLevel::Fastest));
    let other = [&0x184d_2a53_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"xyz"].concat();
    std::fs::write(&packed, [&other[..], &begin, &other, &rest].concat()).unwrap();
    assert_eq!(spans(&import(home.path(), agent, &packed, &["--dry-run"])), plain);
    std::fs::write(&packed, [&begin[..], &rest, b"and no frame"].concat()).unwrap();
    let output = import(home.path(), agent, &packed, &["--dry-run"]);
    assert_eq!((output.status.code(), spans(&output)), (Some(65), plain.clone()));
    let mut bomb = codex().bytes();
    bomb.resize(80 << 20, b' ');
    std::fs::write(&packed, compress_to_vec(bomb.as_slice(), CompressionLevel::Fastest)).unwrap();
    assert!(std::fs::metadata(&packed).unwrap().len() < 40_000);
    let output = import(home.path(), agent, &packed, &["--dry-run"]);
    assert_eq!((output.status.code(), spans(&output)), (Some(65), plain));
    assert!(said(&output).contains("oversize"), "{}", said(&output));
    std::fs::write(&packed, b"no zstd at all").unwrap();
    assert_eq!(import(home.path(), agent, &packed, &["--dry-run"]).status.code(), Some(65));
}

#[test]
fn what_is_older_is_left_out_and_sessions_can_be_reduced() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (agent, path) in written(folder.path()) {
        assert_eq!(
            spans(&import(home.path(), agent, &path, &["--dry-run", "--since", "2026-01-02T00:00:00Z"])).len(),
            0
        );
        for day in ["2026-01-01", "2026-01-02"] {
            let since = |text: &str| spans(&import(home.path(), agent, &path, &["--dry-run", "--since", text])).len();
            assert_eq!(since(day), since(&format!("{day}T00:00:00Z")), "a day begins at midnight");
        }
        for wrong in ["soon", "2026-13-01", "2026-01-01Z"] {
            let status = import(home.path(), agent, &path, &["--dry-run", "--since", wrong]).status;
            assert_eq!(status.code(), Some(64), "{wrong}");
        }
        let output = veilspan(home.path(), &["reduce", path.to_str().unwrap()]);
        assert!(output.status.success(), "{}", said(&output));
        let state: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(state["totals"]["turns"], 1, "{state}");
        assert!(!said(&output).contains("canary"));
    }
    if let Some(corpus) = super::told::corpus() {
        let folder = corpus.join("claude/four-turns");
        let output = veilspan(home.path(), &["reduce", folder.to_str().unwrap()]);
        let state: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let totals = &state["totals"];
        assert_eq!(
            (&totals["turns"], &totals["inferences"], &totals["tool_calls"]),
            (&json!(4), &json!(7), &json!(13))
        );
        let alone = corpus.join("claude/example-simple");
        assert!(veilspan(home.path(), &["reduce", alone.to_str().unwrap()]).status.success());
    }
}

#[test]
fn digests_of_all_commands_have_the_key_that_is_kept_for_their_user() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let keyed = |home: &Path, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
        command.args(arguments).env_clear().env("HOME", home).output().unwrap()
    };
    for (agent, path) in written(folder.path()) {
        let path = path.to_str().unwrap();
        let first = keyed(home.path(), &["import", agent, path, "--dry-run"]);
        assert_eq!(spans(&first), spans(&keyed(home.path(), &["import", agent, path, "--dry-run"])), "{agent}");
        let reduced = keyed(home.path(), &["reduce", path]).stdout;
        assert_eq!(reduced, keyed(home.path(), &["reduce", path]).stdout, "{agent}");
        let text = String::from_utf8([first.stdout, reduced].concat()).unwrap();
        assert!(text.contains("hmac-sha256:") && !text.contains("ephemeral"), "{agent}");
    }
}
