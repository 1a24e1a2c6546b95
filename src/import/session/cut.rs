//! Lines out of bytes that come in any portions.

use crate::event::wipe;
use crate::json::without_mark;

/// The longest line that is taken, in bytes: a line may hold an image.
pub(in crate::import) const MAX_LINE: usize = 64 << 20;

/// What was found in a portion.
pub(in crate::import) enum Cut<'b> {
    /// A line without its end and without a mark before it, never blank.
    Line(&'b [u8]),
    /// A line that was too long, and was passed over.
    Oversize,
}

/// Keeps the beginning of a line until its end has come.
#[derive(Default)]
pub(in crate::import) struct Cutter {
    begun: Vec<u8>,
    is_skipping: bool,
    /// How many lines have ended, blank ones too.
    lines: u64,
}

impl Cutter {
    /// Takes a portion, and tells the lines that end in it, each with its number.
    pub(in crate::import) fn feed(&mut self, portion: &[u8], mut found: impl FnMut(u64, Cut<'_>)) {
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', portion) {
            let piece = portion.get(from..end).unwrap_or_default();
            from = end + 1;
            self.end(piece, &mut found);
        }
        let rest = portion.get(from..).unwrap_or_default();
        if self.is_skipping || rest.is_empty() {
            return;
        }
        if self.begun.len() + rest.len() > MAX_LINE {
            self.is_skipping = true;
            wipe(&mut self.begun);
            self.begun = Vec::new();
        } else {
            self.grow(rest);
        }
    }

    /// Tells the line that has no end, at the end of a file that will not grow. Whether there was one.
    pub(in crate::import) fn finish(&mut self, mut found: impl FnMut(u64, Cut<'_>)) {
        if self.is_skipping || !self.begun.is_empty() {
            self.end(&[], &mut found);
        }
    }

    fn end(&mut self, piece: &[u8], found: &mut impl FnMut(u64, Cut<'_>)) {
        self.lines += 1;
        let is_oversize = std::mem::take(&mut self.is_skipping) || self.begun.len() + piece.len() > MAX_LINE;
        if is_oversize {
            found(self.lines, Cut::Oversize);
        } else if self.begun.is_empty() {
            tell(self.lines, piece, found);
        } else {
            self.grow(piece);
            tell(self.lines, &self.begun, found);
        }
        self.begun.clear();
    }

    /// A vector that grows by itself would leave what it held behind.
    fn grow(&mut self, more: &[u8]) {
        let length = self.begun.len() + more.len();
        if self.begun.capacity() < length {
            let mut grown = Vec::with_capacity(length.max(2 * self.begun.capacity()));
            grown.extend_from_slice(&self.begun);
            wipe(&mut self.begun);
            self.begun = grown;
        }
        self.begun.extend_from_slice(more);
    }
}

fn tell(number: u64, line: &[u8], found: &mut impl FnMut(u64, Cut<'_>)) {
    let line = without_mark(line).trim_ascii();
    if !line.is_empty() {
        found(number, Cut::Line(line));
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        wipe(&mut self.begun);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(portions: &[&[u8]]) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut cutter = Cutter::default();
        let mut all = Vec::new();
        let mut found = |number, cut: Cut<'_>| match cut {
            Cut::Line(line) => all.push((number, Some(line.to_vec()))),
            Cut::Oversize => all.push((number, None)),
        };
        portions.iter().for_each(|portion| cutter.feed(portion, &mut found));
        cutter.finish(&mut found);
        all
    }

    #[test]
    fn lines_do_not_depend_on_where_the_bytes_are_cut() {
        let text = "eins\n\n  \r\nzw\u{f6}lf\r\ndrei".as_bytes();
        let whole = lines(&[text]);
        assert_eq!(whole.len(), 3);
        for size in 1..text.len() {
            assert_eq!(lines(&text.chunks(size).collect::<Vec<_>>()), whole, "{size}");
        }
    }

    #[test]
    fn a_mark_before_a_line_is_no_part_of_it_and_none_of_a_file_is_no_line() {
        let text = "\u{feff}eins\nzwei\u{feff}".as_bytes();
        for size in 1..=text.len() {
            let found = lines(&text.chunks(size).collect::<Vec<_>>());
            assert_eq!(found, [(1, Some(b"eins".to_vec())), (2, Some("zwei\u{feff}".into()))], "{size}");
        }
        assert!(lines(&["\u{feff}".as_bytes()]).is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let long = vec![b'x'; MAX_LINE / 2 + 1];
        let found = lines(&[b"a\n", &long, &long, b"\nb\n"]);
        assert_eq!(found, [(1, Some(b"a".to_vec())), (2, None), (3, Some(b"b".to_vec()))]);
    }
}
