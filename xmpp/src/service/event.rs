//! Renders event messages (XEP-0060 §7.1.2), once for all subscribers.
//!
//! The subscriber's address and the end of the message id stay open as cuts of the [`Event`]; a transport
//! fills them in while it writes. The text content of a message is exactly the payload: no body, no
//! SubID header, no delay (clients take the text of the whole message and parse it).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use broker::Event;

use super::ns;
use super::stanza::{push, push_attr};
use crate::xml::{push_attribute, push_text};

/// Room for everything around a payload with ordinary names.
const FRAME: usize = 384;

/// The event of one item whose payload is given as XML, a complete element that declares its own
/// namespaces. The payload is not looked at: it has to be well-formed.
pub fn event(pubsub_domain: &str, node: &str, item_id: &str, payload_xml: &[u8]) -> Event {
    item_event(pubsub_domain, node, item_id, payload_xml.len(), Extras::default(), |out| {
        out.extend_from_slice(payload_xml);
    })
}

/// The event of one update document: `update` becomes the escaped text of
/// `<notification xmlns="http://jabber.org/protocol/pubsub">`, under an item id of its own.
///
/// Characters that XML cannot carry are replaced by U+FFFD.
pub fn notification(pubsub_domain: &str, node: &str, update: &str) -> Event {
    // An update is mostly markup, each bracket of which grows by three bytes.
    let room = 2 * update.len() + 80;
    item_event(pubsub_domain, node, &fresh_id(), room, Extras::default(), |out| {
        push(out, &["<notification xmlns=\"", ns::PUBSUB, "\">"]);
        push_text(out, update);
        push(out, &["</notification>"]);
    })
}

/// What an event may carry beside its item; nothing of it in the Finesse profile.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extras<'a> {
    /// `type` of the message (`notification_type` of the node's configuration).
    pub(crate) kind: Option<&'a str>,
    /// `publisher` of the item (`itemreply` = publisher).
    pub(crate) publisher: Option<&'a str>,
    /// Time of publication, for last items (XEP-0203).
    pub(crate) delay: Option<&'a str>,
}

/// One item; `room` is the expected size of what `payload` appends.
pub(crate) fn item_event(
    pubsub: &str,
    node: &str,
    item_id: &str,
    room: usize,
    extras: Extras<'_>,
    payload: impl FnOnce(&mut Vec<u8>),
) -> Event {
    let room = room + item_id.len() + node.len();
    message(pubsub, node, room, extras, |out| {
        push(out, &["<items"]);
        push_attr(out, "node", node);
        push(out, &["><item"]);
        push_attr(out, "id", item_id);
        if let Some(publisher) = extras.publisher {
            push_attr(out, "publisher", publisher);
        }
        out.push(b'>');
        let start = out.len();
        payload(out);
        if out.len() == start {
            out.pop();
            push(out, &["/>"]);
        } else {
            push(out, &["</item>"]);
        }
        push(out, &["</items>"]);
    })
}

/// The event message around what `body` appends inside `<event/>`.
pub(crate) fn message(
    pubsub: &str,
    node: &str,
    room: usize,
    extras: Extras<'_>,
    body: impl FnOnce(&mut Vec<u8>),
) -> Event {
    let mut out = Vec::with_capacity(FRAME + pubsub.len() + node.len() + room);
    push(&mut out, &["<message xmlns=\"", ns::CLIENT, "\" from=\""]);
    push_attribute(&mut out, pubsub);
    if let Some(kind) = extras.kind {
        push(&mut out, &["\" type=\"", kind]);
    }
    push(&mut out, &["\" to=\""]);
    let to_at = out.len();
    push(&mut out, &["\" id=\""]);
    push_attribute(&mut out, node);
    push(&mut out, &["__"]);
    let id_at = out.len();
    push(&mut out, &["\"><event xmlns=\"", ns::PUBSUB_EVENT, "\">"]);
    body(&mut out);
    push(&mut out, &["</event>"]);
    if let Some(stamp) = extras.delay {
        push(&mut out, &["<delay xmlns=\"", ns::DELAY, "\""]);
        push_attr(&mut out, "from", pubsub);
        push_attr(&mut out, "stamp", stamp);
        push(&mut out, &["/>"]);
    }
    push(&mut out, &["</message>"]);
    Event::with_cuts(out.into(), to_at, id_at)
}

/// An id that no other item of this process or of an earlier one has: a random start and a counter.
pub(crate) fn fresh_id() -> String {
    static START: OnceLock<u64> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let start = START.get_or_init(|| {
        // Without a source of randomness ids are still unique within the process.
        getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()))
    });
    let mut id = String::with_capacity(34);
    let _ = std::fmt::Write::write_fmt(
        &mut id,
        format_args!("{start:016x}-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
    );
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use minidom::Element;

    fn spliced(event: &Event) -> String {
        let (to, id) = event.cuts().unwrap();
        let text = std::str::from_utf8(event.bytes()).unwrap();
        format!("{}1001@localhost{}1001@localhost__abcde{}", &text[..to], &text[to..id], &text[id..])
    }

    #[test]
    fn layout_is_literal() {
        let event = event("pubsub.localhost", "/finesse/api/User/1001", "i1", b"<x xmlns=\"urn:x\"/>");
        assert_eq!(
            spliced(&event),
            "<message xmlns=\"jabber:client\" from=\"pubsub.localhost\" to=\"1001@localhost\" \
             id=\"/finesse/api/User/1001__1001@localhost__abcde\">\
             <event xmlns=\"http://jabber.org/protocol/pubsub#event\"><items node=\"/finesse/api/User/1001\">\
             <item id=\"i1\"><x xmlns=\"urn:x\"/></item></items></event></message>"
        );
    }

    #[test]
    fn notification_text_is_exactly_the_update() {
        let update = "<Update><data>a&amp;b ]]> \"q\" 'r' 𝄞</data></Update>";
        let event = notification("pubsub.localhost", "/n&<", update);
        let text = spliced(&event);
        assert!(!text.contains("CDATA") && !text.contains("]]>"));
        let message: Element = text.parse().unwrap();
        let notification = message
            .get_child("event", ns::PUBSUB_EVENT)
            .and_then(|e| e.get_child("items", ns::PUBSUB_EVENT))
            .and_then(|e| e.get_child("item", ns::PUBSUB_EVENT))
            .and_then(|e| e.get_child("notification", ns::PUBSUB))
            .unwrap();
        assert_eq!(notification.text(), update);
    }

    #[test]
    fn ids_differ() {
        assert_ne!(fresh_id(), fresh_id());
        assert!(fresh_id().len() >= 18);
    }
}
