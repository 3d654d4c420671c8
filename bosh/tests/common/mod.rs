//! A session with a toy stream behind it: what goes up is noted, what comes down is a queue.
#![allow(dead_code)]

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bosh::core::{Fingerprint, Identity, Reply, Session, Settings, Token, Work, from_element, scan_empty};

pub const NS: &str = "xmlns='http://jabber.org/protocol/httpbind'";

pub struct Toy {
    pub now: Instant,
    pub session: Session,
    /// Names of elements and restarts, in the order they were processed.
    pub up: Vec<String>,
    /// Stanzas waiting for the client.
    pub down: VecDeque<String>,
    /// Answers that left, by token.
    pub answers: HashMap<u64, Reply>,
    /// Answers to `<echo/>` at once.
    pub echo: bool,
    /// `<auth/>` blocks until somebody calls `unblock`.
    fingerprint: Fingerprint,
    tokens: u64,
}

pub fn text(reply: &Reply) -> String {
    String::from_utf8(reply.bytes.to_vec()).expect("answers are text")
}

impl Toy {
    /// Opens a session with request id 1000.
    pub fn open(attributes: &str) -> (Self, String) {
        Self::open_with(Settings::default(), attributes)
    }

    pub fn open_with(settings: Settings, attributes: &str) -> (Self, String) {
        let now = Instant::now();
        let body = format!("<body rid='1000' to='localhost' {attributes} {NS}/>");
        let fingerprint = Fingerprint::default();
        let request = from_element(body.parse().unwrap(), fingerprint.of(body.as_bytes())).unwrap();
        let identity = Identity { sid: "secret", authid: "stream", from: "localhost" };
        let session = Session::create(now, Arc::new(settings), &request, identity, Token(0)).unwrap();
        let mut toy = Self {
            now,
            session,
            up: Vec::new(),
            down: VecDeque::from(["<stream:features/>".to_owned()]),
            answers: HashMap::new(),
            echo: true,
            fingerprint,
            tokens: 1,
        };
        toy.pump();
        toy.session.set_established();
        let created = toy.take(0).expect("session creation is answered at once");
        (toy, created)
    }

    /// Sends a body with the given attributes and content; returns the token.
    pub fn send(&mut self, rid: u64, attributes: &str, content: &str) -> u64 {
        let body = format!("<body rid='{rid}' sid='secret' {attributes} {NS}>{content}</body>");
        self.send_raw(&body)
    }

    pub fn poll(&mut self, rid: u64) -> u64 {
        self.send(rid, "", "")
    }

    pub fn send_raw(&mut self, body: &str) -> u64 {
        let token = self.tokens;
        self.tokens += 1;
        let digest = self.fingerprint.of(body.as_bytes());
        let request = match scan_empty(body.as_bytes(), &self.fingerprint) {
            Some(request) => request,
            None => from_element(body.parse().unwrap(), digest).unwrap(),
        };
        self.session.request(self.now, request, Token(token));
        self.pump();
        token
    }

    /// A stanza from the server.
    pub fn push(&mut self, stanza: impl Into<String>) {
        self.down.push_back(stanza.into());
        self.pump();
    }

    pub fn detach(&mut self, token: u64) {
        self.session.detach(self.now, Token(token));
    }

    pub fn advance(&mut self, by: Duration) {
        self.now += by;
        self.pump();
    }

    pub fn seconds(&mut self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }

    /// The answer for a token, when it has left.
    pub fn take(&mut self, token: u64) -> Option<String> {
        self.answers.remove(&token).map(|reply| text(&reply))
    }

    #[track_caller]
    pub fn expect(&mut self, token: u64) -> String {
        self.take(token).expect("an answer")
    }

    pub fn pump(&mut self) {
        if self.session.deadline().is_some_and(|deadline| self.now >= deadline) {
            self.session.handle_timeout(self.now);
        }
        while let Some(work) = self.session.poll_work(self.now) {
            match work {
                Work::Restart(_) => {
                    self.up.push("restart".into());
                    self.down.push_back("<stream:features><bind/></stream:features>".into());
                }
                Work::Stanza(stanza) => {
                    if self.echo && stanza.name() == "echo" {
                        self.down.push_back(format!("<echoed n='{}'/>", stanza.attr("n").unwrap_or("")));
                    }
                    self.up.push(match stanza.attr("n") {
                        Some(n) => format!("{} {n}", stanza.name()),
                        None => stanza.name().to_owned(),
                    });
                    if stanza.name() == "auth" {
                        self.session.set_blocked(true);
                    }
                }
            }
        }
        if !self.down.is_empty() && self.session.wants_payload() {
            let down = std::mem::take(&mut self.down);
            self.session.deliver(self.now, 0, |out| {
                down.iter().for_each(|stanza| out.extend_from_slice(stanza.as_bytes()));
            });
        }
        self.session.settle(self.now);
        while let Some((token, reply)) = self.session.poll_answer() {
            assert!(self.answers.insert(token.0, reply).is_none(), "two answers for one request");
        }
    }
}

/// The value of an attribute in the start tag of a body.
pub fn attribute<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let tag = &body[..body.find('>')?];
    let at = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[at..].split('"').next()
}

pub fn is_empty(body: &str) -> bool {
    body.ends_with("/>") && attribute(body, "type").is_none()
}

#[track_caller]
pub fn assert_condition(body: &str, condition: &str) {
    assert_eq!(attribute(body, "type"), Some("terminate"), "{body}");
    assert_eq!(attribute(body, "condition"), Some(condition), "{body}");
}
