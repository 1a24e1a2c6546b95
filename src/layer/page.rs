//! What fields gave, copied once: all that is done with a value while its host waits.

use std::fmt::{self, Debug, Write};
use std::sync::Arc;

use smallvec::smallvec;
use zeroize::Zeroizing;

use super::entry::{Entry, Part, Value, given, held, offset, owned};
use super::given::Given;
use super::halves::Halves;
use super::heading::Heading;
use super::held::undebugged;
use super::reason::Reason;
use super::rows;
use super::slot::{Own, Slot};
use super::table::Meaning;
use super::told::Told;
use crate::event::{RawAttrs, RawText, Row, wipe_from, wipe_text};

/// The values of one span, in the order in which they were given. What they mean is worked out when the call is handed in,
/// on another thread.
///
/// Can be neither printed nor compared. Wiped when dropped, and before it is used again.
#[derive(Default)]
pub(super) struct Page {
    /// What had to be understood at once.
    pub(super) heading: Heading,
    /// How many bytes of it all are content.
    content: usize,
    entries: Vec<Entry>,
    /// The texts, one after the other.
    row: String,
    /// Texts that are moved and not copied again.
    long: Vec<Zeroizing<String>>,
    /// What was read already, where there was so much that it had to be.
    folded: Option<Box<Told>>,
    /// There was content, and it is gone.
    is_bare: bool,
    /// Told after all entries.
    reason: Reason,
    /// What the conventions' own names told.
    pub(super) own: Halves,
}

/// A text of more bytes than this is kept by itself, so that it is copied only once.
const LONG: usize = 64 << 10;
/// Of a longer text that is no content the beginning serves as well: no label has so many bytes.
const MAX_LABEL: usize = 256 << 10;
/// With so many values, or so many bytes of them, those that were replaced by later ones are forgotten. A streamed answer may
/// record its usage, or all of its text so far, with each chunk.
const FOLD_ENTRIES: usize = 256;
const FOLD_BYTES: usize = 1 << 20;
const FOLD_CONTENT: usize = 8 << 20;
/// What a page keeps of its memory for the next call.
const KEPT_ENTRIES: usize = 64;

impl Page {
    pub(super) fn text(&mut self, meaning: Meaning, text: &str) {
        let is_content = meaning.slot.is_content();
        if text.len() > LONG {
            return if is_content { self.long_text(meaning, text) } else { self.long_label(meaning, text) };
        }
        self.content += if is_content { text.len() } else { 0 };
        let part = self.append(text);
        self.put(meaning, Value::Text(part));
    }

    #[cold]
    fn long_text(&mut self, meaning: Meaning, text: &str) {
        match text.len() {
            length if length > RawText::MAX_BYTES => self.oversize(meaning, length),
            _ => self.keep(meaning, Zeroizing::new(text.to_owned())),
        }
    }

    #[cold]
    fn long_label(&mut self, meaning: Meaning, text: &str) {
        let most = if text.len() > MAX_LABEL { RawAttrs::MAX_TEXT_BYTES } else { MAX_LABEL };
        let part = self.append(text.get(..text.floor_char_boundary(most)).unwrap_or_default());
        self.put(meaning, Value::Text(part));
    }

    fn oversize(&mut self, meaning: Meaning, length: usize) {
        // It weighs nothing, but has to be dropped where content has to be.
        self.content += 1;
        self.put(meaning, Value::Oversize(length));
    }

    fn keep(&mut self, meaning: Meaning, text: Zeroizing<String>) {
        self.content += text.len();
        let place = offset(self.long.len());
        self.long.push(text);
        self.put(meaning, Value::Long(place));
    }

    /// What `Debug` makes of a value, which is not kept here.
    pub(super) fn formatted(&mut self, value: &dyn Debug) -> Zeroizing<String> {
        let start = self.row.len();
        let _ = write!(Formatter { page: self, length: 0 }, "{value:?}");
        let text = Zeroizing::new(self.row.get(start..).unwrap_or_default().to_owned());
        self.cut(start);
        text
    }

    /// Takes an attribute out of what `Debug` makes of a value.
    pub(super) fn own_debug(&mut self, own: Own, value: &dyn Debug) {
        let start = self.row.len();
        let _ = write!(Formatter { page: self, length: 0 }, "{value:?}");
        if let Some(text) = undebugged(self.row.get(start..).unwrap_or_default()) {
            self.own.put(own, Given::Text(text));
        }
        self.cut(start);
    }

    /// Takes what `Debug` makes of a value. That is the host's code, and must not find a lock held.
    pub(super) fn debug(&mut self, meaning: Meaning, value: &dyn Debug) {
        let start = self.row.len();
        let mut formatter = Formatter { page: self, length: 0 };
        // A value that cannot be formatted is told as far as it got.
        let _ = write!(formatter, "{value:?}");
        let length = formatter.length;
        let part = Part { start: offset(start), end: offset(self.row.len()) };
        if length <= LONG {
            self.content += if meaning.slot.is_content() { length } else { 0 };
            return self.put(meaning, Value::Debug(part));
        }
        let text = Zeroizing::new(part.of(&self.row).to_owned());
        self.cut(start);
        match meaning.slot.is_content() {
            true if length > RawText::MAX_BYTES => self.oversize(meaning, length),
            true => self.keep(meaning, text),
            false => self.long_label(meaning, &text),
        }
    }

    /// Takes a finish reason, or a list of them.
    #[inline]
    pub(super) fn reason(&mut self, meaning: Meaning, text: &str) {
        if !self.reason.set(text) {
            self.text(meaning, text);
        }
    }

    pub(super) fn int(&mut self, meaning: Meaning, number: i64) {
        match meaning.slot.is_content() {
            true => self.digits(meaning, &number),
            false => self.put(meaning, Value::Int(number)),
        }
    }

    pub(super) fn double(&mut self, meaning: Meaning, number: f64) {
        match meaning.slot.is_content() {
            true => self.digits(meaning, &number),
            false => self.put(meaning, Value::Double(number)),
        }
    }

    /// A number that was said: it stands among the texts, since these are wiped.
    #[cold]
    fn digits(&mut self, meaning: Meaning, number: &dyn ToString) {
        self.text(meaning, &Zeroizing::new(number.to_string()));
    }

    pub(super) fn bool(&mut self, meaning: Meaning, flag: bool) {
        self.put(meaning, Value::Bool(flag));
    }

    #[inline]
    fn put(&mut self, meaning: Meaning, value: Value) {
        if self.reason.is_set() && meaning.slot == Slot::FinishReasons {
            self.put_reason(meaning);
        }
        self.entries.push(Entry { meaning, value });
        if self.entries.len() >= FOLD_ENTRIES || self.row.len() >= FOLD_BYTES || self.content >= FOLD_CONTENT {
            self.fold();
        }
    }

    /// What is told now comes after the word that was told before.
    #[cold]
    fn put_reason(&mut self, meaning: Meaning) {
        let word = std::mem::take(&mut self.reason);
        let part = self.append(word.get().unwrap_or_default());
        self.entries.push(Entry { meaning, value: Value::Text(part) });
    }

    #[inline]
    fn append(&mut self, text: &str) -> Part {
        let start = self.row.len();
        if self.row.capacity() - start < text.len() {
            self.grow(text.len());
        }
        self.row.push_str(text);
        Part { start: offset(start), end: offset(self.row.len()) }
    }

    /// Grown in place it would leave the old text behind.
    #[cold]
    fn grow(&mut self, more: usize) {
        let needed = self.row.len() + more;
        let mut larger = rows::take(needed.max(2 * self.row.capacity()));
        larger.push_str(&self.row);
        wipe_text(&mut self.row);
        self.row = larger;
    }

    /// Wipes the end of the row.
    fn cut(&mut self, start: usize) {
        wipe_from(&mut self.row, start);
    }

    /// Reads what is there, so that only what counts is kept.
    #[cold]
    fn fold(&mut self) {
        let mut folded = self.folded.take().unwrap_or_default();
        for Entry { meaning, value } in &self.entries {
            match meaning.slot.is_content() {
                true => folded.put_content(meaning.slot, owned(&self.row, &mut self.long, *value)),
                false => given(&self.row, *value).into_iter().for_each(|given| folded.put(*meaning, given)),
            }
        }
        self.content = folded.content_bytes();
        self.folded = Some(folded);
        self.entries.clear();
        self.long.clear();
        self.cut(0);
    }

    /// Adds what came later.
    pub(super) fn merge(&mut self, mut newer: Self) {
        let reason = std::mem::take(&mut newer.reason);
        self.merge_all_but_reason(newer);
        if let Some(word) = reason.get() {
            let _ = self.reason.set(word);
        }
    }

    fn merge_all_but_reason(&mut self, mut newer: Self) {
        self.heading.merge(std::mem::take(&mut newer.heading));
        self.own.merge(&newer.own);
        if newer.folded.is_some() {
            newer.fold();
            if newer.folded.as_ref().is_some_and(|newer| !newer.reasons.is_empty()) {
                self.reason.clear();
            }
            self.fold();
            if let (Some(folded), Some(newer)) = (&mut self.folded, newer.folded.take()) {
                folded.merge(*newer);
                self.content = folded.content_bytes();
            }
            return;
        }
        for Entry { meaning, value } in std::mem::take(&mut newer.entries) {
            match value {
                Value::Text(part) => self.text(meaning, part.of(&newer.row)),
                Value::Debug(part) => {
                    let text = part.of(&newer.row);
                    self.content += if meaning.slot.is_content() { text.len() } else { 0 };
                    let part = self.append(text);
                    self.put(meaning, Value::Debug(part));
                }
                Value::Long(place) => {
                    let text = newer.long.get_mut(place as usize).map(std::mem::take);
                    self.keep(meaning, text.unwrap_or_default());
                }
                Value::Oversize(length) => self.oversize(meaning, length),
                Value::Int(_) | Value::Double(_) | Value::Bool(_) => self.put(meaning, value),
            }
        }
    }

    /// All that was told, read. What was said stays where it was copied to.
    pub(super) fn read(&mut self) -> Told {
        let mut told = self.folded.take().map(|folded| *folded).unwrap_or_default();
        told.take_own(&mut self.own);
        if !self.entries.is_empty() {
            let row = Arc::new(Row::new(std::mem::take(&mut self.row), rows::give));
            for Entry { meaning, value } in &self.entries {
                match meaning.slot.is_content() {
                    true => told.put_content(meaning.slot, held(&row, &mut self.long, *value)),
                    false => given(row.text(), *value).into_iter().for_each(|given| told.put(*meaning, given)),
                }
            }
        }
        if let Some(word) = self.reason.get() {
            told.reasons = smallvec![Zeroizing::new(word.to_owned())];
        }
        told.is_bare = self.is_bare;
        told
    }

    /// The bytes of content that it keeps, and all others.
    pub(super) fn bytes(&self) -> (usize, usize) {
        let long: usize = self.long.iter().map(|text| text.capacity() + size_of::<String>()).sum();
        let entries = self.entries.capacity() * size_of::<Entry>();
        let folded = if self.folded.is_some() { size_of::<Told>() } else { 0 };
        let texts = self.row.capacity() + long;
        (self.content, texts.saturating_sub(self.content) + self.own.held_bytes() + entries + folded)
    }

    /// Wipes what was said, and keeps what kinds of content there were: they tell what kind of call it is.
    pub(super) fn drop_content(&mut self) {
        if self.content == 0 && self.row.len() + self.own.held_bytes() <= RawAttrs::MAX_TEXT_BYTES {
            return;
        }
        self.own.shorten();
        self.is_bare |= self.content > 0;
        self.fold();
        self.content = 0;
        self.entries = Vec::new();
        wipe_text(&mut self.row);
        if let Some(folded) = &mut self.folded {
            folded.shrink();
        }
    }

    /// Empty again, with its memory, in which nothing is left.
    pub(super) fn clear(&mut self) {
        let Self { heading, own, reason, entries, row, long, content, is_bare, folded } = self;
        own.clear();
        reason.clear();
        put_back(row);
        if entries.capacity() > KEPT_ENTRIES {
            *entries = Vec::new();
        }
        entries.clear();
        long.clear();
        (*heading, *content, *is_bare, *folded) = (Heading::default(), 0, false, None);
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        put_back(&mut self.row);
    }
}

/// Wipes a row, and keeps its memory for others.
fn put_back(row: &mut String) {
    wipe_from(row, 0);
    rows::give(std::mem::take(row));
}

/// Appends what is formatted to the row, without leaving it anywhere else. Of what is too long to be taken only the length
/// goes on being told.
struct Formatter<'a> {
    page: &'a mut Page,
    length: usize,
}

impl fmt::Write for Formatter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.length = self.length.saturating_add(text.len());
        if self.length <= RawText::MAX_BYTES {
            let _ = self.page.append(text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::meaning;
    use super::*;

    #[test]
    fn a_number_that_was_said_stands_where_texts_are_wiped() {
        let mut page = Page::default();
        let result = meaning("gen_ai.tool.call.result").unwrap();
        page.int(result, 4_111_111_111_111_111);
        page.double(result, 0.5);
        assert!(page.entries.iter().all(|entry| matches!(entry.value, Value::Text(_))));
        assert_eq!((page.row.as_str(), page.content), ("41111111111111110.5", 19));
    }
}
