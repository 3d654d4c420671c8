//! Memory that clients may make a server hold, as one number that is never exceeded.
//!
//! What is held for a client beyond a small allowance is reserved here first, in grains, so that the usual
//! delivery touches nothing shared: an outbox that drains, a stanza that arrives in one piece and a session
//! that idles cost their holder's entry and no more.
//!
//! As the budget fills, who is refused more depends on who asks: strangers may fill half of it, sessions
//! three quarters. The last quarter is divided into equal shares, one for each session, which is what a
//! well-behaved session lives on while others do their worst; strangers have none, however many they are. The
//! sum of the shares is the quarter, so that the limit holds whatever anybody does.

use std::fmt;
use std::sync::Arc;

use crate::sync::{AtomicUsize, Ordering};

/// Reservations are multiples of this many bytes.
const GRAIN: usize = 4 << 10;
/// Reservations that one session may make at the same time: its place, its input, its output, its outbox.
const RESERVATIONS: usize = 4;

/// For whom memory is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Somebody who has not authenticated. Gets memory while less than half is in use.
    Stranger,
    /// A session, or a connection from a trusted address. Gets memory while less than three quarters are
    /// in use, and its share beyond.
    Session,
}

/// There is no memory for this holder at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the memory for clients is used up")]
pub struct OverBudget;

/// The memory set aside for clients. Cloning gives another handle.
#[derive(Clone)]
pub struct Budget(Arc<Pool>);

struct Pool {
    limit: usize,
    used: AtomicUsize,
    /// Places of rank [`Rank::Session`].
    holders: AtomicUsize,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Pool { limit, used: AtomicUsize::new(0), holders: AtomicUsize::new(0) }))
    }

    /// Bytes there are.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Places of sessions and trusted connections, among which the last quarter is divided.
    pub fn holders(&self) -> usize {
        self.0.holders.load(Ordering::Relaxed)
    }

    /// A place for a connection or session that costs `bytes` by being there. Those for [`Rank::Session`] may
    /// fill half of the last quarter as well, so that hogs do not keep others from logging in.
    ///
    /// # Errors
    ///
    /// [`OverBudget`]: it has to be refused.
    pub fn enter(&self, bytes: usize, rank: Rank) -> Result<Place, OverBudget> {
        let free = match rank {
            Rank::Stranger => self.0.free(rank),
            Rank::Session => self.0.limit / 8 * 7,
        };
        self.0.grow(0, bytes, rank, free)?;
        let place = Place { pool: self.0.clone(), bytes, rank: Rank::Stranger };
        Ok(if rank == Rank::Session { place.promoted() } else { place })
    }

    /// An empty reservation, for what comes and goes.
    pub fn hold(&self) -> Hold {
        Hold { budget: self.clone(), bytes: 0 }
    }

    /// Reserves `more` bytes, in grains, for somebody who holds `held`; returns what he holds then.
    pub(crate) fn reserve(&self, held: usize, needed: usize, rank: Rank) -> Result<usize, OverBudget> {
        let needed = needed.div_ceil(GRAIN).saturating_mul(GRAIN);
        if needed > held {
            self.0.grow(held, needed - held, rank, self.0.free(rank))?;
        }
        Ok(needed.max(held))
    }

    /// Whether somebody who holds `held` may hold `more`; for what is [taken](Self::take) afterwards.
    pub(crate) fn admits(&self, held: usize, more: usize) -> bool {
        let after = self.used().saturating_add(more);
        let shared = held.saturating_add(more) <= self.0.share() && after <= self.limit();
        after <= self.limit() / 4 * 3 || shared
    }

    /// Counts what was admitted.
    pub(crate) fn take(&self, bytes: usize) {
        self.0.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn release(&self, bytes: usize) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Pool {
    /// How much of the budget may be in use for this rank to get more than its share.
    fn free(&self, rank: Rank) -> usize {
        match rank {
            Rank::Stranger => self.limit / 2,
            Rank::Session => self.limit / 4 * 3,
        }
    }

    fn grow(&self, held: usize, more: usize, rank: Rank, free: usize) -> Result<(), OverBudget> {
        let after = self.used.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        let shared =
            rank == Rank::Session && held.saturating_add(more) <= self.share() && after <= self.limit;
        if after <= free || shared {
            return Ok(());
        }
        self.used.fetch_sub(more, Ordering::Relaxed);
        Err(OverBudget)
    }

    /// What one reservation may come to when the budget is tight.
    fn share(&self) -> usize {
        let holders = self.holders.load(Ordering::Relaxed).max(1);
        (self.limit / 4 / RESERVATIONS / holders).max(GRAIN)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Budget({} of {} by {})", self.used(), self.limit(), self.holders())
    }
}

/// The place of one connection or session in a [`Budget`]; dropping it gives the memory back.
pub struct Place {
    pool: Arc<Pool>,
    bytes: usize,
    rank: Rank,
}

impl Place {
    /// Whoever has it has authenticated, and gets a share of the last quarter.
    pub fn promote(&mut self) {
        if std::mem::replace(&mut self.rank, Rank::Session) == Rank::Stranger {
            self.pool.holders.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn promoted(mut self) -> Self {
        self.promote();
        self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pool.used.fetch_sub(self.bytes, Ordering::Relaxed);
        if self.rank == Rank::Session {
            self.pool.holders.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({})", self.bytes)
    }
}

/// A reservation that follows what its owner holds; dropping it gives the memory back.
#[derive(Debug)]
pub struct Hold {
    budget: Budget,
    bytes: usize,
}

impl Hold {
    /// What an owner may hold without reserving; the cost of his [`Place`] includes it.
    pub const FREE: usize = 4 << 10;

    /// Says how much is held now. Touches nothing shared while it is within [`Hold::FREE`].
    ///
    /// # Errors
    ///
    /// [`OverBudget`]: the owner has to let go of it; the reservation stays as it was.
    pub fn set(&mut self, bytes: usize, rank: Rank) -> Result<(), OverBudget> {
        let needed = if bytes <= Self::FREE { 0 } else { bytes };
        let needed = needed.div_ceil(GRAIN).saturating_mul(GRAIN);
        if needed > self.bytes {
            self.bytes = self.budget.reserve(self.bytes, needed, rank)?;
        } else if needed < self.bytes {
            self.budget.release(self.bytes - needed);
            self.bytes = needed;
        }
        Ok(())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.budget.release(self.bytes);
        }
    }
}

#[cfg(all(test, not(broker_loom)))]
mod tests {
    use super::*;

    #[test]
    fn strangers_stop_at_half_and_sessions_at_three_quarters() {
        let budget = Budget::new(64 * GRAIN);
        let mut stranger = budget.hold();
        stranger.set(32 * GRAIN, Rank::Stranger).unwrap();
        assert_eq!(stranger.set(33 * GRAIN, Rank::Stranger), Err(OverBudget));
        let mut session = budget.hold();
        session.set(16 * GRAIN, Rank::Session).unwrap();
        assert_eq!(session.set(17 * GRAIN, Rank::Session), Err(OverBudget));
        assert_eq!(budget.used(), 48 * GRAIN);
        drop(stranger);
        assert_eq!(session.set(17 * GRAIN, Rank::Session), Ok(()));
        drop(session);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn beyond_that_each_has_its_share() {
        let budget = Budget::new(64 * GRAIN);
        let _places: Vec<_> = (0..2).map(|_| budget.enter(0, Rank::Session).unwrap()).collect();
        let mut hog = budget.hold();
        hog.set(48 * GRAIN, Rank::Session).unwrap();
        assert_eq!(hog.set(49 * GRAIN, Rank::Session), Err(OverBudget));
        // A quarter for two holders with four reservations each: two grains.
        let mut modest = budget.hold();
        modest.set(2 * GRAIN, Rank::Session).unwrap();
        assert_eq!(modest.set(3 * GRAIN, Rank::Session), Err(OverBudget));
        assert!(budget.enter(GRAIN, Rank::Stranger).is_err());
        assert!(budget.enter(GRAIN, Rank::Session).is_ok(), "a login from a trusted address");
    }

    #[test]
    fn strangers_do_not_make_the_shares_smaller() {
        let budget = Budget::new(64 * GRAIN);
        let mut strangers: Vec<_> = (0..1000).map(|_| budget.enter(0, Rank::Stranger).unwrap()).collect();
        assert_eq!(budget.holders(), 0);
        strangers[0].promote();
        strangers[0].promote();
        assert_eq!(budget.holders(), 1);
        budget.take(48 * GRAIN);
        // A quarter for one holder with four reservations.
        let mut modest = budget.hold();
        modest.set(4 * GRAIN, Rank::Session).unwrap();
        assert_eq!(modest.set(5 * GRAIN, Rank::Session), Err(OverBudget));
        assert!(budget.enter(4 * GRAIN, Rank::Session).is_ok());
        assert!(budget.enter(4 * GRAIN, Rank::Stranger).is_err());
        drop(strangers);
        assert_eq!(budget.holders(), 0);
    }

    #[test]
    fn the_limit_holds_whatever_anybody_does() {
        let budget = Budget::new(10 * GRAIN);
        let mut holds: Vec<_> = (0..100).map(|_| budget.hold()).collect();
        for hold in &mut holds {
            let _ = hold.set(GRAIN + 1, Rank::Session);
            let _ = hold.set(usize::MAX, Rank::Session);
            assert!(budget.used() <= budget.limit());
        }
        drop(holds);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn little_costs_nothing() {
        let budget = Budget::new(0);
        assert_eq!(budget.hold().set(Hold::FREE, Rank::Stranger), Ok(()));
        assert_eq!(budget.hold().set(Hold::FREE + 1, Rank::Stranger), Err(OverBudget));
    }
}
