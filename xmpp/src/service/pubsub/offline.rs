//! Items that go with their publisher (`pubsub#purge_offline`; XEP-0060 §16.4.4).

use broker::WakeLater;

use super::super::Shared;
use super::super::event::{self, Extras};
use super::super::stanza::{push, push_attr};
use super::collections;

/// Removes what an account has published on nodes that want that, if none of its resources is available.
/// Costs a look at an empty list where there are no such nodes.
pub(super) fn purge(shared: &Shared, account: &str) {
    let names = shared.nodes.fleeting();
    if names.is_empty() || shared.accounts.is_anybody_available(account) {
        return;
    }
    for name in names {
        let Some(node) = shared.nodes.get(&name) else { continue };
        let config = node.state.read().config.clone();
        let _quiet = WakeLater::new();
        // Held while it is told, so that it comes behind the event of each item.
        let mut items = node.items.lock();
        if !config.purge_offline {
            continue;
        }
        let ids = items.remove_of(account);
        if ids.is_empty() || !config.notify_retract || !config.deliver_notifications {
            continue;
        }
        let kind = config.headline.then_some("headline");
        let extras = Extras { kind, ..Extras::default() };
        let domain = &shared.config.pubsub_domain;
        let event = event::message(domain, &name, ids.len() * 64, extras, |out| {
            push(out, &["<items"]);
            push_attr(out, "node", &name);
            out.push(b'>');
            for id in &ids {
                push(out, &["<retract"]);
                push_attr(out, "id", id);
                push(out, &["/>"]);
            }
            push(out, &["</items>"]);
        });
        // Whether it is still there by now does not matter.
        let _ = match config.links.parents.is_empty() {
            true => shared.broker.publish(&name, event).known,
            false => collections::publish(shared, &name, &config.links, &event),
        };
    }
}
