//! Failed logins by address, for all transports of a service together.
//!
//! Whoever guesses passwords is answered more and more slowly, through whichever door he comes; good logins
//! are never delayed. One table with a lock of its own, a leaf. IPv6 addresses count by their /64, which is
//! what one customer gets.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Failed logins of one address that are answered without delay in [`PERIOD`].
const FREE: u32 = 5;
/// How long a failure counts.
const PERIOD: Duration = Duration::from_secs(5 * 60);
/// The longest delay of a failing answer.
const LONGEST: Duration = Duration::from_secs(30);
/// Addresses that are told apart; beyond, strangers share one entry.
const ADDRESSES: usize = 10_000;
const SHARED: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[derive(Clone, Copy)]
struct Record {
    failures: u32,
    /// When the first of the counted failures was.
    since: Instant,
}

impl Record {
    fn counts(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < PERIOD
    }
}

/// Failed logins of all addresses. Transports ask it for addresses that are not trusted: behind a trusted one
/// a whole call centre may be.
pub struct LoginFailures(Mutex<HashMap<IpAddr, Record>>);

impl LoginFailures {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Counts a failed login from `peer` and says how long to wait with telling so: nothing for the first
    /// five in five minutes, then one second, twice as long each time, at most 30 seconds.
    pub fn failed(&self, peer: IpAddr, now: Instant) -> Duration {
        let mut records = self.0.lock();
        let mut key = match peer.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            v4 => v4,
        };
        if records.len() >= ADDRESSES && !records.contains_key(&key) {
            records.retain(|_, record| record.counts(now));
            if records.len() >= ADDRESSES {
                key = SHARED;
            }
        }
        let record = records.entry(key).or_insert(Record { failures: 0, since: now });
        if !record.counts(now) {
            *record = Record { failures: 0, since: now };
        }
        record.failures = record.failures.saturating_add(1);
        match record.failures.checked_sub(FREE + 1) {
            None => Duration::ZERO,
            Some(doublings) => Duration::from_secs(1 << doublings.min(5)).min(LONGEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_answers_to_one_address_slow_down() {
        let failures = LoginFailures::new();
        let now = Instant::now();
        let delay = |peer: &str, at: u64| {
            failures.failed(peer.parse().unwrap(), now + Duration::from_secs(at)).as_secs()
        };
        let delays: Vec<_> = (0..12).map(|at| delay("192.0.2.1", at)).collect();
        assert_eq!(delays, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(delay("::ffff:192.0.2.1", 12), 30, "the same address");
        assert_eq!(delay("192.0.2.2", 0), 0, "another one");
        assert_eq!(delay("192.0.2.1", 300), 0, "five minutes later it begins anew");
        let customer: Vec<_> = (0..7).map(|host| delay(&format!("2001:db8::{host}"), 0)).collect();
        assert_eq!(customer[6], 2, "a /64 is one customer");
    }

    #[test]
    fn the_table_is_bounded_and_old_entries_make_room() {
        let failures = LoginFailures::new();
        let now = Instant::now();
        let fail = |n: u32, now| failures.failed(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n)), now);
        (0..ADDRESSES as u32 + 6).for_each(|n| {
            fail(n, now);
        });
        assert_eq!(failures.0.lock().len(), ADDRESSES + 1);
        assert_eq!(fail(999_999, now).as_secs(), 2, "strangers beyond the bound share one entry");
        fail(888_888, now + PERIOD);
        assert_eq!(failures.0.lock().len(), 1);
    }
}
