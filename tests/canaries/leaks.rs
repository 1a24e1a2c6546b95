//! Where libraries tell what was said although their spans are clean: the very events and fields of each, by which nothing
//! leaves but what the policy lets leave. The rules stand in `tests/conformance/leaks.md`.

use std::time::Duration;

use tracing::{debug, error, info, info_span, trace};
use tracing_subscriber::prelude::*;
use veilspan::Recorder;
use veilspan::export::ExporterConfig;
use veilspan::layer::others;
use veilspan::privacy::Level;
use veilspan::semconv::Field::{self, Completions, Prompts, System, ToolArguments, ToolResults};

use super::policies::every_level;
use super::recorded::SOON;
use crate::support::canaries::{Class, Echo, Exits, Logs, Plants, Shape};

const SENT: &[Field] = &[Prompts];
const ANSWERED: &[Field] = &[Completions];

/// Runs what a library does inside a turn of the service, and looks at both exporters: ours, and another that has the filter.
/// `is_told` says whether the library hands content to fields that are content's, so that it leaves where its level says so.
fn neither_exporter_tells(is_told: bool, library: impl Fn(&mut Plants)) {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
    let mut seen_at = Vec::new();
    for policy in every_level() {
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
            let subscriber = tracing_subscriber::registry().with(beside).with(recorder.layer());
            let mut plants = Plants::new(shape);
            tracing::subscriber::with_default(subscriber, || {
                let server = info_span!("server").entered();
                info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent").in_scope(|| library(&mut plants));
                drop(server);
            });
            recorder.shutdown(SOON);
            let mut exits = Exits::of(&plants, &policy);
            exits.requests("the wire", &echo.requests());
            exits.silent("the other exporter", format!("{:?}", exported.get_finished_spans().unwrap()).as_bytes());
            exits.named("logs", &Logs::of_process().since(mark));
            exits.assert_kept();
            assert!(!plants.planted().is_empty() && !echo.requests().is_empty());
            if exits.seen().any(|canary| matches!(canary.class, Class::Content(_))) {
                seen_at.push(policy.level());
            }
        }
    }
    let lowest = seen_at.into_iter().min();
    assert_eq!(lowest.is_some(), is_told, "content was found where it may be");
    assert!(lowest.is_none_or(|level| level >= Level::Preview));
}

fn chat() -> tracing::Span {
    info_span!("chat", gen_ai.operation.name = "chat", gen_ai.request.model = "m")
}

#[test]
fn l01_a_body_that_rig_traces_whole_leaves_by_no_exporter() {
    neither_exporter_tells(false, |p| {
        let body = format!("{:#}", serde_json::json!({"messages": [{"role": "user", "content": p.hidden("body")}]}));
        chat().in_scope(|| {
            trace!(target: "rig::completions", "OpenAI completion request: {body}");
            trace!(target: "rig::streaming", "chunk: {}", p.hidden("chunk"));
        });
    });
}

#[test]
fn l02_arguments_that_rig_logs_when_it_calls_a_tool_leave_by_no_exporter() {
    neither_exporter_tells(false, |p| {
        let tool = info_span!("execute_tool", gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "bash");
        tool.in_scope(|| debug!(tool_name = "bash", args = %p.hidden("arguments"), "calling tool with args"));
    });
}

#[test]
fn l03_what_rig_records_when_it_is_told_to_is_still_what_the_policy_lets_leave() {
    neither_exporter_tells(true, |p| {
        let image = serde_json::json!({"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBORw0KGgo="});
        let messages =
            serde_json::json!([{"role": "user", "parts": [{"type": "text", "content": p.said(SENT, "input")}, image]}]);
        let answer = serde_json::json!([{"role": "assistant", "parts": [{"type": "text", "content": p.said(ANSWERED, "output")}], "finish_reason": "stop"}]);
        drop(info_span!(
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.input.messages = messages.to_string(),
            gen_ai.output.messages = answer.to_string(),
            gen_ai.system_instructions = p.said(&[System], "instructions"),
        ));
        drop(info_span!(
            "execute_tool",
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.name = "bash",
            gen_ai.tool.call.arguments = p.said(&[ToolArguments], "arguments"),
            gen_ai.tool.call.result = p.said(&[ToolResults], "result"),
        ));
    });
}

#[test]
fn l04_what_swiftide_tells_langfuse_leaves_as_content_and_its_messages_and_commands_by_no_exporter() {
    neither_exporter_tells(true, |p| {
        let message = |said: String| info_span!(target: "swiftide_agents::agent", "add_message", message = said);
        message(p.hidden("message by itself")).in_scope(|| ());
        chat().in_scope(|| message(p.hidden("message in a chat")).in_scope(|| ()));
        chat().in_scope(|| {
            info!(
                langfuse.input = p.said(SENT, "input for langfuse"),
                langfuse.output = p.said(ANSWERED, "output for langfuse")
            );
            debug!(cmd = ?p.hidden("command"), "running");
            debug!("LLM input: {}", p.hidden("logged input"));
        });
    });
}

#[test]
fn l05_prompts_and_actions_that_langchain_rust_logs_leave_by_no_exporter() {
    neither_exporter_tells(false, |p| {
        info_span!("llm.generate", provider = "openai", model = "m").in_scope(|| {
            debug!("Prompt: {:?}", p.hidden("prompt"));
            debug!("Action: {}", p.hidden("tool input"));
            info!("Tool error: {}", p.hidden("tool error"));
        });
    });
}

#[test]
fn l06_requests_and_results_that_rmcp_logs_leave_by_no_exporter() {
    neither_exporter_tells(false, |p| {
        info_span!("serve_inner").in_scope(|| {
            debug!(request = debug(p.hidden("request")), "new request");
            debug!(result = debug(p.hidden("result")), "response");
            info!(notification = ?p.hidden("notification"), "notification");
            trace!(evt = ?p.hidden("event"), "new event");
        });
    });
}

#[test]
fn l07_an_answer_that_async_openai_prints_when_it_cannot_read_it_leaves_by_no_exporter() {
    neither_exporter_tells(false, |p| {
        chat().in_scope(|| error!("failed deserialization of: {}", p.hidden("answer")));
    });
}

#[test]
fn l08_a_tool_result_that_codex_logs_leaves_by_no_exporter() {
    neither_exporter_tells(false, |p| {
        chat().in_scope(|| {
            info!(target: "codex_otel.log_only", tool_name = "shell", arguments = %p.hidden("arguments"), output = %p.hidden("output"), "codex.tool_result");
            info!(target: "codex_otel.log_only", prompt = display(p.hidden("prompt")), "codex.user_prompt");
        });
    });
}
