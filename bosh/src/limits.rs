//! Who may open how many sessions, and who guesses session ids.
//!
//! One table of addresses with a lock of its own, a leaf. IPv6 addresses count by their /64, which is what
//! one customer gets. An address without sessions and with nothing against it is forgotten.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{Budget, Place, Rank};
use parking_lot::{Mutex, RwLock};
use xmpp::{Network, Refusal};

use crate::config::Limits;

/// How long unknown session ids count against an address.
const MEMORY: Duration = Duration::from_secs(300);
/// Answers that may be delayed at once; beyond, guesses are refused at once.
const MAX_DELAYED: u32 = 500;

/// What the budget counts for a session: itself, its stream, and what it may hold without reserving.
const SESSION: usize = 12 << 10;

/// What becomes of an unknown session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    Answer,
    Delay(Duration),
    Refuse,
}

/// A rate with a burst, as one instant: when everything taken would have been taken at the steady rate.
#[derive(Clone, Copy, Debug)]
struct Bucket(Instant);

impl Bucket {
    fn take(&mut self, now: Instant, rate: u32, burst: u32) -> bool {
        let step = Duration::from_secs(1) / rate.max(1);
        let next = self.0.max(now) + step;
        if next > now + step * burst.max(1) {
            return false;
        }
        self.0 = next;
        true
    }
}

#[derive(Debug)]
struct Account {
    creations: Bucket,
    sessions: u32,
    unauthenticated: u32,
    misses: u32,
    missed: Instant,
}

#[derive(Debug)]
struct State {
    accounts: HashMap<IpAddr, Account>,
    creations: Bucket,
    /// Unauthenticated sessions: strangers, trusted.
    unauthenticated: [u32; 2],
    delayed: u32,
}

/// The bookkeeping of one endpoint.
#[derive(Debug)]
pub(crate) struct Gate {
    limits: RwLock<Arc<Limits>>,
    state: Mutex<State>,
}

impl Gate {
    pub(crate) fn new(now: Instant, limits: Limits) -> Arc<Self> {
        let state =
            State { accounts: HashMap::new(), creations: Bucket(now), unauthenticated: [0; 2], delayed: 0 };
        Arc::new(Self { limits: RwLock::new(Arc::new(limits)), state: Mutex::new(state) })
    }

    /// From now on these bounds hold. Who is in stays in.
    pub(crate) fn set_limits(&self, limits: Limits) {
        *self.limits.write() = Arc::new(limits);
    }

    fn limits(&self) -> Arc<Limits> {
        Arc::clone(&self.limits.read())
    }

    fn is_trusted(&self, peer: Option<IpAddr>) -> bool {
        peer.is_some_and(|peer| Network::any(&self.limits().trusted, peer))
    }

    /// Lets one session in, or not.
    pub(crate) fn admit(
        self: &Arc<Self>,
        now: Instant,
        peer: Option<IpAddr>,
        budget: &Budget,
    ) -> Result<Permit, Refusal> {
        let trusted = self.is_trusted(peer);
        let limits = self.limits();
        let rank = if trusted { Rank::Session } else { Rank::Stranger };
        let place = budget.enter(SESSION, rank).map_err(|_| Refusal::Memory)?;
        let mut state = self.state.lock();
        if state.unauthenticated[usize::from(trusted)] >= limits.total_unauthenticated {
            return Err(Refusal::Unauthenticated);
        }
        let key = (!trusted).then(|| state.key(peer, limits.addresses));
        if let Some(key) = key {
            let account = state.accounts.entry(key).or_insert_with(|| Account::new(now));
            if account.sessions >= limits.address_sessions
                || account.unauthenticated >= limits.address_unauthenticated
            {
                return Err(Refusal::AddressConnections);
            }
            if !account.creations.take(now, limits.address_rate, limits.address_burst) {
                return Err(Refusal::AddressRate);
            }
            if !state.creations.take(now, limits.total_rate, limits.total_burst) {
                return Err(Refusal::TotalRate);
            }
        }
        if let Some(account) = key.and_then(|key| state.accounts.get_mut(&key)) {
            account.sessions += 1;
            account.unauthenticated += 1;
        }
        state.unauthenticated[usize::from(trusted)] += 1;
        drop(state);
        Ok(Permit { gate: Arc::clone(self), key, authenticated: false, place })
    }

    /// Notes an unknown session id.
    pub(crate) fn miss(&self, now: Instant, peer: Option<IpAddr>) -> Miss {
        if self.is_trusted(peer) {
            return Miss::Answer;
        }
        let limits = self.limits();
        let mut state = self.state.lock();
        let key = state.key(peer, limits.addresses);
        let delayed = state.delayed;
        let account = state.accounts.entry(key).or_insert_with(|| Account::new(now));
        if now.saturating_duration_since(account.missed) > MEMORY {
            account.misses = 0;
            account.missed = now;
        }
        account.misses += 1;
        let excess = account.misses.saturating_sub(limits.misses_delayed);
        match account.misses {
            misses if misses > limits.misses_refused => Miss::Refuse,
            _ if excess == 0 => Miss::Answer,
            _ if delayed >= MAX_DELAYED => Miss::Refuse,
            _ => {
                state.delayed += 1;
                Miss::Delay(Duration::from_millis(u64::from(excess) * 100).min(Duration::from_secs(5)))
            }
        }
    }

    /// An answer that [`Miss::Delay`] delayed is on its way, or will never be.
    pub(crate) fn delay_over(&self) {
        let mut state = self.state.lock();
        state.delayed = state.delayed.saturating_sub(1);
    }

    /// Forgets addresses that need no account any more.
    pub(crate) fn sweep(&self, now: Instant) {
        self.state.lock().accounts.retain(|_, account| {
            account.sessions > 0
                || account.creations.0 > now
                || (account.misses > 0 && now.saturating_duration_since(account.missed) <= MEMORY)
        });
    }
}

impl State {
    /// The account of an address; strangers beyond the bound of the table share one.
    fn key(&self, peer: Option<IpAddr>, most: usize) -> IpAddr {
        const SHARED: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let key = match peer.map(|peer| peer.to_canonical()) {
            None => SHARED,
            Some(IpAddr::V6(v6)) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            Some(v4) => v4,
        };
        if self.accounts.len() < most || self.accounts.contains_key(&key) { key } else { SHARED }
    }
}

impl Account {
    fn new(now: Instant) -> Self {
        Self { creations: Bucket(now), sessions: 0, unauthenticated: 0, misses: 0, missed: now }
    }
}

/// One admitted session; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Arc<Gate>,
    /// `None`: trusted.
    key: Option<IpAddr>,
    authenticated: bool,
    place: Place,
}

impl Permit {
    /// The session has authenticated.
    pub(crate) fn authenticated(&mut self) {
        if !std::mem::replace(&mut self.authenticated, true) {
            self.place.promote();
            self.release(false);
        }
    }

    /// The address, unless it is trusted.
    pub(crate) fn stranger(&self) -> Option<IpAddr> {
        self.key
    }

    fn release(&self, session: bool) {
        let mut state = self.gate.state.lock();
        let unauthenticated = !session || !self.authenticated;
        if unauthenticated {
            let trusted = usize::from(self.key.is_none());
            state.unauthenticated[trusted] = state.unauthenticated[trusted].saturating_sub(1);
        }
        if let Some(account) = self.key.and_then(|key| state.accounts.get_mut(&key)) {
            account.unauthenticated = account.unauthenticated.saturating_sub(u32::from(unauthenticated));
            account.sessions = account.sessions.saturating_sub(u32::from(session));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.release(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(change: impl FnOnce(&mut Limits)) -> (Arc<Gate>, Instant) {
        let mut limits = Limits::default();
        change(&mut limits);
        let now = Instant::now();
        (Gate::new(now, limits), now)
    }

    fn admit(gate: &Arc<Gate>, now: Instant, peer: &str) -> Result<Permit, Refusal> {
        gate.admit(now, ip(peer), &Budget::new(1 << 30))
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_has_a_burst_and_a_rate() {
        let (gate, now) = gate(|limits| {
            limits.address_unauthenticated = 1_000;
            limits.address_burst = 10;
            limits.address_rate = 2;
        });
        let permits: Vec<_> = (0..10).map(|_| admit(&gate, now, "192.0.2.1").unwrap()).collect();
        assert_eq!(admit(&gate, now, "192.0.2.1").unwrap_err(), Refusal::AddressRate);
        assert!(admit(&gate, now, "192.0.2.2").is_ok());
        let later = now + Duration::from_millis(500);
        assert!(admit(&gate, later, "192.0.2.1").is_ok());
        assert!(admit(&gate, later, "192.0.2.1").is_err());
        drop(permits);
    }

    #[test]
    fn unauthenticated_sessions_are_bounded_and_places_come_back() {
        let (gate, now) = gate(|limits| limits.address_unauthenticated = 2);
        let mut first = admit(&gate, now, "2001:db8::1").unwrap();
        let second = admit(&gate, now, "2001:db8::2").unwrap();
        assert!(admit(&gate, now, "2001:db8::3").is_err(), "one /64 is one address");
        first.authenticated();
        first.authenticated();
        let third = admit(&gate, now, "2001:db8::4").unwrap();
        assert!(admit(&gate, now, "2001:db8::5").is_err());
        drop((first, second, third));
        let state = gate.state.lock();
        let account = state.accounts.values().next().unwrap();
        assert_eq!((account.sessions, account.unauthenticated), (0, 0));
        assert_eq!(state.unauthenticated, [0, 0]);
    }

    #[test]
    fn strangers_at_the_total_leave_room_for_trusted_addresses() {
        let (gate, now) = gate(|limits| {
            limits.total_unauthenticated = 3;
            limits.address_unauthenticated = 10;
        });
        let strangers: Vec<_> = (0..3).map(|_| admit(&gate, now, "192.0.2.1").unwrap()).collect();
        assert_eq!(admit(&gate, now, "192.0.2.9").unwrap_err(), Refusal::Unauthenticated);
        let trusted: Vec<_> = (0..3).map(|_| admit(&gate, now, "127.0.0.1").unwrap()).collect();
        assert_eq!(admit(&gate, now, "127.0.0.1").unwrap_err(), Refusal::Unauthenticated);
        drop((strangers, trusted));
    }

    #[test]
    fn guessing_is_delayed_and_then_refused() {
        let (gate, now) = gate(|_| {});
        for _ in 0..20 {
            assert_eq!(gate.miss(now, ip("192.0.2.1")), Miss::Answer);
        }
        assert!(matches!(gate.miss(now, ip("192.0.2.1")), Miss::Delay(_)));
        for _ in 0..79 {
            gate.miss(now, ip("192.0.2.1"));
        }
        assert_eq!(gate.miss(now, ip("192.0.2.1")), Miss::Refuse);
        assert_eq!(gate.miss(now, ip("192.0.2.2")), Miss::Answer);
        assert_eq!(gate.miss(now, ip("127.0.0.1")), Miss::Answer);
        assert_eq!(gate.miss(now + MEMORY + Duration::from_secs(1), ip("192.0.2.1")), Miss::Answer);
    }

    #[test]
    fn accounts_are_forgotten_and_bounded() {
        let (gate, now) = gate(|limits| limits.addresses = 2);
        for last in 1..=9 {
            gate.miss(now, ip(&format!("192.0.2.{last}")));
        }
        assert!(gate.state.lock().accounts.len() <= 3);
        gate.sweep(now + Duration::from_secs(301));
        assert!(gate.state.lock().accounts.is_empty());
    }
}
