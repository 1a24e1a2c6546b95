//! Three proofs: the context in both directions, each call once and veiled, and `fmt` undisturbed.

use opentelemetry::trace::{SpanId, TraceContextExt};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;
use veilspan::layer::others;

use super::stack::{Recorded, Sdk};
use crate::support::lines::Lines;

fn hex(id: impl ToString) -> String {
    id.to_string()
}

#[test]
fn a_genai_span_is_a_child_of_the_server_span_and_the_parent_of_the_client_span() {
    let (recorded, sdk) = (Recorded::new(), Sdk::new());
    let exporting = tracing_opentelemetry::layer().with_tracer(sdk.tracer()).with_filter(others());
    let subscriber = tracing_subscriber::registry().with(exporting).with(recorded.recorder.layer());
    let mut inside = None;
    tracing::subscriber::with_default(subscriber, || {
        info_span!("POST /chat").in_scope(|| {
            info_span!("chat", gen_ai.operation.name = "chat", gen_ai.request.model = "m").in_scope(|| {
                inside = Some(opentelemetry::Context::current().span().span_context().clone());
                info_span!("http_client").in_scope(|| {});
            });
            info_span!("after").in_scope(|| {});
        });
    });
    let call = recorded.call();
    let spans = sdk.spans();
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (server, client, after) = (find("POST /chat"), find("http_client"), find("after"));
    assert_eq!(spans.len(), 3);
    let ids = call.opened.span;
    assert_eq!(hex(ids.trace), hex(server.span_context.trace_id()));
    assert_eq!(ids.parent.map(hex), Some(hex(server.span_context.span_id())));
    assert!(!ids.parent_is_remote);
    assert_eq!(hex(client.span_context.trace_id()), hex(ids.trace));
    assert_eq!(hex(client.parent_span_id), hex(ids.span));
    assert_eq!(after.parent_span_id, server.span_context.span_id());
    assert_eq!(server.parent_span_id, SpanId::INVALID);
    // What an outgoing propagator would send.
    let inside = inside.unwrap();
    assert_eq!((hex(inside.trace_id()), hex(inside.span_id())), (hex(ids.trace), hex(ids.span)));
    assert!(inside.is_sampled());
}

#[test]
fn the_order_of_the_layers_makes_no_difference() {
    let (recorded, sdk) = (Recorded::new(), Sdk::new());
    let exporting = tracing_opentelemetry::layer().with_tracer(sdk.tracer()).with_filter(others());
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer()).with(exporting);
    tracing::subscriber::with_default(subscriber, || {
        let server = info_span!("server").entered();
        let chat = info_span!("chat", gen_ai.operation.name = "chat").entered();
        let client = info_span!("client").entered();
        let tool = info_span!("tool", gen_ai.operation.name = "execute_tool").entered();
        drop((tool, client, chat, server));
    });
    let calls = recorded.calls();
    let spans = sdk.spans();
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(calls[0].opened.span.parent.map(hex), Some(hex(find("server").span_context.span_id())));
    assert_eq!(hex(find("client").parent_span_id), hex(calls[0].opened.span.span));
    // The nearest GenAI ancestor, not what lies between.
    assert_eq!(calls[1].opened.span.parent, Some(calls[0].opened.span.span));
}

#[test]
fn each_call_leaves_once_and_veiled() {
    let (recorded, sdk) = (Recorded::new(), Sdk::new());
    let exporting = tracing_opentelemetry::layer().with_tracer(sdk.tracer()).with_filter(others());
    let subscriber = tracing_subscriber::registry().with(exporting).with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        info_span!("server").in_scope(|| {
            let chat = info_span!(
                "chat",
                gen_ai.operation.name = "chat",
                gen_ai.input.messages = r#"[{"role":"user","parts":[{"type":"text","content":"canary in a prompt"}]}]"#,
            );
            chat.in_scope(|| info!(body = "canary in a body", "canary in an event"));
        });
    });
    let call = recorded.call();
    assert!(!format!("{call:?}").contains("canary"));
    let spans = sdk.spans();
    assert_eq!(spans.len(), 1);
    assert!(!format!("{spans:?}").contains("canary"), "{spans:?}");
}

#[test]
fn fmt_still_sees_every_call_site() {
    let (recorded, sdk, lines) = (Recorded::new(), Sdk::new(), Lines::default());
    let writer = lines.clone();
    let exporting = tracing_opentelemetry::layer().with_tracer(sdk.tracer()).with_filter(others());
    let subscriber = tracing_subscriber::registry()
        .with(exporting)
        .with(recorded.recorder.layer())
        .with(tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).with_ansi(false));
    tracing::subscriber::with_default(subscriber, || {
        info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| info!("inside"));
        info_span!("plain").in_scope(|| info!("outside"));
    });
    let text = lines.text();
    assert!(text.contains("chat{gen_ai.operation.name=\"chat\"}") && text.contains("inside"), "{text}");
    assert!(text.contains("plain") && text.contains("outside"), "{text}");
    assert_eq!(recorded.calls().len(), 1);
}

#[test]
fn what_is_outside_of_genai_spans_stays_with_the_other_layer() {
    let (recorded, sdk) = (Recorded::new(), Sdk::new());
    let exporting = tracing_opentelemetry::layer().with_tracer(sdk.tracer()).with_filter(others());
    let subscriber = tracing_subscriber::registry().with(exporting).with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        info_span!("server", gen_ai.conversation.id = "c", error = "odd").in_scope(|| {
            tracing::error!(error = "of the application", "an event");
            info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| {});
            info!("another");
        });
    });
    let spans = sdk.spans();
    assert_eq!((spans.len(), spans[0].events.len()), (1, 2));
    assert_eq!(recorded.calls().len(), 1);
}

#[test]
fn baggage_says_where_the_outermost_call_belongs() {
    use opentelemetry::KeyValue;
    use opentelemetry::baggage::BaggageExt;
    let recorded = Recorded::new();
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer());
    let context = opentelemetry::Context::current_with_baggage([
        KeyValue::new("veilspan.rollout.id", "r1"),
        KeyValue::new("veilspan.tenant.id", "acme"),
    ]);
    let guard = context.attach();
    tracing::subscriber::with_default(subscriber, || {
        info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| {
            info_span!("tool", gen_ai.operation.name = "execute_tool").in_scope(|| {});
        });
    });
    drop(guard);
    let calls = recorded.calls();
    assert_eq!((&*calls[0].scope.rollout, calls[0].scope.tenant.as_deref()), ("r1", Some("acme")));
    assert_eq!(calls[0].scope, calls[1].scope);
}
