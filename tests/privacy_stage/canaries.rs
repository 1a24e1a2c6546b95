//! Free text in every field that OTLP's trace messages have, and that it does not have: none of it leaves.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use veilspan::semconv::table;

use super::build::{array, attribute, every_policy, int, map, of_resources, of_spans, raw, span, text, veiled};
use super::deep::{Kind, padded, rewrite, unknown_fields};
use crate::support::leaks::holds;

/// What every canary holds: told by a blank and a quote, which no label has.
pub const CORE: &str = r#"quiet "zebras" sing"#;

/// Texts that are told apart.
#[derive(Default)]
pub struct Canaries(Vec<String>);

impl Canaries {
    pub fn next(&mut self, place: &str) -> String {
        let canary = format!("{place} {CORE} {}", self.0.len());
        self.0.push(canary.clone());
        canary
    }

    fn value(&mut self, place: &str) -> AnyValue {
        text(self.next(place))
    }

    /// A canary in each type of value, three deep.
    pub fn values(&mut self, place: &str) -> Vec<AnyValue> {
        let mut values = vec![self.value(place), raw(self.next(place)), array([self.value(place), int(1)])];
        values.push(map([attribute(self.next(place), self.value(place))]));
        let innermost = array([raw(self.next(place)), map([attribute(self.next(place), raw(self.next(place)))])]);
        values.push(map([attribute("label", array([map([attribute(self.next(place), innermost)])]))]));
        let innermost = map([attribute("label", array([self.value(place)]))]);
        values.push(array([text("label"), array([array([innermost, raw(self.next(place))])])]));
        values
    }

    /// A canary under each of these keys, in each type of value, and in the key itself.
    pub fn attributes(&mut self, place: &str, keys: &[&str]) -> Vec<KeyValue> {
        let mut attributes = Vec::new();
        for (round, value) in self.values(place).into_iter().enumerate() {
            let key = keys.get(round % keys.len().max(1)).copied().unwrap_or("some.key");
            attributes.push(attribute(key, value));
            attributes.push(attribute(self.next(place), value_of(round)));
        }
        for value in self.values(place) {
            attributes.push(attribute(self.next(place), value));
        }
        attributes
    }
}

fn value_of(round: usize) -> AnyValue {
    if round.is_multiple_of(2) { int(7) } else { text("label") }
}

/// A canary in every string and bytes field of every message, in a GenAI span or near one.
fn everywhere() -> ExportTraceServiceRequest {
    let mut canaries = Canaries::default();
    let link = |canaries: &mut Canaries| Link {
        trace_id: vec![3; 16],
        span_id: vec![4; 8],
        trace_state: format!("vendor={}", canaries.next("link trace state")),
        attributes: canaries.attributes("link attribute", &["veilspan.edge.kind"]),
        ..Link::default()
    };
    let event = |canaries: &mut Canaries, name: String| Event {
        name,
        attributes: canaries.attributes("event attribute", &["content", "exception.message", "gen_ai.prompt"]),
        ..Event::default()
    };
    let name = canaries.next("event name");
    let genai = Span {
        name: canaries.next("span name"),
        trace_state: canaries.next("trace state"),
        attributes: canaries.attributes("attribute", &["gen_ai.operation.name"]),
        events: vec![event(&mut canaries, name), event(&mut canaries, "gen_ai.user.message".to_owned())],
        links: vec![link(&mut canaries)],
        status: Some(Status { message: canaries.next("status"), code: 2 }),
        ..span([])
    };
    let scope = ScopeSpans {
        scope: Some(InstrumentationScope {
            name: canaries.next("scope name"),
            version: canaries.next("scope version"),
            attributes: canaries.attributes("scope attribute", &["a", "b"]),
            dropped_attributes_count: 1,
        }),
        spans: vec![genai],
        schema_url: canaries.next("scope schema"),
    };
    let entity = |canaries: &mut Canaries, place: usize| EntityRef {
        schema_url: if place == 0 { canaries.next("entity schema") } else { "https://x".to_owned() },
        r#type: if place == 1 { canaries.next("entity type") } else { "host".to_owned() },
        id_keys: vec!["id".to_owned(), if place == 2 { canaries.next("entity id") } else { "b".to_owned() }],
        description_keys: vec![if place == 3 { canaries.next("entity description") } else { "d".to_owned() }],
    };
    let resource = Resource {
        attributes: canaries.attributes("resource attribute", &["service.name", "gen_ai.input.messages"]),
        dropped_attributes_count: 0,
        entity_refs: (0..4).map(|place| entity(&mut canaries, place)).collect(),
    };
    of_resources([ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![scope],
        schema_url: canaries.next("resource schema"),
    }])
}

/// Nothing of a request that is full of canaries leaves, whatever the policy, and what leaves is a request.
pub fn assert_no_leak(request: &[u8]) {
    let escaped = serde_json::to_string(CORE).unwrap();
    for policy in every_policy() {
        let out = veiled(&policy, request);
        for needle in [CORE, escaped.trim_matches('"'), "zebras"] {
            assert!(!holds(&out, needle), "{policy:?}: {}", String::from_utf8_lossy(&out));
        }
        ExportTraceServiceRequest::decode(out).unwrap();
    }
}

#[test]
fn no_free_text_leaves_from_any_field() {
    let request = everywhere().encode_to_vec();
    assert!(holds(&request, CORE));
    assert_no_leak(&request);
}

#[test]
fn no_free_text_leaves_under_any_name_of_the_table_or_of_another_dialect() {
    let foreign = [
        "llm.input_messages.0.message.content",
        "llm.invocation_parameters",
        "input.value",
        "output.value",
        "openinference.span.kind",
        "metadata",
        "traceloop.entity.input",
        "gen_ai.prompt.0.content",
        "gen_ai.completion.0.content",
        "gen_ai.request.seed",
        "ai.prompt.messages",
        "mcp.request.params",
        "my.renamed.prompt",
        "veilspan.from.the.future",
        "http.request.body",
        "user.id",
        "",
    ];
    let mut canaries = Canaries::default();
    let keys = table().iter().map(|name| name.key).chain(foreign);
    let spans: Vec<_> = keys
        .flat_map(|key| {
            canaries
                .values(key)
                .into_iter()
                .map(move |value| span([attribute("gen_ai.x", int(1)), attribute(key, value)]))
        })
        .collect::<Vec<_>>();
    assert_no_leak(&of_spans(spans).encode_to_vec());
}

#[test]
fn no_free_text_leaves_in_the_shapes_that_the_conventions_have() {
    let mut canaries = Canaries::default();
    let mut said = || canaries.next("said");
    let messages = serde_json::json!([
        {"role": "user", "parts": [{"type": "text", "content": said()}], "name": said()},
        {"role": said(), "parts": [{"type": said(), "x": said()}, {"type": "tool_call", "id": said(), "name": said(), "arguments": {said(): said()}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": said(), "response": [said()]}]},
        {"role": "assistant", "parts": [{"type": "blob", "modality": said(), "content": said()}], "finish_reason": said()},
        said(),
    ]);
    let tools =
        serde_json::json!([{"type": said(), "name": said(), "description": said(), "parameters": {said(): said()}}]);
    let keys = [
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.tool.definitions",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.prompt",
        "gen_ai.completion",
    ];
    for json in [&messages, &tools, &messages[1], &serde_json::json!({"messages": messages, "tools": tools})] {
        let whole = json.to_string();
        let cut: String = whole.chars().take(whole.len() / 2).collect();
        for value in [text(whole), super::build::structured(json), text(cut)] {
            assert_no_leak(&of_spans([span(keys.map(|key| attribute(key, value.clone())))]).encode_to_vec());
            for key in keys {
                assert_no_leak(&of_spans([span([attribute(key, value.clone())])]).encode_to_vec());
            }
        }
    }
}

const KINDS: [Kind; 14] = [
    Kind::Request,
    Kind::ResourceSpans,
    Kind::Resource,
    Kind::EntityRef,
    Kind::ScopeSpans,
    Kind::Scope,
    Kind::Span,
    Kind::Event,
    Kind::Link,
    Kind::Status,
    Kind::KeyValue,
    Kind::AnyValue,
    Kind::Array,
    Kind::Map,
];

/// A request without canaries that has every message.
fn harmless() -> Vec<u8> {
    let value = || map([attribute("a", array([map([attribute("b", text("label"))])]))]);
    let genai = Span {
        attributes: vec![attribute("gen_ai.operation.name", text("chat")), attribute("x", value())],
        events: vec![Event { name: "e".to_owned(), attributes: vec![attribute("y", value())], ..Event::default() }],
        links: vec![Link { trace_id: vec![3; 16], span_id: vec![4; 8], ..Link::default() }],
        status: Some(Status { message: String::new(), code: 1 }),
        ..span([])
    };
    let scope = InstrumentationScope { name: "s".to_owned(), ..InstrumentationScope::default() };
    let entity = EntityRef { r#type: "host".to_owned(), id_keys: vec!["k".to_owned()], ..EntityRef::default() };
    let resource =
        Resource { attributes: vec![attribute("k", text("v"))], entity_refs: vec![entity], ..Resource::default() };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans: vec![genai], schema_url: "https://x".to_owned() }];
    of_resources([ResourceSpans { resource: Some(resource), scope_spans, schema_url: "https://x".to_owned() }])
        .encode_to_vec()
}

#[test]
fn no_free_text_leaves_in_a_field_that_nobody_knows() {
    for place in KINDS {
        let mut is_planted = false;
        let request = rewrite(Kind::Request, &harmless(), &mut |kind, mut message| {
            if kind == place {
                message.extend_from_slice(&unknown_fields(CORE));
                is_planted = true;
            }
            message
        });
        assert!(is_planted, "{place:?}");
        assert_no_leak(&request);
    }
}

#[test]
fn no_free_text_leaves_in_a_field_that_stands_twice() {
    for place in KINDS {
        for number in 1..=16 {
            let request = rewrite(Kind::Request, &harmless(), &mut |kind, mut message| {
                if kind == place {
                    // The last one counts for a text; a message would be merged from both.
                    let mut twice = Vec::new();
                    veilspan::otlp::writer::put_bytes(&mut twice, number, CORE.as_bytes());
                    twice.append(&mut message);
                    return twice;
                }
                message
            });
            if veilspan::otlp::Request::parse(request.clone().into(), veilspan::otlp::Look::Inside).is_ok() {
                assert_no_leak(&request);
            }
        }
    }
}

#[test]
fn no_free_text_leaves_from_padded_bytes() {
    let request = rewrite(Kind::Request, &everywhere().encode_to_vec(), &mut |_, message| padded(&message));
    assert_no_leak(&request);
}

#[test]
fn an_id_is_no_place_for_text() {
    for field in [1, 2, 4] {
        let request = rewrite(Kind::Request, &harmless(), &mut |kind, mut message| {
            if kind == Kind::Span {
                veilspan::otlp::writer::put_bytes(&mut message, field, CORE.as_bytes());
            }
            message
        });
        assert_no_leak(&request);
    }
    for field in [1, 2] {
        let request = rewrite(Kind::Request, &harmless(), &mut |kind, mut message| {
            if kind == Kind::Link {
                veilspan::otlp::writer::put_bytes(&mut message, field, CORE.as_bytes());
            }
            message
        });
        assert_no_leak(&request);
    }
}
