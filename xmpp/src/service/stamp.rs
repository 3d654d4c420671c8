//! Time stamps of delayed deliveries (XEP-0082 §3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The moment `age` before now in UTC, to the second: `2026-11-22T18:00:00Z`.
pub(crate) fn ago(age: Duration) -> String {
    // The one place of the service that looks at a wall clock: a stamp means nothing on another one.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format(since.saturating_sub(age).as_secs())
}

/// The wall clock now, in seconds since 1970.
pub(crate) fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Reads a date and time of XEP-0082 §3.2, to the second; the zone is `Z` or an offset. `None` if it is none,
/// or before 1970.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let zone = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone);
    // Fractions are cut off.
    let mut clock = clock.split_once('.').map_or(clock, |(clock, _)| clock).splitn(3, ':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !fits {
        return None;
    }
    let local = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    match zone.split_at(1) {
        ("Z", "") => Some(local),
        ("+", offset) => local.checked_sub(seconds_of(offset)?),
        ("-", offset) => local.checked_add(seconds_of(offset)?),
        _ => None,
    }
}

/// Digits only: `parse` alone would take a sign.
fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// An offset `hh:mm` in seconds.
fn seconds_of(offset: &str) -> Option<u64> {
    let (hours, minutes) = offset.split_once(':')?;
    Some(number(hours)?.min(24) * 3600 + number(minutes)?.min(59) * 60)
}

/// Days since 1970 of a date from then on; years begin in March, so that leap days come last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).saturating_sub(719_468)
}

/// The moment in `time` from now, likewise.
pub(crate) fn ahead(time: Duration) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format(since.saturating_add(time).as_secs())
}

/// `seconds` since 1970 as date and time. Years from March, so that leap days come last.
pub(crate) fn format(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_around_leap_days() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_772_323_200, "2026-03-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(format(seconds), text);
            assert_eq!(parse(text), Some(seconds));
        }
    }

    #[test]
    fn zones_and_fractions_are_read_and_nonsense_is_not() {
        assert_eq!(parse("1970-01-01T01:30:00+01:30"), Some(0));
        assert_eq!(parse("1969-12-31T19:00:00-05:00"), None, "years before 1970 are not");
        assert_eq!(parse("1970-01-01T00:00:00-05:00"), Some(5 * 3600));
        assert_eq!(parse("2026-03-01T00:00:00.123Z"), Some(1_772_323_200));
        for text in [
            "",
            "presence",
            "2026-03-01",
            "2026-03-01T00:00:00",
            "2026-13-01T00:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T00:00Z",
            "+026-03-01T00:00:00Z",
            "1970-01-01T00:00:00+01:00",
            "2026-03-01T00:00:00Zx",
            "99999-03-01T00:00:00Z",
            "2026-03-01T00:00:00+1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
