//! Publish-subscribe (XEP-0060): finds the verb of a request and the node it is about.
//!
//! One module for each use case: [`subscribe`] §6.1 and §6.2, [`options`] §6.3 and §6.4, [`retrieve`] §6.5,
//! [`publish`] §7, [`manage`] §8.1 to 8.5, [`authorize`] §8.6, [`pending`] §8.7, [`lists`] §5.6, §5.7, §8.8 and
//! §8.9. What is special about a subscription is a [`record`]. Every handler either queues the one answer or returns the error that
//! becomes it.

mod authorize;
mod collections;
mod last;
mod leases;
mod lists;
mod manage;
mod notify;
mod offline;
mod options;
mod pending;
mod publish;
mod record;
mod retrieve;
mod subscribe;

use minidom::Element;

use super::Shared;
use super::bound::Bound;
use super::node::{AccessModel, Affiliation, Found};
use super::ns;
use super::policy::{Access, Right};
use super::query::{Outcome, Request};
use super::stanza::{Condition, Detail, StanzaError};
pub(crate) use authorize::answered;
pub(crate) use last::greet;
pub(crate) use leases::{Leases, cancel, expire, gone};
pub(crate) use pending::{command_discovery, get_pending};
pub(crate) use record::{Stripes, Subscription, state_of_show};

/// Children that may stand beside the verb: what they are and to which verb they belong.
const COMPANIONS: &[(&str, &str)] =
    &[("options", "subscribe"), ("configure", "create"), ("publish-options", "publish")];

/// The verb of a request and what stands beside it.
struct Verb<'a> {
    verb: &'a Element,
    companion: Option<&'a Element>,
}

/// Finds the one verb among the children in `namespace`; others, like `<set/>`, do not count.
fn verb<'a>(pubsub: &'a Element, namespace: &'static str) -> Result<Verb<'a>, StanzaError> {
    if pubsub.name() != "pubsub" {
        return Err(Condition::FeatureNotImplemented.into());
    }
    let mut children = pubsub.children().filter(|child| child.has_ns(namespace));
    let first = children.next().ok_or(Condition::BadRequest)?;
    let Some(second) = children.next() else { return Ok(Verb { verb: first, companion: None }) };
    if children.next().is_some() {
        return Err(Condition::BadRequest.into());
    }
    let belongs = |companion: &Element, verb: &Element| {
        COMPANIONS.iter().any(|(name, to)| companion.name() == *name && verb.name() == *to)
    };
    if belongs(second, first) {
        Ok(Verb { verb: first, companion: Some(second) })
    } else if belongs(first, second) {
        Ok(Verb { verb: second, companion: Some(first) })
    } else {
        Err(Condition::BadRequest.into())
    }
}

/// Takes a verb with what stands beside it.
type Handler = fn(&Request<'_>, &Element, Option<&Element>) -> Outcome;

/// A request in the namespace of subscribers and publishers.
pub(crate) fn handle(request: &Request<'_>) -> Outcome {
    let Verb { verb, companion } = verb(request.child, ns::PUBSUB)?;
    let (set, handler): (bool, Handler) = match verb.name() {
        "publish" => (true, publish::publish),
        "retract" => (true, |request, verb, _| publish::retract(request, verb)),
        "subscribe" => (true, subscribe::subscribe),
        "unsubscribe" => (true, |request, verb, _| subscribe::unsubscribe(request, verb)),
        "create" => (true, manage::create),
        "items" => (false, |request, verb, _| retrieve::items(request, verb)),
        "subscriptions" => (false, |request, verb, _| lists::subscriptions(request, verb)),
        "affiliations" => (false, |request, verb, _| lists::affiliations(request, verb)),
        "options" => return options::options(request, verb),
        "default" => (false, |request, verb, _| options::default(request, verb)),
        _ => return Err(Condition::FeatureNotImplemented.into()),
    };
    request.expect(set)?;
    handler(request, verb, companion)
}

/// A request in the namespace of owners.
pub(crate) fn handle_owner(request: &Request<'_>) -> Outcome {
    let Verb { verb, .. } = verb(request.child, ns::PUBSUB_OWNER)?;
    match (verb.name(), request.set) {
        ("configure", false) => manage::configuration(request, verb),
        ("configure", true) => manage::configure(request, verb),
        ("default", false) => manage::default(request),
        ("delete", true) => manage::delete(request, verb),
        ("purge", true) => manage::purge(request, verb),
        ("subscriptions", false) => lists::subscribers(request, verb),
        ("subscriptions", true) => lists::set_subscribers(request, verb),
        ("affiliations", false) => lists::affiliates(request, verb),
        ("affiliations", true) => lists::set_affiliates(request, verb),
        ("default" | "delete" | "purge", _) => Err(Condition::BadRequest.into()),
        _ => Err(Condition::FeatureNotImplemented.into()),
    }
}

/// The node a verb names; none is `nodeid-required`.
fn node_id(verb: &Element) -> Result<&str, StanzaError> {
    verb.attr("node")
        .filter(|node| !node.is_empty())
        .ok_or_else(|| StanzaError::pubsub(Condition::BadRequest, "nodeid-required"))
}

/// An existing node; others are `item-not-found`, or `gone` when they left an address.
pub(crate) fn find(shared: &Shared, node: &str) -> Result<Found, StanzaError> {
    loop {
        let births = shared.nodes.births();
        match shared.nodes.entry(node) {
            Some(entry) if entry.is_there() => return Ok(Found { node: Some(entry) }),
            Some(_) => break,
            None if !shared.broker.has_node(node) => break,
            // The broker's node has no entry: none that was made since this was looked for.
            None if shared.nodes.births() == births => return Ok(Found { node: None }),
            None => {}
        }
    }
    Err(match shared.nodes.moved(node) {
        Some(uri) => StanzaError { condition: Condition::Gone, detail: Detail::Uri(uri) },
        None => Condition::ItemNotFound.into(),
    })
}

/// Fails unless the requester may act as an owner of the node.
fn owner_access(bound: &Bound, node: &str, found: &Found) -> Outcome {
    match bound.may(Right::Configure, node) {
        Access::Allow => Ok(()),
        Access::Defer if found.affiliation(&bound.account) == Affiliation::Owner => Ok(()),
        Access::Defer | Access::Forbidden => Err(Condition::Forbidden.into()),
        Access::NotAllowed => Err(Condition::NotAllowed.into()),
    }
}

/// Fails unless the requester may read the node's items (XEP-0060 §6.5.9).
pub(crate) fn read_access(bound: &Bound, node: &str, found: &Found) -> Outcome {
    match bound.may(Right::Retrieve, node) {
        Access::Allow | Access::Defer => {}
        Access::Forbidden => return Err(Condition::Forbidden.into()),
        Access::NotAllowed => return Err(StanzaError::pubsub(Condition::NotAllowed, "closed-node")),
    }
    let Some(entry) = &found.node else { return Ok(()) };
    let (affiliation, model) = {
        let state = entry.state.read();
        (state.affiliation(&bound.account), state.config.access_model)
    };
    match (affiliation, model) {
        (Affiliation::Outcast | Affiliation::PublishOnly, _) => Err(Condition::Forbidden.into()),
        (Affiliation::Member | Affiliation::Publisher | Affiliation::Owner, _) | (_, AccessModel::Open) => {
            Ok(())
        }
        (Affiliation::None, AccessModel::Authorize) if is_subscribed(bound, node) => Ok(()),
        (Affiliation::None, AccessModel::Authorize) => {
            Err(StanzaError::pubsub(Condition::NotAuthorized, "not-subscribed"))
        }
        (Affiliation::None, model) => subscribe::known(bound, entry, model),
    }
}

/// True if any address of the account is subscribed.
fn is_subscribed(bound: &Bound, node: &str) -> bool {
    bound.shared().broker.subscriptions(&bound.account).iter().any(|(_, name)| &**name == node)
}
