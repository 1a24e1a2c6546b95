//! A whole process: what it prints, and every file that it leaves behind.

use std::path::Path;
use std::process::{Command, Stdio};

use veilspan::Recorder;
use veilspan::privacy::Level;

use super::policies::every_level;
use super::recorded::{SOON, private};
use super::scenario::record_everything;
use crate::support::canaries::{Class, Echo, Exits, Plants, Shape, bytes_of};

const SENT: &[veilspan::semconv::Field] = &[veilspan::semconv::Field::Prompts];
const SHAPE: &str = "CANARY_SHAPE";

fn shape(word: &str) -> Shape {
    Shape::ALL.into_iter().find(|shape| format!("{shape:?}") == word).unwrap()
}

#[test]
#[ignore = "a process of its own, run by the test below"]
fn host() {
    use tracing_subscriber::prelude::*;
    let stderr = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(stderr).init();
    let mut plants = Plants::of_another_process(shape(&std::env::var(SHAPE).unwrap()));
    let recorder = Recorder::from_env();
    let open = record_everything(&recorder, &mut plants);
    let turn = recorder.turn(&plants.label("agent of a call that its process does not live to end")).start();
    let dying = turn.inference("openai", "m").input(plants.said(SENT, "question of that call")).start();
    recorder.flush(SOON);
    // Without an unwind, an exit handler or a last flush.
    std::mem::forget((open, turn, dying));
    std::process::abort();
}

/// What the host plants.
fn planted(shape: Shape) -> Plants {
    let mut plants = Plants::of_another_process(shape);
    let recorder = Recorder::disabled();
    drop(record_everything(&recorder, &mut plants));
    plants.label("agent of a call that its process does not live to end");
    plants.said(SENT, "question of that call");
    plants
}

fn run(endpoint: &str, home: &Path, level: &str, shape: Shape) -> std::process::Output {
    let (spool, payloads) = (home.join("spool"), home.join("payloads"));
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "process::host"])
        .env_clear()
        .envs([
            ("VEILSPAN_CONTENT_MAX", "full"),
            ("VEILSPAN_CONTENT", level),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ])
        .envs([("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full"), (SHAPE, &format!("{shape:?}"))])
        .envs(["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "TMPDIR"].map(|name| (name, home)))
        .env("VEILSPAN_SPOOL_DIR", spool)
        .env("VEILSPAN_PAYLOADS", payloads)
        // So short that most of what was said is too long for it.
        .env("VEILSPAN_ATTRIBUTE_BYTES", "64")
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn a_process_that_dies_leaves_nothing_in_print_or_in_files_that_the_policy_does_not_let_leave() {
    for policy in every_level() {
        for shape in Shape::ALL {
            let echo = Echo::start();
            let home = private();
            let output = run(&echo.url(), home.path(), policy.level().as_str(), shape);
            let plants = planted(shape);
            let mut exits = Exits::of(&plants, &policy);
            exits.requests("the wire", &echo.requests());
            exits.silent("stdout", &output.stdout);
            exits.named("stderr", &output.stderr);
            exits.veiled("files", &bytes_of(home.path()));
            exits.assert_kept();
            let payloads = home.path().join("payloads");
            exits.veiled("the payload store", &bytes_of(&payloads));
            exits.assert_kept();
            assert_eq!(bytes_of(&payloads).is_empty(), policy.level() < Level::Masked, "under {}", policy.snapshot());
            let printed =
                String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert!(!echo.requests().is_empty(), "{printed}");
            let labels = exits.seen().filter(|canary| canary.class == Class::Label).count();
            assert_eq!(labels > 30, shape == Shape::Label, "{labels} labels: {printed}");
        }
    }
}
