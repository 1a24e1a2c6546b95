//! Places where rules without keywords may begin: names before an `@`, and stretches with enough digits.

use std::ops::Range;

/// Bytes that are judged together.
const BLOCK: usize = 32;

/// A phone number has no fewer, and nothing else that is looked for.
const MIN_DIGITS: u8 = 7;

/// Calls `found` with each `@`, until it answers false.
pub(super) fn each_at(text: &[u8], mut found: impl FnMut(usize) -> bool) {
    for at in memchr::memchr_iter(b'@', text) {
        if !found(at) {
            return;
        }
    }
}

/// Calls `found` with stretches of the text outside which no run of seven digits, however they are separated, is shorter
/// than a block. Stretches rise and do not overlap.
pub(super) fn each_dense(text: &[u8], mut found: impl FnMut(Range<usize>) -> bool) {
    let mut before = 0;
    let mut open: Option<Range<usize>> = None;
    for (number, block) in text.chunks(BLOCK).enumerate() {
        let digits = digits(block);
        if before + digits >= MIN_DIGITS {
            let start = number.saturating_sub(1) * BLOCK;
            let end = text.len().min((number + 1) * BLOCK);
            match &mut open {
                Some(stretch) if start <= stretch.end => stretch.end = end,
                _ => {
                    if open.replace(start..end).is_some_and(|stretch| !found(stretch)) {
                        return;
                    }
                }
            }
        }
        before = digits;
    }
    if let Some(stretch) = open {
        found(stretch);
    }
}

/// Without a way out of the loop it is done for many bytes at once.
fn digits(block: &[u8]) -> u8 {
    block.iter().fold(0, |sum, byte| sum + u8::from(byte.wrapping_sub(b'0') < 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_digits_are_seen_wherever_the_blocks_lie() {
        for lead in 0..100 {
            let text = format!("{}12-34 5.67{}", "x".repeat(lead), "y".repeat(40));
            let mut seen = false;
            each_dense(text.as_bytes(), |stretch| {
                seen |= stretch.start <= lead && lead + 10 <= stretch.end;
                true
            });
            assert!(seen, "{lead}");
        }
        each_dense(b"1 and 2 and 3, 4 or 5 or 6 ", |_| panic!("too few"));
    }
}
