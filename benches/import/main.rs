//! What reading sessions costs: `cargo bench --bench import [-- ROUNDS] [--full]`.
//!
//! Each comparison is a line `name<TAB>ours<TAB>peer<TAB>ratio<TAB>target` on standard output. Of a session of each agent,
//! from its file to encoded spans with keyed digests, the processor time beside that of parsing the same bytes as
//! `serde_json::Value` alone; the peak memory of a process that reads 200 MB (`--full`: 2 GB) beside that of one that reads
//! 10 MB; the time of a call of `veilspan hook`, the whole process, beside that of `true`, and what it adds beside 5 ms.
//! `--mode read AGENT FILE` reads a file, for a profiler.

#![allow(unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

#[path = "../support/mod.rs"]
mod support;
mod written;

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use support::table::{Rounds, header, line, median};
use support::{arguments, cpu};
use veilspan::environment::Environment;
use veilspan::import::TracePer;
use veilspan::import::claude::{Of, Session};
use veilspan::import::codex::Sessions;
use veilspan::import::session::{Set, Told};
use veilspan::otlp::encode::Encoder;
use veilspan::privacy::Policy;
use written::{Agent, Form, write};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MEGABYTE: u64 = 1 << 20;

fn main() {
    if let Some((_, arguments)) = arguments::mode() {
        let agent = if arguments[0] == "codex" { Agent::Codex(Form::Recorded) } else { Agent::ClaudeCode };
        let spans = read(agent, Path::new(&arguments[1]));
        let memory = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = memory.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().to_owned();
        println!("{peak} {spans}");
        return;
    }
    let rounds = arguments::rounds(7);
    header("import", rounds);
    let folder = tempfile::tempdir().unwrap();
    let agents = [
        (Agent::ClaudeCode, "claude-code", Some(1.0)),
        (Agent::Codex(Form::Recorded), "codex", Some(1.0)),
        (Agent::Codex(Form::Terse), "codex, without the events of commands", None),
        (Agent::Codex(Form::Older), "codex, results as JSON in texts", None),
    ];
    for (agent, name, target) in agents {
        let path = folder.path().join("session.jsonl");
        write(agent, &path, 32 * MEGABYTE);
        let (mut ours, mut peer) = (Rounds::new(), Rounds::new());
        for _ in 0..rounds {
            ours.push(spent(|| read(agent, &path)));
            peer.push(spent(|| parse(&path)));
        }
        line(&format!("{name}, file to spans of 32 MB / serde_json::Value alone, s"), &ours, &peer, target);
        if target.is_none() {
            continue;
        }
        let large = if std::env::args().any(|argument| argument == "--full") { 2048 } else { 200 };
        let (mut more, mut less) = (Rounds::new(), Rounds::new());
        for (size, peaks) in [(10, &mut less), (large, &mut more)] {
            write(agent, &path, size * MEGABYTE);
            peaks.push(peak(name, &path));
        }
        line(&format!("{name}, peak memory of {large} MB / of 10 MB, kB"), &more, &less, Some(1.1));
    }
    hook(folder.path(), rounds);
}

fn spent<T>(work: impl FnOnce() -> T) -> f64 {
    let before = cpu::thread();
    black_box(work());
    (cpu::thread() - before) as f64 / 1e9
}

/// From a file to encoded spans; how many.
fn read(agent: Agent, path: &Path) -> u64 {
    let key = "k".repeat(32);
    let environment: Environment = [("VEILSPAN_HASH_KEY", key.as_str())].into_iter().collect();
    let (policy, _) = Policy::builder().build_in(&environment);
    assert!(policy.algorithm().is_some());
    let set = Set { policy, per: TracePer::Turn, grace: 0 };
    let (mut file, mut portion) = (File::open(path).unwrap(), vec![0; 256 << 10]);
    let (encoder, mut field, mut spans) = (Encoder::default(), Vec::new(), 0);
    let mut tell = |told: Told| {
        if let Told::Call(record) = told {
            field.clear();
            encoder.span_field(&record, &mut field);
            black_box(&field);
            spans += 1;
        }
    };
    let mut next = |portion: &mut [u8]| Some(file.read(portion).unwrap()).filter(|read| *read > 0);
    match agent {
        Agent::ClaudeCode => {
            let mut session = Session::new(set, written::SESSION);
            while let Some(read) = next(&mut portion) {
                session.feed(Of::Session, &portion[..read]);
                std::iter::from_fn(|| session.next_told()).for_each(&mut tell);
            }
            session.finish();
            std::iter::from_fn(|| session.next_told()).for_each(&mut tell);
            assert_eq!(session.tally().unknown + session.tally().aside, 0);
        }
        Agent::Codex(_) => {
            let mut sessions = Sessions::new(set);
            while let Some(read) = next(&mut portion) {
                sessions.feed("rollout-s.jsonl", &portion[..read]);
                std::iter::from_fn(|| sessions.next_told()).for_each(&mut tell);
            }
            sessions.finish("rollout-s.jsonl");
            std::iter::from_fn(|| sessions.next_told()).for_each(&mut tell);
            assert_eq!(sessions.tally().unknown + sessions.tally().aside, 0);
        }
    }
    spans
}

/// The peer: each line as a tree.
fn parse(path: &Path) -> usize {
    let (mut file, mut line, mut members) = (BufReader::new(File::open(path).unwrap()), Vec::new(), 0);
    while file.read_until(b'\n', &mut line).unwrap() > 0 {
        let row: Value = serde_json::from_slice(&line).unwrap();
        members += black_box(&row).as_object().unwrap().len();
        line.clear();
    }
    members
}

/// The peak memory of another process that reads a file, in kilobytes.
fn peak(agent: &str, path: &Path) -> f64 {
    let myself = std::env::args_os().next().unwrap();
    let output = Command::new(myself).args(["--mode", "read", agent]).arg(path).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    eprintln!("# {agent} {} MB: {}", std::fs::metadata(path).unwrap().len() >> 20, said.trim());
    said.split_whitespace().next().unwrap().parse().unwrap()
}

/// A call of a hook and the call of a program that does nothing, in turns.
fn hook(home: &Path, rounds: usize) {
    let payload = json!({"session_id": written::SESSION, "hook_event_name": "PostToolUse", "tool_name": "Bash",
        "tool_use_id": "toolu_1", "tool_input": {"command": "ls -la"}, "tool_response": {"stdout": "x".repeat(2000)},
        "transcript_path": "/home/me/.claude/projects/p/s.jsonl", "cwd": "/home/me", "duration_ms": 70});
    let payload = payload.to_string();
    let call = |program: &str, arguments: &[&str]| {
        let started = Instant::now();
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        _ = child.stdin.take().unwrap().write_all(payload.as_bytes());
        assert!(child.wait().unwrap().success());
        started.elapsed().as_secs_f64() * 1e3
    };
    let (mut ours, mut peer, mut added) = (Rounds::new(), Rounds::new(), Rounds::new());
    for _ in 0..rounds.max(3) {
        let (mut each, mut other) = (Rounds::new(), Rounds::new());
        for _ in 0..20 {
            each.push(call(env!("CARGO_BIN_EXE_veilspan"), &["hook", "--source", "claude-code"]));
            other.push(call("/bin/true", &[]));
        }
        added.push(median(&each) - median(&other));
        ours.push(median(&each));
        peer.push(median(&other));
    }
    line("a hook, whole process / true, ms", &ours, &peer, None);
    line("what a hook adds to true / 5 ms, ms", &added, &vec![5.0; added.len()], Some(1.0));
}
