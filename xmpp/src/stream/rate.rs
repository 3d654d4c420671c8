//! Stanza rate of one session: a virtual-clock bucket in one instant.

use std::time::{Duration, Instant};

/// Allows a burst at once and a steady rate after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// When everything taken so far would have been taken at the steady rate.
    taken_until: Instant,
    interval: Duration,
    burst: Duration,
}

/// Delay beyond the burst after which a session that cannot be slowed down is too fast.
const BEHIND: Duration = Duration::from_secs(30);

impl Rate {
    /// `per_second` of 0 counts as 1.
    pub(super) fn new(now: Instant, per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { taken_until: now, interval, burst: interval * burst }
    }

    /// Counts one stanza.
    pub(super) fn take(&mut self, now: Instant) {
        self.taken_until = self.taken_until.max(now) + self.interval;
    }

    /// When the next stanza may be read; `None`: now.
    pub(super) fn blocked_until(&self, now: Instant) -> Option<Instant> {
        let free = self.taken_until.checked_sub(self.burst)?;
        (free > now).then_some(free)
    }

    /// True for a sender that ignores being slowed down.
    pub(super) fn is_exceeded(&self, now: Instant) -> bool {
        self.taken_until > now + self.burst + BEHIND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_then_steady() {
        let start = Instant::now();
        let mut rate = Rate::new(start, 50, 200);
        for _ in 0..200 {
            assert_eq!(rate.blocked_until(start), None);
            rate.take(start);
        }
        assert_eq!(rate.blocked_until(start), None);
        rate.take(start);
        assert_eq!(rate.blocked_until(start), Some(start + Duration::from_millis(20)));
        assert_eq!(rate.blocked_until(start + Duration::from_millis(20)), None);
    }
}
