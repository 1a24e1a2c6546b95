//! One value on a [`Page`](super::page::Page), and what it is when it is read.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::given::Given;
use super::held::{Held, undebugged};
use super::table::Meaning;
use crate::event::Row;

pub(super) struct Entry {
    pub(super) meaning: Meaning,
    pub(super) value: Value,
}

#[derive(Clone, Copy)]
pub(super) enum Value {
    Text(Part),
    /// What `Debug` made of it.
    Debug(Part),
    /// The text of this number among the long ones.
    Long(u32),
    /// Not taken, because it was too long.
    Oversize(usize),
    Int(i64),
    Double(f64),
    Bool(bool),
}

/// A part of the row.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Part {
    pub(super) const fn bytes(self) -> usize {
        (self.end - self.start) as usize
    }

    pub(super) fn of(self, row: &str) -> &str {
        row.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

pub(super) fn offset(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// A value that is no content.
pub(super) fn given(row: &str, value: Value) -> Option<Given<'_>> {
    match value {
        Value::Text(part) => Some(Given::Text(part.of(row))),
        Value::Debug(part) => undebugged(part.of(row)).map(Given::Text),
        Value::Int(number) => Some(Given::Int(i128::from(number))),
        Value::Double(number) => Some(Given::Double(number)),
        Value::Bool(flag) => Some(Given::Bool(flag)),
        // Content alone is kept so.
        Value::Long(_) | Value::Oversize(_) => None,
    }
}

/// Content, as a part of its row.
pub(super) fn held(row: &Arc<Row>, long: &mut [Zeroizing<String>], value: Value) -> Held {
    match value {
        Value::Text(part) | Value::Debug(part) => Held::Part(Arc::clone(row), part),
        other => owned(row.text(), long, other),
    }
}

/// Content by itself.
pub(super) fn owned(row: &str, long: &mut [Zeroizing<String>], value: Value) -> Held {
    match value {
        Value::Text(part) | Value::Debug(part) => Held::Text(Zeroizing::new(part.of(row).to_owned())),
        Value::Long(place) => Held::Text(long.get_mut(place as usize).map(std::mem::take).unwrap_or_default()),
        Value::Oversize(length) => Held::Oversize(length),
        Value::Int(number) => Held::Text(Zeroizing::new(number.to_string())),
        Value::Double(number) => Held::Text(Zeroizing::new(number.to_string())),
        Value::Bool(flag) => Held::Static(if flag { "true" } else { "false" }),
    }
}
