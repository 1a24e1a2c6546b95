//! Replaces what the rules find in a JSON document, so that it is one afterwards.
//!
//! Rules know nothing of JSON, and a hit may begin in one of its texts and end in another. Only what is inside of texts is
//! replaced, each text's part by itself and escapes as a whole; a number that is a hit becomes a text.

use super::hit::{Counts, Hit};
use super::mark::{CLOSING, OPENING};

/// The document without the hits. It has to be valid.
pub(super) fn replaced(document: &str, hits: &[Hit], counts: &mut Counts) -> String {
    let mut walk = Walk { document, at: 0, done: 0, hits, marked: false, replaced: String::new() };
    walk.replaced.reserve(document.len());
    let mut is_text = false;
    while let Some(byte) = document.as_bytes().get(walk.at).copied() {
        let length = match byte {
            b'"' => {
                is_text = !is_text;
                walk.marked = false;
                walk.at += 1;
                continue;
            }
            b'\\' => escape(document.as_bytes().get(walk.at..).unwrap_or_default()),
            b'-' | b'0'..=b'9' if !is_text => number(document.as_bytes().get(walk.at..).unwrap_or_default()),
            _ => 1,
        };
        let is_value = is_text || length > 1 || byte.is_ascii_digit();
        if let Some(hit) = walk.hit(length).filter(|_| is_value) {
            // Numbers are values of their own each, also where one hit covers several.
            walk.marked &= is_text;
            walk.replace(hit, length, if is_text { "" } else { "\"" }, counts);
        }
        walk.at += length;
    }
    walk.replaced.push_str(document.get(walk.done..).unwrap_or_default());
    walk.replaced
}

struct Walk<'d> {
    document: &'d str,
    at: usize,
    /// Up to where the document is copied or replaced.
    done: usize,
    /// Those that do not end before `at`.
    hits: &'d [Hit],
    /// Whether the first hit has its mark in this text already.
    marked: bool,
    replaced: String,
}

impl<'d> Walk<'d> {
    /// The hit that what begins here, of this length, has a part in.
    fn hit(&mut self, length: usize) -> Option<&'d Hit> {
        while let [first, rest @ ..] = self.hits
            && first.range.end <= self.at
        {
            self.hits = rest;
            self.marked = false;
        }
        self.hits.first().filter(|hit| hit.range.start < self.at + length)
    }

    fn replace(&mut self, hit: &Hit, length: usize, quote: &str, counts: &mut Counts) {
        self.replaced.push_str(self.document.get(self.done..self.at).unwrap_or_default());
        self.done = self.at + length;
        if !self.marked {
            self.replaced.extend([quote, OPENING, &hit.rule, CLOSING, quote]);
            counts.add(&hit.rule);
            self.marked = true;
        }
    }
}

/// The length of an escape; of both, where two stand for one character.
fn escape(text: &[u8]) -> usize {
    match text {
        [b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'A' | b'b' | b'B', _, _, b'\\', b'u', ..] => 12,
        [b'\\', b'u', ..] => 6,
        _ => 2,
    }
}

fn number(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)).count()
}

#[cfg(test)]
// A hit is a range, and most of these have one.
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;

    fn masked(document: &str, ranges: &[std::ops::Range<usize>]) -> String {
        let hits: Vec<_> = ranges.iter().map(|range| Hit { rule: "r".into(), range: range.clone() }).collect();
        replaced(document, &hits, &mut Counts::default())
    }

    #[test]
    fn parts_inside_of_texts_are_replaced_and_what_is_between_them_stays() {
        assert_eq!(masked(r#"{"ab":"cd"}"#, &[3..9]), r#"{"a[redacted:r]":"[redacted:r]"}"#);
        assert_eq!(masked(r#"["ab","cd"]"#, &[2..4, 7..8]), r#"["[redacted:r]","[redacted:r]d"]"#);
        assert_eq!(masked(r#"{"a":true}"#, &[4..9]), r#"{"a":true}"#);
    }

    #[test]
    fn escapes_and_numbers_are_replaced_whole() {
        assert_eq!(masked(r#"["x\"y"]"#, &[4..5]), r#"["x[redacted:r]y"]"#);
        assert_eq!(masked(r#"["\ud83d\ude00"]"#, &[8..10]), r#"["[redacted:r]"]"#);
        assert_eq!(masked("[1, -234.5e6, 7]", &[6..8]), "[1, \"[redacted:r]\", 7]");
    }
}
