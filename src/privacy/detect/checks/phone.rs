//! Telephone numbers: international (E.164) with their country's lengths, and national in the forms that countries write.

use std::ops::Range;

use crate::privacy::detect::rule::Found;

/// Country codes, and how many digits may follow them.
const COUNTRIES: &[(&str, u8, u8)] = &[
    ("1", 10, 10),
    ("7", 10, 10),
    ("20", 8, 10),
    ("27", 9, 9),
    ("30", 10, 10),
    ("31", 9, 9),
    ("32", 8, 9),
    ("33", 9, 9),
    ("34", 9, 9),
    ("36", 8, 9),
    ("39", 8, 11),
    ("40", 9, 9),
    ("41", 9, 9),
    ("43", 6, 13),
    ("44", 9, 10),
    ("45", 8, 8),
    ("46", 7, 10),
    ("47", 8, 8),
    ("48", 9, 9),
    ("49", 7, 12),
    ("51", 8, 9),
    ("52", 10, 11),
    ("53", 8, 8),
    ("54", 10, 11),
    ("55", 10, 11),
    ("56", 8, 9),
    ("57", 8, 10),
    ("58", 10, 10),
    ("60", 8, 10),
    ("61", 9, 9),
    ("62", 8, 12),
    ("63", 8, 10),
    ("64", 8, 10),
    ("65", 8, 8),
    ("66", 8, 9),
    ("81", 9, 10),
    ("82", 8, 10),
    ("84", 9, 10),
    ("86", 10, 11),
    ("90", 10, 10),
    ("91", 10, 10),
    ("92", 9, 10),
    ("93", 9, 9),
    ("94", 9, 9),
    ("95", 7, 10),
    ("98", 10, 10),
];

/// A number after `+`, or after `00`.
pub(in super::super) fn international(found: &Found<'_>) -> Option<Range<usize>> {
    let range = within_line(found)?;
    let bytes = found.text.get(range.clone())?;
    let before = found.secret.start.checked_sub(1).and_then(|before| found.text.get(before));
    if before.is_some_and(|byte| {
        byte.is_ascii_alphanumeric() || b"+)]=_.-/%".contains(byte) && !stands_after(found, b"=") && *byte != b'/'
    }) {
        return None;
    }
    let digits: Vec<u8> = digits(&without_trunk(bytes));
    let digits = digits.strip_prefix(b"00").unwrap_or(&digits);
    if matches!(before, Some(b',' | b'.')) && preceded_by_digit(found.text, range.start) {
        return None;
    }
    let after = found.text.get(range.end..).unwrap_or_default();
    let goes_on = matches!(after, [b'.' | b',' | b':', digit, ..] if digit.is_ascii_digit())
        || after.first().is_some_and(u8::is_ascii_alphanumeric);
    (is_known(digits) && !goes_on && !follows_group(found.text, range.start)).then_some(range)
}

/// Whether a group of four comes before, as in account and serial numbers.
fn follows_group(text: &[u8], start: usize) -> bool {
    let group = start.checked_sub(5).and_then(|from| text.get(from..start));
    group.is_some_and(|group| matches!(group, [four @ .., b' '] if four.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())))
}

/// Whether `key=+49…` is meant: an assignment, not a sum.
fn stands_after(found: &Found<'_>, byte: &[u8]) -> bool {
    found.text.get(..found.secret.start).is_some_and(|text| text.ends_with(byte))
}

/// A number in one of the national forms that the pattern has, of digits that a number can have.
pub(in super::super) fn national(found: &Found<'_>) -> Option<Range<usize>> {
    let range = found.secret.clone();
    let before = range.start.checked_sub(1).and_then(|before| found.text.get(before));
    let after = found.text.get(range.end..).unwrap_or_default();
    let goes_on = matches!(after, [b'.' | b',' | b':' | b'-' | b'/' | b' ', digit, ..] if digit.is_ascii_digit())
        || after.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"%_".contains(byte));
    let pairs = before == Some(&b' ') && preceded_by_digit(found.text, range.start);
    let comes_on = pairs
        || before.is_some_and(|byte| b".-/_#+$,:".contains(byte))
            && !matches!(before, Some(b':' | b',') if !preceded_by_digit(found.text, range.start));
    let bytes = found.secret();
    let national_digits = digits(bytes);
    // North America's: no area begins with 0 or 1, no exchange with 0; 123-456-7890 is what people write for any number.
    let free = bytes.starts_with(b"1300 ") || bytes.starts_with(b"1800 ");
    let american = national_digits.len() == 10 && !bytes.starts_with(b"0") && !bytes.starts_with(b"(0") && !free
        || national_digits.len() == 11 && bytes.starts_with(b"1");
    let offset = usize::from(national_digits.len() == 11);
    let begins = |at: usize, least: u8| national_digits.get(at).is_some_and(|digit| *digit >= least);
    let valid = !american
        || bytes.starts_with(b"(") && national_digits.len() == 10 && bytes.get(3) == Some(&b')')
        || begins(offset, b'2') && begins(offset + 3, b'1')
        || national_digits == b"1234567890";
    (valid && !is_counted(bytes) && !goes_on && !comes_on && !follows_group(found.text, range.start)).then_some(range)
}

/// `01 02 03 04 05`: days, hours or bytes that are counted.
fn is_counted(bytes: &[u8]) -> bool {
    let pairs = bytes.chunks(3).map(|pair| match pair {
        [tens, ones, ..] => tens.wrapping_sub(b'0').wrapping_mul(10).wrapping_add(ones.wrapping_sub(b'0')),
        _ => 0,
    });
    let is_pairs = bytes.len() == 14 && bytes.iter().skip(2).step_by(3).all(|byte| *byte == b' ');
    is_pairs && pairs.clone().zip(pairs.skip(1)).all(|(one, next)| one.wrapping_add(1) == next)
}

fn preceded_by_digit(text: &[u8], start: usize) -> bool {
    start.checked_sub(2).and_then(|before| text.get(before)).is_some_and(u8::is_ascii_digit)
}

/// A number that its name makes one: `phone: 4155552671`, `tel. 030 1234567`.
pub(in super::super) fn named(found: &Found<'_>) -> Option<Range<usize>> {
    let range = found.secret.clone();
    let count = digits(found.secret()).len();
    let after = found.text.get(range.end..).unwrap_or_default();
    let goes_on = after.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_%".contains(byte));
    let varied = digits(found.secret()).windows(2).any(|pair| matches!(pair, [a, b] if a != b));
    ((7..=15).contains(&count) && !goes_on && varied).then_some(range)
}

/// The stretch that the pattern found, up to the end of its line and without what separates at its end.
fn within_line(found: &Found<'_>) -> Option<Range<usize>> {
    let bytes = found.secret();
    let last = bytes.iter().rposition(u8::is_ascii_digit)?;
    Some(found.secret.start..found.secret.start + last + 1)
}

fn digits(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(u8::is_ascii_digit).collect()
}

/// `+44 (0)20 …`: the trunk prefix in brackets is not dialled.
fn without_trunk(bytes: &[u8]) -> Vec<u8> {
    match memchr::memmem::find(bytes, b"(0)") {
        Some(at) => [bytes.get(..at).unwrap_or_default(), bytes.get(at + 3..).unwrap_or_default()].concat(),
        None => bytes.to_vec(),
    }
}

fn is_known(digits: &[u8]) -> bool {
    let length = digits.len();
    let listed = COUNTRIES.iter().find(|(code, ..)| digits.starts_with(code.as_bytes()));
    match listed {
        Some((code, least, most)) => {
            let rest = length - code.len();
            let american = *code != "1" || matches!(digits, [_, b'2'..=b'9', _, _, b'1'..=b'9', ..]);
            (usize::from(*least)..=usize::from(*most)).contains(&rest) && american
        }
        // Codes of three digits: 21x to 99x, and none that begins with 0.
        None => matches!(digits, [b'2' | b'3' | b'4' | b'5' | b'6' | b'8' | b'9', ..]) && (10..=15).contains(&length),
    }
}

/// Social security numbers of the United States: no area 000, 666 or from 900, no group 00, no serial 0000.
pub(in super::super) fn ssn(found: &Found<'_>) -> Option<Range<usize>> {
    let digits = digits(found.secret());
    let is_area = !matches!(digits.as_slice(), [b'9', ..] | [b'0', b'0', b'0', ..] | [b'6', b'6', b'6', ..]);
    let is_group = digits.get(3..5) != Some(b"00");
    let is_serial = digits.get(5..9) != Some(b"0000");
    let before = found.secret.start.checked_sub(1).and_then(|before| found.text.get(before));
    let after = found.text.get(found.secret.end..).unwrap_or_default();
    let alone = !before.is_some_and(|byte| b"-./_+".contains(byte))
        && !matches!(after, [b'-' | b'/' | b'_', ..] | [b'.', b'0'..=b'9', ..]);
    (is_area && is_group && is_serial && alone).then(|| found.secret.clone())
}
