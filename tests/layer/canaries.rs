//! Nothing that a library puts into spans and events is on the wire, nor in what another exporter sends.

use std::fmt;

use tracing::field::Empty;
use tracing::{debug, error, info, info_span, trace};
use tracing_subscriber::prelude::*;
use veilspan::Recorder;
use veilspan::event::{Clock, SystemClock};
use veilspan::export::ExporterConfig;
use veilspan::layer::others;

use super::stack::{SOON, Sdk, policy};
use super::support::leaks::holds;
use super::support::receiver::{Behaviour, Receiver, int, text};

/// A text that no rule takes for a label.
fn planted(place: &str) -> String {
    format!("canary of {place} with blanks")
}

struct Shown(&'static str);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&planted(self.0))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&planted(self.0))
    }
}

impl std::error::Error for Shown {}

const NUMBER: u64 = 7_301_977_301_977;

fn run_a_library_that_records_everything() {
    let agent = info_span!(
        "invoke_agent",
        gen_ai.operation.name = "invoke_agent",
        gen_ai.agent.name = %Shown("agent name"),
        gen_ai.agent.description = planted("agent description"),
        gen_ai.conversation.id = ?Shown("conversation"),
        gen_ai.prompt = planted("agent prompt"),
        veilspan.rollout.id = planted("rollout"),
    );
    agent.in_scope(|| {
        let messages =
            |place: &str| format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{}"}}]}}]"#, planted(place));
        let chat = info_span!(
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.request.model = ?Shown("model"),
            gen_ai.request.stop_sequences = planted("stop sequence"),
            gen_ai.unknown = planted("unknown field"),
            gen_ai.unknown.number = NUMBER,
            user.name = planted("foreign field"),
            account = NUMBER,
            gen_ai.input.messages = Empty,
            gen_ai.output.messages = Empty,
            gen_ai.system_instructions = %Shown("system"),
            gen_ai.tool.definitions = Empty,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.response.id = Empty,
            gen_ai.usage.input_tokens = planted("tokens"),
            error.type = Empty,
            otel.status_description = Empty,
        );
        chat.record("gen_ai.input.messages", messages("input"));
        chat.record("gen_ai.output.messages", format!("[not json {}", planted("output")));
        chat.record("gen_ai.tool.definitions", planted("tools"));
        chat.record("gen_ai.response.finish_reasons", format!(r#"["{}"]"#, planted("finish reason")));
        chat.record("gen_ai.response.id", tracing::field::debug(Shown("response id")));
        chat.record("error.type", planted("error type"));
        chat.record("otel.status_description", planted("status"));
        chat.in_scope(|| {
            trace!(target: "rig::completions", "request: {}", planted("trace event"));
            debug!(args = planted("event field"), "calling tool with args");
            info!(gen_ai.input.messages = messages("event input"), "{}", planted("event message"));
            let error: &dyn std::error::Error = &Shown("error value");
            error!(error, exception.message = planted("exception"), exception.stacktrace = ?Shown("stack"), "failed");
            info_span!("http_client").in_scope(|| debug!(body = planted("http event")));
        });
        drop(chat);
        let tool = info_span!(
            "execute_tool",
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.name = planted("tool name"),
            gen_ai.tool.call.arguments = planted("arguments"),
            gen_ai.tool.call.result = Empty,
        );
        tool.record("gen_ai.tool.call.result", tracing::field::display(Shown("result")));
        drop(info_span!(
            "embeddings",
            gen_ai.operation.name = "embeddings",
            gen_ai.request.encoding_formats = format!(r#"["{}"]"#, planted("encoding format")),
            input.value = format!(r#"["{}", 5]"#, planted("embedded text")),
            output.value = planted("vectors"),
        ));
        drop(info_span!(
            "retrieval",
            gen_ai.operation.name = "retrieval",
            gen_ai.data_source.id = planted("data source"),
            gen_ai.retrieval.query.text = ?Shown("query"),
            gen_ai.retrieval.documents = format!(r#"[{{"id":"{}"}}]"#, planted("document")),
            gen_ai.memory.records = planted("memory record"),
        ));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _inside = tool.entered();
            std::panic::resume_unwind(Box::new(planted("panic")));
        }));
        assert!(panicked.is_err());
    });
}

#[test]
fn nothing_planted_is_in_the_bytes_of_either_exporter() {
    let receiver = Receiver::start(Behaviour::Accept);
    let mut config = ExporterConfig::default();
    config.endpoint = receiver.url();
    let recorder = Recorder::exporting(&config, policy()).unwrap();
    let sdk = Sdk::new();
    let exporting = tracing_opentelemetry::layer().with_tracer(sdk.tracer()).with_filter(others());
    let subscriber = tracing_subscriber::registry().with(exporting).with(recorder.layer());
    let started = SystemClock::default().unix_nanos();
    tracing::subscriber::with_default(subscriber, || {
        info_span!("server").in_scope(run_a_library_that_records_everything);
    });
    assert!(recorder.shutdown(SOON).complete);
    let spans = receiver.spans();
    assert_eq!(spans.len(), 5);
    assert!(!holds(&receiver.bytes(), "canary of"));
    for span in &spans {
        assert!(!format!("{span:?}").contains(&NUMBER.to_string()));
        assert!(span.start_time_unix_nano >= started && span.end_time_unix_nano >= span.start_time_unix_nano);
    }
    let chat = spans.iter().find(|span| text(span, "gen_ai.operation.name") == Some("chat")).unwrap();
    assert!(text(chat, "gen_ai.request.model").unwrap().starts_with("id:sha256:"));
    assert_eq!(text(chat, "error.type"), Some("_OTHER"));
    assert_eq!(int(chat, "gen_ai.usage.input_tokens"), None);
    assert!(chat.attributes.iter().any(|attribute| attribute.key == "veilspan.input.digests"));

    let exported = sdk.spans();
    let names: Vec<_> = exported.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["http_client", "server"]);
    let printed = format!("{exported:?}");
    assert!(!printed.contains("canary of") && !printed.contains(&NUMBER.to_string()), "{printed}");
    assert!(!format!("{:?}", recorder.layer::<tracing_subscriber::Registry>()).contains("canary"));
}
