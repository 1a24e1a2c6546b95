//! A real `fork`: in the child the recorder is a disabled one and says so once; the parent goes on as before.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, exit};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fork::{Fork, fork, waitpid};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use support::receiver::{Behaviour, Receiver, text};
use veilspan::export::{ExporterConfig, SpoolConfig};
use veilspan::intake::Drop;
use veilspan::{Policy, Recorder};

const SOON: Duration = Duration::from_secs(60);
const PART: &str = "VEILSPAN_TEST_FORK";
const FORKS: usize = 3;
const NOT_NOTICED: i32 = 3;
const NOT_DRAINED: i32 = 4;
const COUNTED_WRONG: i32 = 5;
const NOT_SENT: i32 = 6;

/// The process that records and forks; comes back only as an exit.
fn parent() -> ! {
    let guard = veilspan::init().unwrap();
    let recorder = guard.recorder();
    recorder.tool("before").start().finish();
    assert!(recorder.flush(SOON).complete);
    let stops = AtomicBool::new(false);
    let children = std::thread::scope(|threads| {
        // Forked off while others record, so that whatever a thread may hold it holds in one child or another.
        for _ in 0..2 {
            threads.spawn(|| {
                while !stops.load(Ordering::Relaxed) {
                    (0..20).for_each(|_| recorder.tool("meanwhile").start().finish());
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }
        let children: Vec<_> = (0..FORKS)
            .map(|_| {
                std::thread::sleep(Duration::from_millis(50));
                match fork().unwrap() {
                    Fork::Child => child(recorder),
                    Fork::Parent(pid) => pid,
                }
            })
            .collect();
        stops.store(true, Ordering::Relaxed);
        children
    });
    let ends: Vec<i32> = children.into_iter().map(|pid| waitpid(pid).unwrap() >> 8 & 0xff).collect();
    assert_eq!(ends, [0; FORKS], "3: not noticed, 4: not drained, 5: counted wrong");
    recorder.tool("after").start().finish();
    let drained = guard.shutdown(SOON);
    let lost = drained.counts.dropped.calls();
    assert!(drained.complete && lost == 0 && drained.counts.sent == drained.counts.started, "{:?}", drained.counts);
    eprintln!("sent {}", drained.counts.sent);
    exit(0)
}

/// Records until that is noticed to be of no use.
fn child(recorder: &Recorder) -> ! {
    let started = Instant::now();
    while recorder.counts().dropped.of(Drop::Forked) == 0 {
        if started.elapsed() > SOON {
            exit(NOT_NOTICED);
        }
        // So many that there is no room for them long before that can be noticed.
        (0..512).for_each(|_| recorder.tool("in the child").start().finish());
        std::thread::sleep(Duration::from_millis(20));
    }
    let before = recorder.counts();
    (0..10).for_each(|_| recorder.tool("in the child").start().finish());
    let after = recorder.counts();
    if after.dropped.of(Drop::Forked) - before.dropped.of(Drop::Forked) != 10 {
        exit(COUNTED_WRONG);
    }
    let started = Instant::now();
    let open = recorder.tool("in the child").start();
    recorder.flush(Duration::from_secs(1));
    recorder.shutdown(Duration::from_secs(1));
    open.finish();
    let counts = recorder.shutdown(Duration::from_secs(1)).counts;
    if counts.started != counts.recorded + counts.dropped.calls() {
        exit(COUNTED_WRONG);
    }
    exit(if started.elapsed() > SOON / 2 { NOT_DRAINED } else { 0 })
}

/// The process that has recorded before it forks workers, each with a recorder of its own.
fn parent_of_workers() -> ! {
    let recorder = Recorder::from_env();
    recorder.tool("before").start().finish();
    assert!(recorder.flush(SOON).complete);
    let workers: Vec<_> = (0..FORKS)
        .map(|_| match fork().unwrap() {
            Fork::Child => {
                let own = Recorder::from_env();
                (0..100).for_each(|_| own.tool("worker").start().finish());
                exit(if own.shutdown(SOON).complete { 0 } else { NOT_SENT })
            }
            Fork::Parent(pid) => pid,
        })
        .collect();
    (0..100).for_each(|_| recorder.tool("worker").start().finish());
    let ends: Vec<i32> = workers.into_iter().map(|pid| waitpid(pid).unwrap() >> 8 & 0xff).collect();
    assert_eq!(ends, [0; FORKS]);
    assert!(recorder.shutdown(SOON).complete);
    exit(0)
}

/// The other tests' child; nothing of its own.
#[test]
fn the_parent() {
    match std::env::var(PART).as_deref() {
        Ok("workers") => parent_of_workers(),
        Ok(_) => parent(),
        Err(_) => {}
    }
}

/// Runs the parent, and answers what it said on stderr.
fn run(receiver: &Receiver, more: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_parent", "--nocapture"])
        .env(PART, "1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "20")
        .env("VEILSPAN_HASH", "none")
        .envs(more.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

fn told_once(receiver: &Receiver, said: &str) {
    let noticed = said.lines().filter(|line| line.contains("was forked off one that records")).count();
    assert_eq!(noticed, FORKS, "each child says so once: {said}");
    let spans = receiver.spans();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    spans.iter().for_each(|span| *names.entry(&span.name).or_default() += 1);
    assert_eq!((names["execute_tool before"], names["execute_tool after"]), (1, 1));
    assert!(names["execute_tool meanwhile"] > 100 && !names.contains_key("execute_tool in the child"), "{names:?}");
    assert!(said.contains(&format!("sent {}", spans.len())), "nothing is there twice: {said}");
    let mut bytes: Vec<_> = spans.iter().map(Message::encode_to_vec).collect();
    bytes.sort_unstable();
    bytes.dedup();
    assert_eq!(bytes.len(), spans.len());
}

#[test]
fn a_child_records_nothing_and_says_so_once_and_its_parent_is_unharmed() {
    let receiver = Receiver::start(Behaviour::Accept);
    told_once(&receiver, &run(&receiver, &[]));
}

#[test]
fn recorders_made_after_a_fork_give_ids_of_their_own() {
    let receiver = Receiver::start(Behaviour::Accept);
    run(&receiver, &[(PART, "workers")]);
    let spans = receiver.spans();
    assert_eq!(spans.len(), 1 + 100 * (FORKS + 1));
    let distinct = |of: &dyn Fn(&Span) -> Vec<u8>| spans.iter().map(of).collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(&|span| span.span_id.clone()), spans.len());
    assert_eq!(distinct(&|span| span.trace_id.clone()), spans.len());
    assert_eq!(distinct(&|span| text(span, "veilspan.call.id").unwrap().into()), spans.len());
    let requests = receiver.requests();
    let resources = requests.iter().flat_map(|request| &request.resource_spans).flat_map(|it| &it.resource);
    let producers: BTreeSet<_> = resources
        .flat_map(|resource| &resource.attributes)
        .filter(|attribute| attribute.key == "veilspan.producer.id")
        .map(|attribute| format!("{:?}", attribute.value))
        .collect();
    assert_eq!(producers.len(), FORKS + 1);
}

#[test]
fn a_child_writes_nothing_into_the_spool_of_its_parent() {
    let receiver = Receiver::start(Behaviour::Accept);
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("spool");
    told_once(&receiver, &run(&receiver, &[("VEILSPAN_SPOOL_DIR", folder.to_str().unwrap())]));
    // Whatever the parent has left, it was sent: a next process finds nothing to tell.
    let before = receiver.spans().len();
    let mut config = ExporterConfig::default();
    config.endpoint = receiver.url();
    config.spool = Some(SpoolConfig::new(&folder));
    let next = Recorder::exporting(&config, Policy::builder().build_in(&Default::default()).0).unwrap();
    next.tool("next").start().finish();
    let is_alone = || std::fs::read_dir(&folder).unwrap().count() == 1;
    let started = Instant::now();
    while !is_alone() && started.elapsed() < SOON {
        std::thread::sleep(Duration::from_millis(10));
    }
    let counts = next.shutdown(SOON).counts;
    assert!(is_alone() && (counts.adopted, counts.abandoned, counts.sent) == (0, 0, 1), "{counts:?}");
    assert_eq!(receiver.spans().len(), before + 1);
}
