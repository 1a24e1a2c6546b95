//! Other ways to write the same request, at every depth.

use veilspan::otlp::wire::{Fields, Wire};
use veilspan::otlp::writer::{put_bytes, put_varint};

/// The messages of a trace request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Request,
    ResourceSpans,
    Resource,
    EntityRef,
    ScopeSpans,
    Scope,
    Span,
    Event,
    Link,
    Status,
    KeyValue,
    AnyValue,
    Array,
    Map,
}

impl Kind {
    fn of_field(self, number: u32) -> Option<Self> {
        Some(match (self, number) {
            (Self::Request, 1) => Self::ResourceSpans,
            (Self::ResourceSpans, 1) => Self::Resource,
            (Self::ResourceSpans, 2) => Self::ScopeSpans,
            (Self::Resource, 1) | (Self::Scope, 3) | (Self::Span, 9) | (Self::Event, 3) | (Self::Link, 4) => {
                Self::KeyValue
            }
            (Self::Resource, 3) => Self::EntityRef,
            (Self::ScopeSpans, 1) => Self::Scope,
            (Self::ScopeSpans, 2) => Self::Span,
            (Self::Span, 11) => Self::Event,
            (Self::Span, 13) => Self::Link,
            (Self::Span, 15) => Self::Status,
            (Self::KeyValue, 2) | (Self::Array, 1) => Self::AnyValue,
            (Self::AnyValue, 5) => Self::Array,
            (Self::AnyValue, 6) => Self::Map,
            (Self::Map, 1) => Self::KeyValue,
            _ => return None,
        })
    }
}

/// The message with each message in it, and itself, passed through `edit`, innermost first.
pub fn rewrite(kind: Kind, bytes: &[u8], edit: &mut impl FnMut(Kind, Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut fields = Fields::new(bytes);
    let mut start = 0;
    while let Some(field) = fields.next() {
        let field = field.unwrap();
        match (kind.of_field(field.number), field.value) {
            (Some(inner), Wire::Bytes(message)) => put_bytes(&mut out, field.number, &rewrite(inner, message, edit)),
            _ => out.extend_from_slice(&bytes[start..fields.position()]),
        }
        start = fields.position();
    }
    edit(kind, out)
}

/// A field that OTLP does not know, as bytes, and as a group of bytes.
pub fn unknown_fields(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, 100, text.as_bytes());
    put_varint(&mut out, 101 << 3 | 3);
    put_bytes(&mut out, 1, text.as_bytes());
    put_varint(&mut out, 101 << 3 | 4);
    out
}

/// The keys of all fields one byte longer than they have to be.
pub fn padded(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut fields = Fields::new(message);
    let mut start = 0;
    while let Some(field) = fields.next() {
        field.unwrap();
        match &message[start..fields.position()] {
            [key, rest @ ..] if *key < 0x80 => {
                out.extend_from_slice(&[key | 0x80, 0x00]);
                out.extend_from_slice(rest);
            }
            field => out.extend_from_slice(field),
        }
        start = fields.position();
    }
    out
}
