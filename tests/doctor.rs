//! The doctor tells of every variable what is in force and where it came from, and repeats no value.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::process::Command;

use serde_json::Value;
use veilspan::environment::VARIABLES;

fn doctor(variables: &[(&str, &str)]) -> (Value, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_veilspan"))
        .args(["doctor", "--format", "json"])
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success());
    let printed = [output.stdout.clone(), output.stderr].concat();
    (serde_json::from_slice(&output.stdout).unwrap(), String::from_utf8(printed).unwrap())
}

fn setting<'a>(report: &'a Value, name: &str) -> (&'a str, &'a str) {
    let settings = report["settings"].as_array().unwrap();
    let found = settings.iter().find(|setting| setting["name"] == name).unwrap();
    (found["in_force"].as_str().unwrap(), found["origin"].as_str().unwrap())
}

#[test]
fn every_variable_in_code_is_told_of() {
    let (report, _) = doctor(&[]);
    let told: Vec<_> = report["settings"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    let known: Vec<_> = VARIABLES.iter().map(|variable| variable.name).collect();
    assert_eq!(told, known);
    assert_eq!(setting(&report, "VEILSPAN_CONTENT"), ("digest", "default"));
    assert_eq!(setting(&report, "OTEL_EXPORTER_OTLP_ENDPOINT"), ("localhost:4317", "default"));
    assert!(setting(&report, "VEILSPAN_HASH_KEY_ID").0.starts_with("ephemeral-"));
}

#[test]
fn nonsense_in_any_variable_means_its_default_or_its_most_private_value_and_is_not_repeated() {
    let (baseline, _) = doctor(&[]);
    for variable in VARIABLES {
        let (report, printed) = doctor(&[(variable.name, "nonsensical canary")]);
        assert!(!printed.contains("canary"), "{}: {printed}", variable.name);
        let (in_force, origin) = setting(&report, variable.name);
        match variable.name {
            "VEILSPAN_HASH" => assert_eq!((in_force, origin), ("none", "not understood")),
            name if name.starts_with("VEILSPAN_CONTENT") => {
                assert_eq!((in_force, origin), ("none", "not understood"), "{name}");
            }
            "VEILSPAN_POLICY_FILE" | "VEILSPAN_PREVIEW" | "VEILSPAN_PREVIEW_CHARS" => {
                assert_eq!(origin, "not understood", "{}", variable.name);
                assert_eq!(setting(&report, "VEILSPAN_CONTENT"), ("none", variable.name));
            }
            name if name.starts_with("OPENINFERENCE_HIDE_") => {
                assert_eq!(origin, "not understood", "{name}");
                let hides = |class: &str| setting(&report, class) == ("none", name);
                assert!(hides("VEILSPAN_CONTENT_SYSTEM") || hides("VEILSPAN_CONTENT_COMPLETIONS"), "{name}");
            }
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" | "TRACELOOP_TRACE_CONTENT" => {
                assert_eq!(origin, "not understood");
                assert_eq!(setting(&report, "VEILSPAN_CONTENT_ERRORS"), ("none", variable.name));
            }
            "VEILSPAN_PAYLOADS" => assert_eq!((in_force, origin), ("not in use", "not understood")),
            "VEILSPAN_DETECTORS" => assert_eq!((in_force, origin), ("none", "not understood")),
            "HOME" | "XDG_CONFIG_HOME" => assert_eq!(in_force, "set"),
            "VEILSPAN_HASH_KEY" | "VEILSPAN_HASH_KEY_FILE" => {
                assert_eq!(setting(&report, "VEILSPAN_HASH").0, "none");
                assert_eq!(origin, "not understood");
            }
            // Any text is a name here, told as the label rule lets it leave.
            "OTEL_SERVICE_NAME" => assert!(in_force.starts_with("id:hmac-sha256:"), "{in_force}"),
            "OTEL_EXPORTER_OTLP_ENDPOINT" | "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" => {
                assert_eq!((in_force, origin), ("", "not understood"));
            }
            "VEILSPAN_HASH_KEY_ID" => {
                assert!(in_force.starts_with("ephemeral-"));
                assert_eq!(origin, "not understood");
            }
            "OTEL_TRACES_EXPORTER" | "VEILSPAN_PROPAGATE" => {
                assert_eq!((in_force, origin), ("none", "not understood"));
            }
            "RUST_LOG" => assert_eq!(in_force, "set"),
            // Any text is a path; a file that is not there is told when it is needed.
            name if name.contains("_CERTIFICATE") || name.contains("_CLIENT_KEY") => assert_eq!(in_force, "set"),
            // Without the sampler that it belongs to it means nothing.
            "OTEL_TRACES_SAMPLER_ARG" => assert_eq!(in_force, "all"),
            _ => {
                assert_eq!(in_force, setting(&baseline, variable.name).0, "{}", variable.name);
                assert_eq!(origin, "not understood", "{}", variable.name);
            }
        }
    }
}

#[test]
fn what_is_set_is_told_as_it_was_parsed_and_a_key_as_its_id() {
    let key = "canary-key-0123456789abcdef0123456789abcdef";
    let (report, printed) = doctor(&[
        ("VEILSPAN_CONTENT", " NONE "),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://canary:canary@collector.example:4317"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
    ]);
    assert_eq!(setting(&report, "VEILSPAN_CONTENT"), ("none", "environment"));
    assert_eq!(setting(&report, "OTEL_EXPORTER_OTLP_ENDPOINT"), ("collector.example:4317", "environment"));
    assert_eq!(setting(&report, "OTEL_EXPORTER_OTLP_TIMEOUT"), ("2500 ms", "environment"));
    assert!(!printed.contains("canary"), "{printed}");
    let (report, printed) = doctor(&[("VEILSPAN_HASH_KEY", key)]);
    assert_eq!(setting(&report, "VEILSPAN_HASH_KEY_ID").0.len(), 8);
    assert!(!printed.contains("canary"), "{printed}");
}

#[test]
fn wrong_use_of_the_command_line_exits_with_64_and_bad_configuration_with_65() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_veilspan")).args(arguments).output().unwrap().status.code()
    };
    assert_eq!(run(&["doctor", "--format", "yaml"]), Some(64));
    assert_eq!(run(&["no-such-command"]), Some(64));
    assert_eq!(run(&["--version"]), Some(0));
    assert_eq!(run(&["collector", "--config", "/no/such/file"]), Some(65));
    assert_eq!(run(&["collector", "--listen", "0.0.0.0:0"]), Some(65));
    assert_eq!(run(&["collector", "--listen", "127.0.0.1:0", "--export", "no-scheme"]), Some(64));
}
