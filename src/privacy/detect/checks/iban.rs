//! International bank account numbers (ISO 13616): a country's length, and a remainder of 1 modulo 97.

use std::ops::Range;

use crate::privacy::detect::rule::Found;

/// Lengths by country, of the registry that SWIFT keeps.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// As many of the characters as the country's numbers have, where the check digits agree.
pub(in super::super) fn iban(found: &Found<'_>) -> Option<Range<usize>> {
    let secret = found.secret();
    let country = secret.get(..2)?.to_ascii_uppercase();
    let (_, length) = LENGTHS.iter().find(|(known, _)| known.as_slice() == country)?;
    let mut taken = Vec::with_capacity(*length);
    let mut end = 0;
    for (offset, byte) in secret.iter().enumerate() {
        if byte.is_ascii_alphanumeric() {
            taken.push(byte.to_ascii_uppercase());
            end = offset + 1;
        }
        if taken.len() == *length {
            break;
        }
    }
    let goes_on = secret.get(end).is_some_and(u8::is_ascii_alphanumeric);
    (taken.len() == *length && !goes_on && remainder(&taken) == 1).then(|| found.secret.start..found.secret.start + end)
}

/// The first four characters moved to the end, letters as numbers from 10, modulo 97.
fn remainder(number: &[u8]) -> u32 {
    let moved = number.iter().skip(4).chain(number.iter().take(4));
    moved.fold(0, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte.wrapping_sub(b'A')) + 10) % 97,
    })
}
