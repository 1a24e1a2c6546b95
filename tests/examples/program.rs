//! An example as its reader runs it.

use std::process::{Command, Output, Stdio};

use opentelemetry_proto::tonic::trace::v1::Span;

use crate::support::leaks::holds;
use crate::support::receiver::{Behaviour, Receiver};

/// What is said in the examples, in pieces that nothing else has.
const SAID: [&str; 7] =
    ["How warm", "is it there", "You are careful", "temperature in", "degrees in", "Here is what", "I would rather"];

/// What a developer's shell sets for these must not change what is tested.
const FOREIGN: [&str; 6] = ["AGENT_", "OTEL_", "VEILSPAN_", "OPENAI_", "OPENINFERENCE_", "TRACELOOP_"];

fn run(example: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        if FOREIGN.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
        .args(["run", "--quiet", "--example", example])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
        // Digests that are the same in every run.
        .env("VEILSPAN_HASH", "sha256")
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let printed = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&printed));
    assert_says_nothing(&printed);
    output
}

/// What an example prints where it stands alone.
pub fn alone(example: &str) -> String {
    String::from_utf8(run(example, &[]).stdout).unwrap()
}

/// What an example sends to a receiver under these variables.
pub fn sent_under(example: &str, variables: &[(&str, &str)]) -> Receiver {
    let receiver = Receiver::start(Behaviour::Accept);
    let url = receiver.url();
    run(example, &[variables, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]].concat());
    assert_says_nothing(&receiver.bytes());
    receiver
}

/// The spans that an example sends to a receiver.
pub fn sent(example: &str) -> Vec<Span> {
    sent_under(example, &[]).spans()
}

fn assert_says_nothing(bytes: &[u8]) {
    for said in SAID {
        assert!(!holds(bytes, said), "{said}");
    }
}
