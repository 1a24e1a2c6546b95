//! One record into one span.
//!
//! [`decode::call`](super::decode::call) gives back every *valid* record exactly. Valid is a record
//!
//! - whose free attributes have the type that the table gives their name, each in the half of the call that the table
//!   gives it; `Core` names are left out, since the record has a field of its own for them,
//! - which has `gen_ai.operation.name`, one of those that mean its kind,
//! - whose id is its call id, or else its own span,
//! - which opened and closed in one process life, the one that the resource names, and was observed there,
//! - which was given and returned what its kind has, and whose marks have the content of theirs,
//! - whose links all stand in its opened half,
//! - whose counters and lengths fit into 63 bits; what does not is left out.
//!
//! Nothing is cut off here: caps are for whoever makes the record. Attributes stand in a fixed order, so that encoding a
//! record twice gives the same bytes. Costs well under a microsecond for a record of 35 attributes, and no allocation
//! but the growth of the output.

use bytes::Bytes;
use bytestring::ByteString;

use super::attribute::{AttributeWriter, put_label};
use super::content::{put_count, put_error, put_given, put_noted, put_returned};
use super::keys::Keys;
use super::ready::Ready;
use super::writer::{BYTES, FIXED32, FIXED64, VARINT, delimited, key, put_bytes, put_integer, put_key, put_varint};
use crate::event::{
    Attrs, CallKind, CallRecord, KeyIdentity, Link, Marked, Outcome, ProducerId, Scope, SpanIds, Veiled,
};
use crate::semconv::{self, Phase};

/// Bits of a span's flags: sampled, bit 9 is known, the parent is remote.
const SAMPLED: u32 = 0x001;
const REMOTE_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;

/// The field of a span that holds its attributes.
const ATTRIBUTES: u8 = 9;
const KIND_INTERNAL: u8 = 1;
const KIND_CLIENT: u8 = 3;
const STATUS_ERROR: u8 = 2;

/// Writes records as spans.
#[derive(Debug, Default)]
pub struct Encoder {
    pub(super) keys: Keys,
}

impl Encoder {
    /// Appends the record's `Span` message as a field of a `ScopeSpans` message: key, length and message. This is the
    /// form in which [`assemble`](super::assemble::request) joins spans to requests.
    pub fn span_field(&self, record: &CallRecord<Veiled>, out: &mut Vec<u8>) {
        delimited(out, 2, |out| self.span(record, out));
    }

    /// The same bytes for one who writes many spans, and has some of them ready.
    pub(crate) fn span_field_with(&self, ready: &mut Ready, record: &CallRecord<Veiled>, out: &mut Vec<u8>) {
        delimited(out, 2, |out| self.put_span(Some(ready), record, out));
    }

    /// Appends the record's `Span` message alone.
    pub fn span(&self, record: &CallRecord<Veiled>, out: &mut Vec<u8>) {
        self.put_span(None, record, out);
    }

    fn put_span(&self, ready: Option<&mut Ready>, record: &CallRecord<Veiled>, out: &mut Vec<u8>) {
        let (kind, ids, attrs) = (record.kind, &record.opened.span, &record.opened.attrs);
        let (policy, outcome) = (record.opened.policy.as_ref(), record.closed.outcome);
        let (scope, opening, judged) = match ready {
            Some(Ready { scopes, openings, outcomes }) => (
                scopes.find(&record.scope, |out| self.put_scope(&record.scope, out)),
                openings.find(kind, attrs, |opening| {
                    put_name(&mut opening.name, kind, attrs);
                    put_opened(&mut AttributeWriter::new(&mut opening.attributes, &self.keys, ATTRIBUTES), kind, attrs);
                }),
                outcomes.find(policy, outcome, |out| {
                    put_policy_and_outcome(&mut AttributeWriter::new(out, &self.keys, ATTRIBUTES), policy, outcome);
                }),
            ),
            None => (None, None, None),
        };

        put_ids(out, ids);
        match opening {
            Some(opening) => out.extend_from_slice(&opening.name),
            None => put_name(out, kind, attrs),
        }
        put_kind_and_times(out, record);

        match scope {
            Some(scope) => out.extend_from_slice(scope),
            None => self.put_scope(&record.scope, out),
        }
        let mut attributes = AttributeWriter::new(out, &self.keys, ATTRIBUTES);
        put_identity(&mut attributes, record);
        match judged {
            Some(judged) => attributes.written(judged),
            None => put_policy_and_outcome(&mut attributes, policy, outcome),
        }
        match opening {
            Some(opening) => attributes.written(&opening.attributes),
            None => put_opened(&mut attributes, kind, attrs),
        }
        put_those(&mut attributes, &record.closed.attrs);
        put_given(&mut attributes, &record.given);
        put_returned(&mut attributes, &record.returned);
        put_error(&mut attributes, &record.closed.error);

        for marked in &record.marks {
            delimited(out, 11, |out| self.put_mark(marked, out));
        }
        if record.marks_dropped > 0 {
            put_integer(out, 12, u64::from(record.marks_dropped));
        }
        for link in &record.opened.links {
            delimited(out, 13, |out| self.put_link(link, out));
        }
        if record.closed.outcome.is_some_and(|outcome| outcome.is_error()) {
            out.extend_from_slice(&[key(15, BYTES), 2, key(3, VARINT), STATUS_ERROR]);
        }
        let remote = if ids.parent_is_remote { PARENT_IS_REMOTE } else { 0 };
        put_key(out, 16, FIXED32);
        out.extend_from_slice(&(SAMPLED | REMOTE_IS_KNOWN | remote).to_le_bytes());
    }

    fn put_scope(&self, scope: &Scope, out: &mut Vec<u8>) {
        let mut attributes = AttributeWriter::new(out, &self.keys, ATTRIBUTES);
        attributes.text(semconv::ROLLOUT_ID.id(), &scope.rollout);
        attributes.text(semconv::THREAD_ID.id(), &scope.thread);
        attributes.text(semconv::TURN_ID.id(), &scope.turn);
        if let Some(tenant) = &scope.tenant {
            attributes.text(semconv::TENANT_ID.id(), tenant);
        }
    }

    fn put_mark(&self, Marked { at, mark }: &Marked<Veiled>, out: &mut Vec<u8>) {
        out.push(key(1, FIXED64));
        out.extend_from_slice(&at.time_unix_nano.to_le_bytes());
        put_bytes(out, 2, mark.kind.as_str().as_bytes());
        let mut attributes = AttributeWriter::new(out, &self.keys, 3);
        put_count(&mut attributes, semconv::SEQ.id(), at.seq);
        put_those(&mut attributes, &mark.attrs);
        put_noted(&mut attributes, &mark.noted);
    }

    fn put_link(&self, link: &Link, out: &mut Vec<u8>) {
        out.extend_from_slice(&[key(1, BYTES), 16]);
        out.extend_from_slice(link.trace.as_bytes());
        out.extend_from_slice(&[key(2, BYTES), 8]);
        out.extend_from_slice(link.span.as_bytes());
        if let Some(kind) = link.kind {
            AttributeWriter::new(out, &self.keys, 4).text(semconv::EDGE_KIND.id(), kind.as_str());
        }
    }
}

/// `{operation} {model, agent or tool}`, as the GenAI conventions name spans.
fn put_name(out: &mut Vec<u8>, kind: CallKind, attrs: &Attrs) {
    let operation = attrs.text(semconv::OPERATION_NAME).unwrap_or_else(|| kind.default_operation());
    let target = kind.target().and_then(|target| attrs.text(target));
    out.push(key(5, BYTES));
    put_varint(out, (operation.len() + target.map_or(0, |target| 1 + target.len())) as u64);
    out.extend_from_slice(operation.as_bytes());
    if let Some(target) = target {
        out.push(b' ');
        out.extend_from_slice(target.as_bytes());
    }
}

fn put_ids(out: &mut Vec<u8>, ids: &SpanIds) {
    let mut bytes = [0; 28];
    let (trace, span) = bytes.split_at_mut(18);
    put_field(trace, [key(1, BYTES), 16], ids.trace.as_bytes());
    put_field(span, [key(2, BYTES), 8], ids.span.as_bytes());
    out.extend_from_slice(&bytes);
    if let Some(parent) = ids.parent {
        let mut bytes = [0; 10];
        put_field(&mut bytes, [key(4, BYTES), 8], parent.as_bytes());
        out.extend_from_slice(&bytes);
    }
}

/// What has always the same length is put together first: what is appended costs less at once.
fn put_field<const N: usize>(place: &mut [u8], head: [u8; 2], value: &[u8; N]) {
    if let Some((first, rest)) = place.split_first_chunk_mut()
        && let Some(rest) = rest.first_chunk_mut()
    {
        (*first, *rest) = (head, *value);
    }
}

fn put_kind_and_times(out: &mut Vec<u8>, record: &CallRecord<Veiled>) {
    let kind = if record.kind.is_client() { KIND_CLIENT } else { KIND_INTERNAL };
    let mut bytes =
        [key(6, VARINT), kind, key(7, FIXED64), 0, 0, 0, 0, 0, 0, 0, 0, key(8, FIXED64), 0, 0, 0, 0, 0, 0, 0, 0];
    let (opened, closed) = bytes.split_at_mut(11);
    for (place, at) in [(opened, record.opened_at), (closed, record.closed_at)] {
        if let Some(place) = place.last_chunk_mut() {
            *place = at.time_unix_nano.to_le_bytes();
        }
    }
    out.extend_from_slice(&bytes);
}

fn put_identity(attributes: &mut AttributeWriter<'_>, record: &CallRecord<Veiled>) {
    if let KeyIdentity::Call(id) = record.id {
        attributes.digits(semconv::CALL_ID.id(), &id.digits());
    }
    put_count(attributes, semconv::SEQ.id(), record.opened_at.seq);
    put_count(attributes, semconv::SEQ_END.id(), record.closed_at.seq);
}

fn put_policy_and_outcome(attributes: &mut AttributeWriter<'_>, policy: Option<&ByteString>, outcome: Option<Outcome>) {
    if let Some(policy) = policy {
        attributes.text(semconv::POLICY.id(), policy);
    }
    if let Some(outcome) = outcome {
        attributes.text(semconv::OUTCOME.id(), outcome.as_str());
    }
}

fn put_opened(attributes: &mut AttributeWriter<'_>, kind: CallKind, opened: &Attrs) {
    if opened.value(semconv::OPERATION_NAME.id()).is_none() {
        attributes.text(semconv::OPERATION_NAME.id(), kind.default_operation());
    }
    put_those(attributes, opened);
}

fn put_those(attributes: &mut AttributeWriter<'_>, attrs: &Attrs) {
    for (id, value) in attrs.iter() {
        if id.name().phase != Phase::Core {
            attributes.value(id, value);
        }
    }
}

/// A `Resource` message: its attributes, and the process life that `veilspan.seq` counts in.
pub fn resource<'a>(attributes: impl IntoIterator<Item = (&'a str, &'a str)>, producer: Option<ProducerId>) -> Bytes {
    let mut out = Vec::new();
    for (name, text) in attributes {
        put_label(&mut out, 1, name, text);
    }
    if let Some(producer) = producer {
        put_label(&mut out, 1, semconv::PRODUCER_ID.key(), producer.encode(&mut [0; 26]));
    }
    Bytes::from(out)
}

/// The `InstrumentationScope` message of our own spans.
pub fn scope() -> Bytes {
    let mut out = Vec::new();
    put_bytes(&mut out, 1, env!("CARGO_PKG_NAME").as_bytes());
    put_bytes(&mut out, 2, env!("CARGO_PKG_VERSION").as_bytes());
    Bytes::from(out)
}
