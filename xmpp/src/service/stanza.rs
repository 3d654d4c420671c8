//! Stanza errors (RFC 6120 §8.3) and the envelopes of answers, written straight into bytes.
//!
//! Answers are stanzas of their own: each declares `jabber:client`, has no white space between elements and
//! double quotes throughout, so that one rendering fits every transport.

use broker::{Class, Parcel};
use minidom::Element;

use super::{ns, serialize};
use crate::stats::Refusal;
use crate::xml::push_attribute;

/// A defined condition of RFC 6120 §8.3.3, with the type and the legacy code that usually go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    BadRequest,
    Conflict,
    FeatureNotImplemented,
    Forbidden,
    Gone,
    InternalServerError,
    ItemNotFound,
    JidMalformed,
    NotAcceptable,
    NotAllowed,
    NotAuthorized,
    PolicyViolation,
    RemoteServerNotFound,
    ResourceConstraint,
    ServiceUnavailable,
    UnexpectedRequest,
}

impl Condition {
    /// Element name, error type (RFC 6120 §8.3.3) and code (XEP-0086).
    fn parts(self) -> (&'static str, &'static str, u16) {
        match self {
            Self::BadRequest => ("bad-request", "modify", 400),
            Self::Conflict => ("conflict", "cancel", 409),
            Self::FeatureNotImplemented => ("feature-not-implemented", "cancel", 501),
            Self::Forbidden => ("forbidden", "auth", 403),
            Self::Gone => ("gone", "cancel", 302),
            Self::InternalServerError => ("internal-server-error", "cancel", 500),
            Self::ItemNotFound => ("item-not-found", "cancel", 404),
            Self::JidMalformed => ("jid-malformed", "modify", 400),
            Self::NotAcceptable => ("not-acceptable", "modify", 406),
            Self::NotAllowed => ("not-allowed", "cancel", 405),
            Self::NotAuthorized => ("not-authorized", "auth", 401),
            Self::PolicyViolation => ("policy-violation", "wait", 406),
            Self::RemoteServerNotFound => ("remote-server-not-found", "cancel", 404),
            Self::ResourceConstraint => ("resource-constraint", "wait", 500),
            Self::ServiceUnavailable => ("service-unavailable", "cancel", 503),
            Self::UnexpectedRequest => ("unexpected-request", "modify", 400),
        }
    }
}

/// The application-specific child of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    None,
    /// An element of `pubsub#errors` (XEP-0060 §16.4).
    Pubsub(&'static str),
    /// `<unsupported feature="…"/>` of `pubsub#errors`.
    Unsupported(&'static str),
    /// `resource-limit-exceeded` (XEP-0205 §4.4).
    ResourceLimit,
    /// Where the thing went (text of the condition `gone`).
    Uri(String),
}

/// One stanza error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StanzaError {
    pub(crate) condition: Condition,
    pub(crate) detail: Detail,
}

impl From<Condition> for StanzaError {
    fn from(condition: Condition) -> Self {
        Self { condition, detail: Detail::None }
    }
}

impl StanzaError {
    /// A condition with an element of `pubsub#errors`.
    pub(crate) fn pubsub(condition: Condition, element: &'static str) -> Self {
        Self { condition, detail: Detail::Pubsub(element) }
    }

    /// `feature-not-implemented` that names the feature (XEP-0060 §10).
    pub(crate) fn unsupported(feature: &'static str) -> Self {
        Self { condition: Condition::FeatureNotImplemented, detail: Detail::Unsupported(feature) }
    }

    /// The reason to count, for errors that are about rights and bounds.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match (self.condition, &self.detail) {
            (_, Detail::Pubsub("too-many-subscriptions")) => Some(Refusal::Subscriptions),
            (Condition::BadRequest, Detail::Pubsub("invalid-jid")) => Some(Refusal::Forbidden),
            (Condition::Forbidden | Condition::NotAllowed | Condition::NotAuthorized, _) => {
                Some(Refusal::Forbidden)
            }
            (Condition::PolicyViolation | Condition::ResourceConstraint, _) => Some(Refusal::Quota),
            _ => None,
        }
    }

    /// Appends `<error/>`. `code`: with the legacy attribute, for clients of the last decade.
    pub(crate) fn push(&self, out: &mut Vec<u8>, code: bool) {
        let (name, kind, number) = self.condition.parts();
        push(out, &["<error type=\"", kind, "\""]);
        if code {
            push(out, &[" code=\"", &number.to_string(), "\""]);
        }
        push(out, &["><", name, " xmlns=\"", ns::STANZAS, "\""]);
        match &self.detail {
            Detail::Uri(uri) => {
                out.push(b'>');
                crate::xml::push_text(out, uri);
                push(out, &["</", name, ">"]);
            }
            _ => push(out, &["/>"]),
        }
        match &self.detail {
            Detail::None | Detail::Uri(_) => {}
            Detail::Pubsub(element) => push(out, &["<", element, " xmlns=\"", ns::PUBSUB_ERRORS, "\"/>"]),
            Detail::Unsupported(feature) => {
                push(out, &["<unsupported xmlns=\"", ns::PUBSUB_ERRORS, "\" feature=\"", feature, "\"/>"]);
            }
            Detail::ResourceLimit => push(out, &["<resource-limit-exceeded xmlns=\"urn:xmpp:errors\"/>"]),
        }
        push(out, &["</error>"]);
    }
}

/// Appends literal pieces that need no escaping.
pub(crate) fn push(out: &mut Vec<u8>, pieces: &[&str]) {
    for piece in pieces {
        out.extend_from_slice(piece.as_bytes());
    }
}

/// Appends ` name="value"` with the value escaped.
pub(crate) fn push_attr(out: &mut Vec<u8>, name: &str, value: &str) {
    push(out, &[" ", name, "=\""]);
    push_attribute(out, value);
    out.push(b'"');
}

/// Appends `<name>text</name>` with the text escaped.
pub(crate) fn push_leaf(out: &mut Vec<u8>, name: &str, text: &str) {
    push(out, &["<", name, ">"]);
    crate::xml::push_text(out, text);
    push(out, &["</", name, ">"]);
}

/// Wraps the bytes of an answer for the outbox.
pub(crate) fn answer(bytes: Vec<u8>) -> Parcel {
    Parcel::Direct { bytes: bytes.into(), class: Class::Answer }
}

/// Wraps the bytes of something nobody asked for.
pub(crate) fn notice(bytes: Vec<u8>) -> Parcel {
    Parcel::Direct { bytes: bytes.into(), class: Class::Notice }
}

/// What an answer takes from its request: the addresses change places, the id is kept to the byte.
///
/// `from` is the request's `to` as it was written (clients compare the two), absent when that was absent.
#[derive(Clone, Copy)]
pub(crate) struct Envelope<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) from: Option<&'a str>,
    /// Full address of the asking session, already escaped.
    pub(crate) to: &'a str,
}

impl Envelope<'_> {
    /// Appends the start tag of the answer without its closing `>`.
    pub(crate) fn push_head(&self, out: &mut Vec<u8>, stanza: &str, kind: &str) {
        push(out, &["<", stanza, " xmlns=\"", ns::CLIENT, "\" type=\"", kind, "\""]);
        if let Some(id) = self.id {
            push_attr(out, "id", id);
        }
        if let Some(from) = self.from {
            push_attr(out, "from", from);
        }
        push(out, &[" to=\"", self.to, "\""]);
    }

    /// Bytes that the start tag takes when nothing needs escaping.
    fn size(&self) -> usize {
        let attributes = self.id.map_or(0, |id| id.len() + 6) + self.from.map_or(0, |from| from.len() + 8);
        "<iq xmlns=\"jabber:client\" type=\"result\" to=\"\">".len() + attributes + self.to.len()
    }

    /// An `<iq type="result"/>`; `body` appends what goes inside, in the namespace `jabber:client`, and
    /// `room` is its expected size.
    pub(crate) fn result(&self, room: usize, body: impl FnOnce(&mut Vec<u8>)) -> Parcel {
        let mut out = Vec::with_capacity(self.size() + room + "</iq>".len());
        self.push_head(&mut out, "iq", "result");
        out.push(b'>');
        let start = out.len();
        body(&mut out);
        if out.len() == start {
            out.pop();
            push(&mut out, &["/>"]);
        } else {
            push(&mut out, &["</iq>"]);
        }
        answer(out)
    }

    /// An `<iq type="result"/>` without content.
    pub(crate) fn empty(&self) -> Parcel {
        self.result(0, |_| {})
    }

    /// An error answer to `request`, whose children are repeated in front of the error when they take at
    /// most `echo` bytes (RFC 6120 §8.3.1, XEP-0205 §4.5).
    pub(crate) fn error(&self, request: &Element, error: &StanzaError, echo: usize, code: bool) -> Parcel {
        let mut out = Vec::with_capacity(self.size() + 512);
        self.push_head(&mut out, request.name(), "error");
        out.push(b'>');
        let start = out.len();
        for child in request.children() {
            serialize::push_element(&mut out, child, ns::CLIENT);
            if out.len() - start > echo {
                out.truncate(start);
                break;
            }
        }
        error.push(&mut out, code);
        push(&mut out, &["</", request.name(), ">"]);
        answer(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(parcel: Parcel) -> String {
        match parcel {
            Parcel::Direct { bytes, .. } => String::from_utf8(bytes.to_vec()).unwrap(),
            Parcel::Event { .. } | Parcel::Special { .. } => panic!("not an answer"),
        }
    }

    const ENVELOPE: Envelope<'static> =
        Envelope { id: Some("a<\"/+="), from: Some("pubsub.localhost"), to: "1001@localhost/x&amp;y" };

    #[test]
    fn results_swap_addresses_and_escape() {
        assert_eq!(
            bytes(ENVELOPE.empty()),
            "<iq xmlns=\"jabber:client\" type=\"result\" id=\"a&lt;&quot;/+=\" from=\"pubsub.localhost\" \
             to=\"1001@localhost/x&amp;y\"/>"
        );
        let bare = Envelope { id: None, from: None, to: "a@b/c" };
        assert_eq!(
            bytes(bare.result(0, |out| push(out, &["<x/>"]))),
            "<iq xmlns=\"jabber:client\" type=\"result\" to=\"a@b/c\"><x/></iq>"
        );
    }

    #[test]
    fn errors_echo_the_request_up_to_a_size() {
        let request: Element =
            "<iq xmlns='jabber:client' id='1'><q xmlns='urn:q' a='1'><z/></q></iq>".parse().unwrap();
        let error = StanzaError::pubsub(Condition::BadRequest, "invalid-jid");
        let with = bytes(ENVELOPE.error(&request, &error, 100, true));
        assert!(with.contains("><q xmlns=\"urn:q\" a=\"1\"><z/></q><error type=\"modify\" code=\"400\">"));
        assert!(with.ends_with(
            "<bad-request xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/>\
             <invalid-jid xmlns=\"http://jabber.org/protocol/pubsub#errors\"/></error></iq>"
        ));
        let without = bytes(ENVELOPE.error(&request, &error, 10, false));
        assert!(!without.contains("<q") && without.contains("<error type=\"modify\"><bad-request"));
    }

    #[test]
    fn unsupported_names_the_feature() {
        let mut out = Vec::new();
        StanzaError::unsupported("subscription-options").push(&mut out, false);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "<error type=\"cancel\"><feature-not-implemented xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/>\
             <unsupported xmlns=\"http://jabber.org/protocol/pubsub#errors\" feature=\"subscription-options\"/></error>"
        );
    }
}
