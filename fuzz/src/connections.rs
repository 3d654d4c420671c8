//! Connections that break, come back and go on: what the client keeps of a session that waits (XEP-0198 §5),
//! and the server's streams without a client.

use std::collections::VecDeque;
use std::task::{Context, Waker};
use std::time::Duration;

use minidom::Element;
use xmpp::{Action, Stream, StreamError};

use crate::dialogue::{Asked, BARE, Dialogue};
use crate::due::Dues;
use crate::login::Way;
use crate::managed::{AHEAD, Managed, SM};
use crate::wire::Wire;

const SASL2: &str = "urn:xmpp:sasl:2";
const NS_BIND2: &str = "urn:xmpp:bind:0";

/// What a client keeps of a session that waits to be resumed.
pub struct Parked {
    full: String,
    managed: Managed,
    due: Dues,
    asked: VecDeque<Asked>,
    obscure: bool,
    inexact: bool,
    /// The server had taken all that was sent.
    exact: bool,
}

/// A stream without a client, with the wire it ran over.
pub struct Old<W> {
    pub stream: Stream,
    wire: W,
    /// What the server writes is lost, and not only what it writes no more.
    writes: bool,
    closed: Option<Option<StreamError>>,
}

impl<W: Wire> Dialogue<W> {
    /// The client stops sending, or its connection breaks and both sides know.
    pub fn break_off(&mut self) {
        self.stream.handle_eof();
        if self.stream.is_detached() {
            return self.connect(false);
        }
        self.pump();
        self.drain_unless_lazy();
    }

    /// The connection breaks, and of what the server has written last only so many parcels arrive.
    pub fn lose(&mut self, heard: usize) {
        let mut parcels = VecDeque::new();
        while let Ok(1..) = self.stream.try_take(self.now, &mut parcels, usize::MAX) {}
        self.act(&mut &[][..]);
        let lost = parcels.split_off(heard.min(parcels.len()));
        let mut out = Vec::new();
        self.write(&mut parcels, &mut out);
        self.read(&out);
        // Written all the same: message ids go on.
        self.wire = W::new(self.now, &self.service);
        let mut lost = lost;
        self.write(&mut lost, &mut out);
        self.stream.handle_eof();
        self.connect(false);
    }

    /// The client comes on another connection. The server goes on with the old one, if it does not know better,
    /// and may still write to it.
    pub fn connect(&mut self, writes: bool) {
        let resumable = self.managed.as_ref().is_some_and(|managed| managed.is_on() && managed.id.is_some());
        let full = self.stream.bound().map(|bound| bound.full().to_string());
        let parked = full.filter(|_| resumable).zip(self.managed.take()).map(|(full, managed)| Parked {
            full,
            managed,
            due: std::mem::take(&mut self.due),
            asked: std::mem::take(&mut self.asked),
            obscure: self.obscure,
            inexact: self.inexact,
            exact: self.unread.is_empty() && !self.obscure,
        });
        if parked.is_some() {
            self.parked = parked;
        } else if let (Some(resuming), Some(full)) =
            (self.resuming.take(), self.stream.bound().map(|b| b.full()))
        {
            // Resumed, and lost again before the client knew.
            let (due, asked) = (std::mem::take(&mut self.due), std::mem::take(&mut self.asked));
            let (obscure, inexact) = (self.obscure || resuming.is_ahead(), self.inexact);
            let full = full.to_string();
            self.parked =
                Some(Parked { full, managed: resuming, due, asked, obscure, inexact, exact: false });
        }
        let closed = self.closed;
        let (stream, wire) = self.reconnect();
        self.old.push(Old { stream, wire, writes, closed });
        self.tend();
    }

    /// Does what the server's tasks do with streams that have lost their client, and forgets those that end.
    pub(crate) fn tend(&mut self) {
        for old in &mut self.old {
            old.tend(self.now);
        }
        self.old.retain(|old| {
            assert!(!old.stream.is_closed() || !old.stream.is_bound() && old.stream.deadline().is_none());
            assert_eq!(old.stream.is_closed(), old.closed.is_some(), "a stream ends with an action");
            !old.stream.is_closed()
        });
    }

    /// The server publishes; the session that waits gets it too.
    pub(crate) fn due_to_parked(&mut self, node: &str, number: u64) {
        let Some(parked) = &mut self.parked else { return };
        if self.old.iter().any(|old| old.has(&parked.full)) {
            parked.due.publish(number, self.service.broker(), BARE, &parked.full, node);
        }
    }

    /// Looks whether the server has just resumed a session on this connection.
    pub(crate) fn look_for_resumed(&mut self) {
        if !self.stream.has_new_outbox() {
            return;
        }
        let parked = self.parked.take().expect("only the client knows the id");
        let full = self.stream.bound().map(|bound| bound.full().to_string());
        assert_eq!(full.as_deref(), Some(&*parked.full), "the client's own session");
        assert!(self.due.is_empty(), "nothing was bound before");
        self.due = parked.due;
        self.asked.extend(parked.asked);
        // What was sent on this connection before may have been taken before or after.
        self.obscure |= parked.obscure || !parked.managed.honest || self.early > 0;
        self.inexact = parked.inexact || !parked.managed.honest;
        let mut resuming = parked.managed;
        resuming.taken_over(!parked.exact);
        self.resuming = Some(resuming);
        for old in &mut self.old {
            if old.has(&parked.full) {
                old.superseded();
            }
        }
    }

    /// Hears what stream management and its relatives say.
    pub(crate) fn hear_managed(&mut self, element: &Element) {
        let counts = matches!(element.name(), "iq" | "message" | "presence") && !element.has_ns(SM);
        if let Some(managed) = self.managed.as_mut().filter(|managed| managed.is_on() && counts) {
            managed.heard += 1;
        }
        // Bind 2 and SASL2 carry it.
        let inside = element.get_child("bound", NS_BIND2).and_then(|bound| bound.get_child("enabled", SM));
        let resumed = element.get_child("resumed", SM).filter(|_| element.has_ns(SASL2));
        let own = || element.has_ns(SM).then_some(element);
        let Some(element) = inside.or(resumed).or_else(own) else {
            if element.has_ns(SASL2) && matches!(element.name(), "success" | "failure") {
                self.forget_wish();
            }
            return;
        };
        let sure = !self.obscure;
        match (element.name(), &mut self.managed) {
            ("enabled", Some(managed)) if !managed.is_on() => managed.enabled(element),
            ("enabled", _) => {
                let mut managed = Managed::unexpected();
                managed.enabled(element);
                self.managed = Some(managed);
            }
            ("failed", Some(managed)) if !managed.is_on() => self.managed = None,
            ("a", Some(managed)) => managed.acknowledged(element, sure),
            ("resumed", _) => self.hear_resumed(element),
            _ => {}
        }
    }

    /// A login has ended without `<enabled/>`, although that may have been asked for with it.
    fn forget_wish(&mut self) {
        self.managed.take_if(|managed| !managed.is_on());
    }

    fn hear_resumed(&mut self, element: &Element) {
        let mut managed = self.resuming.take().expect("resumed unasked");
        let handled = managed.resumed(element, !self.obscure);
        // What was not handled has to be sent again, or is given up.
        self.asked.retain_mut(|asked| {
            let ahead = asked.sent & AHEAD != 0;
            if ahead {
                asked.sent = handled.wrapping_add(asked.sent & !AHEAD);
            }
            ahead || asked.sent <= handled
        });
        self.managed = Some(managed);
    }

    /// Asks for the session that waits, on a stream with a login and without a resource. `off`: how far the
    /// client is off in counting.
    pub fn resume(&mut self, off: u32) {
        let waits = |parked: &&Parked| {
            self.old.iter().any(|old| old.has(&parked.full)) && parked.managed.honest && off == 0
        };
        let waits = self.parked.as_ref().filter(waits).is_some();
        let xml = match &self.parked {
            Some(Parked { managed: Managed { id: Some(id), heard, .. }, .. }) => {
                format!("<resume xmlns='{SM}' previd='{id}' h='{}'/>", heard.wrapping_add(off))
            }
            _ => format!("<resume xmlns='{SM}' previd='0123456789012345678901234567890123456789' h='0'/>"),
        };
        let heard_all = !self.lazy && !self.obscure && !self.restarts && self.unread.is_empty();
        let has_to = heard_all
            && waits
            && self.stream.is_authenticated()
            && !self.stream.is_bound()
            && self.stream.wants_input();
        self.send(xml.as_bytes());
        let taken = self.unread.is_empty() && self.closed.is_none();
        assert!(!(has_to && taken) || self.parked.is_none(), "a session that waits can be resumed");
    }

    /// A whole login, in one of many ways.
    pub fn log_in(&mut self, way: Way, bind: &[u8], presence: &[u8]) {
        if self.restarts {
            self.open();
        }
        let resume = self.parked.as_ref().and_then(|parked| {
            let heard = parked.managed.heard;
            Some((parked.managed.id.clone()?, heard))
        });
        let first = self.client.first(way, resume.as_ref().map(|(id, h)| (&**id, *h)));
        self.send(first.as_bytes());
        self.verdict(Ok(()));
        self.respond();
        self.verdict(Ok(()));
        if !way.two {
            // A client that does not read goes on all the same.
            if self.restarts || self.lazy {
                self.open();
            }
            if way.resume {
                self.resume(0);
            }
            if way.bind {
                self.send(bind);
            }
        }
        if way.bind {
            self.send(presence);
        }
    }

    /// Answers the last challenge of SCRAM.
    pub fn respond(&mut self) {
        let Some(response) = self.client.response() else { return };
        self.send(response.as_bytes());
    }

    /// Acknowledges what was heard, or more by `off`.
    pub fn acknowledge(&mut self, off: u32) {
        let heard = self.managed.as_ref().map_or(0, |managed| managed.heard);
        self.send(format!("<a xmlns='{SM}' h='{}'/>", heard.wrapping_add(off)).as_bytes());
    }

    /// Nobody comes back: lets the sessions that wait end.
    pub(crate) fn leave(&mut self) {
        for old in &mut self.old {
            old.stream.handle_eof();
        }
        self.tend();
        for _ in 0..1000 {
            let Some(deadline) = self.old.iter().filter_map(|old| old.stream.deadline()).min() else { break };
            self.now = self.now.max(deadline);
            for old in &mut self.old {
                old.stream.handle_timeout(self.now);
            }
            self.tend();
        }
        assert!(self.old.is_empty(), "sessions that nobody resumes end");
        self.service.handle_timeout(self.now + Duration::from_secs(1));
    }
}

impl<W: Wire> Old<W> {
    /// Has the session of that address.
    fn has(&self, full: &str) -> bool {
        self.stream.bound().is_some_and(|bound| **bound.full() == *full)
            && self.stream.outbox().is_ended().is_none()
    }

    /// What the task of the stream does when it is woken.
    fn tend(&mut self, now: std::time::Instant) {
        self.stream.check_owner();
        if self.stream.is_detached() {
            let _ = self.stream.poll_detached(&mut Context::from_waker(Waker::noop()));
        } else if self.writes {
            self.write(now);
        }
        self.act();
        if self.stream.is_closed() && self.writes {
            self.write(now);
        }
    }

    /// Writes into the void.
    fn write(&mut self, now: std::time::Instant) {
        let mut parcels = VecDeque::new();
        let mut out = Vec::new();
        loop {
            match self.stream.try_take(now, &mut parcels, usize::MAX) {
                Ok(0) => break,
                Ok(_) => {}
                Err(reason) => {
                    self.stream.handle_outbox_end(reason);
                    break;
                }
            }
            for parcel in parcels.drain(..) {
                self.wire.write(&mut self.stream, &parcel, &mut out);
            }
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.stream.poll_action() {
            if let Action::Close(error) = action {
                assert!(self.closed.is_none(), "a stream ends once");
                self.closed = Some(error);
            }
        }
    }

    /// The session was resumed elsewhere: this stream ends, and has nothing of it left to say.
    fn superseded(&mut self) {
        let was_detached = self.stream.is_detached();
        self.stream.check_owner();
        self.act();
        assert!(self.stream.is_closed(), "one stream for a session");
        let expected = if was_detached { None } else { Some(StreamError::Conflict) };
        assert_eq!(self.closed, Some(expected));
    }
}
