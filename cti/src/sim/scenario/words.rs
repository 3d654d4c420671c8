//! Durations as scenarios write them: `90s`, `1m30s`, `500ms`, and ranges such as `2s..5s`.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};

use super::super::Span;

/// A duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time(pub(super) Duration);

/// A range of durations; one duration is a range of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times(pub(super) Span);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        duration(&text).map(Self).ok_or_else(|| D::Error::custom(not_a_time(&text)))
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let (min, max) = text.split_once("..").unwrap_or((&text, &text));
        match (duration(min), duration(max)) {
            (Some(min), Some(max)) if min <= max => Ok(Self(Span { min, max })),
            (Some(_), Some(_)) => Err(D::Error::custom(format!("{text:?} ends before it begins"))),
            _ => Err(D::Error::custom(not_a_time(&text))),
        }
    }
}

fn not_a_time(text: &str) -> String {
    format!("{text:?} is no duration; write 500ms, 20s, 5m, 1h or several together")
}

/// Numbers with units, one behind the other.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut sum = (!rest.is_empty()).then_some(Duration::ZERO)?;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let millis = match &rest[..unit] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        sum = sum.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
        rest = &rest[unit..];
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, millis) in
            [("500ms", 500), ("20s", 20_000), ("1m30s", 90_000), ("2h", 7_200_000), ("0s", 0)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "20", "s", "20 s", "1.5s", "-1s", "1d", "99999999999999999999s", "9999999999999999h"]
        {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
