//! What was meant survives OTLP: our own way back, and prost as the oracle of what the bytes say.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value as ProtoValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::*;
use prost::Message;
use veilspan::event::{Body, CallRecord, KeyIdentity, ProducerId, Value, Veiled};
use veilspan::otlp::encode::{self, Encoder};
use veilspan::otlp::{SpanView, decode};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_record_is_read_as_it_was_written(record in support::records::record()) {
        let mut bytes = Vec::new();
        Encoder::default().span(&record, &mut bytes);
        let view = SpanView::parse(&bytes).unwrap();
        prop_assert_eq!(decode::foreign_values(&view), 0);
        prop_assert_eq!(decode::call(&view, record.opened_at.producer).unwrap(), record);
    }

    #[test]
    fn a_record_means_to_prost_what_it_means_to_us(record in support::records::record()) {
        let mut bytes = Vec::new();
        Encoder::default().span(&record, &mut bytes);
        let span = Span::decode(&bytes[..]).unwrap();
        check_outer_fields(&record, &span);
        prop_assert_eq!(by_key(&span.attributes), meant(&record));

        // Another writer's bytes of the same span are the same record.
        let again = span.encode_to_vec();
        let view = SpanView::parse(&again).unwrap();
        prop_assert_eq!(decode::call(&view, record.opened_at.producer).unwrap(), record);
    }

    #[test]
    fn a_record_encoded_twice_is_byte_equal(record in support::records::record()) {
        let (mut once, mut twice) = (Vec::new(), Vec::new());
        Encoder::default().span(&record, &mut once);
        Encoder::default().span(&record.clone(), &mut twice);
        prop_assert_eq!(&once, &twice);

        let mut field = vec![0xff];
        Encoder::default().span_field(&record, &mut field);
        let mut expected = vec![0xff];
        prost::encoding::bytes::encode(2, &once, &mut expected);
        prop_assert_eq!(field, expected);
    }
}

fn check_outer_fields(record: &CallRecord<Veiled>, span: &Span) {
    let ids = &record.opened.span;
    assert_eq!(span.trace_id, ids.trace.as_bytes());
    assert_eq!(span.span_id, ids.span.as_bytes());
    assert_eq!(span.parent_span_id, ids.parent.map(|id| id.as_bytes().to_vec()).unwrap_or_default());
    assert_eq!(span.start_time_unix_nano, record.opened_at.time_unix_nano);
    assert_eq!(span.end_time_unix_nano, record.closed_at.time_unix_nano);
    assert_eq!(span.flags, if ids.parent_is_remote { 0x301 } else { 0x101 });
    assert!(span.events.is_empty() && span.trace_state.is_empty());

    let (kind, target) = match record.body {
        Body::Turn => (1, "gen_ai.agent.name"),
        Body::Inference { .. } => (3, "gen_ai.request.model"),
        _ => (1, "gen_ai.tool.name"),
    };
    assert_eq!(span.kind, kind);
    let attributes = by_key(&span.attributes);
    let text = |key: &str| match attributes.get(key) {
        Some(Some(ProtoValue::StringValue(text))) => Some(text.clone()),
        _ => None,
    };
    let operation = text("gen_ai.operation.name").unwrap();
    assert_eq!(span.name, text(target).map_or(operation.clone(), |target| format!("{operation} {target}")));

    let is_error = record.closed.outcome.is_some_and(|outcome| outcome.is_error());
    assert_eq!(span.status.as_ref().map(|status| (status.code, status.message.as_str())), is_error.then_some((2, "")));

    assert_eq!(span.links.len(), record.opened.links.len());
    for (link, expected) in span.links.iter().zip(&record.opened.links) {
        assert_eq!(link.trace_id, expected.trace.as_bytes());
        assert_eq!(link.span_id, expected.span.as_bytes());
        let kind = expected.kind.map(|kind| ("veilspan.edge.kind".to_owned(), string(kind.as_str())));
        assert_eq!(by_key(&link.attributes), kind.into_iter().collect());
    }
}

fn by_key(attributes: &[KeyValue]) -> BTreeMap<String, Option<ProtoValue>> {
    let map: BTreeMap<_, _> = attributes
        .iter()
        .map(|attribute| (attribute.key.clone(), attribute.value.as_ref().and_then(|any| bits(any.value.clone()?))))
        .collect();
    assert_eq!(map.len(), attributes.len(), "a key stands twice");
    map
}

/// Doubles as their bits, so that a NaN equals itself.
fn bits(value: ProtoValue) -> Option<ProtoValue> {
    Some(match value {
        ProtoValue::DoubleValue(number) => ProtoValue::BytesValue(number.to_bits().to_le_bytes().to_vec()),
        other => other,
    })
}

fn string(text: impl ToString) -> Option<ProtoValue> {
    Some(ProtoValue::StringValue(text.to_string()))
}

fn int(number: u64) -> Option<ProtoValue> {
    Some(ProtoValue::IntValue(number.try_into().unwrap()))
}

fn array(values: impl IntoIterator<Item = Option<ProtoValue>>) -> Option<ProtoValue> {
    let values = values.into_iter().map(|value| AnyValue { value }).collect();
    Some(ProtoValue::ArrayValue(ArrayValue { values }))
}

/// The attributes that the design says a record has, written down a second time.
fn meant(record: &CallRecord<Veiled>) -> BTreeMap<String, Option<ProtoValue>> {
    let mut all: Vec<(&str, Option<ProtoValue>)> = Vec::new();
    all.push(("veilspan.rollout.id", string(&record.scope.rollout)));
    all.push(("veilspan.thread.id", string(&record.scope.thread)));
    all.push(("veilspan.turn.id", string(&record.scope.turn)));
    all.extend(record.scope.tenant.as_ref().map(|id| ("veilspan.tenant.id", string(id))));
    if let KeyIdentity::Call(id) = record.id {
        all.push(("veilspan.call.id", string(id)));
    }
    all.extend(record.opened_at.seq.map(|seq| ("veilspan.seq", int(seq))));
    all.extend(record.closed_at.seq.map(|seq| ("veilspan.seq.end", int(seq))));
    all.extend(record.opened.policy.as_ref().map(|policy| ("veilspan.policy", string(policy))));
    all.extend(record.closed.outcome.map(|outcome| ("veilspan.outcome", string(outcome))));
    for (id, value) in record.opened.attrs.iter().chain(record.closed.attrs.iter()) {
        let value = match value {
            Value::Text(text) => string(text),
            Value::Int(number) => Some(ProtoValue::IntValue(*number)),
            Value::Double(number) => bits(ProtoValue::DoubleValue(*number)),
            Value::Bool(flag) => Some(ProtoValue::BoolValue(*flag)),
            Value::Texts(texts) => array(texts.iter().map(string)),
            Value::Ints(numbers) => array(numbers.iter().map(|number| Some(ProtoValue::IntValue(*number)))),
        };
        all.push((id.name().key, value));
    }
    match &record.body {
        Body::Inference { request, answer } => {
            let digest = |digest: &Option<_>| {
                string(digest.map_or(String::new(), |digest: veilspan::event::Digest| digest.to_string()))
            };
            let length = |length: Option<u64>| Some(ProtoValue::IntValue(length.map_or(-1, |length| length as i64)));
            if !request.items.is_empty() {
                if request.items.iter().any(|item| item.digest.is_some()) {
                    all.push(("veilspan.input.digests", array(request.items.iter().map(|item| digest(&item.digest)))));
                }
                all.push(("veilspan.input.roles", array(request.items.iter().map(|item| string(item.role.as_str())))));
                if request.items.iter().any(|item| item.length.is_some()) {
                    all.push(("veilspan.input.lengths", array(request.items.iter().map(|item| length(item.length)))));
                }
                let kinds = request.items.iter().map(|item| string(&item.part_kinds));
                all.push(("veilspan.input.part_kinds", array(kinds)));
            }
            all.extend(request.prefix.map(|digest| ("veilspan.input.prefix", string(digest))));
            all.extend(request.chain.map(|digest| ("veilspan.input.chain", string(digest))));
            all.extend(request.omitted.map(|count| ("veilspan.input.omitted", int(count))));
            all.extend(request.system.digest.map(|digest| ("veilspan.system.digest", string(digest))));
            all.extend(request.system.length.map(|length| ("veilspan.system.length", int(length))));
            all.extend(request.tools.map(|digest| ("veilspan.tools.digest", string(digest))));
            if !request.blobs.is_empty() {
                all.push(("veilspan.input.blob_digests", array(request.blobs.iter().map(string))));
            }
            if !answer.items.is_empty() {
                if answer.items.iter().any(|item| item.digest.is_some()) {
                    all.push(("veilspan.output.digests", array(answer.items.iter().map(|item| digest(&item.digest)))));
                }
                all.push(("veilspan.output.lengths", array(answer.items.iter().map(|item| length(item.length)))));
            }
            if !answer.blobs.is_empty() {
                all.push(("veilspan.output.blob_digests", array(answer.blobs.iter().map(string))));
            }
        }
        Body::Tool { arguments, result } => {
            all.extend(arguments.digest.map(|digest| ("veilspan.tool.arguments.digest", string(digest))));
            all.extend(arguments.exact.map(|digest| ("veilspan.tool.arguments.exact", string(digest))));
            all.extend(arguments.length.map(|length| ("veilspan.tool.arguments.length", int(length))));
            all.extend(result.digest.map(|digest| ("veilspan.tool.result.digest", string(digest))));
            all.extend(result.length.map(|length| ("veilspan.tool.result.length", int(length))));
        }
        _ => {}
    }
    let count = all.len();
    let map: BTreeMap<_, _> = all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    assert_eq!(map.len(), count);
    map
}

#[test]
fn the_resource_and_the_scope_are_messages_that_prost_reads() {
    let producer = ProducerId::from(77);
    let bytes = encode::resource([("service.name", "demo"), ("long", &"x".repeat(300))], Some(producer));
    assert_eq!(decode::producer(&bytes), Some(producer));
    assert_eq!(decode::producer(&encode::resource([("service.name", "demo")], None)), None);
    assert_eq!(decode::producer(b"garbage"), None);
    let resource = Resource::decode(bytes).unwrap();
    let attributes = by_key(&resource.attributes);
    assert_eq!(attributes["service.name"], string("demo"));
    assert_eq!(attributes["long"], string("x".repeat(300)));
    assert_eq!(attributes["veilspan.producer.id"], string(producer));
    let scope = InstrumentationScope::decode(encode::scope()).unwrap();
    assert_eq!((scope.name.as_str(), scope.version.as_str()), ("veilspan", env!("CARGO_PKG_VERSION")));
}
