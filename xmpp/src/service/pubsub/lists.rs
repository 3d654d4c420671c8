//! Lists: a client's own subscriptions and affiliations (XEP-0060 §5.6, §5.7), and those of a node as its
//! owners see and change them (§8.8, §8.9).

use std::sync::Arc;

use broker::Address;
use jid::Jid;
use minidom::Element;

use super::super::bound::Bound;
use super::super::node::{Affiliation, Found, LIST, Node, State};
use super::super::query::{Outcome, Request};
use super::super::rsm::Wish;
use super::super::stanza::{Condition, StanzaError, notice, push, push_attr};
use super::super::{Shared, ns};
use super::notify::{self, News};
use super::record::{self, Record, Subscription, push_subscription};
use super::subscribe::{Listed, choose, of_account, refused};
use super::{authorize, find, node_id, owner_access};

/// The requester's subscriptions, those the server keeps for him included. No white space: readers walk
/// over all child nodes.
pub(super) fn subscriptions(request: &Request<'_>, verb: &Element) -> Outcome {
    let wish = Wish::parse(request.child)?;
    let node = verb.attr("node").filter(|node| !node.is_empty());
    if let Some(node) = node {
        find(request.bound.shared(), node)?;
    }
    let mut list = of_account(request.bound);
    list.retain(|one| node.is_none_or(|node| &*one.node == node));
    let keyed: Vec<(String, Listed)> = list
        .into_iter()
        .map(|one| (format!("{} {} {}", one.node, one.address, one.subid.as_deref().unwrap_or("")), one))
        .collect();
    let page = wish.cut(keyed, |(key, ..)| key)?;
    request.answer(page.entries.len() * 160 + 512, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB, "\"><subscriptions"]);
        if let Some(node) = node {
            push_attr(out, "node", node);
        }
        out.push(b'>');
        for (_, one) in &page.entries {
            let jid = one.address.to_string();
            push_subscription(out, Some(&one.node), &jid, one.subid.as_deref(), one.state);
        }
        push(out, &["</subscriptions>"]);
        page.push(out);
        push(out, &["</pubsub>"]);
    })
}

/// The requester's affiliations; an empty list if there are none.
pub(super) fn affiliations(request: &Request<'_>, verb: &Element) -> Outcome {
    let bound = request.bound;
    let wish = Wish::parse(request.child)?;
    let only = verb.attr("node").filter(|node| !node.is_empty());
    let list: Vec<(Arc<str>, Affiliation)> = match only {
        Some(node) => vec![(node.into(), find(bound.shared(), node)?.affiliation(&bound.account))],
        None => {
            let nodes = &bound.shared().nodes;
            let found = nodes.of_account(&bound.account).into_iter().filter_map(|name| {
                let affiliation = nodes.get(&name)?.state.read().affiliation(&bound.account);
                Some((name, affiliation))
            });
            found.collect()
        }
    };
    let list = list.into_iter().filter(|(_, affiliation)| *affiliation != Affiliation::None).collect();
    let page = wish.cut(list, |(name, _): &(Arc<str>, Affiliation)| name)?;
    request.answer(page.entries.len() * 96 + 512, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB, "\"><affiliations"]);
        if let Some(node) = only {
            push_attr(out, "node", node);
        }
        out.push(b'>');
        for (name, affiliation) in &page.entries {
            push(out, &["<affiliation"]);
            push_attr(out, "node", name);
            push(out, &[" affiliation=\"", affiliation.name(), "\"/>"]);
        }
        push(out, &["</affiliations>"]);
        page.push(out);
        push(out, &["</pubsub>"]);
    })
}

/// Subscribers of a node, for its owners (§8.8.1).
pub(super) fn subscribers(request: &Request<'_>, verb: &Element) -> Outcome {
    let bound = request.bound;
    let node = node_id(verb)?;
    let found = find(bound.shared(), node)?;
    owner_access(bound, node, &found)?;
    let wish = Wish::parse(request.child)?;
    let mut list = Vec::new();
    for address in bound.shared().broker.subscribers(node) {
        for one in record::of(bound.shared(), &address, node) {
            list.push(listed(&address, one, "subscribed"));
        }
    }
    if let Some(entry) = &found.node {
        let state = entry.state.read();
        list.extend(state.pending.iter().map(|(address, one)| listed(address, one.clone(), "pending")));
    }
    list.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let page = wish.cut(list, |(key, ..)| key)?;
    request.answer(page.entries.len() * 96 + 512, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB_OWNER, "\"><subscriptions"]);
        push_attr(out, "node", node);
        out.push(b'>');
        for (_, jid, subid, state) in &page.entries {
            push_subscription(out, None, jid, subid.as_deref(), state);
        }
        push(out, &["</subscriptions>"]);
        page.push(out);
        push(out, &["</pubsub>"]);
    })
}

/// A subscriber with what his place in the list goes by.
fn listed(
    address: &Address,
    one: Subscription,
    state: &'static str,
) -> (String, String, Option<Arc<str>>, &'static str) {
    let jid = address.to_string();
    (format!("{jid} {}", one.subid.as_deref().unwrap_or("")), jid, one.subid, state)
}

/// An address of this domain as the broker spells it.
pub(super) fn address(shared: &Shared, jid: Option<&str>) -> Result<Address, StanzaError> {
    let jid = jid.ok_or(Condition::BadRequest)?;
    let jid = Jid::new(jid).map_err(|_| Condition::JidMalformed)?;
    let domain = &shared.config.domain;
    let local = jid.node().ok_or(Condition::NotAcceptable)?;
    if !jid.domain().as_str().eq_ignore_ascii_case(domain) {
        return Err(Condition::NotAcceptable.into());
    }
    let bare: Arc<str> = format!("{}@{domain}", local.as_str()).into();
    Ok(Address { bare, resource: jid.resource().map(|resource| resource.as_str().into()) })
}

/// Subscribers a node may have for its owner to add more: addresses that nobody ever uses cost memory too.
const ADDED: usize = 20_000;

/// What an owner wants a subscription to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Subscribed,
    None,
}

/// Changes subscriptions for others (§8.8.2). Either all changes are well-formed or none is made.
pub(super) fn set_subscribers(request: &Request<'_>, verb: &Element) -> Outcome {
    let bound = request.bound;
    let shared = bound.shared();
    let node = node_id(verb)?;
    let found = find(shared, node)?;
    owner_access(bound, node, &found)?;
    let mut changes: Vec<Change<'_>> = Vec::new();
    for child in verb.children().filter(|child| child.is("subscription", ns::PUBSUB_OWNER)) {
        let wanted = match child.attr("subscription") {
            Some("subscribed") => Wanted::Subscribed,
            Some("none") => Wanted::None,
            // Nothing else can be wished: there are no options to configure and waiting is not granted.
            Some("pending" | "unconfigured") => return Err(Condition::NotAcceptable.into()),
            _ => return Err(Condition::BadRequest.into()),
        };
        let subid = child.attr("subid").filter(|subid| !subid.is_empty());
        changes.push(Change { address: address(shared, child.attr("jid"))?, wanted, subid });
    }
    if changes.is_empty() {
        return Err(Condition::BadRequest.into());
    }
    let added = changes.iter().filter(|change| change.wanted == Wanted::Subscribed).count();
    if added > 0 && shared.broker.subscribers(node).len() + added > ADDED {
        return Err(Condition::ResourceConstraint.into());
    }
    for change in &changes {
        check(shared, node, &found, change)?;
    }
    for change in changes {
        apply(request, node, &found, change)?;
    }
    request.done()
}

/// One subscription that an owner sets.
struct Change<'a> {
    address: Address,
    wanted: Wanted,
    subid: Option<&'a str>,
}

/// Where an address may have several subscriptions, an owner has to say which one he means (§8.8.2).
fn check(shared: &Shared, node: &str, found: &Found, change: &Change<'_>) -> Outcome {
    if !shared.multi_subscribe() {
        return Ok(());
    }
    let waits = found.node.as_ref().is_some_and(|n| n.state.read().pending.contains_key(&change.address));
    let list = record::of(shared, &change.address, node);
    match change.subid {
        None if !waits && !list.is_empty() => Err(Condition::BadRequest.into()),
        None => Ok(()),
        Some(_) if waits => Ok(()),
        Some(_) => choose(&list, change.subid).map(|_| ()),
    }
}

fn apply(request: &Request<'_>, node: &str, found: &Found, change: Change<'_>) -> Outcome {
    let shared = request.bound.shared();
    let Change { address, wanted, subid } = change;
    if wanted == Wanted::Subscribed {
        return admit(request, node, found, &address, subid);
    }
    let _stripe = shared.stripes.lock(&address.bare);
    let waited =
        found.node.as_ref().is_some_and(|entry| authorize::deny(shared, node, entry, &address, News::List));
    let mut list = record::of(shared, &address, node);
    if list.is_empty() || waited && subid.is_some() {
        return Ok(());
    }
    let gone = list.remove(choose(&list, subid)?);
    let ended = match list.is_empty() {
        true => shared.broker.unsubscribe(&address, node),
        false => shared.broker.set_manner(&address, node, Record(list).manner()),
    };
    if ended.is_ok() {
        notify::state(shared, News::List, &address, node, gone.subid.as_deref(), "none");
        notify::owners(shared, node, found, &address, gone.subid.as_deref(), "none");
    }
    Ok(())
}

/// Subscribes an address for its owner; whoever waits has waited long enough.
fn admit(request: &Request<'_>, node: &str, found: &Found, who: &Address, subid: Option<&str>) -> Outcome {
    let shared = request.bound.shared();
    if authorize::approve(shared, node, found, who, request.now, News::List)? || subid.is_some() {
        return Ok(());
    }
    let _stripe = shared.stripes.lock(&who.bare);
    let fresh = Subscription::fresh(shared);
    let manner = Record(vec![fresh.clone()]).manner();
    if !record::of(shared, who, node).is_empty() {
        return Ok(());
    }
    shared.broker.subscribe_with(who, node, manner).map_err(refused)?;
    notify::state(shared, News::List, who, node, fresh.subid.as_deref(), "subscribed");
    notify::owners(shared, node, found, who, fresh.subid.as_deref(), "subscribed");
    Ok(())
}

/// Tells the available resources of an account its new affiliation (§8.9.4).
fn tell(bound: &Bound, to: &Address, body: impl Fn(&mut Vec<u8>)) {
    let shared = bound.shared();
    for listener in shared.accounts.available(&to.bare) {
        if to.resource.as_ref().is_some_and(|resource| *resource != listener.resource) {
            continue;
        }
        let mut out = Vec::with_capacity(384);
        push(&mut out, &["<message xmlns=\"", ns::CLIENT, "\""]);
        push_attr(&mut out, "from", &shared.config.pubsub_domain);
        push_attr(&mut out, "to", &to.to_string());
        push(&mut out, &["><pubsub xmlns=\"", ns::PUBSUB, "\">"]);
        body(&mut out);
        push(&mut out, &["</pubsub></message>"]);
        let _ = listener.outbox.push(notice(out));
    }
}

/// Affiliations with a node, for its owners (§8.9.1).
pub(super) fn affiliates(request: &Request<'_>, verb: &Element) -> Outcome {
    let bound = request.bound;
    let node = node_id(verb)?;
    let found = find(bound.shared(), node)?;
    owner_access(bound, node, &found)?;
    let wish = Wish::parse(request.child)?;
    let list: Vec<(Arc<str>, Affiliation)> = found.node.as_ref().map_or_else(Vec::new, |entry| {
        entry.state.read().affiliations.iter().map(|(bare, of)| (bare.clone(), *of)).collect()
    });
    let page = wish.cut(list, |(bare, _)| bare)?;
    request.answer(page.entries.len() * 96 + 512, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB_OWNER, "\"><affiliations"]);
        push_attr(out, "node", node);
        out.push(b'>');
        for (bare, affiliation) in &page.entries {
            push_affiliation(out, bare, *affiliation);
        }
        push(out, &["</affiliations>"]);
        page.push(out);
        push(out, &["</pubsub>"]);
    })
}

fn push_affiliation(out: &mut Vec<u8>, bare: &str, affiliation: Affiliation) {
    push(out, &["<affiliation"]);
    push_attr(out, "jid", bare);
    push(out, &[" affiliation=\"", affiliation.name(), "\"/>"]);
}

/// Changes affiliations (§8.9.2). All or nothing; a node always keeps an owner.
pub(super) fn set_affiliates(request: &Request<'_>, verb: &Element) -> Outcome {
    let bound = request.bound;
    let shared = bound.shared();
    let node = node_id(verb)?;
    let found = find(shared, node)?;
    owner_access(bound, node, &found)?;
    let entry = found.node.as_ref().ok_or(Condition::NotAllowed)?;
    let mut changes: Vec<(Arc<str>, Affiliation)> = Vec::new();
    for child in verb.children().filter(|child| child.is("affiliation", ns::PUBSUB_OWNER)) {
        let affiliation =
            child.attr("affiliation").and_then(Affiliation::parse).ok_or(Condition::BadRequest)?;
        changes.push((address(shared, child.attr("jid"))?.bare, affiliation));
    }
    if changes.is_empty() {
        return Err(Condition::BadRequest.into());
    }
    let mut refusal = None;
    {
        let mut state = entry.state.write();
        if !entry.is_there() {
            return Err(Condition::ItemNotFound.into());
        }
        let mut next = State::clone(&state);
        for (bare, affiliation) in &changes {
            match affiliation {
                Affiliation::None => next.affiliations.remove(bare),
                _ => next.affiliations.insert(bare.clone(), *affiliation),
            };
        }
        if next.affiliations.len() > LIST {
            refusal = Some(Condition::ResourceConstraint);
        } else if next.owners() == 0 {
            refusal = Some(Condition::NotAcceptable);
        } else {
            *state = next;
            for (bare, affiliation) in &changes {
                shared.nodes.note_affiliation(node, bare, *affiliation);
            }
        }
    }
    match refusal {
        Some(Condition::NotAcceptable) => return refuse_last_owner(request, node, entry),
        Some(condition) => return Err(condition.into()),
        None => {}
    }
    for (bare, affiliation) in changes {
        authorize::affiliated(shared, node, &found, &bare, affiliation, request.now);
        if affiliation == Affiliation::Outcast {
            expel(shared, node, &bare);
        }
        tell(bound, &Address::bare(bare), |out| {
            push(out, &["<affiliations><affiliation"]);
            push_attr(out, "node", node);
            push(out, &[" affiliation=\"", affiliation.name(), "\"/></affiliations>"]);
        });
    }
    request.done()
}

/// Ends everything an outcast had on the node.
fn expel(shared: &Shared, node: &str, bare: &Arc<str>) {
    // Behind whoever of them is about to subscribe and was not an outcast when he was asked.
    let _stripe = shared.stripes.lock(bare);
    for (address, _) in shared.broker.subscriptions(bare).iter().filter(|(_, name)| &**name == node) {
        // Gone already is as good.
        let _ = shared.broker.unsubscribe(address, node);
    }
}

/// `not-acceptable` with those whose affiliation stays (§8.9.2.4): the owners.
fn refuse_last_owner(request: &Request<'_>, node: &str, entry: &Node) -> Outcome {
    let owners: Vec<Arc<str>> = {
        let state = entry.state.read();
        let owners = state.affiliations.iter().filter(|(_, affiliation)| **affiliation == Affiliation::Owner);
        owners.map(|(bare, _)| bare.clone()).collect()
    };
    let code = !request.bound.shared().strict();
    let mut out = Vec::with_capacity(768);
    request.envelope().push_head(&mut out, "iq", "error");
    push(&mut out, &["><pubsub xmlns=\"", ns::PUBSUB_OWNER, "\"><affiliations"]);
    push_attr(&mut out, "node", node);
    out.push(b'>');
    for owner in &owners {
        push_affiliation(&mut out, owner, Affiliation::Owner);
    }
    push(&mut out, &["</affiliations></pubsub>"]);
    StanzaError::from(Condition::NotAcceptable).push(&mut out, code);
    push(&mut out, &["</iq>"]);
    request.bound.send(super::super::stanza::answer(out));
    Ok(())
}
