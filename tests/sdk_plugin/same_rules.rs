//! What leaves by the plug-in is what leaves by the recorder and by a stage.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{KeyValue, Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;
use veilspan::otlp::encode::Encoder;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

use super::build::{every_policy, keyed, leaves, span};

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

/// Each span by itself through a stage of the same policy.
#[cfg(feature = "collector")]
#[test]
fn a_span_leaves_as_it_would_leave_by_a_stage() {
    use bytes::Bytes;
    use opentelemetry::trace::{Event, Link, Status};
    use opentelemetry::{InstrumentationScope, StringValue};
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
    use opentelemetry_sdk::trace::SpanData;
    use veilspan::otlp::assemble::patched;
    use veilspan::otlp::{Look, Request};
    use veilspan::processor::privacy::Privacy;
    use veilspan::semconv::table;

    use super::build::{AT, context};

    let request = |span: SpanData| {
        let scope = (&span.instrumentation_scope, None::<std::borrow::Cow<'static, str>>).into();
        let schema_url = span.instrumentation_scope.schema_url().unwrap_or_default().to_owned();
        let spans = ScopeSpans { scope: Some(scope), spans: vec![span.into()], schema_url };
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans { scope_spans: vec![spans], ..ResourceSpans::default() }],
        }
    };
    let keys = table().iter().map(|name| name.key).chain(["my.key", "a key", "input.value", "x.digest"]);
    let texts = ["label", "two words", "", r#"[{"role":"user","parts":[]}]"#, "12"];
    let values = texts.map(Value::from).into_iter().chain([
        Value::Bool(true),
        Value::I64(-3),
        Value::F64(1.5),
        Value::Array(vec![StringValue::from("label"), "two words".into()].into()),
        Value::Array(vec![1.5, 2.5].into()),
    ]);
    let values: Vec<_> = values.collect();
    let mut spans = Vec::new();
    for (round, key) in keys.enumerate() {
        for value in &values {
            let some = || vec![KeyValue::new(key, value.clone()), KeyValue::new("index", 1)];
            let mut one = span(some());
            one.attributes.push(KeyValue::new("gen_ai.operation.name", "chat"));
            one.attributes.retain({
                let mut seen = std::collections::HashSet::new();
                move |attribute| seen.insert(attribute.key.clone())
            });
            one.events.events = vec![Event::new(["e", "an event"][round % 2], AT, some(), 1)];
            let state = [("a", ["b", "two words"][round % 2])];
            one.span_context = context(&state);
            one.links.links = vec![Link::new(context(&state), some(), 2)];
            one.name = ["chat gpt-x", "tell me", "chat a b"][round % 3].into();
            one.status = Status::error("it broke");
            one.instrumentation_scope = InstrumentationScope::builder(["my scope", "shop"][round % 2])
                .with_version("1 0")
                .with_schema_url(["https://x/1.0", "a secret"][round % 2])
                .with_attributes(some())
                .build();
            spans.push(one);
        }
    }
    for policy in every_policy() {
        let stage = Privacy::new(policy.clone());
        for before in &spans {
            let bytes = Bytes::from(request(before.clone()).encode_to_vec());
            let parsed = Request::parse(bytes, Look::Inside).unwrap();
            let patched = patched(&parsed, &stage.request(&parsed)).into_bytes();
            let by_stage = ExportTraceServiceRequest::decode(patched).unwrap();
            assert_eq!(request(leaves(&policy, before.clone())), by_stage, "{before:?}");
        }
    }
}
