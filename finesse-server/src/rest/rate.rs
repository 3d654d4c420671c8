//! How many requests a user makes: a token bucket for each, kept as the time at which it will be full.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Buckets of all users. Only authenticated users get one, so the realm bounds their number.
pub(super) struct Rates {
    /// Time one request is worth; zero: no limit.
    interval: Duration,
    /// What a full bucket is worth.
    depth: Duration,
    full_at: Mutex<HashMap<Arc<str>, Instant>>,
}

impl Rates {
    /// `rate` requests per second, `burst` at once; rate 0: no limit.
    pub(super) fn new(rate: u32, burst: u32) -> Rates {
        let interval = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
        Rates { interval, depth: interval * burst, full_at: Mutex::default() }
    }

    /// Takes one request out of a user's bucket, or says how long until there is one.
    pub(super) fn admit(&self, user: &Arc<str>, now: Instant) -> Result<(), Duration> {
        if self.interval.is_zero() {
            return Ok(());
        }
        let mut full_at = self.full_at.lock();
        let entry = full_at.entry(user.clone()).or_insert(now);
        let next = (*entry).max(now) + self.interval;
        match (next - now).checked_sub(self.depth) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *entry = next;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds_for_each_user() {
        let rates = Rates::new(50, 100);
        let (anna, bert): (Arc<str>, Arc<str>) = ("1001".into(), "1002".into());
        let now = Instant::now();
        for n in 0..100 {
            assert!(rates.admit(&anna, now).is_ok(), "{n}");
        }
        assert_eq!(rates.admit(&anna, now), Err(Duration::from_millis(20)));
        assert!(rates.admit(&bert, now).is_ok());
        let later = now + Duration::from_millis(40);
        assert!(rates.admit(&anna, later).is_ok() && rates.admit(&anna, later).is_ok());
        assert!(rates.admit(&anna, later).is_err());
    }

    #[test]
    fn rate_zero_is_no_limit() {
        let rates = Rates::new(0, 1);
        let now = Instant::now();
        assert!((0..1000).all(|_| rates.admit(&"1001".into(), now).is_ok()));
    }
}
