//! A recorder with a sink in memory, and tracing-opentelemetry with one of its own.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider};
use veilspan::event::{CallRecord, Veiled};
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

pub const SOON: Duration = Duration::from_secs(20);

pub fn policy() -> Policy {
    Policy::builder().unkeyed_sha256().build_in(&Default::default()).0
}

/// What a test records into.
pub struct Recorded {
    pub recorder: Recorder,
    pub sink: Arc<MemorySink>,
}

impl Recorded {
    pub fn new() -> Self {
        let sink = Arc::new(MemorySink::default());
        let recorder = Recorder::builder().sink(sink.clone()).policy(policy()).build();
        Self { recorder, sink }
    }

    /// The calls, in the order in which they were opened.
    pub fn calls(&self) -> Vec<CallRecord<Veiled>> {
        assert!(self.recorder.flush(SOON).complete);
        let mut calls = self.sink.calls();
        calls.sort_by_key(|call| call.opened_at.seq);
        calls
    }

    pub fn call(&self) -> CallRecord<Veiled> {
        let mut calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }
}

/// An OpenTelemetry pipeline of the SDK, and what it has exported.
pub struct Sdk {
    pub exporter: InMemorySpanExporter,
    provider: SdkTracerProvider,
}

impl Sdk {
    pub fn new() -> Self {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        Self { exporter, provider }
    }

    pub fn tracer(&self) -> SdkTracer {
        self.provider.tracer("test")
    }

    pub fn spans(&self) -> Vec<opentelemetry_sdk::trace::SpanData> {
        self.exporter.get_finished_spans().unwrap()
    }
}
