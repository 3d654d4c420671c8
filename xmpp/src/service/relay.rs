//! Stanzas between external components and everybody else (XEP-0114 §2): passed on as they are, with the
//! sender's address stamped on.

use broker::Outbox;
use minidom::Element;

use super::address::Target;
use super::bound::Bound;
use super::message::stamped;
use super::ns;
use super::stanza::Condition;

/// Passes a stanza on to a component, or from a component to a session. False: it is for the service itself
/// and has not been touched.
pub(crate) fn handle(bound: &Bound, stanza: &Element) -> bool {
    let shared = bound.shared();
    if shared.config.components.is_empty() || !matches!(stanza.name(), "iq" | "message" | "presence") {
        return false;
    }
    let receiver = match bound.classify(stanza.attr("to")) {
        Target::Component(index) => shared.components.find(index),
        Target::User { bare, resource: Some(resource) } if bound.is_component() => {
            shared.accounts.find(&bare, &resource)
        }
        _ => return false,
    };
    match receiver {
        Some(outbox) if has_room(bound, &outbox) => {
            // One that ends meanwhile takes its stanzas with it, as one that ends a moment later does.
            let _ = outbox.push(stamped(bound, stanza));
        }
        Some(_) => refuse(bound, stanza, Condition::ResourceConstraint),
        None => refuse(bound, stanza, Condition::ServiceUnavailable),
    }
    true
}

/// Half of an outbox is left to answers and events: nobody can end somebody else's session by writing to it.
fn has_room(bound: &Bound, outbox: &Outbox) -> bool {
    let limits = &bound.shared().config.limits;
    outbox.is_empty() || (outbox.len() < limits.outbox_items / 2 && outbox.bytes() < limits.outbox_bytes / 2)
}

/// Errors, results, presence and events are never answered (RFC 6120 §8.3.1, RFC 6121 §8.5.3).
fn refuse(bound: &Bound, stanza: &Element, condition: Condition) {
    let answered = match stanza.name() {
        "iq" => matches!(stanza.attr("type"), Some("get" | "set")),
        "message" => {
            stanza.attr("type") != Some("error")
                && !stanza.children().any(|child| child.has_ns(ns::PUBSUB_EVENT))
        }
        _ => false,
    };
    if answered {
        bound.refuse_with(stanza, condition);
    }
}
