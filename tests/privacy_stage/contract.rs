//! Content becomes what the recorder would have made of it.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use prost::Message;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use veilspan::otlp::encode::Encoder;
use veilspan::privacy::c1::{Hasher, digest};
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder, semconv};

use super::build::{
    array, attribute, by_key, int, keyed, map, nothing, raw, span, span_leaves, structured, text, text_of, undigested,
    unkeyed,
};

/// A conversation with a system text, tools, calls and results, as the conventions have it.
fn conversation() -> (Value, Value, Value, Value) {
    let messages = json!([
        {"role": "user", "parts": [{"type": "text", "content": "what is the weather"}]},
        {"role": "assistant", "parts": [
            {"type": "reasoning", "content": "let me look"},
            {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Graz", "days": 2}},
        ]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain"}]},
    ]);
    let system = json!([{"type": "text", "content": "be brief"}]);
    let tools =
        json!([{"type": "function", "name": "weather", "description": "tells", "parameters": {"type": "object"}}]);
    let answer =
        json!([{"role": "assistant", "parts": [{"type": "text", "content": "it rains"}], "finish_reason": "stop"}]);
    (messages, system, tools, answer)
}

/// The same, as OpenAI's chat completions have it.
fn chat_body() -> Value {
    json!({
        "messages": [
            {"role": "user", "content": "what is the weather"},
            {"role": "assistant", "reasoning_content": "let me look", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"days\":2,\"city\":\"Graz\"}"}},
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "description": "tells", "parameters": {"type": "object"}}}],
    })
}

/// The attributes that the recorder gives a span, those of content alone.
fn recorded(policy: Policy, tenant: Option<&str>) -> Vec<(String, AnyValue)> {
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
    let turn = recorder.turn("agent");
    let turn = tenant.into_iter().fold(turn, |turn, id| turn.tenant(id)).start();
    let mut call = turn.inference("openai", "m").input(chat_body()).system("be brief").start();
    call.answer(&json!({"choices": [{"message": {"role": "assistant", "content": "it rains"}}]}));
    call.finish();
    let mut call = turn.tool("weather").arguments(r#"{"days":2,"city":"Graz"}"#).start();
    call.result("rain");
    call.finish();
    turn.finish();
    assert!(recorder.flush(Duration::from_secs(10)).complete);
    let mut found = Vec::new();
    for call in sink.calls() {
        let mut bytes = Vec::new();
        Encoder::default().span(&call, &mut bytes);
        let span = Span::decode(&*bytes).unwrap();
        found.extend(
            span.attributes
                .into_iter()
                .filter(|attribute| is_told(&attribute.key))
                .map(|attribute| (attribute.key, attribute.value.unwrap())),
        );
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

fn is_told(key: &str) -> bool {
    ["veilspan.input.", "veilspan.output.", "veilspan.system.", "veilspan.tools.", "veilspan.tool."]
        .iter()
        .any(|prefix| key.starts_with(prefix))
}

fn told(span: &Span) -> Vec<(String, AnyValue)> {
    let told = span.attributes.iter().filter(|attribute| is_told(&attribute.key));
    let mut told: Vec<_> = told.map(|attribute| (attribute.key.clone(), attribute.value.clone().unwrap())).collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    told
}

#[test]
fn equal_content_has_equal_digests_through_the_recorder_and_through_the_stage() {
    let (messages, system, tools, answer) = conversation();
    for (policy, tenant) in [(keyed(), None), (keyed(), Some("t1")), (keyed(), Some("no label")), (undigested(), None)]
    {
        let expected = recorded(policy.clone(), tenant);
        assert!(expected.len() > 6, "{expected:?}");
        for as_is in [false, true] {
            let value = |json: &Value| if as_is { structured(json) } else { text(json.to_string()) };
            let arguments = text(r#"{"days":2,"city":"Graz"}"#);
            let mut attributes = vec![
                attribute("gen_ai.tool.call.arguments", arguments),
                attribute("gen_ai.tool.call.result", text("rain")),
                attribute("gen_ai.output.messages", value(&answer)),
                attribute("gen_ai.tool.definitions", value(&tools)),
                attribute("gen_ai.input.messages", value(&messages)),
                attribute("gen_ai.system_instructions", value(&system)),
            ];
            attributes.extend(tenant.map(|id| attribute("veilspan.tenant.id", text(id))));
            let span = span_leaves(&policy, span(attributes));
            assert_eq!(told(&span), expected);
            assert_eq!(text_of(by_key(&span.attributes)["veilspan.policy"]), &**policy.snapshot());
            assert!(span.attributes.iter().all(|attribute| attribute.key.starts_with("veilspan.")));
        }
    }
    assert!(recorded(nothing(), None).is_empty());
}

#[test]
fn at_none_content_leaves_nothing_behind() {
    let (messages, system, tools, answer) = conversation();
    let attributes = [
        attribute("gen_ai.input.messages", text(messages.to_string())),
        attribute("gen_ai.system_instructions", structured(&system)),
        attribute("gen_ai.tool.definitions", structured(&tools)),
        attribute("gen_ai.output.messages", text(answer.to_string())),
        attribute("some.key", text("two words")),
        attribute("other.key", raw("two words")),
    ];
    let span = span_leaves(&nothing(), span(attributes));
    assert_eq!(by_key(&span.attributes).keys().collect::<Vec<_>>(), [&"veilspan.policy"]);
}

#[test]
fn arguments_that_nobody_wrote_as_text_have_no_exact_digest() {
    let arguments = json!({"days": 2, "city": "Graz"});
    let span = span_leaves(&unkeyed(), span([attribute("gen_ai.tool.call.arguments", structured(&arguments))]));
    let told = by_key(&span.attributes);
    let canonical = digest::text(&Hasher::sha256(), r#"{"city":"Graz","days":2}"#);
    assert_eq!(text_of(told["veilspan.tool.arguments.digest"]), canonical.to_string());
    assert!(!told.contains_key("veilspan.tool.arguments.exact"));
}

#[test]
fn what_the_producer_has_told_already_wins() {
    let (messages, ..) = conversation();
    let known = digest::text(&Hasher::sha256(), "a").to_string();
    let attributes = [
        attribute("veilspan.input.prefix", text(&known)),
        attribute("veilspan.tool.result.length", int(3)),
        attribute("gen_ai.input.messages", structured(&messages)),
        attribute("gen_ai.tool.call.result", text("rain")),
        attribute("gen_ai.tool.call.arguments", text("{}")),
        attribute("veilspan.tool.arguments.digest", text("not a digest")),
    ];
    let span = span_leaves(&unkeyed(), span(attributes));
    let told = by_key(&span.attributes);
    assert_eq!(text_of(told["veilspan.input.prefix"]), known);
    assert!(!told.contains_key("veilspan.input.chain") && !told.contains_key("veilspan.tool.result.digest"));
    assert_eq!(told["veilspan.tool.result.length"], &int(3));
    let empty = digest::text(&Hasher::sha256(), "{}").to_string();
    assert_eq!(text_of(told["veilspan.tool.arguments.digest"]), empty);
}

#[test]
fn older_names_tell_the_same() {
    let (messages, _, _, answer) = conversation();
    let newer = [
        attribute("gen_ai.input.messages", structured(&messages)),
        attribute("gen_ai.output.messages", structured(&answer)),
    ];
    let older = [
        attribute("gen_ai.prompt", text(messages.to_string())),
        attribute("gen_ai.completion", text(answer.to_string())),
    ];
    assert_eq!(told(&span_leaves(&keyed(), span(newer))), told(&span_leaves(&keyed(), span(older))));
    let plain = [attribute("gen_ai.prompt", text("hello")), attribute("gen_ai.completion", text("hi there"))];
    let span = span_leaves(&unkeyed(), span(plain));
    let told = by_key(&span.attributes);
    let digest_of = |words| text(digest::text(&Hasher::sha256(), words).to_string());
    assert_eq!(told["veilspan.input.digests"], &array([digest_of("hello")]));
    assert_eq!(told["veilspan.input.roles"], &array([text("user")]));
    assert_eq!(told["veilspan.output.digests"], &array([digest_of("hi there")]));
}

#[test]
fn a_chain_stands_only_where_the_whole_input_was_read() {
    let (messages, system, ..) = conversation();
    let cut = |json: &Value| text(json.to_string().trim_end_matches(']'));
    let alone = span_leaves(&keyed(), span([attribute("gen_ai.system_instructions", structured(&system))]));
    assert!(by_key(&alone.attributes).contains_key("veilspan.system.digest"));
    assert!(!by_key(&alone.attributes).contains_key("veilspan.input.chain"));
    let attributes = [
        attribute("gen_ai.input.messages", structured(&messages)),
        attribute("gen_ai.system_instructions", cut(&system)),
    ];
    let partly = span_leaves(&keyed(), span(attributes));
    let told = by_key(&partly.attributes);
    assert!(told.contains_key("veilspan.input.digests") && !told.contains_key("veilspan.input.chain"));
    assert!(told.contains_key("gen_ai.system_instructions.digest"));
    let unread = span_leaves(&keyed(), span([attribute("gen_ai.input.messages", cut(&messages))]));
    let keys: Vec<_> = unread.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    assert_eq!(keys, ["gen_ai.input.messages.digest", "gen_ai.input.messages.length", "veilspan.policy"]);
}

#[test]
fn other_content_becomes_a_digest_and_a_length_beside_its_key() {
    let sha = Hasher::sha256();
    let attributes = [
        attribute("gen_ai.operation.name", text("chat")),
        attribute("some.text", text("two words")),
        attribute("some.bytes", raw("two words")),
        attribute("some.list", array([text("a"), int(2)])),
        attribute("some.map", map([attribute("b", int(1)), attribute("a", raw("x"))])),
        attribute("exception.message", text("it broke")),
        attribute("some.number", int(42)),
        attribute("gen_ai.usage.some_new_tokens", int(42)),
        attribute("told.length", text("no number")),
        attribute("told", text("two words")),
    ];
    let attributes = attributes.to_vec();
    let span = span_leaves(&unkeyed(), span(attributes.clone()));
    let told = by_key(&span.attributes);
    let is = |key: &str, digest: veilspan::event::Digest, length: i64| {
        assert_eq!(text_of(told[&*format!("{key}.digest")]), digest.to_string(), "{key}");
        assert_eq!(told[&*format!("{key}.length")], &int(length), "{key}");
        assert!(key == "told.length" || !told.contains_key(key));
    };
    is("some.text", digest::text(&sha, "two words"), 9);
    is("some.bytes", digest::blob(&sha, b"two words"), 9);
    is("some.list", digest::other(&sha, r#"["a",2]"#), 7);
    is("some.map", digest::other(&sha, r#"{"a":"eA==","b":1}"#), 18);
    is("exception.message", digest::text(&sha, "it broke"), 8);
    is("told", digest::text(&sha, "two words"), 9);
    is("some.number", digest::other(&sha, "42"), 2);
    assert_eq!(told["gen_ai.usage.some_new_tokens"], &int(42));
    let span = span_leaves(&undigested(), super::build::span(attributes));
    let told = by_key(&span.attributes);
    assert_eq!(told["some.text.length"], &int(9));
    assert!(!told.contains_key("some.text.digest"));
}

#[test]
fn no_name_of_ours_is_taken_by_what_is_told_of_a_foreign_one() {
    let attributes = [
        attribute("veilspan.tool.result", text("some text")),
        attribute("gen_ai.tool.call.result", text("rain")),
        attribute("some.key", text("two words")),
        attribute("some.key", text("two words")),
    ];
    let span = span_leaves(&unkeyed(), span(attributes));
    let told = by_key(&span.attributes);
    assert_eq!(text_of(told["veilspan.tool.result.digest"]), digest::text(&Hasher::sha256(), "rain").to_string());
    assert_eq!(told["some.key.length"], &int(9));
}

#[test]
fn a_long_key_tells_of_its_content_under_another_name() {
    let key = "k".repeat(125);
    let span_of = |policy| {
        span_leaves(&policy, span([attribute("gen_ai.request.seed", int(1)), attribute(&*key, text("two words"))]))
    };
    let keys = |span: &Span| by_key(&span.attributes).keys().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let told = keys(&span_of(unkeyed()));
    let id = format!("id:{}", digest::text(&Hasher::sha256(), &key));
    assert_eq!(
        told,
        [
            "gen_ai.request.seed".to_owned(),
            format!("{id}.digest"),
            format!("{id}.length"),
            "veilspan.policy".to_owned()
        ]
    );
    assert_eq!(keys(&span_of(undigested())), ["gen_ai.request.seed", "veilspan.policy"]);
}

#[test]
fn events_have_their_content_told_where_it_was() {
    let (messages, ..) = conversation();
    let event = |name: &str, attributes| Event { name: name.to_owned(), attributes, ..Event::default() };
    let input = attribute("gen_ai.input.messages", structured(&messages));
    let events = vec![
        event("gen_ai.client.inference.operation.details", vec![input.clone()]),
        event("gen_ai.user.message", vec![attribute("content", text("two words")), attribute("index", int(0))]),
        event("exception", vec![attribute("exception.message", text("it broke"))]),
    ];
    let on_span = span_leaves(&keyed(), span([input]));
    let on_event = span_leaves(&keyed(), Span { events, ..span([]) });
    assert_eq!(by_key(&on_event.attributes).keys().collect::<Vec<_>>(), [&"veilspan.policy"]);
    let chain = semconv::INPUT_CHAIN.key();
    assert_eq!(by_key(&on_event.events[0].attributes)[chain], by_key(&on_span.attributes)[chain]);
    let keys = |event: &Event| by_key(&event.attributes).keys().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    assert_eq!(keys(&on_event.events[1]), ["content.digest", "content.length", "index"]);
    assert_eq!(keys(&on_event.events[2]), ["exception.message.digest", "exception.message.length"]);
}
