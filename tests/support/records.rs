//! Strategies for valid records: every kind of call, every free attribute of the table in its half and of its type.

use std::sync::Arc;

use bytestring::ByteString;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use veilspan::event::{
    Algorithm, Arguments, At, Attrs, CallKind, CallRecord, Closed, Digest, EdgeKind, Given, Histories, Input, Item,
    KeyIdentity, Link, Mark, MarkKind, Marked, Measure, Noted, Opened, Outcome, Output, ProducerId, Returned, Role,
    Scope, Shown, SpanId, SpanIds, TraceId, Value, Veiled,
};
use veilspan::semconv::{OPERATION_NAME, Phase, Type, lookup, table};

/// Any valid record.
pub fn record() -> impl Strategy<Value = CallRecord<Veiled>> {
    (select(&CallKind::ALL[..]), span_ids(), option::of(producer()))
        .prop_flat_map(|(kind, span, producer)| record_of(kind, span, producer))
}

fn record_of(kind: CallKind, span: SpanIds, producer: Option<ProducerId>) -> impl Strategy<Value = CallRecord<Veiled>> {
    let at = move || (any::<u64>(), length()).prop_map(move |(time, seq)| At { time_unix_nano: time, producer, seq });
    let marked = (mark(), at()).prop_map(|(mark, at)| Marked { at, mark });
    let id = option::of(any::<u128>())
        .prop_map(move |id| id.map_or(KeyIdentity::Span(span.trace, span.span), |id| KeyIdentity::Call(id.into())));
    let dropped = prop_oneof![Just(0), any::<u32>()];
    let halves = ((opened(kind, span), given(kind)), (closed(), returned(kind)));
    (scope(), id, at(), at(), halves, vec(marked, 0..4), dropped).prop_map(
        move |(scope, id, opened_at, closed_at, ((opened, given), (closed, returned)), marks, marks_dropped)| {
            CallRecord { scope, kind, id, opened_at, closed_at, opened, given, marks, marks_dropped, closed, returned }
        },
    )
}

pub fn producer() -> impl Strategy<Value = ProducerId> {
    any::<u128>().prop_map(ProducerId::from)
}

pub fn text() -> impl Strategy<Value = ByteString> {
    prop_oneof![
        6 => "[a-zA-Z0-9._:/-]{0,20}".prop_map(ByteString::from),
        2 => ".{0,8}".prop_map(ByteString::from),
        // Around the lengths where a varint grows.
        1 => (90usize..140).prop_map(|length| ByteString::from("x".repeat(length))),
        1 => (16_300usize..16_400).prop_map(|length| ByteString::from("y".repeat(length))),
    ]
}

pub fn digest() -> impl Strategy<Value = Digest> {
    let algorithm = select(&[Algorithm::Sha256, Algorithm::HmacSha256][..]);
    (algorithm, any::<[u8; 32]>()).prop_map(|(algorithm, bytes)| Digest { algorithm, bytes })
}

fn length() -> impl Strategy<Value = Option<u64>> {
    option::of(prop_oneof![0..300u64, 0..=i64::MAX as u64])
}

fn measure() -> impl Strategy<Value = Measure> {
    (option::of(digest()), length()).prop_map(|(digest, length)| Measure { digest, length, ..Measure::default() })
}

/// What is shown of content: by its beginning alone, or as a whole too.
fn shown(is_whole: bool) -> BoxedStrategy<Shown> {
    let whole = move || option::of(text()).prop_map(move |text| text.filter(|_| is_whole));
    (option::of(text()), whole(), whole())
        .prop_map(|(preview, content, reference)| {
            let mut shown = Shown::NOTHING;
            preview.into_iter().for_each(|preview| shown.set_preview(preview));
            content.into_iter().for_each(|content| shown.set_content(content));
            reference.into_iter().for_each(|reference| shown.set_reference(reference));
            shown
        })
        .boxed()
}

fn shown_measure(is_whole: bool) -> BoxedStrategy<Measure> {
    (measure(), shown(is_whole)).prop_map(|(measure, shown)| Measure { shown, ..measure }).boxed()
}

/// Several texts, of which the first may be shown.
fn texts() -> impl Strategy<Value = Vec<Measure>> {
    (vec(measure(), 0..4), shown(true)).prop_map(|(mut texts, shown)| {
        texts.first_mut().into_iter().for_each(|first| first.shown = shown.clone());
        texts
    })
}

fn item() -> impl Strategy<Value = Item> {
    (option::of(digest()), select(&Role::ALL[..]), length(), "(text|blob|)([+](tool_call|ref))?")
        .prop_map(|(digest, role, length, kinds)| Item { digest, role, length, part_kinds: kinds.into() })
}

fn input() -> impl Strategy<Value = Input> {
    let chain = (option::of(digest()), option::of(digest()), length());
    let shown = (shown(true), shown(true).prop_map(without_preview));
    (chain, vec(item(), 0..5), shown_measure(true), option::of(digest()), vec(digest(), 0..3), shown).prop_map(
        |((prefix, chain, omitted), items, system, tools, blobs, (shown, tools_shown))| Input {
            prefix,
            chain,
            items,
            omitted,
            system,
            tools,
            blobs,
            shown,
            tools_shown,
            facets: Vec::new(),
        },
    )
}

/// A history alone.
fn messages() -> impl Strategy<Value = Input> {
    input().prop_map(|Input { chain, items, omitted, blobs, .. }| Input {
        chain,
        items,
        omitted,
        blobs,
        ..Input::default()
    })
}

fn without_preview(mut shown: Shown) -> Shown {
    shown.clear_preview();
    shown
}

fn given(kind: CallKind) -> BoxedStrategy<Given<Veiled>> {
    let arguments = (option::of(digest()), option::of(digest()), length(), shown(true))
        .prop_map(|(digest, exact, length, shown)| Arguments { digest, exact, length, shown });
    match Given::<Veiled>::empty(kind) {
        Given::Request(_) => input().prop_map(Given::Request).boxed(),
        Given::Arguments(_) => arguments.prop_map(Given::Arguments).boxed(),
        _ => texts().prop_map(Given::Texts).boxed(),
    }
}

fn returned(kind: CallKind) -> BoxedStrategy<Returned<Veiled>> {
    let output = (vec(measure(), 0..3), vec(digest(), 0..3), shown(true)).prop_map(|(items, blobs, shown)| Output {
        items,
        blobs,
        shown,
        facets: Vec::new(),
    });
    match Returned::<Veiled>::empty(kind) {
        Returned::Answer(_) => output.prop_map(Returned::Answer).boxed(),
        Returned::Result(_) => shown_measure(true).prop_map(Returned::Result).boxed(),
        _ => texts().prop_map(Returned::Texts).boxed(),
    }
}

fn mark() -> impl Strategy<Value = Mark<Veiled>> {
    select(&MarkKind::ALL[..]).prop_flat_map(|kind| {
        (noted(kind), attrs(Phase::Marked)).prop_map(move |(noted, attrs)| Mark { kind, attrs, noted })
    })
}

fn noted(kind: MarkKind) -> BoxedStrategy<Noted<Veiled>> {
    match Noted::<Veiled>::empty(kind) {
        Noted::Decision { .. } => (shown_measure(false), vec(measure(), 0..4))
            .prop_map(|(action, alternatives)| Noted::Decision { action, alternatives })
            .boxed(),
        Noted::State(_) => (measure(), shown(true).prop_map(without_preview))
            .prop_map(|(measure, shown)| Noted::State(Measure { shown, ..measure }))
            .boxed(),
        Noted::Message(_) => measure().prop_map(Noted::Message).boxed(),
        Noted::Histories(_) => (messages(), messages())
            .prop_map(|(replaced, replacement)| Noted::Histories(Box::new(Histories { replaced, replacement })))
            .boxed(),
        _ => Just(Noted::Nothing).boxed(),
    }
}

fn scope() -> impl Strategy<Value = Arc<Scope>> {
    (option::of(text()), text(), text(), text())
        .prop_map(|(tenant, rollout, thread, turn)| Arc::new(Scope { tenant, rollout, thread, turn }))
}

fn trace_id() -> impl Strategy<Value = TraceId> {
    any::<[u8; 16]>().prop_filter_map("all zero", TraceId::from_bytes)
}

fn span_id() -> impl Strategy<Value = SpanId> {
    any::<[u8; 8]>().prop_filter_map("all zero", SpanId::from_bytes)
}

fn span_ids() -> impl Strategy<Value = SpanIds> {
    (trace_id(), span_id(), option::of(span_id()), any::<bool>())
        .prop_map(|(trace, span, parent, parent_is_remote)| SpanIds { trace, span, parent, parent_is_remote })
}

fn opened(kind: CallKind, span: SpanIds) -> impl Strategy<Value = Opened<Veiled>> {
    let edge = option::of(select(&EdgeKind::ALL[..]));
    let link = (trace_id(), span_id(), edge).prop_map(|(trace, span, kind)| Link { trace, span, kind });
    (attrs(Phase::Opened), select(kind.operations()), vec(link, 0..4), option::of(text())).prop_map(
        move |(mut attrs, operation, links, policy)| {
            attrs.set(OPERATION_NAME, ByteString::from_static(operation));
            Opened { span, attrs, links, policy }
        },
    )
}

fn closed() -> impl Strategy<Value = Closed<Veiled>> {
    let outcome = option::of(select(&Outcome::ALL[..]));
    (outcome, attrs(Phase::Closed), shown_measure(false)).prop_map(|(outcome, attrs, error)| Closed {
        outcome,
        attrs,
        error,
        links: Vec::new(),
    })
}

/// Any attributes of one half of a call, or of a mark, which may have those of both.
fn attrs(phase: Phase) -> impl Strategy<Value = Attrs> {
    let is_free = |other| matches!(other, Phase::Opened | Phase::Closed | Phase::Marked);
    let has = |other| other == phase || phase == Phase::Marked && is_free(other);
    let names: Vec<_> = table().iter().filter(|name| has(name.phase)).collect();
    let count = names.len();
    subsequence(names, 0..=count).prop_flat_map(|names| {
        let values: Vec<_> = names.iter().map(|name| value(name.kind)).collect();
        values.prop_map(move |values| {
            let mut attrs = Attrs::default();
            for (name, value) in names.iter().zip(values) {
                attrs.insert(lookup(name.key).unwrap(), value);
            }
            attrs
        })
    })
}

fn value(kind: Type) -> BoxedStrategy<Value> {
    match kind {
        Type::Text => text().prop_map(Value::Text).boxed(),
        Type::Int => any::<i64>().prop_map(Value::Int).boxed(),
        Type::Double => {
            prop_oneof![any::<f64>(), any::<u64>().prop_map(f64::from_bits)].prop_map(Value::Double).boxed()
        }
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Texts => vec(text(), 0..4).prop_map(Value::Texts).boxed(),
        Type::Ints => vec(any::<i64>(), 0..4).prop_map(Value::Ints).boxed(),
        _ => unreachable!("no free attribute has this type"),
    }
}
