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
use veilspan::event::{
    Attrs, CallKind, CallRecord, Digest, Given, Input, KeyIdentity, Measure, Noted, ProducerId, Returned, Shown, Value,
    Veiled,
};
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
    assert_eq!(span.trace_state, "");
    assert_eq!(span.dropped_events_count, record.marks_dropped);
    assert_eq!(span.events.len(), record.marks.len());
    for (event, marked) in span.events.iter().zip(&record.marks) {
        assert_eq!(event.name, marked.mark.kind.as_str());
        assert_eq!(event.time_unix_nano, marked.at.time_unix_nano);
        assert_eq!(by_key(&event.attributes), meant_by_mark(marked.at.seq, &marked.mark.attrs, &marked.mark.noted));
    }

    let (kind, target) = match record.kind {
        CallKind::Turn => (1, "gen_ai.agent.name"),
        CallKind::Inference | CallKind::Embeddings => (3, "gen_ai.request.model"),
        CallKind::Tool => (1, "gen_ai.tool.name"),
        CallKind::Workflow => (1, "gen_ai.workflow.name"),
        CallKind::Retrieval => (3, "gen_ai.data_source.id"),
        CallKind::Memory => (3, ""),
        _ => (1, ""),
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

type Meant = Vec<(&'static str, Option<ProtoValue>)>;

/// The attributes that the design says a record has, written down a second time.
fn meant(record: &CallRecord<Veiled>) -> BTreeMap<String, Option<ProtoValue>> {
    let mut all = Meant::new();
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
    all.extend(free(&record.opened.attrs));
    all.extend(free(&record.closed.attrs));
    all.extend(measure(&record.closed.error, "veilspan.error.digest", "veilspan.error.length"));
    all.extend(shown(&record.closed.error.shown, ["veilspan.error.preview", "", "", ""]));
    match &record.given {
        Given::Request(input) => {
            all.extend(request(input));
            all.extend(shown(&input.shown, INPUT));
            all.extend(shown(&input.system.shown, SYSTEM));
            all.extend(shown(&input.tools_shown, TOOLS));
        }
        Given::Arguments(arguments) => {
            all.extend(shown(&arguments.shown, ARGUMENTS));
            all.extend(arguments.digest.map(|digest| ("veilspan.tool.arguments.digest", string(digest))));
            all.extend(arguments.exact.map(|digest| ("veilspan.tool.arguments.exact", string(digest))));
            all.extend(arguments.length.map(|length| ("veilspan.tool.arguments.length", int(length))));
        }
        Given::Texts(given) => {
            all.extend(texts(given, "veilspan.input.digests", "veilspan.input.lengths"));
            all.extend(given.first().into_iter().flat_map(|first| shown(&first.shown, INPUT)));
        }
        _ => unreachable!(),
    }
    match &record.returned {
        Returned::Answer(answer) => {
            all.extend(shown(&answer.shown, OUTPUT));
            all.extend(texts(&answer.items, "veilspan.output.digests", "veilspan.output.lengths"));
            if !answer.blobs.is_empty() {
                all.push(("veilspan.output.blob_digests", array(answer.blobs.iter().map(string))));
            }
        }
        Returned::Result(result) => {
            all.extend(measure(result, "veilspan.tool.result.digest", "veilspan.tool.result.length"));
            all.extend(shown(&result.shown, RESULT));
        }
        Returned::Texts(returned) => {
            all.extend(texts(returned, "veilspan.output.digests", "veilspan.output.lengths"));
            all.extend(returned.first().into_iter().flat_map(|first| shown(&first.shown, OUTPUT)));
        }
        _ => unreachable!(),
    }
    once(all)
}

/// The names of a preview, of whole content, and of where it is kept.
type ShownNames = [&'static str; 4];

const INPUT: ShownNames =
    ["veilspan.input.preview", "gen_ai.input.messages", "veilspan.input.ref", "gen_ai.input.messages_ref"];
const OUTPUT: ShownNames =
    ["veilspan.output.preview", "gen_ai.output.messages", "veilspan.output.ref", "gen_ai.output.messages_ref"];
const SYSTEM: ShownNames =
    ["veilspan.system.preview", "gen_ai.system_instructions", "veilspan.system.ref", "gen_ai.system_instructions_ref"];
const TOOLS: ShownNames = ["", "gen_ai.tool.definitions", "veilspan.tools.ref", "gen_ai.tool.definitions_ref"];
const ARGUMENTS: ShownNames = [
    "veilspan.tool.arguments.preview",
    "gen_ai.tool.call.arguments",
    "veilspan.tool.arguments.ref",
    "gen_ai.tool.call.arguments_ref",
];
const RESULT: ShownNames = [
    "veilspan.tool.result.preview",
    "gen_ai.tool.call.result",
    "veilspan.tool.result.ref",
    "gen_ai.tool.call.result_ref",
];

fn shown(shown: &Shown, [preview, content, ours, theirs]: ShownNames) -> Meant {
    let named = |name, text: Option<&bytestring::ByteString>| text.map(|text| (name, string(text)));
    let reference = [named(ours, shown.reference()), named(theirs, shown.reference())];
    let shown = [named(preview, shown.preview()), named(content, shown.content())];
    let named = shown.into_iter().chain(reference).flatten();
    named.filter(|(name, _)| !name.is_empty()).collect()
}

fn meant_by_mark(seq: Option<u64>, attrs: &Attrs, noted: &Noted<Veiled>) -> BTreeMap<String, Option<ProtoValue>> {
    let mut all: Meant = seq.map(|seq| ("veilspan.seq", int(seq))).into_iter().collect();
    all.extend(free(attrs));
    match noted {
        Noted::Nothing => {}
        Noted::Decision { action, alternatives } => {
            all.extend(measure(action, "veilspan.decision.action.digest", "veilspan.decision.action.length"));
            all.extend(shown(&action.shown, ["veilspan.decision.action.preview", "", "", ""]));
            let (digests, lengths) =
                ("veilspan.decision.alternatives.digests", "veilspan.decision.alternatives.lengths");
            all.extend(texts(alternatives, digests, lengths));
        }
        Noted::State(state) => {
            all.extend(measure(state, "veilspan.checkpoint.state.digest", "veilspan.checkpoint.state.length"));
            all.extend(shown(&state.shown, ["", "veilspan.checkpoint.state", "veilspan.checkpoint.state.ref", ""]));
        }
        Noted::Message(message) => {
            all.extend(measure(message, "veilspan.edge.message.digest", "veilspan.edge.message.length"));
        }
        Noted::Histories(histories) => {
            all.extend(messages(&histories.replaced, "veilspan.input"));
            all.extend(messages(&histories.replacement, "veilspan.compaction"));
        }
        _ => unreachable!(),
    }
    once(all)
}

fn once(all: Meant) -> BTreeMap<String, Option<ProtoValue>> {
    let count = all.len();
    let map: BTreeMap<_, _> = all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    assert_eq!(map.len(), count);
    map
}

fn free(attrs: &Attrs) -> Meant {
    let value = |value: &Value| match value {
        Value::Text(text) => string(text),
        Value::Int(number) => Some(ProtoValue::IntValue(*number)),
        Value::Double(number) => bits(ProtoValue::DoubleValue(*number)),
        Value::Bool(flag) => Some(ProtoValue::BoolValue(*flag)),
        Value::Texts(texts) => array(texts.iter().map(string)),
        Value::Ints(numbers) => array(numbers.iter().map(|number| Some(ProtoValue::IntValue(*number)))),
    };
    attrs.iter().map(|(id, told)| (id.name().key, value(told))).collect()
}

fn request(input: &Input) -> Meant {
    let mut all = messages(input, "veilspan.input");
    all.extend(input.prefix.map(|digest| ("veilspan.input.prefix", string(digest))));
    all.extend(measure(&input.system, "veilspan.system.digest", "veilspan.system.length"));
    all.extend(input.tools.map(|digest| ("veilspan.tools.digest", string(digest))));
    all
}

fn messages(input: &Input, family: &str) -> Meant {
    let key = |last: &str| veilspan::semconv::lookup(&format!("{family}.{last}")).unwrap().name().key;
    let mut all = Meant::new();
    let items = &input.items;
    if !items.is_empty() {
        if items.iter().any(|item| item.digest.is_some()) {
            all.push((key("digests"), array(items.iter().map(|item| place_of_digest(item.digest)))));
        }
        all.push((key("roles"), array(items.iter().map(|item| string(item.role.as_str())))));
        if items.iter().any(|item| item.length.is_some()) {
            all.push((key("lengths"), array(items.iter().map(|item| place_of_length(item.length)))));
        }
        all.push((key("part_kinds"), array(items.iter().map(|item| string(&item.part_kinds)))));
    }
    all.extend(input.chain.map(|digest| (key("chain"), string(digest))));
    all.extend(input.omitted.map(|count| (key("omitted"), int(count))));
    if !input.blobs.is_empty() {
        all.push((key("blob_digests"), array(input.blobs.iter().map(string))));
    }
    all
}

fn texts(texts: &[Measure], digests: &'static str, lengths: &'static str) -> Meant {
    let mut all = Meant::new();
    if texts.iter().any(|text| text.digest.is_some()) {
        all.push((digests, array(texts.iter().map(|text| place_of_digest(text.digest)))));
    }
    if !texts.is_empty() {
        all.push((lengths, array(texts.iter().map(|text| place_of_length(text.length)))));
    }
    all
}

fn measure(measure: &Measure, digest: &'static str, length: &'static str) -> Meant {
    let told = measure.digest.map(|told| (digest, string(told)));
    told.into_iter().chain(measure.length.map(|told| (length, int(told)))).collect()
}

fn place_of_digest(digest: Option<Digest>) -> Option<ProtoValue> {
    string(digest.map_or(String::new(), |digest| digest.to_string()))
}

fn place_of_length(length: Option<u64>) -> Option<ProtoValue> {
    Some(ProtoValue::IntValue(length.map_or(-1, |length| length as i64)))
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
