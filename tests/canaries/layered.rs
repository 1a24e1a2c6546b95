//! Through the layer: what a library puts into spans and events leaves neither by us nor by another exporter beside us.

use std::time::Duration;

use tracing::field::Empty;
use tracing::{debug, error, info, info_span, trace};
use tracing_subscriber::prelude::*;
use veilspan::Recorder;
use veilspan::export::ExporterConfig;
use veilspan::layer::others;
use veilspan::privacy::Level;
use veilspan::semconv::Field::{self, Completions, Errors, Prompts, System, ToolArguments, ToolResults};

use super::policies::every_policy;
use super::recorded::SOON;
use crate::support::canaries::{Echo, Exits, Logs, Plants, Shape};

const SENT: &[Field] = &[Prompts];
const ANSWERED: &[Field] = &[Completions];
const NUMBER: u64 = 7_301_977_301_977;

fn messages(role: &str, text: &str) -> String {
    serde_json::json!([{ "role": role, "parts": [{ "type": "text", "content": text }] }]).to_string()
}

fn run_a_library_that_records_everything(p: &mut Plants) {
    let agent = info_span!(
        "invoke_agent",
        gen_ai.operation.name = "invoke_agent",
        gen_ai.agent.name = %p.label("agent"),
        gen_ai.agent.description = p.said(&[System], "agent's description"),
        gen_ai.conversation.id = %p.label("conversation"),
        gen_ai.prompt = p.said(SENT, "agent's prompt"),
        veilspan.rollout.id = p.label("rollout"),
    );
    agent.in_scope(|| {
        let chat = info_span!(
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.request.model = %p.label("model"),
            gen_ai.request.stop_sequences = p.said(SENT, "stop sequence"),
            gen_ai.unknown = p.said(SENT, "unknown field"),
            gen_ai.unknown.number = NUMBER,
            user.name = p.hidden("field of another"),
            account = NUMBER,
            gen_ai.input.messages = Empty,
            gen_ai.output.messages = Empty,
            gen_ai.system_instructions = %p.said(&[System], "system"),
            gen_ai.tool.definitions = Empty,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.response.id = Empty,
            gen_ai.usage.input_tokens = p.hidden("tokens"),
            error.type = Empty,
            otel.status_description = Empty,
        );
        chat.record("gen_ai.input.messages", messages("user", &p.said(SENT, "input")));
        chat.record("gen_ai.output.messages", messages("assistant", &p.said(ANSWERED, "output")));
        chat.record("gen_ai.tool.definitions", p.said(&[System], "tools that are no json"));
        chat.record("gen_ai.response.finish_reasons", serde_json::json!([p.label("finish reason")]).to_string());
        chat.record("gen_ai.response.id", p.label("response id"));
        chat.record("error.type", p.label("error type"));
        chat.record("otel.status_description", p.said(&[Errors], "status"));
        chat.in_scope(|| {
            trace!(target: "rig::completions", "request: {}", p.hidden("trace event"));
            debug!(args = p.hidden("event field"), "calling tool with args");
            info!(gen_ai.input.messages = messages("user", &p.said(SENT, "event's input")), "{}", p.hidden("event"));
            let failure = std::io::Error::other(p.said(&[Errors], "error value"));
            let failure: &dyn std::error::Error = &failure;
            error!(
                error = failure,
                exception.message = p.said(&[Errors], "exception"),
                exception.stacktrace = %p.said(&[Errors], "stack"),
                "failed"
            );
            info_span!("http_client").in_scope(|| debug!(body = p.hidden("http event")));
        });
        drop(chat);
        let tool = info_span!(
            "execute_tool",
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.name = p.label("tool name"),
            gen_ai.tool.call.arguments = p.said(&[ToolArguments], "arguments"),
            gen_ai.tool.call.result = Empty,
        );
        tool.record("gen_ai.tool.call.result", tracing::field::display(p.said(&[ToolResults], "result")));
        drop(info_span!(
            "embeddings",
            gen_ai.operation.name = "embeddings",
            gen_ai.request.encoding_formats = serde_json::json!([p.label("encoding format")]).to_string(),
            input.value = serde_json::json!([p.said(SENT, "embedded text"), 5]).to_string(),
            output.value = p.said(SENT, "vectors"),
        ));
        drop(info_span!(
            "retrieval",
            gen_ai.operation.name = "retrieval",
            gen_ai.data_source.id = p.label("data source"),
            gen_ai.retrieval.query.text = %p.said(SENT, "query"),
            gen_ai.retrieval.documents = serde_json::json!([{ "id": p.said(&[ToolResults], "document") }]).to_string(),
            gen_ai.memory.records = p.said(&[ToolResults], "memory record"),
        ));
        let payload = p.hidden("panic");
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _inside = tool.entered();
            std::panic::resume_unwind(Box::new(payload));
        }));
        assert!(panicked.is_err());
    });
}

#[test]
fn what_a_library_records_leaves_as_the_policy_says_and_by_one_exporter_alone() {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
    for policy in every_policy() {
        for shape in Shape::ALL {
            let mark = Logs::of_process().mark();
            let echo = Echo::start();
            let mut config = ExporterConfig::default();
            config.endpoint = echo.url();
            config.batch_delay = Duration::from_millis(20);
            let recorder = Recorder::exporting(&config, policy.clone()).unwrap();
            let exported = InMemorySpanExporter::default();
            let provider = SdkTracerProvider::builder().with_simple_exporter(exported.clone()).build();
            let beside = tracing_opentelemetry::layer().with_tracer(provider.tracer("test")).with_filter(others());
            let ours = recorder.layer();
            let printed = format!("{ours:?}");
            let subscriber = tracing_subscriber::registry().with(beside).with(ours);
            let mut plants = Plants::new(shape);
            tracing::subscriber::with_default(subscriber, || {
                info_span!("server").in_scope(|| run_a_library_that_records_everything(&mut plants));
            });
            recorder.shutdown(SOON);
            let exported = exported.get_finished_spans().unwrap();
            let names: Vec<_> = exported.iter().map(|span| span.name.as_ref()).collect();
            assert_eq!(names, ["http_client", "server"]);
            let mut exits = Exits::of(&plants, &policy);
            exits.requests("the wire", &echo.requests());
            exits.silent("the other exporter", format!("{exported:?}").as_bytes());
            exits.silent("debug output", format!("{printed} {recorder:?}").as_bytes());
            exits.named("logs", &Logs::of_process().since(mark));
            exits.assert_kept();
            let wire: Vec<u8> = echo.requests().concat();
            assert!(!crate::support::leaks::holds(&wire, &NUMBER.to_string()));
            let is_shown = if shape == Shape::Secret { Level::Full } else { Level::Preview };
            for field in [Prompts, Completions, System, ToolArguments, ToolResults] {
                let seen = exits.seen().any(|canary| {
                    canary.class == crate::support::canaries::Class::Content(super::recorded::fields_of(field))
                });
                assert_eq!(
                    seen,
                    policy.levels().of_all(&[field]) >= is_shown,
                    "{field:?} as {shape:?} under {}",
                    policy.snapshot()
                );
            }
        }
    }
}
