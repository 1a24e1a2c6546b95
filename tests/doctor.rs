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
        // What is said of metrics is read where somebody wants them.
        let wanted = ("OTEL_METRICS_EXPORTER", "otlp");
        let is_of_metrics = variable.name.contains("METRIC") && variable.name != wanted.0;
        let variables = [Some((variable.name, "nonsensical canary")), is_of_metrics.then_some(wanted)];
        let (report, printed) = doctor(&variables.into_iter().flatten().collect::<Vec<_>>());
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
            // Any text is a path here too.
            name if name.ends_with("HOME") || name.ends_with("CONFIG_DIR") => assert_eq!(in_force, "set"),
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
            "VEILSPAN_INLINE" => assert_eq!((in_force, origin), ("true", "not understood")),
            "RUST_LOG" => assert_eq!(in_force, "set"),
            // Any text is a path; a file that is not there is told when it is needed.
            name if name.contains("_CERTIFICATE") || name.contains("_CLIENT_KEY") => assert_eq!(in_force, "set"),
            _ if is_of_metrics => assert_eq!(origin, "not understood", "{}", variable.name),
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

/// What the doctor prints for people, line by line, without columns and what differs from run to run.
#[test]
fn l15_nothing_is_read_from_the_folder_that_a_process_is_in() {
    let ask = |folder: &std::path::Path| {
        let command = &mut Command::new(env!("CARGO_BIN_EXE_veilspan"));
        let output = command.args(["doctor", "--format", "json"]).env_clear().current_dir(folder).output().unwrap();
        let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
        // A key of its own for each process.
        for row in report["settings"].as_array_mut().unwrap() {
            let is_key = row["name"].as_str().unwrap().starts_with("VEILSPAN_HASH_KEY");
            row["in_force"] = if is_key { Value::Null } else { row["in_force"].take() };
        }
        report["settings"].take()
    };
    let (empty, planted) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let names = [
        ".env",
        "policy.yaml",
        "veilspan.yaml",
        "veilspan.toml",
        ".veilspan/policy.yaml",
        ".config/veilspan/policy.yaml",
        "config.yaml",
    ];
    for name in names {
        let path = planted.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = if name == ".env" {
            "VEILSPAN_CONTENT=full\nVEILSPAN_CONTENT_MAX=full\n"
        } else {
            "content: full\ncontent_max: full\n"
        };
        std::fs::write(path, text).unwrap();
    }
    let report = ask(planted.path());
    assert_eq!(report, ask(empty.path()));
    assert_eq!(setting(&serde_json::json!({ "settings": report }), "VEILSPAN_CONTENT"), ("digest", "default"));
}

fn printed(variables: &[(&str, &str)]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_veilspan"))
        .arg("doctor")
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let mut parts = text.split("ephemeral-");
    let mut steady = parts.next().unwrap().to_owned();
    for part in parts {
        steady.push_str("ephemeral-########");
        steady.push_str(&part.chars().skip(8).collect::<String>());
    }
    steady.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The lines that are other ones than in an empty environment.
fn other_than_in_an_empty_environment(variables: &[(&str, &str)]) -> String {
    let empty = printed(&[]);
    let mut others = printed(variables);
    others.retain(|line| !empty.contains(line));
    let set: Vec<&str> = variables.iter().map(|(name, _)| *name).collect();
    format!("set: {}\n\n{}\n", set.join(" "), others.join("\n"))
}

#[test]
fn what_it_prints_of_privacy_in_an_empty_environment() {
    const PRIVACY: [&str; 8] = ["CONTENT", "POLICY", "PREVIEW", "ATTRIBUTE", "PAYLOADS", "HASH", "INLINE", "PROPAGATE"];
    let mut lines = printed(&[]);
    lines.retain(|line| {
        let name = line.strip_prefix("VEILSPAN_");
        line.starts_with("policy ") || name.is_some_and(|name| PRIVACY.iter().any(|prefix| name.starts_with(prefix)))
    });
    insta::assert_snapshot!("empty", lines.join("\n"));
}

#[test]
fn the_page_for_whoever_signs_it_off_is_true() {
    let page = include_str!("../docs/security.md");
    let block = |opening: &str| page.split(opening).nth(1).unwrap().split("```").next().unwrap().trim().to_owned();
    let place = tempfile::tempdir().unwrap();
    let key = place.path().join("key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let two: Vec<(String, String)> = block("```sh")
        .lines()
        .map(|line| line.split_whitespace().next().unwrap().split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.replace("/run/secrets/veilspan", key.to_str().unwrap())))
        .collect();
    assert_eq!(two.len(), 2);
    // Whatever else is set: all that could ask for more.
    let full =
        VARIABLES.iter().filter(|known| known.name.starts_with("VEILSPAN_CONTENT")).map(|known| (known.name, "full"));
    for more in [Vec::new(), full.collect()] {
        let mut variables: Vec<(&str, &str)> = more;
        variables.retain(|(name, _)| two.iter().all(|(known, _)| known != name));
        variables.extend(two.iter().map(|(name, value)| (&**name, &**value)));
        let told = printed(&variables);
        for line in block("```text").lines() {
            assert!(told.iter().any(|told| told.starts_with(line)), "{line} under {} variables", variables.len());
        }
        assert!(told.iter().any(|line| line.starts_with("policy content=digest;hash=hmac-sha256;form=c1;key=")));
        assert!(!told.iter().any(|line| line.starts_with("warning")));
    }
}

#[test]
fn what_it_prints_in_a_dozen_environments() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str, text: &str| {
        std::fs::write(path(name), text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(path(name), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path(name)
    };
    let key_file = write("hash.key", "0123456789abcdef0123456789abcdef\n");
    let policy_file = write("policy.yaml", "content: none\nprompts: preview\n");
    let broken_file = write("broken.yaml", "content: none\nprompt: preview\n");
    let rules = write("rules.yaml", "enable: [ip-address]\n");
    let payloads = path("payloads");
    let spool = path("spool");
    let environments: &[(&str, &[(&str, &str)])] = &[
        ("two_variables", &[("VEILSPAN_CONTENT_MAX", "digest"), ("VEILSPAN_HASH_KEY_FILE", &key_file)]),
        (
            "a_ceiling_that_others_try_to_pass",
            &[("VEILSPAN_CONTENT_MAX", "digest"), ("VEILSPAN_CONTENT", "full"), ("VEILSPAN_CONTENT_PROMPTS", "masked")],
        ),
        (
            "each_class_its_own_level",
            &[
                ("VEILSPAN_CONTENT_SYSTEM", "none"),
                ("VEILSPAN_CONTENT_PROMPTS", "preview"),
                ("VEILSPAN_CONTENT_COMPLETIONS", "masked"),
                ("VEILSPAN_CONTENT_REASONING", "off"),
                ("VEILSPAN_CONTENT_TOOL_ARGUMENTS", " ON "),
                ("VEILSPAN_CONTENT_TOOL_RESULTS", "full"),
                ("VEILSPAN_CONTENT_ERRORS", "redacted"),
            ],
        ),
        ("words_that_nobody_understands", &[("VEILSPAN_CONTENT", "canary"), ("VEILSPAN_HASH", "md5-canary")]),
        ("a_misspelt_name", &[("VEILSPAN_CONTENTS", "none"), ("VEILSPAN_CANARY", "1")]),
        (
            "switches_of_other_instrumentations",
            &[
                ("VEILSPAN_CONTENT", "masked"),
                ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true"),
                ("OPENINFERENCE_HIDE_INPUTS", "true"),
            ],
        ),
        ("a_policy_file", &[("VEILSPAN_POLICY_FILE", &policy_file)]),
        ("a_policy_file_with_a_wrong_line", &[("VEILSPAN_POLICY_FILE", &broken_file)]),
        (
            "placeholders",
            &[("VEILSPAN_CONTENT", "on"), ("VEILSPAN_PREVIEW", "placeholder"), ("VEILSPAN_PREVIEW_CHARS", "9999")],
        ),
        ("no_detectors", &[("VEILSPAN_CONTENT", "masked"), ("VEILSPAN_DETECTORS", "none")]),
        ("detectors_of_ones_own", &[("VEILSPAN_CONTENT", "preview"), ("VEILSPAN_DETECTORS", &rules)]),
        (
            "payloads_kept",
            &[("VEILSPAN_CONTENT", "masked"), ("VEILSPAN_PAYLOADS", &payloads), ("VEILSPAN_HASH", "sha256")],
        ),
        ("payloads_without_a_key_that_lasts", &[("VEILSPAN_CONTENT", "masked"), ("VEILSPAN_PAYLOADS", &payloads)]),
        ("payloads_that_no_level_lets_leave", &[("VEILSPAN_PAYLOADS", &payloads)]),
        (
            "delivery",
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://me:canary@collector.example:4317"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary"),
                ("VEILSPAN_SPOOL_DIR", &spool),
                ("VEILSPAN_SPOOL_FSYNC", "always"),
            ],
        ),
        ("switched_off", &[("OTEL_SDK_DISABLED", "true")]),
    ];
    for (name, variables) in environments {
        // How many rules there are is told elsewhere.
        let told = other_than_in_an_empty_environment(variables);
        let told =
            told.split(' ').map(|word| if word.parse::<u32>().is_ok_and(|rules| rules > 100) { "###" } else { word });
        let told = told.collect::<Vec<_>>().join(" ");
        assert!(!told.contains("canary") || told.contains("VEILSPAN_CANARY"), "{told}");
        insta::assert_snapshot!(*name, told);
    }
}
