//! What stands for a hit in a masked text: `[redacted:<rule>]`. No rule finds anything in it, so that masking again changes
//! nothing.

use std::ops::Range;

pub(super) const OPENING: &str = "[redacted:";
pub(super) const CLOSING: &str = "]";

/// The longest name of a rule, in bytes.
pub(super) const LONGEST_NAME: usize = 64;

/// Whether a stretch begins inside a mark, or nothing is left of it without the marks in it.
pub(super) fn is_all(text: &[u8], range: &Range<usize>) -> bool {
    let longest = OPENING.len() + LONGEST_NAME;
    let before = text.get(range.start.saturating_sub(longest)..range.start).unwrap_or_default();
    let opened = memchr::memrchr(b'[', before).and_then(|at| before.get(at..));
    // The opening itself may be cut by the beginning of the stretch.
    let is_inside = opened.is_some_and(|opened| {
        let common = opened.len().min(OPENING.len());
        opened.get(..common) == OPENING.as_bytes().get(..common)
            && !opened.contains(&b']')
            && length_of(text, range.start - opened.len()).is_some()
    });
    let mut rest = text.get(range.clone()).unwrap_or_default();
    if !is_inside && memchr::memmem::find(rest, OPENING.as_bytes()).is_none() {
        return false;
    }
    if is_inside {
        // What is left begins behind the mark.
        rest = memchr::memchr(b']', rest).and_then(|end| rest.get(end + 1..)).unwrap_or_default();
    }
    while let Some((first, behind)) = rest.split_first() {
        if let Some(length) = length_of(rest, 0) {
            rest = rest.get(length..).unwrap_or_default();
        } else if first.is_ascii_alphanumeric() {
            return false;
        } else {
            rest = behind;
        }
    }
    true
}

/// The length of the mark at a place, if one stands there, or as much of one as there is.
fn length_of(text: &[u8], at: usize) -> Option<usize> {
    let mark = text.get(at..)?;
    let name = mark.strip_prefix(OPENING.as_bytes())?;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:/@+-".contains(byte);
    let length = name.iter().take(LONGEST_NAME + 1).take_while(|byte| is_name(byte)).count();
    let closed = match name.get(length) {
        Some(b']') => 1,
        None => 0,
        Some(_) => return None,
    };
    (1..=LONGEST_NAME).contains(&length).then_some(OPENING.len() + length + closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_nothing_and_what_stands_beside_it_is_something() {
        let all = |text: &str, range: Range<usize>| is_all(text.as_bytes(), &range);
        assert!(all("x=[redacted:email]", 2..18));
        assert!(all("x=[redacted:email]", 3..18));
        assert!(all("x=[redacted:email]", 12..17));
        assert!(all("[redacted:a], [redacted:b]", 0..26));
        assert!(!all("x=a[redacted:email]", 2..19));
        assert!(!all("x=[redacted:email]a", 12..19));
        assert!(!all("x=[redacted: mail]", 2..18));
        assert!(!all("hunter2", 0..7));
    }
}
