//! Subscribing and unsubscribing (XEP-0060 §6.1, §6.2).
//!
//! The answer is queued by the broker under the node's lock: ahead of the first event, behind the last.
//! There is one subscription for each address, so that no `subid` is ever given and repeating a request is a
//! success.

use std::sync::Arc;
use std::time::Instant;

use broker::{Address, Parcel, Via, WakeLater};
use jid::Jid;
use minidom::Element;

use super::super::bound::Bound;
use super::super::event::{self, Extras};
use super::super::form::{self, Reply};
use super::super::node::{AccessModel, Affiliation, Found, Item, LIST, NodeConfig, SendLast};
use super::super::policy::{Access, Right};
use super::super::query::{Outcome, Request};
use super::super::stanza::{Condition, StanzaError, push, push_attr};
use super::super::{ns, stamp};
use super::{find, node_id};

/// An address of the requester's own account.
enum Whose {
    /// The account, or the asking session itself.
    Session(Via),
    /// Another resource, bound or not.
    Other(Address),
}

impl Whose {
    fn address(&self, bound: &Bound) -> Address {
        match self {
            Self::Session(Via::Bare) => bound.session.address().to_bare(),
            Self::Session(Via::Full) => bound.session.address().clone(),
            Self::Other(address) => address.clone(),
        }
    }
}

/// Finds out whose address `jid` is. `None`: somebody else's, or none at all.
fn whose(bound: &Bound, jid: &str) -> Option<Whose> {
    if jid == &*bound.account {
        return Some(Whose::Session(Via::Bare));
    }
    let jid = Jid::new(jid).ok()?;
    let (local, domain) = bound.account.split_once('@')?;
    if jid.node().map(|node| node.as_str()) != Some(local)
        || !jid.domain().as_str().eq_ignore_ascii_case(domain)
    {
        return None;
    }
    Some(match jid.resource().map(|resource| resource.as_str()) {
        None => Whose::Session(Via::Bare),
        Some(resource) if resource == bound.resource() => Whose::Session(Via::Full),
        Some(resource) => Whose::Other(Address::full(bound.account.clone(), resource)),
    })
}

/// What the state of a new subscription is.
enum Verdict {
    Subscribed,
    Pending,
}

/// Takes a subscription.
pub(super) fn subscribe(request: &Request<'_>, verb: &Element, options: Option<&Element>) -> Outcome {
    let bound = request.bound;
    let node = node_id(verb)?;
    let jid = verb.attr("jid").ok_or_else(invalid_jid)?;
    let whose = whose(bound, jid).ok_or_else(invalid_jid)?;
    let found = find(bound.shared(), node)?;
    if let Some(options) = options {
        check_options(options)?;
    }
    match admit(bound, node, &found, &whose)? {
        Verdict::Subscribed => enter(request, node, jid, whose, &found),
        Verdict::Pending => {
            bound.send(answer(request, node, jid, "pending"));
            Ok(())
        }
    }
}

fn invalid_jid() -> StanzaError {
    StanzaError::pubsub(Condition::BadRequest, "invalid-jid")
}

/// Options may say only what is so anyway; an empty element is what old clients send.
fn check_options(options: &Element) -> Outcome {
    if options.get_child("x", ns::DATA).is_none() {
        return Ok(());
    }
    let invalid = || StanzaError::pubsub(Condition::BadRequest, "invalid-options");
    let Reply::Submit(fields) = form::parse(options, ns::SUBSCRIBE_OPTIONS)? else { return Ok(()) };
    for (name, values) in fields {
        let value = values.first().map(String::as_str).unwrap_or_default();
        let harmless = match name {
            "pubsub#deliver" => form::boolean(value) == Some(true),
            "pubsub#digest" | "pubsub#include_body" => form::boolean(value) == Some(false),
            "pubsub#subscription_type" => value == "items",
            "pubsub#subscription_depth" => value == "1",
            _ => false,
        };
        if !harmless {
            return Err(invalid());
        }
    }
    Ok(())
}

/// Asks policy and access model (§6.1.3, §4.5).
fn admit(bound: &Bound, node: &str, found: &Found, whose: &Whose) -> Result<Verdict, StanzaError> {
    let closed = || StanzaError::pubsub(Condition::NotAllowed, "closed-node");
    match bound.may(Right::Subscribe, node) {
        Access::Allow | Access::Defer => {}
        Access::Forbidden => return Err(Condition::Forbidden.into()),
        Access::NotAllowed => return Err(closed()),
    }
    let Some(entry) = &found.node else { return Ok(Verdict::Subscribed) };
    let mut state = entry.state.write();
    match (state.affiliation(&bound.account), state.config.access_model) {
        (Affiliation::Outcast | Affiliation::PublishOnly, _) => Err(Condition::Forbidden.into()),
        _ if !state.config.subscribe => Err(Condition::NotAllowed.into()),
        (Affiliation::Member | Affiliation::Publisher | Affiliation::Owner, _) | (_, AccessModel::Open) => {
            Ok(Verdict::Subscribed)
        }
        (Affiliation::None, AccessModel::Whitelist) => Err(closed()),
        (Affiliation::None, AccessModel::Authorize) => {
            let address = whose.address(bound);
            let subscriptions = bound.shared().broker.subscriptions(&bound.account);
            if subscriptions.iter().any(|(of, name)| *of == address && &**name == node) {
                return Ok(Verdict::Subscribed);
            }
            if state.pending.contains(&address) {
                return Err(StanzaError::pubsub(Condition::NotAuthorized, "pending-subscription"));
            }
            if state.pending.len() >= LIST {
                return Err(Condition::ResourceConstraint.into());
            }
            state.pending.insert(address);
            bound.shared().nodes.count_pending(1);
            Ok(Verdict::Pending)
        }
    }
}

/// `<subscription/>` as the answer.
fn answer(request: &Request<'_>, node: &str, jid: &str, state: &str) -> Parcel {
    request.envelope().result(node.len() + jid.len() + 160, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB, "\"><subscription"]);
        push_attr(out, "node", node);
        push_attr(out, "jid", jid);
        push(out, &[" subscription=\"", state, "\"/></pubsub>"]);
    })
}

/// Enters the subscription, with the answer in front of everything it brings.
fn enter(request: &Request<'_>, node: &str, jid: &str, whose: Whose, found: &Found) -> Outcome {
    let bound = request.bound;
    let answer = answer(request, node, jid, "subscribed");
    let via = match whose {
        Whose::Session(via) => via,
        Whose::Other(address) => {
            bound.shared().broker.subscribe(&address, node).map_err(refused)?;
            bound.send(answer);
            return Ok(());
        }
    };
    let config = found.config();
    let last = bound.shared().strict() && config.persist_items && config.send_last != SendLast::Never;
    let Some(entry) = found.node.as_ref().filter(|_| last) else {
        bound.session.subscribe(node, via, Some(answer)).map_err(refused)?;
        return Ok(());
    };
    // Under the items' lock, so that no newer event comes in front of the last item.
    let _quiet = WakeLater::new();
    let mut items = entry.items.lock();
    items.expire(request.now, &config);
    let subscribed = bound.session.subscribe(node, via, Some(answer)).map_err(refused)?;
    if let (false, Some(item)) = (subscribed.already, items.last()) {
        bound.send(last_item(bound, node, &config, item, via, request.now));
    }
    Ok(())
}

/// A stored item with the time of its publication (§6.1.7, XEP-0203).
fn last_item(bound: &Bound, node: &str, config: &NodeConfig, item: &Item, via: Via, now: Instant) -> Parcel {
    let stamp = stamp::ago(now.saturating_duration_since(item.published));
    let extras =
        Extras { kind: config.headline.then_some("headline"), delay: Some(&stamp), ..Extras::default() };
    let pubsub = &bound.shared().config.pubsub_domain;
    let payload = if config.deliver_payloads { &*item.payload } else { b"" };
    let event = event::item_event(pubsub, node, &item.id, payload.len(), extras, |out| {
        out.extend_from_slice(payload);
    });
    Parcel::Event { event, via }
}

/// Sends the last items of nodes that want that when a subscriber becomes available (strict profile).
/// `bare`: the session receives for its account as well.
pub(crate) fn greet(bound: &Bound, bare: bool, now: Instant) {
    let shared = bound.shared();
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
        let _quiet = WakeLater::new();
        let mut items = node.items.lock();
        items.expire(now, &config);
        if let Some(item) = items.last() {
            bound.send(last_item(bound, &name, &config, item, via, now));
        }
    }
}

/// What the broker's refusals are on the wire.
pub(super) fn refused(error: broker::Error) -> StanzaError {
    match error {
        broker::Error::NoSuchNode => Condition::ItemNotFound.into(),
        broker::Error::NotSubscribed => StanzaError::pubsub(Condition::UnexpectedRequest, "not-subscribed"),
        broker::Error::TooManySubscriptions => {
            StanzaError::pubsub(Condition::PolicyViolation, "too-many-subscriptions")
        }
        broker::Error::TooManyNodes => Condition::ResourceConstraint.into(),
        broker::Error::NodeExists => Condition::Conflict.into(),
        broker::Error::BadName => Condition::NotAcceptable.into(),
        _ => Condition::InternalServerError.into(),
    }
}

/// Ends a subscription.
pub(super) fn unsubscribe(request: &Request<'_>, verb: &Element) -> Outcome {
    let bound = request.bound;
    let node = node_id(verb)?;
    let jid = verb.attr("jid").ok_or_else(|| StanzaError::pubsub(Condition::BadRequest, "jid-required"))?;
    let whose = whose(bound, jid).ok_or(Condition::Forbidden)?;
    let found = find(bound.shared(), node)?;
    if verb.attr("subid").is_some_and(|subid| !subid.is_empty()) {
        return Err(StanzaError::pubsub(Condition::NotAcceptable, "invalid-subid"));
    }
    if withdraw(bound, &found, &whose) {
        return request.done();
    }
    match whose {
        Whose::Session(via) => bound.session.unsubscribe(node, via, Some(request.envelope().empty())),
        Whose::Other(address) => {
            let done = bound.shared().broker.unsubscribe(&address, node);
            done.inspect(|_| bound.send(request.envelope().empty()))
        }
    }
    .map_err(refused)
}

/// Takes back a subscription that still waits for consent.
fn withdraw(bound: &Bound, found: &Found, whose: &Whose) -> bool {
    let Some(entry) = &found.node else { return false };
    let removed = entry.state.write().pending.remove(&whose.address(bound));
    if removed {
        bound.shared().nodes.count_pending(-1);
    }
    removed
}

/// Every subscription of the account with its state, in the order of node and address.
pub(super) fn of_account(bound: &Bound) -> Vec<(Address, Arc<str>, &'static str)> {
    let shared = bound.shared();
    let mut list: Vec<(Address, Arc<str>, &'static str)> = shared
        .broker
        .subscriptions(&bound.account)
        .into_iter()
        .map(|(address, node)| (address, node, "subscribed"))
        .collect();
    if shared.nodes.any_pending() {
        for (name, node) in shared.nodes.all() {
            let state = node.state.read();
            let mine = state.pending.iter().filter(|address| address.bare == bound.account);
            list.extend(mine.map(|address| (address.clone(), name.clone(), "pending")));
        }
    }
    list.sort_unstable_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    list
}
