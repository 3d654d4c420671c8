//! Consent of owners to subscriptions (access model `authorize`; XEP-0060 §8.6).
//!
//! A request that waits is kept with the node, with everything it asked for. Owners are asked by a form in a
//! message to their bare address, whoever of them is there; those who come later ask by `get-pending`
//! ([`pending`](super::pending)), or use the list of subscriptions. The first answer counts.

use std::sync::Arc;
use std::time::Instant;

use broker::{Address, WakeLater};
use minidom::Element;

use super::super::bound::Bound;
use super::super::form::{self, Kind, Reply, Writer};
use super::super::node::{Affiliation, Found, Node};
use super::super::query::Outcome;
use super::super::stanza::{Condition, StanzaError, notice, push, push_attr};
use super::super::{Shared, event, ns};
use super::lists::address;
use super::notify::{self, News};
use super::record::{self, MANY, Record, Subscription};
use super::subscribe::{self, refused};
use super::{find, last, leases, owner_access};

/// Asks the owners of a node about one request.
pub(super) fn ask(shared: &Shared, node: &str, entry: &Node, who: &Address, waiting: &Subscription) {
    if !shared.subscription_options() {
        return;
    }
    let owners = subscribe::owners(&entry.state.read());
    let id = event::fresh_id();
    for owner in owners {
        let form = notice(request(shared, &owner, &id, node, who, waiting));
        shared.broker.send(&Address::bare(owner), form);
    }
}

/// The form, as a message of the normal type.
pub(super) fn request(
    shared: &Shared,
    to: &str,
    id: &str,
    node: &str,
    who: &Address,
    waiting: &Subscription,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024 + node.len());
    push(&mut out, &["<message xmlns=\"", ns::CLIENT, "\""]);
    push_attr(&mut out, "from", &shared.config.pubsub_domain);
    push_attr(&mut out, "to", to);
    push_attr(&mut out, "id", id);
    out.push(b'>');
    let mut form = Writer::start(&mut out, "form", ns::SUBSCRIBE_AUTHORIZATION);
    if let Some(subid) = &waiting.subid {
        form.field("pubsub#subid", Kind::Hidden, "", subid);
    }
    form.field("pubsub#node", Kind::Text, "Node", node);
    form.field("pubsub#subscriber_jid", Kind::Jid, "Subscriber", &who.to_string());
    form.field("pubsub#allow", Kind::Boolean, "Allow the subscription", "0");
    form.end();
    push(&mut out, &["</message>"]);
    out
}

/// Takes an owner's answer. `None`: the message is no such answer.
pub(crate) fn answered(bound: &Bound, now: Instant, message: &Element) -> Option<Outcome> {
    let form = message.get_child("x", ns::DATA)?;
    let named = form.children().any(|field| {
        field.attr("var") == Some("FORM_TYPE")
            && field.get_child("value", ns::DATA).is_some_and(|v| v.text() == ns::SUBSCRIBE_AUTHORIZATION)
    });
    (named && bound.shared().subscription_options()).then(|| decide(bound, now, message))
}

fn decide(bound: &Bound, now: Instant, message: &Element) -> Outcome {
    // A cancelled form leaves the request as it is.
    let Reply::Submit(fields) = form::parse(message, ns::SUBSCRIBE_AUTHORIZATION)? else { return Ok(()) };
    let value = |name: &str| {
        let found = fields.iter().find(|(field, _)| *field == name);
        found.and_then(|(_, values)| values.first()).map(String::as_str)
    };
    let shared = bound.shared();
    let node = value("pubsub#node")
        .filter(|node| !node.is_empty())
        .ok_or_else(|| StanzaError::pubsub(Condition::BadRequest, "nodeid-required"))?;
    let who = address(shared, value("pubsub#subscriber_jid"))?;
    let allow = value("pubsub#allow").and_then(form::boolean).ok_or(Condition::BadRequest)?;
    let found = find(shared, node)?;
    owner_access(bound, node, &found)?;
    let Some(entry) = &found.node else { return Ok(()) };
    let subid = value("pubsub#subid").filter(|subid| !subid.is_empty());
    {
        let state = entry.state.read();
        let waiting = state.pending.get(&who);
        if subid.is_some() && waiting.is_some_and(|waiting| waiting.subid.as_deref() != subid) {
            return Err(StanzaError::pubsub(Condition::NotAcceptable, "invalid-subid"));
        }
    }
    // Another owner was faster, or the request was withdrawn: no matter.
    let _ = if allow {
        approve(shared, node, &found, &who, now, News::Event)?
    } else {
        deny(shared, node, entry, &who, News::Event)
    };
    Ok(())
}

/// Takes a request out of the list of those that wait.
pub(super) fn take(shared: &Shared, node: &str, entry: &Node, who: &Address) -> Option<Subscription> {
    let mut state = entry.state.write();
    let waiting = state.pending.remove(who)?;
    shared.nodes.note_settled(node, &who.bare);
    Some(waiting)
}

/// Makes a waiting request a subscription. False if there is none.
pub(super) fn approve(
    shared: &Shared,
    node: &str,
    found: &Found,
    who: &Address,
    now: Instant,
    news: News,
) -> Result<bool, StanzaError> {
    let _stripe = shared.stripes.lock(&who.bare);
    let Some(waiting) = found.node.as_ref().and_then(|entry| take(shared, node, entry, who)) else {
        return Ok(false);
    };
    enter(shared, node, found, who, waiting, now, news)?;
    Ok(true)
}

/// Subscribes somebody else, who is told before the first event. The account's stripe is held.
fn enter(
    shared: &Shared,
    node: &str,
    found: &Found,
    who: &Address,
    fresh: Subscription,
    now: Instant,
    news: News,
) -> Outcome {
    let mut list = record::of(shared, who, node);
    // Without `multi_subscribe` a subscription that came about in the meantime is the same one.
    if !shared.multi_subscribe() {
        list.clear();
    }
    if list.len() >= MANY {
        notify::state(shared, news, who, node, fresh.subid.as_deref(), "none");
        return Err(StanzaError::pubsub(Condition::PolicyViolation, "too-many-subscriptions"));
    }
    list.push(fresh.clone());
    let subid = fresh.subid.as_deref();
    let _quiet = WakeLater::new();
    let mut last = last::items(shared, found, now);
    notify::state(shared, news, who, node, subid, "subscribed");
    if let Err(error) = shared.broker.subscribe_with(who, node, Record(list).manner()) {
        notify::state(shared, news, who, node, subid, "none");
        return Err(refused(error));
    }
    leases::note(shared, fresh.options.lease);
    if let Some(last) = &mut last {
        last.send(shared, node, who, &fresh);
    }
    drop(last);
    notify::owners(shared, node, found, who, subid, "subscribed");
    Ok(())
}

/// Refuses a waiting request. False if there is none.
pub(super) fn deny(shared: &Shared, node: &str, entry: &Node, who: &Address, news: News) -> bool {
    let Some(waiting) = take(shared, node, entry, who) else { return false };
    notify::state(shared, news, who, node, waiting.subid.as_deref(), "none");
    true
}

/// Decides about what an account waits for when its affiliation has changed (§8.7.4): who may subscribe
/// without asking need not wait, an outcast waits in vain.
pub(super) fn affiliated(
    shared: &Shared,
    node: &str,
    found: &Found,
    bare: &Arc<str>,
    affiliation: Affiliation,
    now: Instant,
) {
    let Some(entry) = &found.node else { return };
    let waiting: Vec<Address> = {
        let state = entry.state.read();
        state.pending_of(bare).map(|(address, _)| address.clone()).collect()
    };
    for who in waiting {
        match affiliation {
            Affiliation::Member | Affiliation::Publisher | Affiliation::Owner => {
                // Who has too many subscriptions has been told that he has not got this one.
                let _ = approve(shared, node, found, &who, now, News::Event);
            }
            Affiliation::Outcast | Affiliation::PublishOnly => {
                deny(shared, node, entry, &who, News::Event);
            }
            Affiliation::None => {}
        }
    }
}
