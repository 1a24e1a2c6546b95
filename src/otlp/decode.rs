//! One span into one record: the way back from [`encode`](super::encode).
//!
//! What the record needs to be a record (ids, digests, lengths, outcome) has to have the right type, or the span is no
//! call and says which field it was. A free attribute of another type than the table's is left out, as an attribute that
//! the table lacks is; [`foreign_values`] counts the former. One difference of type is accepted: an integer where a
//! double is meant, since producers without integers write `1.0` as `1`.

use std::str::FromStr;
use std::sync::Arc;

use bytestring::ByteString;

use super::any::{AnyView, Attributes};
use super::decision;
use super::fields::Core;
use super::gather::{Gathered, Known, gather};
use super::view::SpanView;
use super::view_parts::EventView;
use super::wire::Malformed;
use crate::event::{
    At, Attrs, CallKind, CallRecord, Closed, KeyIdentity, Link, Mark, MarkKind, Marked, Opened, Outcome, ProducerId,
    Scope, SpanIds, Value, Veiled,
};
use crate::semconv::{self, Phase, Type, lookup};

/// Why a span is no record of a call. Says nothing of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotACall {
    /// It has no `gen_ai.operation.name`, or one that means no kind of call.
    #[error("not a generative ai call")]
    NotGenAi,
    /// It has no `veilspan.rollout.id`.
    #[error("no rollout id")]
    NoIdentity,
    /// A core field has another type than it should, or a value that cannot be.
    #[error("wrong type or value of {0}")]
    Field(&'static str),
    /// It is no protobuf message where it should be one.
    #[error("not a protobuf message")]
    Malformed,
}

impl From<Malformed> for NotACall {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Bit 8 says that bit 9 is known, bit 9 that the parent is remote.
const PARENT_IS_REMOTE: u32 = 0x300;
const STATUS_ERROR: i32 = 2;

/// The record that a span tells of. `producer` is the process life that the span's resource names, see [`producer`].
///
/// Without `veilspan.call.id` the call is known by its span; without ids of thread or turn these are the rollout's.
/// Without `veilspan.outcome` a status of error means `failed`, and any other that nobody said. A status of error beside an
/// outcome of `completed` means `failed` too.
///
/// # Errors
///
/// [`NotACall`].
pub fn call(span: &SpanView<'_>, producer: Option<ProducerId>) -> Result<CallRecord<Veiled>, NotACall> {
    assemble(span, producer, gather(span, &mut Known::of_one())?)
}

/// Which call these attributes open.
pub(super) fn kind(opened: &Attrs) -> Option<CallKind> {
    opened.text(semconv::OPERATION_NAME).and_then(CallKind::of_operation)
}

/// The record of a span with these attributes.
pub(super) fn assemble(
    span: &SpanView<'_>,
    producer: Option<ProducerId>,
    Gathered { mut core, opened, closed }: Gathered,
) -> Result<CallRecord<Veiled>, NotACall> {
    let kind = kind(&opened).ok_or(NotACall::NotGenAi)?;
    let ids = SpanIds {
        trace: span.trace_id().ok_or(NotACall::Field("trace_id"))?,
        span: span.span_id().ok_or(NotACall::Field("span_id"))?,
        parent: span.parent_span_id(),
        parent_is_remote: span.flags() & PARENT_IS_REMOTE == PARENT_IS_REMOTE,
    };
    let at = |time_unix_nano, seq| At { time_unix_nano, producer, seq };
    let opened_at = at(span.start_time_unix_nano(), core.seq);
    let closed_at = at(span.end_time_unix_nano(), core.seq_end);
    let said_to_fail = span.status().code == STATUS_ERROR;
    // Who says both has not succeeded.
    let said = core.outcome.filter(|outcome| !(said_to_fail && *outcome == Outcome::Completed));
    let outcome = said.or(said_to_fail.then_some(Outcome::Failed));
    let id = core.call_id.map_or(KeyIdentity::Span(ids.trace, ids.span), KeyIdentity::Call);
    let rollout = core.rollout.take().ok_or(NotACall::NoIdentity)?;
    let scope = Scope {
        tenant: core.tenant.take(),
        thread: core.thread.take().unwrap_or_else(|| rollout.clone()),
        turn: core.turn.take().unwrap_or_else(|| rollout.clone()),
        rollout,
    };
    let policy = core.policy.take();
    let error = std::mem::take(&mut core.error);
    let (given, returned) = core.into_content(kind)?;
    let (marks, unreadable) = marks(span, producer)?;
    Ok(CallRecord {
        scope: Arc::new(scope),
        kind,
        id,
        opened_at,
        closed_at,
        opened: Opened { span: ids, attrs: opened, links: links(span)?, policy },
        given,
        marks,
        marks_dropped: span.dropped_events_count().saturating_add(unreadable),
        closed: Closed { outcome, attrs: closed, error, links: Vec::new() },
        returned,
    })
}

/// The marks among the events of a span, and how many more are none because of a field. One that cannot be read does not
/// take its call with it.
fn marks(span: &SpanView<'_>, producer: Option<ProducerId>) -> Result<(Vec<Marked<Veiled>>, u32), Malformed> {
    let mut marks = Vec::new();
    let mut unreadable = 0u32;
    for event in span.events() {
        let event = event?;
        let Ok(kind) = MarkKind::from_str(event.name()) else { continue };
        match mark(kind, &event, producer) {
            Ok(mark) if marks.len() < CallRecord::<Veiled>::MAX_MARKS => marks.push(mark),
            Err(NotACall::Malformed) => return Err(Malformed),
            _ => unreadable = unreadable.saturating_add(1),
        }
    }
    Ok((marks, unreadable))
}

fn mark(kind: MarkKind, event: &EventView<'_>, producer: Option<ProducerId>) -> Result<Marked<Veiled>, NotACall> {
    let mut core = Core::default();
    let mut attrs = Attrs::default();
    for attribute in event.attributes() {
        let (key, value) = attribute?;
        let Some(id) = lookup(key) else { continue };
        let name = id.name();
        match name.phase {
            Phase::Core => core.set(id, &value)?,
            Phase::Opened | Phase::Closed | Phase::Marked => set_free(&mut attrs, id, name.kind, &value)?,
            Phase::Foreign => {}
        }
    }
    if kind == MarkKind::Decision {
        decision::content(event, &mut core)?;
    }
    let at = At { time_unix_nano: event.time_unix_nano(), producer, seq: core.seq };
    Ok(Marked { at, mark: Mark { kind, attrs, noted: core.into_noted(kind)? } })
}

/// The process life that a `Resource` message names, if it names one.
pub fn producer(resource: &[u8]) -> Option<ProducerId> {
    let id = Attributes::new(resource, 1).flatten().filter(|(key, _)| *key == semconv::PRODUCER_ID.key()).last();
    match id {
        Some((_, AnyView::Text(text))) => text.parse().ok(),
        _ => None,
    }
}

/// How many attributes of the table have a value of another type than the table says.
pub fn foreign_values(span: &SpanView<'_>) -> usize {
    span.attributes().filter_map(Result::ok).filter(|(key, value)| is_foreign(key, value)).count()
}

fn is_foreign(key: &str, value: &AnyView<'_>) -> bool {
    let kind = lookup(key).map(|id| id.name().kind);
    kind.is_some_and(|kind| kind != Type::Any && matches!(typed(kind, value), Ok(None)))
}

/// The links with whole ids; one without points nowhere.
fn links(span: &SpanView<'_>) -> Result<Vec<Link>, NotACall> {
    let mut links = Vec::new();
    for link in span.links() {
        let link = link?;
        let mut kind = None;
        for attribute in link.attributes() {
            if let (key, AnyView::Text(word)) = attribute?
                && key == semconv::EDGE_KIND.key()
            {
                kind = FromStr::from_str(word).ok();
            }
        }
        if let (Some(trace), Some(span)) = (link.trace_id(), link.span_id()) {
            links.push(Link { trace, span, kind });
        }
    }
    Ok(links)
}

fn set_free(attrs: &mut Attrs, id: semconv::KeyId, kind: Type, value: &AnyView<'_>) -> Result<(), NotACall> {
    if let Some(value) = typed(kind, value)? {
        attrs.insert(id, value);
    }
    Ok(())
}

/// The value, if it has the type.
pub(super) fn typed(kind: Type, value: &AnyView<'_>) -> Result<Option<Value>, Malformed> {
    Ok(match (kind, value) {
        (Type::Text, AnyView::Text(text)) => Some(Value::Text(ByteString::from(*text))),
        (Type::Int, AnyView::Int(number)) => Some(Value::Int(*number)),
        (Type::Double, AnyView::Double(number)) => Some(Value::Double(*number)),
        (Type::Double, AnyView::Int(number)) => exact_double(*number).map(Value::Double),
        (Type::Bool, AnyView::Bool(flag)) => Some(Value::Bool(*flag)),
        (Type::Texts, AnyView::Array(elements)) => {
            let text = |element| match element {
                AnyView::Text(text) => Some(ByteString::from(text)),
                _ => None,
            };
            elements.clone().map(|element| element.map(text)).collect::<Result<Option<_>, _>>()?.map(Value::Texts)
        }
        (Type::Ints, AnyView::Array(elements)) => {
            let int = |element| match element {
                AnyView::Int(number) => Some(number),
                _ => None,
            };
            elements.clone().map(|element| element.map(int)).collect::<Result<Option<_>, _>>()?.map(Value::Ints)
        }
        _ => None,
    })
}

/// The integer as a double, where a double holds it exactly.
fn exact_double(number: i64) -> Option<f64> {
    const LIMIT: u64 = 1 << f64::MANTISSA_DIGITS;
    (number.unsigned_abs() <= LIMIT).then_some(number as f64)
}
