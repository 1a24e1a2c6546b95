//! Our exporter in an `SdkTracerProvider` that knows nothing of it: spans are made with the plain OpenTelemetry API, with all
//! that was said in them, and leave without a word of it.
//!
//! ```text
//! cargo run --example sdk_plugin
//! ```
//!
//! Prints what has left. `OTEL_EXPORTER_OTLP_ENDPOINT` sends it elsewhere instead.

use std::error::Error;
use std::fmt::Write;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use veilspan::Policy;
use veilspan::collector::{Capture, Config, Stage};
use veilspan::otlp::{AnyView, Look, Request};
use veilspan::processor::RedactingExporter;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::disallowed_methods)]
fn run() -> Result<(), Box<dyn Error>> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("OTEL_EXPORTER_OTLP_ENDPOINT") || is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        // This line is all that a service needs.
        let provider = SdkTracerProvider::builder().with_batch_exporter(veilspan::sdk_exporter()?).build();
        converse(&provider.tracer("my-agent"));
        provider.shutdown()?;
        return Ok(());
    }
    let report = here()?;
    std::io::stdout().write_all(report.as_bytes())?;
    Ok(())
}

/// The spans sent to a stage in this process, which applies no policy of its own, and what it has got.
fn here() -> Result<String, Box<dyn Error>> {
    let captured = Arc::new(Capture::default());
    let config = Config::between(([127, 0, 0, 1], 0).into(), None).with_processors(&[]);
    let stage = Stage::builder(config).capture(Arc::clone(&captured)).start()?;
    // An exporter of one's own may be wrapped too. This one lives on the runtime in which it is made.
    let runtime = tokio::runtime::Runtime::new()?;
    let exporter = {
        let _inside = runtime.enter();
        let endpoint = format!("http://{}", stage.address());
        opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?
    };
    let exporter = RedactingExporter::new(exporter, Policy::from_env());
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
    converse(&provider.tracer("my-agent"));
    provider.shutdown()?;
    stage.shutdown(Duration::from_secs(10));
    told(&captured)
}

/// What a service says of a turn: a model is asked, a tool fails, the model answers.
fn converse(tracer: &SdkTracer) {
    let turn = started(
        tracer,
        &Context::new(),
        "invoke_agent planner",
        SpanKind::Internal,
        &[("gen_ai.agent.name", "planner")],
    );
    let inside = Context::new().with_span(turn);
    let mut asked = started(
        tracer,
        &inside,
        "chat gpt-x",
        SpanKind::Client,
        &[
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.request.model", "gpt-x"),
            ("gen_ai.system_instructions", r#"[{"type":"text","content":"You are careful."}]"#),
            (
                "gen_ai.input.messages",
                r#"[{"role":"user","parts":[{"type":"text","content":"How warm is it in Oslo?"}]}]"#,
            ),
            (
                "gen_ai.output.messages",
                r#"[{"role":"assistant","parts":[{"type":"text","content":"Oslo? Let me look."}]}]"#,
            ),
        ],
    );
    asked.set_attribute(KeyValue::new("gen_ai.usage.input_tokens", 12));
    asked.end();
    let mut tool = started(
        tracer,
        &inside,
        "look up how warm it is",
        SpanKind::Internal,
        &[
            ("gen_ai.operation.name", "execute_tool"),
            ("gen_ai.tool.name", "temperature"),
            ("gen_ai.tool.call.arguments", r#"{"city":"Oslo"}"#),
        ],
    );
    let exception = [("exception.type", "Timeout"), ("exception.message", "nobody knows how warm it is in Oslo")];
    tool.add_event("exception", exception.map(|(key, text)| KeyValue::new(key, text)).to_vec());
    tool.set_status(Status::error("no answer for Oslo"));
    tool.end();
    inside.span().end();
}

fn started<S>(
    tracer: &impl Tracer<Span = S>,
    parent: &Context,
    name: &'static str,
    kind: SpanKind,
    attributes: &[(&'static str, &'static str)],
) -> S {
    let attributes = attributes.iter().map(|(key, text)| KeyValue::new(*key, *text));
    tracer.span_builder(name).with_kind(kind).with_attributes(attributes).start_with_context(tracer, parent)
}

/// Names and attributes of the spans and events that have left.
fn told(captured: &Capture) -> Result<String, Box<dyn Error>> {
    let mut report = String::new();
    for request in captured.requests() {
        let request = Request::parse(request, Look::Outside)?;
        for span in request.resources().flat_map(|resource| resource.scopes()).flat_map(|scope| scope.spans()) {
            let span = span.view()?;
            writeln!(report, "{}", span.name())?;
            for attribute in span.attributes() {
                let (key, value) = attribute?;
                writeln!(report, "  {key} = {}", shown(&value))?;
            }
            for event in span.events() {
                let event = event?;
                writeln!(report, "  event {}", event.name())?;
                for attribute in event.attributes() {
                    let (key, value) = attribute?;
                    writeln!(report, "    {key} = {}", shown(&value))?;
                }
            }
        }
    }
    Ok(report)
}

fn shown(value: &AnyView<'_>) -> String {
    match value {
        AnyView::Text(text) => (*text).to_owned(),
        AnyView::Int(number) => number.to_string(),
        AnyView::Array(values) => values.clone().flatten().map(|value| shown(&value)).collect::<Vec<_>>().join(", "),
        other => format!("{other:?}"),
    }
}
