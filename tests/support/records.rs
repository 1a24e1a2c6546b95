//! Strategies for valid records: every kind of call, every free attribute of the table in its half and of its type.

use std::sync::Arc;

use bytestring::ByteString;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use veilspan::event::{
    Algorithm, Arguments, At, Attrs, Body, CallId, CallKind, CallRecord, Closed, Digest, EdgeKind, Input, Item,
    KeyIdentity, Link, Measure, Opened, Outcome, Output, ProducerId, Role, Scope, SpanId, SpanIds, TraceId, Value,
    Veiled,
};
use veilspan::semconv::{OPERATION_NAME, Phase, Type, lookup, table};

/// Any valid record.
pub fn record() -> impl Strategy<Value = CallRecord<Veiled>> {
    let when = (any::<u64>(), any::<u64>(), option::of(0..=i64::MAX as u64), option::of(0..=i64::MAX as u64));
    (body(), scope(), span_ids(), option::of(any::<u128>()), option::of(producer()), when).prop_flat_map(
        |(body, scope, span, call, producer, (opens, closes, seq, seq_end))| {
            let kind = body.kind();
            let id = call.map_or(KeyIdentity::Span(span.trace, span.span), |id| KeyIdentity::Call(CallId::from(id)));
            let at = move |time_unix_nano, seq| At { time_unix_nano, producer, seq };
            (opened(kind, span), closed()).prop_map(move |(opened, closed)| CallRecord {
                scope: Arc::clone(&scope),
                id,
                opened_at: at(opens, seq),
                closed_at: at(closes, seq_end),
                opened,
                closed,
                body: body.clone(),
            })
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
    (option::of(digest()), length()).prop_map(|(digest, length)| Measure { digest, length })
}

fn item() -> impl Strategy<Value = Item> {
    (option::of(digest()), select(&Role::ALL[..]), length(), "(text|blob|)([+](tool_call|ref))?")
        .prop_map(|(digest, role, length, kinds)| Item { digest, role, length, part_kinds: kinds.into() })
}

fn input() -> impl Strategy<Value = Input> {
    let chain = (option::of(digest()), option::of(digest()), length());
    (chain, vec(item(), 0..5), measure(), option::of(digest()), vec(digest(), 0..3)).prop_map(
        |((prefix, chain, omitted), items, system, tools, blobs)| Input {
            prefix,
            chain,
            items,
            omitted,
            system,
            tools,
            blobs,
        },
    )
}

fn body() -> impl Strategy<Value = Body<Veiled>> {
    let output = (vec(measure(), 0..3), vec(digest(), 0..3)).prop_map(|(items, blobs)| Output { items, blobs });
    let arguments = (option::of(digest()), option::of(digest()), length())
        .prop_map(|(digest, exact, length)| Arguments { digest, exact, length });
    prop_oneof![
        Just(Body::Turn),
        (input(), output).prop_map(|(request, answer)| Body::Inference { request, answer }),
        (arguments, measure()).prop_map(|(arguments, result)| Body::Tool { arguments, result }),
    ]
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
    let operations: &[&str] = match kind {
        CallKind::Turn => &["invoke_agent"],
        CallKind::Inference => &["chat", "text_completion", "generate_content"],
        CallKind::Tool => &["execute_tool"],
        _ => unreachable!("no other kind is made"),
    };
    let edge = option::of(select(&EdgeKind::ALL[..]));
    let link = (trace_id(), span_id(), edge).prop_map(|(trace, span, kind)| Link { trace, span, kind });
    (attrs(Phase::Opened), select(operations), vec(link, 0..4), option::of(text())).prop_map(
        move |(mut attrs, operation, links, policy)| {
            attrs.set(OPERATION_NAME, ByteString::from_static(operation));
            Opened { span, attrs, links, policy }
        },
    )
}

fn closed() -> impl Strategy<Value = Closed<Veiled>> {
    let outcome = option::of(select(&Outcome::ALL[..]));
    (outcome, attrs(Phase::Closed)).prop_map(|(outcome, attrs)| Closed { outcome, attrs })
}

/// Any attributes of one half of a call.
fn attrs(phase: Phase) -> impl Strategy<Value = Attrs> {
    let names: Vec<_> = table().iter().filter(|name| name.phase == phase).collect();
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
