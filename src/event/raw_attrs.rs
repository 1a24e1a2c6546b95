//! Attributes as a caller gave them: one flat row of bytes, so that recording a few of them allocates nothing and moving
//! them costs little.

use bytestring::ByteString;
use rustc_hash::FxHashMap;

use super::{RawText, wipe};
use crate::semconv::{Attr, Class, KeyId};

/// Attributes as a caller gave them.
///
/// Can be neither printed nor compared, and is wiped when dropped: a caller may have put anything into a label.
#[allow(missing_debug_implementations)]
pub struct RawAttrs {
    row: Row,
}

/// For each attribute a head of eight bytes and its value.
///
/// Not a `SmallVec`, whose general insertion costs more than all else that is done here.
///
/// What each value changes stands before the bytes, of which the last ones are seldom used: in another order it would be a part
/// of the memory that nothing else there is.
#[repr(C)]
struct Row {
    length: usize,
    /// How many values there are.
    count: u32,
    /// Texts for which there was no room.
    left_out: u32,
    /// All of it, once it has grown over what fits here.
    elsewhere: Vec<u8>,
    here: [u8; HERE],
}

/// All attributes of one half of a call together take no more; texts beyond are not taken.
const MAX_ROW_BYTES: usize = 256 << 10;

/// What one half of a call with ten attributes takes.
const HERE: usize = 168;

/// A value as a caller gave it, borrowed from [`RawAttrs`].
#[allow(missing_debug_implementations)]
#[derive(Clone, Copy)]
pub enum RawValue<'a> {
    /// A string, as UTF-8: whoever only compares it need not check that again.
    Text(&'a [u8]),
    /// One element of an array of strings; the elements of one key come in order.
    Element(&'a [u8]),
    /// A signed 64-bit integer.
    Int(i64),
    /// A 64-bit float.
    Double(f64),
    /// A boolean.
    Bool(bool),
}

const TEXT: u8 = 0;
const ELEMENT: u8 = 1;
const INT: u8 = 2;
const DOUBLE: u8 = 3;
const FALSE: u8 = 4;
const TRUE: u8 = 5;

/// The id, a tag and the length of a text in one word: written piece by piece it would have to be waited for.
fn head(id: KeyId, tag: u8, length: u32) -> [u8; 8] {
    (u64::from(id.0) | u64::from(tag) << 16 | u64::from(length) << 32).to_le_bytes()
}

impl RawAttrs {
    /// Adds a text; of several for one key the last one counts.
    pub fn text(&mut self, attr: Attr<ByteString>, value: &str) {
        self.put_text(attr.id(), TEXT, value.as_bytes());
    }

    /// Adds a text of which the digest is to leave.
    pub(crate) fn said(&mut self, attr: Attr<ByteString>, value: &RawText) {
        match value.expose() {
            Some(text) => self.text(attr, text),
            None => self.row.left_out = self.row.left_out.saturating_add(1),
        }
    }

    /// Adds one element to an array of strings.
    pub fn element(&mut self, attr: Attr<Vec<ByteString>>, value: &str) {
        self.put_text(attr.id(), ELEMENT, value.as_bytes());
    }

    /// Adds an integer.
    pub fn int(&mut self, attr: Attr<i64>, value: i64) {
        self.put_number(attr.id(), INT, value.to_le_bytes());
    }

    /// Adds a float.
    pub fn double(&mut self, attr: Attr<f64>, value: f64) {
        self.put_number(attr.id(), DOUBLE, value.to_le_bytes());
    }

    /// Adds a boolean.
    pub fn bool(&mut self, attr: Attr<bool>, value: bool) {
        self.put_flag(attr.id(), value);
    }

    /// Adds a value by its id, whose type the caller has checked.
    #[inline(always)]
    pub(crate) fn push(&mut self, id: KeyId, value: RawValue<'_>) {
        match value {
            RawValue::Text(text) => self.put_text(id, TEXT, text),
            RawValue::Element(text) => self.put_text(id, ELEMENT, text),
            RawValue::Int(number) => self.put_number(id, INT, number.to_le_bytes()),
            RawValue::Double(number) => self.put_number(id, DOUBLE, number.to_le_bytes()),
            RawValue::Bool(flag) => self.put_flag(id, flag),
        }
    }

    /// Wipes all of them, and takes others in the same memory.
    pub(crate) fn clear(&mut self) {
        self.row.clear();
        (self.row.count, self.row.left_out) = (0, 0);
    }

    /// Forgets what a later value of the same key has replaced. Arrays keep all their elements.
    pub(crate) fn compact(&mut self) {
        let last: FxHashMap<KeyId, usize> = self.iter().enumerate().map(|(place, (id, _))| (id, place)).collect();
        let mut kept = Self::default();
        for (place, (id, value)) in self.iter().enumerate() {
            if matches!(value, RawValue::Element(_)) || last.get(&id) == Some(&place) {
                kept.push(id, value);
            }
        }
        kept.row.left_out = self.row.left_out;
        *self = kept;
    }

    /// Leaves of each long text its beginning, which is no label either.
    pub(crate) fn shorten(&mut self) {
        const MOST: usize = 129;
        if self.row.elsewhere.is_empty() {
            return;
        }
        let mut short = Self::default();
        for (id, value) in self.iter() {
            // The digest of its beginning would be a wrong one.
            if id.name().class == Class::Digest {
                continue;
            }
            short.push(
                id,
                match value {
                    RawValue::Text(text) => RawValue::Text(beginning(text, MOST)),
                    RawValue::Element(text) => RawValue::Element(beginning(text, MOST)),
                    other => other,
                },
            );
        }
        short.row.elsewhere.shrink_to_fit();
        short.row.left_out = self.row.left_out;
        *self = short;
    }

    /// All attributes, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (KeyId, RawValue<'_>)> {
        Entries(self.row.bytes())
    }

    /// All of them as one row of bytes, which is equal where they are, in the same order. Says nothing of what was left out.
    pub(crate) fn row(&self) -> &[u8] {
        self.row.bytes()
    }

    /// The bytes that they keep in memory, beside their own size.
    pub fn held_bytes(&self) -> usize {
        self.row.elsewhere.capacity()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.row.count as usize
    }

    /// How many texts were not taken, since all attributes of one half of a call have 256 KiB at the most.
    pub const fn left_out(&self) -> u32 {
        self.row.left_out
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.row.count == 0
    }

    fn put_flag(&mut self, id: KeyId, value: bool) {
        self.put(head(id, if value { TRUE } else { FALSE }, 0), &[]);
    }

    fn put_number(&mut self, id: KeyId, tag: u8, value: [u8; 8]) {
        self.put(head(id, tag, 0), &value);
    }

    #[inline]
    fn put(&mut self, head: [u8; 8], value: &[u8]) {
        if !self.row.put_here(head, value) {
            self.row.put_elsewhere(&head);
            self.row.put_elsewhere(value);
        }
        self.row.count += 1;
    }

    /// The longest text that is taken as a whole, in bytes. None over 128 can leave as itself, so of a longer one the
    /// beginning serves as well.
    pub const MAX_TEXT_BYTES: usize = 4096;

    #[inline]
    fn put_text(&mut self, id: KeyId, tag: u8, value: &[u8]) {
        // What there is room for is neither too long nor too much. No longer text has room, whatever its length is cut to.
        if self.row.put_here(head(id, tag, value.len() as u32), value) {
            self.row.count += 1;
        } else {
            self.put_long(id, tag, value);
        }
    }

    #[cold]
    fn put_long(&mut self, id: KeyId, tag: u8, value: &[u8]) {
        let value = beginning(value, Self::MAX_TEXT_BYTES);
        let length = u32::try_from(value.len()).unwrap_or_default();
        if self.row.length.saturating_add(value.len()) > MAX_ROW_BYTES {
            // So many texts are no labels of one call.
            self.row.left_out = self.row.left_out.saturating_add(1);
            return;
        }
        self.put(head(id, tag, length), value);
    }
}

/// The first bytes of a text, up to a boundary between characters.
fn beginning(text: &[u8], most: usize) -> &[u8] {
    if text.len() <= most {
        return text;
    }
    let is_boundary = |place: &usize| text.get(*place).is_some_and(|byte| byte & 0xc0 != 0x80);
    let end = (0..=most).rev().find(is_boundary).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

impl Default for RawAttrs {
    fn default() -> Self {
        Self { row: Row { here: [0; HERE], length: 0, count: 0, left_out: 0, elsewhere: Vec::new() } }
    }
}

impl Row {
    /// Adds an attribute where there is room for it here. With one look at the room for both of its parts: this is most of
    /// what recording a value costs.
    #[inline]
    fn put_here(&mut self, head: [u8; 8], value: &[u8]) -> bool {
        let room = self.here.get_mut(self.length..).and_then(|room| room.split_first_chunk_mut());
        let Some((head_place, rest)) = room else { return false };
        let Some(value_place) = rest.get_mut(..value.len()) else { return false };
        *head_place = head;
        value_place.copy_from_slice(value);
        self.length += head.len() + value.len();
        true
    }

    #[cold]
    fn put_elsewhere(&mut self, piece: &[u8]) {
        let length = self.length + piece.len();
        if self.elsewhere.capacity() < length {
            let mut larger = Vec::with_capacity(length.max(2 * self.length));
            larger.extend_from_slice(self.bytes());
            wipe(&mut self.elsewhere);
            self.elsewhere = larger;
        }
        self.elsewhere.extend_from_slice(piece);
        self.length = length;
    }

    fn bytes(&self) -> &[u8] {
        if self.elsewhere.is_empty() { self.here.get(..self.length).unwrap_or_default() } else { &self.elsewhere }
    }
}

/// What is left to read.
struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = (KeyId, RawValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.0.split_first_chunk()?;
        let head = u64::from_le_bytes(*head);
        let (id, tag, length) = (head as u16, (head >> 16) as u8, head >> 32);
        let (value, rest) = match tag {
            INT => {
                let (number, rest) = rest.split_first_chunk()?;
                (RawValue::Int(i64::from_le_bytes(*number)), rest)
            }
            DOUBLE => {
                let (number, rest) = rest.split_first_chunk()?;
                (RawValue::Double(f64::from_le_bytes(*number)), rest)
            }
            FALSE | TRUE => (RawValue::Bool(tag == TRUE), rest),
            _ => {
                let (text, rest) = rest.split_at_checked(length as usize)?;
                (if tag == TEXT { RawValue::Text(text) } else { RawValue::Element(text) }, rest)
            }
        };
        self.0 = rest;
        Some((KeyId(id), value))
    }
}

impl Row {
    fn clear(&mut self) {
        if let Some(used) = self.here.get_mut(..self.length.min(HERE)) {
            used.fill(0);
            zeroize::optimization_barrier(&*used);
        }
        wipe(&mut self.elsewhere);
        (self.length, self.elsewhere) = (0, Vec::new());
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semconv::{FINISH_REASONS, INPUT_TOKENS, REQUEST_MODEL, STREAM, TEMPERATURE};

    #[test]
    fn what_was_put_in_comes_out_in_order_however_much_it_is() {
        let mut attrs = RawAttrs::default();
        let long = "ü".repeat(1000);
        for text in ["", "a", &long] {
            attrs.text(REQUEST_MODEL, text);
            attrs.element(FINISH_REASONS, text);
            attrs.int(INPUT_TOKENS, -1);
            attrs.double(TEMPERATURE, 0.5);
            attrs.bool(STREAM, true);
            attrs.bool(STREAM, false);
        }
        let mut values = attrs.iter();
        for text in ["", "a", &long] {
            let mut next = || values.next().unwrap();
            assert!(matches!(next(), (id, RawValue::Text(got)) if id == REQUEST_MODEL.id() && got == text.as_bytes()));
            assert!(
                matches!(next(), (id, RawValue::Element(got)) if id == FINISH_REASONS.id() && got == text.as_bytes())
            );
            assert!(matches!(next(), (id, RawValue::Int(-1)) if id == INPUT_TOKENS.id()));
            assert!(matches!(next(), (id, RawValue::Double(0.5)) if id == TEMPERATURE.id()));
            assert!(matches!(next(), (id, RawValue::Bool(true)) if id == STREAM.id()));
            assert!(matches!(next(), (id, RawValue::Bool(false)) if id == STREAM.id()));
        }
        assert!(values.next().is_none());
        assert_eq!((attrs.len(), attrs.is_empty()), (18, false));
    }

    #[test]
    fn of_a_long_text_the_beginning_is_taken_and_of_many_no_more_than_fit() {
        let mut attrs = RawAttrs::default();
        attrs.text(REQUEST_MODEL, &format!("x{}", "ü".repeat(1 << 20)));
        let first = attrs.iter().next();
        assert!(matches!(first, Some((_, RawValue::Text(text))) if std::str::from_utf8(text).unwrap().len() == 4095));
        (0..1000).for_each(|_| attrs.element(FINISH_REASONS, &"y".repeat(4096)));
        assert!(attrs.held_bytes() <= 2 * MAX_ROW_BYTES && attrs.len() > 50);
        assert_eq!(attrs.len() + attrs.left_out() as usize, 1001);
    }
}
