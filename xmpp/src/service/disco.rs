//! Service discovery (XEP-0030): what the domain, the pubsub service and its nodes are.
//!
//! Nothing is listed that does not answer, and no feature is named that is not there: old clients ask every
//! listed item before they report that they are connected, and read only the first identity of a node.

use std::sync::Arc;

use super::bound::Bound;
use super::form::{Kind, Writer};
use super::node::{AccessModel, Affiliation, Found};
use super::policy::{Access, Right};
use super::pubsub::{find, read_access};
use super::query::{Outcome, Request};
use super::rsm::{Long, Page, Wish};
use super::stanza::{Condition, StanzaError, push, push_attr};
use super::{Shared, ns};

const SERVER_FEATURES: &[&str] =
    &[ns::DISCO_INFO, ns::DISCO_ITEMS, ns::PING, ns::VERSION, ns::ROSTER, ns::SESSION, ns::RSM];

const PUBSUB_BASE: &[&str] =
    &[ns::DISCO_INFO, ns::DISCO_ITEMS, ns::PING, ns::VERSION, ns::RSM, ns::PUBSUB, ns::PUBSUB_OWNER];

/// Features of XEP-0060 §10 that are there, without their prefix.
const PUBSUB_FEATURES: &[&str] = &[
    "access-authorize",
    "access-open",
    "access-whitelist",
    "config-node",
    "create-and-configure",
    "create-nodes",
    "delete-items",
    "delete-nodes",
    "instant-nodes",
    "item-ids",
    "manage-subscriptions",
    "member-affiliation",
    "meta-data",
    "modify-affiliations",
    "multi-items",
    "outcast-affiliation",
    "persistent-items",
    "publish",
    "publish-only-affiliation",
    "publish-options",
    "publisher-affiliation",
    "purge-nodes",
    "retract-items",
    "retrieve-affiliations",
    "retrieve-default",
    "retrieve-items",
    "retrieve-subscriptions",
    "subscribe",
];

/// Features that come with the profile or with a switch.
fn pubsub_features(shared: &Shared) -> impl Iterator<Item = &'static str> {
    let switched = [
        (shared.strict(), &["access-presence", "access-roster", "last-published"][..]),
        (
            shared.subscription_options(),
            &[
                "get-pending",
                "leased-subscription",
                "retrieve-default-sub",
                "subscription-notifications",
                "subscription-options",
            ],
        ),
        (shared.multi_subscribe(), &["multi-subscribe"]),
        (shared.collections(), &["collections", "multi-collection"]),
    ];
    let on = switched.into_iter().filter(|(on, _)| *on).flat_map(|(_, names)| names);
    PUBSUB_FEATURES.iter().chain(on).copied()
}

fn start(request: &Request<'_>, out: &mut Vec<u8>, namespace: &str) {
    push(out, &["<query xmlns=\"", namespace, "\""]);
    if let Some(node) = request.child.attr("node") {
        push_attr(out, "node", node);
    }
    out.push(b'>');
}

fn feature(out: &mut Vec<u8>, prefix: &str, name: &str) {
    push(out, &["<feature var=\"", prefix, name, "\"/>"]);
}

fn expect_query(request: &Request<'_>) -> Outcome {
    request.expect(false)?;
    if request.child.name() == "query" { Ok(()) } else { Err(Condition::FeatureNotImplemented.into()) }
}

/// `disco#info` of the domain.
pub(crate) fn server_info(request: &Request<'_>) -> Outcome {
    expect_query(request)?;
    if request.child.attr("node").is_some_and(|node| !node.is_empty()) {
        return Err(Condition::ItemNotFound.into());
    }
    request.answer(768, |out| {
        start(request, out, ns::DISCO_INFO);
        push(out, &["<identity category=\"server\" type=\"im\""]);
        push_attr(out, "name", &request.bound.shared().config.software_name);
        push(out, &["/>"]);
        SERVER_FEATURES.iter().for_each(|name| feature(out, "", name));
        push(out, &["</query>"]);
    })
}

/// `disco#items` of the domain: the pubsub service.
pub(crate) fn server_items(request: &Request<'_>) -> Outcome {
    expect_query(request)?;
    if request.child.attr("node").is_some_and(|node| !node.is_empty()) {
        return Err(Condition::ItemNotFound.into());
    }
    request.answer(256, |out| {
        start(request, out, ns::DISCO_ITEMS);
        push(out, &["<item"]);
        push_attr(out, "jid", &request.bound.shared().config.pubsub_domain);
        push(out, &[" name=\"Publish-Subscribe\"/></query>"]);
    })
}

/// `disco#info` of the pubsub service or of one of its nodes.
pub(crate) fn pubsub_info(request: &Request<'_>) -> Outcome {
    expect_query(request)?;
    match request.child.attr("node") {
        Some(node) if !node.is_empty() => node_info(request, node),
        _ => request.answer(4096, |out| {
            start(request, out, ns::DISCO_INFO);
            push(out, &["<identity category=\"pubsub\" type=\"service\" name=\"Publish-Subscribe\"/>"]);
            PUBSUB_BASE.iter().for_each(|name| feature(out, "", name));
            if request.bound.shared().subscription_options() {
                feature(out, "", ns::COMMANDS);
            }
            pubsub_features(request.bound.shared())
                .for_each(|name| feature(out, "http://jabber.org/protocol/pubsub#", name));
            push(out, &["</query>"]);
        }),
    }
}

/// The identity comes first and is all that old clients read; the form is XEP-0060 §5.4.
fn node_info(request: &Request<'_>, node: &str) -> Outcome {
    let found = known(request.bound, node)?;
    let config = found.config();
    let kind = if config.links.collection { "collection" } else { "leaf" };
    request.answer(2048, |out| {
        start(request, out, ns::DISCO_INFO);
        push(out, &["<identity category=\"pubsub\" type=\"", kind, "\""]);
        if !config.title.is_empty() {
            push_attr(out, "name", &config.title);
        }
        push(out, &["/>"]);
        for name in [ns::DISCO_INFO, ns::DISCO_ITEMS, ns::PUBSUB] {
            feature(out, "", name);
        }
        let mut form = Writer::start(out, "result", ns::META_DATA);
        for field in
            ["title", "description", "language", "type", "access_model", "publish_model", "max_items"]
        {
            let value = config.value(field).unwrap_or_default();
            if !value.is_empty() {
                form.field(&format!("pubsub#{field}"), Kind::Text, "", &value);
            }
        }
        form.end();
        push(out, &["</query>"]);
    })
}

/// `disco#items`: the created nodes that the requester may see, or the ids of a node's items.
pub(crate) fn pubsub_items(request: &Request<'_>) -> Outcome {
    expect_query(request)?;
    let wish = Wish::parse(request.child)?;
    let node = request.child.attr("node").filter(|node| !node.is_empty());
    let (attribute, page) = match node {
        Some(node) => {
            let (attribute, list) = contents(request, node)?;
            (attribute, wish.cut(list, |name| name)?)
        }
        None => ("node", visible_nodes(request.bound, &wish)?),
    };
    let service = &request.bound.shared().config.pubsub_domain;
    request.answer(page.entries.len() * (service.len() + 64) + 256, |out| {
        start(request, out, ns::DISCO_ITEMS);
        for name in &page.entries {
            push(out, &["<item"]);
            push_attr(out, "jid", service);
            push_attr(out, attribute, name);
            push(out, &["/>"]);
        }
        page.push(out);
        push(out, &["</query>"]);
    })
}

/// Items of a leaf by their `name`, nodes of a collection by their `node`.
fn contents(request: &Request<'_>, node: &str) -> Result<(&'static str, Vec<Arc<str>>), StanzaError> {
    let found = known(request.bound, node)?;
    read_access(request.bound, node, &found)?;
    let Some(node) = &found.node else { return Ok(("name", Vec::new())) };
    let config = found.config();
    if config.links.collection {
        let mut children: Vec<_> = node.state.read().children.iter().cloned().collect();
        children.retain(|name| may_see(request.bound, name));
        return Ok(("node", children));
    }
    let mut items = node.items.lock();
    items.expire(request.now, &config);
    Ok(("name", items.all().map(|item| item.id.clone()).collect()))
}

/// Created nodes up to which a page says exactly where it stands; longer lists are walked.
const EXACT: usize = 1000;

/// Whether there is such a node and the requester may know of it.
fn may_see(bound: &Bound, name: &str) -> bool {
    find(bound.shared(), name).is_ok_and(|found| shows(bound, name, &found))
}

/// Whether the requester may know of a node that is there: owners and those who act as such of all, others of
/// those that they may at least ask to subscribe to.
fn shows(bound: &Bound, name: &str, found: &Found) -> bool {
    if bound.may(Right::Configure, name) == Access::Allow {
        return true;
    }
    if matches!(bound.may(Right::Subscribe, name), Access::Forbidden | Access::NotAllowed) {
        return false;
    }
    let Some(node) = &found.node else { return true };
    let state = node.state.read();
    match state.affiliation(&bound.account) {
        Affiliation::Outcast => false,
        Affiliation::None => state.config.access_model != AccessModel::Whitelist,
        _ => true,
    }
}

/// A node that the requester asks about; one that he may not know of is not there. In the Finesse profile the
/// nodes of the server are no secret: their names are those of REST resources, and clients ask before they
/// subscribe.
fn known(bound: &Bound, name: &str) -> Result<Found, StanzaError> {
    let found = find(bound.shared(), name)?;
    let open = found.node.is_none() && !bound.shared().strict();
    if open || shows(bound, name, &found) { Ok(found) } else { Err(Condition::ItemNotFound.into()) }
}

/// The created nodes, as far as the requester may see them.
struct Visible<'a>(&'a Bound);

impl Long for Visible<'_> {
    fn after(&self, after: Option<&str>, max: usize) -> Vec<Arc<str>> {
        self.0.shared().broker.nodes_after(after, max)
    }

    fn before(&self, before: Option<&str>, max: usize) -> Vec<Arc<str>> {
        self.0.shared().broker.nodes_before(before, max)
    }

    fn shows(&self, name: &str) -> bool {
        let node = self.0.shared().nodes.get(name);
        // What is in a collection is listed there.
        may_see(self.0, name) && node.is_none_or(|node| node.state.read().config.links.parents.is_empty())
    }

    fn estimate(&self) -> usize {
        self.0.shared().broker.node_count()
    }
}

/// In the order of their names, so that pages stay where they are.
fn visible_nodes(bound: &Bound, wish: &Wish) -> Result<Page<Arc<str>>, StanzaError> {
    let nodes = Visible(bound);
    if nodes.estimate() > EXACT {
        return wish.walk(&nodes);
    }
    let mut names = nodes.after(None, EXACT);
    names.retain(|name| nodes.shows(name));
    wish.cut(names, |name| name)
}
