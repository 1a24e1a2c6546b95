//! From protobuf to `state.json`.

use serde_json::{Map, Value};

use super::schema::{Field, Kind, ROLLOUT, Schema};
use crate::otlp::packed;
use crate::otlp::wire::{Fields, Malformed, Wire};

/// Bytes that are no `veilspan.v1.Rollout`. Says nothing of their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotARollout {
    /// They are no protobuf message.
    #[error("not a protobuf message")]
    Malformed,
    /// A field has another type than it should, or a text is no UTF-8.
    #[error("wrong type or value of field {0}")]
    Field(&'static str),
}

impl From<Malformed> for NotARollout {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// The value of `state.json` that a `veilspan.v1.Rollout` message says: for what
/// [`Rollout::to_proto`](crate::reduce::Rollout::to_proto) wrote, that of [`Rollout::to_json`](crate::reduce::Rollout::to_json).
///
/// Fields that this version does not know are left out.
///
/// # Errors
///
/// [`NotARollout`].
pub fn state_from_proto(bytes: &[u8]) -> Result<Value, NotARollout> {
    let mut state = Value::Object(message(&ROLLOUT, bytes)?);
    state.sort_all_objects();
    Ok(state)
}

/// The JSON object that a message of this table says.
pub(crate) fn message(schema: &Schema, bytes: &[u8]) -> Result<Map<String, Value>, NotARollout> {
    let mut map = Map::new();
    for field in schema.fields.iter().filter(|field| matches!(field.kind, Kind::List(_))) {
        map.insert(field.member.to_owned(), Value::Array(Vec::new()));
    }
    for wire in Fields::new(bytes) {
        let wire = wire?;
        let Some(field) = schema.fields.iter().find(|field| field.number == wire.number) else { continue };
        take(field, wire.value, &mut map)?;
    }
    Ok(map)
}

fn take(field: &Field, value: Wire<'_>, map: &mut Map<String, Value>) -> Result<(), NotARollout> {
    let one = match (field.kind, value) {
        (Kind::Text, Wire::Bytes(bytes)) => text(field, bytes)?.into(),
        (Kind::Uint, Wire::Varint(number)) => number.into(),
        (Kind::Int, Wire::Varint(number)) => number.cast_signed().into(),
        (Kind::Bool, Wire::Varint(flag)) => (flag != 0).into(),
        (Kind::One(schema), Wire::Bytes(bytes)) => message(schema, bytes)?.into(),
        (Kind::Flat(schema), Wire::Bytes(bytes)) => {
            map.append(&mut message(schema, bytes)?);
            return Ok(());
        }
        (Kind::Attributes, Wire::Bytes(bytes)) => {
            let (name, value) = entry(field, bytes)?;
            if let Value::Object(attributes) = slot(map, field, || Value::Object(Map::new())) {
                attributes.insert(name, value);
            }
            return Ok(());
        }
        (Kind::Texts, Wire::Bytes(bytes)) => return push(map, field, [text(field, bytes)?.into()]),
        (Kind::Many(schema) | Kind::List(schema), Wire::Bytes(bytes)) => {
            return push(map, field, [message(schema, bytes)?.into()]);
        }
        (Kind::Runs, Wire::Bytes(bytes)) => return push(map, field, [run(field, bytes)?.into()]),
        // A list of numbers may come in one piece or in many.
        (Kind::Uints, Wire::Varint(number)) => return push(map, field, [number.into()]),
        (Kind::Uints, Wire::Bytes(bytes)) => return push(map, field, packed(bytes)?.into_iter().map(Value::from)),
        _ => return Err(NotARollout::Field(field.name)),
    };
    map.insert(field.member.to_owned(), one);
    Ok(())
}

fn slot<'m>(map: &'m mut Map<String, Value>, field: &Field, empty: fn() -> Value) -> &'m mut Value {
    map.entry(field.member).or_insert_with(empty)
}

fn push(map: &mut Map<String, Value>, field: &Field, more: impl IntoIterator<Item = Value>) -> Result<(), NotARollout> {
    match slot(map, field, || Value::Array(Vec::new())) {
        Value::Array(list) => list.extend(more),
        // Two fields of one member are none of the table's.
        _ => return Err(NotARollout::Field(field.name)),
    }
    Ok(())
}

fn text(field: &Field, bytes: &[u8]) -> Result<String, NotARollout> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| NotARollout::Field(field.name))
}

fn run(field: &Field, bytes: &[u8]) -> Result<String, NotARollout> {
    let (mut first, mut last) = (0, 0);
    for wire in Fields::new(bytes) {
        match wire.map(|wire| (wire.number, wire.value))? {
            (1, Wire::Varint(number)) => first = number,
            (2, Wire::Varint(number)) => last = number,
            (1 | 2, _) => return Err(NotARollout::Field(field.name)),
            _ => {}
        }
    }
    Ok(if first == last { first.to_string() } else { format!("{first}-{last}") })
}

/// A name and an `AttributeValue`.
fn entry(field: &Field, bytes: &[u8]) -> Result<(String, Value), NotARollout> {
    let (mut name, mut value) = (String::new(), Value::Null);
    for wire in Fields::new(bytes) {
        match wire.map(|wire| (wire.number, wire.value))? {
            (1, Wire::Bytes(bytes)) => name = text(field, bytes)?,
            (2, Wire::Bytes(bytes)) => value = attribute(field, bytes)?,
            (1 | 2, _) => return Err(NotARollout::Field(field.name)),
            _ => {}
        }
    }
    Ok((name, value))
}

fn attribute(field: &Field, bytes: &[u8]) -> Result<Value, NotARollout> {
    let mut value = Value::Null;
    for wire in Fields::new(bytes) {
        value = match wire.map(|wire| (wire.number, wire.value))? {
            (1, Wire::Bytes(bytes)) => text(field, bytes)?.into(),
            (2, Wire::Varint(number)) => number.cast_signed().into(),
            (3, Wire::Fixed64(bits)) => f64::from_bits(bits).into(),
            (4, Wire::Varint(flag)) => (flag != 0).into(),
            (5, Wire::Bytes(bytes)) => list(bytes, |wire| match wire {
                Wire::Bytes(bytes) => Ok(vec![text(field, bytes)?.into()]),
                _ => Err(NotARollout::Field(field.name)),
            })?,
            (6, Wire::Bytes(bytes)) => list(bytes, |wire| match wire {
                Wire::Varint(number) => Ok(vec![number.cast_signed().into()]),
                Wire::Bytes(bytes) => Ok(packed(bytes)?.into_iter().map(|one| one.cast_signed().into()).collect()),
                _ => Err(NotARollout::Field(field.name)),
            })?,
            (1..=6, _) => return Err(NotARollout::Field(field.name)),
            _ => continue,
        };
    }
    Ok(value)
}

/// The values of the field 1 of a message.
fn list<'a>(bytes: &'a [u8], read: impl Fn(Wire<'a>) -> Result<Vec<Value>, NotARollout>) -> Result<Value, NotARollout> {
    let mut all = Vec::new();
    for wire in Fields::new(bytes) {
        let wire = wire?;
        if wire.number == 1 {
            all.extend(read(wire.value)?);
        }
    }
    Ok(all.into())
}
