//! The first characters of a text, for a person to read.
//!
//! A character is a Unicode scalar value, here, in the placeholder and in the marker. A cut never divides what a reader
//! sees as one character (an extended grapheme cluster, UAX #29): it moves back to where that begins.

use bytestring::ByteString;
use unicode_segmentation::GraphemeCursor;

/// How previews are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PreviewRule {
    /// A placeholder stands in the place of each.
    pub(super) placeholder: bool,
    /// The most characters of one, as somebody asked for.
    pub(super) chars: usize,
}

/// What a preview is of: no caller can ask for more than its hard cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PreviewOf {
    /// A message, or system instructions.
    Message,
    /// A tool's arguments, its result, tool definitions.
    Tool,
}

impl PreviewRule {
    const MOST_OF_MESSAGES: usize = 4096;
    const MOST_OF_TOOLS: usize = 1024;

    pub(super) fn of_messages(&self) -> usize {
        self.chars.min(Self::MOST_OF_MESSAGES)
    }

    pub(super) fn cap(&self, of: PreviewOf) -> usize {
        match of {
            PreviewOf::Message => self.of_messages(),
            PreviewOf::Tool => self.chars.min(Self::MOST_OF_TOOLS),
        }
    }
}

impl Default for PreviewRule {
    fn default() -> Self {
        Self { placeholder: false, chars: 256 }
    }
}

/// What stands in the place of a text of this many characters.
pub(super) fn placeholder(chars: usize) -> ByteString {
    format!("<redacted len={chars}>").into()
}

/// What stands in the place of a text of so many bytes that it was not taken.
pub(super) fn oversize(bytes: usize) -> ByteString {
    format!("<oversize len={bytes}>").into()
}

/// Whether a text is a placeholder and nothing else.
pub(super) fn is_placeholder(text: &str) -> bool {
    is_length(text, "<redacted len=")
}

/// Whether a text stands for another that may not leave, or was not taken: it says no more than a length.
pub(super) fn is_stand_in(text: &str) -> bool {
    is_placeholder(text) || is_length(text, "<oversize len=")
}

/// A text without the marker at its end, and the marker.
#[cfg(any(feature = "collector", feature = "sdk"))]
pub(super) fn without_marker(text: &str) -> (&str, &str) {
    let cut = text.rfind("… <truncated len=").and_then(|place| text.split_at_checked(place));
    cut.filter(|(_, marker)| is_length(marker, "… <truncated len=")).unwrap_or((text, ""))
}

/// Whether a text is this beginning, a number and `>`.
fn is_length(text: &str, beginning: &str) -> bool {
    // No text is longer than what can be said in so many.
    const MOST_DIGITS: usize = 10;
    let digits = text.strip_prefix(beginning).and_then(|rest| rest.strip_suffix('>'));
    digits.is_some_and(|digits| {
        (1..=MOST_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The beginning of a text: at most `chars` characters and `bytes` bytes, and behind them how many characters are left
/// out. A text that fits is whole, without a marker.
pub(super) fn cut(text: &str, chars: usize, bytes: usize) -> String {
    match end_of(text, chars, bytes) {
        None => text.to_owned(),
        Some(end) => {
            let (kept, rest) = text.split_at_checked(end).unwrap_or(("", text));
            format!("{kept}{}", marker(rest.chars().count()))
        }
    }
}

/// What a marker takes at the most, in bytes.
pub(super) const MARKER_BYTES: usize = 48;

/// What stands behind a text of which this many characters are left out.
pub(super) fn marker(left_out: usize) -> String {
    format!("… <truncated len={left_out}>")
}

/// Where a text that does not fit is cut.
fn end_of(text: &str, chars: usize, bytes: usize) -> Option<usize> {
    let by_chars = text.char_indices().nth(chars).map_or(text.len(), |(place, _)| place);
    let end = by_chars.min(bytes);
    (end < text.len()).then(|| grapheme_boundary(text, end))
}

/// The last boundary between graphemes at or before `place`.
pub(super) fn grapheme_boundary(text: &str, place: usize) -> usize {
    let place = text.floor_char_boundary(place);
    let mut cursor = GraphemeCursor::new(place, text.len(), true);
    // With the whole text at hand neither question can be unanswerable.
    if cursor.is_boundary(text, 0) == Ok(true) {
        return place;
    }
    cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview(text: &str, chars: usize) -> String {
        cut(text, PreviewRule { placeholder: false, chars }.cap(PreviewOf::Message), usize::MAX)
    }

    #[test]
    fn r28_a_text_that_fits_is_whole_and_of_a_longer_one_the_left_out_characters_are_counted() {
        assert_eq!(preview("abc", 3), "abc");
        assert_eq!(preview("abcd", 3), "abc… <truncated len=1>");
        assert_eq!(preview(&"x".repeat(600), 256), format!("{}… <truncated len=344>", "x".repeat(256)));
        assert!(preview(&"x".repeat(10_000), PreviewRule::default().chars).ends_with("x… <truncated len=9744>"));
    }

    #[test]
    fn r29_and_r30_a_large_cap_holds_up_to_the_hard_one() {
        assert_eq!(preview(&"x".repeat(2000), 1000), format!("{}… <truncated len=1000>", "x".repeat(1000)));
        for chars in [10_000, usize::MAX] {
            let rule = PreviewRule { placeholder: false, chars };
            assert_eq!((rule.cap(PreviewOf::Message), rule.cap(PreviewOf::Tool)), (4096, 1024));
        }
    }

    #[test]
    fn r31_a_cut_never_divides_what_is_seen_as_one_character_and_obeys_a_bound_of_bytes() {
        let family = "👨‍👩‍👧‍👦";
        assert_eq!(family.chars().count(), 7);
        for chars in 0..7 {
            assert_eq!(preview(&format!("a{family}b"), chars + 1), "a… <truncated len=8>");
        }
        assert_eq!(preview(&format!("a{family}b"), 8), format!("a{family}… <truncated len=1>"));
        assert_eq!(cut("e\u{301}e\u{301}", 3, usize::MAX), "e\u{301}… <truncated len=2>");
        for bytes in 0..12 {
            let cut = cut("üüüüüü", usize::MAX, bytes);
            let kept = cut.split('…').next().unwrap_or_default();
            assert!(kept.len() <= bytes && kept.chars().all(|char| char == 'ü'), "{cut}");
        }
        // One base with ten thousand marks is one grapheme, which is left out as a whole.
        assert_eq!(preview(&format!("a{}", "\u{301}".repeat(10_000)), 256), "… <truncated len=10001>");
    }
}
