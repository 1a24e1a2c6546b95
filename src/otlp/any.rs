//! `KeyValue` and `AnyValue`, read where they stand.

use std::fmt;

use super::wire::{Fields, Malformed, Wire};

/// The value of an attribute, borrowed. Its `Debug` shows no value: it may be content.
#[derive(Clone)]
pub enum AnyView<'a> {
    /// No value, or one of a type that traces do not have.
    Empty,
    /// A string.
    Text(&'a str),
    /// A boolean.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// A 64-bit float.
    Double(f64),
    /// An array of any values.
    Array(Values<'a>),
    /// A map of any values.
    Map(Attributes<'a>),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl<'a> AnyView<'a> {
    /// Reads an `AnyValue` message. Of several values the last one counts, and nothing is merged.
    ///
    /// # Errors
    ///
    /// What is no message, has a field of another wire type than the protocol says, or a string that is not UTF-8.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut view = Self::Empty;
        for field in Fields::new(bytes) {
            let field = field?;
            view = match (field.number, field.value) {
                (1, Wire::Bytes(text)) => Self::Text(utf8(text)?),
                (2, Wire::Varint(flag)) => Self::Bool(flag != 0),
                (3, Wire::Varint(number)) => Self::Int(number.cast_signed()),
                (4, Wire::Fixed64(bits)) => Self::Double(f64::from_bits(bits)),
                (5, Wire::Bytes(array)) => Self::Array(Values { fields: Fields::new(array) }),
                (6, Wire::Bytes(map)) => Self::Map(Attributes::new(map, 1)),
                (7, Wire::Bytes(bytes)) => Self::Bytes(bytes),
                (1..=7, _) => return Err(Malformed),
                _ => continue,
            };
        }
        Ok(view)
    }
}

impl fmt::Debug for AnyView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Bool(_) => f.write_str("Bool"),
            Self::Int(_) => f.write_str("Int"),
            Self::Double(_) => f.write_str("Double"),
            Self::Array(_) => f.write_str("Array"),
            Self::Map(_) => f.write_str("Map"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
        }
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    fields: Fields<'a>,
}

impl<'a> Iterator for Values<'a> {
    type Item = Result<AnyView<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        next_message(&mut self.fields, 1).map(|message| message.and_then(AnyView::parse))
    }
}

/// Attributes: the `KeyValue` fields of a message, in the order in which they stand.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    fields: Fields<'a>,
    number: u32,
}

impl<'a> Attributes<'a> {
    /// Those in the field `number` of a message.
    pub const fn new(message: &'a [u8], number: u32) -> Self {
        Self { fields: Fields::new(message), number }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(&'a str, AnyView<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        next_message(&mut self.fields, self.number).map(|message| message.and_then(key_value))
    }
}

pub(super) fn key_value(bytes: &[u8]) -> Result<(&str, AnyView<'_>), Malformed> {
    let mut key: &[u8] = &[];
    let mut value: &[u8] = &[];
    for field in Fields::new(bytes) {
        let field = field?;
        match (field.number, field.value) {
            (1, Wire::Bytes(bytes)) => key = bytes,
            (2, Wire::Bytes(bytes)) => value = bytes,
            (1 | 2, _) => return Err(Malformed),
            _ => {}
        }
    }
    Ok((utf8(key)?, AnyView::parse(value)?))
}

/// The next field `number`, which has to be a message.
pub(super) fn next_message<'a>(fields: &mut Fields<'a>, number: u32) -> Option<Result<&'a [u8], Malformed>> {
    loop {
        return match fields.next()? {
            Ok(field) if field.number != number => continue,
            Ok(field) => match field.value {
                Wire::Bytes(message) => Some(Ok(message)),
                _ => Some(Err(Malformed)),
            },
            Err(malformed) => Some(Err(malformed)),
        };
    }
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    // `Utf8Error` tells positions alone, but nobody needs them.
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}
