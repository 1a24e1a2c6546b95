//! The one pass that tells how a message is written.

use std::ops::Range;

use super::schema::{INSTRUMENTATION_SCOPE, Kind, Message, RESOURCE, SPAN};

use crate::otlp::wire::{Field, Fields, Wire};

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

    /// Of a `Span` message of which something is `known` already.
    #[cfg(feature = "collector")]
    pub(crate) fn of_span_but<'a>(bytes: &'a [u8], known: &mut impl Known<'a>) -> Self {
        Self::of_but(&SPAN, bytes, known)
    }

    fn of(message: &Message, bytes: &[u8]) -> Self {
        Self::of_but(message, bytes, &mut Nothing)
    }

    fn of_but<'a>(message: &Message, bytes: &'a [u8], known: &mut impl Known<'a>) -> Self {
        let mut check = Check { is_canonical: true };
        match check.fields(message, bytes, 0, 0, known) {
            Some(()) if check.is_canonical => Self::Canonical,
            Some(()) => Self::Loose,
            None => Self::Malformed,
        }
    }
}

/// What is known of the fields of a message before they are looked at.
pub(crate) trait Known<'a> {
    /// How many bytes, from where a field begins on, are whole fields that may stand several times, such as attributes, and are
    /// canonical: they are passed over.
    fn ahead(&mut self, at: usize, rest: &'a [u8]) -> usize;

    /// Whether this field is canonical, where it is one that may stand several times: then it is not looked into.
    fn is_known(&mut self, at: Range<usize>, field: Field<'a>) -> bool;
}

struct Nothing;

impl Known<'_> for Nothing {
    #[inline]
    fn ahead(&mut self, _: usize, _: &[u8]) -> usize {
        0
    }

    #[inline]
    fn is_known(&mut self, _: Range<usize>, _: Field<'_>) -> bool {
        false
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
        self.fields(message, bytes, depth, messages, &mut Nothing)
    }

    #[inline]
    fn fields<'a>(
        &mut self,
        message: &Message,
        bytes: &'a [u8],
        depth: usize,
        messages: usize,
        known: &mut impl Known<'a>,
    ) -> Option<()> {
        let depth = depth + usize::from(message.is_value);
        if messages > MAX_MESSAGES {
            return None;
        }
        self.require(depth <= MAX_DEPTH);
        let mut seen = 0u32;
        let mut fields = Fields::new(bytes);
        loop {
            let start = fields.position();
            let ahead = known.ahead(start, fields.rest());
            if ahead > 0 {
                fields.pass(ahead);
                continue;
            }
            let Some(field) = fields.next() else { return Some(()) };
            let field = field.ok()?;
            self.require(field.minimal);
            let Some(kind) = message.field(field.number) else {
                self.is_canonical = false;
                continue;
            };
            let is_message = matches!((kind, field.value), (Kind::Many(_), Wire::Bytes(_)));
            let repeated = known.is_known(start..fields.position(), field) && is_message
                || self.field(kind, field.value, depth, messages)?;
            // All values of an `AnyValue` are one field in truth, so that the bit of the first stands for each.
            let bit = if message.is_value { 1 } else { 1 << field.number };
            self.require(repeated || seen & bit == 0);
            seen |= bit;
        }
    }

    /// Whether the field may stand again; none where it is malformed.
    fn field(&mut self, kind: Kind, value: Wire<'_>, depth: usize, messages: usize) -> Option<bool> {
        match (kind, value) {
            (Kind::Text | Kind::Texts, Wire::Bytes(text)) => {
                // Nearly all text is ASCII, and that is told faster.
                if !text.is_ascii() {
                    std::str::from_utf8(text).ok()?;
                }
                return Some(matches!(kind, Kind::Texts));
            }
            (Kind::Bytes, Wire::Bytes(_)) | (Kind::Fixed32, Wire::Fixed32(_)) | (Kind::Fixed64, Wire::Fixed64(_)) => {}
            (Kind::Id(length), Wire::Bytes(id)) => self.require(id.is_empty() || id.len() == length),
            (Kind::Bool, Wire::Varint(flag)) => self.require(flag <= 1),
            (Kind::Uint32, Wire::Varint(number)) => self.require(u32::try_from(number).is_ok()),
            (Kind::Int32, Wire::Varint(number)) => self.require(i32::try_from(number.cast_signed()).is_ok()),
            (Kind::Int64, Wire::Varint(_)) => {}
            (Kind::One(inner), Wire::Bytes(bytes)) => self.message(inner, bytes, depth, messages + 1)?,
            (Kind::Many(inner), Wire::Bytes(bytes)) => {
                if depth > 0 || !inner.is_pair || !is_plain_pair(bytes) {
                    self.message(inner, bytes, depth, messages + 1)?;
                }
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

/// Whether this is an attribute as most are: a short ASCII key, then a short scalar. What is not takes the long way.
fn is_plain_pair(bytes: &[u8]) -> bool {
    let [0x0a, key_len @ ..0x80, rest @ ..] = bytes else { return false };
    match rest.split_at_checked(usize::from(*key_len)) {
        Some((key, [0x12, value_len @ ..0x80, value @ ..])) => {
            value.len() == usize::from(*value_len) && key.is_ascii() && is_plain_value(value)
        }
        _ => false,
    }
}

fn is_plain_value(bytes: &[u8]) -> bool {
    match bytes {
        [0x0a, len @ ..0x80, text @ ..] => text.len() == usize::from(*len) && text.is_ascii(),
        [0x10, 0 | 1] | [0x18, ..0x80] => true,
        // The shortest varint of several bytes: all but the last go on, and the last adds something.
        [0x18, more @ .., 1..0x80] => more.len() < 9 && more.iter().all(|byte| *byte >= 0x80),
        [0x21, bits @ ..] => bits.len() == 8,
        _ => false,
    }
}
