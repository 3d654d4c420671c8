//! Life of a node: create, configure, purge, delete (XEP-0060 §8.1 to §8.5).

use std::sync::Arc;

use broker::{Event, WakeLater};
use minidom::Element;

use super::super::bound::Bound;
use super::super::event::{self, Extras};
use super::super::form::{self, Reply};
use super::super::node::{AccessModel, Fault, Found, NodeConfig, SendLast, Shown};
use super::super::policy::{Access, Right};
use super::super::query::{Outcome, Request};
use super::super::stanza::{Condition, StanzaError, push, push_attr};
use super::super::{Shared, ns};
use super::subscribe::refused;
use super::{collections, find, node_id, owner_access};

/// Configuration of a new node. The Finesse profile never sends last items, which its clients would take
/// for news.
fn fresh(shared: &Shared) -> NodeConfig {
    let send_last = if shared.strict() { SendLast::OnSub } else { SendLast::Never };
    NodeConfig { send_last, ..NodeConfig::default() }
}

/// Takes over a submission.
fn apply(shared: &Shared, config: &mut NodeConfig, fields: &[(&str, Vec<String>)]) -> Outcome {
    let before = config.access_model;
    config.apply(fields).map_err(|fault| match fault {
        Fault::Value => Condition::NotAcceptable.into(),
        Fault::AccessModel => StanzaError::pubsub(Condition::NotAcceptable, "unsupported-access-model"),
    })?;
    if !shared.collections() && (config.links.collection || !config.links.parents.is_empty()) {
        return Err(StanzaError::unsupported("collections"));
    }
    if !shared.strict() {
        config.send_last = SendLast::Never;
        if matches!(config.access_model, AccessModel::Presence | AccessModel::Roster) {
            config.access_model = before;
            return Err(StanzaError::pubsub(Condition::NotAcceptable, "unsupported-access-model"));
        }
    }
    Ok(())
}

/// How forms look on this service; `children` are the nodes in a collection.
fn shown<'a>(shared: &Shared, kind: &'a str, children: &'a [Arc<str>]) -> Shown<'a> {
    let collections = shared.collections().then_some(children);
    Shown { kind, strict: shared.strict(), collections }
}

fn children(found: &Found) -> Vec<Arc<str>> {
    found.node.as_ref().map_or_else(Vec::new, |node| node.state.read().children.iter().cloned().collect())
}

/// Creates a node (§8.1); without a name it gets one (instant node, §8.1.2).
pub(super) fn create(request: &Request<'_>, verb: &Element, configure: Option<&Element>) -> Outcome {
    let bound = request.bound;
    let shared = bound.shared();
    let given = verb.attr("node").filter(|node| !node.is_empty());
    let made = if given.is_none() { event::fresh_id() } else { String::new() };
    let node = given.unwrap_or(&made);
    match bound.may(Right::Create, node) {
        Access::Allow => {}
        Access::Defer | Access::Forbidden => return Err(Condition::Forbidden.into()),
        Access::NotAllowed => return Err(Condition::NotAllowed.into()),
    }
    if node.len() > shared.config.limits.node_id {
        return Err(Condition::NotAcceptable.into());
    }
    let mut config = fresh(shared);
    if let Some(configure) = configure.filter(|configure| configure.children().next().is_some()) {
        match form::parse(configure, ns::NODE_CONFIG)? {
            Reply::Submit(fields) => apply(shared, &mut config, &fields)?,
            Reply::Cancel => return Err(Condition::BadRequest.into()),
        }
    }
    let parents = config.links.parents.clone();
    let _quiet = WakeLater::new();
    let _graph = (!parents.is_empty()).then(|| shared.nodes.graph.lock());
    collections::check(bound, node, &[], &parents)?;
    make(bound, node, config)?;
    collections::link(shared, node, &[], &parents);
    if given.is_some() {
        return request.done();
    }
    request.answer(160, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB, "\"><create"]);
        push_attr(out, "node", node);
        push(out, &["/></pubsub>"]);
    })
}

/// Makes a node. Nobody finds it before it is complete: whoever subscribes is asked for by its access model.
fn make(bound: &Bound, node: &str, config: NodeConfig) -> Outcome {
    let shared = bound.shared();
    if shared.broker.has_node(node) {
        return Err(Condition::Conflict.into());
    }
    let entry = shared.nodes.reserve(node, config, bound.account.clone()).ok_or(Condition::Conflict)?;
    if let Err(error) = shared.broker.create_node(node) {
        shared.nodes.forget(node);
        return Err(refused(error));
    }
    shared.nodes.open(node, &entry);
    Ok(())
}

/// Shows the configuration to an owner (§8.2.1).
pub(super) fn configuration(request: &Request<'_>, verb: &Element) -> Outcome {
    let node = node_id(verb)?;
    let found = find(request.bound.shared(), node)?;
    owner_access(request.bound, node, &found)?;
    let shared = request.bound.shared();
    let config = found.config();
    let children = children(&found);
    request.answer(4096, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB_OWNER, "\"><configure"]);
        push_attr(out, "node", node);
        out.push(b'>');
        config.push_form(out, shown(shared, "form", &children));
        push(out, &["</configure></pubsub>"]);
    })
}

/// Takes over a configuration (§8.2.4).
pub(super) fn configure(request: &Request<'_>, verb: &Element) -> Outcome {
    let node = node_id(verb)?;
    let bound = request.bound;
    let shared = bound.shared();
    let found = find(shared, node)?;
    owner_access(bound, node, &found)?;
    let Reply::Submit(fields) = form::parse(verb, ns::NODE_CONFIG)? else { return request.done() };
    // Nodes of the server have no configuration to change.
    let entry = found.node.as_ref().ok_or(Condition::NotAllowed)?;
    let config = {
        let _quiet = WakeLater::new();
        let _graph = shared.collections().then(|| shared.nodes.graph.lock());
        let before = found.config();
        let mut next = NodeConfig::clone(&before);
        apply(shared, &mut next, &fields)?;
        if next.links.collection != before.links.collection {
            return Err(Condition::NotAcceptable.into());
        }
        if next.links.parents != before.links.parents {
            collections::check(bound, node, &before.links.parents, &next.links.parents)?;
        }
        let config = {
            let mut state = entry.state.write();
            if !entry.is_there() {
                return Err(Condition::ItemNotFound.into());
            }
            // Somebody else's change between the two locks is not lost.
            let mut config = NodeConfig::clone(&state.config);
            apply(shared, &mut config, &fields)?;
            state.config = config.into();
            shared.nodes.note_fleeting(node, &state.config);
            state.config.clone()
        };
        collections::link(shared, node, &before.links.parents, &config.links.parents);
        config
    };
    let children = children(&found);
    entry.items.lock().trim(if config.persist_items { config.max_items } else { 0 });
    if config.notify_config {
        shared.broker.publish_with(node, || {
            notice(bound, node, |out| {
                push(out, &["<configuration"]);
                push_attr(out, "node", node);
                if config.deliver_payloads {
                    out.push(b'>');
                    config.push_form(out, shown(shared, "result", &children));
                    push(out, &["</configuration>"]);
                } else {
                    push(out, &["/>"]);
                }
            })
        });
    }
    request.done()
}

/// What a new node would be configured like (§8.3).
pub(super) fn default(request: &Request<'_>) -> Outcome {
    let shared = request.bound.shared();
    let config = fresh(shared);
    let children = Vec::new();
    request.answer(4096, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB_OWNER, "\"><default>"]);
        config.push_form(out, shown(shared, "form", &children));
        push(out, &["</default></pubsub>"]);
    })
}

/// Removes all items at once (§8.5).
pub(super) fn purge(request: &Request<'_>, verb: &Element) -> Outcome {
    let node = node_id(verb)?;
    let bound = request.bound;
    let found = find(bound.shared(), node)?;
    owner_access(bound, node, &found)?;
    collections::leaf_only(&found, "purge-nodes")?;
    let config = found.config();
    let Some(entry) = found.node.as_ref().filter(|_| config.persist_items) else {
        return Err(StanzaError::unsupported("persistent-items"));
    };
    let _quiet = WakeLater::new();
    let mut items = entry.items.lock();
    items.clear();
    if config.notify_retract && config.deliver_notifications {
        bound.shared().broker.publish_with(node, || {
            notice(bound, node, |out| {
                push(out, &["<purge"]);
                push_attr(out, "node", node);
                push(out, &["/>"]);
            })
        });
    }
    drop(items);
    request.done()
}

/// An event without items.
fn notice(bound: &Bound, node: &str, body: impl FnOnce(&mut Vec<u8>)) -> Event {
    event::message(&bound.shared().config.pubsub_domain, node, 256, Extras::default(), body)
}

/// Deletes a node (§8.4) and tells its former subscribers, of whom none can be missed then.
pub(super) fn delete(request: &Request<'_>, verb: &Element) -> Outcome {
    let bound = request.bound;
    let shared = bound.shared();
    if shared.collections() && verb.attr("node").is_none_or(str::is_empty) {
        // No name is the name of the root collection (XEP-0248 §7.7).
        return Err(Condition::NotAllowed.into());
    }
    let node = node_id(verb)?;
    let found = find(shared, node)?;
    owner_access(bound, node, &found)?;
    let redirect = verb.get_child("redirect", ns::PUBSUB_OWNER).and_then(|child| child.attr("uri"));
    let config = found.config();
    // Nodes of the server cannot be deleted by anybody.
    let entry = found.node.as_ref().ok_or(Condition::NotAllowed)?;
    let _quiet = WakeLater::new();
    let _graph = shared.collections().then(|| shared.nodes.graph.lock());
    let parents = found.config().links.parents.clone();
    if !shared.nodes.close(node, entry, redirect) {
        return Err(Condition::ItemNotFound.into());
    }
    let former = shared.broker.delete_node(node).map_err(refused);
    shared.nodes.forget(node);
    let former = former?;
    collections::link(shared, node, &parents, &[]);
    collections::release(shared, node, entry);
    if config.notify_delete {
        let event = notice(bound, node, |out| {
            push(out, &["<delete"]);
            push_attr(out, "node", node);
            match redirect {
                Some(uri) => {
                    push(out, &["><redirect"]);
                    push_attr(out, "uri", uri);
                    push(out, &["/></delete>"]);
                }
                None => push(out, &["/>"]),
            }
        });
        former.iter().for_each(|address| {
            shared.broker.deliver(address, &event, None);
        });
        collections::publish_end(shared, &parents, &event);
    }
    request.done()
}
