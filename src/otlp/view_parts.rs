//! The parts of a span that are messages themselves.

use super::any::{Attributes, utf8};
use super::wire::{Fields, Malformed, Wire};
use crate::event::{SpanId, TraceId};

/// How a span says that it ended.
#[derive(Clone, Copy, Default)]
#[allow(missing_debug_implementations)]
pub struct Status<'a> {
    /// 0 unset, 1 ok, 2 error.
    pub code: i32,
    /// What the producer says of it: content.
    pub message: &'a str,
}

impl<'a> Status<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut status = Self::default();
        for field in Fields::new(bytes) {
            let field = field?;
            match (field.number, field.value) {
                (2, Wire::Bytes(message)) => status.message = utf8(message)?,
                (3, Wire::Varint(code)) => status.code = code as i32,
                (2 | 3, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(status)
    }
}

/// One event of a span, borrowed.
#[derive(Clone)]
#[allow(missing_debug_implementations)]
pub struct EventView<'a> {
    bytes: &'a [u8],
    name: &'a str,
    time_unix_nano: u64,
}

impl<'a> EventView<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut view = Self { bytes, name: "", time_unix_nano: 0 };
        for field in Fields::new(bytes) {
            let field = field?;
            match (field.number, field.value) {
                (1, Wire::Fixed64(time)) => view.time_unix_nano = time,
                (2, Wire::Bytes(name)) => view.name = utf8(name)?,
                (3, Wire::Bytes(_)) | (4, Wire::Varint(_)) => {}
                (1..=4, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(view)
    }

    /// Its name.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// When it happened, in nanoseconds since 1970.
    pub const fn time_unix_nano(&self) -> u64 {
        self.time_unix_nano
    }

    /// Its attributes.
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 3)
    }
}

/// One link of a span, borrowed.
#[derive(Clone)]
#[allow(missing_debug_implementations)]
pub struct LinkView<'a> {
    bytes: &'a [u8],
    trace_id: &'a [u8],
    span_id: &'a [u8],
    trace_state: &'a str,
}

impl<'a> LinkView<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut view = Self { bytes, trace_id: &[], span_id: &[], trace_state: "" };
        for field in Fields::new(bytes) {
            let field = field?;
            match (field.number, field.value) {
                (1, Wire::Bytes(id)) => view.trace_id = id,
                (2, Wire::Bytes(id)) => view.span_id = id,
                (3, Wire::Bytes(text)) => view.trace_state = utf8(text)?,
                (4, Wire::Bytes(_)) | (5, Wire::Varint(_)) | (6, Wire::Fixed32(_)) => {}
                (1..=6, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(view)
    }

    /// The trace of the other span.
    pub fn trace_id(&self) -> Option<TraceId> {
        TraceId::try_from(self.trace_id).ok()
    }

    /// The other span.
    pub fn span_id(&self) -> Option<SpanId> {
        SpanId::try_from(self.span_id).ok()
    }

    /// The `tracestate` of the other span.
    pub const fn trace_state(&self) -> &'a str {
        self.trace_state
    }

    /// Its attributes.
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.bytes, 4)
    }
}
