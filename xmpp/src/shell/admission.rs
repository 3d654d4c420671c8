//! Who may connect: bounds on connections in total, before authentication and by address.
//!
//! Shared by the listeners of a server. Counts only; a permit gives its place back when dropped.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{EndReason, Outbox};
use parking_lot::Mutex;

/// Bounds on connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Connections in total (60000).
    pub connections: usize,
    /// Connections that have not authenticated, trusted addresses not counted (2000). As many again are
    /// kept for trusted addresses, so that a flood from outside does not lock them out.
    pub unauthenticated: usize,
    /// Connections of one address that is not trusted (1000).
    pub per_address: usize,
    /// New connections per second of one address (20) and at once (100).
    pub address_rate: (u32, u32),
    /// New connections per second in total (1000) and at once (2000).
    pub total_rate: (u32, u32),
    /// Addresses without limit per address and without rate (the loopback addresses).
    pub trusted: Vec<IpAddr>,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self {
            connections: 60_000,
            unauthenticated: 2000,
            per_address: 1000,
            address_rate: (20, 100),
            total_rate: (1000, 2000),
            trusted: vec![
                IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
                IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
            ],
        }
    }
}

/// A bucket as one instant: when all taken so far would have been taken at the steady rate.
#[derive(Clone, Copy)]
struct Bucket(Instant);

impl Bucket {
    fn take(&mut self, now: Instant, (per_second, burst): (u32, u32)) -> bool {
        let interval = Duration::from_secs(1) / per_second.max(1);
        let next = self.0.max(now) + interval;
        let fits = next <= now + interval * burst;
        if fits {
            self.0 = next;
        }
        fits
    }
}

/// Failed logins of one address that are answered without delay in [`FAILURE_PERIOD`].
const FREE_FAILURES: u32 = 5;
const FAILURE_PERIOD: Duration = Duration::from_secs(5 * 60);
/// The longest delay of a failing answer.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

struct Address {
    open: usize,
    bucket: Bucket,
    failures: u32,
    /// When the first of the counted failures was.
    failing_since: Instant,
}

impl Address {
    fn is_memorable(&self, now: Instant) -> bool {
        let fails = self.failures > 0 && now < self.failing_since + FAILURE_PERIOD;
        self.open > 0 || self.bucket.0 > now || fails
    }

    /// Counts a failed login: one second after the free ones, then twice as long each time.
    fn failed(&mut self, now: Instant) -> Duration {
        if self.failures == 0 || now >= self.failing_since + FAILURE_PERIOD {
            (self.failures, self.failing_since) = (0, now);
        }
        self.failures = self.failures.saturating_add(1);
        match self.failures.checked_sub(FREE_FAILURES + 1) {
            None => Duration::ZERO,
            Some(doublings) => Duration::from_secs(1 << doublings.min(5)).min(LONGEST_DELAY),
        }
    }
}

struct Counts {
    total: usize,
    unauthenticated: usize,
    unauthenticated_trusted: usize,
    addresses: HashMap<IpAddr, Address>,
    bucket: Bucket,
    refused: u64,
    /// Outboxes of the open connections, by the number of their permit.
    outboxes: HashMap<u64, Outbox>,
    next_permit: u64,
    stopping: bool,
}

/// Counts of the open connections of one server. Clones share them.
#[derive(Clone)]
pub struct Admission(Arc<Shared>);

struct Shared {
    limits: AdmissionLimits,
    counts: Mutex<Counts>,
}

/// Addresses remembered for their rate alone before the idle ones are forgotten.
const REMEMBERED: usize = 10_000;

impl Admission {
    /// Nothing is open yet.
    pub fn new(limits: AdmissionLimits) -> Self {
        let counts = Counts {
            total: 0,
            unauthenticated: 0,
            unauthenticated_trusted: 0,
            addresses: HashMap::new(),
            bucket: Bucket(Instant::now()),
            refused: 0,
            outboxes: HashMap::new(),
            next_permit: 0,
            stopping: false,
        };
        Self(Arc::new(Shared { limits, counts: Mutex::new(counts) }))
    }

    /// Open connections and those of them that have not authenticated.
    pub fn open(&self) -> (usize, usize) {
        let counts = self.0.counts.lock();
        (counts.total, counts.unauthenticated + counts.unauthenticated_trusted)
    }

    /// Connections refused so far.
    pub fn refused(&self) -> u64 {
        self.0.counts.lock().refused
    }

    /// A place for a new connection from `peer`; `None`: it has to be refused.
    pub(crate) fn enter(&self, peer: Option<IpAddr>, now: Instant) -> Option<Permit> {
        // An address unknown to the transport (a Unix socket, a test) is this machine's.
        let trusted = peer.is_none_or(|peer| self.0.limits.trusted.contains(&peer.to_canonical()));
        let counts = &mut *self.0.counts.lock();
        let fits = !counts.stopping
            && counts.total < self.0.limits.connections
            && match peer {
                Some(peer) if !trusted => counts.enter_untrusted(peer.to_canonical(), now, &self.0.limits),
                _ => counts.unauthenticated_trusted < self.0.limits.unauthenticated,
            };
        if !fits {
            counts.refused += 1;
            return None;
        }
        counts.total += 1;
        *counts.unauthenticated(trusted) += 1;
        let address = peer.map(|peer| peer.to_canonical()).filter(|_| !trusted);
        counts.next_permit += 1;
        let number = counts.next_permit;
        Some(Permit { admission: self.0.clone(), number, address, trusted, authenticated: false })
    }

    /// Lets nobody in any more and ends every connection with the stream error `system-shutdown`.
    pub fn shutdown(&self) {
        let outboxes = {
            let mut counts = self.0.counts.lock();
            counts.stopping = true;
            std::mem::take(&mut counts.outboxes)
        };
        for outbox in outboxes.into_values() {
            outbox.end(EndReason::Shutdown);
        }
    }
}

impl Counts {
    fn enter_untrusted(&mut self, peer: IpAddr, now: Instant, limits: &AdmissionLimits) -> bool {
        if self.unauthenticated >= limits.unauthenticated || !self.bucket.take(now, limits.total_rate) {
            return false;
        }
        if self.addresses.len() >= REMEMBERED {
            self.addresses.retain(|_, address| address.is_memorable(now));
        }
        let address = self.addresses.entry(peer).or_insert(Address {
            open: 0,
            bucket: Bucket(now),
            failures: 0,
            failing_since: now,
        });
        let fits = address.open < limits.per_address && address.bucket.take(now, limits.address_rate);
        address.open += usize::from(fits);
        fits
    }

    fn unauthenticated(&mut self, trusted: bool) -> &mut usize {
        if trusted { &mut self.unauthenticated_trusted } else { &mut self.unauthenticated }
    }
}

/// A place among the open connections.
pub(crate) struct Permit {
    admission: Arc<Shared>,
    number: u64,
    /// Set if the address is counted.
    address: Option<IpAddr>,
    trusted: bool,
    authenticated: bool,
}

impl Permit {
    /// Makes the connection known by its outbox, through which [`Admission::shutdown`] ends it.
    pub(crate) fn attach(&mut self, outbox: &Outbox) {
        let stopping = {
            let mut counts = self.admission.counts.lock();
            counts.outboxes.insert(self.number, outbox.clone());
            counts.stopping
        };
        if stopping {
            outbox.end(EndReason::Shutdown);
        }
    }

    /// Counts a failed login and says how long to wait with telling so. Only failing answers are delayed,
    /// and never those to trusted addresses, behind which a whole call centre may be.
    pub(crate) fn failed_login(&self, now: Instant) -> Duration {
        let Some(peer) = self.address else { return Duration::ZERO };
        let mut counts = self.admission.counts.lock();
        counts.addresses.get_mut(&peer).map_or(Duration::ZERO, |address| address.failed(now))
    }

    /// The connection leaves the scarce places for those that have not logged in.
    pub(crate) fn authenticated(&mut self) {
        if !std::mem::replace(&mut self.authenticated, true) {
            *self.admission.counts.lock().unauthenticated(self.trusted) -= 1;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let counts = &mut *self.admission.counts.lock();
        counts.total -= 1;
        counts.outboxes.remove(&self.number);
        if !self.authenticated {
            *counts.unauthenticated(self.trusted) -= 1;
        }
        let Some(peer) = self.address else { return };
        if let Some(address) = counts.addresses.get_mut(&peer) {
            address.open -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn a_flood_from_outside_leaves_room_for_trusted_addresses() {
        let admission = Admission::new(AdmissionLimits { unauthenticated: 2, ..Default::default() });
        let now = Instant::now();
        let mut first = admission.enter(outside(1), now).unwrap();
        let _second = admission.enter(outside(2), now).unwrap();
        assert!(admission.enter(outside(3), now).is_none());
        assert!(admission.enter(Some(IpAddr::from([127, 0, 0, 1])), now).is_some());
        first.authenticated();
        assert!(admission.enter(outside(3), now).is_some());
        assert_eq!(admission.refused(), 1);
    }

    #[test]
    fn failing_answers_to_one_address_slow_down() {
        let admission = Admission::new(AdmissionLimits::default());
        let now = Instant::now();
        let permit = admission.enter(outside(1), now).unwrap();
        let other = admission.enter(outside(2), now).unwrap();
        let mut delay = |at: u64| permit.failed_login(now + Duration::from_secs(at)).as_secs();
        assert_eq!((0..12).map(&mut delay).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(other.failed_login(now), Duration::ZERO);
        assert_eq!(delay(300), 0, "five minutes later it begins anew");
        let local = admission.enter(Some(IpAddr::from([127, 0, 0, 1])), now).unwrap();
        assert!((0..50).all(|_| local.failed_login(now) == Duration::ZERO));
    }

    #[test]
    fn addresses_are_bounded_in_number_and_rate() {
        let limits = AdmissionLimits { per_address: 2, address_rate: (1, 3), ..Default::default() };
        let admission = Admission::new(limits);
        let now = Instant::now();
        let first = admission.enter(outside(1), now).unwrap();
        let _second = admission.enter(outside(1), now).unwrap();
        assert!(admission.enter(outside(1), now).is_none(), "two are open");
        drop(first);
        let third = admission.enter(outside(1), now).unwrap();
        drop(third);
        assert!(admission.enter(outside(1), now).is_none(), "three at once");
        assert!(admission.enter(outside(1), now + Duration::from_secs(1)).is_some());
        assert_eq!(admission.open().0, 1);
    }
}
