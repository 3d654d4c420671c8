//! One client stream, whatever carries it: negotiation, then stanzas to the bound session.
//!
//! Owns the state of one stream between its first byte and its end. Bytes, messages and elements come in
//! with the time; what the stream says goes into its outbox; what has to be done outside (ask the realm,
//! start TLS, end the connection) is an [`Action`]. It never waits, never looks at a clock and holds no
//! socket.
//!
//! The shell's loop: hand in input while [`Stream::wants_input`], then take actions until there is none,
//! write what there is ([`Stream::poll_take`], [`Stream::write_parcel`]), sleep until [`Stream::deadline`].

mod clock;
mod component;
mod login;
mod negotiate;
mod rate;
mod render;
mod sasl2;
mod sm;
mod websocket;

use std::net::IpAddr;
use std::time::Instant;

use broker::{EndReason, Outbox, OutboxLimits, Overflow, Parcel, Rank};
use minidom::Element;

use crate::auth::{Principal, Question};
use crate::config::Limits;
use crate::reader::{Item, Reader};
use crate::sasl::binding::ChannelBinding;
use crate::service::{Bound, Service};
use crate::splice::{self, Splicer};
use crate::stats::Refusal;
use crate::{Profile, StreamError};
use clock::Clock;
use login::Login;
pub(crate) use login::offered;
pub use websocket::adopt;

/// What delimits elements on the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One XML document in each direction (RFC 6120 §4).
    Tcp,
    /// One document a message, `<open/>` and `<close/>` (RFC 7395).
    WebSocket,
    /// One XML document in each direction, of a component (XEP-0114).
    Component,
    /// Elements inside bodies; the stream's header is the first body's attributes (XEP-0206).
    Bosh,
}

impl Framing {
    /// The transport's name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp | Self::Component => "tcp",
            Self::WebSocket => "websocket",
            Self::Bosh => "bosh",
        }
    }
}

/// Whether STARTTLS is offered (RFC 6120 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StartTls {
    /// Not offered.
    #[default]
    Off,
    /// Offered; authentication works without it.
    Optional,
    /// Offered; nothing else works before it.
    Required,
}

/// What the stream has to know about the connection below it.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// TLS is already in place.
    pub secure: bool,
    /// STARTTLS policy; only looked at with [`Framing::Tcp`] and while not secure.
    pub starttls: StartTls,
    /// Address of the client, for the realm.
    pub peer: Option<IpAddr>,
    /// What SASL mechanisms can bind themselves to; `None` where TLS ends elsewhere or is spread over several
    /// connections (BOSH). Given up once the client has authenticated.
    pub binding: Option<Box<ChannelBinding>>,
}

/// Opening of a stream on a transport with a header of its own kind (`<open/>`, BOSH body attributes).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Domain the client wants.
    pub to: Option<String>,
    /// Address it claims.
    pub from: Option<String>,
    /// `xml:lang`.
    pub lang: Option<String>,
    /// XMPP version.
    pub version: Option<String>,
}

/// Something to do outside of the stream.
#[derive(Debug)]
pub enum Action {
    /// Ask the realm ([`Service::ask`]) and come back with [`Stream::handle_auth`].
    Authenticate(Question),
    /// Write what the outbox holds, throw away everything received so far, do the handshake and come back
    /// with [`Stream::tls_started`].
    StartTls,
    /// Write what the outbox holds (unless it overflowed), then [`Stream::farewell`], and end the
    /// connection. With the stream error to be told, if any.
    Close(Option<StreamError>),
}

/// How far the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A header has to come: the first, or the one after TLS or SASL.
    Header,
    /// Features are out, nobody is authenticated.
    Negotiation,
    /// `<proceed/>` is out, the handshake runs.
    Handshake,
    /// The realm works.
    Authentication,
    /// Authenticated, features are out, nothing is bound.
    Binding,
    /// Stanzas.
    Bound,
    /// The connection is lost; the session waits for another one.
    Detached,
    /// Over; input is ignored.
    Closed,
}

/// The server's side of one stream.
pub struct Stream {
    service: Service,
    framing: Framing,
    channel: Channel,
    phase: Phase,
    /// Our header (or `<open/>`) is out for the present stream.
    answered: bool,
    /// The client's `to`, which the finesse profile takes as another name of the domain in user names.
    requested: Option<Box<str>>,
    /// Who a client says it is that may log in by SASL2, until it has.
    claimed: Option<Box<str>>,
    /// The authentication under way.
    login: Option<Box<Login>>,
    failures: u32,
    peer_closed: bool,
    /// Why there is no connection any more, when it goes without a word.
    loss: &'static str,
    /// What the component at the other end has to prove.
    handshake: Option<Box<component::Handshake>>,
    /// Only where bytes come in: elsewhere the transport brings whole documents.
    reader: Option<Box<Reader>>,
    outbox: Outbox,
    principal: Option<Principal>,
    bound: Option<Bound>,
    /// In place of `bound` once stream management is on.
    sm: Option<Box<sm::Managed>>,
    splicer: Option<Splicer>,
    action: Option<Action>,
    clock: Clock,
}

impl Stream {
    /// A stream that waits for the client's header.
    pub fn new(service: Service, framing: Framing, mut channel: Channel, now: Instant) -> Self {
        channel.binding = channel.binding.filter(|binding| !binding.is_empty());
        let config = service.config();
        let limits = &config.limits;
        let outbox = Outbox::new(OutboxLimits {
            max_items: limits.outbox_items,
            max_bytes: limits.outbox_bytes,
            overflow: Overflow::EndSession,
        });
        let reader = matches!(framing, Framing::Tcp | Framing::Component).then(|| {
            let mut reader = Reader::new(limits, limits.stanza_bytes_before_auth);
            if framing == Framing::Component {
                reader.read_as(render::NS_COMPONENT, render::NS_CLIENT);
            }
            Box::new(reader)
        });
        let clock = Clock::new(now, limits, &config.timeouts);
        Self {
            service,
            framing,
            channel,
            phase: Phase::Header,
            answered: false,
            requested: None,
            claimed: None,
            login: None,
            failures: 0,
            peer_closed: false,
            loss: "connection lost",
            handshake: None,
            reader,
            outbox,
            principal: None,
            bound: None,
            sm: None,
            splicer: None,
            action: None,
            clock,
        }
    }

    /// The queue of everything this stream says.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The service this stream belongs to.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The bound session, once there is one.
    pub fn bound(&self) -> Option<&Bound> {
        let managed = || self.sm.as_ref()?.slot().map(|slot| slot.bound());
        self.bound.as_ref().or_else(managed)
    }

    /// True once a resource is bound and until the stream ends.
    pub fn is_bound(&self) -> bool {
        self.bound().is_some()
    }

    /// True once the client has authenticated.
    pub fn is_authenticated(&self) -> bool {
        self.principal.is_some()
    }

    /// Who has authenticated.
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// True when the stream is over; the last action was a [`Action::Close`].
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// True if the client has closed its side in an orderly way.
    pub fn is_peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// The most bytes that the next element or message may have.
    pub fn max_bytes(&self) -> usize {
        let limits = &self.service.config().limits;
        if self.principal.is_some() { limits.stanza_bytes } else { limits.stanza_bytes_before_auth }
    }

    /// About how many bytes of memory are held for the client outside of the outbox: input that is not
    /// complete, and what it has not acknowledged (XEP-0198).
    pub fn held(&self) -> usize {
        self.reader.as_ref().map_or(0, |reader| reader.held()) + self.sm.as_ref().map_or(0, |sm| sm.held())
    }

    /// For whom memory is held here.
    pub fn rank(&self) -> Rank {
        if self.is_authenticated() { Rank::Session } else { Rank::Stranger }
    }

    /// Whether input may be handed in now. Not while an action is outstanding, not while the client is slowed
    /// down (look again after [`handle_timeout`](Self::handle_timeout)), and not while the connection from which a
    /// session was taken over still handles a stanza (look again after [`poll_take`](Self::poll_take), which is
    /// woken).
    pub fn wants_input(&self) -> bool {
        self.action.is_none()
            && !matches!(
                self.phase,
                Phase::Handshake | Phase::Authentication | Phase::Detached | Phase::Closed
            )
            && !self.clock.is_throttled()
            && !self.sm.as_ref().is_some_and(|sm| sm.is_behind())
    }

    /// Whether [`poll_action`](Self::poll_action) would return something.
    pub fn has_action(&self) -> bool {
        self.action.is_some()
    }

    /// The next thing to do outside.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.action.take()
    }

    /// Bytes of a TCP connection. `input` is advanced past what was read; the rest has to be kept and handed
    /// in again when [`wants_input`](Self::wants_input) is true.
    pub fn handle_bytes(&mut self, now: Instant, input: &mut &[u8]) {
        if !input.is_empty() && self.phase != Phase::Closed {
            self.clock.heard(now);
        }
        while self.wants_input() {
            let Some(reader) = &mut self.reader else { return };
            match reader.read(input, &self.service.config().limits) {
                Ok(Some(Item::Header(header))) => {
                    self.clock.complete();
                    self.header(now, header);
                }
                Ok(Some(Item::Element(element))) => {
                    self.clock.complete();
                    self.element(now, element);
                }
                Ok(Some(Item::Closed)) => self.end_by_peer(),
                Ok(None) => return self.input_used_up(now),
                Err(error) => self.fail(error.stream_error()),
            }
        }
    }

    /// Everything was read: notes when a stanza has begun, and gives memory back when none has.
    fn input_used_up(&mut self, now: Instant) {
        let Some(reader) = &mut self.reader else { return };
        if reader.is_partial() {
            self.clock.partial(now);
        } else {
            self.clock.complete();
            reader.release_temporaries();
        }
    }

    /// An element of a BOSH body, in `jabber:client` or the namespace it was sent in. Not to be called while
    /// the realm works.
    pub fn handle_element(&mut self, now: Instant, element: Element) {
        if matches!(self.phase, Phase::Closed | Phase::Detached | Phase::Authentication | Phase::Handshake) {
            return;
        }
        self.clock.heard(now);
        self.element(now, element);
        if self.clock.is_flooded(now) {
            self.fail(StreamError::PolicyViolation("too many stanzas"));
        }
    }

    /// A sign of life that is not input for the stream (WebSocket ping or pong): counts against closing, but
    /// the XMPP ping is sent all the same.
    pub fn heard(&mut self, now: Instant) {
        self.clock.alive(now);
    }

    /// The peer's side of the transport ended. Without a closing tag before it the connection is broken: a
    /// session that can be resumed waits for another one then ([`is_detached`](Self::is_detached)).
    /// Otherwise its end is announced.
    pub fn handle_eof(&mut self) {
        if self.phase != Phase::Detached && !self.detach() {
            self.end(None);
        }
    }

    /// As [`handle_eof`](Self::handle_eof), for a transport that knows why; `cause` is told by the journal and to the
    /// presence observer, in a few words.
    pub fn handle_loss(&mut self, cause: &'static str) {
        self.loss = cause;
        self.handle_eof();
    }

    /// The server stops.
    pub fn handle_shutdown(&mut self) {
        self.fail(self.departure());
    }

    /// The outbox has ended: somebody else ended the session.
    pub fn handle_outbox_end(&mut self, reason: EndReason) {
        match reason {
            EndReason::Overflow => self.fail(StreamError::PolicyViolation("too slow in reading")),
            EndReason::Memory => self.fail(StreamError::ResourceConstraint("out of memory for clients")),
            EndReason::Replaced => self.fail(StreamError::Conflict),
            EndReason::Shutdown | EndReason::Moved => self.fail(self.departure()),
            EndReason::Removed => self.fail(StreamError::NotAuthorized),
            EndReason::Closed => self.end(None),
        }
    }

    /// Ends the stream with an error found by the transport. The header goes out first if it has not
    /// (RFC 6120 §4.9.1.2).
    pub fn fail(&mut self, error: StreamError) {
        if self.phase != Phase::Closed {
            if let Some(reason) = Refusal::of(error) {
                self.service.count_refusal(reason);
            }
            self.refuse_stream(error);
        }
    }

    /// As [`fail`](Self::fail), for a cause that has been counted already.
    pub(crate) fn refuse_stream(&mut self, error: StreamError) {
        if self.phase != Phase::Closed {
            self.answer_header();
            self.end(Some(error));
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called.
    pub fn deadline(&self) -> Option<Instant> {
        let clock = self.clock.deadline(self.phase, self.framing, self.timeouts());
        [clock, self.sm_deadline()].into_iter().flatten().min()
    }

    /// Appends a parcel of the outbox as this session has to see it.
    pub fn write_parcel(&mut self, parcel: &Parcel, out: &mut Vec<u8>) {
        let start = out.len();
        match &mut self.splicer {
            Some(splicer) => splicer.write(parcel, out),
            None => splice::write_plain(parcel, out),
        }
        if self.framing == Framing::Component {
            component::drop_namespace(out, start);
        }
    }

    /// The addresses and counter for writing, once a resource is bound; a transport that answers later than
    /// the stream lives (BOSH) takes a copy.
    pub fn splicer(&mut self) -> Option<&mut Splicer> {
        self.splicer.as_mut()
    }

    /// What is written last, after the outbox: the stream error and the end of the stream. One item a
    /// message on WebSocket; nothing for BOSH, whose body says it all.
    pub fn farewell(&self, error: Option<StreamError>) -> Vec<String> {
        // A stream that was never opened, or not again after SASL, has nothing to close.
        if self.framing == Framing::Tcp && !self.answered && error.is_none() {
            return Vec::new();
        }
        match error {
            Some(StreamError::SeeOtherHost) => self.redirection(),
            _ => render::farewell(self.framing, error),
        }
    }

    fn timeouts(&self) -> &crate::Timeouts {
        &self.service.config().timeouts
    }

    fn limits(&self) -> &Limits {
        &self.service.config().limits
    }

    fn is_strict(&self) -> bool {
        self.service.config().profile == Profile::Strict
    }

    /// Queues an answer. An outbox that has ended tells its consumer so by itself.
    fn say(&self, xml: impl Into<bytes::Bytes>) {
        let _ = self.outbox.push(Parcel::answer(xml));
    }

    fn end_by_peer(&mut self) {
        self.peer_closed = true;
        self.end(None);
    }

    /// Ends the stream. The bound session is dropped here and now, so that its unavailable presence goes out
    /// exactly once, whatever the shell does next.
    fn end(&mut self, error: Option<StreamError>) {
        if self.phase == Phase::Closed {
            return;
        }
        self.phase = Phase::Closed;
        let managed = self.sm.as_ref().and_then(|sm| sm.slot()).map(|slot| slot.bound());
        if let Some(bound) = self.bound.as_ref().or(managed) {
            let cause = match &error {
                Some(error) => error.name(),
                None if self.peer_closed => "closed by the client",
                None => self.loss,
            };
            bound.ends_with(cause, error.and_then(|error| error.text()));
        }
        self.bound = None;
        // What was half received is not kept while the peer takes its time to close.
        self.reader = None;
        match &mut self.sm {
            None => self.outbox.end(EndReason::Closed),
            Some(sm) => {
                if !sm.end(EndReason::Closed) {
                    self.part_from_outbox();
                }
            }
        }
        self.action = Some(Action::Close(error));
    }

    /// An element at the top of the stream, on every transport.
    fn element(&mut self, now: Instant, element: Element) {
        match self.phase {
            Phase::Header => self.element_instead_of_header(now, element),
            Phase::Negotiation => self.negotiate(now, &element),
            Phase::Binding if self.is_sm(&element) => self.sm_before_bind(now, &element),
            Phase::Binding => self.bind(now, &element),
            Phase::Bound => self.stanza(now, element),
            Phase::Handshake | Phase::Authentication | Phase::Detached | Phase::Closed => {}
        }
    }

    fn stanza(&mut self, now: Instant, element: Element) {
        if self.clock.count_stanza(now) {
            self.service.count_refusal(Refusal::Throttled);
        }
        if self.sm.is_some() || self.is_sm(&element) {
            return self.sm_element(now, element);
        }
        let Some(bound) = &mut self.bound else { return };
        if let Err(error) = bound.handle(now, element) {
            self.fail(error);
        }
    }
}
