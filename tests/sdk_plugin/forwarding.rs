//! A wrapper is what it wraps, to the SDK.

use std::time::Duration;

use opentelemetry::trace::{SpanContext, TraceFlags, Tracer, TracerProvider};
use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter, SpanProcessor};
use veilspan::processor::{RedactingExporter, RedactingProcessor};

use super::build::{Kept, keyed, now, span};

fn genai() -> SpanData {
    span([KeyValue::new("gen_ai.prompt", "two words")])
}

#[test]
fn shutdown_and_flush_reach_what_is_wrapped() {
    let kept = Kept::default();
    let exporter = RedactingExporter::new(kept.clone(), keyed());
    exporter.shutdown_with_timeout(Duration::from_secs(3)).unwrap();
    SpanExporter::force_flush(&exporter).unwrap();
    SpanExporter::shutdown(&exporter).unwrap();
    let processor = RedactingProcessor::new(kept.clone(), keyed());
    processor.shutdown_with_timeout(Duration::from_secs(4)).unwrap();
    SpanProcessor::force_flush(&processor).unwrap();
    SpanProcessor::shutdown(&processor).unwrap();
    let expected = ["shutdown 3s", "flush", "shutdown 5s", "shutdown 4s", "flush", "shutdown 5s"];
    assert_eq!(kept.inside(|inside| inside.calls.clone()), expected);
}

#[test]
fn a_provider_tells_what_is_wrapped_of_starts_and_of_its_resource_veiled() {
    for as_exporter in [true, false] {
        let kept = Kept::default();
        let resource = Resource::builder_empty()
            .with_attributes([KeyValue::new("service.name", "shop"), KeyValue::new("os.description", "an old one")])
            .build();
        let builder = SdkTracerProvider::builder().with_resource(resource);
        let provider = if as_exporter {
            builder.with_batch_exporter(RedactingExporter::new(kept.clone(), keyed())).build()
        } else {
            builder.with_span_processor(RedactingProcessor::new(kept.clone(), keyed())).build()
        };
        let tracer = provider.tracer("my-service");
        drop(tracer.span_builder("chat").with_attributes([KeyValue::new("gen_ai.prompt", "two words")]).start(&tracer));
        provider.shutdown().unwrap();
        kept.inside(|inside| {
            let resource = inside.resource.clone().unwrap();
            assert_eq!(resource.get(&Key::new("service.name")), Some("shop".into()));
            let os = resource.get(&Key::new("os.description")).unwrap();
            assert!(os.as_str().starts_with("id:hmac-sha256:"));
            assert_eq!(inside.calls.contains(&"start".to_owned()), !as_exporter);
            assert!(inside.spans[0].attributes.iter().all(|attribute| attribute.key.as_str() != "gen_ai.prompt"));
        });
    }
}

#[test]
fn an_unsampled_span_is_handed_on_and_not_exported() {
    let mut unsampled = genai();
    let context = &unsampled.span_context;
    unsampled.span_context = SpanContext::new(
        context.trace_id(),
        context.span_id(),
        TraceFlags::NOT_SAMPLED,
        false,
        context.trace_state().clone(),
    );
    let (exported, handed_on) = (Kept::default(), Kept::default());
    let exporter = RedactingExporter::new(exported.clone(), keyed());
    now(exporter.export(vec![genai(), unsampled.clone()])).unwrap();
    now(exporter.export(vec![unsampled.clone()])).unwrap();
    assert_eq!(exported.spans().len(), 1);
    assert_eq!(exporter.counts().spans_unsampled(), 2);
    RedactingProcessor::new(handed_on.clone(), keyed()).on_end(unsampled);
    assert_eq!(handed_on.spans().len(), 1);
    assert!(!format!("{:?}", handed_on.spans()).contains("two words"));
}

#[derive(Debug)]
struct Failing;

impl SpanExporter for Failing {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Err(OTelSdkError::Timeout(Duration::from_secs(9)))
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Err(OTelSdkError::AlreadyShutdown)
    }
}

#[test]
fn an_error_passes_as_it_is() {
    let exporter = RedactingExporter::new(RedactingExporter::new(Failing, keyed()), keyed());
    assert!(matches!(now(exporter.export(vec![genai()])), Err(OTelSdkError::Timeout(time)) if time.as_secs() == 9));
    assert!(matches!(exporter.shutdown(), Err(OTelSdkError::AlreadyShutdown)));
}
