//! A span, read where it stands.
//!
//! [`SpanView::parse`] passes once over the outer fields and remembers the plain ones; attributes, events and links are
//! read when they are asked for. Nothing is copied or allocated. A plain field that stands twice counts as it stands
//! last, and nested messages are never merged, unlike in prost: [`form`](super::form) calls such a span loose.

use std::fmt;

use super::any::{Attributes, next_message, utf8};
use super::view_parts::{EventView, LinkView, Status};
use super::wire::{Fields, Malformed, Wire};
use crate::event::{SpanId, TraceId};

/// One `Span` message, borrowed. Its `Debug` shows the ids alone: the rest may be content.
#[derive(Clone)]
pub struct SpanView<'a> {
    bytes: &'a [u8],
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent_span_id: &'a [u8],
    trace_state: &'a str,
    name: &'a str,
    kind: i32,
    start_time_unix_nano: u64,
    end_time_unix_nano: u64,
    dropped_events_count: u32,
    flags: u32,
    status: Status<'a>,
    has_events: bool,
    has_links: bool,
}

impl<'a> SpanView<'a> {
    /// Reads the outer fields of a `Span` message.
    ///
    /// # Errors
    ///
    /// What is no message, has a field of another wire type than the protocol says, or a string that is not UTF-8.
    /// Attributes, events and links are not looked into.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut view = Self {
            bytes,
            trace_id: &[],
            span_id: &[],
            parent_span_id: &[],
            trace_state: "",
            name: "",
            kind: 0,
            start_time_unix_nano: 0,
            end_time_unix_nano: 0,
            dropped_events_count: 0,
            flags: 0,
            status: Status::default(),
            has_events: false,
            has_links: false,
        };
        for field in Fields::new(bytes) {
            let field = field?;
            match (field.number, field.value) {
                (1, Wire::Bytes(id)) => view.trace_id = id,
                (2, Wire::Bytes(id)) => view.span_id = id,
                (3, Wire::Bytes(text)) => view.trace_state = utf8(text)?,
                (4, Wire::Bytes(id)) => view.parent_span_id = id,
                (5, Wire::Bytes(text)) => view.name = utf8(text)?,
                (6, Wire::Varint(kind)) => view.kind = kind as i32,
                (7, Wire::Fixed64(time)) => view.start_time_unix_nano = time,
                (8, Wire::Fixed64(time)) => view.end_time_unix_nano = time,
                (12, Wire::Varint(count)) => view.dropped_events_count = count as u32,
                (15, Wire::Bytes(status)) => view.status = Status::parse(status)?,
                (16, Wire::Fixed32(flags)) => view.flags = flags,
                (11, Wire::Bytes(_)) => view.has_events = true,
                (13, Wire::Bytes(_)) => view.has_links = true,
                (9, Wire::Bytes(_)) | (10 | 14, Wire::Varint(_)) => {}
                (1..=16, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(view)
    }

    /// The message as it stands.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The trace, if the span names one.
    pub fn trace_id(&self) -> Option<TraceId> {
        TraceId::try_from(self.trace_id).ok()
    }

    /// The span itself, if it has an id.
    pub fn span_id(&self) -> Option<SpanId> {
        SpanId::try_from(self.span_id).ok()
    }

    /// The span it is a child of.
    pub fn parent_span_id(&self) -> Option<SpanId> {
        SpanId::try_from(self.parent_span_id).ok()
    }

    /// The `tracestate` of W3C Trace Context.
    pub const fn trace_state(&self) -> &'a str {
        self.trace_state
    }

    /// Its name.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub const fn kind(&self) -> i32 {
        self.kind
    }

    /// When it began, in nanoseconds since 1970.
    pub const fn start_time_unix_nano(&self) -> u64 {
        self.start_time_unix_nano
    }

    /// When it ended, in nanoseconds since 1970.
    pub const fn end_time_unix_nano(&self) -> u64 {
        self.end_time_unix_nano
    }

    /// Bits 0 to 7 of W3C Trace Context; bit 8 says that bit 9 is known, bit 9 that the parent is remote.
    pub const fn flags(&self) -> u32 {
        self.flags
    }

    /// How it says that it ended.
    pub const fn status(&self) -> Status<'a> {
        self.status
    }

    /// Its attributes.
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 9)
    }

    /// Its attributes, each as a `KeyValue` message.
    pub(super) fn attribute_messages(&self) -> impl Iterator<Item = Result<&'a [u8], Malformed>> + use<'a> {
        messages(self.bytes, 9)
    }

    /// Its events.
    pub fn events(&self) -> impl Iterator<Item = Result<EventView<'a>, Malformed>> + use<'a> {
        // Most spans have none, and need not be looked through for them.
        let bytes = if self.has_events { self.bytes } else { &[] };
        messages(bytes, 11).map(|event| event.and_then(EventView::parse))
    }

    /// How many more events there were.
    pub const fn dropped_events_count(&self) -> u32 {
        self.dropped_events_count
    }

    /// Its links.
    pub fn links(&self) -> impl Iterator<Item = Result<LinkView<'a>, Malformed>> + use<'a> {
        let bytes = if self.has_links { self.bytes } else { &[] };
        messages(bytes, 13).map(|link| link.and_then(LinkView::parse))
    }
}

fn messages(bytes: &[u8], number: u32) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    let mut fields = Fields::new(bytes);
    std::iter::from_fn(move || next_message(&mut fields, number))
}

impl fmt::Debug for SpanView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanView")
            .field("trace_id", &self.trace_id())
            .field("span_id", &self.span_id())
            .finish_non_exhaustive()
    }
}
