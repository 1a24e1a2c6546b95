//! JSON under construction: structure, and the texts in it that may be cut.

use std::borrow::Cow;

use crate::privacy::preview::{MARKER_BYTES, grapheme_boundary, marker};

/// A piece of a JSON text.
pub(super) enum Piece {
    /// Structure, keys, numbers: never cut.
    Fixed(String),
    /// A string, not yet escaped.
    Text(String),
}

/// Pieces in order.
#[derive(Default)]
pub(super) struct Draft {
    pieces: Vec<Piece>,
}

impl Draft {
    /// Appends structure.
    pub(super) fn fixed(&mut self, structure: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Fixed(last)) => last.push_str(structure),
            _ => self.pieces.push(Piece::Fixed(structure.to_owned())),
        }
    }

    /// Appends a string that may be cut.
    pub(super) fn text(&mut self, text: Cow<'_, str>) {
        self.pieces.push(Piece::Text(text.into_owned()));
    }

    /// Appends a string that is no content: a word of ours or of the conventions.
    pub(super) fn word(&mut self, word: &str) {
        self.fixed(&escaped(word));
    }

    /// Appends a value: as it is where the text is a JSON array or object, else as a string.
    pub(super) fn value(&mut self, text: Cow<'_, str>) {
        if is_structured(&text) { self.tokens(&text) } else { self.text(text) }
    }

    /// The elements of a list, without its brackets.
    pub(super) fn elements(drafts: impl IntoIterator<Item = Self>) -> Self {
        let mut list = Self::default();
        for (place, draft) in drafts.into_iter().enumerate() {
            if place > 0 {
                list.fixed(",");
            }
            list.append(draft);
        }
        list
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.pieces.append(&mut other.pieces);
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The pieces of a JSON text that is valid: its strings may be cut, its keys and all else stay as they are.
    fn tokens(&mut self, json: &str) {
        let mut rest = json;
        while let Some((before, from)) = rest.find('"').and_then(|place| rest.split_at_checked(place)) {
            let end = end_of_string(from);
            let Some((string, after)) = from.split_at_checked(end) else { break };
            let is_key = after.trim_start().starts_with(':');
            self.fixed(before);
            match serde_json::from_str(string) {
                Ok(text) if !is_key => self.pieces.push(Piece::Text(text)),
                _ => self.fixed(string),
            }
            rest = after;
        }
        self.fixed(rest);
    }
}

/// Whether a text is a JSON array or object. Deeper than serde_json reads counts as neither.
pub(super) fn is_structured(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{']) && serde_json::from_str::<serde_json::Value>(text).is_ok()
}

/// The length of a JSON string literal that begins a text, quotes included.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = true;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// A text as a JSON string.
pub(super) fn escaped(text: &str) -> String {
    // Writing a string into a string does not fail.
    serde_json::to_string(text).unwrap_or_default()
}

/// How many bytes a text takes as a JSON string.
pub(super) fn escaped_length(text: &str) -> usize {
    2 + text.bytes().map(escaped_byte).sum::<usize>()
}

const fn escaped_byte(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | 0x08 | 0x09 | 0x0a | 0x0c | 0x0d => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

/// The beginning of a text with a marker behind it, together at most `room` bytes as a JSON string, where that is more
/// than a marker takes.
pub(super) fn cut_to(text: &str, room: usize) -> String {
    let mut left = room.saturating_sub(2 + MARKER_BYTES);
    let mut end = 0;
    for (place, char) in text.char_indices() {
        let length: usize = char.encode_utf8(&mut [0; 4]).bytes().map(escaped_byte).sum();
        if length > left {
            break;
        }
        left -= length;
        end = place + char.len_utf8();
    }
    let (kept, rest) = text.split_at_checked(grapheme_boundary(text, end)).unwrap_or(("", text));
    format!("{kept}{}", marker(rest.chars().count()))
}
