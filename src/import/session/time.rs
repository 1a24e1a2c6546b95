//! Times as session files write them: RFC 3339 with a zone.

/// Nanoseconds since 1970; nothing for a text that is no such time, or one before 1970.
pub fn unix_nanos(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut parts = date.split('-').map(digits);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some()
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || !(1970..=2262).contains(&year)
    {
        return None;
    }
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at_checked(zone)?;
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = whole.split(':').map(digits);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + (hour * 3600 + minute * 60 + second).cast_signed() - offset(zone)?;
    let seconds = u64::try_from(seconds).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos(fraction)?)
}

fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn nanos(fraction: &str) -> Option<u64> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let all = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(all.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// The seconds that a zone is ahead.
fn offset(zone: &str) -> Option<i64> {
    let Some(rest) = zone.strip_prefix(['+', '-']) else { return (zone.len() == 1).then_some(0) };
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = (digits(hours)? * 3600 + digits(minutes)? * 60).cast_signed();
    Some(if zone.starts_with('-') { -seconds } else { seconds })
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
        ] {
            assert_eq!(unix_nanos(text), None, "{text}");
        }
    }
}
