//! The call as a `tracing` span, before tracing-opentelemetry's layer at its defaults, before ours, and before nobody.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use sha2::{Digest, Sha256};
use tracing::field::Empty;
use tracing::{Dispatch, Span, Subscriber, dispatcher, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt};
use veilspan::Recorder;

use super::measure::Scenario;
use super::payload::{self, Content};

/// What becomes of content.
pub enum Keep {
    Nothing,
    Whole(Content),
    /// A digest and the first characters, made where the span is recorded: what a host has to do by itself.
    Digest(Content),
}

/// Spans before one layer on a registry.
pub struct Layer {
    dispatch: Dispatch,
    keep: Keep,
    flush: Box<dyn FnMut()>,
}

impl Layer {
    /// tracing-opentelemetry, to a provider.
    pub fn theirs(provider: SdkTracerProvider, keep: Keep) -> Self {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("benchmark"));
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        let flush = Box::new(move || provider.force_flush().expect("a flush that ends"));
        Self { dispatch, keep, flush }
    }

    /// One that does nothing with what its filter lets through, which is everything: the floor of any layer with a filter of
    /// its own.
    pub fn nothing() -> Self {
        struct Nothing;
        impl<S: Subscriber> tracing_subscriber::Layer<S> for Nothing {}
        let layer = Nothing.with_filter(LevelFilter::TRACE);
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        Self { dispatch, keep: Keep::Nothing, flush: Box::new(|| ()) }
    }

    /// Ours, of a recorder.
    pub fn ours(recorder: Recorder, keep: Keep) -> Self {
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(recorder.layer()));
        let flush = Box::new(move || {
            let drained = recorder.flush(Duration::from_secs(30));
            assert!(drained.complete, "a flush that does not end: {:?}", drained.counts);
        });
        Self { dispatch, keep, flush }
    }
}

impl Scenario for Layer {
    fn burst(&mut self, calls: usize) {
        // For this thread alone: what the exporter's libraries trace is not to be recorded.
        dispatcher::with_default(&self.dispatch, || {
            for _ in 0..calls {
                match &self.keep {
                    Keep::Nothing => answered(&without_content()),
                    Keep::Whole(content) => with_content(&content.prompt, &content.completion),
                    Keep::Digest(content) => {
                        with_content(&digested(&content.prompt), &digested(&content.completion));
                    }
                }
            }
        });
    }

    fn flush(&mut self) {
        (self.flush)();
    }
}

/// Nobody listens.
pub struct Unheard;

impl Scenario for Unheard {
    fn burst(&mut self, calls: usize) {
        (0..calls).for_each(|_| answered(&without_content()));
    }

    fn flush(&mut self) {}
}

macro_rules! request_span {
    ($($content:tt)*) => {
        info_span!(
            "chat",
            otel.kind = "client",
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = payload::PROVIDER,
            gen_ai.request.model = payload::MODEL,
            server.address = payload::ADDRESS,
            server.port = payload::PORT,
            gen_ai.request.temperature = payload::TEMPERATURE,
            gen_ai.request.top_p = payload::TOP_P,
            gen_ai.request.max_tokens = payload::MAX_TOKENS,
            gen_ai.response.id = Empty,
            gen_ai.response.model = Empty,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            $($content)*
        )
    };
}

fn without_content() -> Span {
    request_span!()
}

fn with_content(prompt: &str, completion: &str) {
    let span = request_span!(gen_ai.input.messages = prompt, gen_ai.output.messages = Empty,);
    span.record("gen_ai.output.messages", completion);
    answered(&span);
}

/// A call that has opened and was given all that it is given before its answer.
pub fn open() -> Span {
    without_content()
}

fn answered(span: &Span) {
    let _entered = span.enter();
    span.record("gen_ai.response.id", payload::RESPONSE_ID);
    span.record("gen_ai.response.model", payload::RESPONSE_MODEL);
    span.record("gen_ai.response.finish_reasons", payload::FINISH_REASON);
    span.record("gen_ai.usage.input_tokens", payload::INPUT_TOKENS as i64);
    span.record("gen_ai.usage.output_tokens", payload::OUTPUT_TOKENS as i64);
    span.record("gen_ai.usage.cache_read.input_tokens", payload::CACHED_TOKENS as i64);
}

fn digested(text: &str) -> String {
    use std::fmt::Write;
    let mut digested = String::with_capacity(80 + payload::PREVIEW_CHARS);
    digested.push_str("sha256:");
    for byte in Sha256::digest(text.as_bytes()) {
        write!(digested, "{byte:02x}").expect("a string");
    }
    digested.push(' ');
    digested.extend(text.chars().take(payload::PREVIEW_CHARS));
    digested
}
