//! Subscriptions that end by themselves: at a time (`pubsub#expire`), or with the subscriber's presence
//! (temporary subscriptions, XEP-0060 §12.4).
//!
//! There is no timer for each: one number says when the next one may be due, and only then, at most once a
//! second, the broker is asked for all that are special.

use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::Address;
use parking_lot::Mutex;

use super::super::Shared;
use super::notify::{self, News};
use super::offline;
use super::record::{self, Lease, Record, Subscription};

/// Leases that end within this time are ended together, so that however many there are they cost little.
const TOGETHER: Duration = Duration::from_secs(1);

/// When the next subscription expires, at the earliest.
#[derive(Default)]
pub(crate) struct Leases(Mutex<Next>);

#[derive(Default)]
struct Next {
    /// When to look, if there is anything to look for.
    at: Option<Instant>,
    /// When was looked last.
    looked: Option<Instant>,
}

impl Leases {
    fn sooner(&self, at: Instant) {
        let mut next = self.0.lock();
        // However many different times clients make up.
        let at = next.looked.map_or(at, |looked| at.max(looked + TOGETHER));
        next.at = Some(next.at.map_or(at, |next| next.min(at)));
    }

    /// Takes the number if it is due; otherwise gives it back.
    fn due(&self, now: Instant) -> Result<(), Option<Instant>> {
        let mut next = self.0.lock();
        match next.at {
            Some(at) if at <= now => {
                *next = Next { at: None, looked: Some(now) };
                Ok(())
            }
            later => Err(later),
        }
    }

    fn next(&self) -> Option<Instant> {
        self.0.lock().at
    }
}

/// Notes that a subscription may expire.
pub(super) fn note(shared: &Shared, lease: Lease) {
    if let Lease::Until { at, .. } = lease {
        shared.leases.sooner(at);
    }
}

/// Ends what has expired; returns when to come again.
pub(crate) fn expire(shared: &Shared, now: Instant) -> Option<Instant> {
    if let Err(later) = shared.leases.due(now) {
        return later;
    }
    for (address, node, manner) in shared.broker.manners() {
        let mut over = false;
        for lease in record::leases(&manner) {
            match lease {
                Lease::Until { at, .. } if at <= now => over = true,
                Lease::Until { at, .. } => shared.leases.sooner(at),
                Lease::Forever | Lease::Presence => {}
            }
        }
        if over {
            let is_over = |lease| matches!(lease, Lease::Until { at, .. } if at <= now);
            end(shared, &address, &node, true, is_over);
        }
    }
    shared.leases.next()
}

/// A resource has become unavailable or is gone: its temporary subscriptions end, and the items that go with
/// their publisher.
pub(crate) fn gone(shared: &Shared, account: &Arc<str>, resource: &str) {
    end_temporary(shared, account, resource);
    offline::purge(shared, account);
}

/// Ends the temporary subscriptions of a resource that is not available, and those of its account if nobody
/// is; also those for resources that are not even bound.
fn end_temporary(shared: &Shared, account: &Arc<str>, resource: &str) {
    let over = |address: &Address| match &address.resource {
        None => !shared.accounts.is_anybody_available(account),
        Some(of) if **of == *resource => !shared.accounts.is_available(account, of),
        Some(of) => !shared.accounts.has(account, of),
    };
    for (address, node, manner) in shared.broker.manners_of(account) {
        if record::leases(&manner).any(|lease| lease == Lease::Presence) && over(&address) {
            // Asked again when nobody can subscribe: a resource may have come in the meantime.
            end(shared, &address, &node, false, |lease| lease == Lease::Presence && over(&address));
        }
    }
}

/// Ends everything that an address has on a node, since it sends the events back.
pub(crate) fn cancel(shared: &Shared, address: &Address, node: &str) {
    end(shared, address, node, shared.strict(), |_| true);
}

/// Ends those subscriptions of an address to a node that `over` picks, and tells the subscriber if he is to
/// be told.
fn end(shared: &Shared, address: &Address, node: &str, tell: bool, over: impl Fn(Lease) -> bool) {
    let _stripe = shared.stripes.lock(&address.bare);
    let list = record::of(shared, address, node);
    let (ended, rest): (Vec<Subscription>, Vec<Subscription>) =
        list.into_iter().partition(|one| over(one.options.lease));
    if ended.is_empty() {
        return;
    }
    // Whatever has ended otherwise in the meantime has ended.
    let _ = match rest.is_empty() {
        true => shared.broker.unsubscribe(address, node),
        false => shared.broker.set_manner(address, node, Record(rest).manner()),
    };
    for one in ended.iter().filter(|_| tell) {
        notify::state(shared, News::Event, address, node, one.subid.as_deref(), "none");
    }
}
