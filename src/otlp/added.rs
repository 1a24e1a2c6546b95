//! Spans that no producer sent, as bytes.

use crate::event::{Attrs, Link, SpanId, TraceId};
use crate::semconv;

use super::attribute::AttributeWriter;
use super::encode;
use super::keys::Keys;
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
    /// Its events.
    pub events: &'a [AddedEvent<'a>],
    /// How many more events there would be.
    pub dropped_events: u32,
    /// Whether its status is `ERROR`.
    pub is_error: bool,
}

/// An event of a span of the stage's own.
#[derive(Clone, Copy, Debug)]
pub struct AddedEvent<'a> {
    /// Its name.
    pub name: &'a str,
    /// Nanoseconds since 1970.
    pub at_unix_nano: u64,
    /// Its attributes.
    pub attrs: &'a Attrs,
}

/// A log record of the stage's own.
#[derive(Clone, Copy, Debug)]
pub struct AddedLog<'a> {
    /// What happened, by its name (`event_name`).
    pub name: &'a str,
    /// When, in nanoseconds since 1970.
    pub at_unix_nano: u64,
    /// When it was found, in nanoseconds since 1970.
    pub observed_unix_nano: u64,
    /// A number of OTLP's `SeverityNumber`.
    pub severity: u8,
    /// A sentence of ours.
    pub body: &'a str,
    /// Its attributes.
    pub attrs: &'a Attrs,
    /// The span that it is about.
    pub span: Option<(TraceId, SpanId)>,
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

/// A whole `resource_logs` field of a request, with one record of ours under a `Resource` message.
pub fn resource_logs(resource: &[u8], log: &AddedLog<'_>) -> Vec<u8> {
    let mut field = Vec::new();
    delimited(&mut field, 1, |out| {
        put_bytes(out, 1, resource);
        delimited(out, 2, |out| {
            put_bytes(out, 1, &encode::scope());
            delimited(out, 2, |out| put_log(out, log));
        });
    });
    field
}

fn put_log(out: &mut Vec<u8>, log: &AddedLog<'_>) {
    out.push(key(1, FIXED64));
    out.extend_from_slice(&log.at_unix_nano.to_le_bytes());
    out.extend_from_slice(&[key(2, VARINT), log.severity]);
    delimited(out, 5, |out| put_bytes(out, 1, log.body.as_bytes()));
    let keys = Keys::of_table();
    let mut attributes = AttributeWriter::new(out, keys, 6);
    for (id, value) in log.attrs.iter() {
        attributes.value(id, value);
    }
    if let Some((trace, span)) = log.span {
        put_bytes(out, 9, trace.as_bytes());
        put_bytes(out, 10, span.as_bytes());
    }
    out.push(key(11, FIXED64));
    out.extend_from_slice(&log.observed_unix_nano.to_le_bytes());
    put_bytes(out, 12, log.name.as_bytes());
}

fn put_span(out: &mut Vec<u8>, span: &AddedSpan<'_>) {
    let keys = Keys::of_table();
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
    let mut attributes = AttributeWriter::new(out, keys, 9);
    for (id, value) in span.attrs.iter() {
        attributes.value(id, value);
    }
    for event in span.events {
        delimited(out, 11, |out| {
            out.push(key(1, FIXED64));
            out.extend_from_slice(&event.at_unix_nano.to_le_bytes());
            put_bytes(out, 2, event.name.as_bytes());
            let mut attributes = AttributeWriter::new(out, keys, 3);
            for (id, value) in event.attrs.iter() {
                attributes.value(id, value);
            }
        });
    }
    if span.dropped_events > 0 {
        put_integer(out, 12, u64::from(span.dropped_events));
    }
    for link in span.links {
        delimited(out, 13, |out| {
            put_bytes(out, 1, link.trace.as_bytes());
            put_bytes(out, 2, link.span.as_bytes());
            if let Some(kind) = link.kind {
                AttributeWriter::new(out, keys, 4).text(semconv::EDGE_KIND.id(), kind.as_str());
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
