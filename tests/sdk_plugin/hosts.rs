//! Programs that `delivery` starts, each with an environment of its own.

use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;

fn span(provider: &SdkTracerProvider) {
    let tracer = provider.tracer("my-service");
    let attributes = [KeyValue::new("gen_ai.operation.name", "chat"), KeyValue::new("gen_ai.prompt", "quiet zebras")];
    tracer.span_builder("chat").with_attributes(attributes).start(&tracer).end();
}

/// Exports a span and shuts down, both blocking the thread.
fn deliver_in_batches() {
    let exporter = veilspan::sdk_exporter().unwrap();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    span(&provider);
    let started = Instant::now();
    provider.force_flush().unwrap();
    span(&provider);
    provider.shutdown().unwrap();
    assert!(started.elapsed() < Duration::from_secs(4));
}

fn deliver_one_by_one() {
    let exporter = veilspan::sdk_exporter().unwrap();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
    span(&provider);
    span(&provider);
    provider.shutdown().unwrap();
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
#[ignore = "started by `delivery`"]
fn without_a_runtime() {
    deliver_in_batches();
}

#[test]
#[ignore = "started by `delivery`"]
fn on_a_single_thread() {
    current_thread().block_on(async { deliver_in_batches() });
}

#[test]
#[ignore = "started by `delivery`"]
fn on_the_only_worker() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async { tokio::spawn(async { deliver_in_batches() }).await.unwrap() });
}

#[test]
#[ignore = "started by `delivery`"]
fn in_the_exporting_thread_itself() {
    current_thread().block_on(async { deliver_one_by_one() });
}

#[test]
#[ignore = "started by `delivery`"]
fn with_an_endpoint_that_is_none() {
    let error = veilspan::sdk_exporter().unwrap_err();
    assert_eq!(error.to_string(), "the endpoint cannot be used");
    assert!(!format!("{error:?}").contains("zebras"));
}

#[test]
#[ignore = "started by `delivery`"]
fn that_drops_what_it_has_made() {
    current_thread().block_on(async { drop(veilspan::sdk_exporter().unwrap()) });
}

#[test]
#[ignore = "started by `delivery`"]
fn that_logs_all_it_hears() {
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::TRACE);
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let provider = SdkTracerProvider::builder().with_batch_exporter(veilspan::sdk_exporter().unwrap()).build();
    // Whether it is taken is not what this is about.
    for _ in 0..2 {
        span(&provider);
        let _ = provider.force_flush();
    }
    let _ = provider.shutdown();
}
