//! Facts as they are read.

use std::ops::Deref;

use bytestring::ByteString;

use super::observation::{Observation, Remarked};
use super::rollout::RolloutFacts;
use super::row::RowReader;
use super::tables::Tables;
use crate::event::{Attrs, Key, Value};
use crate::semconv::KeyId;

/// Reads the facts of a rollout.
pub(in crate::reduce) struct Reading<'a> {
    facts: &'a RolloutFacts,
    /// All texts, where all are wanted.
    texts: Option<ByteString>,
}

impl Deref for Reading<'_> {
    type Target = RolloutFacts;

    fn deref(&self) -> &RolloutFacts {
        self.facts
    }
}

impl<'a> Reading<'a> {
    /// Of a part of them. Each text that is read is a copy of its own.
    pub(in crate::reduce) const fn of(facts: &'a RolloutFacts) -> Self {
        Self { facts, texts: None }
    }

    /// Of all of them. The texts are slices of one copy, which stays as long as one of them does: who keeps some for
    /// longer than the graph detaches them.
    pub(in crate::reduce) fn of_all(facts: &'a RolloutFacts) -> Self {
        let whole = std::str::from_utf8(facts.tables.texts.bytes()).ok();
        Self { facts, texts: whole.map(ByteString::from) }
    }

    pub(super) const fn tables(&self) -> &Tables {
        &self.facts.tables
    }

    fn text_at(&self, place: u32) -> ByteString {
        let Some(whole) = &self.texts else {
            let bytes = self.tables().texts.get(place).unwrap_or_default();
            return std::str::from_utf8(bytes).unwrap_or_default().into();
        };
        let text = self.tables().texts.span(place).and_then(|span| whole.get(span));
        text.filter(|text| !text.is_empty()).map_or_else(ByteString::new, |text| whole.slice_ref(text))
    }

    pub(super) fn read_text(&self, row: &mut RowReader<'_>) -> ByteString {
        self.text_at(row.index())
    }

    pub(super) fn read_optional_text(&self, row: &mut RowReader<'_>) -> Option<ByteString> {
        let place = row.optional()?;
        Some(self.text_at(u32::try_from(place).unwrap_or(u32::MAX)))
    }

    pub(super) fn read_attrs(&self, row: &mut RowReader<'_>) -> Attrs {
        let mut shape = RowReader { rest: self.tables().shapes.get(row.index()).unwrap_or_default() };
        let mut attrs = Attrs::with_capacity(shape.rest.len() / 2);
        while !shape.rest.is_empty() {
            let id = KeyId(shape.number() as u16);
            let value = match shape.byte() {
                0 => Value::Text(self.read_text(row)),
                1 => Value::Int(row.signed()),
                2 => Value::Double(f64::from_bits(u64::from_be_bytes(row.raw()))),
                3 => Value::Bool(false),
                4 => Value::Bool(true),
                5 => Value::Texts((0..row.count()).map(|_| self.read_text(row)).collect()),
                _ => Value::Ints((0..row.count()).map(|_| row.signed()).collect()),
            };
            attrs.insert(id, value);
        }
        attrs
    }
    /// The paths of all turns of which something was told, in no order.
    pub(in crate::reduce) fn turns(&self) -> impl Iterator<Item = (ByteString, ByteString)> {
        self.facts.turn_texts().map(|(thread, turn)| (self.text_at(thread), self.text_at(turn)))
    }

    /// What was told of a turn, in no order.
    pub(in crate::reduce) fn of_turn(&self, thread: &str, turn: &str) -> impl Iterator<Item = (Key, Observation)> {
        let told = self.facts.rows_of(thread, turn).map(|bytes| self.read(bytes));
        told.filter(|(key, _)| !self.facts.foreign.contains(key))
    }

    /// What was told that is about no call, in no order.
    pub(in crate::reduce) fn remarks(&self) -> impl Iterator<Item = Remarked> {
        self.facts.rows_of_remarks().map(|bytes| self.read_remark(bytes))
    }
}
