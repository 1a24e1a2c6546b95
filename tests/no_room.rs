//! A process that may have no more threads or files lives, and its recorder is the disabled one.
//!
//! The kernel itself refuses (seccomp), in a child process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::process::{Command, exit};

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter_all_threads};
use veilspan::Recorder;

const PART: &str = "NO_ROOM";

/// Nobody gets another thread or another file.
fn filter() -> BpfProgram {
    let refused = [libc::SYS_clone, libc::SYS_clone3, libc::SYS_openat, libc::SYS_socket, libc::SYS_eventfd2];
    let rules = refused.into_iter().map(|number| (number, Vec::new())).collect();
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let refuse = SeccompAction::Errno(libc::EAGAIN.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).unwrap().try_into().unwrap()
}

/// Plays its part; comes back only as an exit.
fn play() -> ! {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    apply_filter_all_threads(&filter()).unwrap();
    for recorder in [
        Recorder::from_env(),
        Recorder::builder().sink(std::sync::Arc::new(veilspan::testing::MemorySink::default())).build(),
    ] {
        assert!(!recorder.is_enabled());
        for _ in 0..3 {
            let turn = recorder.turn("agent").start();
            turn.inference("openai", "m").input("hello").start().finish();
            turn.finish();
        }
        assert!(recorder.shutdown(std::time::Duration::from_secs(1)).complete);
    }
    #[cfg(feature = "sdk")]
    reduce_where_spans_end();
    exit(0)
}

/// Reduction in the SDK goes without its thread.
#[cfg(feature = "sdk")]
fn reduce_where_spans_end() {
    use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SimpleSpanProcessor};

    let exporter = InMemorySpanExporter::default();
    let policy = veilspan::Policy::builder().no_digests().build_in(&Default::default()).0;
    let next = SimpleSpanProcessor::new(exporter.clone());
    let processor = veilspan::processor::ReducingProcessor::new(next, policy);
    let reduced = processor.reduced();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let tracer = provider.tracer("host");
    let span = tracer.span_builder("chat").with_attributes([
        opentelemetry::KeyValue::new("gen_ai.operation.name", "chat"),
        opentelemetry::KeyValue::new("veilspan.rollout.id", "r"),
    ]);
    drop(opentelemetry::Context::new().with_span(tracer.build(span)));
    assert_eq!(reduced.counts().reduced, 1);
    assert_eq!(reduced.rollouts().len(), 1);
    provider.force_flush().unwrap();
    assert_eq!(exporter.get_finished_spans().unwrap().len(), 1);
}

/// The other test's child; nothing of its own.
#[test]
fn the_child() {
    if std::env::var_os(PART).is_some() {
        play();
    }
}

#[test]
fn without_threads_and_files_the_host_lives_and_the_recorder_is_the_disabled_one() {
    let name = std::env::current_exe().unwrap();
    let mut child = Command::new(name);
    let output = child.args(["--exact", "the_child", "--nocapture"]).env(PART, "1").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    // One line for each of the two recorders, and none for a call.
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("nothing is recorded")).collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].contains("error=") && lines[1].contains("thread could not be started"), "{said}");
    assert!(lines.iter().all(|line| line.contains("WARN veilspan")), "{said}");
}
