//! From `state.json` to protobuf.

use serde_json::{Map, Value};

use super::schema::{Field, Kind, ROLLOUT, Schema};
use crate::otlp::writer::{put_bytes, put_double, put_integer, put_varint};
use crate::reduce::graph::Rollout;

impl Rollout {
    /// The graph as a `veilspan.v1.Rollout` message: what `state.json` says, and nothing else. The same graph is the same
    /// bytes, apart from maps' having no order in protobuf: attributes stand by their names.
    pub fn to_proto(&self) -> Vec<u8> {
        to_proto(&ROLLOUT, &self.to_json())
    }
}

/// A JSON object as a message of this table.
pub(crate) fn to_proto(schema: &Schema, json: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    if let Value::Object(map) = json {
        message(schema, map, &mut out);
    }
    out
}

fn message(schema: &Schema, map: &Map<String, Value>, out: &mut Vec<u8>) {
    for field in schema.fields {
        match field.kind {
            Kind::Flat(inner) => {
                if inner.fields.iter().any(|field| map.contains_key(field.member)) {
                    nested(field.number, out, |out| message(inner, map, out));
                }
            }
            _ => {
                if let Some(value) = map.get(field.member) {
                    put(field, value, out);
                }
            }
        }
    }
}

fn put(field: &Field, value: &Value, out: &mut Vec<u8>) {
    let number = field.number;
    match (field.kind, value) {
        (Kind::Text, Value::String(text)) => put_bytes(out, number, text.as_bytes()),
        (Kind::Uint, Value::Number(_)) => put_integer(out, number, value.as_u64().unwrap_or_default()),
        (Kind::Int, Value::Number(_)) => put_integer(out, number, value.as_i64().unwrap_or_default().cast_unsigned()),
        (Kind::Bool, Value::Bool(flag)) => put_integer(out, number, u64::from(*flag)),
        (Kind::Texts, Value::Array(texts)) => {
            texts.iter().filter_map(Value::as_str).for_each(|text| put_bytes(out, number, text.as_bytes()));
        }
        (Kind::Uints, Value::Array(numbers)) => nested(number, out, |out| {
            numbers.iter().filter_map(Value::as_u64).for_each(|number| put_varint(out, number));
        }),
        (Kind::Runs, Value::Array(runs)) => {
            for (first, last) in runs.iter().filter_map(Value::as_str).filter_map(run) {
                nested(number, out, |out| {
                    put_integer(out, 1, first);
                    put_integer(out, 2, last);
                });
            }
        }
        (Kind::One(schema), Value::Object(map)) => nested(number, out, |out| message(schema, map, out)),
        (Kind::Many(schema) | Kind::List(schema), Value::Array(entries)) => {
            for map in entries.iter().filter_map(Value::as_object) {
                nested(number, out, |out| message(schema, map, out));
            }
        }
        (Kind::Attributes, Value::Object(map)) => {
            for (name, value) in map {
                nested(number, out, |out| {
                    put_bytes(out, 1, name.as_bytes());
                    nested(2, out, |out| attribute(value, out));
                });
            }
        }
        // `state.json` is ours: it has no other types.
        _ => debug_assert!(false, "{} has another type", field.member),
    }
}

/// The first and the last number of a run.
fn run(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// An `AttributeValue`: what JSON has no number for has no value.
fn attribute(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::String(text) => put_bytes(out, 1, text.as_bytes()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => put_integer(out, 2, integer.cast_unsigned()),
            (None, Some(double)) => put_double(out, 3, double),
            (None, None) => {}
        },
        Value::Bool(flag) => put_integer(out, 4, u64::from(*flag)),
        Value::Array(values) if values.first().is_some_and(Value::is_number) => nested(6, out, |out| {
            nested(1, out, |out| {
                values.iter().filter_map(Value::as_i64).for_each(|number| put_varint(out, number.cast_unsigned()));
            });
        }),
        Value::Array(values) => nested(5, out, |out| {
            values.iter().filter_map(Value::as_str).for_each(|text| put_bytes(out, 1, text.as_bytes()));
        }),
        Value::Null | Value::Object(_) => {}
    }
}

fn nested(number: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    write(&mut inner);
    put_bytes(out, number, &inner);
}
