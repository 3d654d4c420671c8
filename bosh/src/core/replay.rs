//! Answers kept for requests that come again because their connection broke (XEP-0124 §14.3).
//!
//! An answer is one shared buffer, the same that went to the HTTP connection: keeping it costs a
//! reference, and a repeated answer is the same bytes.

use std::collections::VecDeque;
use std::time::Instant;

use super::{Condition, Reply};

/// One answer that may have to be given again.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) rid: u64,
    /// Fingerprint of the request, to tell a repetition from an injected body.
    pub(super) digest: u64,
    pub(super) reply: Reply,
    /// When it was given.
    pub(super) at: Instant,
    /// How often the request has been repeated, whether held or answered.
    pub(super) repeats: u8,
}

/// The last answers of a session.
#[derive(Debug)]
pub(super) struct Replay {
    kept: VecDeque<Kept>,
    limit: usize,
}

impl Replay {
    pub(super) fn new(limit: u8) -> Self {
        let limit = usize::from(limit);
        Self { kept: VecDeque::with_capacity(limit), limit }
    }

    /// Keeps an answer and lets the oldest go beyond the limit.
    pub(super) fn keep(&mut self, kept: Kept) {
        while self.kept.len() >= self.limit {
            self.kept.pop_front();
        }
        self.kept.push_back(kept);
    }

    /// Bytes of the answers that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.kept.iter().map(|kept| kept.reply.bytes.len()).sum()
    }

    /// Forgets what the client says it has (XEP-0124 §9.2).
    pub(super) fn acknowledge(&mut self, ack: u64) {
        while self.kept.front().is_some_and(|kept| kept.rid <= ack) {
            self.kept.pop_front();
        }
    }

    pub(super) fn get(&self, rid: u64) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.rid == rid)
    }

    /// The answer to a repeated request: `item-not-found` when it is no longer kept, `bad-request`
    /// when the repetition differs from the original.
    pub(super) fn again(&mut self, rid: u64, digest: u64, limit: u8) -> Result<Reply, Condition> {
        let kept = self.kept.iter_mut().find(|kept| kept.rid == rid).ok_or(Condition::ItemNotFound)?;
        if kept.digest != digest {
            return Err(Condition::BadRequest);
        }
        kept.repeats = kept.repeats.saturating_add(1);
        if kept.repeats > limit {
            return Err(Condition::PolicyViolation);
        }
        Ok(kept.reply.clone())
    }
}

/// How many repetitions a client may ask for: one a second, and one for each request that moved the
/// session forward. A client on a bad line stays below that; one that only repeats does not.
#[derive(Debug)]
pub(super) struct Credit {
    left: u8,
    refilled: Instant,
}

impl Credit {
    const MOST: u8 = 30;

    pub(super) fn new(now: Instant) -> Self {
        Self { left: Self::MOST, refilled: now }
    }

    /// A new request was accepted.
    pub(super) fn earn(&mut self) {
        self.left = (self.left + 1).min(Self::MOST);
    }

    /// A request was repeated; `false` when that is too much.
    pub(super) fn spend(&mut self, now: Instant) -> bool {
        let seconds = now.saturating_duration_since(self.refilled).as_secs();
        if seconds > 0 {
            let seconds = u8::try_from(seconds).unwrap_or(Self::MOST);
            self.left = self.left.saturating_add(seconds).min(Self::MOST);
            self.refilled = now;
        }
        let enough = self.left > 0;
        self.left = self.left.saturating_sub(1);
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::write;

    fn kept(rid: u64, now: Instant) -> Kept {
        Kept { rid, digest: rid * 7, reply: Reply::new(write::empty()), at: now, repeats: 0 }
    }

    #[test]
    fn the_limit_holds_and_acknowledged_answers_go() {
        let now = Instant::now();
        let mut replay = Replay::new(2);
        (1..=3).for_each(|rid| replay.keep(kept(rid, now)));
        assert!(replay.get(1).is_none());
        assert!(replay.again(2, 14, 10).is_ok());
        assert_eq!(replay.again(2, 15, 10).unwrap_err(), Condition::BadRequest);
        replay.acknowledge(2);
        assert_eq!(replay.again(2, 14, 10).unwrap_err(), Condition::ItemNotFound);
        assert!(replay.get(3).is_some());
    }

    #[test]
    fn one_request_is_repeated_ten_times_at_most() {
        let now = Instant::now();
        let mut replay = Replay::new(2);
        replay.keep(kept(1, now));
        (0..10).for_each(|_| assert!(replay.again(1, 7, 10).is_ok()));
        assert_eq!(replay.again(1, 7, 10).unwrap_err(), Condition::PolicyViolation);
    }

    #[test]
    fn credit_comes_back_with_time_and_progress() {
        let now = Instant::now();
        let mut credit = Credit::new(now);
        (0..30).for_each(|_| assert!(credit.spend(now)));
        assert!(!credit.spend(now));
        assert!(credit.spend(now + Duration::from_secs(1)));
        assert!(!credit.spend(now + Duration::from_secs(1)));
        credit.earn();
        assert!(credit.spend(now + Duration::from_secs(1)));
    }
}
