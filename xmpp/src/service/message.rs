//! Messages between clients (RFC 6121 §5, §8.5): only to a full address, and only if it is bound.
//!
//! What is sent to the pubsub service itself is an owner's consent, or an event that comes back.
//! The service is no chat server: a bare address answers `service-unavailable`, nothing is stored.

use std::time::Instant;

use broker::Parcel;
use minidom::Element;

use super::address::Target;
use super::bound::Bound;
use super::stanza::{Condition, notice, push, push_attr};
use super::{bounce, ns, pubsub, serialize};

/// Takes one message stanza.
pub(crate) fn handle(bound: &Bound, now: Instant, stanza: &Element) {
    let condition = match bound.classify(stanza.attr("to")) {
        Target::Pubsub if stanza.attr("type") == Some("error") => return bounce::handle(bound, stanza),
        Target::Pubsub => match pubsub::answered(bound, now, stanza) {
            Some(Ok(())) => return,
            Some(Err(error)) => return bound.refuse(stanza, &error),
            None => Condition::ServiceUnavailable,
        },
        Target::Own(resource) => match deliver(bound, stanza, &bound.account, &resource) {
            true => return,
            false => Condition::ServiceUnavailable,
        },
        Target::User { bare, resource: Some(resource) } => match deliver(bound, stanza, &bare, &resource) {
            true => return,
            false => Condition::ServiceUnavailable,
        },
        Target::Malformed => Condition::JidMalformed,
        Target::Foreign => Condition::RemoteServerNotFound,
        // The application is told everything by other means.
        Target::Application => return,
        Target::Server | Target::Account | Target::Component(_) | Target::User { resource: None, .. } => {
            Condition::ServiceUnavailable
        }
    };
    // Errors are never answered (RFC 6120 §8.3.1); events of others that reach nobody are dropped.
    let event = stanza.children().any(|child| child.has_ns(ns::PUBSUB_EVENT));
    if stanza.attr("type") != Some("error") && !event {
        bound.refuse_with(stanza, condition);
    }
}

/// Hands the message to a bound resource, stamped with the sender's address. False if it is not bound.
fn deliver(bound: &Bound, stanza: &Element, bare: &str, resource: &str) -> bool {
    let Some(outbox) = bound.shared().accounts.find(bare, resource) else { return false };
    let _ = outbox.push(stamped(bound, stanza));
    true
}

/// A stanza of any kind as its receiver sees it.
pub(crate) fn stamped(bound: &Bound, stanza: &Element) -> Parcel {
    let mut out = Vec::with_capacity(512);
    push(&mut out, &["<", stanza.name(), " xmlns=\"", ns::CLIENT, "\" from=\"", bound.full(), "\""]);
    for name in ["to", "type", "id"] {
        if let Some(value) = stanza.attr(name) {
            push_attr(&mut out, name, value);
        }
    }
    if let Some(language) = stanza.attr_ns(ns::XML, "lang") {
        push_attr(&mut out, "xml:lang", language);
    }
    out.push(b'>');
    serialize::push_children(&mut out, stanza, ns::CLIENT);
    push(&mut out, &["</", stanza.name(), ">"]);
    notice(out)
}
