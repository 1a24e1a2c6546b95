//! What the rules judge of the SDK's types, as OTLP's messages in canonical bytes.
//!
//! Ids, times, kinds and counts are no content and stay where they are.

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{Event, Link, Status, TraceState};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use super::attributes::put;
use crate::otlp::writer::{delimited, put_bytes, put_integer};

const STATUS_ERROR: u64 = 2;

/// A `Span`.
pub(super) fn span(span: &SpanData) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    put_trace_state(&mut out, span.span_context.trace_state());
    put_bytes(&mut out, 5, span.name.as_bytes());
    put(&mut out, 9, pairs(&span.attributes));
    for event in &span.events.events {
        delimited(&mut out, 11, |out| put_event(out, event));
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
    out
}

fn put_event(out: &mut Vec<u8>, event: &Event) {
    put_bytes(out, 2, event.name.as_bytes());
    put(out, 3, pairs(&event.attributes));
}

fn put_link(out: &mut Vec<u8>, link: &Link) {
    put_trace_state(out, link.span_context.trace_state());
    put(out, 4, pairs(&link.attributes));
}

/// Stands in the field 3 of a span and of a link.
fn put_trace_state(out: &mut Vec<u8>, state: &TraceState) {
    let header = state.header();
    if !header.is_empty() {
        put_bytes(out, 3, header.as_bytes());
    }
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
