//! One bound session: takes its client's stanzas, puts answers and effects into outboxes.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use broker::{Outbox, Parcel, Session};
use jid::Jid;
use minidom::Element;
use parking_lot::Mutex;

use super::address::{self, Place, Target};
use super::bounce::Bounces;
use super::policy::{Access, Right};
use super::stanza::{Condition, Envelope, StanzaError};
use super::{Service, Shared, journal, message, ns, observer, presence, query, relay};
use crate::auth::Principal;
use crate::error::StreamError;
use crate::stream::Framing;
use crate::xml;

/// A session with a bound resource. Dropping it announces that the resource is gone, once, and takes the
/// session out of the broker.
pub struct Bound {
    pub(crate) service: Service,
    pub(crate) principal: Principal,
    pub(crate) session: Session,
    pub(crate) id: u64,
    /// Place in the configuration, if this is no client but a component.
    component: Option<usize>,
    /// Bare address, as the broker knows it.
    pub(crate) account: Arc<str>,
    /// Escaped forms, as they are written.
    bare: Arc<str>,
    full: Arc<str>,
    /// Resources of the own account that were told directly (RFC 6121 §4.6), to be told of the end as well.
    pub(crate) directed: Mutex<Vec<Arc<str>>>,
    /// Events that the client has sent back.
    pub(crate) bounces: Mutex<Bounces>,
    /// What carries it, and why it ends.
    fate: Mutex<Fate>,
}

/// What carries a session, and why it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    /// The transport, once it is known.
    pub(crate) transport: Option<Framing>,
    /// The condition of a stream error, or a few words.
    pub(crate) cause: &'static str,
    /// The sentence that a stream error has for the peer.
    pub(crate) text: Option<&'static str>,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("full", &self.full).finish_non_exhaustive()
    }
}

impl Bound {
    pub(crate) fn new(
        service: Service,
        principal: Principal,
        session: Session,
        id: u64,
        account: Arc<str>,
        resource: &str,
    ) -> Self {
        let escaped = xml::attribute(&account);
        let bare = if escaped == *account { account.clone() } else { escaped.into() };
        let full = format!("{bare}/{}", xml::Attribute(resource)).into();
        Self {
            service,
            principal,
            session,
            id,
            component: None,
            account,
            bare,
            full,
            directed: Mutex::default(),
            bounces: Mutex::default(),
            fate: Mutex::new(Fate { transport: None, cause: "given up", text: None }),
        }
    }

    /// The session of a component: its account is the domain, and `full` is the address that it speaks as at
    /// the moment.
    pub(crate) fn component(service: Service, session: Session, index: usize, domain: Arc<str>) -> Self {
        let principal = Principal { user: domain.clone(), tag: 0 };
        // No account has this number.
        let mut bound = Self::new(service, principal, session, u64::MAX, domain, "");
        bound.component = Some(index);
        bound.full = bound.bare.clone();
        bound
    }

    pub(crate) fn is_component(&self) -> bool {
        self.component.is_some()
    }

    /// Bare address, escaped for use in an attribute or as text.
    pub fn bare(&self) -> &Arc<str> {
        &self.bare
    }

    /// Full address, escaped for use in an attribute or as text: what the answer to the bind request
    /// carries in `<jid/>`.
    pub fn full(&self) -> &Arc<str> {
        &self.full
    }

    /// Who is behind the session.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Where answers and events go.
    pub fn outbox(&self) -> &Outbox {
        self.session.outbox()
    }

    /// Takes one stanza. Answers are in the outbox when this returns, in front of everything that happens
    /// later. An error ends the stream; the stanza had no effect then.
    ///
    /// Every `get` and `set` is answered exactly once (RFC 6120 §8.2.3), errors and results never.
    pub fn handle(&mut self, now: Instant, stanza: Element) -> Result<(), StreamError> {
        if self.is_component() && stanza.has_ns(ns::CLIENT) {
            self.speak_as(&stanza)?;
        }
        self.take(now, stanza)
    }

    /// [`handle`](Self::handle) for a session that streams hand over to each other.
    pub(crate) fn take(&self, now: Instant, stanza: Element) -> Result<(), StreamError> {
        if !stanza.has_ns(ns::CLIENT) {
            // Client state indication is let pass, since some clients send it unasked (XEP-0352).
            let harmless = stanza.has_ns("urn:xmpp:csi:0");
            return if harmless { Ok(()) } else { Err(StreamError::UnsupportedStanzaType) };
        }
        if !self.is_component() {
            self.check_from(&stanza)?;
        }
        if relay::handle(self, &stanza) {
            return Ok(());
        }
        match stanza.name() {
            "iq" => query::handle(self, now, &stanza),
            "presence" => presence::handle(self, now, &stanza),
            "message" => message::handle(self, now, &stanza),
            _ => return Err(StreamError::UnsupportedStanzaType),
        }
        Ok(())
    }

    /// A `from` has to be the sender's own (RFC 6120 §8.1.2.1). The Finesse profile does not care: sample
    /// clients write the bare address or an old one, and what goes out is stamped anyway.
    fn check_from(&self, stanza: &Element) -> Result<(), StreamError> {
        match stanza.attr("from") {
            Some(from) if self.shared().strict() => match address::classify(Some(from), self.place()) {
                Target::Account => Ok(()),
                Target::Own(resource) if resource == self.resource() => Ok(()),
                _ => Err(StreamError::InvalidFrom),
            },
            _ => Ok(()),
        }
    }

    /// A component says in each stanza who of its domain speaks, and to whom (XEP-0114 §3).
    fn speak_as(&mut self, stanza: &Element) -> Result<(), StreamError> {
        let given = |name| stanza.attr(name).filter(|address| !address.is_empty());
        let (Some(from), Some(_)) = (given("from"), given("to")) else {
            return Err(StreamError::ImproperAddressing);
        };
        let from = Jid::new(from).map_err(|_| StreamError::InvalidFrom)?;
        if !from.domain().as_str().eq_ignore_ascii_case(&self.account) {
            return Err(StreamError::InvalidFrom);
        }
        let from = xml::attribute(from.as_str());
        if *from != *self.full {
            self.full = from.into();
        }
        Ok(())
    }

    /// The embedder's word on what this session wants to do with a node.
    pub(crate) fn may(&self, right: Right, node: &str) -> Access {
        let (policy, who) = (&self.shared().policy, &self.principal);
        match right {
            _ if self.is_component() => policy.component(&self.account, right, node),
            Right::Subscribe => policy.subscribe(who, node),
            Right::Publish => policy.publish(who, node),
            Right::Create => policy.create(who, node),
            Right::Configure => policy.configure(who, node),
            Right::Retrieve => policy.retrieve(who, node),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.service.0
    }

    /// The bound resource, not escaped.
    pub(crate) fn resource(&self) -> &str {
        self.session.address().resource.as_deref().unwrap_or_default()
    }

    fn place(&self) -> Place<'_> {
        let config = &self.shared().config;
        Place {
            domain: &config.domain,
            pubsub: &config.pubsub_domain,
            application: config.application.as_ref().map(|(local, _)| local.as_str()),
            components: &config.components,
            bare: self.component.is_none().then_some(&*self.account),
        }
    }

    /// Tells whether the connection is lost for the time being. To the account's other resources nothing
    /// changes.
    pub(crate) fn set_away(&self, away: bool) {
        self.shared().accounts.set_away(&self.account, self.id, away);
        let transport = self.fate().transport;
        observer::presence_changed(self, transport, "connection lost; may be resumed");
        if away {
            journal::note(self, journal::Step::Waits);
        }
    }

    /// What carries the session from now on.
    pub(crate) fn carried_by(&self, transport: Framing) {
        let before = self.fate.lock().transport.replace(transport);
        journal::note(self, if before.is_none() { journal::Step::Begins } else { journal::Step::Resumed });
    }

    /// Why the session is about to end, for whoever asks afterwards: the condition and the sentence of a stream
    /// error, or a few words.
    pub(crate) fn ends_with(&self, cause: &'static str, text: Option<&'static str>) {
        let mut fate = self.fate.lock();
        (fate.cause, fate.text) = (cause, text);
    }

    /// What carries the session, and why it ends.
    pub(crate) fn fate(&self) -> Fate {
        *self.fate.lock()
    }

    /// Lets in what others send to this very resource. To be called once the answer that tells the client about
    /// it is in the outbox, so that nothing comes before that answer: events wait for presence anyway.
    pub(crate) fn open(&self) {
        self.shared().accounts.open(&self.account, self.id);
    }

    /// Whom an address means for this session.
    pub(crate) fn classify(&self, to: Option<&str>) -> Target {
        address::classify(to, self.place())
    }

    /// The answer's side of `stanza`.
    pub(crate) fn envelope<'a>(&'a self, stanza: &'a Element) -> Envelope<'a> {
        Envelope { id: stanza.attr("id"), from: stanza.attr("to"), to: &self.full }
    }

    /// Queues something for this session. A session that has ended takes nothing more, which its transport
    /// finds out by itself.
    pub(crate) fn send(&self, parcel: Parcel) {
        let _ = self.session.send(parcel);
    }

    /// Answers `stanza` with an error.
    pub(crate) fn refuse(&self, stanza: &Element, error: &StanzaError) {
        let shared = self.shared();
        if let Some(reason) = error.refusal() {
            shared.counters.refused(reason);
        }
        let echo = shared.config.limits.error_echo;
        self.send(self.envelope(stanza).error(stanza, error, echo, !shared.strict()));
    }

    /// Answers `stanza` with a bare condition.
    pub(crate) fn refuse_with(&self, stanza: &Element, condition: Condition) {
        self.refuse(stanza, &condition.into());
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        match self.component {
            Some(index) => self.shared().components.leave(index, self.session.outbox()),
            None => presence::leave(self),
        }
    }
}
