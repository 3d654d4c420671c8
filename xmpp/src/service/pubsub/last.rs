//! Last items: what a node published last, sent unasked to who subscribes or becomes available (XEP-0060
//! §6.1.7, §12.2; `pubsub#send_last_published_item`). The Finesse profile never does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use broker::{Address, Event, Manner, Treatment, Via, WakeLater};
use parking_lot::MutexGuard;

use super::super::bound::Bound;
use super::super::event::{self, Extras};
use super::super::node::{Found, Item, Items, NodeConfig, SendLast};
use super::super::{Shared, stamp};
use super::record::{Record, Subscription};

/// The stored items of a node that sends the last of them, under their lock: no newer event comes in front
/// of what is sent while this is held.
pub(super) struct Last<'a> {
    items: MutexGuard<'a, Items>,
    config: Arc<NodeConfig>,
    now: Instant,
}

/// Locks the items of a node that greets new subscribers with the last one.
pub(super) fn items<'a>(shared: &Shared, found: &'a Found, now: Instant) -> Option<Last<'a>> {
    let entry = found.node.as_ref().filter(|_| shared.strict())?;
    let config = found.config();
    if !config.persist_items || config.send_last == SendLast::Never {
        return None;
    }
    let mut items = entry.items.lock();
    items.expire(now, &config);
    Some(Last { items, config, now })
}

impl Last<'_> {
    /// Sends the last item to whoever receives for a new subscription.
    pub(super) fn send(&mut self, shared: &Shared, node: &str, to: &Address, subscription: &Subscription) {
        let Some(item) = self.items.last() else { return };
        let event = render(shared, node, &self.config, item, self.now);
        let manner = Record(vec![subscription.clone()]).manner();
        shared.broker.deliver(to, &event, manner.as_deref());
    }
}

/// A stored item with the time of its publication (XEP-0203).
fn render(shared: &Shared, node: &str, config: &NodeConfig, item: &Item, now: Instant) -> Event {
    let stamp = stamp::ago(now.saturating_duration_since(item.published));
    let extras = Extras {
        kind: config.headline.then_some("headline"),
        delay: Some(&stamp),
        publisher: config.name_publisher.then_some(&*item.publisher),
    };
    let payload = if config.deliver_payloads { &*item.payload } else { b"" };
    event::item_event(&shared.config.pubsub_domain, node, &item.id, payload.len(), extras, |out| {
        out.extend_from_slice(payload);
    })
}

/// Sends the last items of nodes that want that when a subscriber becomes available (strict profile).
/// `bare`: the session receives for its account as well; `state` is what it shows.
///
/// They take half of the session's queue at most, so that the events that come behind them find room: nobody is
/// thrown out for what he is subscribed to. Nodes that come too late send nothing; their items can be asked for.
pub(crate) fn greet(bound: &Bound, bare: bool, state: u8, now: Instant) {
    let shared = bound.shared();
    let outbox = bound.outbox();
    let (max_items, max_bytes) = outbox.bounds();
    let mut manners = None;
    for (address, name) in shared.broker.subscriptions(&bound.account) {
        let via = match &address.resource {
            None if bare => Via::Bare,
            Some(resource) if **resource == *bound.resource() => Via::Full,
            _ => continue,
        };
        let Some(node) = shared.nodes.get(&name) else { continue };
        let config = node.state.read().config.clone();
        if !config.persist_items || config.send_last != SendLast::OnSubAndPresence {
            continue;
        }
        let manners = manners.get_or_insert_with(|| manners_of(bound));
        let manner = manners.get(&(address, name.clone()));
        let treatment = manner.map_or(Treatment::Plain, |manner| manner.treatment(state).clone());
        let _quiet = WakeLater::new();
        let mut items = node.items.lock();
        items.expire(now, &config);
        let Some(item) = items.last() else { continue };
        let event = render(shared, &name, &config, item, now);
        let Some(parcel) = treatment.parcel(&event, via) else { continue };
        if outbox.len() >= max_items.div_ceil(2) || outbox.bytes() + parcel.len() > max_bytes.div_ceil(2) {
            tracing::debug!(user = &*bound.principal().user, "more last items than its queue has room for");
            return;
        }
        bound.send(parcel);
    }
}

/// What is special about the account's subscriptions.
pub(super) fn manners_of(bound: &Bound) -> HashMap<(Address, Arc<str>), Arc<Manner>> {
    let list = bound.shared().broker.manners_of(&bound.account).into_iter();
    list.map(|(address, node, manner)| ((address, node), manner)).collect()
}
