//! Numbers: their grammar, and how ECMAScript writes them.

/// A number, read.
pub(super) struct Number {
    /// How many bytes of input it takes.
    pub(super) length: usize,
    /// Digits before the point, and a minus sign.
    whole: usize,
    /// Digits after the point.
    fraction: usize,
    has_exponent: bool,
}

/// More digits than any finite double has before its point.
const MOST_DIGITS: usize = 309;

/// A decimal of so many digits is the shortest one for its double: two of them never share a double.
const EXACT_DIGITS: usize = 15;

/// The length of a number that is short, and sure to be written as it is: no exponent, no zero at its end or behind `0.`.
#[inline(always)]
pub(super) fn short(bytes: &[u8]) -> Option<usize> {
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let digits = short_digits(bytes, sign);
    let zero = bytes.get(sign) == Some(&b'0');
    if digits == 0 || digits > EXACT_DIGITS || zero && (digits > 1 || sign == 1) {
        return None;
    }
    let mut length = sign + digits;
    if bytes.get(length) == Some(&b'.') {
        let fraction = short_digits(bytes, length + 1);
        let small = zero && bytes.get(length + 1) == Some(&b'0');
        length += 1 + fraction;
        if fraction == 0 || digits + fraction > EXACT_DIGITS || small || bytes.get(length - 1) == Some(&b'0') {
            return None;
        }
    }
    (!matches!(bytes.get(length), Some(b'e' | b'E'))).then_some(length)
}

/// How many digits there are, one more than counts as short at most.
#[inline(always)]
fn short_digits(bytes: &[u8], start: usize) -> usize {
    bytes
        .get(start..)
        .unwrap_or_default()
        .iter()
        .take(EXACT_DIGITS + 1)
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

/// Reads the number that `bytes` begins with.
pub(super) fn read(bytes: &[u8]) -> Option<Number> {
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let digits = digits_from(bytes, sign);
    // No digit, or one more after a leading zero.
    if digits == 0 || digits > 1 && bytes.get(sign) == Some(&b'0') {
        return None;
    }
    let whole = sign + digits;
    let mut number = Number { length: whole, whole, fraction: 0, has_exponent: false };
    if bytes.get(number.length) == Some(&b'.') {
        number.fraction = digits_from(bytes, number.length + 1);
        if number.fraction == 0 {
            return None;
        }
        number.length += 1 + number.fraction;
    }
    if matches!(bytes.get(number.length), Some(b'e' | b'E')) {
        number.has_exponent = true;
        number.length += 1 + usize::from(matches!(bytes.get(number.length + 1), Some(b'+' | b'-')));
        let exponent = digits_from(bytes, number.length);
        if exponent == 0 {
            return None;
        }
        number.length += exponent;
    }
    Some(number)
}

fn digits_from(bytes: &[u8], start: usize) -> usize {
    bytes.get(start..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
}

impl Number {
    /// How it is written. An integer keeps its literal, since as a double it might be rounded; but there is no minus
    /// zero. Nothing for a number beyond a double.
    pub(super) fn format<'b>(&self, literal: &'b [u8], buffer: &'b mut ryu_js::Buffer) -> Option<&'b [u8]> {
        let is_integer = self.fraction == 0 && !self.has_exponent;
        if is_integer && self.length < MOST_DIGITS {
            return Some(if literal == b"-0" { b"0" } else { literal });
        }
        if let Some(decimal) = self.short_decimal(literal) {
            return Some(decimal);
        }
        let double: f64 = std::str::from_utf8(literal).ok()?.parse().ok()?;
        if !double.is_finite() {
            return None;
        }
        Some(if is_integer { literal } else { buffer.format_finite(double).as_bytes() })
    }

    /// The literal without trailing zeros, where that is sure to be what ECMAScript writes: most decimals, and in a tenth
    /// of the time. A number below one is left to the long way, which knows when to write an exponent.
    fn short_decimal<'b>(&self, literal: &'b [u8]) -> Option<&'b [u8]> {
        if self.has_exponent || self.whole + self.fraction > EXACT_DIGITS {
            return None;
        }
        let (whole, fraction) = literal.split_at_checked(self.whole)?;
        if matches!(whole, b"0" | b"-0") && fraction.get(1) == Some(&b'0') {
            return None;
        }
        let zeros = fraction.iter().rev().take_while(|byte| **byte == b'0').count();
        let written = if zeros == self.fraction { self.whole } else { self.length - zeros };
        literal.get(..written)
    }
}
