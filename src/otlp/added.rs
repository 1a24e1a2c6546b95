//! Spans that no producer sent, as bytes.

use crate::event::{Attrs, Link, SpanId, TraceId};
use crate::semconv;

use super::attribute::{AttributeWriter, Keys};
use super::encode;
use super::writer::{BYTES, FIXED64, VARINT, delimited, key, put_bytes, put_integer};

const KIND_INTERNAL: u8 = 1;
const STATUS_ERROR: u8 = 2;

/// A span of the stage's own making: an internal one.
#[derive(Clone, Copy, Debug)]
pub struct AddedSpan<'a> {
    /// Its trace.
    pub trace: TraceId,
    /// Its id.
    pub span: SpanId,
    /// Its parent.
    pub parent: Option<SpanId>,
    /// Its name.
    pub name: &'a str,
    /// Nanoseconds since 1970.
    pub start_unix_nano: u64,
    /// Nanoseconds since 1970.
    pub end_unix_nano: u64,
    /// Its attributes.
    pub attrs: &'a Attrs,
    /// Its links.
    pub links: &'a [Link],
    /// How many more links there would be.
    pub dropped_links: u32,
    /// Whether its status is `ERROR`.
    pub is_error: bool,
}

/// A whole `resource_spans` field of a request, with one span of ours under a `Resource` message.
pub fn resource_spans(resource: &[u8], span: &AddedSpan<'_>) -> Vec<u8> {
    let mut field = Vec::new();
    delimited(&mut field, 1, |out| {
        put_bytes(out, 1, resource);
        delimited(out, 2, |out| {
            put_bytes(out, 1, &encode::scope());
            delimited(out, 2, |out| put_span(out, span));
        });
    });
    field
}

fn put_span(out: &mut Vec<u8>, span: &AddedSpan<'_>) {
    let keys = Keys::default();
    put_bytes(out, 1, span.trace.as_bytes());
    put_bytes(out, 2, span.span.as_bytes());
    if let Some(parent) = span.parent {
        put_bytes(out, 4, parent.as_bytes());
    }
    put_bytes(out, 5, span.name.as_bytes());
    out.extend_from_slice(&[key(6, VARINT), KIND_INTERNAL]);
    out.push(key(7, FIXED64));
    out.extend_from_slice(&span.start_unix_nano.to_le_bytes());
    out.push(key(8, FIXED64));
    out.extend_from_slice(&span.end_unix_nano.to_le_bytes());
    let mut attributes = AttributeWriter::new(out, &keys, 9);
    for (id, value) in span.attrs.iter() {
        attributes.value(id, value);
    }
    for link in span.links {
        delimited(out, 13, |out| {
            put_bytes(out, 1, link.trace.as_bytes());
            put_bytes(out, 2, link.span.as_bytes());
            if let Some(kind) = link.kind {
                AttributeWriter::new(out, &keys, 4).text(semconv::EDGE_KIND.id(), kind.as_str());
            }
        });
    }
    if span.dropped_links > 0 {
        put_integer(out, 14, u64::from(span.dropped_links));
    }
    if span.is_error {
        out.extend_from_slice(&[key(15, BYTES), 2, key(3, VARINT), STATUS_ERROR]);
    }
}
