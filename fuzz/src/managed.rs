//! The client's side of stream management (XEP-0198): it counts in both directions, and holds the server to it.

use std::collections::VecDeque;

use minidom::Element;

/// Namespace of stream management.
pub const SM: &str = "urn:xmpp:sm:3";

/// Marks the number of a stanza that was sent before `<resumed/>` was heard, counted from there.
pub const AHEAD: u32 = 1 << 31;

/// What a client knows about its managed session.
pub struct Managed {
    /// `<enabled/>` was heard.
    on: bool,
    /// By which the session can be resumed.
    pub id: Option<String>,
    /// Stanzas heard: what the client acknowledges.
    pub heard: u32,
    /// Stanzas sent.
    pub sent: u32,
    /// How many had been sent when `<r/>` was, for those without an answer.
    requests: VecDeque<u32>,
    /// The client has said nothing but what it counted.
    pub honest: bool,
    /// Something may have been sent that never arrived.
    gap: bool,
    /// Stanzas sent since the session was resumed, before the client heard of that.
    ahead: u32,
}

impl Managed {
    /// `<enable/>` goes out.
    #[allow(clippy::new_without_default, reason = "it is something that happens")]
    pub fn new() -> Self {
        Self {
            on: false,
            id: None,
            heard: 0,
            sent: 0,
            requests: VecDeque::new(),
            honest: true,
            gap: false,
            ahead: 0,
        }
    }

    /// `<enabled/>` is heard that the client does not know to have asked for.
    pub fn unexpected() -> Self {
        Self { honest: false, ..Self::new() }
    }

    /// `<enabled/>` was heard.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// A stanza goes out; its number.
    pub fn send_stanza(&mut self) -> u32 {
        self.sent += 1;
        self.sent
    }

    /// A stanza goes out before the client has heard that its session is resumed.
    pub fn send_ahead(&mut self) -> u32 {
        self.ahead += 1;
        AHEAD | self.ahead
    }

    /// Something of stream management goes out.
    pub fn send(&mut self, element: &Element) {
        match element.name() {
            "r" if self.ahead > 0 => self.requests.push_back(AHEAD | self.ahead),
            "r" => self.requests.push_back(self.sent),
            // What cannot be read ends the stream.
            "a" => self.honest &= element.attr("h") == Some(&self.heard.to_string()),
            _ => {}
        }
    }

    /// `<enabled/>` is heard.
    pub fn enabled(&mut self, element: &Element) {
        assert!(!self.on, "enabled once");
        self.on = true;
        self.id = element.attr("id").map(str::to_owned);
        assert_eq!(self.id.is_some(), element.attr("resume") == Some("true"), "an id to resume by");
    }

    /// An acknowledgement is heard. `sure`: it is known what the client has sent.
    pub fn acknowledged(&mut self, element: &Element, sure: bool) {
        let h = handled(element);
        let asked = self.requests.pop_front();
        if sure && self.honest {
            let least = asked.expect("an answer for each request");
            assert!((least..=self.sent).contains(&h), "{h} of {least} to {} sent stanzas", self.sent);
        }
    }

    /// Everything that the server said was heard.
    pub fn check_answered(&self) {
        assert!(!self.on || self.requests.is_empty(), "a request without an acknowledgement");
    }

    /// The server has resumed the session on another connection. `gap`: the old one broke with something on its
    /// way to the server.
    pub fn taken_over(&mut self, gap: bool) {
        self.gap |= gap;
        self.ahead = 0;
        self.requests.clear();
    }

    /// Something was sent of which the number is not known yet.
    pub fn is_ahead(&self) -> bool {
        self.ahead > 0
    }

    /// `<resumed/>` is heard; the number of stanzas that the server has handled. `sure`: it is known what the
    /// client has sent.
    pub fn resumed(&mut self, element: &Element, sure: bool) -> u32 {
        let h = handled(element);
        assert_eq!(element.attr("previd"), self.id.as_deref());
        if sure && self.honest {
            assert!(h <= self.sent, "{h} of {} sent stanzas", self.sent);
            assert!(self.gap || h == self.sent, "{h} of {} stanzas taken", self.sent);
        }
        for request in &mut self.requests {
            *request = if *request & AHEAD != 0 { h + (*request & !AHEAD) } else { h };
        }
        self.sent = h.wrapping_add(std::mem::take(&mut self.ahead));
        self.gap = false;
        h
    }
}

fn handled(element: &Element) -> u32 {
    element.attr("h").and_then(|h| h.parse().ok()).expect("a number of stanzas")
}
