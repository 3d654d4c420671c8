//! The times an operator types.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A span of time, as exact as it was given: a minute or a second long. Its end does not belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

impl Moment {
    /// Milliseconds between it and `at`; 0 within it.
    pub fn distance(&self, at: Timestamp) -> i64 {
        let (from, until, at) =
            (self.from.as_millisecond(), self.until.as_millisecond() - 1, at.as_millisecond());
        (from - at).max(at - until).max(0)
    }
}

/// Reads `10:42`, `10:42:30` (the last such time before `now`), or a date and time, with an offset or in `zone`.
///
/// # Errors
/// What is no time, and a time that the clock of `zone` shows twice or never.
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> anyhow::Result<Moment> {
    let bad =
        || anyhow::anyhow!("{text} is no time: 10:42, 10:42:30, 2026-03-02T10:42 or 2026-03-02T09:42:30Z");
    let text_of_time = text.rsplit_once(['T', ' ']).map_or(text, |(_, time)| time);
    let clock = text_of_time.split(['Z', 'z', '+', '-', '.']).next().unwrap_or_default();
    let seconds: i64 = match clock.split(':').count() {
        2 => 60,
        3 => 1,
        _ => return Err(bad()),
    };
    let long = |from: Timestamp| -> anyhow::Result<Moment> {
        Ok(Moment { from, until: from.checked_add(Span::new().seconds(seconds))? })
    };
    if let Ok(exact) = text.parse::<Timestamp>() {
        return long(exact);
    }
    let in_zone = |at: DateTime| -> anyhow::Result<Timestamp> {
        let at = zone.to_ambiguous_zoned(at);
        anyhow::ensure!(
            !at.is_ambiguous(),
            "the clock of this machine showed {text} twice or never: give the offset, as in 2026-10-25T02:30+01:00"
        );
        Ok(at.unambiguous()?.timestamp())
    };
    if text_of_time.len() != text.len() {
        return long(in_zone(text.parse::<DateTime>().map_err(|_| bad())?)?);
    }
    let time: Time = text.parse().map_err(|_| bad())?;
    let today: Date = now.to_zoned(zone.clone()).date();
    let from = in_zone(today.to_datetime(time))?;
    match from > now {
        true => long(in_zone(today.yesterday()?.to_datetime(time))?),
        false => long(from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> Result<String, String> {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").map_err(|error| error.to_string())?;
        let now = "2026-03-02T11:00:00Z".parse().unwrap();
        let moment = parse(text, now, &zone).map_err(|error| error.to_string())?;
        Ok(format!("{} {}", moment.from, moment.until.duration_since(moment.from).as_secs()))
    }

    #[test]
    fn a_time_is_as_exact_as_it_is_given() {
        assert_eq!(from("10:42").unwrap(), "2026-03-02T09:42:00Z 60");
        assert_eq!(from("10:42:30").unwrap(), "2026-03-02T09:42:30Z 1");
        assert_eq!(from("23:59").unwrap(), "2026-03-01T22:59:00Z 60", "yesterday: today's is to come");
        assert_eq!(from("2026-02-01T10:42").unwrap(), "2026-02-01T09:42:00Z 60");
        assert_eq!(from("2026-02-01T10:42:07Z").unwrap(), "2026-02-01T10:42:07Z 1");
    }

    #[test]
    fn what_is_no_time_or_two_is_refused() {
        for bad in ["", "10", "25:00", "10:42pm", "yesterday", "2026-02-30T10:42"] {
            assert!(from(bad).unwrap_err().contains("is no time"), "{bad}");
        }
        assert!(from("2025-10-26T02:30").unwrap_err().contains("twice or never"));
        assert_eq!(from("2025-10-26T02:30:00+01:00").unwrap(), "2025-10-26T01:30:00Z 1");
    }
}
