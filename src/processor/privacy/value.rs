//! Values of attributes as JSON.

use std::io::{self, Write};
use std::ops::Deref;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use crate::event::shape::json::take_apart;
use crate::event::wipe_text;
use crate::otlp::wire::{Fields, Malformed, Wire};
use crate::otlp::{AnyView, Attributes};

/// One attribute where it stands.
pub(in crate::processor) struct Pair<'a> {
    pub(in crate::processor) key: &'a str,
    pub(in crate::processor) value: AnyView<'a>,
    /// The value's message.
    pub(super) raw: &'a [u8],
}

impl<'a> Pair<'a> {
    /// Reads a `KeyValue` message.
    pub(in crate::processor) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut key: &[u8] = &[];
        let mut raw: &[u8] = &[];
        for field in Fields::new(bytes) {
            let field = field?;
            match (field.number, field.value) {
                (1, Wire::Bytes(bytes)) => key = bytes,
                (2, Wire::Bytes(bytes)) => raw = bytes,
                _ => {}
            }
        }
        Ok(Self { key: utf8(key)?, value: AnyView::parse(raw)?, raw })
    }
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

/// A value as JSON, as OTLP's own JSON has it. Canonical bytes and prost bound how deep it recurses.
pub(super) fn to_json(value: &AnyView<'_>) -> Result<Value, Malformed> {
    Ok(match value {
        AnyView::Empty => Value::Null,
        AnyView::Text(text) => Value::String((*text).to_owned()),
        AnyView::Bool(flag) => Value::Bool(*flag),
        AnyView::Int(integer) => Value::Number(Number::from(*integer)),
        // JSON has no infinities; their names serve.
        AnyView::Double(number) => {
            Number::from_f64(*number).map_or_else(|| Value::String(number.to_string()), Value::Number)
        }
        AnyView::Array(values) => {
            Value::Array(values.clone().map(|value| to_json(&value?)).collect::<Result<_, Malformed>>()?)
        }
        AnyView::Map(pairs) => Value::Object(object(pairs)?),
        AnyView::Bytes(bytes) => Value::String(STANDARD.encode(bytes)),
    })
}

fn object(pairs: &Attributes<'_>) -> Result<Map<String, Value>, Malformed> {
    let pair = |(key, value): (&str, AnyView<'_>)| Ok((key.to_owned(), to_json(&value)?));
    pairs.clone().map(|found| found.and_then(pair)).collect()
}

/// JSON text of a value, which is wiped when it is let go of.
pub(super) struct JsonText(String);

impl JsonText {
    pub(super) fn of(value: &AnyView<'_>) -> Result<Self, Malformed> {
        let json = to_json(value)?;
        // Counted first: a text that grows leaves pieces of itself behind.
        let mut length = Length(0);
        let _ = serde_json::to_writer(&mut length, &json);
        let mut text = Vec::with_capacity(length.0);
        // Writing what came from a value into memory does not fail.
        let _ = serde_json::to_writer(&mut text, &json);
        take_apart(json);
        Ok(Self(String::from_utf8(text).unwrap_or_default()))
    }

    pub(super) fn into_string(mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

impl Deref for JsonText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for JsonText {
    fn drop(&mut self) {
        wipe_text(&mut self.0);
    }
}

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
