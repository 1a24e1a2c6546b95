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

use super::attribute::{AttributeWriter, Keys, put_label};
use super::content::{put_count, put_error, put_given, put_noted, put_returned};
use super::writer::{BYTES, FIXED32, FIXED64, VARINT, delimited, key, put_bytes, put_integer, put_key, put_varint};
use crate::event::{Attrs, CallKind, CallRecord, KeyIdentity, Link, Marked, ProducerId, Veiled};
use crate::semconv::{self, Phase};

/// Bits of a span's flags: sampled, bit 9 is known, the parent is remote.
const SAMPLED: u32 = 0x001;
const REMOTE_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;

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

    /// Appends the record's `Span` message alone.
    pub fn span(&self, record: &CallRecord<Veiled>, out: &mut Vec<u8>) {
        let ids = &record.opened.span;
        out.extend_from_slice(&[key(1, BYTES), 16]);
        out.extend_from_slice(ids.trace.as_bytes());
        out.extend_from_slice(&[key(2, BYTES), 8]);
        out.extend_from_slice(ids.span.as_bytes());
        if let Some(parent) = ids.parent {
            out.extend_from_slice(&[key(4, BYTES), 8]);
            out.extend_from_slice(parent.as_bytes());
        }
        let kind = record.kind;
        put_name(out, kind, &record.opened.attrs);
        let span_kind = if kind.is_client() { KIND_CLIENT } else { KIND_INTERNAL };
        out.extend_from_slice(&[key(6, VARINT), span_kind]);
        out.push(key(7, FIXED64));
        out.extend_from_slice(&record.opened_at.time_unix_nano.to_le_bytes());
        out.push(key(8, FIXED64));
        out.extend_from_slice(&record.closed_at.time_unix_nano.to_le_bytes());

        let mut attributes = AttributeWriter::new(out, &self.keys, 9);
        put_identity(&mut attributes, record);
        put_free(&mut attributes, kind, &record.opened.attrs, &record.closed.attrs);
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

fn put_identity(attributes: &mut AttributeWriter<'_>, record: &CallRecord<Veiled>) {
    attributes.text(semconv::ROLLOUT_ID.id(), &record.scope.rollout);
    attributes.text(semconv::THREAD_ID.id(), &record.scope.thread);
    attributes.text(semconv::TURN_ID.id(), &record.scope.turn);
    if let Some(tenant) = &record.scope.tenant {
        attributes.text(semconv::TENANT_ID.id(), tenant);
    }
    if let KeyIdentity::Call(id) = record.id {
        attributes.text(semconv::CALL_ID.id(), id.encode(&mut [0; 26]));
    }
    put_count(attributes, semconv::SEQ.id(), record.opened_at.seq);
    put_count(attributes, semconv::SEQ_END.id(), record.closed_at.seq);
    if let Some(policy) = &record.opened.policy {
        attributes.text(semconv::POLICY.id(), policy);
    }
    if let Some(outcome) = record.closed.outcome {
        attributes.text(semconv::OUTCOME.id(), outcome.as_str());
    }
}

fn put_free(attributes: &mut AttributeWriter<'_>, kind: CallKind, opened: &Attrs, closed: &Attrs) {
    if opened.value(semconv::OPERATION_NAME.id()).is_none() {
        attributes.text(semconv::OPERATION_NAME.id(), kind.default_operation());
    }
    put_those(attributes, opened);
    put_those(attributes, closed);
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
