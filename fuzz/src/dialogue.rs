//! One client on its connections, in virtual time, with everything checked that can be said about it.
//!
//! Whatever is sent: each request is answered once and in order; events of the server arrive once, in order,
//! for each subscription that the broker knows of, over as many connections as a resumed session takes; both
//! sides count stanzas alike; what the server writes is well-formed; queues keep their bounds; nobody gets in
//! without the secret; another session hears every event; and what a session leaves behind is nothing.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use broker::{Broker, EndReason, Parcel};
use minidom::Element;
use xmpp::auth::Question;
use xmpp::{Action, Answer, AuthFailure, Principal, Service, Stream, StreamError};

use crate::connections::{Old, Parked};
use crate::due::{Dues, event_number, subid};
use crate::grammar::SUBID;
use crate::login::{self, Client};
use crate::managed::{Managed, SM};
use crate::wire::Wire;
use crate::world::{self, Neighbour, PUBSUB, Setting};

const CLIENT: &str = "jabber:client";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const NS_BIND2: &str = "urn:xmpp:bind:0";
/// The account behind the stream.
pub const BARE: &str = "1001@localhost";

/// A request without an answer.
pub struct Asked {
    id: Option<String>,
    /// How many stanzas of a managed session had been sent with it.
    pub sent: u32,
}

pub struct Dialogue<W> {
    setting: Setting,
    pub(crate) service: Service,
    pub(crate) now: Instant,
    pub(crate) stream: Stream,
    pub(crate) wire: W,
    /// Input that the stream did not take yet.
    pub(crate) unread: Vec<u8>,
    /// Bytes handed in at once; 0: all.
    cut: usize,
    /// The outbox is only drained on demand.
    pub(crate) lazy: bool,
    pub(crate) asked: VecDeque<Asked>,
    /// What was sent can no longer be told from outside.
    pub(crate) obscure: bool,
    /// What is due to the session of this connection.
    pub(crate) due: Dues,
    /// What is due is not known, since the client has acknowledged what it has not heard.
    pub(crate) inexact: bool,
    published: u64,
    pub(crate) closed: Option<Option<StreamError>>,
    /// Something that waited for the client was thrown away together with its session.
    pub(crate) lost: bool,
    pub(crate) finished: bool,
    pub(crate) restarts: bool,
    pub(crate) question: Option<Question>,
    pub(crate) client: Client,
    pub(crate) managed: Option<Managed>,
    /// Stanzas sent on this connection before a session was resumed on it.
    pub(crate) early: u32,
    /// The session that waits to be resumed.
    pub(crate) parked: Option<Parked>,
    /// A session was resumed, which the client has not heard of: what it knows about it.
    pub(crate) resuming: Option<Managed>,
    /// Connections given up.
    pub(crate) old: Vec<Old<W>>,
    neighbour: Neighbour,
    witness: Neighbour,
    witnessed: u64,
    serial: u32,
    /// Id of the subscription that was made last.
    subid: String,
}

impl<W: Wire> Dialogue<W> {
    pub fn new(setting: Setting) -> Self {
        let now = Instant::now();
        let service = world::service(setting);
        let witness = Neighbour::witness(&service, now);
        let neighbour = Neighbour::new(&service, "own1", now).expect("a fresh service");
        Self {
            setting,
            now,
            stream: Stream::new(service.clone(), W::FRAMING, setting.channel(), now),
            wire: W::new(now, &service),
            service,
            unread: Vec::new(),
            cut: 0,
            lazy: false,
            asked: VecDeque::new(),
            obscure: false,
            due: Dues::default(),
            inexact: false,
            published: 0,
            closed: None,
            lost: false,
            finished: false,
            restarts: true,
            question: None,
            client: Client::default(),
            managed: None,
            early: 0,
            parked: None,
            resuming: None,
            old: Vec::new(),
            neighbour,
            witness,
            witnessed: 0,
            serial: 0,
            subid: String::new(),
        }
    }

    /// The client comes on another connection, about which nothing is known yet; the old one is given back.
    pub(crate) fn reconnect(&mut self) -> (Stream, W) {
        let stream = Stream::new(self.service.clone(), W::FRAMING, self.setting.channel(), self.now);
        let wire = W::new(self.now, &self.service);
        self.unread.clear();
        self.asked.clear();
        self.due.clear();
        (self.obscure, self.inexact, self.lost, self.finished) = (false, false, false, false);
        (self.restarts, self.early) = (true, 0);
        (self.closed, self.question, self.managed, self.resuming) = (None, None, None, None);
        (std::mem::replace(&mut self.stream, stream), std::mem::replace(&mut self.wire, wire))
    }

    /// A number that no other step has.
    pub fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// From now on so many bytes are handed in at once; 0: all.
    pub fn cut(&mut self, bytes: usize) {
        self.cut = bytes;
    }

    /// The client stops or begins to read by itself.
    pub fn set_lazy(&mut self, lazy: bool) {
        self.lazy = lazy;
    }

    /// Opens a stream, the first or the one after SASL.
    pub fn open(&mut self) {
        if !std::mem::take(&mut self.restarts) {
            self.obscure = true;
        }
        self.bytes(&W::encode(W::OPENING.as_bytes()));
    }

    /// Sends XML whose meaning is known.
    pub fn send(&mut self, xml: &[u8]) {
        let xml = &*with_subid(xml, &self.subid);
        let meaning = W::meaning(xml, &self.service.config().limits);
        self.obscure |= !meaning.whole;
        for element in &meaning.elements {
            self.note(element);
        }
        self.bytes(&W::encode(xml));
    }

    /// An element goes out.
    fn note(&mut self, element: &Element) {
        let wishes = element.get_child("bind", NS_BIND2).and_then(|bind| bind.get_child("enable", SM));
        if element.has_ns(SM) || wishes.is_some() {
            match self.resuming.as_mut().or(self.managed.as_mut()) {
                None if element.name() == "enable" || wishes.is_some() => self.managed = Some(Managed::new()),
                None => {}
                Some(managed) => managed.send(element),
            }
        }
        if !element.has_ns(CLIENT) && !element.has_ns("") {
            return;
        }
        let sent = match (&mut self.resuming, &mut self.managed) {
            (Some(resuming), _) => resuming.send_ahead(),
            (None, Some(managed)) => managed.send_stanza(),
            (None, None) => 0,
        };
        self.early += u32::from(self.resuming.is_none());
        if element.name() == "iq" && !matches!(element.attr("type"), Some("result" | "error")) {
            self.asked.push_back(Asked { id: element.attr("id").map(str::to_owned), sent });
        }
    }

    /// Sends bytes that may mean anything.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.obscure = true;
        self.bytes(bytes);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.closed.is_none() {
            self.unread.extend_from_slice(bytes);
        }
        self.pump();
        self.drain_unless_lazy();
    }

    /// The realm has made up its mind.
    pub fn verdict(&mut self, verdict: Result<(), AuthFailure>) {
        let answer = answer_to(self.question.take(), verdict);
        self.answer(answer);
    }

    /// The realm answers what was not asked.
    pub fn mix_up(&mut self) {
        let hash = xmpp::sasl::scram::Hash::Sha256;
        self.question = None;
        self.answer(Answer::Verifier(Ok(login::verifier(hash))));
    }

    fn answer(&mut self, answer: Answer) {
        self.stream.handle_auth(self.now, answer);
        self.pump();
        self.drain_unless_lazy();
    }

    /// An event of the server.
    pub fn publish(&mut self, node: &str, text: &str) {
        self.published += 1;
        let broker = self.service.broker();
        if let Some(bound) = self.stream.bound()
            && self.stream.outbox().is_ended().is_none()
        {
            self.due.publish(self.published, broker, BARE, bound.full(), node);
        }
        self.due_to_parked(node, self.published);
        publish(self.service.broker(), node, self.published, text);
        self.lost |= self.stream.outbox().is_ended() == Some(EndReason::Overflow);
        for said in self.witness.read() {
            // Other users may write to it.
            let Some(number) = event_number(&said.parse().expect("output is XML")) else { continue };
            self.witnessed += 1;
            assert_eq!(number, self.witnessed, "the witness hears everything once and in order");
        }
        assert_eq!(self.witnessed, self.published);
        self.drain_unless_lazy();
    }

    /// Somebody else's stanza.
    pub fn elsewhere(&mut self, stanza: &str) {
        self.neighbour.send(self.now, stanza);
        for said in self.neighbour.read() {
            said.parse::<Element>().unwrap_or_else(|error| panic!("{error}: {said}"));
        }
        self.drain_unless_lazy();
    }

    /// Another session takes the address of this one.
    pub fn replace(&mut self) {
        // There may be too many resources.
        let _ = Neighbour::new(&self.service, "1001", self.now);
        self.drain_unless_lazy();
    }

    pub fn shut_down(&mut self) {
        self.stream.handle_shutdown();
        self.pump();
        self.drain_unless_lazy();
    }

    /// Time passes, deadlines are served in between.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for turn in 0.. {
            assert!(turn < 20_000, "the clock spins");
            let own = self.stream.deadline().into_iter().chain(self.wire.deadline());
            let own = own.filter(|_| self.closed.is_none());
            let old = self.old.iter().filter_map(|old| old.stream.deadline());
            let Some(deadline) = own.chain(old).min().filter(|deadline| *deadline <= end) else { break };
            self.now = self.now.max(deadline);
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    fn tick(&mut self) {
        self.service.handle_timeout(self.now);
        self.stream.handle_timeout(self.now);
        if self.closed.is_none() {
            self.wire.handle_timeout(self.now, &mut self.stream);
        }
        for old in &mut self.old {
            old.stream.handle_timeout(self.now);
        }
        self.pump();
        self.drain_unless_lazy();
    }

    /// Hands in what waits, and does what the stream asks for.
    pub(crate) fn pump(&mut self) {
        self.look_for_resumed();
        let unread = std::mem::take(&mut self.unread);
        let mut input = unread.as_slice();
        loop {
            self.act(&mut input);
            if input.is_empty() || !self.stream.wants_input() {
                break;
            }
            let cut = if self.cut == 0 { input.len() } else { self.cut.min(input.len()) };
            let (mut piece, _) = input.split_at(cut);
            self.wire.feed(self.now, &mut self.stream, &mut piece);
            assert!(piece.len() < cut || !self.stream.wants_input(), "input is taken when it is wanted");
            input = &input[cut - piece.len()..];
            self.look_for_resumed();
        }
        self.act(&mut input);
        self.unread = if self.closed.is_some() { Vec::new() } else { input.to_vec() };
        self.tend();
        if self.stream.is_detached() {
            // Silence has ended the connection.
            self.connect(false);
        }
    }

    pub(crate) fn act(&mut self, input: &mut &[u8]) {
        while let Some(action) = self.stream.poll_action() {
            match action {
                Action::Authenticate(question) => {
                    judge(&question, &self.setting, &self.client);
                    self.question = Some(question);
                }
                Action::StartTls => {
                    // What came behind it in clear is nobody's.
                    *input = &[];
                    self.asked.clear();
                    self.drain();
                    self.stream.tls_started(self.now, Some(Box::new(world::binding())));
                    self.wire.restart();
                    self.restarts = true;
                }
                Action::Close(error) => {
                    assert!(self.closed.is_none(), "a stream ends once");
                    let full = StreamError::PolicyViolation("too many unacknowledged stanzas");
                    self.lost |= error == Some(full);
                    self.closed = Some(error);
                }
            }
        }
    }

    pub(crate) fn drain_unless_lazy(&mut self) {
        let limits = &self.service.config().limits;
        let outbox = self.stream.outbox();
        assert!(outbox.len() <= limits.outbox_items && outbox.bytes() <= limits.outbox_bytes);
        if !self.lazy {
            self.drain();
        }
    }

    /// The client reads everything.
    pub fn drain(&mut self) {
        let mut parcels = VecDeque::new();
        loop {
            let mut out = Vec::new();
            if !self.finished {
                self.wire.write_control(&mut out);
            }
            let taken = self.stream.try_take(self.now, &mut parcels, 4096);
            // More than may be unacknowledged ends the stream.
            let was_open = self.closed.is_none();
            self.act(&mut &[][..]);
            match taken {
                Ok(0) if was_open == self.closed.is_none() => {
                    self.read(&out);
                    break;
                }
                Ok(_) => self.write(&mut parcels, &mut out),
                Err(reason) => {
                    self.lost |= reason == EndReason::Overflow;
                    self.read(&out);
                    self.end(reason);
                    break;
                }
            }
            self.read(&out);
        }
        let settled = self.closed.is_none() && self.unread.is_empty() && !self.obscure;
        if settled && self.stream.wants_input() {
            assert!(self.asked.is_empty(), "requests without an answer: {:?}", self.asked[0].id);
            if let Some(managed) = &self.managed {
                managed.check_answered();
            }
        }
        if !self.lost && !self.inexact {
            self.due.check_heard();
        }
    }

    pub(crate) fn write(&mut self, parcels: &mut VecDeque<Parcel>, out: &mut Vec<u8>) {
        for parcel in parcels.drain(..) {
            self.wire.write(&mut self.stream, &parcel, out);
        }
    }

    /// The outbox has ended: the stream does, and says so last.
    fn end(&mut self, reason: EndReason) {
        if self.closed.is_none() {
            self.stream.handle_outbox_end(reason);
            self.act(&mut &[][..]);
            self.unread.clear();
        }
        let Some(error) = self.closed else { panic!("the outbox ended, the stream did not") };
        assert!(self.stream.is_closed() && !self.stream.is_bound() && self.stream.deadline().is_none());
        if !std::mem::replace(&mut self.finished, true) {
            let mut out = Vec::new();
            self.wire.write_end(&self.stream, error, &mut out);
            self.read(&out);
            self.wire.check_end();
        }
    }

    pub(crate) fn read(&mut self, bytes: &[u8]) {
        let mut elements = Vec::new();
        self.wire.read(bytes, &mut elements);
        for element in elements {
            self.hear(&element);
        }
    }

    fn hear(&mut self, element: &Element) {
        if let Some(subid) = subid(element) {
            subid.clone_into(&mut self.subid);
        }
        self.restarts |= element.is("success", SASL);
        self.client.hear(element);
        self.hear_managed(element);
        if element.is("iq", CLIENT) && matches!(element.attr("type"), Some("result" | "error")) {
            if !self.obscure {
                let asked = self.asked.pop_front().expect("an answer without a question");
                assert_eq!(element.attr("id"), asked.id.as_deref(), "answers keep the order of requests");
            }
        } else if let Some(number) = event_number(element)
            && !self.inexact
        {
            self.due.hear(number, element.attr("to").expect("an address"));
        }
    }

    /// Lets the server come to the end of what it was sent, ends the session and looks for traces of it.
    pub fn finish(mut self) {
        self.lazy = false;
        self.drain();
        for _ in 0..1000 {
            let waits = !self.unread.is_empty() && self.closed.is_none();
            let Some(deadline) = self.stream.deadline().filter(|_| waits) else { break };
            self.now = self.now.max(deadline);
            self.tick();
        }
        self.break_off();
        // If a session waits for it, there is another connection now.
        self.break_off();
        assert!(self.finished, "the stream has ended");
        self.leave();
        let broker = self.service.broker();
        assert!(broker.sessions(BARE).is_empty());
        assert_eq!(self.service.sessions(), 2, "the neighbours");
    }
}

/// Puts the id of a subscription where a script cannot know it.
pub(crate) fn with_subid<'a>(xml: &'a [u8], subid: &str) -> Cow<'a, [u8]> {
    let Some(at) = xml.windows(SUBID.len()).position(|window| window == SUBID.as_bytes()) else {
        return Cow::Borrowed(xml);
    };
    Cow::Owned([&xml[..at], subid.as_bytes(), &xml[at + SUBID.len()..]].concat())
}

/// The server publishes its event `number`.
pub(crate) fn publish(broker: &Broker, node: &str, number: u64, text: &str) {
    let mut payload = b"<x xmlns='urn:x'>".to_vec();
    xmpp::xml::push_text(&mut payload, text);
    payload.extend_from_slice(b"</x>");
    broker.publish(node, xmpp::event(PUBSUB, node, &format!("e{number}"), &payload));
}

/// What the realm says to `question` if `verdict` is its opinion; without the secret it is against.
pub(crate) fn answer_to(question: Option<Question>, verdict: Result<(), AuthFailure>) -> Answer {
    let verdict = match (question, verdict) {
        (Some(Question::Verifier(attempt)), verdict) => {
            return Answer::Verifier(verdict.map(|()| login::verifier(attempt.hash)));
        }
        (Some(Question::Outcome { proven: false, .. } | Question::Token { owner: Err(_), .. }), Ok(())) => {
            Err(AuthFailure::NotAuthorized)
        }
        (_, verdict) => verdict,
    };
    let principal = Principal { user: "1001".into(), tag: 0 };
    Answer::Verdict(verdict.map(|()| principal))
}

/// Who did not show the secret has not proven it.
pub(crate) fn judge(question: &Question, setting: &Setting, client: &Client) {
    match question {
        Question::Password(credentials) => {
            assert!(!credentials.user.is_empty() && !credentials.password.expose().is_empty());
        }
        Question::Verifier(attempt) => assert!(setting.scram && !attempt.user.is_empty()),
        Question::Outcome { proven, .. } => assert!(!proven || client.proves()),
        Question::Token { owner, .. } => assert!(owner.is_err() || client.proves()),
        other => panic!("not offered: {other:?}"),
    }
}
