//! Events that a session has to get: which, in which order, for which of its subscriptions.

use std::collections::VecDeque;

use broker::{Address, Broker, Event, Reach, Via};
use minidom::Element;

use crate::world::{self, PUBSUB};

const CLIENT: &str = "jabber:client";
const PUBSUB_NS: &str = "http://jabber.org/protocol/pubsub";
const EVENT: &str = "http://jabber.org/protocol/pubsub#event";

/// One event on its way to one session.
struct Due {
    number: u64,
    /// The addresses it goes to, and whether it has to come: with options by which it does so in some states
    /// of the session only, it may.
    to: Vec<(String, bool)>,
}

/// What has to come, oldest first.
#[derive(Default)]
pub struct Dues(VecDeque<Due>);

impl Dues {
    /// The server publishes event `number` to `node`, and the session `full` of the account `bare` is there.
    pub fn publish(&mut self, number: u64, broker: &Broker, bare: &str, full: &str, node: &str) {
        let to = receivers(broker, bare, full, node);
        if !to.is_empty() {
            self.0.push_back(Due { number, to });
        }
    }

    /// The client hears event `number` for the address `to`.
    pub fn hear(&mut self, number: u64, to: &str) {
        while self.0.front().is_some_and(|due| due.number < number && due.is_optional()) {
            self.0.pop_front();
        }
        let due = self.0.front_mut().expect("an event that was not due");
        assert_eq!(number, due.number, "events keep their order");
        let at = due.to.iter().position(|(due, _)| due == to).expect("an event for each subscription, once");
        due.to.swap_remove(at);
        self.0.pop_front_if(|due| due.to.is_empty());
    }

    /// The client has heard everything that was sent.
    pub fn check_heard(&self) {
        if let Some(due) = self.0.iter().find(|due| !due.is_optional()) {
            panic!("event {} is lost", due.number);
        }
    }

    /// Nothing is due.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was due need not come any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Due {
    fn is_optional(&self) -> bool {
        self.to.iter().all(|(_, has_to)| !has_to)
    }
}

/// Addresses of the session to which an event of the node goes now. An address gets one message however many
/// subscriptions it has (XEP-0060 §12.16).
fn receivers(broker: &Broker, bare: &str, full: &str, node: &str) -> Vec<(String, bool)> {
    let own = |address: &Address| *address.to_string() == *full;
    let sessions = broker.sessions(bare);
    let reach = sessions.iter().find(|info| own(&info.address)).map_or(Reach::None, |info| info.reach);
    let subscriptions = broker.subscriptions(bare).into_iter().filter(|(_, name)| **name == *node);
    let reached = subscriptions.map(|(address, _)| address).filter(|address| match address.resource {
        None => reach == Reach::All,
        Some(_) => reach != Reach::None && own(address),
    });
    let wanted = reached.filter_map(|address| {
        let manner = broker.subscription(&address, node)?.manner;
        let probe = Event::new("<message/>");
        let states = u8::try_from(broker::STATES).expect("a few");
        let delivers = |state| {
            manner.as_ref().is_none_or(|manner| manner.treatment(state).parcel(&probe, Via::Full).is_some())
        };
        let count = (0..states).filter(|state| delivers(*state)).count();
        (count > 0).then(|| (address.to_string(), count == broker::STATES))
    });
    wanted.collect()
}

/// The id that an answer gives to a subscription (XEP-0060 §12.16).
pub fn subid(element: &Element) -> Option<&str> {
    element.get_child("pubsub", PUBSUB_NS)?.get_child("subscription", PUBSUB_NS)?.attr("subid")
}

/// The number of an event that the server itself published.
pub fn event_number(element: &Element) -> Option<u64> {
    if !element.is("message", CLIENT) || element.attr("from") != Some(PUBSUB) {
        return None;
    }
    let items = element.get_child("event", EVENT)?.get_child("items", EVENT)?;
    if !world::NODES.contains(&items.attr("node")?) {
        return None;
    }
    items.get_child("item", EVENT)?.attr("id")?.strip_prefix('e')?.parse().ok()
}
