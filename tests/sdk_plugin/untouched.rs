//! What is nobody's business stays as it is.

use opentelemetry::trace::{Event, Link, Status};
use opentelemetry::{Array, InstrumentationScope, Key, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use std::time::Duration;

use super::build::{AT, context, every_policy, keyed, leave, leaves, resource_leaves, span, unkeyed, value};

/// A span of a web server, with content in it that is none of ours.
fn plain() -> SpanData {
    let body = KeyValue::new("http.request.body", "two words");
    let mut plain = span([body.clone(), body, KeyValue::new("a key", Value::Array(Array::I64(vec![])))]);
    plain.name = "GET /a path".into();
    plain.span_context = context(&[("a", "two words")]);
    plain.status = Status::error("not found");
    plain.events.events = vec![Event::new("an event", AT, vec![KeyValue::new("a key", "a value")], 1)];
    plain.links.links = vec![Link::new(context(&[("a", "two words")]), vec![KeyValue::new("a key", "a value")], 1)];
    plain.instrumentation_scope = InstrumentationScope::builder("my scope").with_schema_url("a schema").build();
    plain
}

fn genai(attributes: impl IntoIterator<Item = KeyValue>) -> SpanData {
    span([KeyValue::new("gen_ai.operation.name", "chat")].into_iter().chain(attributes))
}

#[test]
fn a_span_that_is_no_genai_span_is_not_touched() {
    for policy in every_policy() {
        let left = leave(&policy, &[plain(), genai([KeyValue::new("gen_ai.prompt", "two words")]), plain()]);
        assert_eq!((&left[0], &left[2]), (&plain(), &plain()), "its neighbour is its own");
        assert_ne!(left[1].attributes.len(), 0);
    }
}

#[test]
fn a_genai_span_of_labels_is_not_touched() {
    let texts = ["stop".into(), "length".into()].map(|text: StringValue| text);
    let mut labels = genai([
        KeyValue::new("gen_ai.request.model", "gpt-x"),
        KeyValue::new("gen_ai.usage.input_tokens", 12),
        KeyValue::new("gen_ai.request.temperature", 0.5),
        KeyValue::new("gen_ai.request.stream", true),
        KeyValue::new("gen_ai.response.finish_reasons", Value::Array(Array::String(texts.to_vec()))),
        KeyValue::new("gen_ai.conversation.id", Value::Array(Array::Bool(vec![]))),
    ]);
    labels.name = "chat gpt-x".into();
    labels.span_context = context(&[("rojo", "00f067aa0ba902b7")]);
    labels.status = Status::error("");
    labels.events.events = vec![Event::new("gen_ai.choice", AT, vec![KeyValue::new("index", 0)], 1)];
    labels.links.links = vec![Link::new(context(&[("a", "b")]), vec![KeyValue::new("veilspan.edge.kind", "spawn")], 1)];
    labels.instrumentation_scope = InstrumentationScope::builder("my-scope")
        .with_version("1.0")
        .with_schema_url("https://opentelemetry.io/schemas/1.41.0")
        .with_attributes([KeyValue::new("a", 1)])
        .build();
    for policy in every_policy() {
        assert_eq!(leaves(&policy, labels.clone()), labels);
    }
}

#[test]
fn ids_times_kinds_and_counts_stay_on_a_span_that_changes() {
    let mut before = genai([KeyValue::new("gen_ai.prompt", "two words")]);
    before.status = Status::error("it broke");
    let at = AT + Duration::from_nanos(1_234_567_891);
    before.events.events = vec![Event::new("an event", at, vec![KeyValue::new("index", 1)], 8)];
    before.events.dropped_count = 9;
    before.links.links = vec![Link::new(context(&[("a", "two words")]), vec![], 6)];
    before.links.dropped_count = 5;
    let after = leaves(&keyed(), before.clone());
    let mut expected = before;
    expected.attributes.clone_from(&after.attributes);
    expected.status = Status::error("");
    expected.events.events[0].name = after.events[0].name.clone();
    expected.links.links[0].span_context = context(&[]);
    assert_eq!(after, expected);
    assert!(after.events[0].name.starts_with("id:hmac-sha256:"));
    assert_eq!(value(&after.attributes, "veilspan.policy"), Some(&Value::from(keyed().snapshot().to_string())));
}

#[test]
fn a_span_is_known_by_its_keys_those_of_its_events_or_its_scope() {
    let secret = || KeyValue::new("secret", "two words");
    let is_veiled = |span: SpanData| leaves(&unkeyed(), span.clone()) != span;
    for (key, is_known) in [("gen_ai.x", true), ("input.value", true), ("mcp.method", true), ("gen_aix", false)] {
        assert_eq!(is_veiled(span([secret(), KeyValue::new(key, 1)])), is_known, "{key}");
        let mut by_event = span([secret()]);
        by_event.events.events = vec![Event::new("e", AT, vec![KeyValue::new(key, 1)], 0)];
        assert_eq!(is_veiled(by_event), is_known, "{key}");
    }
    for (name, is_known) in [("openinference.instrumentation.openai", true), ("ai", true), ("aim", false)] {
        let mut by_scope = span([secret()]);
        by_scope.instrumentation_scope = InstrumentationScope::builder(name).build();
        assert_eq!(is_veiled(by_scope), is_known, "{name}");
    }
}

#[test]
fn of_a_key_that_stands_twice_the_last_value_leaves() {
    let twice = |value: &'static str| KeyValue::new("gen_ai.request.model", value);
    let mut before = genai([twice("first"), KeyValue::new("gen_ai.seed", 1), twice("last")]);
    let scope = InstrumentationScope::builder("my-scope").with_attributes([twice("first"), twice("last")]);
    before.instrumentation_scope = scope.build();
    before.events.events = vec![Event::new("e", AT, vec![twice("first"), twice("last")], 0)];
    let after = leaves(&keyed(), before);
    for attributes in [&after.attributes, &after.events[0].attributes] {
        assert_eq!(value(attributes, "gen_ai.request.model"), Some(&"last".into()));
    }
    let of_scope: Vec<_> = after.instrumentation_scope.attributes().cloned().collect();
    assert_eq!(of_scope, [twice("last")]);
}

#[test]
fn a_resource_of_labels_is_not_touched() {
    let attributes = [KeyValue::new("service.name", "shop"), KeyValue::new("process.pid", 7)];
    let url = "https://opentelemetry.io/schemas/1.41.0";
    let resource = Resource::builder_empty().with_schema_url(attributes, url).build();
    assert_eq!(resource_leaves(&keyed(), &resource), resource);
    assert_eq!(resource_leaves(&keyed(), &resource).get(&Key::new("process.pid")), Some(Value::I64(7)));
}
