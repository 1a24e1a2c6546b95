//! Numbers, times, digests and labels as a person reads them. Nothing depends on the locale or the terminal.

use std::fmt::Write;

use crate::event::Digest;

/// `1204` as `1,204`.
pub(crate) fn count(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 turn`, `2 turns`.
pub(crate) fn several(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Nanoseconds as `12 µs`, `412 ms`, `1.24 s`, `2 min 05 s`, `1 h 02 min`. Cut off, not rounded.
pub(crate) fn duration(nanos: u64) -> String {
    const MICRO: u64 = 1_000;
    const MILLI: u64 = 1_000 * MICRO;
    const SECOND: u64 = 1_000 * MILLI;
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    match nanos {
        0..MILLI => format!("{} µs", nanos / MICRO),
        MILLI..SECOND => format!("{} ms", nanos / MILLI),
        SECOND..MINUTE => format!("{}.{:02} s", nanos / SECOND, nanos % SECOND / (10 * MILLI)),
        MINUTE..HOUR => format!("{} min {:02} s", nanos / MINUTE, nanos % MINUTE / SECOND),
        HOUR.. => format!("{} h {:02} min", nanos / HOUR, nanos % HOUR / MINUTE),
    }
}

/// The first 8 hex digits.
pub(crate) fn digest(digest: &Digest) -> String {
    let mut text = String::with_capacity(9);
    for byte in digest.bytes.iter().take(4) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push('…');
    text
}

/// A label on one line: what moves a terminal's cursor is replaced.
pub(crate) fn label(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// An id, cut where it is too long to read.
pub(crate) fn short(id: &str) -> String {
    const SHOWN: usize = 8;
    const LONGEST: usize = 20;
    let id = label(id);
    if id.chars().count() <= LONGEST {
        return id;
    }
    id.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_204), "1,204");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(count(-1_000), "-1,000");
    }

    #[test]
    fn durations_keep_three_digits_at_most() {
        assert_eq!(duration(12_345), "12 µs");
        assert_eq!(duration(412_999_999), "412 ms");
        assert_eq!(duration(1_249_000_000), "1.24 s");
        assert_eq!(duration(125_000_000_000), "2 min 05 s");
        assert_eq!(duration(3_725_000_000_000), "1 h 02 min");
    }

    #[test]
    fn labels_cannot_move_the_cursor() {
        assert_eq!(label("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        assert_eq!(short(&"ü".repeat(40)), format!("{}…", "ü".repeat(8)));
    }
}
