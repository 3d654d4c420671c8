//! The window of request ids (XEP-0124 §14): which numbers may come, which have come, and since when
//! one is missing.

use std::time::Instant;

/// The largest request id that may ever be used (XEP-0124 §14.1): 2^53 - 1.
pub const MAX_RID: u64 = 9_007_199_254_740_991;

/// What a request id means to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Received earlier.
    Past,
    /// New and inside the window.
    New,
    /// Too far ahead.
    Beyond,
}

/// The state of the sequence.
#[derive(Debug)]
pub(super) struct Window {
    /// Highest id below which nothing is missing.
    last: u64,
    /// Ids received beyond a gap: bit n stands for `last + 1 + n`. The window is never wider than 16.
    ahead: u16,
    /// How many requests may be under way at once.
    width: u64,
    /// Since when something is missing.
    gap_since: Option<Instant>,
}

impl Window {
    pub(super) fn new(first: u64, width: u8) -> Self {
        Self { last: first, ahead: 0, width: u64::from(width.min(8)), gap_since: None }
    }

    /// The highest id below which nothing is missing: the value of `ack`.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn gap_since(&self) -> Option<Instant> {
        self.gap_since
    }

    /// Places `rid`; `extra` allows one more than the window for a request that pauses or terminates
    /// (XEP-0124 §11).
    pub(super) fn place(&self, rid: u64, extra: bool) -> Place {
        if rid <= self.last {
            return Place::Past;
        }
        let ahead = rid - self.last - 1;
        if rid > MAX_RID || ahead >= self.width + u64::from(extra) {
            Place::Beyond
        } else if self.ahead >> ahead & 1 == 1 {
            Place::Past
        } else {
            Place::New
        }
    }

    /// Notes that `rid`, placed as new, has come.
    pub(super) fn receive(&mut self, now: Instant, rid: u64) {
        debug_assert!(rid > self.last && rid - self.last <= 16);
        self.ahead |= 1 << (rid - self.last - 1);
        let filled = self.ahead.trailing_ones();
        self.last += u64::from(filled);
        self.ahead = self.ahead.checked_shr(filled).unwrap_or(0);
        if self.ahead == 0 {
            self.gap_since = None;
        } else if filled > 0 || self.gap_since.is_none() {
            self.gap_since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_fill_in_any_order() {
        let now = Instant::now();
        let mut window = Window::new(10, 3);
        assert_eq!(window.place(10, false), Place::Past);
        assert_eq!(window.place(13, false), Place::New);
        assert_eq!(window.place(14, false), Place::Beyond);
        assert_eq!(window.place(14, true), Place::New);
        window.receive(now, 13);
        assert_eq!((window.last(), window.gap_since()), (10, Some(now)));
        assert_eq!(window.place(13, false), Place::Past);
        window.receive(now, 12);
        window.receive(now, 11);
        assert_eq!((window.last(), window.gap_since()), (13, None));
    }

    #[test]
    fn ids_end_at_two_to_the_53() {
        let window = Window::new(MAX_RID - 1, 2);
        assert_eq!(window.place(MAX_RID, false), Place::New);
        assert_eq!(window.place(MAX_RID + 1, false), Place::Beyond);
    }
}
