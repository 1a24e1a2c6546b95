//! `veilspan import --follow`: files that grow, are cut short and are replaced.
#![cfg(all(unix, feature = "cli"))]
#![allow(unreachable_pub, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "import/script.rs"]
mod script;
mod support;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::Span;
use rustix::process::{Pid, Signal, kill_process};
use script::Codex;
use support::receiver::{Behaviour, Receiver};

fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    command.env_clear().env("VEILSPAN_HASH", "sha256").env("HOME", home).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn follow(home: &Path, path: &Path, endpoint: &str) -> Child {
    let path = path.to_str().unwrap();
    command(home).args(["import", "codex", path, "--follow", "--endpoint", endpoint]).spawn().unwrap()
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
    let (home, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(Behaviour::Accept));
    let arguments = ["import", "codex", path.to_str().unwrap(), "--endpoint", &receiver.url()];
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
