//! One record into one span.
//!
//! [`decode::call`](super::decode::call) gives back every *valid* record exactly. Valid is a record
//!
//! - whose free attributes have the type that the table gives their name, each in the half of the call that the table
//!   gives it; `Core` names are left out, since the record has a field of its own for them,
//! - which has `gen_ai.operation.name`, one of those that mean its kind,
//! - whose id is its call id, or else its own span,
//! - which opened and closed in one process life, the one that the resource names,
//! - whose counters and lengths fit into 63 bits; what does not is left out.
//!
//! Nothing is cut off here: caps are for whoever makes the record. Attributes stand in a fixed order, so that encoding a
//! record twice gives the same bytes. Costs well under a microsecond for a record of 35 attributes, and no allocation
//! but the growth of the output.

use bytes::Bytes;

use super::attribute::{AttributeWriter, Keys, put_label};
use super::writer::{BYTES, FIXED32, FIXED64, VARINT, delimited, key, put_bytes, put_key, put_varint};
use crate::event::{
    Arguments, Attrs, Body, CallKind, CallRecord, Input, Item, KeyIdentity, Link, Measure, Output, ProducerId, Veiled,
};
use crate::semconv::{self, KeyId, Phase};

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
    keys: Keys,
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
        let kind = record.body.kind();
        put_name(out, kind, &record.opened.attrs);
        let span_kind = if kind == CallKind::Inference { KIND_CLIENT } else { KIND_INTERNAL };
        out.extend_from_slice(&[key(6, VARINT), span_kind]);
        out.push(key(7, FIXED64));
        out.extend_from_slice(&record.opened_at.time_unix_nano.to_le_bytes());
        out.push(key(8, FIXED64));
        out.extend_from_slice(&record.closed_at.time_unix_nano.to_le_bytes());

        let mut attributes = AttributeWriter::new(out, &self.keys, 9);
        put_identity(&mut attributes, record);
        put_free(&mut attributes, kind, &record.opened.attrs, &record.closed.attrs);
        match &record.body {
            Body::Turn => {}
            Body::Inference { request, answer } => {
                put_input(&mut attributes, request);
                put_output(&mut attributes, answer);
            }
            Body::Tool { arguments, result } => put_tool(&mut attributes, arguments, result),
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

    /// Appends what may be told of a request, as attributes in the field `number` of a message.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn input(&self, number: u8, input: &Input, out: &mut Vec<u8>) {
        put_input(&mut AttributeWriter::new(out, &self.keys, number), input);
    }

    /// Appends what may be told of an answer, as attributes in the field `number` of a message.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn output(&self, number: u8, output: &Output, out: &mut Vec<u8>) {
        put_output(&mut AttributeWriter::new(out, &self.keys, number), output);
    }

    /// Appends what may be told of a tool call, as attributes in the field `number` of a message.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn tool(&self, number: u8, arguments: &Arguments, result: &Measure, out: &mut Vec<u8>) {
        put_tool(&mut AttributeWriter::new(out, &self.keys, number), arguments, result);
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

/// The operation that a kind of call has where nobody named one.
const fn default_operation(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Turn => "invoke_agent",
        CallKind::Inference => "chat",
        CallKind::Tool => "execute_tool",
    }
}

/// `{operation} {model, agent or tool}`, as the GenAI conventions name spans.
fn put_name(out: &mut Vec<u8>, kind: CallKind, attrs: &Attrs) {
    let operation = attrs.text(semconv::OPERATION_NAME).unwrap_or(default_operation(kind));
    let target = attrs.text(match kind {
        CallKind::Turn => semconv::AGENT_NAME,
        CallKind::Inference => semconv::REQUEST_MODEL,
        CallKind::Tool => semconv::TOOL_NAME,
    });
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
        attributes.text(semconv::OPERATION_NAME.id(), default_operation(kind));
    }
    for (id, value) in opened.iter().chain(closed.iter()) {
        if id.name().phase != Phase::Core {
            attributes.value(id, value);
        }
    }
}

fn put_input(attributes: &mut AttributeWriter<'_>, input: &Input) {
    let items = &input.items;
    if !items.is_empty() {
        // Where no digest or no length may leave at all, their array says nothing that the roles do not say.
        if items.iter().any(|item| item.digest.is_some()) {
            attributes.digests(semconv::INPUT_DIGESTS.id(), items.iter().map(|item| item.digest.as_ref()));
        }
        attributes.texts(semconv::INPUT_ROLES.id(), items.iter().map(|item| item.role.as_str()));
        if items.iter().any(|item| item.length.is_some()) {
            attributes.ints(semconv::INPUT_LENGTHS.id(), items.iter().map(|item: &Item| wire_length(item.length)));
        }
        attributes.texts(semconv::INPUT_PART_KINDS.id(), items.iter().map(|item| &*item.part_kinds));
    }
    put_digest(attributes, semconv::INPUT_PREFIX.id(), input.prefix.as_ref());
    put_digest(attributes, semconv::INPUT_CHAIN.id(), input.chain.as_ref());
    put_count(attributes, semconv::INPUT_OMITTED.id(), input.omitted);
    put_digest(attributes, semconv::SYSTEM_DIGEST.id(), input.system.digest.as_ref());
    put_count(attributes, semconv::SYSTEM_LENGTH.id(), input.system.length);
    put_digest(attributes, semconv::TOOLS_DIGEST.id(), input.tools.as_ref());
    if !input.blobs.is_empty() {
        attributes.digests(semconv::INPUT_BLOB_DIGESTS.id(), input.blobs.iter().map(Some));
    }
}

fn put_output(attributes: &mut AttributeWriter<'_>, output: &Output) {
    let items = &output.items;
    if !items.is_empty() {
        if items.iter().any(|item| item.digest.is_some()) {
            attributes.digests(semconv::OUTPUT_DIGESTS.id(), items.iter().map(|item| item.digest.as_ref()));
        }
        attributes.ints(semconv::OUTPUT_LENGTHS.id(), items.iter().map(|item: &Measure| wire_length(item.length)));
    }
    if !output.blobs.is_empty() {
        attributes.digests(semconv::OUTPUT_BLOB_DIGESTS.id(), output.blobs.iter().map(Some));
    }
}

fn put_tool(attributes: &mut AttributeWriter<'_>, arguments: &Arguments, result: &Measure) {
    put_digest(attributes, semconv::TOOL_ARGUMENTS_DIGEST.id(), arguments.digest.as_ref());
    put_digest(attributes, semconv::TOOL_ARGUMENTS_EXACT.id(), arguments.exact.as_ref());
    put_count(attributes, semconv::TOOL_ARGUMENTS_LENGTH.id(), arguments.length);
    put_digest(attributes, semconv::TOOL_RESULT_DIGEST.id(), result.digest.as_ref());
    put_count(attributes, semconv::TOOL_RESULT_LENGTH.id(), result.length);
}

fn put_digest(attributes: &mut AttributeWriter<'_>, id: KeyId, digest: Option<&crate::event::Digest>) {
    if let Some(digest) = digest {
        attributes.digest(id, digest);
    }
}

fn put_count(attributes: &mut AttributeWriter<'_>, id: KeyId, count: Option<u64>) {
    if let Some(count) = count.and_then(|count| i64::try_from(count).ok()) {
        attributes.int(id, count);
    }
}

/// A length in an array, where a missing one has to keep its place: -1.
fn wire_length(length: Option<u64>) -> i64 {
    length.and_then(|length| i64::try_from(length).ok()).unwrap_or(-1)
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
