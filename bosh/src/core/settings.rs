//! What the server offers, and what becomes of it when a client asks for less.

use std::time::Duration;

use super::Condition;
use super::body::{Creation, decimal};

/// Bounds and defaults of all sessions of an endpoint.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Longest `wait`, and the one of clients that name none.
    pub wait: Duration,
    /// Largest `hold`.
    pub hold: u8,
    /// Shortest interval between empty requests of a polling client.
    pub polling: Duration,
    /// How long a session lives without a request.
    pub inactivity: Duration,
    /// The same for polling sessions (`wait` or `hold` of zero).
    pub inactivity_polling: Duration,
    /// Longest pause; `None` offers none.
    pub max_pause: Option<Duration>,
    /// How much longer than `wait` a missing request id is waited for.
    pub gap_grace: Duration,
    /// How often one request may be repeated.
    pub max_repeats: u8,
    /// Tolerates clients that poll too often.
    pub ignore_overactivity: bool,
    /// Judges bad attributes as the standard says; otherwise they count as missing where
    /// existing servers do so.
    pub strict: bool,
    /// Writes the historic `secure` attribute into session creation answers.
    pub secure_attribute: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(60),
            hold: 2,
            polling: Duration::from_secs(2),
            inactivity: Duration::from_secs(60),
            inactivity_polling: Duration::from_secs(90),
            max_pause: Some(Duration::from_secs(120)),
            gap_grace: Duration::from_secs(5),
            max_repeats: 10,
            ignore_overactivity: false,
            strict: false,
            secure_attribute: false,
        }
    }
}

/// What was agreed on with one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Seconds an answer may be held back.
    pub wait: u16,
    /// Requests that may be held back at once.
    pub hold: u8,
    /// Requests that may be under way at once.
    pub requests: u8,
    /// The version both speak; `None`: a legacy client.
    pub version: Option<(u32, u32)>,
}

impl Terms {
    /// Settles the terms for a session creation request.
    ///
    /// # Errors
    /// `bad-request` for a `ver` that is no pair of integers, and when strict for any number that is none.
    pub fn settle(settings: &Settings, asked: &Creation) -> Result<Self, Condition> {
        let longest = u16::try_from(settings.wait.as_secs()).unwrap_or(u16::MAX);
        let wait = number(settings, asked.wait.as_deref())?.map_or(longest, |wait| clamp(wait, longest));
        let most = settings.hold.clamp(1, 4);
        let hold =
            number(settings, asked.hold.as_deref())?.map_or(1, |hold| clamp(hold, u16::from(most)) as u8);
        let version = asked.ver.as_deref().map(version).transpose()?;
        // Existing servers always offer two, and polling clients may have come to rely on it.
        let requests = (hold + 1).max(2);
        Ok(Self { wait, hold, requests, version: version.map(|v| v.min((1, 11))) })
    }

    /// A polling session: nothing is ever held back.
    pub fn is_polling(&self) -> bool {
        self.wait == 0 || self.hold == 0
    }
}

fn clamp(value: u64, most: u16) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX).min(most)
}

fn number(settings: &Settings, text: Option<&str>) -> Result<Option<u64>, Condition> {
    match text {
        None => Ok(None),
        Some(text) => match decimal(text) {
            None if settings.strict => Err(Condition::BadRequest),
            value => Ok(value),
        },
    }
}

/// `major.minor` as two integers: 1.10 is newer than 1.9 (XEP-0124 §7.1).
fn version(text: &str) -> Result<(u32, u32), Condition> {
    let part = |text| decimal(text).and_then(|n| u32::try_from(n).ok()).ok_or(Condition::BadRequest);
    let (major, minor) = text.split_once('.').ok_or(Condition::BadRequest)?;
    Ok((part(major)?, part(minor)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(wait: &str, hold: &str, ver: Option<&str>) -> Result<Terms, Condition> {
        let asked = Creation {
            wait: Some(wait.into()),
            hold: Some(hold.into()),
            ver: ver.map(Into::into),
            ..Creation::default()
        };
        Terms::settle(&Settings::default(), &asked)
    }

    #[test]
    fn versions_compare_as_integers() {
        assert_eq!(settle("30", "1", Some("1.9")).unwrap().version, Some((1, 9)));
        assert_eq!(settle("30", "1", Some("1.10")).unwrap().version, Some((1, 10)));
        assert_eq!(settle("30", "1", Some("1.12")).unwrap().version, Some((1, 11)));
        assert_eq!(settle("30", "1", Some("2.0")).unwrap().version, Some((1, 11)));
        for bad in ["1", "1.", "x.y", "", "-1.6", "1.6.1"] {
            assert_eq!(settle("30", "1", Some(bad)), Err(Condition::BadRequest), "{bad}");
        }
    }

    #[test]
    fn bad_numbers_count_as_missing_unless_strict() {
        let terms = settle("-1", "x", None).unwrap();
        assert_eq!((terms.wait, terms.hold, terms.requests), (60, 1, 2));
        let strict = Settings { strict: true, ..Settings::default() };
        let asked = Creation { wait: Some("-1".into()), ..Creation::default() };
        assert_eq!(Terms::settle(&strict, &asked), Err(Condition::BadRequest));
    }

    #[test]
    fn requests_is_always_more_than_hold() {
        for hold in ["0", "1", "2", "250", "99999999999"] {
            let terms = settle("999999", hold, None).unwrap();
            assert!(terms.requests > terms.hold && terms.hold <= 2 && terms.wait == 60);
        }
        assert!(settle("0", "1", None).unwrap().is_polling());
        assert!(settle("10", "0", None).unwrap().is_polling());
    }
}
