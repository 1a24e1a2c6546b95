//! Requests, policies, and what becomes of the one under the other.

use std::collections::BTreeMap;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use veilspan::Policy;
use veilspan::otlp::assemble::{Patches, patched};
use veilspan::otlp::{Look, Request};
use veilspan::privacy::{Key, Level};
use veilspan::processor::privacy::Privacy;

pub fn text(text: impl Into<String>) -> AnyValue {
    any(Value::StringValue(text.into()))
}

pub fn int(number: i64) -> AnyValue {
    any(Value::IntValue(number))
}

pub fn raw(bytes: impl Into<Vec<u8>>) -> AnyValue {
    any(Value::BytesValue(bytes.into()))
}

pub fn array(values: impl IntoIterator<Item = AnyValue>) -> AnyValue {
    any(Value::ArrayValue(ArrayValue { values: values.into_iter().collect() }))
}

pub fn map(values: impl IntoIterator<Item = KeyValue>) -> AnyValue {
    any(Value::KvlistValue(KeyValueList { values: values.into_iter().collect() }))
}

fn any(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

pub fn attribute(key: impl Into<String>, value: AnyValue) -> KeyValue {
    KeyValue { key: key.into(), value: Some(value), ..KeyValue::default() }
}

/// A JSON value as a structured one.
pub fn structured(json: &serde_json::Value) -> AnyValue {
    match json {
        serde_json::Value::Null => AnyValue { value: None },
        serde_json::Value::Bool(flag) => any(Value::BoolValue(*flag)),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => int(number),
            None => any(Value::DoubleValue(number.as_f64().unwrap())),
        },
        serde_json::Value::String(string) => text(string),
        serde_json::Value::Array(elements) => array(elements.iter().map(structured)),
        serde_json::Value::Object(members) => map(members.iter().map(|(key, value)| attribute(key, structured(value)))),
    }
}

/// A span with these attributes.
pub fn span(attributes: impl IntoIterator<Item = KeyValue>) -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: "chat".to_owned(),
        kind: 3,
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        attributes: attributes.into_iter().collect(),
        ..Span::default()
    }
}

pub fn of_spans(spans: impl IntoIterator<Item = Span>) -> ExportTraceServiceRequest {
    let scope = ScopeSpans { spans: spans.into_iter().collect(), ..ScopeSpans::default() };
    of_resources([ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() }])
}

pub fn of_resources(resources: impl IntoIterator<Item = ResourceSpans>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest { resource_spans: resources.into_iter().collect() }
}

pub fn keyed() -> Policy {
    let key = Key::new(vec![7; 32], Some("test".to_owned())).unwrap();
    Policy::builder().key(key).build_in(&Default::default()).0
}

pub fn unkeyed() -> Policy {
    Policy::builder().unkeyed_sha256().build_in(&Default::default()).0
}

pub fn undigested() -> Policy {
    Policy::builder().no_digests().build_in(&Default::default()).0
}

pub fn nothing() -> Policy {
    Policy::builder().content(Level::None).build_in(&Default::default()).0
}

pub fn every_policy() -> [Policy; 4] {
    [keyed(), unkeyed(), undigested(), nothing()]
}

pub fn patches(policy: &Policy, request: &[u8]) -> Patches {
    let request = Request::parse(Bytes::copy_from_slice(request), Look::Inside).unwrap();
    Privacy::new(policy.clone()).request(&request)
}

/// What leaves of a request, as bytes. A second stage finds nothing to do.
pub fn veiled(policy: &Policy, request: &[u8]) -> Bytes {
    let request = Request::parse(Bytes::copy_from_slice(request), Look::Inside).unwrap();
    let patches = Privacy::new(policy.clone()).request(&request);
    let out = patched(&request, &patches).into_bytes();
    let again = Request::parse(out.clone(), Look::Inside).unwrap();
    assert!(Privacy::new(policy.clone()).request(&again).is_empty(), "a second pass changes something");
    out
}

/// What leaves of a request.
pub fn leaves(policy: &Policy, request: &ExportTraceServiceRequest) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(veiled(policy, &request.encode_to_vec())).unwrap()
}

/// What leaves of a span.
pub fn span_leaves(policy: &Policy, span: Span) -> Span {
    leaves(policy, &of_spans([span])).resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

/// Attributes by their keys, of which none may stand twice.
pub fn by_key(attributes: &[KeyValue]) -> BTreeMap<&str, &AnyValue> {
    let map: BTreeMap<_, _> =
        attributes.iter().map(|attribute| (attribute.key.as_str(), attribute.value.as_ref().unwrap())).collect();
    assert_eq!(map.len(), attributes.len(), "a key stands twice");
    map
}

pub fn text_of(value: &AnyValue) -> &str {
    match &value.value {
        Some(Value::StringValue(text)) => text,
        other => panic!("no text: {other:?}"),
    }
}
