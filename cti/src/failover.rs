//! Which side to connect to next, and when.
//!
//! Two CTI servers, A and B, are one logical service (GED-188). Owns the alternation and the back-off, without I/O: the
//! other side at once, then, while both refuse, growing pauses. A side that comes and goes is not taken back while it
//! does ([`Damper`]).

use std::time::{Duration, Instant};

mod damper;

pub use damper::{Damper, Damping};

/// One of the two CTI servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// 0 or 1.
    pub fn index(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}

/// The choice of side.
///
/// ```
/// use cti::failover::{Failover, Side};
/// use std::time::{Duration, Instant};
///
/// let now = Instant::now();
/// let mut failover = Failover::new(now);
/// assert_eq!(failover.next(), (Side::A, now));
/// failover.failed(now);
/// assert_eq!(failover.next(), (Side::B, now));
/// failover.failed(now);
/// assert_eq!(failover.next(), (Side::A, now + Duration::from_secs(2)));
/// ```
#[derive(Clone, Debug)]
pub struct Failover {
    side: Side,
    at: Instant,
    failures: u32,
    up_since: Option<Instant>,
    dampers: [Damper; 2],
    first_pause: Duration,
    longest_pause: Duration,
}

/// A session that held shorter than this counts as one more failure: a server that accepts and drops is not hammered.
const SETTLED: Duration = Duration::from_secs(10);

impl Failover {
    /// Starts with side A at once; pauses grow from 2 s to 30 s.
    pub fn new(now: Instant) -> Self {
        Self::with_pauses(now, Duration::from_secs(2), Duration::from_secs(30))
    }

    /// Starts with side A at once; pauses grow from `first` to `longest`.
    pub fn with_pauses(now: Instant, first: Duration, longest: Duration) -> Self {
        Self {
            side: Side::A,
            at: now,
            failures: 0,
            up_since: None,
            dampers: [Damper::default(), Damper::default()],
            first_pause: first,
            longest_pause: longest,
        }
    }

    /// With other rules for sides that come and go.
    #[must_use]
    pub fn with_damping(mut self, damping: Damping) -> Self {
        self.dampers = [Damper::new(damping), Damper::new(damping)];
        self
    }

    /// Where to connect next, and the earliest moment for it.
    pub fn next(&self) -> (Side, Instant) {
        (self.side, self.at)
    }

    /// A session is open.
    pub fn up(&mut self, now: Instant) {
        self.up_since = Some(now);
    }

    /// The attempt failed, or the session was lost: the other side is next, unless it has come and gone so often that
    /// this one is to be preferred.
    pub fn failed(&mut self, now: Instant) {
        let since = self.up_since.take();
        if since.is_some_and(|since| now.saturating_duration_since(since) >= SETTLED) {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        let other = self.side.other();
        let stays = since.is_some() && {
            self.dampers[self.side.index()].lost(now);
            self.is_barred(now, other) && !self.is_barred(now, self.side)
        };
        if !stays {
            self.side = other;
        }
        self.at = now + self.pause();
    }

    /// The session was given up on purpose, to use `side` from now on.
    pub fn prefer(&mut self, now: Instant, side: Side) {
        self.up_since = None;
        (self.side, self.at, self.failures) = (side, now, 0);
    }

    /// Whether a side has come and gone so often lately that it is not taken back where there is a choice.
    pub fn is_barred(&self, now: Instant, side: Side) -> bool {
        self.dampers[side.index()].is_barred(now)
    }

    /// The attempt failed for a reason that the next one avoids: the same side again, at once.
    pub fn retry(&mut self, now: Instant) {
        self.at = now;
    }

    /// None before the other side is tried; then doubling.
    fn pause(&self) -> Duration {
        match self.failures.checked_sub(2) {
            None => Duration::ZERO,
            Some(doublings) => {
                self.first_pause.saturating_mul(1 << doublings.min(16)).min(self.longest_pause)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn both_sides_refusing_are_tried_in_turn_with_growing_pauses() {
        let start = Instant::now();
        let mut now = start;
        let mut failover = Failover::new(now);
        let mut tried = Vec::new();
        for _ in 0..8 {
            let (side, at) = failover.next();
            now = at;
            tried.push((side, (at - start).as_secs()));
            failover.failed(now);
        }
        use Side::{A, B};
        assert_eq!(tried, [(A, 0), (B, 0), (A, 2), (B, 6), (A, 14), (B, 30), (A, 60), (B, 90)]);
    }

    #[test]
    fn a_lost_session_that_had_settled_leads_to_the_other_side_at_once() {
        let now = Instant::now();
        let mut failover = Failover::new(now);
        for _ in 0..5 {
            failover.failed(now);
        }
        failover.up(now);
        failover.failed(now + seconds(60));
        assert_eq!(failover.next(), (Side::A, now + seconds(60)));
    }

    #[test]
    fn a_server_that_accepts_and_drops_is_not_hammered() {
        let now = Instant::now();
        let mut failover = Failover::new(now);
        for _ in 0..4 {
            failover.up(now);
            failover.failed(now);
        }
        assert_eq!(failover.next(), (Side::A, now + seconds(8)));
    }

    /// Holds a session on the next side for `held`; the side, and the time after it.
    fn session(failover: &mut Failover, held: Duration) -> (Side, Instant) {
        let (side, at) = failover.next();
        failover.up(at);
        failover.failed(at + held);
        (side, at + held)
    }

    #[test]
    fn a_side_that_comes_and_goes_is_not_taken_back() {
        let mut failover = Failover::new(Instant::now());
        let mut now = Instant::now();
        // A falls each time after 15 s.
        for _ in 0..4 {
            assert_eq!(session(&mut failover, seconds(15)).0, Side::A);
            // B refuses, so that A has to be taken.
            let (side, at) = failover.next();
            assert_eq!(side, Side::B);
            failover.failed(at);
            now = at;
        }
        assert!(failover.is_barred(now, Side::A));
        // B is there at last, and is lost once: it is tried again before A.
        failover.prefer(now, Side::B);
        failover.up(now);
        failover.failed(now + seconds(5));
        assert_eq!(failover.next(), (Side::B, now + seconds(5)));
        // It refuses: then A has to do.
        failover.failed(now + seconds(5));
        assert_eq!(failover.next().0, Side::A);
    }

    #[test]
    fn a_side_that_was_barred_is_taken_again_when_it_has_been_forgiven() {
        let now = Instant::now();
        let mut failover = Failover::new(now);
        for _ in 0..4 {
            failover.prefer(now, Side::A);
            failover.up(now);
            failover.failed(now);
        }
        assert!(failover.is_barred(now, Side::A));
        let later = now + seconds(600);
        assert!(!failover.is_barred(later, Side::A));
        failover.prefer(later, Side::B);
        failover.up(later);
        failover.failed(later);
        assert_eq!(failover.next(), (Side::A, later));
    }

    #[test]
    fn where_both_sides_come_and_go_they_alternate_as_ever() {
        let mut failover = Failover::new(Instant::now());
        let sides: Vec<Side> = (0..12).map(|_| session(&mut failover, seconds(15)).0).collect();
        use Side::{A, B};
        assert_eq!(sides[..8], [A, B, A, B, A, B, A, B], "{sides:?}");
        assert!(sides[8..].contains(&A) && sides[8..].contains(&B), "{sides:?}");
    }

    #[test]
    fn a_retry_stays_on_its_side() {
        let now = Instant::now();
        let mut failover = Failover::new(now);
        failover.failed(now);
        failover.retry(now + seconds(1));
        assert_eq!(failover.next(), (Side::B, now + seconds(1)));
    }
}
