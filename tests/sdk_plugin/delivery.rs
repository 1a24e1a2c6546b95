//! `sdk_exporter` delivers, whatever its host does with its threads.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::leaks::holds;
use crate::support::receiver::{Behaviour, Receiver, text};

/// Runs one of the `hosts` in a process of its own, and answers what it has printed.
fn host(name: &str, endpoint: &str) -> String {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", &format!("hosts::{name}")])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(output.status.success() && printed.contains("1 passed"), "{name}: {printed}");
    printed
}

fn assert_delivers(name: &str, behaviour: Behaviour) {
    let receiver = Receiver::start(behaviour);
    host(name, &receiver.url());
    let spans = receiver.spans();
    assert_eq!(spans.len(), 2, "{name}");
    assert!(text(&spans[0], "gen_ai.prompt").is_none());
    assert!(spans.iter().all(|span| text(span, "veilspan.input.chain").is_some()));
    assert!(!holds(&receiver.bytes(), "quiet zebras"));
}

#[test]
fn it_delivers_without_a_runtime() {
    assert_delivers("without_a_runtime", Behaviour::Accept);
}

#[test]
fn it_delivers_while_a_host_blocks_its_single_thread() {
    assert_delivers("on_a_single_thread", Behaviour::Accept);
}

#[test]
fn it_delivers_while_a_host_blocks_its_only_worker() {
    assert_delivers("on_the_only_worker", Behaviour::Accept);
}

#[test]
fn it_tries_again_while_a_host_blocks_its_single_thread_in_an_export() {
    let refusal = tonic::Status::unavailable("busy");
    assert_delivers("in_the_exporting_thread_itself", Behaviour::RefuseFirst(1, refusal));
}

#[test]
fn it_may_be_dropped_inside_of_a_runtime() {
    host("that_drops_what_it_has_made", "http://localhost:4317");
}

#[test]
fn an_endpoint_that_cannot_be_used_is_named_and_not_quoted() {
    let printed = host("with_an_endpoint_that_is_none", "http://me:zebras@[nowhere");
    assert!(!printed.contains("zebras"), "{printed}");
}
