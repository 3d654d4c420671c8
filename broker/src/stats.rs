//! What the broker counts.

use crate::budget::Budget;
use crate::sync::{AtomicU64, Ordering};

/// Snapshot of a [`Broker`](crate::Broker). The counters are read one after the other, so that
/// sums may be off by what happens meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Nodes in the table: created ones and those of the source that have subscriptions.
    pub nodes: usize,
    /// Accounts with a session or a subscription.
    pub accounts: usize,
    /// Sessions bound.
    pub sessions: usize,
    /// Subscriptions, dormant ones and automatic ones included.
    pub subscriptions: usize,
    /// Events published, since start.
    pub published: u64,
    /// Those of them that nobody listened to.
    pub unheard: u64,
    /// Deliveries of published events to outboxes, since start.
    pub delivered: u64,
    /// Sessions ended because their outbox overflowed, since start.
    pub overflowed: u64,
    /// Events dropped under [`Overflow::DropOldest`](crate::Overflow), since start.
    pub dropped: u64,
    /// Events replaced under [`Overflow::Coalesce`](crate::Overflow), since start.
    pub coalesced: u64,
    /// Sessions replaced by a newer one with the same full address, since start.
    pub replaced: u64,
    /// Sessions ended because what waited for them was more than the budget allowed, since start.
    pub starved: u64,
    /// Bytes of the [budget](crate::Budget) in use.
    pub memory: usize,
}

/// A number that only grows, or a level that goes up and down.
#[derive(Debug)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn add(&self, n: u64) {
        if n != 0 {
            self.0.fetch_add(n, Ordering::Relaxed);
        }
    }

    pub(crate) fn sub(&self, n: u64) {
        if n != 0 {
            self.0.fetch_sub(n, Ordering::Relaxed);
        }
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters outside the publish path; those inside it are kept for each shard of the node table.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) sessions: Counter,
    pub(crate) subscriptions: Counter,
    pub(crate) overflowed: Counter,
    pub(crate) dropped: Counter,
    pub(crate) coalesced: Counter,
    pub(crate) replaced: Counter,
    pub(crate) starved: Counter,
    pub(crate) budget: Budget,
}

impl Counters {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            sessions: Counter::new(),
            subscriptions: Counter::new(),
            overflowed: Counter::new(),
            dropped: Counter::new(),
            coalesced: Counter::new(),
            replaced: Counter::new(),
            starved: Counter::new(),
            budget,
        }
    }
}

/// What one shard of the node table has seen.
#[derive(Debug)]
pub(crate) struct Traffic {
    pub(crate) published: Counter,
    pub(crate) unheard: Counter,
    pub(crate) delivered: Counter,
}

impl Traffic {
    pub(crate) fn new() -> Self {
        Self { published: Counter::new(), unheard: Counter::new(), delivered: Counter::new() }
    }
}
