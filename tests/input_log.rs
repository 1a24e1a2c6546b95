//! A stage with an input log that is killed: it loses nothing, reduces as if it had not died, and tells nothing twice.
#![cfg(all(feature = "cli", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr
)]

mod support;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use support::leaks::holds;
use support::receiver::{Behaviour, Receiver, int, text};
use veilspan::collector::{self, Config, InputLogConfig};
use veilspan::export::ExporterConfig;
use veilspan::otlp::{Client, ClientOptions};
use veilspan::privacy::Level;
use veilspan::reduce::Limits;
use veilspan::{Policy, Recorder};

/// Longer than a rollout waits for late data, on a machine that is busy.
const LONG: Duration = Duration::from_secs(90);
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A stage in a process of its own.
struct Stage {
    child: Child,
    address: SocketAddr,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    fn start(folder: &Path, next: &str) -> Self {
        Self::start_with(folder, next, "")
    }

    fn start_with(folder: &Path, next: &str, more: &str) -> Self {
        let config = folder.join("stage.yaml");
        let log = folder.join("log");
        let yaml = format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}}}}}}}\n\
             processors: {{reduce: {{}}}}\n\
             exporters: {{otlp: {{endpoint: \"{next}\"}}}}\n\
             service:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      processors: [reduce]\n      exporters: [otlp]\n\
             \x20     input_log: {{directory: \"{}\"{more}}}\n",
            log.display()
        );
        std::fs::write(&config, yaml).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
        command.env_clear().args(["collector", "--config"]).arg(&config);
        Self::of(command)
    }

    /// One that forgets soon what has closed.
    fn hasty(folder: &Path, next: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["hasty_stage", "--exact", "--ignored", "--nocapture"]);
        command.env_clear().env(HASTY, folder.join("log")).env("NEXT", next);
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        command.env("VEILSPAN_HASH_KEY", KEY).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = said.find_map(|line| {
            let line = line.unwrap();
            line.split_once("otlp/grpc=").map(|(_, rest)| rest.split(['"', ' ']).next().unwrap().to_owned())
        });
        let address = ready.expect("it is ready").parse().unwrap();
        // Nobody may be stopped by a pipe that is full.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, address, runtime: tokio::runtime::Runtime::new().unwrap() }
    }

    fn send(&self, request: &Bytes) {
        let _inside = self.runtime.enter();
        let client = Client::new(&ClientOptions::new(format!("http://{}", self.address))).unwrap();
        let accepted = self.runtime.block_on(client.export(request.clone().into())).unwrap();
        assert_eq!(accepted.rejected_spans, 0);
    }

    /// No warning, no last word.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// In order.
    fn stop(mut self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All files of the log.
fn files(folder: &Path) -> Vec<PathBuf> {
    let lives = std::fs::read_dir(folder.join("log")).unwrap();
    lives.flat_map(|life| std::fs::read_dir(life.unwrap().path()).unwrap()).map(|file| file.unwrap().path()).collect()
}

/// The requests of a run: a span each. The rollout ends with the last one where `ends`.
fn requests(rollout: &str, ends: bool) -> Vec<Bytes> {
    requests_at(rollout, ends, Level::Digest)
}

fn requests_at(rollout: &str, ends: bool, content: Level) -> Vec<Bytes> {
    let receiver = Receiver::start(Behaviour::Accept);
    let mut config = ExporterConfig::default();
    config.endpoint = receiver.url();
    config.batch_spans = 1;
    let policy = Policy::builder().content(content).build_in(&[("VEILSPAN_HASH_KEY", KEY)].into_iter().collect()).0;
    let recorder = Recorder::exporting(&config, policy).unwrap();
    let mut turn = recorder.turn("planner").rollout(rollout).start();
    for place in 0..4 {
        let mut call = turn.inference("openai", "m").input(format!("question {place}")).start();
        call.tokens(10, 4);
        call.finish();
        turn.tool("add").start().finish();
    }
    if ends {
        turn.ends_rollout();
    }
    turn.finish();
    assert!(recorder.shutdown(LONG).complete);
    let requests: Vec<Bytes> = receiver.requests().iter().map(|request| request.encode_to_vec().into()).collect();
    assert_eq!(requests.len(), 9);
    requests
}

fn summaries(receiver: &Receiver) -> Vec<Span> {
    receiver.spans().into_iter().filter(|span| span.name.starts_with("rollout ")).collect()
}

fn wait_for_summaries(receiver: &Receiver, count: usize) -> Vec<Span> {
    let deadline = Instant::now() + LONG;
    loop {
        let found = summaries(receiver);
        if found.len() >= count {
            return found;
        }
        assert!(Instant::now() < deadline, "not in time: {count} summaries");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a stage that nobody disturbs makes of them.
fn undisturbed(requests: &[Bytes]) -> Span {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(Behaviour::Accept));
    let stage = Stage::start(folder.path(), &receiver.url());
    requests.iter().for_each(|request| stage.send(request));
    stage.stop();
    let mut summaries = summaries(&receiver);
    assert_eq!(summaries.len(), 1);
    summaries.remove(0)
}

#[test]
fn a_stage_that_is_killed_after_each_request_reduces_as_if_it_had_not_died() {
    let requests = requests("killed", true);
    let expected = undisturbed(&requests);
    assert_eq!(int(&expected, "veilspan.rollout.inferences"), Some(4));
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(Behaviour::Accept));
    for request in &requests {
        let stage = Stage::start(folder.path(), &receiver.url());
        stage.send(request);
        stage.kill();
    }
    Stage::start(folder.path(), &receiver.url()).stop();
    assert_eq!(summaries(&receiver), [expected]);
    let sent = receiver.spans();
    assert_eq!(sent.len(), requests.len() + 1, "each span came once, and nothing else but the summary");
}

const HASTY: &str = "HASTY_STAGE";

/// Run in a process of its own by those who want one.
#[test]
#[ignore = "a process for other tests"]
fn hasty_stage() {
    let (log, next) = (std::env::var_os(HASTY).unwrap(), std::env::var("NEXT").unwrap());
    let mut config = Config::between("127.0.0.1:0".parse().unwrap(), Some(&next));
    config.pipelines[0].input_log = Some(InputLogConfig::new(log.into()));
    let short = Duration::from_millis(100);
    let limits = Limits { late_grace: short, tombstone: short, ..Limits::default() };
    let stage = collector::Stage::builder(config).limits(limits).start().unwrap();
    eprintln!("otlp/grpc={}", stage.address());
    loop {
        std::thread::park();
    }
}

#[test]
fn a_killed_stage_goes_on_counting_where_a_rollout_was_forgotten_before() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(Behaviour::Accept));
    let mut told: Vec<Span> = Vec::new();
    for life in 0..3 {
        let stage = Stage::hasty(folder.path(), &receiver.url());
        // Each time another activation of the same agent.
        requests("goes-on", true).iter().for_each(|request| stage.send(request));
        let summaries = wait_for_summaries(&receiver, life + 1);
        let newest = summaries.last().unwrap().clone();
        assert_eq!(int(&newest, "veilspan.rollout.generation"), Some(life as i64));
        assert!(told.iter().all(|before| before.span_id != newest.span_id && before.trace_id != newest.trace_id));
        if let Some(before) = told.last() {
            assert!(newest.links.iter().any(|link| link.span_id == before.span_id), "it resumes");
        }
        // Where it goes on stands in the log when it is forgotten: its summary, no tenant, its name.
        let forgotten = [&newest.span_id[..], &[0], b"goes-on"].concat();
        let deadline = Instant::now() + LONG;
        let is_written = || {
            files(folder.path()).iter().any(|path| {
                let bytes = std::fs::read(path).unwrap_or_default();
                bytes.windows(forgotten.len()).any(|window| window == forgotten)
            })
        };
        while !is_written() {
            assert!(Instant::now() < deadline, "not in time: it is forgotten");
            std::thread::sleep(Duration::from_millis(20));
        }
        stage.kill();
        told.push(newest);
    }
    assert_eq!(summaries(&receiver), told);
}

#[test]
fn what_two_killed_stages_leave_in_one_folder_is_one_run_to_the_next() {
    let requests = requests("shared", true);
    let expected = undisturbed(&requests);
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(Behaviour::Accept));
    let pair = [(); 2].map(|()| Stage::start(folder.path(), &receiver.url()));
    requests.iter().zip(pair.iter().cycle()).for_each(|(request, stage)| stage.send(request));
    pair.into_iter().for_each(Stage::kill);
    assert_eq!(std::fs::read_dir(folder.path().join("log")).unwrap().count(), 2);
    assert!(summaries(&receiver).is_empty());
    Stage::start(folder.path(), &receiver.url()).stop();
    assert_eq!(summaries(&receiver), [expected]);
    assert_eq!(std::fs::read_dir(folder.path().join("log")).unwrap().count(), 1);
}

#[test]
fn what_was_told_is_not_told_again_by_those_who_come_after() {
    let requests = requests("told", true);
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(Behaviour::Accept));
    let stage = Stage::start(folder.path(), &receiver.url());
    requests.iter().for_each(|request| stage.send(request));
    let told = wait_for_summaries(&receiver, 1);
    assert_eq!(text(&told[0], "veilspan.rollout.reason"), Some("ended"));
    // So that the answer is on disk too: what was answered a moment before may come again, byte for byte.
    let is_settled = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("settled-") && std::fs::metadata(path).unwrap().len() > 0
    };
    let deadline = Instant::now() + LONG;
    while !files(folder.path()).iter().any(is_settled) {
        assert!(Instant::now() < deadline, "not in time: the answer is on disk");
        std::thread::sleep(Duration::from_millis(20));
    }
    stage.kill();
    for _ in 0..3 {
        let stage = Stage::start(folder.path(), &receiver.url());
        // Upstream sends again what it has no answer to.
        requests.iter().for_each(|request| stage.send(request));
        stage.stop();
    }
    let spans = summaries(&receiver);
    assert_eq!(spans.iter().filter(|span| span.span_id == told[0].span_id).count(), 1);
    assert_eq!(spans, told);
}

#[test]
fn what_was_decided_while_nobody_took_it_is_told_when_somebody_does() {
    let requests = requests("undelivered", true);
    let expected = undisturbed(&requests);
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(Behaviour::Accept));
    let address = receiver.address;
    let stage = Stage::start(folder.path(), &receiver.url());
    requests.iter().for_each(|request| stage.send(request));
    assert!(summaries(&receiver).is_empty());
    drop(receiver);
    // Its deadline passes with nobody there to hear of what follows.
    stage.stop();
    let receiver = Receiver::start_at(address);
    let stage = Stage::start(folder.path(), &receiver.url());
    let told = wait_for_summaries(&receiver, 1);
    stage.kill();
    assert_eq!(told, [expected]);
}

#[test]
fn a_log_holds_what_may_leave_and_nothing_else_and_goes_on_behind_damage() {
    let requests = requests_at("damaged", false, Level::Masked);
    assert!(requests.iter().any(|request| holds(request, "question 0")), "content comes in");
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(Behaviour::Accept));
    let stage = Stage::start_with(folder.path(), &receiver.url(), ", max_mib: 16, fsync: always");
    requests.iter().for_each(|request| stage.send(request));
    stage.kill();
    let mut segments = Vec::new();
    for path in files(folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!holds(&bytes, "question 0"), "{}", path.display());
        if path.extension().is_some_and(|extension| extension == "seg") {
            segments.push((path, bytes));
        }
    }
    let (path, mut bytes) = segments.pop().unwrap();
    assert!(segments.is_empty() && bytes.len() > 1000);
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40].fill(0x55);
    bytes.truncate(bytes.len() - 3);
    std::fs::write(&path, bytes).unwrap();
    let stage = Stage::start(folder.path(), &receiver.url());
    requests.iter().for_each(|request| stage.send(request));
    stage.stop();
}
