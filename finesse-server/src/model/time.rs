//! Time as the model sees it: handed in by the caller, never read from a clock.

use std::fmt;
use std::time::Instant;

/// One moment on both clocks: the steady one for deadlines, the calendar for what clients read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For deadlines.
    pub instant: Instant,
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub utc_ms: i64,
}

/// A moment of the calendar in milliseconds since 1970, printed as `2024-02-05T09:14:03.120Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Utc(pub i64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.3}"),
            // Out of the calendar's range: a time that cannot be determined is empty.
            Err(_) => Ok(()),
        }
    }
}

/// As [`Utc`], without the fraction: queue statistics print it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UtcSeconds(pub i64);

impl fmt::Display for UtcSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.0}"),
            Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_with_exactly_three_digits_or_none() {
        assert_eq!(Utc(1_707_124_443_120).to_string(), "2024-02-05T09:14:03.120Z");
        assert_eq!(Utc(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(UtcSeconds(1_707_124_443_120).to_string(), "2024-02-05T09:14:03Z");
        assert_eq!(Utc(i64::MAX).to_string(), "");
    }
}
