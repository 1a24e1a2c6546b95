//! Spans that were encoded once, joined to requests without being touched again.

use bytes::Bytes;

use crate::otlp::segments::Segments;
use crate::otlp::varint::varint_len;
use crate::otlp::writer::{BYTES, bytes_len, key, put_bytes, put_varint};

/// The bytes that a request takes beside its spans, at most, for a resource and a scope of these lengths. For those who
/// cut requests by size before they make them.
pub const fn overhead(resource: usize, scope: usize) -> usize {
    // Two messages around the spans, each with a key and a length of at most ten bytes.
    bytes_len(resource) + bytes_len(scope) + 2 * 11
}

/// An `ExportTraceServiceRequest` of one resource and one scope.
///
/// `resource` and `scope` are messages, as [`encode::resource`](crate::otlp::encode::resource) and
/// [`encode::scope`](crate::otlp::encode::scope) make them. Each of `spans` is one or more whole `spans` fields, as
/// [`Encoder::span_field`](crate::otlp::encode::Encoder::span_field) writes them; none is copied.
pub fn request(resource: &[u8], scope: &[u8], spans: impl IntoIterator<Item = Bytes>) -> Segments {
    let spans = spans.into_iter();
    let mut segments = Segments::with_capacity(1 + spans.size_hint().0);
    // Its place is kept; it is written when the length of the spans is known.
    segments.push(Bytes::from_static(&[0]));
    for chunk in spans {
        segments.push(chunk);
    }
    let head = head(resource, scope, segments.len() - 1);
    segments.replace_first(Bytes::from(head));
    segments
}

fn head(resource: &[u8], scope: &[u8], spans: usize) -> Vec<u8> {
    let scope_spans = bytes_len(scope.len()) + spans;
    let resource_spans = bytes_len(resource.len()) + bytes_len(scope_spans);
    let mut head = Vec::with_capacity(overhead(resource.len(), scope.len()) + varint_len(resource_spans as u64));
    head.push(key(1, BYTES));
    put_varint(&mut head, resource_spans as u64);
    put_bytes(&mut head, 1, resource);
    head.push(key(2, BYTES));
    put_varint(&mut head, scope_spans as u64);
    put_bytes(&mut head, 1, scope);
    head
}
