//! Events that come back as errors (XEP-0060 §12.4).
//!
//! A client that says for good that it does not want an event, with an error of the type `cancel`, loses the
//! subscription at the third time: that one and no other, and never one that the server keeps for it.

use std::sync::Arc;

use broker::{Address, Via};
use minidom::Element;

use super::address::Target;
use super::bound::Bound;
use super::{ns, pubsub};

/// Errors after which a subscription ends.
const PATIENCE: u8 = 3;

/// Subscriptions of one session whose errors are counted; beyond that the oldest is forgotten.
const COUNTED: usize = 16;

/// How often the events of one subscription came back.
#[derive(Debug)]
struct Count {
    node: Arc<str>,
    via: Via,
    times: u8,
}

/// What a session has sent back. Nothing, without memory, for nearly all of them.
#[derive(Debug, Default)]
pub(crate) struct Bounces(Option<Box<Counts>>);

#[derive(Debug, Default)]
struct Counts(Vec<Count>);

impl Bounces {
    /// Counts one; true if it was the last that is borne.
    fn count(&mut self, node: &str, via: Via) -> bool {
        let Counts(list) = &mut **self.0.get_or_insert_default();
        let at = list.iter().position(|count| *count.node == *node && count.via == via);
        let mut count = match at {
            Some(at) => list.remove(at),
            None => Count { node: node.into(), via, times: 0 },
        };
        count.times += 1;
        if count.times >= PATIENCE {
            return true;
        }
        if list.len() >= COUNTED {
            list.remove(0);
        }
        list.push(count);
        false
    }
}

/// Takes a message of the type `error` that was sent to the pubsub service.
pub(crate) fn handle(bound: &Bound, message: &Element) {
    let cancel = message.get_child("error", ns::CLIENT).is_some_and(|e| e.attr("type") == Some("cancel"));
    if !cancel {
        return;
    }
    let Some(node) = node_of(bound, message) else { return };
    // The address the event was for is where the error says that it comes from.
    let via = match message.attr("from").map(|from| bound.classify(Some(from))) {
        Some(Target::Account) => Via::Bare,
        _ => Via::Full,
    };
    let shared = bound.service.0.clone();
    let full = bound.session.address().clone();
    let address = if via == Via::Bare { full.to_bare() } else { full };
    let Some((via, address)) = subscribed(&shared.broker, via, address, &node) else { return };
    let was_last = bound.bounces.lock().count(&node, via);
    if was_last {
        pubsub::cancel(&shared, &address, &node);
    }
}

/// The subscription that is meant, unless it is the server's own. Clients that do not say by which address
/// they were reached mean the only one there is.
fn subscribed(broker: &broker::Broker, via: Via, address: Address, node: &str) -> Option<(Via, Address)> {
    let explicit = |address: &Address| broker.subscription(address, node).is_some_and(|s| !s.automatic);
    if explicit(&address) {
        return Some((via, address));
    }
    let bare = address.to_bare();
    (via == Via::Full && explicit(&bare)).then_some((Via::Bare, bare))
}

/// The node whose event came back: named by the event if it came along, otherwise by the message id, which is
/// the node, the account and a number.
fn node_of(bound: &Bound, message: &Element) -> Option<String> {
    let event = message.get_child("event", ns::PUBSUB_EVENT);
    if let Some(node) = event.and_then(|event| event.children().find_map(|child| child.attr("node"))) {
        return Some(node.to_owned());
    }
    let (start, _) = message.attr("id")?.rsplit_once("__")?;
    let node = start.strip_suffix(&*bound.account)?.strip_suffix("__")?;
    Some(node.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_error_of_one_subscription_counts() {
        let mut bounces = Bounces::default();
        assert!(!bounces.count("/n", Via::Bare));
        assert!(!bounces.count("/n", Via::Full));
        assert!(!bounces.count("/n", Via::Bare));
        assert!(!bounces.count("/m", Via::Bare));
        assert!(bounces.count("/n", Via::Bare));
        assert!(!bounces.count("/n", Via::Bare), "and it begins anew");
    }

    #[test]
    fn the_list_is_bounded() {
        let mut bounces = Bounces::default();
        for n in 0..100 {
            bounces.count(&format!("/{n}"), Via::Full);
        }
        assert_eq!(bounces.0.unwrap().0.len(), COUNTED);
    }
}
