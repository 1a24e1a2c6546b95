//! Members of an object: where they stand in the output, and which comes first.

use std::cmp::Ordering;
use std::ops::Range;

/// A member of an object that is being written.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) key: Key,
    /// Where it stands in the output, key and value, without a comma.
    pub(super) place: Range<usize>,
}

/// The characters of a key.
#[derive(Clone)]
pub(super) enum Key {
    /// They stand in the input as they are.
    Input(Range<usize>),
    /// The input had escapes; here they are resolved.
    Resolved(Range<usize>),
}

/// Where the characters of keys are found.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    pub(super) input: &'a [u8],
    pub(super) resolved: &'a [u8],
}

impl<'a> Keys<'a> {
    fn characters(self, key: &Key) -> &'a [u8] {
        match key {
            Key::Input(range) => self.input.get(range.clone()),
            Key::Resolved(range) => self.resolved.get(range.clone()),
        }
        .unwrap_or_default()
    }

    pub(super) fn compare(self, a: &Key, b: &Key) -> Ordering {
        compare_utf16(self.characters(a), self.characters(b))
    }
}

/// Compares UTF-8 texts by their UTF-16 code units.
///
/// The orders agree but for characters beyond U+FFFF: as surrogates they come before U+E000, as bytes after U+FFFF. So it
/// is enough to move the first byte of U+E000..U+FFFF behind theirs.
pub(super) fn compare_utf16(a: &[u8], b: &[u8]) -> Ordering {
    let rank = |byte: u8| if matches!(byte, 0xee | 0xef) { byte | 0x10 } else { byte };
    match a.iter().zip(b).find(|(x, y)| x != y) {
        Some((x, y)) => rank(*x).cmp(&rank(*y)),
        None => a.len().cmp(&b.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_by_utf_16_code_units() {
        let texts = [
            "",
            "a",
            "ab",
            "b",
            "\u{7f}",
            "é",
            "\u{d7ff}",
            "\u{e000}",
            "\u{ee00}",
            "\u{f8ff}",
            "\u{ffff}",
            "\u{10000}",
            "😀",
            "\u{10ffff}",
            "a\u{ffff}",
            "a😀",
            "😀a",
            "\u{ffff}a",
        ];
        for a in texts {
            for b in texts {
                let expected = a.encode_utf16().cmp(b.encode_utf16());
                assert_eq!(compare_utf16(a.as_bytes(), b.as_bytes()), expected, "{a:?} {b:?}");
            }
        }
    }
}
