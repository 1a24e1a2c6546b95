//! The start that needs one line: what it sends, what it says, and that it harms nobody.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::Span;
use support::http_receiver::HttpReceiver;
use support::leaks::holds;
use support::lines::Lines;
use support::receiver::{Behaviour, Receiver, int, text};
use tracing_subscriber::layer::SubscriberExt;
use veilspan::environment::NOT_READ;

/// Where the example lies, once it is built.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--example", "four_lines"]).status();
    assert!(built.unwrap().success());
    let tests = std::env::current_exe().unwrap();
    tests.parent().unwrap().parent().unwrap().join("examples").join("four_lines")
});

/// Runs the example in an environment of its own, and tells how long that took.
fn four_lines(variables: &[(&str, &str)]) -> (Output, Duration) {
    let program = PROGRAM.as_path();
    let started = Instant::now();
    let output = Command::new(program).env_clear().envs(variables.iter().copied()).stdin(Stdio::null()).output();
    (output.unwrap(), started.elapsed())
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "stdout is the host's");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn four_lines_send_one_span_and_say_one_line_of_what_is_in_force() {
    let receiver = Receiver::start(Behaviour::Accept);
    let (output, _) = four_lines(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url())]);
    let said = said(&output);
    let lines: Vec<_> = said.lines().collect();
    let [line] = lines.as_slice() else { panic!("{said}") };
    for told in [
        "veilspan: recording; of what is said digests and lengths leave, and no text",
        "the key of digests is made for this process alone",
        "spans go over grpc",
        "policy=content=digest;hash=hmac-sha256;form=c1;key=ephemeral-",
        "key=ephemeral-",
        &format!("endpoint={}", receiver.address),
    ] {
        assert!(line.contains(told), "{told} is missing in {line}");
    }
    let spans = receiver.spans();
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].name, "chat gpt-x");
    assert_eq!(int(&spans[0], "gen_ai.usage.input_tokens"), Some(14));
    assert_eq!(text(&spans[0], "veilspan.outcome"), Some("completed"));
    for words in ["How warm", "Oslo", "degrees"] {
        assert!(!holds(&receiver.bytes(), words) && !said.contains(words), "{words}");
    }
}

#[test]
fn the_line_shows_neither_a_key_nor_a_password_nor_a_path() {
    let receiver = HttpReceiver::start();
    let endpoint = format!("http://me:canary@{}/canary/v1/traces?canary=1", receiver.address);
    let (output, _) = four_lines(&[
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary"),
        ("VEILSPAN_HASH_KEY", "canary-key-0123456789abcdef0123456789abcdef"),
        ("VEILSPAN_HASH_KEY_ID", "team-a"),
    ]);
    let said = said(&output);
    assert!(said.contains("key=team-a") && said.contains("digests have the key that was named for them"), "{said}");
    assert!(said.contains("spans go over http/protobuf"), "{said}");
    assert!(!said.contains("canary"), "{said}");
    assert_eq!(receiver.spans().len(), 1);
}

#[test]
fn where_nobody_listens_the_program_ends_well_and_says_what_was_lost() {
    let (output, took) = four_lines(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]);
    let said = said(&output);
    assert!(said.contains("warning: spans cannot be delivered now"), "{said}");
    assert!(took < Duration::from_secs(30), "a guard does not wait for ever");
}

#[test]
fn what_is_wrong_in_the_environment_is_said_and_stops_nobody() {
    for endpoint in ["two canaries", "grpc://canary", "http://me:canary@[nowhere"] {
        let (output, _) = four_lines(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("VEILSPAN_CONTENT", "canaries")]);
        let said = said(&output);
        for told in [
            "veilspan: warning: not one of `none`, ",
            "variable=VEILSPAN_CONTENT",
            "veilspan: warning: not an address such as `http://localhost:4317`; nothing can be sent variable=OTEL_",
            "veilspan: warning: nothing is recorded error=the endpoint cannot be used: endpoint ",
        ] {
            assert!(said.contains(told), "{told} is missing in {said}");
        }
        assert!(!said.contains("canar"), "{said}");
    }
}

#[test]
fn variables_that_are_said_not_to_be_read_change_nothing_of_a_span() {
    let receiver = Receiver::start(Behaviour::Accept);
    let url = receiver.url();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url);
    let limited: Vec<_> = NOT_READ.iter().map(|(name, _)| (*name, "1")).chain([endpoint]).collect();
    let told = [&[endpoint][..], &limited].map(|variables| said(&four_lines(variables).0).lines().count());
    assert_eq!(told, [1, 1], "and nothing is said of them");
    let [free, limited] = &*receiver.spans() else { panic!("{}", receiver.spans().len()) };
    let keys = |span: &Span| span.attributes.iter().map(|attribute| attribute.key.clone()).collect::<Vec<_>>();
    assert!(keys(free).len() > 10);
    assert_eq!(keys(free), keys(limited));
    for key in ["veilspan.input.chain", "veilspan.policy"] {
        assert_eq!(text(free, key).map(str::len), text(limited, key).map(str::len));
    }
}

#[test]
fn a_switched_off_sdk_records_nothing_and_says_so() {
    for variable in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        let receiver = Receiver::start(Behaviour::Accept);
        let (output, _) = four_lines(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()), variable]);
        assert_eq!(said(&output), "veilspan: nothing is recorded: OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER says so\n");
        assert_eq!(receiver.calls(), 0);
    }
}

#[test]
fn a_machine_that_gives_no_threads_harms_nobody() {
    let receiver = Receiver::start(Behaviour::Accept);
    // A stack that no address space holds: the standard library's own way to have every spawn fail.
    let stack = (1_u64 << 48).to_string();
    let (output, _) = four_lines(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()), ("RUST_MIN_STACK", &stack)]);
    let said = said(&output);
    assert!(said.contains("warning: nothing is recorded error=the exporter's thread could not be started"), "{said}");
    assert_eq!(receiver.calls(), 0);
}

#[test]
#[ignore = "started by the test below, in an environment of its own"]
fn a_host_with_a_subscriber_of_its_own() {
    let heard = Lines::default();
    let writer = heard.clone();
    let fmt = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(veilspan::layer().unwrap()).with(fmt);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let told = || heard.text();
    assert_eq!(told(), "");
    drop(tracing::info_span!("chat", gen_ai.operation.name = "chat", gen_ai.request.model = "m"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while !told().contains(" recording; ") && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let told = told();
    assert!(told.contains("WARN veilspan: not one of `none`") && told.contains("INFO veilspan: recording; "), "{told}");
}

#[test]
fn a_layer_says_what_is_in_force_when_the_first_call_is_there() {
    let host = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "a_host_with_a_subscriber_of_its_own"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .env("VEILSPAN_CONTENT", "nonsense")
        .output();
    let output = host.unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}
