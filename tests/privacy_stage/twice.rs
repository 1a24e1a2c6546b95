//! Two stages in a row under one level for all content: what the first has let pass of spans of all dialects, the second does
//! not change, and it counts nothing. The cases are always the same ones: of others some in ten thousand are still told of once
//! more, which is safe and no promise.

use std::collections::BTreeMap;

use bytes::Bytes;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use prost::Message;
use serde_json::{Value, json};
use veilspan::Policy;
use veilspan::otlp::assemble::patched;
use veilspan::otlp::{Look, Request};
use veilspan::privacy::Level;
use veilspan::processor::privacy::Privacy;
use veilspan::semconv::SAID;

use super::build::{array, attribute, int, map, of_spans, raw, span, structured, text};
use super::levels::under;

/// What says which call a span is, in each dialect.
const CALLS: &[(&str, &[&str])] = &[
    (
        "gen_ai.operation.name",
        &[
            "chat",
            "execute_tool",
            "invoke_agent",
            "invoke_workflow",
            "embeddings",
            "retrieval",
            "search_memory",
            "plan",
            "x y",
        ],
    ),
    ("openinference.span.kind", &["LLM", "TOOL", "AGENT", "CHAIN", "EMBEDDING", "RETRIEVER"]),
    ("traceloop.span.kind", &["workflow", "agent", "tool", "task"]),
    ("llm.request.type", &["chat", "completion", "embedding"]),
    ("ai.operationId", &["ai.toolCall", "ai.generateText", "ai.generateText.doGenerate", "ai.embed.doEmbed"]),
];

/// Names that stand for a part of something, labels and numbers, and names of nobody. None of those by which a record of ours is
/// known: one with a value of another type hides which call a span is, until it is gone.
const NAMES: &[&str] = &[
    "gen_ai.prompt.0.role",
    "gen_ai.prompt.0.content",
    "gen_ai.prompt.1.content",
    "gen_ai.completion.0.content",
    "gen_ai.completion.0.finish_reason",
    "gen_ai.completion.0.tool_calls.0.name",
    "gen_ai.completion.0.tool_calls.0.arguments",
    "llm.input_messages.0.message.role",
    "llm.input_messages.0.message.content",
    "llm.input_messages.1.message.contents.0.message_content.text",
    "llm.input_messages.1.message.tool_calls.0.tool_call.function.name",
    "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments",
    "llm.output_messages.0.message.content",
    "llm.tools.0.tool.json_schema",
    "llm.request.functions.0.name",
    "llm.request.functions.0.parameters",
    "embedding.embeddings.0.embedding.text",
    "embedding.embeddings.1.embedding.text",
    "retrieval.documents.0.document.content",
    "retrieval.documents.1.document.content",
    "retrieval.documents.1.document.metadata",
    "llm.invocation_parameters",
    "ai.response.text",
    "ai.response.toolCalls",
    "ai.prompt.tools",
    "gen_ai.request.model",
    "gen_ai.response.finish_reasons",
    "gen_ai.usage.input_tokens",
    "error.type",
    "session.id",
    "db.statement",
    "exception.message",
    "my.own.key",
    "my.own.key.digest",
    "my.own.key.length",
    "my.own.key.preview",
    "two words",
];

const KEY: &str = "ghp_016C7f7e4b2c9D8a3F5e6B1d0A9c8E7f2a4b";

fn said() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z]{1,6}( [a-z]{1,6}){0,4}",
        1 => Just(String::new()),
        1 => ".{0,12}",
        1 => (200usize..900).prop_map(|length| "word ".repeat(length / 5)),
        1 => Just(format!("the key is {KEY} and no other")),
        1 => Just("sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".to_owned()),
        1 => Just("… <truncated len=12>".to_owned()),
    ]
}

/// Content as somebody has it in JSON: messages, documents, tools, arguments, parameters.
fn shaped() -> impl Strategy<Value = Value> {
    let message = |role: &'static str| {
        said().prop_map(move |said| json!({ "role": role, "parts": [{ "type": "text", "content": said }] }))
    };
    let document = prop_oneof![
        said().prop_map(Value::from),
        said().prop_map(|said| json!({ "id": "d", "content": said })),
        (said(), said()).prop_map(|(text, other)| json!({ "text": text, "meta": { "title": other } })),
        said().prop_map(|said| json!({ "score": 0.5, "snippet": said })),
    ];
    prop_oneof![
        vec(prop_oneof![message("user"), message("assistant"), message("tool")], 0..3).prop_map(Value::from),
        vec(document, 0..3).prop_map(Value::from),
        said().prop_map(|said| json!([{ "role": "assistant", "content": said, "finish_reason": "stop" }])),
        said().prop_map(|said| {
            json!([{ "role": "tool", "parts": [{ "type": "tool_call_response", "id": "c", "response": { "a": said } }] }])
        }),
        said().prop_map(|said| json!([{ "type": "function", "name": "t", "description": said }])),
        said().prop_map(|said| json!({ "messages": [{ "role": "user", "content": said }], "temperature": 0.5 })),
        said().prop_map(|said| json!({ "choices": [{ "message": { "role": "assistant", "content": said } }] })),
        said().prop_map(|said| json!({ "query": said, "limit": 3 })),
        said().prop_map(|said| json!({ "temperature": 0.1, "stop": said, "seed": 7 })),
        said().prop_map(|said| json!({ "documents": [said] })),
        said().prop_map(|said| json!([said])),
        Just(json!([])),
        Just(json!({})),
        Just(json!([1, null, true])),
    ]
}

fn value() -> impl Strategy<Value = AnyValue> {
    prop_oneof![
        4 => said().prop_map(text),
        4 => shaped().prop_map(|json| text(json.to_string())),
        1 => shaped().prop_map(|json| text(format!("{} ", serde_json::to_string_pretty(&json).unwrap()))),
        1 => (shaped(), any::<Index>()).prop_map(|(json, end)| cut(&json.to_string(), end)),
        3 => shaped().prop_map(|json| structured(&json)),
        1 => vec(said(), 0..3).prop_map(|texts| array(texts.into_iter().map(text))),
        1 => shaped().prop_map(|json| array([text(json.to_string())])),
        1 => said().prop_map(|said| map([attribute("inner", text(said))])),
        1 => said().prop_map(|said| raw(said.into_bytes())),
        1 => any::<i64>().prop_map(int),
        1 => Just(AnyValue { value: None }),
    ]
}

/// What is left of a text that somebody has cut.
fn cut(text: &str, end: Index) -> AnyValue {
    let end = end.index(text.len() + 1);
    super::build::text(text.chars().take(end).collect::<String>())
}

fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => select(SAID).prop_map(|(name, _)| name),
        4 => select(NAMES),
    ]
}

/// Keys are unique in OTLP.
fn attributes() -> impl Strategy<Value = BTreeMap<&'static str, AnyValue>> {
    let call = select(CALLS).prop_flat_map(|(name, words)| select(words).prop_map(move |word| (name, text(word))));
    (vec(call, 0..2), vec((name(), value()), 0..6)).prop_map(|(calls, said)| said.into_iter().chain(calls).collect())
}

fn a_span() -> impl Strategy<Value = Span> {
    let event = attributes().prop_map(|attributes| Event {
        name: "gen_ai.choice".to_owned(),
        attributes: attributes.into_iter().map(|(key, value)| attribute(key, value)).collect(),
        ..Event::default()
    });
    (attributes(), vec(event, 0..2), 0..3u32).prop_map(|(attributes, events, lost)| Span {
        events,
        dropped_attributes_count: lost.saturating_sub(1),
        ..span(attributes.into_iter().map(|(key, value)| attribute(key, value)).chain([attribute("gen_ai.x", int(1))]))
    })
}

fn a_policy() -> impl Strategy<Value = Policy> {
    (
        select(&Level::ALL[..]),
        select(&["400", "1023", "1024", "65536"][..]),
        select(&["text", "placeholder"][..]),
        select(&["0", "5", "256"][..]),
        select(&["default", "none"][..]),
    )
        .prop_map(|(level, bytes, style, chars, detectors)| {
            under(&[
                ("VEILSPAN_CONTENT", level.as_str()),
                ("VEILSPAN_ATTRIBUTE_BYTES", bytes),
                ("VEILSPAN_PREVIEW", style),
                ("VEILSPAN_PREVIEW_CHARS", chars),
                ("VEILSPAN_DETECTORS", detectors),
            ])
        })
}

fn read(bytes: Bytes) -> Request {
    Request::parse(bytes, Look::Inside).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(7),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_second_stage_changes_nothing_of_any_dialect_and_counts_nothing(
        spans in vec(a_span(), 1..3),
        policy in a_policy(),
        all in any::<bool>(),
    ) {
        let stage = || Privacy::new(policy.clone()).of_all_spans(all);
        let request = read(of_spans(spans).encode_to_vec().into());
        let out = patched(&request, &stage().request(&request)).into_bytes();
        let (again, second) = (read(out.clone()), stage());
        let patches = second.request(&again);
        let twice = patched(&again, &patches).into_bytes();
        prop_assert!(twice == out, "{}\nonce\n{}\ntwice\n{}", policy.snapshot(), shown(&out), shown(&twice));
        prop_assert!(patches.is_empty());
        prop_assert_eq!(second.counts(), stage().counts());
    }
}

/// The attributes, for a person who looks at what differs.
fn shown(request: &[u8]) -> String {
    let request = opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest::decode(request).unwrap();
    let spans = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans);
    spans
        .flat_map(|span| span.attributes.iter().chain(span.events.iter().flat_map(|event| &event.attributes)))
        .map(|attribute| format!("  {} = {:?}\n", attribute.key, attribute.value))
        .collect()
}
