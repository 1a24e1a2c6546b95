//! The bare SDK: its own spans, its batch processor, its gRPC exporter.

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Tracer, TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider};

use super::measure::Scenario;
use super::payload::{self, Content};

/// A provider with the SDK's defaults. Needs a runtime around it, and to live as long as it exports.
pub fn provider(endpoint: String) -> SdkTracerProvider {
    SdkTracerProvider::builder().with_batch_exporter(exporter(endpoint)).build()
}

/// The same with a queue of another length.
pub fn with_queue(endpoint: String, spans: usize) -> SdkTracerProvider {
    let batches = BatchConfigBuilder::default().with_max_queue_size(spans).build();
    let processor = BatchSpanProcessor::builder(exporter(endpoint)).with_batch_config(batches).build();
    SdkTracerProvider::builder().with_span_processor(processor).build()
}

/// The same with a sampler that takes nothing.
pub fn unsampled(endpoint: String) -> SdkTracerProvider {
    SdkTracerProvider::builder().with_batch_exporter(exporter(endpoint)).with_sampler(Sampler::AlwaysOff).build()
}

fn exporter(endpoint: String) -> SpanExporter {
    SpanExporter::builder().with_tonic().with_endpoint(endpoint).build().expect("an exporter")
}

pub struct Sdk {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    content: Option<Content>,
}

impl Sdk {
    pub fn new(endpoint: String, content: Option<Content>) -> Self {
        Self::with(provider(endpoint), content)
    }

    /// Of this provider.
    pub fn with(provider: SdkTracerProvider, content: Option<Content>) -> Self {
        let tracer = provider.tracer("benchmark");
        Self { provider, tracer, content }
    }
}

impl Scenario for Sdk {
    fn burst(&mut self, calls: usize) {
        for _ in 0..calls {
            let mut attributes = Vec::with_capacity(10);
            attributes.extend([
                KeyValue::new("gen_ai.operation.name", "chat"),
                KeyValue::new("gen_ai.provider.name", payload::PROVIDER),
                KeyValue::new("gen_ai.request.model", payload::MODEL),
                KeyValue::new("server.address", payload::ADDRESS),
                KeyValue::new("server.port", i64::from(payload::PORT)),
                KeyValue::new("gen_ai.request.temperature", payload::TEMPERATURE),
                KeyValue::new("gen_ai.request.top_p", payload::TOP_P),
                KeyValue::new("gen_ai.request.max_tokens", i64::from(payload::MAX_TOKENS)),
            ]);
            if let Some(content) = &self.content {
                attributes.push(KeyValue::new("gen_ai.input.messages", content.prompt.clone()));
            }
            let builder = SpanBuilder::from_name("chat").with_kind(SpanKind::Client).with_attributes(attributes);
            let mut span = self.tracer.build(builder);
            span.set_attribute(KeyValue::new("gen_ai.response.id", payload::RESPONSE_ID));
            span.set_attribute(KeyValue::new("gen_ai.response.model", payload::RESPONSE_MODEL));
            span.set_attribute(KeyValue::new("gen_ai.response.finish_reasons", payload::FINISH_REASON));
            span.set_attribute(KeyValue::new("gen_ai.usage.input_tokens", payload::INPUT_TOKENS as i64));
            span.set_attribute(KeyValue::new("gen_ai.usage.output_tokens", payload::OUTPUT_TOKENS as i64));
            span.set_attribute(KeyValue::new("gen_ai.usage.cache_read.input_tokens", payload::CACHED_TOKENS as i64));
            if let Some(content) = &self.content {
                span.set_attribute(KeyValue::new("gen_ai.output.messages", content.completion.clone()));
            }
            span.end();
        }
    }

    fn flush(&mut self) {
        self.provider.force_flush().expect("a flush that ends");
    }
}
