//! Bounds and sizes.

use std::time::Duration;

use crate::outbox::OutboxLimits;

/// Bounds of a [`Broker`](crate::Broker). Reaching one has a named answer: see each field.
#[derive(Clone, Debug)]
pub struct Config {
    /// Shards of the node and account tables, rounded up to a power of two. Default 64.
    pub shards: usize,
    /// Nodes in the table, created ones and those of the node source that have subscriptions;
    /// beyond it [`Error::TooManyNodes`](crate::Error). Default 200 000.
    pub max_nodes: usize,
    /// Subscriptions of one account, those of its sessions and dormant ones included. When it is
    /// reached the subscriptions of the resource that has been absent longest make room; if there
    /// is none, [`Error::TooManySubscriptions`](crate::Error). Default 5000.
    pub max_subscriptions_per_account: usize,
    /// Full-address subscriptions of one session; beyond it
    /// [`Error::TooManySubscriptions`](crate::Error). Default 2000.
    pub max_subscriptions_per_session: usize,
    /// How long full-address subscriptions outlive their session before
    /// [`Broker::sweep`](crate::Broker::sweep) drops them. Default 24 h.
    pub dormant_after: Duration,
    /// Bytes that may be held for clients: what waits in outboxes and what transports and services keep for
    /// them, see [`Budget`](crate::Budget). Default 1.5 GiB.
    pub memory: usize,
    /// Bounds of the outboxes that [`Broker::outbox`](crate::Broker::outbox) makes.
    pub outbox: OutboxLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            shards: 64,
            max_nodes: 200_000,
            max_subscriptions_per_account: 5000,
            max_subscriptions_per_session: 2000,
            dormant_after: Duration::from_secs(24 * 60 * 60),
            memory: 1 << 30,
            outbox: OutboxLimits::default(),
        }
    }
}
