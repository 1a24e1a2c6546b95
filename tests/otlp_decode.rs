//! Spans that are not quite ours.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use opentelemetry_proto::tonic::common::v1::any_value::Value as Proto;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;
use veilspan::event::{CallKind, CallRecord, Given, KeyIdentity, Outcome, Role, Veiled};
use veilspan::otlp::decode::{self, NotACall};
use veilspan::otlp::{SpanView, is_canonical};
use veilspan::semconv::{INPUT_TOKENS, REQUEST_MODEL, TEMPERATURE};

fn text(text: &str) -> Proto {
    Proto::StringValue(text.to_owned())
}

fn texts(all: &[&str]) -> Proto {
    let values = all.iter().map(|one| AnyValue { value: Some(text(one)) }).collect();
    Proto::ArrayValue(ArrayValue { values })
}

fn attribute(key: &str, value: Proto) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// A chat span with an identity, and these attributes besides.
fn chat(attributes: &[(&str, Proto)]) -> Span {
    let mut all = vec![attribute("gen_ai.operation.name", text("chat")), attribute("veilspan.rollout.id", text("r"))];
    all.extend(attributes.iter().map(|(key, value)| attribute(key, value.clone())));
    Span { trace_id: vec![1; 16], span_id: vec![2; 8], attributes: all, ..Span::default() }
}

fn call(span: &Span) -> Result<CallRecord<Veiled>, NotACall> {
    let bytes = span.encode_to_vec();
    assert!(is_canonical(&bytes));
    decode::call(&SpanView::parse(&bytes).unwrap(), None)
}

#[test]
fn a_span_without_our_ids_is_known_by_its_span_and_rollout() {
    let span = chat(&[]);
    let record = call(&span).unwrap();
    assert_eq!(record.key().kind, CallKind::Inference);
    assert_eq!(record.id, KeyIdentity::Span(record.opened.span.trace, record.opened.span.span));
    assert_eq!((&*record.scope.thread, &*record.scope.turn, &record.scope.tenant), ("r", "r", &None));
    assert_eq!((record.opened_at.producer, record.opened_at.seq, record.opened.policy), (None, None, None));
}

#[test]
fn the_operation_tells_the_kind() {
    for (operation, kind) in [
        ("chat", Some(CallKind::Inference)),
        ("text_completion", Some(CallKind::Inference)),
        ("generate_content", Some(CallKind::Inference)),
        ("execute_tool", Some(CallKind::Tool)),
        ("invoke_agent", Some(CallKind::Turn)),
        ("embeddings", Some(CallKind::Embeddings)),
        ("upsert_memory", Some(CallKind::Memory)),
        ("approval", Some(CallKind::Approval)),
        ("create_agent", None),
        ("", None),
    ] {
        let mut span = chat(&[]);
        span.attributes[0] = attribute("gen_ai.operation.name", text(operation));
        assert_eq!(call(&span).map(|record| record.key().kind), kind.ok_or(NotACall::NotGenAi), "{operation}");
    }
}

#[test]
fn what_is_no_call_says_why() {
    assert_eq!(call(&Span { attributes: Vec::new(), ..chat(&[]) }), Err(NotACall::NotGenAi));
    let mut span = chat(&[]);
    span.attributes.pop();
    assert_eq!(call(&span), Err(NotACall::NoIdentity));
    assert_eq!(call(&Span { span_id: vec![0; 8], ..chat(&[]) }), Err(NotACall::Field("span_id")));
    assert_eq!(call(&Span { trace_id: Vec::new(), ..chat(&[]) }), Err(NotACall::Field("trace_id")));
    for (key, value) in [
        ("veilspan.rollout.id", Proto::IntValue(7)),
        ("veilspan.thread.id", Proto::BoolValue(true)),
        ("veilspan.seq", text("7")),
        ("veilspan.seq.end", Proto::IntValue(-1)),
        ("veilspan.call.id", text("no ulid")),
        ("veilspan.outcome", text("splendid")),
        ("veilspan.input.digests", text("sha256:00")),
        ("veilspan.input.digests", texts(&["sha256:00"])),
        ("veilspan.input.chain", text("")),
        ("veilspan.input.blob_digests", texts(&[""])),
        ("veilspan.input.lengths", texts(&["1"])),
    ] {
        let error = call(&chat(&[(key, value)])).unwrap_err();
        assert_eq!(error, NotACall::Field(lookup_key(key)));
        assert_eq!(error.to_string(), format!("wrong type or value of {key}"));
    }
}

fn lookup_key(key: &str) -> &'static str {
    veilspan::semconv::lookup(key).unwrap().name().key
}

#[test]
fn arrays_that_disagree_in_length_are_refused_and_missing_ones_are_not() {
    let error = call(&chat(&[
        ("veilspan.input.roles", texts(&["user", "assistant"])),
        ("veilspan.input.part_kinds", texts(&["text"])),
    ]));
    assert_eq!(error, Err(NotACall::Field("veilspan.input.part_kinds")));

    let record = call(&chat(&[("veilspan.input.roles", texts(&["user", "wizard"]))])).unwrap();
    let Given::Request(request) = record.given else { panic!("not an inference") };
    let roles: Vec<_> = request.items.iter().map(|item| item.role).collect();
    assert_eq!(roles, [Role::User, Role::Other]);
    assert!(request.items.iter().all(|item| item.digest.is_none() && item.length.is_none()));
}

#[test]
fn free_attributes_of_another_type_are_left_out_and_counted() {
    let span = chat(&[
        ("gen_ai.usage.input_tokens", text("12")),
        ("gen_ai.request.model", Proto::IntValue(4)),
        ("gen_ai.request.temperature", Proto::IntValue(1)),
        ("gen_ai.input.messages", text("[]")),
        ("something.else", text("free")),
    ]);
    let record = call(&span).unwrap();
    assert_eq!(record.closed.attrs.get(INPUT_TOKENS), None);
    assert_eq!(record.opened.attrs.get(REQUEST_MODEL), None);
    assert_eq!(record.opened.attrs.get(TEMPERATURE), Some(1.0));
    let bytes = span.encode_to_vec();
    assert_eq!(decode::foreign_values(&SpanView::parse(&bytes).unwrap()), 2);
}

#[test]
fn without_an_outcome_a_status_of_error_means_failed() {
    let with_status =
        |code, attributes: &[_]| Span { status: Some(Status { code, message: "boom".to_owned() }), ..chat(attributes) };
    assert_eq!(call(&with_status(2, &[])).unwrap().closed.outcome, Some(Outcome::Failed));
    assert_eq!(call(&with_status(1, &[])).unwrap().closed.outcome, None);
    let said = [("veilspan.outcome", text("timeout"))];
    assert_eq!(call(&with_status(2, &said)).unwrap().closed.outcome, Some(Outcome::Timeout));
}

#[test]
fn links_that_point_nowhere_are_left_out_and_unknown_edges_have_no_kind() {
    let link = |kind: &str| Link {
        trace_id: vec![3; 16],
        span_id: vec![4; 8],
        attributes: vec![attribute("veilspan.edge.kind", text(kind))],
        ..Link::default()
    };
    let links = vec![Link::default(), link("retry"), link("telepathy")];
    let record = call(&Span { links, ..chat(&[]) }).unwrap();
    let kinds: Vec<_> = record.opened.links.iter().map(|link| link.kind.map(|kind| kind.as_str())).collect();
    assert_eq!(kinds, [Some("retry"), None]);
}

#[test]
fn a_mark_that_cannot_be_read_is_counted_and_its_call_is_kept() {
    let event = |name: &str, key: &str, value| Event {
        name: name.to_owned(),
        attributes: vec![attribute(key, value)],
        ..Event::default()
    };
    let events = vec![
        event("veilspan.decision", "veilspan.decision.action.digest", text("a secret")),
        event("veilspan.decision", "veilspan.decision.confidence", text("high")),
        event("exception", "exception.type", text("E")),
    ];
    let record = call(&Span { events, dropped_events_count: 2, ..chat(&[]) }).unwrap();
    assert_eq!((record.marks.len(), record.marks_dropped), (1, 3));
    assert!(record.marks[0].mark.attrs.is_empty());
}
