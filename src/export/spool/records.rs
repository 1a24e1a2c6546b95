//! What the records of a spool hold. All of it is veiled and encoded: nothing else is ever written.

use bytes::Bytes;

use crate::export::envelope::Envelope;
use crate::otlp::wire::{Fields, Wire};
use crate::otlp::{SpanView, is_canonical};

/// Who speaks: resource and scope of all spans of this life.
pub(super) const ENVELOPE: u8 = 1;
/// A call has opened: the span that will tell of it if nothing else does.
pub(super) const OPEN: u8 = 2;
/// A call has closed: its span.
pub(super) const SPAN: u8 = 3;
/// A call that was open has lost its close: nothing is to be told of it.
pub(super) const LOST: u8 = 4;

/// Before the span field of an open or closed call: its id and its time.
pub(super) const PREFIX: usize = 24;

/// The end of a span, as protobuf has it: key 8, fixed 64 bits.
const END_TIME: u32 = 8;

/// A call in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told<'a> {
    pub(super) id: u128,
    pub(super) unix_nanos: u64,
    /// Its span as a field of `ScopeSpans`; empty for one whose close is lost.
    pub(super) field: &'a [u8],
}

/// What stands before the field.
pub(super) fn prefix(id: u128, unix_nanos: u64) -> [u8; PREFIX] {
    let mut prefix = [0; PREFIX];
    let (left, right) = prefix.split_at_mut(16);
    left.copy_from_slice(&id.to_le_bytes());
    right.copy_from_slice(&unix_nanos.to_le_bytes());
    prefix
}

/// The call in a payload, nothing where it is none. Of what a stranger has written only spans are sent on.
pub(super) fn told(payload: &[u8]) -> Option<Told<'_>> {
    let (prefix, field) = payload.split_at_checked(PREFIX)?;
    let (id, unix_nanos) = prefix.split_at_checked(16)?;
    Some(Told {
        id: u128::from_le_bytes(id.try_into().ok()?),
        unix_nanos: u64::from_le_bytes(unix_nanos.try_into().ok()?),
        field,
    })
}

/// Whether these bytes are exactly one span field, and the span in it one that any receiver reads: of one that is not, the
/// whole request would be refused.
pub(super) fn is_span_field(field: &[u8]) -> bool {
    span(field).is_some_and(is_canonical)
}

/// The span in a field.
pub(super) fn span(field: &[u8]) -> Option<&[u8]> {
    let mut fields = Fields::new(field);
    let first = fields.next()?.ok()?;
    match first.value {
        Wire::Bytes(span) if first.number == 2 && fields.position() == field.len() => Some(span),
        _ => None,
    }
}

/// The same span, ended at another time, though never before it began. Nothing where it is no span with an end.
pub(super) fn ended_at(field: &[u8], unix_nanos: u64) -> Option<Vec<u8>> {
    let span = span(field)?;
    let view = SpanView::parse(span).ok()?;
    let end = unix_nanos.max(view.start_time_unix_nano());
    let mut fields = Fields::new(span);
    while let Some(found) = fields.next() {
        if found.ok()?.number == END_TIME {
            let behind = field.len() - span.len() + fields.position();
            let mut ended = field.to_vec();
            ended.get_mut(behind.checked_sub(8)?..behind)?.copy_from_slice(&end.to_le_bytes());
            return Some(ended);
        }
    }
    None
}

/// The payload of an envelope.
pub(super) fn envelope(envelope: &Envelope) -> Bytes {
    match envelope {
        Envelope::Scoped { resource, scope } => {
            let length = u32::try_from(resource.len()).unwrap_or_default();
            Bytes::from([&length.to_le_bytes(), &resource[..], &scope[..]].concat())
        }
        #[cfg(feature = "collector")]
        Envelope::Bare => Bytes::new(),
    }
}

/// The envelope in a payload.
pub(super) fn read_envelope(payload: &[u8]) -> Option<Envelope> {
    let (length, rest) = payload.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let (resource, scope) = rest.split_at_checked(length)?;
    let is_message = |bytes: &[u8]| Fields::new(bytes).all(|field| field.is_ok());
    (is_message(resource) && is_message(scope))
        .then(|| Envelope::Scoped { resource: Bytes::copy_from_slice(resource), scope: Bytes::copy_from_slice(scope) })
}
