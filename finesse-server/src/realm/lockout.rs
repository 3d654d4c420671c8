//! Wrong passwords of one user: how many, from where, and what follows.
//!
//! After a number of wrong passwords in a row the user is refused for a while, with the right password too. An
//! address at which the user was verified lately is spared the consequences of what *other* addresses do, so that
//! nobody can shut a working agent out by guessing at his name.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Digest, Rules};

/// Addresses remembered for each user; further ones share the last entry's count.
const ADDRESSES: usize = 16;

/// When a user is refused, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockoutRules {
    /// Wrong passwords in a row that lock; 0: never.
    pub failures: u32,
    /// How long the lock holds.
    pub period: Duration,
    /// Unit of the delay before a wrong password is answered: nothing for the first two, one unit for the third,
    /// two for all after it.
    pub delay: Duration,
}

impl Default for LockoutRules {
    fn default() -> LockoutRules {
        LockoutRules { failures: 5, period: Duration::from_secs(5 * 60), delay: Duration::from_secs(1) }
    }
}

/// What is known of one user's attempts.
#[derive(Debug, Default)]
pub(super) struct Record {
    from: Vec<From>,
    locked_until: Option<Instant>,
    /// Wrong passwords at the other node of a pair, as it counts them.
    elsewhere: u32,
}

#[derive(Debug)]
struct From {
    peer: Option<IpAddr>,
    failures: u32,
    verified: Option<Instant>,
}

impl Record {
    /// Whether an attempt from `peer` is refused unseen.
    pub(super) fn refuses(&mut self, peer: Option<IpAddr>, now: Instant, rules: &Rules) -> bool {
        match self.locked_until {
            None => false,
            Some(until) if now >= until => {
                self.unlock();
                false
            }
            Some(_) => !self.trusts(peer, now, rules),
        }
    }

    fn trusts(&self, peer: Option<IpAddr>, now: Instant, rules: &Rules) -> bool {
        self.from.iter().any(|from| {
            from.peer == peer
                && from.failures < rules.lockout.failures
                && from.verified.is_some_and(|at| now.saturating_duration_since(at) < rules.remember)
        })
    }

    /// Notes a right password: forgives what this address did wrong. Whether there was anything to forgive, here or at
    /// the other node of a pair.
    pub(super) fn succeeded(&mut self, peer: Option<IpAddr>, now: Instant) -> bool {
        let elsewhere = self.elsewhere > 0;
        let entry = self.entry(peer);
        entry.verified = Some(now);
        std::mem::take(&mut entry.failures) > 0 || elsewhere
    }

    /// The other node of a pair counts so many wrong passwords; its count replaces what it said before.
    pub(super) fn failed_elsewhere(&mut self, failures: u32) {
        self.elsewhere = failures;
    }

    /// The other node of a pair has seen a right password from this address.
    pub(super) fn forgive(&mut self, peer: Option<IpAddr>) -> bool {
        let guilty = self.from.iter_mut().find(|from| from.peer == peer && from.failures > 0);
        guilty.map(|from| from.failures = 0).is_some()
    }

    /// Notes a wrong password; how long to wait before saying so.
    pub(super) fn failed(&mut self, peer: Option<IpAddr>, now: Instant, rules: &LockoutRules) -> Duration {
        let entry = self.entry(peer);
        entry.failures = entry.failures.saturating_add(1);
        let total = self.from.iter().fold(self.elsewhere, |sum, from| sum.saturating_add(from.failures));
        if rules.failures != 0 && total >= rules.failures && self.locked_until.is_none() {
            self.locked_until = Some(now + rules.period);
        }
        match total {
            0..=2 => Duration::ZERO,
            3 => rules.delay,
            _ => rules.delay * 2,
        }
    }

    /// How long the lock holds still; `None`: there is none.
    pub(super) fn locked(&self, now: Instant) -> Option<Duration> {
        let until = self.locked_until?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// Wrong passwords in a row, and where they came from.
    pub(super) fn failures(&self) -> (u32, Vec<IpAddr>) {
        let guilty = || self.from.iter().filter(|from| from.failures > 0);
        let total = guilty().fold(0u32, |sum, from| sum.saturating_add(from.failures));
        (total, guilty().filter_map(|from| from.peer).collect())
    }

    /// What the other node of a pair is told: wrong passwords at this one, and how long a lock holds still. One that is
    /// over has taken the count with it.
    pub(super) fn told(&self, now: Instant) -> (u32, Duration) {
        match (self.locked_until, self.locked(now)) {
            (Some(_), None) => (0, Duration::ZERO),
            (_, left) => (self.failures().0, left.unwrap_or_default()),
        }
    }

    /// Forgives everything that was done wrong.
    pub(super) fn unlock(&mut self) {
        self.locked_until = None;
        self.elsewhere = 0;
        self.from.retain_mut(|from| {
            from.failures = 0;
            from.verified.is_some()
        });
    }

    /// A lock that another node of the pair has set: the later end counts.
    pub(super) fn lock_until(&mut self, until: Instant) {
        self.locked_until = self.locked_until.max(Some(until));
    }

    /// Whether nothing is lost with it.
    pub(super) fn is_blank(&self, now: Instant) -> bool {
        self.locked(now).is_none() && self.elsewhere == 0 && self.from.iter().all(|from| from.failures == 0)
    }

    fn entry(&mut self, peer: Option<IpAddr>) -> &mut From {
        let at = match self.from.iter().position(|from| from.peer == peer) {
            Some(at) => at,
            None => {
                if self.from.len() >= ADDRESSES {
                    self.make_room();
                }
                self.from.push(From { peer, failures: 0, verified: None });
                self.from.len() - 1
            }
        };
        &mut self.from[at]
    }

    /// Gives up the address verified longest ago; its failures move to the next one, so that the sum stays.
    fn make_room(&mut self) {
        let oldest = (0..self.from.len()).min_by_key(|&at| self.from[at].verified).unwrap_or(0);
        let failures = self.from.swap_remove(oldest).failures;
        if let Some(from) = self.from.iter_mut().find(|from| from.failures > 0) {
            from.failures = from.failures.saturating_add(failures);
        }
    }
}

/// Names that nobody has and that are remembered; a further one pushes another out.
const STRANGERS: usize = 4096;

/// Attempts at names that nobody has, by a keyed digest of the name: without a record of them the delay of the third
/// wrong password would tell which names exist.
#[derive(Default)]
pub(super) struct Strangers(Mutex<HashMap<[u8; 32], Record>>);

impl Strangers {
    /// Notes an attempt; how long to wait before refusing it.
    pub(super) fn failed(&self, name: Digest, peer: Option<IpAddr>, now: Instant, rules: &Rules) -> Duration {
        let records = &mut *self.0.lock();
        let name = *name.as_array();
        if records.len() >= STRANGERS && !records.contains_key(&name) {
            let any = records.keys().next().copied();
            any.map(|any| records.remove(&any));
        }
        let record = records.entry(name).or_default();
        if record.refuses(peer, now, rules) {
            Duration::ZERO
        } else {
            record.failed(peer, now, &rules.lockout)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_has_are_delayed_like_others_and_bounded() {
        let key = super::super::digest::Keyed::random().unwrap();
        let (mut record, now, rules) = setup();
        let strangers = Strangers::default();
        let nobody = key.digest("nobody", "");
        for attempt in 0..8 {
            let known = match record.refuses(peer(1), now, &rules) {
                true => Duration::ZERO,
                false => record.failed(peer(1), now, &rules.lockout),
            };
            assert_eq!(strangers.failed(nobody, peer(1), now, &rules), known, "attempt {attempt}");
        }
        for name in 0..STRANGERS + 10 {
            strangers.failed(key.digest(&name.to_string(), ""), peer(1), now, &rules);
        }
        assert_eq!(strangers.0.lock().len(), STRANGERS);
    }

    fn peer(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, 0, last]))
    }

    fn setup() -> (Record, Instant, Rules) {
        (Record::default(), Instant::now(), Rules::default())
    }

    #[test]
    fn the_fifth_failure_locks_for_five_minutes() {
        let (mut record, now, rules) = setup();
        let delays: Vec<u64> =
            (0..4).map(|_| record.failed(peer(1), now, &rules.lockout).as_secs()).collect();
        assert_eq!(delays, [0, 0, 1, 2]);
        assert!(!record.refuses(peer(1), now, &rules));
        record.failed(peer(1), now, &rules.lockout);
        assert!(record.refuses(peer(1), now, &rules));
        assert!(record.refuses(peer(2), now + Duration::from_secs(299), &rules));
        assert!(!record.refuses(peer(1), now + Duration::from_secs(300), &rules));
        record.failed(peer(1), now + Duration::from_secs(301), &rules.lockout);
        assert!(!record.refuses(peer(1), now + Duration::from_secs(301), &rules), "counting starts anew");
    }

    #[test]
    fn success_forgives_what_came_from_the_same_address() {
        let (mut record, now, rules) = setup();
        for _ in 0..4 {
            record.failed(peer(1), now, &rules.lockout);
        }
        record.succeeded(peer(1), now);
        for _ in 0..4 {
            record.failed(peer(1), now, &rules.lockout);
        }
        assert!(!record.refuses(peer(1), now, &rules));
    }

    #[test]
    fn a_verified_address_is_spared_what_others_do() {
        let (mut record, now, mut rules) = setup();
        rules.remember = Duration::from_secs(60);
        record.succeeded(peer(1), now);
        for _ in 0..5 {
            record.failed(peer(2), now, &rules.lockout);
        }
        assert!(record.refuses(peer(2), now, &rules));
        assert!(record.refuses(peer(3), now, &rules));
        assert!(!record.refuses(peer(1), now, &rules));
        assert!(record.refuses(peer(1), now + rules.remember, &rules), "verified too long ago");
        for _ in 0..5 {
            record.failed(peer(1), now, &rules.lockout);
        }
        assert!(record.refuses(peer(1), now, &rules), "its own failures count");
    }

    #[test]
    fn a_guess_from_each_of_many_addresses_locks_and_stays_bounded() {
        let (mut record, now, rules) = setup();
        let patient = LockoutRules { failures: 40, ..rules.lockout };
        for last in 0..40 {
            assert!(!record.refuses(peer(200), now, &rules), "{last}");
            record.failed(peer(last), now, &patient);
        }
        assert!(record.refuses(peer(200), now, &rules));
        assert_eq!(record.from.len(), ADDRESSES);
    }

    #[test]
    fn no_lock_out_when_switched_off() {
        let (mut record, now, rules) = setup();
        let never = LockoutRules { failures: 0, ..rules.lockout };
        for _ in 0..100 {
            record.failed(peer(1), now, &never);
        }
        assert!(!record.refuses(peer(1), now, &rules));
    }
}
