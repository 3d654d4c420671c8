//! Messages of RFC 7395: each a document of its own.

use std::time::Instant;

use minidom::Element;
use rxml::Namespace;

use super::render::{NS_CLIENT, NS_FRAMING};
use super::{Open, Phase, Stream};
use crate::StreamError;
use crate::reader::{self, XmlError};

impl Stream {
    /// One text message. Its size is the transport's to limit by [`max_bytes`](Self::max_bytes).
    pub fn handle_message(&mut self, now: Instant, message: &str) {
        if !self.wants_input() {
            return;
        }
        self.clock.heard(now);
        // White space as a sign of life is not allowed (RFC 7395 §3.8), but does no harm.
        if message.bytes().all(|b| b.is_ascii_whitespace()) && !self.is_strict() {
            return;
        }
        match reader::parse_document(message.as_bytes(), self.limits()) {
            Ok(element) => self.message_element(now, element),
            // There is no stream around a message that could hold text.
            Err(XmlError::Text) => self.fail(StreamError::BadFormat),
            Err(error) => self.fail(error.stream_error()),
        }
    }

    fn message_element(&mut self, now: Instant, element: Element) {
        if element.has_ns(NS_FRAMING) {
            return self.frame(now, &element);
        }
        if self.phase == Phase::Header {
            return self.fail(if element.is("open", "") {
                StreamError::InvalidNamespace
            } else {
                StreamError::UnsupportedStanzaType
            });
        }
        let nameless = element.has_ns("");
        if nameless && self.is_strict() {
            return self.fail(StreamError::InvalidNamespace);
        }
        self.element(now, if nameless { adopt(element, "", NS_CLIENT) } else { element });
    }

    fn frame(&mut self, now: Instant, element: &Element) {
        match element.name() {
            "open" => {
                let get = |name: &str| element.attr(name).map(str::to_owned);
                let lang = element.attr_ns(Namespace::xml(), "lang").map(str::to_owned);
                let open = Open { to: get("to"), from: get("from"), version: get("version"), lang };
                self.handle_open(now, &open);
            }
            "close" => self.end_by_peer(),
            _ => self.fail(StreamError::UnsupportedStanzaType),
        }
    }
}

/// Moves an element, and its descendants in the same namespace, from one namespace to another: clients send
/// stanzas without a namespace, or in that of the BOSH body around them.
pub fn adopt(element: Element, from: &str, to: &str) -> Element {
    if !element.has_ns(from) {
        return element;
    }
    let mut element = element;
    let mut adopted = Element::bare(element.name(), to);
    *adopted.attrs_mut() = std::mem::take(element.attrs_mut());
    for node in element.take_nodes() {
        match node {
            minidom::Node::Element(child) => {
                adopted.append_child(adopt(child, from, to));
            }
            minidom::Node::Text(text) => adopted.append_text_node(text),
        }
    }
    adopted
}
