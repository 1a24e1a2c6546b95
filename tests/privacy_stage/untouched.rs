//! What is nobody's business keeps its bytes; what nobody can read goes alone.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use veilspan::otlp::wire::{Fields, Wire};
use veilspan::otlp::writer::put_bytes;
use veilspan::otlp::{Look, Request};

use super::build::{
    attribute, by_key, int, keyed, leaves, of_resources, of_spans, patches, raw, span, text, unkeyed, veiled,
};
use super::deep::{Kind, padded, rewrite, unknown_fields};

/// A span of a web server, with content in it that is none of ours.
fn plain() -> Span {
    Span {
        name: "GET /a path".to_owned(),
        trace_state: "a=two words".to_owned(),
        status: Some(Status { message: "not found".to_owned(), code: 2 }),
        ..span([attribute("http.request.body", text("two words")), attribute("a key", raw("x y"))])
    }
}

fn genai() -> Span {
    span([attribute("gen_ai.prompt", text("two words"))])
}

fn resource(name: &str, spans: Vec<Span>) -> ResourceSpans {
    let attributes = vec![attribute("service.name", text(name)), attribute("a key", raw("x y"))];
    let scope = InstrumentationScope { name: "my scope".to_owned(), ..InstrumentationScope::default() };
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans, schema_url: "a scope's".to_owned() }],
        schema_url: "a schema".to_owned(),
    }
}

/// The fields 1 of a request, as bytes.
fn resources(request: &[u8]) -> Vec<Vec<u8>> {
    let content = |value: Wire<'_>| if let Wire::Bytes(bytes) = value { bytes.to_vec() } else { Vec::new() };
    Fields::new(request)
        .map(|field| field.unwrap())
        .filter(|field| field.number == 1)
        .map(|field| content(field.value))
        .collect()
}

#[test]
fn a_request_without_genai_spans_is_not_touched() {
    let request = of_resources([resource("a shop", vec![plain(), plain()])]).encode_to_vec();
    assert!(patches(&keyed(), &request).is_empty());
    let odd = rewrite(Kind::Request, &request, &mut |_, message| {
        let mut message = padded(&message);
        message.extend_from_slice(&unknown_fields("two words"));
        message
    });
    assert!(patches(&keyed(), &odd).is_empty());
    assert_eq!(veiled(&keyed(), &odd), odd);
}

#[test]
fn a_resource_without_genai_spans_keeps_its_bytes_beside_one_with_some() {
    let request = of_resources([
        resource("a shop", vec![plain()]),
        resource("an agent", vec![genai(), plain()]),
        resource("a till", vec![plain()]),
    ]);
    let before = request.encode_to_vec();
    let after = veiled(&keyed(), &before);
    let (before, after) = (resources(&before), resources(&after));
    assert_eq!((&before[0], &before[2]), (&after[0], &after[2]));
    assert_ne!(before[1], after[1]);
    let veiled = leaves(&keyed(), &request);
    assert_eq!(veiled.resource_spans[1].scope_spans[0].spans[1], plain(), "its neighbour is its own");
}

#[test]
fn each_dialect_is_known_by_its_keys_or_its_scope() {
    let keys = [
        "gen_ai.system",
        "veilspan.seq",
        "openinference.span.kind",
        "llm.model_name",
        "traceloop.span.kind",
        "ai.operationId",
        "mcp.method.name",
        "input.value",
        "output.value",
    ];
    let secret = || attribute("secret", text("two words"));
    for key in keys {
        let request = of_spans([span([secret(), attribute(key, int(1))])]).encode_to_vec();
        assert!(!patches(&keyed(), &request).is_empty(), "{key}");
    }
    for key in ["gen_aix", "http.ai.", "input.values", "aim", "xgen_ai.system"] {
        let request = of_spans([span([secret(), attribute(key, int(1))])]).encode_to_vec();
        assert!(patches(&keyed(), &request).is_empty(), "{key}");
    }
    for (name, is_known) in [("openinference.instrumentation.openai", true), ("ai", true), ("aim", false)] {
        let mut request = of_spans([span([secret()])]);
        let scope = InstrumentationScope { name: name.to_owned(), ..InstrumentationScope::default() };
        request.resource_spans[0].scope_spans[0].scope = Some(scope);
        assert_eq!(!patches(&keyed(), &request.encode_to_vec()).is_empty(), is_known, "{name}");
    }
    let event = opentelemetry_proto::tonic::trace::v1::span::Event {
        attributes: vec![attribute("gen_ai.system", text("openai"))],
        ..Default::default()
    };
    let request = of_spans([Span { events: vec![event], ..span([secret()]) }]).encode_to_vec();
    assert!(!patches(&keyed(), &request).is_empty());
}

#[test]
fn a_span_that_no_receiver_reads_is_refused_alone() {
    let mut broken = genai().encode_to_vec();
    // A name that is not UTF-8.
    put_bytes(&mut broken, 5, &[0xff, 0xfe]);
    let mut scope_spans = Vec::new();
    for span in [&genai().encode_to_vec(), &broken, &plain().encode_to_vec(), &vec![0xff; 5]] {
        put_bytes(&mut scope_spans, 2, span);
    }
    let mut resource_spans = Vec::new();
    put_bytes(&mut resource_spans, 2, &scope_spans);
    let mut request = Vec::new();
    put_bytes(&mut request, 1, &resource_spans);
    let after = ExportTraceServiceRequest::decode(veiled(&keyed(), &request)).unwrap();
    let spans = &after.resource_spans[0].scope_spans[0].spans;
    assert_eq!(spans.len(), 2);
    assert_eq!(spans[1], plain());
}

#[test]
fn what_is_not_canonical_leaves_as_what_it_means() {
    let meant = of_resources([resource("an agent", vec![genai(), plain()])]);
    let expected = leaves(&unkeyed(), &meant);
    let odd = rewrite(Kind::Request, &meant.encode_to_vec(), &mut |kind, message| {
        let mut message = padded(&message);
        if kind != Kind::Request {
            message.extend_from_slice(&unknown_fields("some text"));
        }
        message
    });
    let veiled = ExportTraceServiceRequest::decode(veiled(&unkeyed(), &odd)).unwrap();
    assert_eq!(veiled, expected);
}

#[test]
fn a_request_that_was_not_looked_into_is_veiled_too() {
    let bytes = Bytes::from(of_resources([resource("agent", vec![genai()])]).encode_to_vec());
    let privacy = veilspan::processor::privacy::Privacy::new(keyed());
    let leaves = |look| {
        let request = Request::parse(bytes.clone(), look).unwrap();
        let patches = privacy.request(&request);
        ExportTraceServiceRequest::decode(veilspan::otlp::assemble::patched(&request, &patches).into_bytes()).unwrap()
    };
    let inside = leaves(Look::Inside);
    assert_eq!(inside, leaves(Look::Outside));
    let span = &inside.resource_spans[0].scope_spans[0].spans[0];
    assert!(by_key(&span.attributes).contains_key("veilspan.input.chain"));
    assert!(privacy.counts().labels_replaced > 0);
}
