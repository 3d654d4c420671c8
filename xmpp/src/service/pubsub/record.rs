//! What there is to know of the subscriptions of one address to one node, beyond that there are some.
//!
//! A plain subscription, of which there is nothing to know, has no record and takes the broker's one
//! rendering as it is. All others are a [`Manner`] with a [`Record`] as its note: it lives in the broker and
//! so exactly as long as the subscription. Whoever changes a record holds [`Stripes::lock`] of the account,
//! since a change is a new record made from the old one.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Instant;

use broker::{Address, Extra, Manner, STATES, Treatment, WakeLater};
use parking_lot::{Mutex, MutexGuard};

use super::super::stanza::{push, push_attr};
use super::super::{Shared, event, ns};

/// Subscriptions that one address may have to one node where several are possible.
pub(crate) const MANY: usize = 16;

/// What a session shows about itself, in the order of the broker's states (`pubsub#show-values`; RFC 6121
/// §4.7.2.1).
pub(crate) const SHOWS: [&str; STATES] = ["online", "chat", "away", "dnd", "xa"];

/// State of the session for the broker; values that are none count as online.
pub(crate) fn state_of_show(show: &str) -> u8 {
    let at = SHOWS.iter().position(|name| *name == show.trim()).unwrap_or(0);
    // Far below 256.
    at as u8
}

/// When a subscription ends by itself (`pubsub#expire`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lease {
    /// Never.
    #[default]
    Forever,
    /// With the subscriber's presence (XEP-0060 §12.4).
    Presence,
    /// At this time.
    Until {
        /// As the service's clock has it.
        at: Instant,
        /// As the client said it, in seconds since 1970.
        date: u64,
    },
}

/// Subscription options (XEP-0060 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) deliver: bool,
    pub(crate) include_body: bool,
    /// One bit for each of [`SHOWS`].
    pub(crate) shows: u8,
    pub(crate) lease: Lease,
    /// Of a collection: what is wanted of it.
    pub(crate) what: What,
    /// Of a collection: from all levels below it, not from its own nodes only.
    pub(crate) all_depths: bool,
}

/// What a subscription to a collection is about (`pubsub#subscription_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum What {
    /// What is published on its nodes.
    #[default]
    Items,
    /// Which nodes come and go.
    Nodes,
}

/// All of [`SHOWS`].
pub(crate) const ALL_SHOWS: u8 = (1 << STATES) - 1;

impl Default for Options {
    fn default() -> Self {
        Self {
            deliver: true,
            include_body: false,
            shows: ALL_SHOWS,
            lease: Lease::Forever,
            what: What::Items,
            all_depths: false,
        }
    }
}

/// One subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// Given where an address may have several subscriptions to a node.
    pub(crate) subid: Option<Arc<str>>,
    pub(crate) options: Options,
}

/// The subscriptions of one address to one node; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record(pub(crate) Vec<Subscription>);

impl Record {
    /// What the broker is to keep; `None` for the plain subscription.
    pub(crate) fn manner(self) -> Option<Arc<Manner>> {
        if self.0 == [Subscription::default()] {
            return None;
        }
        let by_state = std::array::from_fn(|state| self.treatment(1 << state));
        Some(Arc::new(Manner::new(by_state, self)))
    }

    /// One message for all subscriptions that want it, with the ids of them (XEP-0060 §12.16).
    fn treatment(&self, show: u8) -> Treatment {
        let wanted = |one: &&Subscription| one.options.deliver && one.options.shows & show != 0;
        treatment(self.0.iter().filter(wanted), None)
    }
}

/// How an event reaches these subscriptions to the collection `name` (XEP-0248 §11): with its name, and with
/// the ids of those that want it.
pub(crate) fn collected(list: &[Subscription], name: &str) -> Manner {
    let by_state = std::array::from_fn(|state| {
        let wanted = |one: &&Subscription| one.options.deliver && one.options.shows & (1 << state) != 0;
        treatment(list.iter().filter(wanted), Some(name))
    });
    Manner::new(by_state, ())
}

impl Subscription {
    /// A new one with default options, and with an id where there may be several.
    pub(crate) fn fresh(shared: &Shared) -> Self {
        Self { subid: shared.multi_subscribe().then(|| event::fresh_id().into()), ..Self::default() }
    }
}

fn treatment<'a>(
    wanted: impl Iterator<Item = &'a Subscription> + Clone,
    collection: Option<&str>,
) -> Treatment {
    let summary = wanted.clone().any(|one| one.options.include_body);
    let mut ids = wanted.clone().filter_map(|one| one.subid.as_deref()).peekable();
    if wanted.count() == 0 {
        return Treatment::Withhold;
    }
    if ids.peek().is_none() && !summary && collection.is_none() {
        return Treatment::Plain;
    }
    let mut out = Vec::new();
    if ids.peek().is_some() || collection.is_some() {
        push(&mut out, &["<headers xmlns=\"", ns::SHIM, "\">"]);
        if let Some(name) = collection {
            push(&mut out, &["<header name=\"Collection\">"]);
            crate::xml::push_text(&mut out, name);
            push(&mut out, &["</header>"]);
        }
        for id in ids {
            push(&mut out, &["<header name=\"SubID\">", id, "</header>"]);
        }
        push(&mut out, &["</headers>"]);
    }
    Treatment::With(Arc::new(Extra { bytes: out.into(), summary }))
}

/// Appends `<subscription/>` (XEP-0060 §5.6), without its node where the list has it.
pub(crate) fn push_subscription(
    out: &mut Vec<u8>,
    node: Option<&str>,
    jid: &str,
    subid: Option<&str>,
    state: &str,
) {
    push(out, &["<subscription"]);
    if let Some(node) = node {
        push_attr(out, "node", node);
    }
    push_attr(out, "jid", jid);
    if let Some(subid) = subid {
        push_attr(out, "subid", subid);
    }
    push(out, &[" subscription=\"", state, "\"/>"]);
}

/// The subscriptions of `address` to `node`; none if it is not subscribed.
pub(crate) fn of(shared: &Shared, address: &Address, node: &str) -> Vec<Subscription> {
    match shared.broker.subscription(address, node) {
        None => Vec::new(),
        Some(info) => noted(info.manner.as_ref()),
    }
}

/// The subscriptions that a manner stands for.
pub(crate) fn noted(manner: Option<&Arc<Manner>>) -> Vec<Subscription> {
    let record = manner.and_then(|manner| manner.note::<Record>());
    record.map_or_else(|| vec![Subscription::default()], |record| record.0.clone())
}

/// When the subscriptions that a manner stands for end.
pub(crate) fn leases(manner: &Manner) -> impl Iterator<Item = Lease> {
    let record = manner.note::<Record>();
    record.into_iter().flat_map(|record| record.0.iter().map(|one| one.options.lease))
}

/// Locks under which records are replaced, each for a part of the accounts.
pub(crate) struct Stripes {
    locks: [Mutex<()>; 32],
    hasher: RandomState,
}

impl Stripes {
    pub(crate) fn new() -> Self {
        Self { locks: Default::default(), hasher: RandomState::new() }
    }

    /// Keeps everybody else from changing the account's records. Comes before every other lock.
    pub(crate) fn lock(&self, bare: &str) -> Held<'_> {
        let quiet = WakeLater::new();
        // The remainder is below the number of locks.
        let guard = self.locks[self.hasher.hash_one(bare) as usize % self.locks.len()].lock();
        Held { _guard: guard, _quiet: quiet }
    }
}

/// A stripe under its lock; nobody is woken before it is let go (fields drop in this order).
#[must_use]
pub(crate) struct Held<'a> {
    _guard: MutexGuard<'a, ()>,
    _quiet: WakeLater,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(subid: Option<&str>, options: Options) -> Subscription {
        Subscription { subid: subid.map(Into::into), options }
    }

    #[test]
    fn plain_subscriptions_need_no_record() {
        assert!(Record(vec![Subscription::default()]).manner().is_none());
        assert_eq!(noted(None), [Subscription::default()]);
    }

    #[test]
    fn headers_name_the_subscriptions_that_want_the_event() {
        let away = Options { shows: 1 << state_of_show("away"), ..Options::default() };
        let mute = Options { deliver: false, ..Options::default() };
        let record =
            Record(vec![one(Some("a"), Options::default()), one(Some("b"), away), one(Some("c"), mute)]);
        let manner = record.clone().manner().unwrap();
        assert_eq!(noted(Some(&manner)), record.0);
        let text = |state| match manner.treatment(state) {
            Treatment::With(extra) => String::from_utf8(extra.bytes.to_vec()).unwrap(),
            other => format!("{other:?}"),
        };
        let header = |id| format!("<header name=\"SubID\">{id}</header>");
        assert_eq!(text(0), format!("<headers xmlns=\"{}\">{}</headers>", ns::SHIM, header("a")));
        assert_eq!(
            text(state_of_show("away")),
            format!("<headers xmlns=\"{}\">{}{}</headers>", ns::SHIM, header("a"), header("b"))
        );
        assert_eq!(Record(vec![one(None, mute)]).treatment(1), Treatment::Withhold);
        assert_eq!(Record(vec![one(None, away)]).treatment(1), Treatment::Withhold);
        assert_eq!(Record(vec![one(None, away)]).treatment(away.shows), Treatment::Plain);
    }
}
