//! The one pass that tells how a message is written.

use super::schema::{INSTRUMENTATION_SCOPE, Kind, Message, RESOURCE, SPAN};

use crate::otlp::wire::{Fields, Wire};

/// How the bytes of a message are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// In the one way that we would check and patch in place.
    Canonical,
    /// In a way that has to be decoded and encoded again first.
    Loose,
    /// Not at all: no receiver takes it.
    Malformed,
}

/// How deep `AnyValue`s may lie in each other in canonical bytes; the value of an attribute is 1 deep.
const MAX_DEPTH: usize = 16;
/// How deep messages may lie under a span, resource or scope. prost takes 100 under a request, and these lie two or
/// three deep in it already.
const MAX_MESSAGES: usize = 97;

impl Form {
    /// Of a `Span` message.
    pub fn of_span(bytes: &[u8]) -> Self {
        Self::of(&SPAN, bytes)
    }

    /// Of a `Resource` message.
    pub fn of_resource(bytes: &[u8]) -> Self {
        Self::of(&RESOURCE, bytes)
    }

    /// Of an `InstrumentationScope` message.
    pub fn of_scope(bytes: &[u8]) -> Self {
        Self::of(&INSTRUMENTATION_SCOPE, bytes)
    }

    fn of(message: &Message, bytes: &[u8]) -> Self {
        let mut check = Check { is_canonical: true };
        match check.message(message, bytes, 0, 0) {
            Some(()) if check.is_canonical => Self::Canonical,
            Some(()) => Self::Loose,
            None => Self::Malformed,
        }
    }
}

/// Whether the bytes of a `Span` message are canonical.
pub fn is_canonical(span: &[u8]) -> bool {
    Form::of_span(span) == Form::Canonical
}

struct Check {
    is_canonical: bool,
}

impl Check {
    /// None where the message is malformed. `depth` counts values, `messages` all messages around this one.
    fn message(&mut self, message: &Message, bytes: &[u8], depth: usize, messages: usize) -> Option<()> {
        let depth = depth + usize::from(message.is_value);
        if messages > MAX_MESSAGES {
            return None;
        }
        self.require(depth <= MAX_DEPTH);
        let mut seen = 0u32;
        for field in Fields::new(bytes) {
            let field = field.ok()?;
            self.require(field.minimal);
            let Some(kind) = message.field(field.number) else {
                self.is_canonical = false;
                continue;
            };
            let repeated = self.field(kind, field.value, depth, messages)?;
            // All values of an `AnyValue` are one field in truth, so that the bit of the first stands for each.
            let bit = if message.is_value { 1 } else { 1 << field.number };
            self.require(repeated || seen & bit == 0);
            seen |= bit;
        }
        Some(())
    }

    /// Whether the field may stand again; none where it is malformed.
    fn field(&mut self, kind: Kind, value: Wire<'_>, depth: usize, messages: usize) -> Option<bool> {
        match (kind, value) {
            (Kind::Text, Wire::Bytes(text)) => {
                std::str::from_utf8(text).ok()?;
                return Some(false);
            }
            (Kind::Texts, Wire::Bytes(text)) => {
                std::str::from_utf8(text).ok()?;
                return Some(true);
            }
            (Kind::Bytes, Wire::Bytes(_)) | (Kind::Fixed32, Wire::Fixed32(_)) | (Kind::Fixed64, Wire::Fixed64(_)) => {}
            (Kind::Id(length), Wire::Bytes(id)) => self.require(id.is_empty() || id.len() == length),
            (Kind::Bool, Wire::Varint(flag)) => self.require(flag <= 1),
            (Kind::Uint32, Wire::Varint(number)) => self.require(u32::try_from(number).is_ok()),
            (Kind::Int32, Wire::Varint(number)) => self.require(i32::try_from(number.cast_signed()).is_ok()),
            (Kind::Int64, Wire::Varint(_)) => {}
            (Kind::One(inner), Wire::Bytes(bytes)) => self.message(inner, bytes, depth, messages + 1)?,
            (Kind::Many(inner), Wire::Bytes(bytes)) => {
                self.message(inner, bytes, depth, messages + 1)?;
                return Some(true);
            }
            _ => return None,
        }
        Some(false)
    }

    fn require(&mut self, holds: bool) {
        self.is_canonical &= holds;
    }
}
