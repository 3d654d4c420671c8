//! The command by which an owner has the forms sent again that wait for him (XEP-0060 §8.7).
//!
//! Of XEP-0050 there is as much as this one command needs: two steps, and nothing is kept between them.

use std::sync::Arc;

use broker::Parcel;

use super::super::form::{self, Reply, Writer};
use super::super::node::{Affiliation, Node};
use super::super::query::{Outcome, Request};
use super::super::stanza::{Condition, StanzaError, notice, push, push_attr};
use super::super::{event, ns};
use super::{authorize, find, owner_access};

/// Forms sent for one request; the others come when it is repeated, after these were answered.
const AT_ONCE: usize = 100;

/// Takes a command of the pubsub service.
pub(crate) fn get_pending(request: &Request<'_>) -> Outcome {
    let command = request.child;
    if !request.bound.shared().subscription_options() {
        return Err(Condition::ServiceUnavailable.into());
    }
    request.expect(true)?;
    if command.attr("node") != Some(ns::GET_PENDING) {
        return Err(Condition::ItemNotFound.into());
    }
    match command.attr("action").unwrap_or("execute") {
        "cancel" => return answer(request, "canceled", |_| {}),
        "execute" | "next" | "complete" => {}
        _ => return Err(Condition::BadRequest.into()),
    }
    if command.get_child("x", ns::DATA).is_none() {
        return offer(request);
    }
    let Reply::Submit(fields) = form::parse(command, ns::SUBSCRIBE_AUTHORIZATION)? else {
        return answer(request, "canceled", |_| {});
    };
    let node = fields.iter().find(|(name, _)| *name == "pubsub#node");
    let node = node.and_then(|(_, values)| values.first()).filter(|node| !node.is_empty());
    send(request, node.ok_or_else(|| StanzaError::pubsub(Condition::BadRequest, "nodeid-required"))?)
}

/// The first step: the nodes of the asking owner where requests wait.
fn offer(request: &Request<'_>) -> Outcome {
    let bound = request.bound;
    let nodes = &bound.shared().nodes;
    let mine = nodes.of_account(&bound.account).into_iter();
    let mut owned: Vec<(Arc<str>, Arc<Node>)> =
        mine.filter_map(|name| nodes.get(&name).map(|node| (name, node))).collect();
    owned.retain(|(_, node)| node.state.read().affiliation(&bound.account) == Affiliation::Owner);
    if owned.is_empty() {
        return Err(Condition::Forbidden.into());
    }
    owned.retain(|(_, node)| !node.state.read().pending.is_empty());
    let names: Vec<&str> = owned.iter().map(|(name, _)| &**name).collect();
    answer(request, "executing", |out| {
        push(out, &["<actions execute=\"complete\"><complete/></actions>"]);
        let mut form = Writer::start(out, "form", ns::SUBSCRIBE_AUTHORIZATION);
        form.options("pubsub#node", "Node with requests that wait", &names);
        form.end();
    })
}

/// The second step: the forms of one node, to the asking session.
fn send(request: &Request<'_>, node: &str) -> Outcome {
    let bound = request.bound;
    let shared = bound.shared();
    let found = find(shared, node)?;
    owner_access(bound, node, &found)?;
    answer(request, "completed", |_| {})?;
    let Some(entry) = &found.node else { return Ok(()) };
    let waiting: Vec<_> = {
        let state = entry.state.read();
        state.pending.iter().take(AT_ONCE).map(|(who, waiting)| (who.clone(), waiting.clone())).collect()
    };
    for (who, waiting) in waiting {
        let to = bound.session.address().to_string();
        bound.send(notice(authorize::request(shared, &to, &event::fresh_id(), node, &who, &waiting)));
    }
    Ok(())
}

fn answer(request: &Request<'_>, status: &str, body: impl FnOnce(&mut Vec<u8>)) -> Outcome {
    let session = request.child.attr("sessionid").unwrap_or("get-pending");
    let parcel: Parcel = request.envelope().result(512, |out| {
        push(out, &["<command xmlns=\"", ns::COMMANDS, "\" node=\"", ns::GET_PENDING, "\""]);
        push_attr(out, "sessionid", session);
        push(out, &[" status=\"", status, "\">"]);
        body(out);
        push(out, &["</command>"]);
    });
    request.bound.send(parcel);
    Ok(())
}

/// Discovery of commands (XEP-0050 §3). `None`: the request is about something else.
pub(crate) fn command_discovery(request: &Request<'_>) -> Option<Outcome> {
    let query = request.child;
    if request.set || query.name() != "query" || !request.bound.shared().subscription_options() {
        return None;
    }
    let (items, node) = (query.has_ns(ns::DISCO_ITEMS), query.attr("node")?);
    match node {
        ns::COMMANDS if items => Some(list(request)),
        ns::GET_PENDING if !items => Some(command(request)),
        _ => None,
    }
}

fn list(request: &Request<'_>) -> Outcome {
    request.answer(384, |out| {
        push(out, &["<query xmlns=\"", ns::DISCO_ITEMS, "\" node=\"", ns::COMMANDS, "\"><item"]);
        push_attr(out, "jid", &request.bound.shared().config.pubsub_domain);
        push(out, &[" node=\"", ns::GET_PENDING, "\" name=\"Subscriptions that wait\"/></query>"]);
    })
}

fn command(request: &Request<'_>) -> Outcome {
    request.answer(512, |out| {
        push(out, &["<query xmlns=\"", ns::DISCO_INFO, "\" node=\"", ns::GET_PENDING, "\">"]);
        push(out, &["<identity category=\"automation\" type=\"command-node\"/>"]);
        push(out, &["<feature var=\"", ns::COMMANDS, "\"/><feature var=\"", ns::DATA, "\"/></query>"]);
    })
}
