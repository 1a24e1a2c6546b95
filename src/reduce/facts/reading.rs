//! Facts as they are read.

use std::cell::RefCell;
use std::ops::Deref;

use bytestring::ByteString;

use super::calls::{CallRows, Head};
use super::observation::{CallTold, Remarked};
use super::rollout::RolloutFacts;
use super::row::RowReader;
use super::tables::Tables;
use crate::event::Key;
use crate::reduce::graph::Numbers;

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
    /// Lists of items as they were read: runs of places. What is made of them knows them by their numbers here.
    listed: RefCell<Vec<(u32, u32)>>,
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
        Self { facts, texts: Vec::new(), listed: RefCell::new(Vec::new()) }
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
        let texts = (0..texts.len()).map(|place| text(place).unwrap_or_default()).collect();
        Self { facts, texts, listed: RefCell::default() }
    }

    /// Notes a list of items by its places. Answers its numbers among the lists, and how many items there are.
    pub(in crate::reduce) fn list(&self, places: &[u32]) -> (Numbers, u64) {
        self.list_runs(|run| places.iter().for_each(|place| run(*place, 1)))
    }

    /// The same of runs: the first place, and how many follow one another.
    #[inline]
    pub(super) fn list_runs(&self, each: impl FnOnce(&mut dyn FnMut(u32, u32))) -> (Numbers, u64) {
        let mut listed = self.listed.borrow_mut();
        let (before, mut items) = (listed.len(), 0);
        each(&mut |first, count| {
            items += u64::from(count);
            listed.push((first, count));
        });
        let mut numbers = Numbers::default();
        if listed.len() > before {
            numbers.push_run(before as u32, (listed.len() - before) as u32);
        }
        (numbers, items)
    }

    /// The places of a list that was noted.
    pub(in crate::reduce) fn listed(&self, numbers: &Numbers, mut each: impl FnMut(u32)) {
        let listed = self.listed.borrow();
        numbers.for_each(|number| {
            let (first, count) = listed.get(number as usize).copied().unwrap_or_default();
            (0..count).for_each(|step| each(first.wrapping_add(step)));
        });
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

    /// The paths of all turns of which something was told, in no order.
    pub(in crate::reduce) fn turns(&self) -> impl Iterator<Item = (ByteString, ByteString)> {
        self.facts.turn_texts().map(|(thread, turn)| (self.text_at(thread), self.text_at(turn)))
    }

    /// The calls of a turn, latest first, and where what was told of each stands.
    pub(in crate::reduce) fn calls(&self, thread: &str, turn: &str) -> impl Iterator<Item = (Key, CallRows)> {
        let call = |head: Head<'_>| {
            let mut row = self.begin(&head);
            (self.read_key(&mut row), self.read_rows(&head, row))
        };
        self.heads(thread, turn).map(call).filter(|(key, _)| !self.is_foreign(key))
    }

    /// The same before it is read, those that are no part of the graph included.
    pub(in crate::reduce) fn heads(&self, thread: &str, turn: &str) -> impl Iterator<Item = Head<'a>> {
        self.facts.heads_of(thread, turn)
    }

    /// What stands before the rows of a call, from which its key is read and then where they are. That is read piece by
    /// piece, and nothing of it moved: what was just written would have to be waited for.
    #[inline]
    pub(in crate::reduce) fn begin<'b>(&self, head: &Head<'b>) -> RowReader<'b> {
        head.row()
    }

    #[inline]
    pub(in crate::reduce) fn read_key(&self, row: &mut RowReader<'_>) -> Key {
        self.tables().read_ident(row)
    }

    #[inline]
    pub(in crate::reduce) fn read_rows(&self, head: &Head<'_>, row: RowReader<'_>) -> CallRows {
        head.rows(row, self.tables())
    }

    /// Whether a call is no part of the graph.
    #[inline]
    pub(in crate::reduce) fn is_foreign(&self, key: &Key) -> bool {
        !self.facts.foreign.is_empty() && self.facts.foreign.contains(key)
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
