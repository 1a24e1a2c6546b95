//! Facts as they are read.

use std::ops::Deref;

use bytestring::ByteString;

use super::calls::CallRows;
use super::observation::{CallTold, Remarked};
use super::rollout::RolloutFacts;
use super::row::RowReader;
use super::tables::{ALONE, Tables};
use crate::event::{Attrs, Key, Value};
use crate::semconv::KeyId;

/// What nearly every call says. Copies of these count nothing.
const WORDS: [&str; 8] = [
    "chat",
    "execute_tool",
    "invoke_agent",
    "text",
    "tool_call",
    "text+tool_call",
    "reasoning+tool_call",
    "tool_call_response",
];

/// Reads the facts of a rollout.
pub(in crate::reduce) struct Reading<'a> {
    facts: &'a RolloutFacts,
    /// All texts by their places, where all are wanted.
    texts: Vec<ByteString>,
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
        Self { facts, texts: Vec::new() }
    }

    /// Of all of them. The texts are slices of a copy of their page, which stays as long as one of them does: who keeps
    /// some for longer than the graph detaches them.
    pub(in crate::reduce) fn of_all(facts: &'a RolloutFacts) -> Self {
        let texts = &facts.tables.texts;
        let page = |bytes: &[u8]| std::str::from_utf8(bytes).unwrap_or_default().into();
        let pages: Vec<ByteString> = texts.pages().map(page).collect();
        let text = |place| {
            let (page, from, bytes) = texts.placed(place)?;
            let page = pages.get(page)?;
            if let Some(word) = WORDS.iter().find(|word| word.as_bytes() == bytes) {
                return Some(ByteString::from_static(word));
            }
            page.get(from..from + bytes.len()).filter(|text| !text.is_empty()).map(|text| page.slice_ref(text))
        };
        Self { facts, texts: (0..texts.len()).map(|place| text(place).unwrap_or_default()).collect() }
    }

    pub(super) const fn tables(&self) -> &Tables {
        &self.facts.tables
    }

    pub(super) fn text_at(&self, place: u32) -> ByteString {
        if let Some(text) = self.texts.get(place as usize) {
            return text.clone();
        }
        let bytes = self.tables().texts.get(place).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default().into()
    }

    pub(super) fn read_text(&self, row: &mut RowReader<'_>) -> ByteString {
        self.text_at(row.index())
    }

    pub(super) fn read_optional_text(&self, row: &mut RowReader<'_>) -> Option<ByteString> {
        let place = row.optional()?;
        Some(self.text_at(u32::try_from(place).unwrap_or(u32::MAX)))
    }

    /// Attributes, with room for as many more.
    pub(super) fn read_attrs(&self, row: &mut RowReader<'_>, more: usize) -> Attrs {
        let mut shape = self.read_shape(row);
        let count = shape.count();
        let mut attrs = Vec::with_capacity(if count == 0 { 0 } else { count + more });
        for _ in 0..count {
            let id = KeyId(shape.number() as u16);
            attrs.push((id, self.read_value(shape.byte(), row)));
        }
        Attrs::in_order(attrs)
    }

    /// Which attributes of which types follow.
    pub(super) fn read_shape(&self, row: &mut RowReader<'_>) -> RowReader<'a> {
        RowReader { rest: self.facts.tables.shapes.get(row.index()).unwrap_or_default() }
    }

    #[inline]
    pub(super) fn read_value(&self, kind: u8, row: &mut RowReader<'_>) -> Value {
        match kind {
            0 => Value::Text(self.read_text(row)),
            1 => Value::Int(row.signed()),
            2 => Value::Double(f64::from_bits(u64::from_be_bytes(row.raw()))),
            3 => Value::Bool(false),
            4 => Value::Bool(true),
            ALONE => Value::Text(row.text().into()),
            5 => Value::Texts((0..row.count()).map(|_| self.read_text(row)).collect()),
            _ => Value::Ints((0..row.count()).map(|_| row.signed()).collect()),
        }
    }

    /// The paths of all turns of which something was told, in no order.
    pub(in crate::reduce) fn turns(&self) -> impl Iterator<Item = (ByteString, ByteString)> {
        self.facts.turn_texts().map(|(thread, turn)| (self.text_at(thread), self.text_at(turn)))
    }

    /// The calls of a turn, latest first, and where what was told of each stands.
    pub(in crate::reduce) fn calls(&self, thread: &str, turn: &str) -> impl Iterator<Item = (Key, CallRows)> {
        let calls = self.facts.calls_of(thread, turn);
        calls.filter(|(key, _)| self.facts.foreign.is_empty() || !self.facts.foreign.contains(key))
    }

    /// What was told of a call, in no order.
    pub(in crate::reduce) fn told(&self, call: &CallRows) -> CallTold {
        let mut told = CallTold::default();
        self.facts.rows().of_call(call).for_each(|bytes| self.read(&call.base, bytes, &mut told));
        told
    }

    /// What was told that is about no call, in no order.
    pub(in crate::reduce) fn remarks(&self) -> impl Iterator<Item = Remarked> {
        self.facts.rows().remarks().map(|bytes| self.read_remark(bytes))
    }
}
