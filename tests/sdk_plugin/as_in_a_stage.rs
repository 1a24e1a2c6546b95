//! What leaves by the plug-in is what leaves by a stage of the same policy.

#![cfg(feature = "collector")]

use bytes::Bytes;
use opentelemetry::trace::{Event, Link, Status};
use opentelemetry::{InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use opentelemetry_sdk::trace::SpanData;
use prost::Message;
use veilspan::otlp::assemble::patched;
use veilspan::otlp::{Look, Request};
use veilspan::processor::privacy::Privacy;
use veilspan::semconv::table;

use super::build::{AT, context, every_policy, leaves, span};

#[test]
fn a_span_leaves_as_it_would_leave_by_a_stage() {
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
            let some = || vec![KeyValue::new(key, value.clone()), KeyValue::new("some.index", 1)];
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
