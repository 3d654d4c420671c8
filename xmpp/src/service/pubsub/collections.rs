//! Collections (XEP-0248): nodes that hold nodes. Strict profile only, and only where they are switched on.
//!
//! A node names the collections it is in (`pubsub#collection`); they form a graph without cycles, whose depth
//! and width are bounded. Nodes outside of every collection pay one look at an empty list. What is
//! published below a collection is handed to each of its subscribers who wants it, one by one, and in one
//! order for the whole service.

use std::collections::BTreeSet;
use std::sync::Arc;

use broker::{Event, WakeLater};

use super::super::Shared;
use super::super::bound::Bound;
use super::super::event::{self, Extras};
use super::super::node::{Affiliation, Association, Found, Links, Node};
use super::super::query::Outcome;
use super::super::stanza::{Condition, StanzaError, push, push_attr};
use super::find;
use super::record::{self, Subscription, What};

/// Levels of collections above a node.
const DEPTH: usize = 8;

/// Collections above a node, all levels together.
const ABOVE: usize = 32;

/// Nodes below a node that are looked at before it is put into a collection.
const BELOW: usize = 10_000;

/// The collections above `node` with their distance (1: it is in it), nearest first.
fn above(shared: &Shared, node: &str) -> Vec<(Arc<str>, usize)> {
    let Some(entry) = shared.nodes.get(node) else { return Vec::new() };
    let parents = entry.state.read().config.links.parents.clone();
    climb(shared, parents)
}

fn climb(shared: &Shared, parents: Vec<Arc<str>>) -> Vec<(Arc<str>, usize)> {
    let mut found: Vec<(Arc<str>, usize)> = parents.into_iter().map(|name| (name, 1)).collect();
    let mut at = 0;
    while at < found.len() && found.len() <= ABOVE {
        let (name, distance) = found[at].clone();
        if let Some(entry) = shared.nodes.get(&name) {
            for next in &entry.state.read().config.links.parents {
                if !found.iter().any(|(known, _)| known == next) {
                    found.push((next.clone(), distance + 1));
                }
            }
        }
        at += 1;
    }
    found
}

/// Levels of nodes below and including `node`; counting stops beyond the bound. `None`: there are too many.
fn height(shared: &Shared, node: &str) -> Option<usize> {
    let mut level: BTreeSet<Arc<str>> = BTreeSet::from([node.into()]);
    let (mut height, mut below) = (0, 0);
    while !level.is_empty() && height <= DEPTH {
        height += 1;
        let mut next = BTreeSet::new();
        for entry in level.iter().filter_map(|name| shared.nodes.get(name)) {
            let state = entry.state.read();
            below += state.children.len();
            if below > BELOW {
                return None;
            }
            next.extend(state.children.iter().cloned());
        }
        level = next;
    }
    Some(height)
}

/// Fails unless `node` may be in exactly these collections; those in `before` it is in already. To be called,
/// together with what follows from it, under the lock of the graph.
pub(super) fn check(bound: &Bound, node: &str, before: &[Arc<str>], wanted: &[Arc<str>]) -> Outcome {
    let shared = bound.shared();
    for parent in wanted.iter().filter(|parent| !before.contains(parent)) {
        let found = find(shared, parent)?;
        let entry = found.node.as_ref().ok_or(Condition::NotAcceptable)?;
        let (links, children, affiliation) = {
            let state = entry.state.read();
            let links = state.config.links.clone();
            (links, state.children.len(), state.affiliation(&bound.account))
        };
        if !links.collection {
            return Err(Condition::NotAcceptable.into());
        }
        let welcome = match links.policy {
            Association::All => affiliation != Affiliation::Outcast,
            Association::Owners => affiliation == Affiliation::Owner,
            Association::Whitelist => links.whitelist.iter().any(|bare| **bare == *bound.account),
        };
        if !welcome {
            return Err(Condition::Forbidden.into());
        }
        if children >= links.children_max {
            return Err(StanzaError::pubsub(Condition::Conflict, "max-nodes-exceeded"));
        }
    }
    let all = climb(shared, wanted.to_vec());
    if all.iter().any(|(name, _)| **name == *node) {
        return Err(Condition::NotAllowed.into());
    }
    let deepest = all.iter().map(|(_, distance)| *distance).max().unwrap_or(0);
    if wanted.is_empty() {
        return Ok(());
    }
    let fits = height(shared, node).is_some_and(|height| deepest + height <= DEPTH + 1);
    if all.len() <= ABOVE && fits { Ok(()) } else { Err(Condition::ResourceConstraint.into()) }
}

/// Notes in the collections that `node` has come or gone, and tells their subscribers.
pub(super) fn link(shared: &Shared, node: &str, before: &[Arc<str>], now: &[Arc<str>]) {
    for (verb, names, others) in [("disassociate", before, now), ("associate", now, before)] {
        for name in names.iter().filter(|name| !others.contains(name)) {
            let Some(entry) = shared.nodes.get(name) else { continue };
            {
                let mut state = entry.state.write();
                match verb {
                    "associate" => state.children.insert(node.into()),
                    _ => state.children.remove(node),
                };
            }
            let event = event::message(&shared.config.pubsub_domain, name, 256, Extras::default(), |out| {
                push(out, &["<collection"]);
                push_attr(out, "node", name);
                push(out, &["><", verb]);
                push_attr(out, "node", node);
                push(out, &["/></collection>"]);
            });
            // Whoever subscribes to the nodes of the collection, and of those above it.
            let own = std::iter::once((name.clone(), 1));
            let further = above(shared, name).into_iter().map(|(name, distance)| (name, distance + 1));
            deliver(shared, own.chain(further), What::Nodes, &event);
        }
    }
}

/// A collection is deleted: what was in it is no longer.
pub(super) fn release(shared: &Shared, node: &str, entry: &Node) {
    let children = std::mem::take(&mut entry.state.write().children);
    for child in children.iter().filter_map(|child| shared.nodes.get(child)) {
        let mut state = child.state.write();
        let mut config = (*state.config).clone();
        config.links.parents.retain(|parent| **parent != *node);
        state.config = config.into();
    }
}

/// Publishes an event of a node that is in collections, there and above. False: there is no such node.
pub(super) fn publish(shared: &Shared, node: &str, links: &Links, event: &Event) -> bool {
    let _quiet = WakeLater::new();
    let _order = shared.nodes.collected.lock();
    let known = shared.broker.publish(node, event.clone()).known;
    if known {
        deliver(shared, climb(shared, links.parents.clone()).into_iter(), What::Items, event);
    }
    known
}

/// Tells those who subscribe to the nodes of the collections around it that a node is deleted.
pub(super) fn publish_end(shared: &Shared, parents: &[Arc<str>], event: &Event) {
    deliver(shared, climb(shared, parents.to_vec()).into_iter(), What::Nodes, event);
}

fn deliver(shared: &Shared, collections: impl Iterator<Item = (Arc<str>, usize)>, what: What, event: &Event) {
    for (name, distance) in collections {
        for address in shared.broker.subscribers(&name) {
            let mut list = record::of(shared, &address, &name);
            list.retain(|one: &Subscription| {
                one.options.what == what && (distance == 1 || one.options.all_depths)
            });
            if !list.is_empty() {
                let manner = record::collected(&list, &name);
                shared.broker.deliver(&address, event, Some(&manner));
            }
        }
    }
}

/// Fails for collections with the feature they do not have.
pub(super) fn leaf_only(found: &Found, feature: &'static str) -> Outcome {
    match found.config().links.collection {
        true => Err(StanzaError::unsupported(feature)),
        false => Ok(()),
    }
}
