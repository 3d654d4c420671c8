//! Answers: which held request gets what, and when.
//!
//! Answers leave in the order of request ids. Payload goes to the oldest held request whose connection
//! is still there, never into one that is known to be gone.

use std::time::Instant;

use bytes::Bytes;

use super::replay::Kept;
use super::session::{Identity, Session, State, Token};
use super::write::{self, Builder};
use super::{Condition, Settings, Terms};

/// The body of one HTTP response.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The document.
    pub bytes: Bytes,
    /// Why the session ended, when it did so because of an error: legacy clients are told by HTTP status.
    pub condition: Option<Condition>,
}

impl Reply {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes, condition: None }
    }

    /// An end with a condition.
    pub fn failure(condition: Condition) -> Self {
        Self { bytes: write::failure(condition), condition: Some(condition) }
    }
}

/// The attributes of the session creation answer (XEP-0124 §7.2), rendered when it is asked for.
#[derive(Debug)]
pub(super) struct Greeting {
    sid: Box<str>,
    authid: Box<str>,
    from: Box<str>,
    ack: u64,
}

impl Greeting {
    pub(super) fn new(_: &Settings, _: &Terms, rid: u64, identity: Identity<'_>) -> Self {
        let Identity { sid, authid, from } = identity;
        Self { sid: sid.into(), authid: authid.into(), from: from.into(), ack: rid }
    }

    fn write(&self, settings: &Settings, terms: &Terms, body: &mut Builder) {
        body.plain("xmlns:xmpp", super::body::XBOSH);
        body.plain("sid", &self.sid);
        body.number("wait", terms.wait.into());
        body.number("hold", terms.hold.into());
        body.number("requests", terms.requests.into());
        let inactivity = if terms.is_polling() { settings.inactivity_polling } else { settings.inactivity };
        body.number("inactivity", inactivity.as_secs());
        body.number("polling", settings.polling.as_secs());
        if let Some(pause) = settings.max_pause {
            body.number("maxpause", pause.as_secs());
        }
        if let Some((major, minor)) = terms.version {
            body.plain("ver", &format!("{major}.{minor}"));
        }
        body.number("ack", self.ack);
        body.escaped("from", &self.from);
        body.plain("authid", &self.authid);
        if settings.secure_attribute {
            body.plain("secure", "true");
        }
        body.plain("charsets", "UTF-8");
        body.plain("xmpp:version", "1.0");
        body.plain("xmpp:restartlogic", "true");
    }
}

impl Session {
    /// The next finished answer and the place it belongs to.
    pub fn poll_answer(&mut self) -> Option<(Token, Reply)> {
        self.answers.pop_front()
    }

    /// Whether a request is held that could carry payload to the client.
    pub fn wants_payload(&self) -> bool {
        self.state.is_open() && self.slots.iter().any(|slot| slot.entered && slot.token.is_some())
    }

    /// The place that will get the next payload: the oldest held request with a connection.
    pub fn next_token(&self) -> Option<Token> {
        self.slots.iter().filter(|slot| slot.entered).find_map(|slot| slot.token)
    }

    /// Answers the oldest held request with payload that `fill` appends to a buffer of about
    /// `capacity` bytes. Only while [`wants_payload`](Self::wants_payload).
    pub fn deliver(&mut self, now: Instant, capacity: usize, fill: impl FnOnce(&mut Vec<u8>)) {
        if !self.wants_payload() {
            return;
        }
        // Whoever sent the ones in front will ask again, and is then told that they were empty.
        while self.slots.front().is_some_and(|slot| slot.token.is_none()) {
            self.answer_front_empty(now);
        }
        let Some(slot) = self.slots.front() else { return };
        let rid = slot.rid;
        let mut body = self.builder(now, rid, capacity);
        fill(body.payload());
        self.last_poll = None;
        self.answer_front(now, Reply::new(body.finish_payload()));
    }

    /// Answers what must not be held: more requests than agreed on, the session creation request,
    /// anything in a polling session, and when there is an answer to report as lost.
    pub fn settle(&mut self, now: Instant) {
        let hold = if self.terms.is_polling() { 0 } else { usize::from(self.terms.hold) };
        while self.slots.iter().filter(|slot| slot.entered).count() > hold {
            self.answer_front_empty(now);
        }
        let urgent = self.greeting.is_some() || self.acks.has_report();
        if urgent && self.slots.front().is_some_and(|slot| slot.entered) {
            self.answer_front_empty(now);
        }
    }

    /// Starts the body of the answer to `rid` with the attributes that are due.
    fn builder(&mut self, now: Instant, rid: u64, capacity: usize) -> Builder {
        let room = if self.greeting.is_some() { 640 } else { 192 };
        let mut body = Builder::new(Vec::with_capacity(capacity + room), self.opening);
        if let Some(greeting) = self.greeting.take() {
            greeting.write(&self.settings, &self.terms, &mut body);
        } else if self.window.last() != rid {
            body.number("ack", self.window.last());
        }
        if let Some((rid, elapsed)) = self.acks.take_report(now, &self.replay) {
            body.number("report", rid);
            body.number("time", elapsed);
        }
        body
    }

    pub(super) fn answer_front_empty(&mut self, now: Instant) {
        let Some(slot) = self.slots.front() else { return };
        let (rid, arrived, empty) = (slot.rid, slot.arrived, slot.empty);
        self.last_poll = empty.then_some(arrived);
        let usual = self.greeting.is_none() && self.window.last() == rid && !self.acks.has_report();
        let bytes = if usual { write::empty() } else { self.builder(now, rid, 0).finish() };
        self.answer_front(now, Reply::new(bytes));
    }

    pub(super) fn answer_all_empty(&mut self, now: Instant) {
        while self.slots.front().is_some_and(|slot| slot.entered) {
            self.answer_front_empty(now);
        }
    }

    fn answer_front(&mut self, now: Instant, reply: Reply) {
        let Some(slot) = self.slots.pop_front() else { return };
        self.answered = self.answered.max(slot.rid);
        let (rid, digest, repeats) = (slot.rid, slot.digest, slot.repeats);
        self.replay.keep(Kept { rid, digest, reply: reply.clone(), at: now, repeats });
        // One without a connection leaves for the replay buffer only, which is no sign of life.
        if let Some(token) = slot.token {
            self.answers.push_back((token, reply));
            self.rest(now);
        }
    }

    /// The client has ended the session: the oldest held request hears it, the others get an empty
    /// body (XEP-0124 §13).
    pub(super) fn terminate(&mut self, _now: Instant) {
        self.state = State::Over;
        let mut reply = Reply::new(write::terminate());
        for slot in std::mem::take(&mut self.slots) {
            if let Some(token) = slot.token {
                self.answers.push_back((token, reply));
                reply = Reply::new(write::empty());
            }
        }
    }

    /// Ends the session because of `offender`, whose request gets the condition; others that are held
    /// learn that another request was the cause.
    pub(super) fn abort(&mut self, _now: Instant, offender: Option<Token>, condition: Condition) {
        if self.state.is_open() && condition != Condition::OtherRequest {
            self.fault = Some(condition);
        }
        self.state = State::Over;
        for slot in std::mem::take(&mut self.slots) {
            let Some(token) = slot.token.filter(|token| Some(*token) != offender) else { continue };
            self.answers.push_back((token, Reply::failure(Condition::OtherRequest)));
        }
        if let Some(offender) = offender {
            self.answers.push_back((offender, Reply::failure(condition)));
        }
    }

    /// Ends the session because of a request that could not even be read; the caller answers that one.
    pub fn abandon(&mut self, now: Instant) {
        self.abort(now, None, Condition::OtherRequest);
    }

    /// Ends the session for everybody: each held request gets the condition, and when none is held the
    /// next one.
    pub fn end_all(&mut self, now: Instant, condition: Condition) {
        self.end(now, Some(condition), None);
    }

    /// The stream has ended. The oldest held request hears it with all that `fill` appends (pending
    /// stanzas, then the stream error); without one the next request does.
    pub fn close(&mut self, now: Instant, condition: Option<Condition>, fill: impl FnOnce(&mut Vec<u8>)) {
        let mut payload = Vec::new();
        fill(&mut payload);
        self.end(now, condition, (!payload.is_empty()).then_some(payload));
    }

    fn end(&mut self, now: Instant, condition: Option<Condition>, payload: Option<Vec<u8>>) {
        if !self.state.is_open() {
            return;
        }
        let mut body = Builder::new(Vec::with_capacity(256), payload.is_some());
        body.terminate(condition);
        let bytes = match payload {
            None => body.finish(),
            Some(payload) => {
                body.payload().extend_from_slice(&payload);
                body.finish_payload()
            }
        };
        let first = Reply { bytes, condition };
        let mut tokens = std::mem::take(&mut self.slots).into_iter().filter_map(|slot| slot.token);
        let Some(token) = tokens.next() else {
            self.state = State::Parting(first);
            self.idle_since.get_or_insert(now);
            return;
        };
        self.state = State::Over;
        self.answers.push_back((token, first));
        let others = match condition {
            Some(Condition::RemoteStreamError) => Some(Condition::OtherRequest),
            other => other,
        };
        for token in tokens {
            let reply = others.map_or_else(|| Reply::new(write::empty()), Reply::failure);
            self.answers.push_back((token, reply));
        }
    }
}
