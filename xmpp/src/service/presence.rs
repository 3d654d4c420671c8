//! Presence (RFC 6121 §4): what a session announces, who hears of it, and what it opens.
//!
//! Accounts have no rosters, so that a presence is for the account's own resources and for the service
//! itself; the only foreign presence a client sees is the application's.

use std::sync::atomic::Ordering;
use std::time::Instant;

use broker::{Event, Outbox, Parcel, Reach};
use bytes::Bytes;
use minidom::Element;

use super::accounts::Listener;
use super::address::Target;
use super::bound::Bound;
use super::journal;
use super::observer::presence_changed;
use super::stanza::{Condition, notice, push, push_attr};
use super::{Shared, ns, pubsub, serialize};
use crate::xml::{Attribute, push_attribute};

/// Takes one presence stanza.
pub(crate) fn handle(bound: &Bound, now: Instant, stanza: &Element) {
    match (stanza.attr("type"), stanza.attr("to")) {
        (None, None) => available(bound, now, stanza),
        (Some("unavailable"), None) => unavailable(bound, stanza),
        (None | Some("unavailable"), Some(_)) => directed(bound, stanza),
        (Some("probe"), Some(to)) => {
            if bound.classify(Some(to)) == Target::Application {
                send_application(bound, bound.shared().application.load(Ordering::SeqCst));
            }
        }
        // No rosters: requests for a subscription go nowhere, errors are never answered.
        (Some("subscribe" | "subscribed" | "unsubscribe" | "unsubscribed" | "probe" | "error"), _) => {}
        (Some(_), _) => bound.refuse_with(stanza, Condition::BadRequest),
    }
}

/// Priority of a presence: 0 if absent (RFC 6121 §4.7.2.3), `None` if it is no number of a byte.
fn priority(stanza: &Element) -> Option<i8> {
    match stanza.get_child("priority", ns::CLIENT) {
        None => Some(0),
        Some(child) => child.text().trim().parse().ok(),
    }
}

/// What a presence shows, as the manners of subscriptions know it (`pubsub#show-values`).
fn state(stanza: &Element) -> u8 {
    stanza.get_child("show", ns::CLIENT).map_or(0, |show| pubsub::state_of_show(&show.text()))
}

/// Initial presence, or a change of it.
fn available(bound: &Bound, now: Instant, stanza: &Element) {
    let Some(priority) = priority(stanza) else {
        return bound.refuse_with(stanza, Condition::BadRequest);
    };
    let mut inner = Vec::new();
    serialize::push_children(&mut inner, stanza, ns::CLIENT);
    let inner = Bytes::from(inner);
    let initial = !bound.shared().accounts.is_available(&bound.account, bound.resource());
    if !bound.shared().accounts.announce(&bound.account, bound.id, Some(inner.clone())) {
        return;
    }
    let reach = if priority < 0 { Reach::Full } else { Reach::All };
    let state = state(stanza);
    bound.session.set_state(state);
    if initial {
        greet(bound, stanza, &inner, reach);
        if bound.shared().strict() {
            pubsub::greet(bound, reach == Reach::All, state, now);
        }
    } else {
        bound.session.set_reach(reach);
        echo(bound, stanza, &inner, "");
    }
    presence_changed(bound, None, "available");
}

/// What a session hears when it becomes available: the application's presence, then its own, then those of
/// the account's other resources, and only then events.
fn greet(bound: &Bound, stanza: &Element, inner: &Bytes, reach: Reach) {
    let application = &bound.shared().application;
    let mut told = application.load(Ordering::SeqCst);
    if told {
        send_application(bound, true);
    }
    echo(bound, stanza, inner, "");
    for other in bound.shared().accounts.available(&bound.account) {
        if &*other.resource != bound.resource() {
            let from = format!("{}/{}", bound.bare(), Attribute(&other.resource));
            bound.send(presence(&from, bound.full(), "", None, &other.presence));
        }
    }
    bound.session.set_reach(reach);
    // A change between the last look and the opening of the session was announced without it.
    loop {
        let now = application.load(Ordering::SeqCst);
        if now == told {
            return;
        }
        send_application(bound, now);
        told = now;
    }
}

/// Unavailable by the client's own word; the stream stays (RFC 6121 §4.5).
fn unavailable(bound: &Bound, stanza: &Element) {
    bound.session.set_reach(Reach::None);
    if !bound.shared().accounts.is_available(&bound.account, bound.resource()) {
        return;
    }
    let mut inner = Vec::new();
    serialize::push_children(&mut inner, stanza, ns::CLIENT);
    echo(bound, stanza, &Bytes::from(inner), "unavailable");
    bound.shared().accounts.announce(&bound.account, bound.id, None);
    pubsub::gone(bound.shared(), &bound.account, bound.resource());
    tell_directed(bound);
    presence_changed(bound, bound.fate().transport, "unavailable by its own word");
}

/// Repeats a presence to every available resource of the account, the sender included.
fn echo(bound: &Bound, stanza: &Element, inner: &Bytes, kind: &str) {
    let wanted = bound.shared().config.self_echo;
    for listener in bound.shared().accounts.available(&bound.account) {
        let own = &*listener.resource == bound.resource();
        if own && !wanted {
            continue;
        }
        let id = if own { stanza.attr("id") } else { None };
        let to = format!("{}/{}", bound.bare(), Attribute(&listener.resource));
        let _ = listener.outbox.push(presence(bound.full(), &to, kind, id, inner));
    }
}

/// Presence with an address: passed on within the account, silently accepted by the service and by
/// everybody else, whom a client cannot reach.
fn directed(bound: &Bound, stanza: &Element) {
    let Target::Own(resource) = bound.classify(stanza.attr("to")) else { return };
    let Some(outbox) = bound.shared().accounts.find(&bound.account, &resource) else { return };
    let mut inner = Vec::new();
    serialize::push_children(&mut inner, stanza, ns::CLIENT);
    let kind = stanza.attr("type").unwrap_or_default();
    let to = format!("{}/{}", bound.bare(), Attribute(&resource));
    let _ = outbox.push(presence(bound.full(), &to, kind, stanza.attr("id"), &inner));
    let told_directly = &mut *bound.directed.lock();
    told_directly.retain(|told| **told != *resource);
    // Only bound resources get here, whose number is bounded.
    if kind.is_empty() && told_directly.len() < bound.shared().config.max_resources {
        told_directly.push(resource.into());
    }
}

/// The session ends: the account's other resources hear it, once.
pub(crate) fn leave(bound: &Bound) {
    let shared = bound.shared();
    if shared.accounts.leave(&bound.account, bound.id) {
        tell_gone(bound, shared.accounts.available(&bound.account));
    }
    if !shared.accounts.has(&bound.account, bound.resource()) {
        pubsub::gone(shared, &bound.account, bound.resource());
    }
    tell_directed(bound);
    let fate = bound.fate();
    presence_changed(bound, fate.transport, fate.cause);
    journal::note(bound, journal::Step::Ends);
}

/// Tells each listener that the session's resource is gone.
pub(crate) fn tell_gone(bound: &Bound, listeners: Vec<Listener>) {
    for listener in listeners {
        send_gone(bound, &listener.resource, &listener.outbox);
    }
}

/// Tells those that were told directly and are not available themselves.
fn tell_directed(bound: &Bound) {
    let told_directly = std::mem::take(&mut *bound.directed.lock());
    for resource in told_directly {
        let accounts = &bound.shared().accounts;
        if accounts.is_available(&bound.account, &resource) {
            continue;
        }
        if let Some(outbox) = accounts.find(&bound.account, &resource) {
            send_gone(bound, &resource, &outbox);
        }
    }
}

fn send_gone(bound: &Bound, resource: &str, outbox: &Outbox) {
    let to = format!("{}/{}", bound.bare(), Attribute(resource));
    let _ = outbox.push(presence(bound.full(), &to, "unavailable", None, b""));
}

/// One presence stanza. `from` and `to` are escaped already.
fn presence(from: &str, to: &str, kind: &str, id: Option<&str>, inner: &[u8]) -> Parcel {
    let mut out = Vec::with_capacity(96 + from.len() + to.len() + inner.len());
    push(&mut out, &["<presence xmlns=\"", ns::CLIENT, "\" from=\"", from, "\" to=\"", to, "\""]);
    if let Some(id) = id {
        push_attr(&mut out, "id", id);
    }
    if !kind.is_empty() {
        push(&mut out, &[" type=\"", kind, "\""]);
    }
    if inner.is_empty() {
        push(&mut out, &["/>"]);
    } else {
        out.push(b'>');
        out.extend_from_slice(inner);
        push(&mut out, &["</presence>"]);
    }
    notice(out)
}

/// Appends the start of the application's presence up to the value of `to`. False if there is none.
fn push_application(shared: &Shared, out: &mut Vec<u8>) -> bool {
    let Some((local, resource)) = &shared.config.application else { return false };
    push(out, &["<presence xmlns=\"", ns::CLIENT, "\" from=\""]);
    for part in [local, "@", &shared.config.domain, "/", resource] {
        push_attribute(out, part);
    }
    push(out, &["\" to=\""]);
    true
}

/// The application's presence for one session.
fn send_application(bound: &Bound, available: bool) {
    let mut out = Vec::with_capacity(128);
    if push_application(bound.shared(), &mut out) {
        push(&mut out, &[bound.full(), if available { "\"/>" } else { "\" type=\"unavailable\"/>" }]);
        bound.send(notice(out));
    }
}

/// The application's presence for every available session.
pub(crate) fn announce_application(shared: &Shared, available: bool) {
    let mut out = Vec::with_capacity(128);
    if push_application(shared, &mut out) {
        let to_at = out.len();
        push(&mut out, &["\" id=\"presence__"]);
        let id_at = out.len();
        push(&mut out, &[if available { "\"/>" } else { "\" type=\"unavailable\"/>" }]);
        shared.broker.broadcast(Event::with_cuts(out.into(), to_at, id_at));
    }
}
