//! Numbers of payment cards (ISO/IEC 7812): an issuer's prefix and length, and Luhn's check digit.

use std::ops::Range;

use crate::privacy::detect::rule::Found;

/// A card's number, separated nowhere or by one separator throughout.
pub(in super::super) fn card(found: &Found<'_>) -> Option<Range<usize>> {
    let secret = found.secret();
    let separators: Vec<u8> = secret.iter().copied().filter(|byte| !byte.is_ascii_digit()).collect();
    let same = separators.windows(2).all(|pair| matches!(pair, [a, b] if a == b));
    let digits: Vec<u8> = secret.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| byte - b'0').collect();
    let groups: Vec<usize> = secret.split(|byte| !byte.is_ascii_digit()).map(<[u8]>::len).collect();
    let grouped = groups.len() == 1 || is_grouping(&groups);
    let varied = digits.iter().any(|digit| Some(digit) != digits.first());
    let alone = groups.len() == 1 || !stands_in_table(found);
    (same && alone && grouped && varied && is_issued(&digits, groups.len() > 1) && luhn(&digits))
        .then(|| found.secret.clone())
}

/// Whether more groups of four stand before or behind, as in tables of numbers.
fn stands_in_table(found: &Found<'_>) -> bool {
    let is_group = |group: &[u8]| group.len() == 4 && group.iter().all(u8::is_ascii_hexdigit);
    let before = found.secret.start.checked_sub(5).and_then(|from| found.text.get(from..found.secret.start));
    let behind = found.text.get(found.secret.end..).unwrap_or_default();
    let follows = matches!(before, Some([group @ .., b' ']) if is_group(group));
    let goes_on = |from: usize| behind.get(from) == Some(&b' ') && behind.get(from + 1..from + 5).is_some_and(is_group);
    follows || goes_on(0) && goes_on(5)
}

/// As numbers stand on cards: by fours, or 4-6-5 and 4-6-4.
fn is_grouping(groups: &[usize]) -> bool {
    match groups {
        [4, 6, 5] | [4, 6, 4] => true,
        [fours @ .., last] => fours.len() >= 3 && fours.iter().all(|group| *group == 4) && (1..=4).contains(last),
        [] => false,
    }
}

/// Whether an issuer has numbers with this beginning and of this length.
fn is_issued(digits: &[u8], grouped: bool) -> bool {
    let prefix =
        |length: usize| digits.iter().take(length).fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let length = digits.len();
    match (prefix(1), prefix(2), prefix(4)) {
        (4, ..) => length == 16 || matches!(length, 13 | 19) && grouped,
        (_, 51..=55, _) | (_, _, 2221..=2720) => length == 16,
        (_, 34 | 37, _) => length == 15,
        (_, _, 6011) | (_, 65, _) | (_, _, 6440..=6499) | (_, _, 3528..=3589) => {
            length == 16 || (17..=19).contains(&length) && grouped
        }
        (_, 36 | 38 | 39, _) | (_, _, 3000..=3059) => length == 14,
        (_, 62, _) => (16..=19).contains(&length),
        (_, _, 5018 | 5019 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763) => length == 16 || grouped && length == 19,
        (_, _, 2200..=2204) => length == 16,
        _ => false,
    }
}

/// Luhn's check (ISO/IEC 7812-1, annex B).
fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let each = digits.iter().rev().enumerate();
    let sum: u32 =
        each.map(|(place, digit)| if place % 2 == 1 { doubled(u32::from(*digit)) } else { u32::from(*digit) }).sum();
    sum.is_multiple_of(10)
}
