//! Publishing (XEP-0060 §7.1) and retracting (§7.2).
//!
//! Publishing is the hot path: an event that nobody hears is not rendered, one that is heard is rendered
//! once straight from the request's tree, and nothing is parsed back.

use std::collections::HashSet;
use std::sync::Arc;

use broker::{Event, WakeLater};
use minidom::{Element, Node as XmlNode};

use super::super::bound::Bound;
use super::super::event::{self, Extras};
use super::super::form::{self, Reply};
use super::super::node::{Affiliation, Found, Full, Item, Node, NodeConfig, PublishModel};
use super::super::policy::{Access, Right};
use super::super::query::{Outcome, Request};
use super::super::stanza::{Condition, StanzaError, push, push_attr};
use super::super::{ns, serialize};
use super::{collections, find, is_subscribed, node_id, owner_access};
use crate::config::Limits;

/// An item of a request. The payload is absent on nodes that deliver bare notifications only.
struct Entry<'a> {
    id: Option<&'a str>,
    payload: Option<&'a Element>,
}

/// Takes a publication.
pub(super) fn publish(request: &Request<'_>, verb: &Element, options: Option<&Element>) -> Outcome {
    let node = node_id(verb)?;
    let bound = request.bound;
    let found = find(bound.shared(), node)?;
    publisher_access(bound, node, &found)?;
    collections::leaf_only(&found, "publish")?;
    let config = found.config();
    if let Some(options) = options {
        check_options(options, &config)?;
    }
    let limits = &bound.shared().config.limits;
    let mut entries = verb.children().filter(|child| child.is("item", ns::PUBSUB));
    // A single item is what everybody sends; it needs no list.
    let first = entries.next().map(|item| entry(item, &config, limits)).transpose()?;
    let rest: Vec<Entry<'_>> = entries.map(|item| entry(item, &config, limits)).collect::<Result<_, _>>()?;
    check_count(&config, usize::from(first.is_some()) + rest.len())?;
    match (first, &found.node) {
        (Some(first), Some(entry)) if config.persist_items => {
            store(request, node, entry, &config, first, rest)
        }
        (Some(first), _) if rest.is_empty() => {
            let made = if first.id.is_none() { event::fresh_id() } else { String::new() };
            let id = first.id.unwrap_or(&made);
            emit(bound, node, &config, || render_one(bound, node, &config, id, first.payload))?;
            answer(request, node, std::iter::once(id))
        }
        (first, _) => {
            let entries: Vec<Entry<'_>> = first.into_iter().chain(rest).collect();
            let ids: Vec<String> =
                entries.iter().map(|entry| entry.id.map_or_else(event::fresh_id, str::to_owned)).collect();
            emit(bound, node, &config, || {
                render_many(bound, node, &config, entries.len() * 1024, |out| {
                    for (entry, id) in entries.iter().zip(&ids) {
                        push_item(bound, out, &config, id, |out| push_payload(out, entry.payload));
                    }
                })
            })?;
            answer(request, node, ids.iter().map(String::as_str))
        }
    }
}

/// Fails unless the requester may publish (§7.1.3.1).
fn publisher_access(bound: &Bound, node: &str, found: &Found) -> Outcome {
    match bound.may(Right::Publish, node) {
        Access::Allow => return Ok(()),
        Access::Defer => {}
        Access::Forbidden => return Err(Condition::Forbidden.into()),
        Access::NotAllowed => return Err(Condition::NotAllowed.into()),
    }
    let model = found.config().publish_model;
    let allowed = match found.affiliation(&bound.account) {
        Affiliation::Owner | Affiliation::Publisher | Affiliation::PublishOnly => true,
        Affiliation::Outcast => false,
        Affiliation::None | Affiliation::Member => match model {
            PublishModel::Open => true,
            PublishModel::Subscribers => is_subscribed(bound, node),
            PublishModel::Publishers => false,
        },
    };
    if allowed { Ok(()) } else { Err(Condition::Forbidden.into()) }
}

/// Preconditions of the publisher (§7.1.5).
fn check_options(options: &Element, config: &NodeConfig) -> Outcome {
    if options.get_child("x", ns::DATA).is_none() {
        return Ok(());
    }
    match form::parse(options, ns::PUBLISH_OPTIONS)? {
        Reply::Submit(fields) if !config.meets(&fields) => {
            Err(StanzaError::pubsub(Condition::Conflict, "precondition-not-met"))
        }
        Reply::Submit(_) | Reply::Cancel => Ok(()),
    }
}

/// One item by the rules of §7.1.3.5 to §7.1.3.7.
fn entry<'a>(item: &'a Element, config: &NodeConfig, limits: &Limits) -> Result<Entry<'a>, StanzaError> {
    let bad = |element| StanzaError::pubsub(Condition::BadRequest, element);
    let id = item.attr("id").filter(|id| !id.is_empty());
    if id.is_some_and(|id| id.len() > limits.item_id) {
        return Err(Condition::NotAcceptable.into());
    }
    let mut children = item.children();
    let payload = children.next();
    if children.next().is_some() {
        return Err(bad("invalid-payload"));
    }
    match payload {
        None if config.deliver_payloads || config.persist_items => Err(bad("payload-required")),
        Some(payload) if exceeds(payload, config.max_payload_size, limits.stanza_bytes) => {
            Err(StanzaError::pubsub(Condition::NotAcceptable, "payload-too-big"))
        }
        payload => Ok(Entry { id, payload }),
    }
}

/// True if the payload takes more than `max` bytes as it would be delivered. `stanza` is the largest stanza
/// that can come in: the usual configuration allows more than any of them and costs nothing.
fn exceeds(payload: &Element, max: usize, stanza: usize) -> bool {
    // Escaping makes one byte six at most.
    if max >= stanza.saturating_mul(6) {
        return false;
    }
    let mut out = Vec::new();
    serialize::push_element(&mut out, payload, "");
    out.len() > max
}

/// Items are needed where something is delivered or stored, and forbidden where nothing is (§7.1.3.7).
fn check_count(config: &NodeConfig, count: usize) -> Outcome {
    let wanted = config.deliver_payloads || config.persist_items;
    if wanted && count == 0 {
        Err(StanzaError::pubsub(Condition::BadRequest, "item-required"))
    } else if !wanted && count > 0 {
        Err(StanzaError::pubsub(Condition::BadRequest, "item-forbidden"))
    } else if config.persist_items && count > config.max_items {
        Err(StanzaError::pubsub(Condition::NotAllowed, "max-items-exceeded"))
    } else {
        Ok(())
    }
}

/// Hands an event to the broker; `render` only runs when somebody listens.
fn emit(bound: &Bound, node: &str, config: &NodeConfig, render: impl FnOnce() -> Event) -> Outcome {
    if !config.deliver_notifications {
        return Ok(());
    }
    let shared = bound.shared();
    let known = match config.links.parents.is_empty() {
        true => shared.broker.publish_with(node, render).known,
        false => collections::publish(shared, node, &config.links, &render()),
    };
    if known {
        return Ok(());
    }
    // Deleted by another session since it was found.
    Err(Condition::ItemNotFound.into())
}

fn extras(config: &NodeConfig) -> Extras<'_> {
    Extras { kind: config.headline.then_some("headline"), ..Extras::default() }
}

/// The hot one: a single item straight from the request.
fn render_one(bound: &Bound, node: &str, config: &NodeConfig, id: &str, payload: Option<&Element>) -> Event {
    let pubsub = &bound.shared().config.pubsub_domain;
    let payload = payload.filter(|_| config.deliver_payloads);
    let publisher = config.name_publisher.then_some(&*bound.account);
    let extras = Extras { publisher, ..extras(config) };
    event::item_event(pubsub, node, id, payload.map_or(0, room), extras, |out| {
        push_payload(out, payload);
    })
}

/// Expected size of a rendered payload: its first text is nearly all of a notification, and markup in it
/// about doubles when it is escaped.
fn room(payload: &Element) -> usize {
    let text = payload.nodes().filter_map(XmlNode::as_text).map(str::len).sum::<usize>();
    let nested = if payload.children().next().is_some() { 1024 } else { 0 };
    2 * text + nested + 128
}

fn push_payload(out: &mut Vec<u8>, payload: Option<&Element>) {
    if let Some(payload) = payload {
        serialize::push_element(out, payload, ns::PUBSUB_EVENT);
    }
}

fn push_item(
    bound: &Bound,
    out: &mut Vec<u8>,
    config: &NodeConfig,
    id: &str,
    payload: impl FnOnce(&mut Vec<u8>),
) {
    push(out, &["<item"]);
    push_attr(out, "id", id);
    if config.name_publisher {
        push_attr(out, "publisher", &bound.account);
    }
    out.push(b'>');
    if config.deliver_payloads {
        payload(out);
    }
    push(out, &["</item>"]);
}

fn render_many(
    bound: &Bound,
    node: &str,
    config: &NodeConfig,
    room: usize,
    items: impl FnOnce(&mut Vec<u8>),
) -> Event {
    let pubsub = &bound.shared().config.pubsub_domain;
    event::message(pubsub, node, room, extras(config), |out| {
        push(out, &["<items"]);
        push_attr(out, "node", node);
        out.push(b'>');
        items(out);
        push(out, &["</items>"]);
    })
}

/// Stores the items and publishes them under the node's lock, so that what is stored last is what was
/// delivered last. The lock is a leaf for everybody but the broker.
fn store(
    request: &Request<'_>,
    node: &str,
    entry: &Arc<Node>,
    config: &NodeConfig,
    first: Entry<'_>,
    rest: Vec<Entry<'_>>,
) -> Outcome {
    let bound = request.bound;
    let items: Vec<Item> = std::iter::once(first)
        .chain(rest)
        .map(|entry| {
            let mut payload = Vec::with_capacity(entry.payload.map_or(0, room));
            if let Some(element) = entry.payload {
                serialize::push_element(&mut payload, element, "");
            }
            Item {
                id: entry.id.map_or_else(|| event::fresh_id().into(), Into::into),
                payload: payload.into(),
                publisher: bound.account.clone(),
                published: request.now,
            }
        })
        .collect();
    let ids: Vec<Arc<str>> = items.iter().map(|item| item.id.clone()).collect();
    let copies = items.clone();
    let _quiet = WakeLater::new();
    let mut stored = entry.items.lock();
    stored.expire(request.now, config);
    stored.add(items, config).map_err(|full| match full {
        Full::Node => StanzaError::pubsub(Condition::Conflict, "node-full"),
        Full::Store => Condition::ResourceConstraint.into(),
    })?;
    let room = copies.iter().map(|item| item.payload.len() + 64).sum();
    emit(bound, node, config, || {
        render_many(bound, node, config, room, |out| {
            for item in &copies {
                push_item(bound, out, config, &item.id, |out| out.extend_from_slice(&item.payload));
            }
        })
    })?;
    drop(stored);
    answer(request, node, ids.iter().map(|id| &**id))
}

/// The result names the node and the items (§7.1.2).
fn answer<'a>(request: &Request<'_>, node: &str, ids: impl Iterator<Item = &'a str> + Clone) -> Outcome {
    const FRAME: usize = "<pubsub xmlns=\"\"><publish node=\"\"></publish></pubsub>".len() + ns::PUBSUB.len();
    let room = FRAME + node.len() + ids.clone().map(|id| id.len() + "<item id=\"\"/>".len()).sum::<usize>();
    request.answer(room, |out| {
        push(out, &["<pubsub xmlns=\"", ns::PUBSUB, "\"><publish"]);
        push_attr(out, "node", node);
        out.push(b'>');
        for id in ids {
            push(out, &["<item"]);
            push_attr(out, "id", id);
            push(out, &["/>"]);
        }
        push(out, &["</publish></pubsub>"]);
    })
}

/// Removes items (§7.2): a publisher his own, an owner any.
pub(super) fn retract(request: &Request<'_>, verb: &Element) -> Outcome {
    let node = node_id(verb)?;
    let bound = request.bound;
    let found = find(bound.shared(), node)?;
    let mut ids: Vec<&str> = verb
        .children()
        .filter(|child| child.is("item", ns::PUBSUB))
        .map(|item| item.attr("id").filter(|id| !id.is_empty()))
        .collect::<Option<_>>()
        .filter(|ids: &Vec<&str>| !ids.is_empty())
        .ok_or_else(|| StanzaError::pubsub(Condition::BadRequest, "item-required"))?;
    // One named often is looked for, removed and told once.
    let mut seen = HashSet::with_capacity(ids.len());
    ids.retain(|id| seen.insert(*id));
    let config = found.config();
    let owner = owner_access(bound, node, &found).is_ok();
    if !owner {
        publisher_access(bound, node, &found)?;
    }
    let Some(entry) = found.node.as_ref().filter(|_| config.persist_items) else {
        return Err(StanzaError::unsupported("persistent-items"));
    };
    let _quiet = WakeLater::new();
    let mut stored = entry.items.lock();
    stored.expire(request.now, &config);
    for id in &ids {
        let item = stored.get(id).ok_or(Condition::ItemNotFound)?;
        if !owner && item.publisher != bound.account {
            return Err(Condition::Forbidden.into());
        }
    }
    for id in &ids {
        stored.remove(id);
    }
    let asked = verb.attr("notify").and_then(form::boolean);
    if asked.unwrap_or(config.notify_retract) {
        emit(bound, node, &config, || {
            render_many(bound, node, &config, ids.len() * 64, |out| {
                for id in &ids {
                    push(out, &["<retract"]);
                    push_attr(out, "id", id);
                    push(out, &["/>"]);
                }
            })
        })?;
    }
    drop(stored);
    request.done()
}
