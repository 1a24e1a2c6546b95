//! Names, identifiers, and what looks like none.

use opentelemetry_proto::tonic::common::v1::{EntityRef, InstrumentationScope};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use veilspan::privacy::c1::{Hasher, digest};

use super::build::{
    array, attribute, by_key, int, keyed, leaves, map, of_resources, raw, span, span_leaves, text, text_of, undigested,
    unkeyed,
};

fn id(text: &str) -> String {
    format!("id:{}", digest::text(&Hasher::sha256(), text))
}

#[test]
fn labels_stay_and_what_looks_like_none_becomes_its_digest() {
    let attributes = [
        attribute("gen_ai.request.model", text("gpt-x")),
        attribute("gen_ai.response.model", text("my model")),
        attribute("gen_ai.conversation.id", int(7)),
        attribute("gen_ai.response.finish_reasons", array([text("stop"), text("because of you")])),
        attribute("error.type", text("it broke badly")),
        attribute("gen_ai.usage.input_tokens", text("12")),
        attribute("gen_ai.usage.output_tokens", text("a dozen")),
        attribute("a key", int(1)),
        attribute("veilspan.policy", text("content=none;hash=none")),
    ];
    let attributes = attributes.to_vec();
    let veiled = span_leaves(&unkeyed(), span(attributes.clone()));
    let told = by_key(&veiled.attributes);
    assert_eq!(text_of(told["gen_ai.request.model"]), "gpt-x");
    assert_eq!(text_of(told["gen_ai.response.model"]), id("my model"));
    assert_eq!(told["gen_ai.conversation.id"], &int(7));
    assert_eq!(told["gen_ai.response.finish_reasons"], &array([text("stop"), text("_OTHER")]));
    assert_eq!(text_of(told["error.type"]), "_OTHER");
    assert_eq!(text_of(told["gen_ai.usage.input_tokens"]), "12");
    assert_eq!(told["gen_ai.usage.output_tokens.length"], &int(7));
    assert_eq!(told[&*format!("{}.length", id("a key"))], &int(1));
    assert_eq!(text_of(told["veilspan.policy"]), "content=none;hash=none");
    let veiled = span_leaves(&undigested(), span(attributes));
    assert_eq!(text_of(by_key(&veiled.attributes)["gen_ai.response.model"]), "_OTHER");
}

#[test]
fn a_constant_of_another_producer_is_one_of_our_words_or_is_not_told() {
    let attributes = vec![
        attribute("gen_ai.operation.name", text("chat")),
        attribute("veilspan.outcome", text("hunter2")),
        attribute("veilspan.usage.missing", text("unrecognised")),
        attribute("veilspan.input.roles", array([text("user"), text("hunter2")])),
        attribute("veilspan.input.part_kinds", array([text("text+tool_call"), text("text+hunter2")])),
        attribute("veilspan.finding.kind", text("outcome")),
    ];
    let veiled = span_leaves(&unkeyed(), span(attributes));
    let told = by_key(&veiled.attributes);
    assert_eq!(text_of(told["veilspan.outcome"]), "_OTHER");
    assert_eq!(text_of(told["veilspan.usage.missing"]), "unrecognised");
    assert_eq!(told["veilspan.input.roles"], &array([text("user"), text("_OTHER")]));
    assert_eq!(told["veilspan.input.part_kinds"], &array([text("text+tool_call"), text("_OTHER")]));
    assert_eq!(text_of(told["veilspan.finding.kind"]), "outcome");
}

#[test]
fn a_span_is_named_by_its_operation_and_what_it_is_about() {
    let named = |name: &str, attributes: &[(&str, &str)]| {
        let attributes = attributes.iter().map(|(key, value)| attribute(*key, text(*value)));
        let attributes = attributes.chain([attribute("gen_ai.x", int(1))]);
        span_leaves(&unkeyed(), Span { name: name.to_owned(), ..span(attributes) }).name
    };
    for stays in ["chat", "chat gpt-x", "execute_tool shell", "rollout planner", "tools/call shell", "GenAI.run", ""] {
        assert_eq!(named(stays, &[]), stays);
    }
    let chat = ("gen_ai.operation.name", "chat");
    let model = ("gen_ai.request.model", "gpt-x");
    assert_eq!(named("chat with my doctor", &[chat, model]), "chat gpt-x");
    assert_eq!(
        named("chat my model", &[chat, ("gen_ai.request.model", "my model")]),
        format!("chat {}", id("my model"))
    );
    assert_eq!(named("a secret", &[chat]), "chat");
    assert_eq!(
        named("run it", &[("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", "sh"), model]),
        "execute_tool sh"
    );
    assert_eq!(named("a secret", &[model]), id("a secret"));
    assert_eq!(named("a secret", &[("gen_ai.operation.name", "do it"), model]), id("a secret"));
    assert_eq!(named("password reset", &[]), id("password reset"));
}

#[test]
fn what_stands_beside_a_span_is_labels_too() {
    let genai = Span {
        trace_state: "a=b,c=two words".to_owned(),
        status: Some(Status { message: "it broke".to_owned(), code: 2 }),
        events: vec![Event { name: "the user said".to_owned(), time_unix_nano: 5, ..Event::default() }],
        links: vec![Link {
            trace_id: vec![3; 16],
            span_id: vec![4; 8],
            trace_state: "a=b".to_owned(),
            attributes: vec![attribute("veilspan.edge.kind", text("spawn"))],
            flags: 0x101,
            ..Link::default()
        }],
        flags: 0x101,
        ..span([attribute("gen_ai.operation.name", text("chat"))])
    };
    let veiled = span_leaves(&unkeyed(), genai.clone());
    assert_eq!(veiled.trace_state, "");
    assert_eq!(veiled.status, Some(Status { message: String::new(), code: 2 }));
    assert_eq!(veiled.events[0].name, id("the user said"));
    assert_eq!(veiled.events[0].time_unix_nano, 5);
    assert_eq!(veiled.links, genai.links);
    assert_eq!((veiled.flags, veiled.kind, veiled.trace_id), (0x101, 3, vec![1; 16]));
}

#[test]
fn the_resource_and_the_scope_of_a_genai_span_are_labels() {
    let entity =
        |kind: &str| EntityRef { r#type: kind.to_owned(), id_keys: vec!["id".to_owned()], ..EntityRef::default() };
    let resource = Resource {
        attributes: vec![
            attribute("service.name", text("shop")),
            attribute("os.description", text("an old one")),
            attribute("process.command_args", array([text("run"), text("two words")])),
            attribute("some.bytes", raw("xy")),
            attribute("some.map", map([attribute("a", int(1))])),
            attribute("two words", int(1)),
        ],
        dropped_attributes_count: 3,
        entity_refs: vec![entity("host"), entity("two words")],
    };
    let scope = InstrumentationScope {
        name: "my scope".to_owned(),
        version: "1.0.0".to_owned(),
        attributes: vec![attribute("a", text("two words"))],
        dropped_attributes_count: 0,
    };
    let genai = span([attribute("gen_ai.operation.name", text("chat"))]);
    let scope_spans = ScopeSpans { scope: Some(scope), spans: vec![genai.clone()], schema_url: "a secret".to_owned() };
    let request = of_resources([ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![scope_spans],
        schema_url: "https://opentelemetry.io/schemas/1.41.0".to_owned(),
    }]);
    let mut veiled = leaves(&unkeyed(), &request);
    let mut veiled = veiled.resource_spans.remove(0);
    let resource = veiled.resource.take().unwrap();
    let told = by_key(&resource.attributes);
    assert_eq!(text_of(told["service.name"]), "shop");
    assert_eq!(text_of(told["os.description"]), id("an old one"));
    assert_eq!(told["process.command_args"], &array([text("run"), text(id("two words"))]));
    assert_eq!(told["some.bytes.length"], &int(2));
    assert_eq!(told["some.map.length"], &int(7));
    assert_eq!(told[&*id("two words")], &int(1));
    assert!(!told.contains_key("some.bytes") && !told.contains_key("veilspan.policy"));
    assert_eq!((resource.entity_refs.len(), resource.dropped_attributes_count), (1, 3));
    let scope_spans = veiled.scope_spans.remove(0);
    let scope = scope_spans.scope.unwrap();
    assert_eq!((scope.name, scope.version), (id("my scope"), "1.0.0".to_owned()));
    assert_eq!(text_of(by_key(&scope.attributes)["a"]), id("two words"));
    assert_eq!(scope_spans.schema_url, "");
    assert_eq!(scope_spans.spans, [genai], "a span of labels keeps its bytes");
}

#[test]
fn the_labels_of_a_tenant_have_its_key() {
    let tenant = |id: &str| {
        let attributes =
            [attribute("veilspan.tenant.id", text(id)), attribute("gen_ai.request.model", text("my model"))];
        let span = span_leaves(&keyed(), span(attributes));
        text_of(by_key(&span.attributes)["gen_ai.request.model"]).to_owned()
    };
    assert_ne!(tenant("a"), tenant("b"));
    let of_tenant = Hasher::hmac_sha256(&[7; 32]).for_tenant(Some("a"));
    assert_eq!(tenant("a"), format!("id:{}", digest::text(&of_tenant, "my model")));
}
