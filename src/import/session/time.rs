//! Times as session files write them: RFC 3339 with a zone.

/// Nanoseconds since 1970; nothing for a text that is no such time, or one before 1970.
pub fn unix_nanos(text: &str) -> Option<u64> {
    text.as_bytes().as_array().and_then(of_milliseconds).or_else(|| of_any(text))
}

/// Of the form that most rows have, `2026-05-27T00:52:05.060Z`; nothing for any other.
fn of_milliseconds(text: &[u8; 24]) -> Option<u64> {
    let [ya, yb, yc, yd, b'-', ma, mb, b'-', da, db, b'T', ha, hb, b':', ia, ib, b':', sa, sb, b'.', fa, fb, fc, b'Z'] =
        *text
    else {
        return None;
    };
    let digits =
        [ya, yb, yc, yd, ma, mb, da, db, ha, hb, ia, ib, sa, sb, fa, fb, fc].map(|byte| byte.wrapping_sub(b'0'));
    // Without a way out of the loop it is done for all at once.
    if digits.iter().fold(false, |any, digit| any | (*digit > 9)) {
        return None;
    }
    let [ya, yb, yc, yd, ma, mb, da, db, ha, hb, ia, ib, sa, sb, fa, fb, fc] = digits.map(u64::from);
    let date = (ya * 1000 + yb * 100 + yc * 10 + yd, ma * 10 + mb, da * 10 + db);
    let clock = (ha * 10 + hb, ia * 10 + ib, sa * 10 + sb);
    at(date, clock, (fa * 100 + fb * 10 + fc) * 1_000_000, 0)
}

fn of_any(text: &str) -> Option<u64> {
    let mut rest = Rest(text.as_bytes());
    let date = (rest.number()?, rest.after(b"-")?.number()?, rest.after(b"-")?.number()?);
    let clock = (rest.after(b"Tt ")?.number()?, rest.after(b":")?.number()?, rest.after(b":")?.number()?);
    let nanos = if rest.after(b".").is_some() { rest.nanos()? } else { 0 };
    let ahead = rest.offset()?;
    rest.0.is_empty().then(|| at(date, clock, nanos, ahead))?
}

/// Of a date and a time of day, so many seconds ahead of UTC.
fn at((year, month, day): Numbers, (hour, minute, second): Numbers, nanos: u64, ahead: i64) -> Option<u64> {
    let is_day = (1..=12).contains(&month) && (1..=31).contains(&day) && (1970..=2262).contains(&year);
    if !is_day || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + (hour * 3600 + minute * 60 + second).cast_signed() - ahead;
    u64::try_from(seconds).ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)
}

type Numbers = (u64, u64, u64);

/// What is left of a text.
struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    fn next(&mut self, is_one: impl Fn(u8) -> bool) -> Option<u8> {
        let (byte, rest) = self.0.split_first().filter(|(byte, _)| is_one(**byte))?;
        self.0 = rest;
        Some(*byte)
    }

    /// What comes after one of these.
    fn after(&mut self, signs: &[u8]) -> Option<&mut Self> {
        self.next(|byte| signs.contains(&byte)).map(|_| self)
    }

    fn digit(&mut self) -> Option<u64> {
        self.next(|byte| byte.is_ascii_digit()).map(|digit| u64::from(digit - b'0'))
    }

    /// A number of at most four digits.
    fn number(&mut self) -> Option<u64> {
        let mut number = self.digit()?;
        for _ in 1..4 {
            let Some(digit) = self.digit() else { break };
            number = number * 10 + digit;
        }
        Some(number)
    }

    /// The digits of a fraction; those behind the ninth say nothing.
    fn nanos(&mut self) -> Option<u64> {
        let (mut nanos, mut place) = (self.digit()? * 100_000_000, 10_000_000);
        while let Some(digit) = self.digit() {
            nanos += digit * place;
            place /= 10;
        }
        Some(nanos)
    }

    /// The seconds that a zone is ahead.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.next(|byte| b"Zz+-".contains(&byte))? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let (hours, minutes) = (self.number()?, self.after(b":")?.number()?);
        Some(sign * (hours * 3600 + minutes * 60).cast_signed())
    }
}

/// Days since 1970-01-01 of a day of the Gregorian calendar (Howard Hinnant, `days_from_civil`).
fn days(year: u64, month: u64, day: u64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_era).cast_signed() - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_fraction_and_zone() {
        assert_eq!(unix_nanos("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_nanos("2026-05-27T00:52:05.060Z"), Some(1_779_843_125_060_000_000));
        assert_eq!(unix_nanos("2026-05-27T02:52:05.06+02:00"), Some(1_779_843_125_060_000_000));
        assert_eq!(unix_nanos("2000-02-29T12:00:00.123456789-05:30"), Some(951_845_400_123_456_789));
    }

    proptest::proptest! {
        #[test]
        fn the_usual_form_is_read_as_any_other(
            text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z",
            near in "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z",
            (place, byte) in (0..24_usize, proptest::prelude::any::<u8>()),
        ) {
            let mut changed = near.clone().into_bytes();
            changed[place] = byte & 0x7f;
            for text in [text, near, String::from_utf8(changed).unwrap()] {
                proptest::prop_assert_eq!(unix_nanos(&text), of_any(&text), "{}", text);
            }
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "now",
            "2026-05-27",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "1969-12-31T23:59:59Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+xx:00",
            "99999-01-01T00:00:00Z",
            "2026-01-01T00:00:00.é",
            "2026-01-01T00:00:00Zx",
            "2026-01-01T00:00:00+0100",
            "2026-01-01-01T00:00:00Z",
            "2026-01-01T00:00Z",
            "02026-01-01T00:00:00Z",
        ] {
            assert_eq!(unix_nanos(text), None, "{text}");
        }
    }
}
