//! Text without one level of JSON's escapes and of percent-encoding, and where each of its bytes came from.
//!
//! Both at once, since they stand in each other: a URL in a JSON string, JSON in a query. One level at a time, since quotes
//! of an inner text must not end an outer one.

use std::ops::Range;

/// A stretch with its escapes resolved.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// After each escape: where the view goes on, and where the stretch does, from its beginning. Between two of them both
    /// run in step.
    steps: Vec<(u32, u32)>,
    /// Where the stretch is in its own text.
    stretch: Range<usize>,
}

impl View {
    /// The longest stretch.
    pub(super) const LONGEST: usize = u32::MAX as usize;

    /// Resolves a stretch of a text. Answers nothing where no escape stands in it, or where it is too long.
    pub(super) fn of(text: &[u8], stretch: Range<usize>) -> Option<Self> {
        let source = text.get(..stretch.end)?;
        if stretch.len() > Self::LONGEST {
            return None;
        }
        let mut view = Self { bytes: Vec::new(), steps: vec![(0, 0)], stretch: stretch.clone() };
        let step = |out: usize, source: usize| {
            (u32::try_from(out).unwrap_or(u32::MAX), u32::try_from(source - stretch.start).unwrap_or(u32::MAX))
        };
        let mut from = stretch.start;
        let mut search = from;
        while let Some(at) = next_mark(source, search) {
            let rest = source.get(at..)?;
            let Some((length, decoded)) = escape(rest) else {
                search = at + 1;
                continue;
            };
            if view.bytes.is_empty() {
                view.bytes.reserve_exact(stretch.len());
            }
            view.bytes.extend_from_slice(source.get(from..at)?);
            decoded.push_to(&mut view.bytes);
            from = at + length;
            search = from;
            view.steps.push(step(view.bytes.len(), from));
        }
        if view.steps.len() == 1 {
            return None;
        }
        view.bytes.extend_from_slice(source.get(from..)?);
        Some(view)
    }

    /// Where a stretch of the view is in the text.
    pub(super) fn source(&self, range: Range<usize>) -> Range<usize> {
        self.place(range.start)..self.place(range.end)
    }

    fn place(&self, at: usize) -> usize {
        let next = self.steps.partition_point(|(out, _)| *out as usize <= at);
        let (out, source) = next.checked_sub(1).and_then(|last| self.steps.get(last)).copied().unwrap_or_default();
        (self.stretch.start + source as usize + at - out as usize).min(self.stretch.end)
    }

    /// Whether an escape stands in a stretch of the view, or right before it.
    pub(super) fn changes(&self, range: &Range<usize>) -> bool {
        let first = self.steps.partition_point(|(out, _)| (*out as usize) < range.start.max(1));
        self.steps.get(first).is_some_and(|(out, _)| *out as usize <= range.end)
    }
}

/// Lines with an escape in them, joined where they touch. Calls `found` with each, until it answers false.
pub(super) fn each_escaped(text: &[u8], mut found: impl FnMut(Range<usize>) -> bool) {
    let mut open: Option<Range<usize>> = None;
    let mut at = 0;
    while let Some(mark) = next_mark(text, at) {
        if text.get(mark..).is_none_or(|rest| escape(rest).is_none()) {
            at = mark + 1;
            continue;
        }
        let before = text.get(at..mark).unwrap_or_default();
        let start = memchr::memrchr(b'\n', before).map_or(at, |line| at + line + 1);
        let rest = text.get(mark..).unwrap_or_default();
        let end = memchr::memchr(b'\n', rest).map_or(text.len(), |line| mark + line + 1);
        match &mut open {
            Some(stretch) if stretch.end == start => stretch.end = end,
            _ => {
                if open.replace(start..end).is_some_and(|stretch| !found(stretch)) {
                    return;
                }
            }
        }
        at = end;
    }
    if let Some(stretch) = open {
        found(stretch);
    }
}

fn next_mark(text: &[u8], from: usize) -> Option<usize> {
    memchr::memchr2(b'\\', b'%', text.get(from..)?).map(|at| from + at)
}

/// What an escape stands for.
enum Decoded {
    Byte(u8),
    Char(char),
}

impl Decoded {
    fn push_to(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Byte(byte) => bytes.push(*byte),
            Self::Char(char) => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// The escape at the beginning: its length, and what it stands for.
fn escape(text: &[u8]) -> Option<(usize, Decoded)> {
    let simple = |byte| Some((2, Decoded::Byte(byte)));
    match text {
        [b'%', high, low, ..] => Some((3, Decoded::Byte(hex(*high)? << 4 | hex(*low)?))),
        [b'\\', byte @ (b'"' | b'\\' | b'/' | b'\''), ..] => simple(*byte),
        [b'\\', b'n' | b'f' | b'b', ..] => simple(b'\n'),
        [b'\\', b'r', ..] => simple(b'\r'),
        [b'\\', b't', ..] => simple(b'\t'),
        [b'\\', b'x', high, low, ..] => Some((4, Decoded::Byte(hex(*high)? << 4 | hex(*low)?))),
        [b'\\', b'u', digits @ ..] => {
            let unit = |digits: &[u8]| {
                digits.get(..4)?.iter().try_fold(0, |unit, digit| Some(unit << 4 | u32::from(hex(*digit)?)))
            };
            let first = unit(digits)?;
            // A pair of surrogates is one character; one alone is none, and stands for itself.
            match (first, digits.get(4..)) {
                (0xd800..=0xdbff, Some([b'\\', b'u', low @ ..])) => {
                    let low = unit(low).filter(|low| (0xdc00..=0xdfff).contains(low))?;
                    let char = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00))?;
                    Some((12, Decoded::Char(char)))
                }
                _ => Some((6, Decoded::Char(char::from_u32(first)?))),
            }
        }
        _ => None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &str) -> (String, View) {
        let view = View::of(text.as_bytes(), 0..text.len()).expect("an escape");
        (String::from_utf8(view.bytes.clone()).expect("text"), view)
    }

    #[test]
    fn escapes_are_resolved_by_one_level_and_places_lead_back() {
        let text = r#"{\"a\":\"x\\\"y\u0040\ud83d\ude00%41\/z\"}"#;
        let (resolved, view) = view(text);
        assert_eq!(resolved, "{\"a\":\"x\\\"y@😀A/z\"}");
        let at = resolved.find("y@😀A").unwrap();
        let source = view.source(at..at + "y@😀A".len());
        assert_eq!(text.get(source).unwrap_or_default(), r"y\u0040\ud83d\ude00%41");
        assert_eq!(view.source(0..resolved.len()), 0..text.len());
    }

    #[test]
    fn what_only_looks_like_an_escape_stands_for_itself() {
        assert!(View::of(br"100% \d \ud83dx %zz", 0..19).is_none());
    }

    #[test]
    fn lines_with_escapes_are_found_and_neighbours_joined() {
        let text = b"plain\na\\nb\nc%20d\nplain\nlast\\t";
        let mut lines = Vec::new();
        each_escaped(text, |stretch| {
            lines.push(stretch);
            true
        });
        assert_eq!(lines, [6..17, 23..29]);
    }
}
