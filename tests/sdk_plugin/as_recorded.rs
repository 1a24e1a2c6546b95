//! What leaves by the plug-in is what leaves by the recorder.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{KeyValue, Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;
use veilspan::otlp::encode::Encoder;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

use super::build::{keyed, leaves, span};

const TOLD: &[&str] = &[
    "veilspan.input.",
    "veilspan.output.",
    "veilspan.system.",
    "veilspan.tools.",
    "veilspan.tool.",
    "veilspan.policy",
];

/// The attributes of a span that tell of content, by key.
fn told(span: Span) -> Vec<(String, String)> {
    let told =
        span.attributes.into_iter().filter(|attribute| TOLD.iter().any(|prefix| attribute.key.starts_with(prefix)));
    let mut told: Vec<_> = told.map(|attribute| (attribute.key, format!("{:?}", attribute.value))).collect();
    told.sort();
    told
}

fn recorded(policy: Policy, tenant: &str) -> Vec<Vec<(String, String)>> {
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
    let turn = recorder.turn("agent").tenant(tenant).start();
    let messages = json!({
        "messages": [{"role": "user", "content": "what is the weather"}],
        "tools": [{"type": "function", "function": {"name": "weather", "description": "tells", "parameters": {"type": "object"}}}],
    });
    let mut call = turn.inference("openai", "m").input(&messages).system("be brief").start();
    call.answer(&json!({"choices": [{"message": {"role": "assistant", "content": "it rains"}}]}));
    call.finish();
    let mut call = turn.tool("weather").arguments(r#"{"days":2,"city":"Graz"}"#).start();
    call.result("rain");
    call.finish();
    turn.finish();
    assert!(recorder.flush(Duration::from_secs(10)).complete);
    let mut calls: Vec<_> = sink
        .calls()
        .iter()
        .map(|call| {
            let mut bytes = Vec::new();
            Encoder::default().span(call, &mut bytes);
            told(Span::decode(&*bytes).unwrap())
        })
        .collect();
    calls.retain(|told| told.len() > 1);
    calls
}

#[test]
fn equal_content_has_equal_digests_through_the_recorder_and_through_the_plug_in() {
    let tenant = || KeyValue::new("veilspan.tenant.id", "acme");
    let text = |json: serde_json::Value| Value::from(json.to_string());
    let inference = span([
        KeyValue::new(
            "gen_ai.input.messages",
            text(json!([{"role": "user", "parts": [{"type": "text", "content": "what is the weather"}]}])),
        ),
        KeyValue::new("gen_ai.system_instructions", text(json!([{"type": "text", "content": "be brief"}]))),
        KeyValue::new(
            "gen_ai.tool.definitions",
            text(
                json!([{"type": "function", "name": "weather", "description": "tells", "parameters": {"type": "object"}}]),
            ),
        ),
        KeyValue::new(
            "gen_ai.output.messages",
            text(json!([{"role": "assistant", "parts": [{"type": "text", "content": "it rains"}]}])),
        ),
        tenant(),
    ]);
    let tool = span([
        KeyValue::new("gen_ai.tool.call.arguments", r#"{"days":2,"city":"Graz"}"#),
        KeyValue::new("gen_ai.tool.call.result", "rain"),
        tenant(),
    ]);
    let recorded = recorded(keyed(), "acme");
    let left = [inference, tool].map(|span| told(Span::from(leaves(&keyed(), span))));
    assert!(left[0].len() > 8 && left[1].len() > 4, "{left:?}");
    assert_eq!(recorded, left);
}
