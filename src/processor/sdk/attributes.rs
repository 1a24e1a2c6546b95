//! Attributes of the SDK as `KeyValue` messages, and back.

use std::collections::HashSet;

use opentelemetry::{Array, Key, KeyValue, StringValue, Value};

use crate::otlp::wire::Malformed;
use crate::otlp::writer::{delimited, put_bytes, put_double, put_integer};
use crate::otlp::{AnyView, Attributes, Values};

/// Leaves each key once, with the value that it was given last. The SDK keeps all of them, and OTLP forbids it.
pub(super) fn unique(attributes: &mut Vec<KeyValue>) {
    let keys: HashSet<&Key> = attributes.iter().map(|attribute| &attribute.key).collect();
    if keys.len() == attributes.len() {
        return;
    }
    let mut seen = HashSet::with_capacity(keys.len());
    attributes.reverse();
    attributes.retain(|attribute| seen.insert(attribute.key.clone()));
    attributes.reverse();
}

/// Appends attributes as the fields `number` of a message.
pub(super) fn put<'a>(out: &mut Vec<u8>, number: u8, attributes: impl IntoIterator<Item = (&'a Key, &'a Value)>) {
    for (key, value) in attributes {
        delimited(out, number, |out| {
            put_bytes(out, 1, key.as_str().as_bytes());
            delimited(out, 2, |out| put_value(out, value));
        });
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Bool(flag) => put_bool(out, *flag),
        Value::I64(number) => put_int(out, *number),
        Value::F64(number) => put_double(out, 4, *number),
        Value::String(text) => put_text(out, text),
        Value::Array(array) => delimited(out, 5, |out| match array {
            Array::Bool(flags) => put_elements(out, flags, |out, flag| put_bool(out, *flag)),
            Array::I64(numbers) => put_elements(out, numbers, |out, number| put_int(out, *number)),
            Array::F64(numbers) => put_elements(out, numbers, |out, number| put_double(out, 4, *number)),
            Array::String(texts) => put_elements(out, texts, put_text),
            // A type that the SDK does not have yet: its text, which is judged as one.
            other => put_elements(out, &[StringValue::from(other.to_string())], put_text),
        }),
        other => put_text(out, &other.to_string().into()),
    }
}

fn put_elements<T>(out: &mut Vec<u8>, elements: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    for element in elements {
        delimited(out, 1, |out| put(out, element));
    }
}

fn put_bool(out: &mut Vec<u8>, flag: bool) {
    put_integer(out, 2, u64::from(flag));
}

fn put_int(out: &mut Vec<u8>, number: i64) {
    put_integer(out, 3, number.cast_unsigned());
}

fn put_text(out: &mut Vec<u8>, text: &StringValue) {
    put_bytes(out, 1, text.as_str().as_bytes());
}

/// Attributes as the SDK has them.
pub(super) fn read(attributes: Attributes<'_>) -> Result<Vec<KeyValue>, Malformed> {
    let mut read = Vec::new();
    for attribute in attributes {
        let (key, view) = attribute?;
        read.push(KeyValue::new(key.to_owned(), value(&view)?));
    }
    Ok(read)
}

/// What the SDK has no type for cannot have come from it, and the rules make no such value.
fn value(view: &AnyView<'_>) -> Result<Value, Malformed> {
    Ok(match view {
        AnyView::Bool(flag) => Value::Bool(*flag),
        AnyView::Int(number) => Value::I64(*number),
        AnyView::Double(number) => Value::F64(*number),
        AnyView::Text(text) => Value::String((*text).to_owned().into()),
        AnyView::Array(values) => Value::Array(array(values)?),
        AnyView::Map(_) | AnyView::Bytes(_) | AnyView::Empty => return Err(Malformed),
    })
}

/// An array's type is that of its elements; that of none makes no difference on the wire.
fn array(values: &Values<'_>) -> Result<Array, Malformed> {
    Ok(match values.clone().next().transpose()? {
        Some(AnyView::Bool(_)) => {
            Array::Bool(elements(values, |view| if let AnyView::Bool(flag) = view { Some(flag) } else { None })?)
        }
        Some(AnyView::Int(_)) => {
            Array::I64(elements(values, |view| if let AnyView::Int(number) = view { Some(number) } else { None })?)
        }
        Some(AnyView::Double(_)) => {
            Array::F64(elements(values, |view| if let AnyView::Double(number) = view { Some(number) } else { None })?)
        }
        _ => Array::String(elements(values, |view| match view {
            AnyView::Text(text) => Some(text.to_owned().into()),
            _ => None,
        })?),
    })
}

fn elements<'a, T>(values: &Values<'a>, read: impl Fn(AnyView<'a>) -> Option<T>) -> Result<Vec<T>, Malformed> {
    values.clone().map(|view| read(view?).ok_or(Malformed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back_as_it_was() {
        let arrays = [
            Array::Bool(vec![true, false]),
            Array::I64(vec![-1, 0, i64::MAX]),
            Array::F64(vec![-0.5, f64::INFINITY]),
            Array::String(vec!["".into(), "two words".into()]),
            Array::String(vec![]),
        ];
        let scalars = [Value::Bool(false), Value::I64(i64::MIN), Value::F64(0.1), "ümlaut".into(), "".into()];
        let values = scalars.into_iter().chain(arrays.map(Value::Array));
        let attributes: Vec<_> =
            values.enumerate().map(|(place, value)| KeyValue::new(place.to_string(), value)).collect();
        let mut out = Vec::new();
        put(&mut out, 9, attributes.iter().map(|attribute| (&attribute.key, &attribute.value)));
        assert_eq!(read(Attributes::new(&out, 9)).unwrap(), attributes);
    }

    #[test]
    fn of_a_key_that_stands_twice_the_last_value_counts() {
        let mut attributes = ["a", "b", "a", "c", "b"].map(|key| KeyValue::new(key, 0)).to_vec();
        attributes[2].value = "last".into();
        unique(&mut attributes);
        let keys: Vec<_> = attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(keys, ["a", "c", "b"]);
        assert_eq!(attributes[0].value, "last".into());
        let before = attributes.clone();
        unique(&mut attributes);
        assert_eq!(attributes, before);
    }
}
