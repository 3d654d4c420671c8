//! Who may connect: bounds on connections in total, before authentication and by address.
//!
//! Shared by the listeners of a server. Counts only; a permit gives its place back when dropped.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{Budget, EndReason, Outbox, Place, Rank};
use parking_lot::{Mutex, RwLock};

use crate::Network;
use crate::stats::Refusal;

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
    pub trusted: Vec<Network>,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self {
            connections: 60_000,
            unauthenticated: 2000,
            per_address: 1000,
            address_rate: (20, 100),
            total_rate: (1000, 2000),
            trusted: Network::loopback(),
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

struct Address {
    open: usize,
    bucket: Bucket,
}

impl Address {
    fn is_memorable(&self, now: Instant) -> bool {
        self.open > 0 || self.bucket.0 > now
    }
}

struct Counts {
    total: usize,
    unauthenticated: usize,
    unauthenticated_trusted: usize,
    /// Sessions without connection that gave their place back.
    detached: usize,
    addresses: HashMap<IpAddr, Address>,
    /// Table size at which idle addresses are forgotten.
    sweep_at: usize,
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
    limits: RwLock<Arc<AdmissionLimits>>,
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
            detached: 0,
            addresses: HashMap::new(),
            sweep_at: REMEMBERED,
            bucket: Bucket(Instant::now()),
            refused: 0,
            outboxes: HashMap::new(),
            next_permit: 0,
            stopping: false,
        };
        let limits = RwLock::new(Arc::new(limits));
        Self(Arc::new(Shared { limits, counts: Mutex::new(counts) }))
    }

    /// From now on these bounds hold. Who is in stays in.
    pub fn set_limits(&self, limits: AdmissionLimits) {
        *self.0.limits.write() = Arc::new(limits);
    }

    /// Whether no limit for one address and no rate applies to `peer`.
    pub fn is_trusted(&self, peer: IpAddr) -> bool {
        Network::any(&self.0.limits.read().trusted, peer)
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

    /// A place for a new connection from `peer` that takes `memory` bytes of `budget`, or why there is none.
    pub(crate) fn enter(
        &self,
        peer: Option<IpAddr>,
        budget: &Budget,
        memory: usize,
        now: Instant,
    ) -> Result<Permit, Refusal> {
        // An address unknown to the transport (a Unix socket, a test) is this machine's.
        let limits = Arc::clone(&self.0.limits.read());
        let trusted = peer.is_none_or(|peer| Network::any(&limits.trusted, peer));
        let counts = &mut *self.0.counts.lock();
        let address = peer.filter(|_| !trusted).map(customer);
        let rank = if trusted { Rank::Session } else { Rank::Stranger };
        let place = budget.enter(memory, rank).map_err(|_| Refusal::Memory);
        let place = place.and_then(|place| counts.judge(address, now, &limits).map(|()| place));
        let place = place.inspect_err(|_| counts.refused += 1)?;
        counts.total += 1;
        *counts.unauthenticated(trusted) += 1;
        counts.next_permit += 1;
        let number = counts.next_permit;
        Ok(Permit {
            admission: self.0.clone(),
            number,
            address,
            trusted,
            authenticated: false,
            away: false,
            place,
        })
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

/// What counts as one address: of IPv6 the /64, which is what one customer gets.
fn customer(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

impl Counts {
    /// Whether there is a place for one more; `stranger` is its address unless that is trusted.
    fn judge(
        &mut self,
        stranger: Option<IpAddr>,
        now: Instant,
        limits: &AdmissionLimits,
    ) -> Result<(), Refusal> {
        if self.stopping {
            return Err(Refusal::Stopping);
        }
        if self.total >= limits.connections {
            return Err(Refusal::Connections);
        }
        if *self.unauthenticated(stranger.is_none()) >= limits.unauthenticated {
            return Err(Refusal::Unauthenticated);
        }
        match stranger {
            Some(peer) => self.enter_untrusted(peer, now, limits),
            None => Ok(()),
        }
    }

    fn enter_untrusted(
        &mut self,
        peer: IpAddr,
        now: Instant,
        limits: &AdmissionLimits,
    ) -> Result<(), Refusal> {
        if !self.bucket.take(now, limits.total_rate) {
            return Err(Refusal::TotalRate);
        }
        if self.addresses.len() >= self.sweep_at {
            self.addresses.retain(|_, address| address.is_memorable(now));
            // Not with every connection, however many addresses there are to keep.
            self.sweep_at = REMEMBERED.max(self.addresses.len() * 2);
        }
        let address = self.addresses.entry(peer).or_insert(Address { open: 0, bucket: Bucket(now) });
        if address.open >= limits.per_address {
            return Err(Refusal::AddressConnections);
        }
        if !address.bucket.take(now, limits.address_rate) {
            return Err(Refusal::AddressRate);
        }
        address.open += 1;
        Ok(())
    }

    /// One connection less, of that address if it is counted.
    fn leave(&mut self, address: Option<IpAddr>) {
        self.total -= 1;
        if let Some(address) = address.and_then(|peer| self.addresses.get_mut(&peer)) {
            address.open -= 1;
        }
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
    /// Its place was given back, as the session goes on without connection.
    away: bool,
    place: Place,
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

    /// For whom memory is held before anybody has authenticated.
    pub(crate) fn rank(&self) -> Rank {
        if self.trusted { Rank::Session } else { Rank::Stranger }
    }

    /// The address, unless it is trusted.
    pub(crate) fn stranger(&self) -> Option<IpAddr> {
        self.address
    }

    /// The connection leaves the scarce places for those that have not logged in.
    pub(crate) fn authenticated(&mut self) {
        if !std::mem::replace(&mut self.authenticated, true) {
            self.place.promote();
            *self.admission.counts.lock().unauthenticated(self.trusted) -= 1;
        }
    }

    /// The connection is lost, its session waits for another one (XEP-0198): the place is free, so that many
    /// that wait do not keep out those that come back. [`Admission::shutdown`] still ends the session. As many may
    /// wait without a place as there may be connections; further ones keep theirs.
    pub(crate) fn detached(&mut self) {
        let most = self.admission.limits.read().connections;
        let counts = &mut *self.admission.counts.lock();
        if !self.away && counts.detached < most {
            self.away = true;
            counts.detached += 1;
            counts.leave(self.address);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let counts = &mut *self.admission.counts.lock();
        counts.outboxes.remove(&self.number);
        if !self.authenticated {
            *counts.unauthenticated(self.trusted) -= 1;
        }
        if self.away {
            counts.detached -= 1;
        } else {
            counts.leave(self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    fn enter(admission: &Admission, peer: Option<IpAddr>, now: Instant) -> Result<Permit, Refusal> {
        admission.enter(peer, &Budget::new(1 << 20), 0, now)
    }

    #[test]
    fn a_flood_from_outside_leaves_room_for_trusted_addresses() {
        let admission = Admission::new(AdmissionLimits { unauthenticated: 2, ..Default::default() });
        let now = Instant::now();
        let mut first = enter(&admission, outside(1), now).unwrap();
        let _second = enter(&admission, outside(2), now).unwrap();
        assert_eq!(enter(&admission, outside(3), now).err(), Some(Refusal::Unauthenticated));
        assert!(enter(&admission, Some(IpAddr::from([127, 0, 0, 1])), now).is_ok());
        first.authenticated();
        assert!(enter(&admission, outside(3), now).is_ok());
        assert_eq!(admission.refused(), 1);
    }

    #[test]
    fn x78_sessions_without_connection_keep_nobody_out() {
        let limits = AdmissionLimits { connections: 2, per_address: 2, ..Default::default() };
        let admission = Admission::new(limits);
        let now = Instant::now();
        let enter = || {
            let mut permit = super::tests::enter(&admission, outside(1), now)?;
            permit.authenticated();
            Ok::<_, Refusal>(permit)
        };
        let mut lost = [enter().unwrap(), enter().unwrap()];
        assert_eq!(enter().err(), Some(Refusal::Connections));
        lost.iter_mut().for_each(Permit::detached);
        assert_eq!(admission.open(), (0, 0));
        let mut back = [enter().unwrap(), enter().unwrap()];
        back.iter_mut().for_each(Permit::detached);
        assert_eq!(admission.open().0, 2, "no more than that wait without a place");
        drop(lost);
        back.iter_mut().for_each(Permit::detached);
        assert_eq!(admission.open().0, 0);
        drop(back);
        assert_eq!((admission.open().0, admission.0.counts.lock().detached), (0, 0));
    }

    #[test]
    fn addresses_are_bounded_in_number_and_rate() {
        let limits = AdmissionLimits { per_address: 2, address_rate: (1, 3), ..Default::default() };
        let admission = Admission::new(limits);
        let now = Instant::now();
        let first = enter(&admission, outside(1), now).unwrap();
        let _second = enter(&admission, outside(1), now).unwrap();
        assert_eq!(enter(&admission, outside(1), now).err(), Some(Refusal::AddressConnections));
        drop(first);
        let third = enter(&admission, outside(1), now).unwrap();
        drop(third);
        assert_eq!(enter(&admission, outside(1), now).err(), Some(Refusal::AddressRate), "three at once");
        assert!(enter(&admission, outside(1), now + Duration::from_secs(1)).is_ok());
        assert_eq!(admission.open().0, 1);
    }
}
