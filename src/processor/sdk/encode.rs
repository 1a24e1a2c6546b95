//! The SDK's types as OTLP's messages in canonical bytes: what the rules judge, and what reduction reads.
//!
//! The kind of a span and the time of dropped attributes are neither's, and are left out.

use std::time::SystemTime;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use super::attributes::put;
use crate::otlp::writer::{FIXED32, FIXED64, delimited, key, put_bytes, put_integer, put_key};

const STATUS_ERROR: u64 = 2;
/// Bits of a span's flags: bit 9 is known, the parent is remote.
const REMOTE_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;

/// A `Span`.
pub(super) fn span(span: &SpanData) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    put_ids(&mut out, &span.span_context);
    if span.parent_span_id != SpanId::INVALID {
        put_bytes(&mut out, 4, &span.parent_span_id.to_bytes());
    }
    put_bytes(&mut out, 5, span.name.as_bytes());
    put_time(&mut out, 7, span.start_time);
    put_time(&mut out, 8, span.end_time);
    put(&mut out, 9, pairs(&span.attributes));
    for event in &span.events.events {
        delimited(&mut out, 11, |out| put_event(out, event));
    }
    if span.events.dropped_count > 0 {
        put_integer(&mut out, 12, u64::from(span.events.dropped_count));
    }
    for link in &span.links.links {
        delimited(&mut out, 13, |out| put_link(out, link));
    }
    if let Status::Error { description } = &span.status {
        delimited(&mut out, 15, |out| {
            put_bytes(out, 2, description.as_bytes());
            put_integer(out, 3, STATUS_ERROR);
        });
    }
    put_key(&mut out, 16, FIXED32);
    let remote = if span.parent_span_is_remote { PARENT_IS_REMOTE } else { 0 };
    let sampled = u32::from(span.span_context.trace_flags().to_u8());
    out.extend_from_slice(&(sampled | REMOTE_IS_KNOWN | remote).to_le_bytes());
    out
}

/// Fields 1, 2 and 3 of a span and of a link.
fn put_ids(out: &mut Vec<u8>, context: &SpanContext) {
    put_bytes(out, 1, &context.trace_id().to_bytes());
    put_bytes(out, 2, &context.span_id().to_bytes());
    let state = context.trace_state().header();
    if !state.is_empty() {
        put_bytes(out, 3, state.as_bytes());
    }
}

/// Nanoseconds since 1970; what was before that is no time of a span.
fn put_time(out: &mut Vec<u8>, number: u8, time: SystemTime) {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    out.push(key(number, FIXED64));
    out.extend_from_slice(&u64::try_from(since.as_nanos()).unwrap_or(u64::MAX).to_le_bytes());
}

fn put_event(out: &mut Vec<u8>, event: &Event) {
    put_time(out, 1, event.timestamp);
    put_bytes(out, 2, event.name.as_bytes());
    put(out, 3, pairs(&event.attributes));
}

fn put_link(out: &mut Vec<u8>, link: &Link) {
    put_ids(out, &link.span_context);
    put(out, 4, pairs(&link.attributes));
}

/// A `Resource`. Its attributes have no order of their own; by name, so that equal ones are equal bytes.
pub(super) fn resource(resource: &Resource) -> Vec<u8> {
    let mut attributes: Vec<_> = resource.iter().collect();
    attributes.sort_by_key(|(key, _)| key.as_str());
    let mut out = Vec::new();
    put(&mut out, 1, attributes);
    out
}

/// An `InstrumentationScope` with these attributes.
pub(super) fn scope(scope: &InstrumentationScope, attributes: &[KeyValue]) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, 1, scope.name().as_bytes());
    if let Some(version) = scope.version() {
        put_bytes(&mut out, 2, version.as_bytes());
    }
    put(&mut out, 3, pairs(attributes));
    out
}

fn pairs(attributes: &[KeyValue]) -> impl Iterator<Item = (&opentelemetry::Key, &Value)> {
    attributes.iter().map(|attribute| (&attribute.key, &attribute.value))
}
