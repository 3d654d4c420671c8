//! Heartbeats on a fixed timer and the rule by which a silent side is given up (GED-188, heartbeats).

use std::time::{Duration, Instant};

/// What the timer wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Send,
    Lost,
}

/// With three permitted losses at 5 s and 1 s of grace, a side that falls silent is given up 16 s later at most.
#[derive(Debug)]
pub(super) struct Heartbeat {
    interval: Duration,
    grace: Duration,
    permitted: u32,
    next: Instant,
    unanswered: u32,
    give_up: Option<Instant>,
    stalled: bool,
}

impl Heartbeat {
    pub(super) fn new(now: Instant, interval: Duration, permitted: u32, grace: Duration) -> Self {
        let next = now + interval;
        Self { interval, grace, permitted, next, unanswered: 0, give_up: None, stalled: false }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.give_up.map_or(self.next, |at| at.min(self.next))
    }

    /// What is due at `now`; called until nothing is.
    pub(super) fn due(&mut self, now: Instant) -> Option<Beat> {
        if self.give_up.is_some_and(|at| at <= now) {
            return Some(Beat::Lost);
        }
        if self.next > now {
            return None;
        }
        // After a long sleep of this process one heartbeat is enough.
        self.next = (self.next + self.interval).max(now + self.interval / 2);
        if !self.stalled {
            self.unanswered += 1;
            if self.unanswered == self.permitted.max(1) {
                self.give_up = Some(now + self.grace);
            }
        }
        Some(Beat::Send)
    }

    /// Any answer, also a late one, starts the count anew.
    pub(super) fn answered(&mut self) {
        self.unanswered = 0;
        self.give_up = None;
    }

    /// While nothing is read, silence says nothing about the other side.
    pub(super) fn set_stalled(&mut self, stalled: bool) {
        if self.stalled != stalled {
            self.answered();
        }
        self.stalled = stalled;
    }
}
