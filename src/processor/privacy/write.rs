//! Attributes whose keys are not ours.

use std::borrow::Cow;

use crate::otlp::AnyView;
use crate::otlp::varint_len;
use crate::otlp::wire::Malformed;
use crate::otlp::writer::{BYTES, bytes_len, delimited, put_bytes, put_double, put_integer, put_key, put_varint};

/// Appends an attribute with a text as the field `number` of a message.
pub(super) fn text_attribute(out: &mut Vec<u8>, number: u8, key: &str, text: &str) {
    attribute(out, number, key, bytes_len(text.len()), |out| put_bytes(out, 1, text.as_bytes()));
}

/// Appends an attribute with an integer as the field `number` of a message.
pub(super) fn int_attribute(out: &mut Vec<u8>, number: u8, key: &str, integer: i64) {
    let integer = integer.cast_unsigned();
    attribute(out, number, key, 1 + varint_len(integer), |out| put_integer(out, 3, integer));
}

/// Appends an attribute whose value takes so many bytes.
fn attribute(out: &mut Vec<u8>, number: u8, key: &str, value_bytes: usize, value: impl FnOnce(&mut Vec<u8>)) {
    let bytes = bytes_len(key.len()) + bytes_len(value_bytes);
    out.reserve(bytes_len(bytes));
    let end = out.len() + bytes_len(bytes);
    put_key(out, u32::from(number), BYTES);
    put_varint(out, bytes as u64);
    put_bytes(out, 1, key.as_bytes());
    put_key(out, 2, BYTES);
    put_varint(out, value_bytes as u64);
    value(out);
    debug_assert_eq!(out.len(), end);
}

/// Appends an attribute whose value is an `AnyValue` message already.
pub(super) fn raw_attribute(out: &mut Vec<u8>, number: u8, key: &str, value: &[u8]) {
    delimited(out, number, |out| {
        put_bytes(out, 1, key.as_bytes());
        put_bytes(out, 2, value);
    });
}

/// The `AnyValue` message of a text, or of an array of texts and scalars, with each text as `label` makes it.
pub(super) fn relabelled<'a>(
    value: &AnyView<'a>,
    label: &impl Fn(&'a str) -> Cow<'a, str>,
) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::new();
    match value {
        AnyView::Text(text) => put_bytes(&mut out, 1, label(text).as_bytes()),
        AnyView::Bool(flag) => put_integer(&mut out, 2, u64::from(*flag)),
        AnyView::Int(integer) => put_integer(&mut out, 3, integer.cast_unsigned()),
        AnyView::Double(number) => put_double(&mut out, 4, *number),
        AnyView::Array(values) => {
            let mut array = Vec::new();
            for element in values.clone() {
                put_bytes(&mut array, 1, &relabelled(&element?, label)?);
            }
            put_bytes(&mut out, 5, &array);
        }
        // Content, which has no label: it is never asked for here, and would have nothing to say.
        AnyView::Map(_) | AnyView::Bytes(_) | AnyView::Empty => {}
    }
    Ok(out)
}
