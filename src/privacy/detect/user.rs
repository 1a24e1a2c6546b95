//! Rules that a user brings.
//!
//! Their patterns may look anywhere, so they are searched for in windows: a match is at most 4 KiB long, and time stays
//! linear in the text whatever the pattern.

use std::ops::Range;

use bytestring::ByteString;
use regex_automata::Input;
use regex_automata::meta::Regex;

use super::{checks, mark};

/// The longest match, in bytes.
const LONGEST: usize = 4 << 10;
/// How much is searched at once.
const WINDOW: usize = 2 * LONGEST;

/// A rule of a user's file. Its pattern may itself be a secret: no `Debug`.
pub(super) struct UserRule {
    pub(super) name: ByteString,
    pub(super) regex: Regex,
    /// The pattern is searched for only in texts with one of these, in any case; in all texts if there are none.
    pub(super) keywords: Vec<ByteString>,
    /// The fewest bits of entropy that each byte of a hit has to have.
    pub(super) entropy: f32,
}

impl UserRule {
    /// Calls `found` with each match, until it answers false.
    pub(super) fn each(&self, text: &[u8], mut found: impl FnMut(Range<usize>) -> bool) {
        let mut from = 0;
        while from < text.len() {
            let end = text.len().min(from + WINDOW);
            let Some(matched) = self.regex.search(&Input::new(text).span(from..end)) else {
                // What begins in the second half of the window may go on behind it.
                from = if end == text.len() { end } else { end - LONGEST };
                continue;
            };
            let range = matched.range();
            let bytes = text.get(range.clone()).unwrap_or_default();
            let is_hit = !range.is_empty() && checks::bits(bytes) >= self.entropy && !mark::is_all(text, &range);
            if is_hit && !found(range.clone()) {
                return;
            }
            from = range.end.max(range.start + 1);
        }
    }
}
