//! Instants as text: RFC 3339, and whole nanoseconds since 1970.

/// The nanoseconds since 1970 of an instant; nothing for what is none, or lies before 1970 or after 2554.
///
/// Reads RFC 3339 with any fraction and offset. Without an offset it is UTC: producers leave it out where they mean that.
/// Reads whole nanoseconds too.
pub fn instant(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|nanos| *nanos > 0);
    }
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (digits(date.next()?, 4)?, digits(date.next()?, 2)?, digits(date.next()?, 2)?);
    let (clock, offset) = split_offset(time)?;
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, fraction)| (clock, Some(fraction)));
    let mut clock = clock.splitn(3, ':');
    let (hour, minute, second) = (digits(clock.next()?, 2)?, digits(clock.next()?, 2)?, digits(clock.next()?, 2)?);
    // A leap second is told as the 60th.
    let valid = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day) && hour < 24 && minute < 60;
    if !valid || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    let nanos = u64::try_from(seconds).ok()?.checked_mul(1_000_000_000)?;
    nanos.checked_add(fraction.map_or(Some(0), nanoseconds)?)
}

fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// The time of day, and the seconds that it is ahead of UTC.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(place) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (clock, offset) = time.split_at_checked(place)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some((clock, sign * (hours * 3_600 + minutes * 60)))
}

/// What is finer than a nanosecond is cut off.
fn nanoseconds(fraction: &str) -> Option<u64> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept: String = fraction.chars().chain(std::iter::repeat_n('0', 9)).take(9).collect();
    kept.parse().ok()
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970 of the proleptic Gregorian calendar: years begin in March, so that a leap day is their last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_compared_as_instants_and_not_as_text() {
        let noon = 1_767_268_800_000_000_000;
        assert_eq!(instant("2026-01-01T12:00:00Z"), Some(noon));
        assert_eq!(instant("2026-01-01T12:00:00"), Some(noon));
        assert_eq!(instant("2026-01-01 14:00:00.000+02:00"), Some(noon));
        assert_eq!(instant("2026-01-01T12:00:00.500000Z"), Some(noon + 500_000_000));
        assert_eq!(instant("2026-01-01T06:30:00.0000000019-05:30"), Some(noon + 1));
        assert_eq!(instant(&noon.to_string()), Some(noon));
        assert_eq!(instant("1970-01-01T00:00:01Z"), Some(1_000_000_000));
        assert_eq!(instant("2024-02-29T00:00:00Z").map(|nanos| nanos / 86_400_000_000_000), Some(19_782));
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for wrong in [
            "",
            "0",
            "-5",
            "x",
            "2026-01-01",
            "2026-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T12:00Z",
            "2026-01-01T12:00:00.Z",
            "2026-01-01T12:00:00+2",
            "1969-12-31T23:59:59Z",
            "9999-12-31T23:59:59Z",
            "99999999999999999999",
            "2026-1-1T00:00:00Z",
            "2026-01-01T00:00:61Z",
            "२०२६-01-01T00:00:00Z",
        ] {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
    }
}
