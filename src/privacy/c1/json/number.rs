//! Numbers: their grammar, and how ECMAScript writes them.

/// A number, read.
pub(super) struct Number {
    /// How many bytes of input it takes.
    pub(super) length: usize,
    /// Whether it has neither a fraction nor an exponent.
    pub(super) is_integer: bool,
}

/// More digits than any finite double has before its point.
const MOST_DIGITS: usize = 309;

/// Reads the number that `bytes` begins with.
pub(super) fn read(bytes: &[u8]) -> Option<Number> {
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let digits = digits_from(bytes, sign);
    // No digit, or one more after a leading zero.
    if digits == 0 || digits > 1 && bytes.get(sign) == Some(&b'0') {
        return None;
    }
    let mut length = sign + digits;
    let mut is_integer = true;
    if bytes.get(length) == Some(&b'.') {
        is_integer = false;
        let fraction = digits_from(bytes, length + 1);
        if fraction == 0 {
            return None;
        }
        length += 1 + fraction;
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        is_integer = false;
        length += 1 + usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits_from(bytes, length);
        if exponent == 0 {
            return None;
        }
        length += exponent;
    }
    Some(Number { length, is_integer })
}

fn digits_from(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

/// How a number is written. An integer keeps its literal, since as a double it might be rounded; but there is no minus
/// zero. Nothing for a number beyond a double.
pub(super) fn format<'b>(literal: &'b [u8], is_integer: bool, buffer: &'b mut ryu_js::Buffer) -> Option<&'b [u8]> {
    if is_integer && literal.len() < MOST_DIGITS {
        return Some(if literal == b"-0" { b"0" } else { literal });
    }
    let double: f64 = std::str::from_utf8(literal).ok()?.parse().ok()?;
    if !double.is_finite() {
        return None;
    }
    Some(if is_integer { literal } else { buffer.format_finite(double).as_bytes() })
}
