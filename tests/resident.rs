//! What a sink that never answers costs in memory, seen from outside: in a process of its own, at full load.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use std::path::Path;
use std::process::{Command, exit};
use std::time::Duration;

use veilspan::event::{Message, Role};
use veilspan::export::{ExporterConfig, SpoolConfig};
use veilspan::intake::Drop;
use veilspan::{Policy, Recorder};

const PART: &str = "VEILSPAN_TEST_RESIDENT";
/// Where spans wait, where that is not memory.
const SPOOL: &str = "VEILSPAN_TEST_SPOOL";
const MIB: usize = 1 << 20;

/// What is stated: so many bytes of encoded spans, and 64 MiB of content on its way to them.
const QUEUE: usize = 16 * MIB;
const STATED: usize = QUEUE + 64 * MIB;
/// The events themselves, waiting and in the hands of the pipeline; what an allocator keeps; a batch that is being sent.
const BESIDES: usize = 64 * MIB;

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

fn host(endpoint: &str) -> ! {
    let mut config = ExporterConfig::default();
    config.endpoint = endpoint.to_owned();
    config.timeout = Duration::from_millis(500);
    config.queue_bytes = QUEUE;
    if let Ok(folder) = std::env::var(SPOOL) {
        let mut spool = SpoolConfig::new(folder);
        spool.bytes = QUEUE as u64;
        config.spool = Some(spool);
    }
    let recorder = Recorder::exporting(&config, Policy::builder().build_in(&Default::default()).0).unwrap();
    recorder.tool("t").start().finish();
    let before = resident();
    let prompt = "what was asked, at some length; ".repeat(64);
    let (mut most, mut calls) = (0, 0u64);
    // Until as much again was lost as the queue holds.
    let lost = || {
        let dropped = recorder.counts().dropped;
        dropped.of(Drop::ExportQueueFull) + dropped.of(Drop::SpoolFull)
    };
    while lost() < 10_000 {
        for _ in 0..100 {
            let mut call = recorder.inference("openai", "gpt-x").input(&*prompt).start();
            call.output(Message::text(Role::Assistant, prompt.clone()));
            call.finish();
        }
        calls += 100;
        most = most.max(resident());
    }
    println!("resident {} MiB more after {calls} calls", most.saturating_sub(before) / MIB);
    exit(if most - before <= STATED + BESIDES { 0 } else { 1 })
}

/// The other test's child; nothing of its own.
#[test]
fn the_host() {
    if let Ok(endpoint) = std::env::var(PART) {
        host(&endpoint);
    }
}

fn stays_within_what_is_stated(spool: Option<&Path>) {
    // Takes connections, and says nothing on any of them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_host", "--nocapture"])
        .env(PART, format!("http://{}", silent.local_addr().unwrap()))
        .envs(spool.map(|spool| (SPOOL, spool)))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("resident "), "{said}");
}

#[test]
fn a_sink_that_never_answers_costs_no_more_than_is_stated() {
    stays_within_what_is_stated(None);
}

#[test]
fn with_what_waits_on_disk_it_costs_no_more_either() {
    let folder = tempfile::tempdir().unwrap();
    stays_within_what_is_stated(Some(&folder.path().join("spool")));
}
