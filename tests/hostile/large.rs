//! Values larger than a process should have to hold twice.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use veilspan::export::ExporterConfig;
use veilspan::privacy::Level;
use veilspan::{Policy, Recorder};

use crate::support::receiver::{Behaviour, Receiver};

const SOON: Duration = Duration::from_secs(60);
const LARGE: usize = 100 << 20;
/// What we may take beside the host, in bytes.
const MOST: u64 = 96 << 20;
const ENDPOINT: &str = "HOSTILE_ENDPOINT";

/// The most memory that this process has had at once, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[test]
#[ignore = "a process of its own, run by the test below"]
fn host() {
    let text = "a large text ".repeat(LARGE / 13 + 1);
    let shared: Arc<str> = Arc::from(text.as_str());
    let value = json!({ "messages": [{ "role": "user", "content": text }], "other": { "deep": [text.as_str()] } });
    let odd = json!([{ "x": text.as_str() }]);
    // What the host itself takes for a moment when it gives one of its own away.
    drop(text.clone());
    let mut config = ExporterConfig::default();
    config.endpoint = std::env::var(ENDPOINT).unwrap();
    let environment = [("VEILSPAN_CONTENT_MAX", "full")].into_iter().collect();
    let policy = Policy::builder().content(Level::Full).build_in(&environment).0;
    let recorder = Recorder::exporting(&config, policy).unwrap();
    let before = peak();
    for round in 0..200 {
        let call = recorder.inference("openai", "gpt-x");
        let mut call = match round {
            0 => call.input(text.clone()),
            1 => call.input(&value),
            2 => call.input(&odd),
            3 => call.input(std::slice::from_ref(&value)),
            4..100 => call.input(Arc::clone(&shared)),
            _ => call.input(text.as_str()).system(Arc::clone(&shared)),
        }
        .start();
        if round == 3 {
            let mut tool = call.tool("t").arguments(text.as_str()).start();
            tool.result(&value);
            tool.finish();
        }
        call.answer(text.as_str());
        call.finish();
    }
    let above = peak() - before;
    assert!(above <= MOST, "{} MiB above the host's own", above >> 20);
    // The sink never answers: the spans are counted wherever they are.
    let deadline = Instant::now() + SOON;
    while recorder.counts().recorded < 201 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(recorder.counts().recorded, 201, "{:?}", recorder.counts());
    recorder.shutdown(Duration::from_millis(100));
    while recorder.counts().dropped.calls() < 201 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    let counts = recorder.counts();
    assert_eq!((counts.started, counts.sent, counts.dropped.calls()), (201, 0, 201), "{counts:?}");
    let above = peak() - before;
    assert!(above <= MOST, "{} MiB above the host's own", above >> 20);
}

#[test]
fn two_hundred_values_of_a_hundred_megabytes_for_a_dead_sink_take_little_memory_and_are_counted() {
    let receiver = Receiver::start(Behaviour::Stall);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "large::host"])
        .env(ENDPOINT, receiver.url())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}
