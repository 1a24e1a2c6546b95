//! A peer's answer takes nobody's thread down.

#![cfg(feature = "collector")]

use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanExporter as _};
use veilspan::processor::RedactingExporter;

use super::build::{keyed, span};
use crate::support::net::serve_status_details;

const NOT_BASE64: &str = "!not base64!";

fn exporter(endpoint: String) -> SpanExporter {
    SpanExporter::builder().with_tonic().with_endpoint(endpoint).build().unwrap()
}

/// Why exports are guarded at all: where this fails, the guard can go.
#[tokio::test(flavor = "multi_thread")]
async fn the_exporter_of_opentelemetry_panics_on_details_that_are_not_base64() {
    for in_trailers in [false, true] {
        let (_server, endpoint) = serve_status_details(NOT_BASE64, in_trailers).await;
        let exporting = tokio::spawn(async move { exporter(endpoint).export(vec![span([])]).await });
        assert!(exporting.await.unwrap_err().is_panic());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_panics_has_failed_and_the_next_one_is_tried() {
    for in_trailers in [false, true] {
        let (_server, endpoint) = serve_status_details(NOT_BASE64, in_trailers).await;
        let exporter = RedactingExporter::new(exporter(endpoint), keyed());
        let counts = exporter.counts();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
        for panics in 1..=3 {
            provider.tracer("my-service").start("a span").end();
            let failed = format!("{:?}", provider.force_flush());
            assert!(failed.contains("the exporter has panicked") && !failed.contains(NOT_BASE64), "{failed}");
            assert_eq!(counts.exports_panicked(), panics);
        }
    }
}
