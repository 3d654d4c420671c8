//! News about subscriptions: to the subscriber (XEP-0060 §8.6, §12.20) and to the owners (`pubsub#notify_sub`).

use broker::{Address, Event};

use super::super::node::Found;
use super::super::stanza::{notice, push, push_attr};
use super::super::{Shared, ns};
use super::record::push_subscription;
use super::subscribe;

/// In what news is wrapped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// `<event/>`: something has happened to the subscription (§8.6, §12.20).
    Event,
    /// `<pubsub/>`: an owner has changed the list of subscriptions (§8.8.4).
    List,
}

/// Tells whoever receives for `address` what has become of its subscription.
pub(super) fn state(
    shared: &Shared,
    news: News,
    address: &Address,
    node: &str,
    subid: Option<&str>,
    state: &str,
) {
    let jid = address.to_string();
    let event = Event::new(message(shared, news, &jid, &jid, node, subid, state));
    shared.broker.deliver(address, &event, None);
}

/// Tells the owners of a node that wants that (`pubsub#notify_sub`).
pub(super) fn owners(
    shared: &Shared,
    node: &str,
    found: &Found,
    address: &Address,
    subid: Option<&str>,
    state: &str,
) {
    let Some(entry) = &found.node else { return };
    let owners = {
        let guard = entry.state.read();
        if !guard.config.notify_sub {
            return;
        }
        subscribe::owners(&guard)
    };
    let jid = address.to_string();
    for owner in owners {
        let bytes = message(shared, News::Event, &owner, &jid, node, subid, state);
        shared.broker.send(&Address::bare(owner), notice(bytes));
    }
}

fn message(
    shared: &Shared,
    news: News,
    to: &str,
    jid: &str,
    node: &str,
    subid: Option<&str>,
    state: &str,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(320 + node.len() + 2 * jid.len());
    push(&mut out, &["<message xmlns=\"", ns::CLIENT, "\""]);
    push_attr(&mut out, "from", &shared.config.pubsub_domain);
    push_attr(&mut out, "to", to);
    let (name, namespace) = match news {
        News::Event => ("event", ns::PUBSUB_EVENT),
        News::List => ("pubsub", ns::PUBSUB),
    };
    push(&mut out, &["><", name, " xmlns=\"", namespace, "\">"]);
    push_subscription(&mut out, Some(node), jid, subid, state);
    push(&mut out, &["</", name, "></message>"]);
    out
}
