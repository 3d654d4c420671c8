//! One client on one stream, in virtual time, with everything checked that can be said about it.
//!
//! Whatever is sent: each request is answered once and in order; events of the server arrive once, in order,
//! for each subscription that the broker knows of; what the server writes is well-formed; queues keep their
//! bounds; another session hears every event; and what a session leaves behind is nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use broker::{Address, EndReason, Parcel, Reach};
use minidom::Element;
use xmpp::auth::Question;
use xmpp::{Action, AuthFailure, Channel, Principal, Service, StartTls, Stream, StreamError};

use crate::wire::Wire;
use crate::world::{self, Neighbour, PUBSUB, Setting};

const CLIENT: &str = "jabber:client";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// The account behind the stream.
const BARE: &str = "1001@localhost";

/// An event that has to arrive: its number and the addresses it goes to.
struct Due {
    number: u64,
    to: Vec<String>,
}

pub struct Dialogue<W> {
    service: Service,
    now: Instant,
    stream: Stream,
    wire: W,
    /// Input that the stream did not take yet.
    unread: Vec<u8>,
    /// Bytes handed in at once; 0: all.
    cut: usize,
    /// The outbox is only drained on demand.
    lazy: bool,
    /// Ids of requests without an answer.
    asked: VecDeque<Option<String>>,
    /// What was sent can no longer be told from outside.
    obscure: bool,
    due: VecDeque<Due>,
    published: u64,
    closed: Option<Option<StreamError>>,
    overflowed: bool,
    finished: bool,
    restarts: bool,
    neighbour: Neighbour,
    witness: Neighbour,
    witnessed: u64,
    serial: u32,
}

impl<W: Wire> Dialogue<W> {
    pub fn new(setting: Setting, starttls: bool) -> Self {
        let now = Instant::now();
        let service = world::service(setting);
        let witness = Neighbour::witness(&service, now);
        let neighbour = Neighbour::new(&service, "own1", now);
        let starttls = if starttls { StartTls::Optional } else { StartTls::Off };
        let channel = Channel { starttls, ..Channel::default() };
        Self {
            now,
            stream: Stream::new(service.clone(), W::FRAMING, channel, now),
            wire: W::new(now, &service),
            service,
            unread: Vec::new(),
            cut: 0,
            lazy: false,
            asked: VecDeque::new(),
            obscure: false,
            due: VecDeque::new(),
            published: 0,
            closed: None,
            overflowed: false,
            finished: false,
            restarts: true,
            neighbour,
            witness,
            witnessed: 0,
            serial: 0,
        }
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
        let meaning = W::meaning(xml, &self.service.config().limits);
        self.obscure |= !meaning.whole;
        for element in &meaning.elements {
            let is_iq = element.name() == "iq" && (element.has_ns(CLIENT) || element.has_ns(""));
            if is_iq && !matches!(element.attr("type"), Some("result" | "error")) {
                self.asked.push_back(element.attr("id").map(str::to_owned));
            }
        }
        self.bytes(&W::encode(xml));
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
        let principal = Principal { user: "1001".into(), tag: 0 };
        self.stream.handle_auth(self.now, verdict.map(|()| principal));
        self.pump();
        self.drain_unless_lazy();
    }

    /// An event of the server.
    pub fn publish(&mut self, node: &str, text: &str) {
        let mut payload = b"<x xmlns='urn:x'>".to_vec();
        xmpp::xml::push_text(&mut payload, text);
        payload.extend_from_slice(b"</x>");
        self.published += 1;
        let to = self.receivers(node);
        if !to.is_empty() {
            self.due.push_back(Due { number: self.published, to });
        }
        let event = xmpp::event(PUBSUB, node, &format!("e{}", self.published), &payload);
        self.service.broker().publish(node, event);
        self.overflowed |= self.stream.outbox().is_ended() == Some(EndReason::Overflow);
        for said in self.witness.read() {
            // Other users may write to it.
            let Some(number) = event_number(&said.parse().expect("output is XML")) else { continue };
            self.witnessed += 1;
            assert_eq!(number, self.witnessed, "the witness hears everything once and in order");
        }
        assert_eq!(self.witnessed, self.published);
        self.drain_unless_lazy();
    }

    /// Addresses of this session to which an event of the node goes now.
    fn receivers(&self, node: &str) -> Vec<String> {
        let Some(bound) = self.stream.bound() else { return Vec::new() };
        if self.stream.outbox().is_ended().is_some() {
            return Vec::new();
        }
        let broker = self.service.broker();
        let own = |address: &Address| *address.to_string() == **bound.full();
        let sessions = broker.sessions(BARE);
        let reach = sessions.iter().find(|info| own(&info.address)).map_or(Reach::None, |info| info.reach);
        let subscriptions = broker.subscriptions(BARE).into_iter().filter(|(_, name)| **name == *node);
        subscriptions
            .filter(|(address, _)| match address.resource {
                None => reach == Reach::All,
                Some(_) => reach != Reach::None && own(address),
            })
            .map(|(address, _)| address.to_string())
            .collect()
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
        drop(Neighbour::new(&self.service, "1001", self.now));
        self.drain_unless_lazy();
    }

    pub fn shut_down(&mut self) {
        self.stream.handle_shutdown();
        self.pump();
        self.drain_unless_lazy();
    }

    /// The connection breaks.
    pub fn break_off(&mut self) {
        self.stream.handle_eof();
        self.pump();
        self.drain_unless_lazy();
    }

    /// Time passes, deadlines are served in between.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for turn in 0.. {
            assert!(turn < 20_000, "the clock spins");
            let deadline = self.stream.deadline().into_iter().chain(self.wire.deadline()).min();
            let Some(deadline) = deadline.filter(|deadline| *deadline <= end && self.closed.is_none()) else {
                break;
            };
            self.now = self.now.max(deadline);
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    fn tick(&mut self) {
        self.stream.handle_timeout(self.now);
        if self.closed.is_none() {
            self.wire.handle_timeout(self.now, &mut self.stream);
        }
        self.pump();
        self.drain_unless_lazy();
    }

    /// Hands in what waits, and does what the stream asks for.
    fn pump(&mut self) {
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
        }
        self.act(&mut input);
        self.unread = if self.closed.is_some() { Vec::new() } else { input.to_vec() };
    }

    fn act(&mut self, input: &mut &[u8]) {
        while let Some(action) = self.stream.poll_action() {
            match action {
                Action::Authenticate(Question::Password(credentials)) => {
                    assert!(!credentials.user.is_empty() && !credentials.password.expose().is_empty());
                }
                Action::Authenticate(other) => panic!("not offered: {other:?}"),
                Action::StartTls => {
                    // What came behind it in clear is nobody's.
                    *input = &[];
                    self.asked.clear();
                    self.drain();
                    self.stream.tls_started(self.now, None);
                    self.wire.restart();
                    self.restarts = true;
                }
                Action::Close(error) => {
                    assert!(self.closed.is_none(), "a stream ends once");
                    self.closed = Some(error);
                }
            }
        }
    }

    fn drain_unless_lazy(&mut self) {
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
            match self.stream.outbox().try_take(&mut parcels, 4096) {
                Ok(0) => {
                    self.read(&out);
                    break;
                }
                Ok(_) => self.write(&mut parcels, &mut out),
                Err(reason) => {
                    self.overflowed |= reason == EndReason::Overflow;
                    self.read(&out);
                    self.end(reason);
                    break;
                }
            }
            self.read(&out);
        }
        let settled = self.closed.is_none() && self.unread.is_empty() && !self.obscure;
        if settled && self.stream.wants_input() {
            assert!(self.asked.is_empty(), "requests without an answer: {:?}", self.asked);
        }
        if !self.overflowed {
            assert!(self.due.is_empty(), "event {} is lost", self.due[0].number);
        }
    }

    fn write(&mut self, parcels: &mut VecDeque<Parcel>, out: &mut Vec<u8>) {
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

    fn read(&mut self, bytes: &[u8]) {
        let mut elements = Vec::new();
        self.wire.read(bytes, &mut elements);
        for element in elements {
            self.hear(&element);
        }
    }

    fn hear(&mut self, element: &Element) {
        self.restarts |= element.is("success", SASL);
        if element.is("iq", CLIENT) && matches!(element.attr("type"), Some("result" | "error")) {
            if !self.obscure {
                let asked = self.asked.pop_front().expect("an answer without a question");
                assert_eq!(element.attr("id"), asked.as_deref(), "answers keep the order of requests");
            }
        } else if let Some(number) = event_number(element) {
            let due = self.due.front_mut().expect("an event that was not due");
            assert_eq!(number, due.number, "events keep their order");
            let to = element.attr("to").expect("an address");
            let at = due.to.iter().position(|due| due == to).expect("an event for each subscription, once");
            due.to.swap_remove(at);
            self.due.pop_front_if(|due| due.to.is_empty());
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
        assert!(self.finished, "the stream has ended");
        let broker = self.service.broker();
        assert!(broker.sessions(BARE).is_empty());
        assert_eq!(self.service.sessions(), 2, "the neighbours");
    }
}

/// The number of an event that the server itself published.
fn event_number(element: &Element) -> Option<u64> {
    if !element.is("message", CLIENT) || element.attr("from") != Some(PUBSUB) {
        return None;
    }
    let items = element.get_child("event", EVENT)?.get_child("items", EVENT)?;
    if !world::NODES.contains(&items.attr("node")?) {
        return None;
    }
    items.get_child("item", EVENT)?.attr("id")?.strip_prefix('e')?.parse().ok()
}
