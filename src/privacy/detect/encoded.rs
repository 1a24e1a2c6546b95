//! Runs of base64, standard or for URLs, padded or not, on one line or wrapped.

use std::ops::Range;

/// The shortest run that is looked into, in characters: an address or a password has hardly fewer.
pub(super) const SHORTEST: usize = 16;

/// The shortest text that a run stands for, in bytes.
const LEAST: usize = 4;

/// A line that goes on in the next has at least so many characters.
const WRAPPED: usize = 40;

/// A run, and what it says.
pub(super) struct Run {
    pub(super) range: Range<usize>,
    pub(super) decoded: Vec<u8>,
}

/// Calls `found` with each stretch of at least 16 characters of base64, wrapped lines and padding included, until it
/// answers false.
///
/// Such a stretch covers eight bytes of the text that begin at a multiple of eight; those are looked for, without a way
/// out of the loop, so that it is done for many bytes at once.
pub(super) fn each_run(text: &[u8], mut found: impl FnMut(Range<usize>) -> bool) {
    let mut from = 0;
    let mut at = 0;
    while let Some(ahead) = first_eight(text.get(at..).unwrap_or_default()) {
        at += ahead;
        let before = text.get(from..at).unwrap_or_default();
        let start = at - before.iter().rev().take_while(|byte| sextet(**byte).is_some()).count();
        let run = text.get(at..).unwrap_or_default().iter().take_while(|byte| sextet(**byte).is_some()).count();
        if at + run - start < SHORTEST {
            at += run.max(8) / 8 * 8;
            continue;
        }
        from = wrapped_end(text, start);
        if !found(start..from) {
            return;
        }
        at = from.next_multiple_of(8);
    }
}

/// Where, at a multiple of eight, the first eight bytes of an alphabet's characters are.
#[inline(never)]
fn first_eight(text: &[u8]) -> Option<usize> {
    const BLOCK: usize = 32;
    for (number, block) in text.chunks(BLOCK).enumerate() {
        let mut is_one = [0_u8; BLOCK];
        for (is_one, byte) in is_one.iter_mut().zip(block) {
            let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
            let digit = byte.wrapping_sub(b'0') < 10;
            *is_one = u8::from(letter | digit | (*byte == b'+') | (*byte == b'/') | (*byte == b'-') | (*byte == b'_'));
        }
        let eight = is_one.chunks_exact(8).position(|eight| eight == [1; 8]);
        if let Some(eight) = eight {
            return Some(number * BLOCK + eight * 8);
        }
    }
    None
}

/// The end of a run that begins at `from`, over line breaks in its midst.
fn wrapped_end(text: &[u8], from: usize) -> usize {
    let run =
        |from: usize| text.get(from..).unwrap_or_default().iter().take_while(|byte| sextet(**byte).is_some()).count();
    let mut length = run(from);
    let first = length;
    let mut end = from + length;
    while length == first && length >= WRAPPED {
        let rest = text.get(end..).unwrap_or_default();
        let breaks = rest.iter().take(64).take_while(|byte| byte.is_ascii_whitespace()).count();
        let is_break =
            rest.get(..breaks).is_some_and(|between| between.iter().filter(|byte| **byte == b'\n').count() == 1);
        length = run(end + breaks);
        if !is_break || length == 0 || length > first {
            break;
        }
        // A last line that is short has to end where it does: prose goes on.
        let behind = text.get(end + breaks + length);
        if length < first && !behind.is_none_or(|byte| b"\r\n=\"'`,;)]}<\\".contains(byte)) {
            break;
        }
        end += breaks + length;
    }
    let padding = text.get(end..).unwrap_or_default().iter().take(2).take_while(|byte| **byte == b'=').count();
    end + padding
}

/// The text that a run stands for, from its beginning or from behind the first of its separators where one begins.
pub(super) fn decoded(text: &[u8], run: Range<usize>) -> Option<Run> {
    let bytes = text.get(run.clone())?;
    let mut start = 0;
    loop {
        let rest = bytes.get(start..)?;
        if rest.len() < SHORTEST {
            return None;
        }
        if let Some(decoded) = decoded_text(rest) {
            return Some(Run { range: run.start + start..run.end, decoded });
        }
        start += rest.iter().position(|byte| b"/_-+".contains(byte))? + 1;
    }
}

/// Decodes as far as the result is text. Fails after a few characters where it is none, so that trying each separator of
/// a run costs no more than reading it.
fn decoded_text(run: &[u8]) -> Option<Vec<u8>> {
    if !may_be_text(run.get(..SHORTEST)?) {
        return None;
    }
    let mut decoded = Vec::with_capacity(run.len() / 4 * 3 + 3);
    decode(run, |byte| decoded.push(byte));
    let text = text_of(decoded);
    (text.len() >= LEAST).then_some(text)
}

/// Whether a run that begins with these characters may stand for text.
pub(super) fn may_be_text(head: &[u8]) -> bool {
    // The first characters of most ids say that they are none.
    if let [Some(a), Some(b), Some(c), Some(d)] =
        head.first_chunk().map_or([None; 4], |first: &[u8; 4]| first.map(sextet))
    {
        let [first, second, third] = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        if !(is_printed(first) && (second == 0 || is_printed(second)) && is_printed(third)) {
            return false;
        }
    }
    let mut bytes = [0; SHORTEST / 4 * 3];
    let mut length = 0;
    decode(head, |byte| {
        if let Some(place) = bytes.get_mut(length) {
            (*place, length) = (byte, length + 1);
        }
    });
    // Three quarters of it, or of what every other byte says; of UTF-8 no less than a run has to say.
    match bytes {
        [first, 0, second, 0, third, 0, fourth, 0, ..] => {
            [first, second, third, fourth].iter().all(|byte| is_printed(*byte))
        }
        _ => {
            let valid = || std::str::from_utf8(&bytes).map_or_else(|error| error.valid_up_to(), str::len);
            bytes.iter().take(9).all(|byte| is_printed(*byte)) && valid() >= LEAST
        }
    }
}

/// Calls `each` with every byte that a run stands for. What is of no alphabet stands between lines.
fn decode(run: &[u8], mut each: impl FnMut(u8)) {
    let mut group = 0_u32;
    let mut bits = 0;
    for value in run.iter().filter_map(|byte| sextet(*byte)) {
        group = group << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            each((group >> bits) as u8);
        }
    }
}

/// As much of the beginning as is text, in UTF-8 or, as Windows' shells take it, in UTF-16 of ASCII.
fn text_of(mut bytes: Vec<u8>) -> Vec<u8> {
    if let [first, 0, second, 0, ..] = *bytes
        && is_printed(first)
        && is_printed(second)
    {
        let wide = bytes.chunks_exact(2).map_while(|unit| match unit {
            [byte, 0] => Some(*byte),
            _ => None,
        });
        bytes = wide.collect();
    }
    let printed = bytes.iter().position(|byte| !is_printed(*byte)).unwrap_or(bytes.len());
    bytes.truncate(printed);
    if let Err(error) = std::str::from_utf8(&bytes) {
        bytes.truncate(error.valid_up_to());
    }
    bytes
}

fn is_printed(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7f || b"\t\n\r".contains(&byte)
}

/// The value of a character of either alphabet (RFC 4648, 4 and 5).
fn sextet(byte: u8) -> Option<u8> {
    let value = SEXTETS.get(usize::from(byte)).copied().unwrap_or(NONE);
    (value != NONE).then_some(value)
}

/// What stands for no character of an alphabet.
const NONE: u8 = u8::MAX;

/// Values by byte: every byte of every text is looked up here, or one in sixteen of it.
static SEXTETS: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        #[allow(clippy::indexing_slicing)]
        {
            table[byte as usize] = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => NONE,
            };
        }
        byte += 1;
    }
    table
};
