//! Subscribing and unsubscribing (XEP-0060 §6.1, §6.2).
//!
//! The answer is queued by the broker under the node's lock: ahead of the first event, behind the last.
//! Repeating a request is a success; only where `multi_subscribe` is on it makes another subscription, each
//! with a `subid`. What is special about a subscription is in its [`record`].

use std::sync::Arc;

use broker::{Address, Parcel, Via, WakeLater};
use jid::Jid;
use minidom::Element;

use super::super::bound::Bound;
use super::super::node::{AccessModel, Affiliation, Found, LIST, Node, State};
use super::super::policy::{Access, Right};
use super::super::query::{Outcome, Request};
use super::super::stanza::{Condition, StanzaError, push};
use super::super::{Shared, ns};
use super::record::{self, MANY, Options, Record, Subscription, push_subscription};
use super::{authorize, find, last, leases, node_id, notify, options};

/// An address of the requester's own account.
pub(super) enum Whose {
    /// The account, or the asking session itself.
    Session(Via),
    /// Another resource, bound or not.
    Other(Address),
}

impl Whose {
    pub(super) fn address(&self, bound: &Bound) -> Address {
        match self {
            Self::Session(Via::Bare) => bound.session.address().to_bare(),
            Self::Session(Via::Full) => bound.session.address().clone(),
            Self::Other(address) => address.clone(),
        }
    }
}

/// Finds out whose address `jid` is. `None`: somebody else's, or none at all.
pub(super) fn whose(bound: &Bound, jid: &str) -> Option<Whose> {
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

/// A request to subscribe, as it was read.
struct Wanted<'a> {
    node: &'a str,
    jid: &'a str,
    whose: Whose,
    address: Address,
    /// `None`: nothing was said about options.
    options: Option<Options>,
}

/// Takes a subscription.
pub(super) fn subscribe(request: &Request<'_>, verb: &Element, form: Option<&Element>) -> Outcome {
    let bound = request.bound;
    let shared = bound.shared();
    let node = node_id(verb)?;
    let jid = verb.attr("jid").ok_or_else(invalid_jid)?;
    let whose = whose(bound, jid).ok_or_else(invalid_jid)?;
    let found = find(shared, node)?;
    let options = options::beside(shared, form, request.now)?;
    let address = whose.address(bound);
    let wanted = Wanted { node, jid, whose, address, options };
    let verdict = admit(bound, &wanted, &found)?;
    let _stripe = shared.stripes.lock(&bound.account);
    match verdict {
        Verdict::Subscribed => enter(request, wanted, &found),
        Verdict::Pending => wait(request, &wanted, &found),
    }
}

fn invalid_jid() -> StanzaError {
    StanzaError::pubsub(Condition::BadRequest, "invalid-jid")
}

fn too_many() -> StanzaError {
    StanzaError::pubsub(Condition::PolicyViolation, "too-many-subscriptions")
}

/// Asks policy and access model (§6.1.3, §4.5).
fn admit(bound: &Bound, wanted: &Wanted<'_>, found: &Found) -> Result<Verdict, StanzaError> {
    match bound.may(Right::Subscribe, wanted.node) {
        Access::Allow | Access::Defer => {}
        Access::Forbidden => return Err(Condition::Forbidden.into()),
        Access::NotAllowed => return Err(closed()),
    }
    let Some(entry) = &found.node else { return Ok(Verdict::Subscribed) };
    let (affiliation, config, waits) = {
        let state = entry.state.read();
        let waits = state.pending.contains_key(&wanted.address);
        (state.affiliation(&bound.account), state.config.clone(), waits)
    };
    match (affiliation, config.access_model) {
        (Affiliation::Outcast | Affiliation::PublishOnly, _) => Err(Condition::Forbidden.into()),
        _ if !config.subscribe => Err(Condition::NotAllowed.into()),
        (Affiliation::Member | Affiliation::Publisher | Affiliation::Owner, _) => Ok(Verdict::Subscribed),
        (Affiliation::None, AccessModel::Authorize) => {
            if bound.shared().broker.subscription(&wanted.address, wanted.node).is_some() {
                Ok(Verdict::Subscribed)
            } else if waits {
                Err(StanzaError::pubsub(Condition::NotAuthorized, "pending-subscription"))
            } else {
                Ok(Verdict::Pending)
            }
        }
        (Affiliation::None, model) => known(bound, entry, model).map(|()| Verdict::Subscribed),
    }
}

fn closed() -> StanzaError {
    StanzaError::pubsub(Condition::NotAllowed, "closed-node")
}

/// Whether somebody without an affiliation is let in by an access model that asks nobody (§4.5, §6.1.3).
pub(super) fn known(bound: &Bound, entry: &Node, model: AccessModel) -> Outcome {
    let (policy, who) = (&bound.shared().policy, &bound.principal);
    let refusal = match model {
        AccessModel::Open => return Ok(()),
        AccessModel::Whitelist | AccessModel::Authorize => return Err(closed()),
        AccessModel::Presence => "presence-subscription-required",
        AccessModel::Roster => "not-in-roster-group",
    };
    let (owners, groups) = {
        let state = entry.state.read();
        (owners(&state), state.config.roster_groups.clone())
    };
    let known = owners.iter().any(|owner| match model {
        AccessModel::Presence => policy.sees_presence(who, owner),
        _ => policy.in_roster_group(who, owner, &groups),
    });
    if known { Ok(()) } else { Err(StanzaError::pubsub(Condition::NotAuthorized, refusal)) }
}

/// Bare addresses of a node's owners.
pub(super) fn owners(state: &State) -> Vec<Arc<str>> {
    let owners = state.affiliations.iter().filter(|(_, affiliation)| **affiliation == Affiliation::Owner);
    owners.map(|(bare, _)| bare.clone()).collect()
}

/// The subscription that a request makes, where it makes one.
fn fresh(shared: &Shared, wanted: &Wanted<'_>, found: &Found) -> Subscription {
    let mut options = wanted.options.unwrap_or_default();
    if found.config().tempsub {
        options.lease = record::Lease::Presence;
    }
    Subscription { options, ..Subscription::fresh(shared) }
}

/// Asked again under the lock that decides, since a node may be deleted and an account be cast out between
/// the question and the subscription.
fn still_welcome(bound: &Bound, entry: &Node, state: &State) -> Outcome {
    if !entry.is_there() {
        return Err(Condition::ItemNotFound.into());
    }
    match state.affiliation(&bound.account) {
        Affiliation::Outcast | Affiliation::PublishOnly => Err(Condition::Forbidden.into()),
        _ => Ok(()),
    }
}

/// Notes the subscription as one that an owner has to consent to, and asks the owners (§6.1.3.4, §8.6).
fn wait(request: &Request<'_>, wanted: &Wanted<'_>, found: &Found) -> Outcome {
    let bound = request.bound;
    let shared = bound.shared();
    let Some(entry) = &found.node else { return Err(Condition::InternalServerError.into()) };
    let fresh = fresh(shared, wanted, found);
    {
        let mut state = entry.state.write();
        still_welcome(bound, entry, &state)?;
        if state.pending.len() >= LIST {
            return Err(Condition::ResourceConstraint.into());
        }
        if state.pending.contains_key(&wanted.address) {
            return Err(StanzaError::pubsub(Condition::NotAuthorized, "pending-subscription"));
        }
        let most = shared.broker.config().max_subscriptions_per_account;
        if !shared.nodes.note_waiting(wanted.node, &bound.account, most) {
            return Err(too_many());
        }
        state.pending.insert(wanted.address.clone(), fresh.clone());
    }
    bound.send(answer(request, wanted, fresh.subid.as_deref(), "pending"));
    authorize::ask(shared, wanted.node, entry, &wanted.address, &fresh);
    Ok(())
}

/// `<subscription/>` as the answer.
fn answer(request: &Request<'_>, wanted: &Wanted<'_>, subid: Option<&str>, state: &str) -> Parcel {
    let (node, jid) = (wanted.node, wanted.jid);
    request.envelope().result(node.len() + jid.len() + 160, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB, "\">"]);
        push_subscription(out, Some(node), jid, subid, state);
        push(out, &["</pubsub>"]);
    })
}

/// Enters the subscription, with the answer in front of everything it brings.
fn enter(request: &Request<'_>, wanted: Wanted<'_>, found: &Found) -> Outcome {
    let shared = request.bound.shared();
    let many = shared.multi_subscribe();
    if let Some(entry) = &found.node {
        still_welcome(request.bound, entry, &entry.state.read())?;
        // Whoever has a subscription does not wait for the same one.
        if !many {
            let _ = authorize::take(shared, wanted.node, entry, &wanted.address);
        }
    }
    let config = found.config();
    if !many && wanted.options.is_none() && !config.tempsub {
        return put(request, &wanted, found, None, &Subscription::default());
    }
    let mut list = record::of(shared, &wanted.address, wanted.node);
    let fresh = fresh(shared, &wanted, found);
    if !many && !list.is_empty() {
        list[0].options = fresh.options;
    } else if config.links.collection && list.iter().any(|one| one.options.what == fresh.options.what) {
        // Two of one type would differ in depth at most, and the deeper one has all (XEP-0248 §6.1).
        return Err(Condition::Conflict.into());
    } else if list.len() < MANY {
        list.push(fresh.clone());
    } else {
        return Err(too_many());
    }
    put(request, &wanted, found, Some(Record(list)), &fresh)
}

/// Hands a subscription to the broker; `record` is everything the address has on the node then. `None`: a
/// new one is plain, an old one stays as it is.
fn put(
    request: &Request<'_>,
    wanted: &Wanted<'_>,
    found: &Found,
    record: Option<Record>,
    fresh: &Subscription,
) -> Outcome {
    let bound = request.bound;
    let shared = bound.shared();
    let answer = answer(request, wanted, fresh.subid.as_deref(), "subscribed");
    // Under the items' lock where there is a last item, so that no newer event comes in front of it.
    let _quiet = WakeLater::new();
    let mut last = last::items(shared, found, request.now);
    let manner = record.map(Record::manner);
    let subscribed = match (&wanted.whose, manner) {
        (Whose::Session(via), None) => bound.session.subscribe(wanted.node, *via, Some(answer)),
        (Whose::Session(via), Some(manner)) => {
            bound.session.subscribe_with(wanted.node, *via, manner, Some(answer))
        }
        (Whose::Other(address), manner) => {
            let subscribed = match manner {
                None => shared.broker.subscribe(address, wanted.node),
                Some(manner) => shared.broker.subscribe_with(address, wanted.node, manner),
            };
            subscribed.inspect(|_| bound.send(answer))
        }
    }
    .map_err(refused)?;
    leases::note(shared, fresh.options.lease);
    if subscribed.already && !shared.multi_subscribe() {
        return Ok(());
    }
    if let Some(last) = &mut last {
        last.send(shared, wanted.node, &wanted.address, fresh);
    }
    drop(last);
    notify::owners(shared, wanted.node, found, &wanted.address, fresh.subid.as_deref(), "subscribed");
    Ok(())
}

/// What the broker's refusals are on the wire.
pub(super) fn refused(error: broker::Error) -> StanzaError {
    match error {
        broker::Error::NoSuchNode => Condition::ItemNotFound.into(),
        broker::Error::NotSubscribed => StanzaError::pubsub(Condition::UnexpectedRequest, "not-subscribed"),
        broker::Error::TooManySubscriptions => too_many(),
        broker::Error::TooManyNodes => Condition::ResourceConstraint.into(),
        broker::Error::NodeExists => Condition::Conflict.into(),
        broker::Error::BadName => Condition::NotAcceptable.into(),
        _ => Condition::InternalServerError.into(),
    }
}

/// Which of the subscriptions of one address a request means (§6.2.3.1, §6.2.3.5).
pub(super) fn choose(list: &[Subscription], subid: Option<&str>) -> Result<usize, StanzaError> {
    match subid.filter(|subid| !subid.is_empty()) {
        None if list.len() > 1 => Err(StanzaError::pubsub(Condition::BadRequest, "subid-required")),
        None => Ok(0),
        Some(subid) => list
            .iter()
            .position(|one| one.subid.as_deref() == Some(subid))
            .ok_or_else(|| StanzaError::pubsub(Condition::NotAcceptable, "invalid-subid")),
    }
}

/// Checks the subscription by which items are asked for (§6.5.9.1, §6.5.9.2): one of the account's, and named
/// where there are several.
pub(super) fn check_subid(bound: &Bound, node: &str, subid: Option<&str>) -> Outcome {
    let subid = subid.filter(|subid| !subid.is_empty());
    if subid.is_none() && !bound.shared().multi_subscribe() {
        return Ok(());
    }
    let special = bound.shared().broker.manners_of(&bound.account);
    let mine = special.iter().filter(|(_, name, _)| &**name == node);
    let list: Vec<Subscription> = mine.flat_map(|(.., manner)| record::noted(Some(manner))).collect();
    if list.is_empty() && subid.is_none() {
        return Ok(());
    }
    choose(&list, subid).map(|_| ())
}

/// Ends a subscription.
pub(super) fn unsubscribe(request: &Request<'_>, verb: &Element) -> Outcome {
    let bound = request.bound;
    let shared = bound.shared();
    let node = node_id(verb)?;
    let jid = verb.attr("jid").ok_or_else(|| StanzaError::pubsub(Condition::BadRequest, "jid-required"))?;
    let whose = whose(bound, jid).ok_or(Condition::Forbidden)?;
    let found = find(shared, node)?;
    let address = whose.address(bound);
    let _stripe = shared.stripes.lock(&bound.account);
    if withdraw(shared, node, &found, &address, verb.attr("subid"))? {
        return request.done();
    }
    let mut list = record::of(shared, &address, node);
    let at = choose(&list, verb.attr("subid"))?;
    let gone = if list.is_empty() { Subscription::default() } else { list.remove(at) };
    let answer = request.envelope().empty();
    if list.is_empty() {
        match &whose {
            Whose::Session(via) => bound.session.unsubscribe(node, *via, Some(answer)),
            Whose::Other(address) => {
                let done = shared.broker.unsubscribe(address, node);
                done.inspect(|()| bound.send(answer))
            }
        }
    } else {
        let manner = Record(list).manner();
        match &whose {
            Whose::Session(via) => bound.session.set_manner(node, *via, manner, Some(answer)),
            Whose::Other(address) => {
                let done = shared.broker.set_manner(address, node, manner);
                done.inspect(|()| bound.send(answer))
            }
        }
    }
    .map_err(refused)?;
    notify::owners(shared, node, &found, &address, gone.subid.as_deref(), "none");
    Ok(())
}

/// Takes back a subscription that still waits for consent. False if there is none.
fn withdraw(
    shared: &Shared,
    node: &str,
    found: &Found,
    address: &Address,
    subid: Option<&str>,
) -> Result<bool, StanzaError> {
    let Some(entry) = &found.node else { return Ok(false) };
    let mut state = entry.state.write();
    let Some(waiting) = state.pending.get(address) else { return Ok(false) };
    choose(std::slice::from_ref(waiting), subid)?;
    state.pending.remove(address);
    shared.nodes.note_settled(node, &address.bare);
    Ok(true)
}

/// One subscription in a list.
pub(super) struct Listed {
    pub(super) address: Address,
    pub(super) node: Arc<str>,
    pub(super) subid: Option<Arc<str>>,
    pub(super) state: &'static str,
}

/// Every subscription of the account with its state, in the order of node and address.
pub(super) fn of_account(bound: &Bound) -> Vec<Listed> {
    let shared = bound.shared();
    let manners = last::manners_of(bound);
    let mut list = Vec::new();
    for (address, node) in shared.broker.subscriptions(&bound.account) {
        let key = (address, node);
        for one in record::noted(manners.get(&key)) {
            let (address, node) = key.clone();
            list.push(Listed { address, node, subid: one.subid, state: "subscribed" });
        }
    }
    for name in shared.nodes.waiting_of(&bound.account) {
        let Some(node) = shared.nodes.get(&name) else { continue };
        let state = node.state.read();
        list.extend(state.pending_of(&bound.account).map(|(address, one)| Listed {
            address: address.clone(),
            node: name.clone(),
            subid: one.subid.clone(),
            state: "pending",
        }));
    }
    list.sort_by(|a, b| (&a.node, &a.address).cmp(&(&b.node, &b.address)));
    list
}
