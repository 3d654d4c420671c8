//! Damping of what comes and goes, after route-flap damping (RFC 2439): losses add up, and are forgiven with time.

use std::time::{Duration, Instant};

/// When something that comes and goes is no longer believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damping {
    /// So many losses cost nothing.
    pub free: u32,
    /// How long it has to hold after one more than that; twice as long after each further one.
    pub first: Duration,
    /// The longest that is asked of it.
    pub longest: Duration,
    /// In this time one loss is forgiven.
    pub forgive: Duration,
}

impl Default for Damping {
    fn default() -> Self {
        Self {
            free: 3,
            first: Duration::from_secs(10),
            longest: Duration::from_secs(120),
            forgive: Duration::from_secs(120),
        }
    }
}

impl Damping {
    /// Everything is believed at once.
    pub const OFF: Self =
        Self { free: u32::MAX, first: Duration::ZERO, longest: Duration::ZERO, forgive: Duration::ZERO };
}

/// Counts the losses of one thing.
///
/// ```
/// use cti::failover::Damper;
/// use std::time::{Duration, Instant};
///
/// let (mut damper, now) = (Damper::default(), Instant::now());
/// (0..3).for_each(|_| damper.lost(now));
/// assert_eq!(damper.steady(now), Duration::ZERO);
/// damper.lost(now);
/// assert_eq!(damper.steady(now), Duration::from_secs(10));
/// assert_eq!(damper.steady(now + Duration::from_secs(120)), Duration::ZERO);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Damper {
    rules: Damping,
    losses: u32,
    /// When the last loss was.
    last: Option<Instant>,
}

impl Damper {
    /// Nothing has been lost so far.
    pub fn new(rules: Damping) -> Self {
        Self { rules, losses: 0, last: None }
    }

    /// It has gone.
    pub fn lost(&mut self, now: Instant) {
        self.losses = self.held_against(now).saturating_add(1);
        self.last = Some(now);
    }

    /// How long it has to hold before it is believed again.
    pub fn steady(&self, now: Instant) -> Duration {
        let beyond = self.held_against(now).saturating_sub(self.rules.free);
        match beyond.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => {
                self.rules.first.saturating_mul(1 << doublings.min(16)).min(self.rules.longest)
            }
        }
    }

    /// Whether it was lost so often that it is not believed at the moment.
    pub fn is_barred(&self, now: Instant) -> bool {
        self.last.is_some_and(|last| now.saturating_duration_since(last) < self.steady(now))
    }

    /// Losses that are not forgiven yet.
    fn held_against(&self, now: Instant) -> u32 {
        let since = self.last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        let forgiven = since.as_nanos().checked_div(self.rules.forgive.as_nanos()).unwrap_or(0);
        self.losses.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn the_time_it_has_to_hold_grows_to_a_bound() {
        let (mut damper, now) = (Damper::default(), Instant::now());
        let mut times = Vec::new();
        for _ in 0..9 {
            damper.lost(now);
            times.push(damper.steady(now).as_secs());
        }
        assert_eq!(times, [0, 0, 0, 10, 20, 40, 80, 120, 120]);
        assert!(damper.is_barred(now + seconds(119)));
    }

    #[test]
    fn losses_are_forgiven_one_after_the_other() {
        let (mut damper, now) = (Damper::default(), Instant::now());
        (0..5).for_each(|_| damper.lost(now));
        let steady = |after| damper.steady(now + seconds(after)).as_secs();
        assert_eq!([steady(119), steady(120), steady(240), steady(100_000)], [20, 10, 0, 0]);
        let mut later = damper.clone();
        later.lost(now + seconds(240));
        assert_eq!(later.steady(now + seconds(240)), seconds(10), "three were left, and this one");
    }

    #[test]
    fn switched_off_it_believes_everything() {
        let (mut damper, now) = (Damper::new(Damping::OFF), Instant::now());
        (0..100).for_each(|_| damper.lost(now));
        assert_eq!(damper.steady(now), Duration::ZERO);
        assert!(!damper.is_barred(now));
    }
}
