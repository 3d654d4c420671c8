//! IQ stanzas (RFC 6120 §8.2.3): checks the frame, finds the handler, makes sure of exactly one answer.

use std::time::Instant;

use minidom::Element;

use super::address::Target;
use super::bound::Bound;
use super::stanza::{Condition, Envelope, StanzaError, push, push_leaf};
use super::{disco, ns, pubsub};

/// A `get` or `set` with a valid frame.
pub(crate) struct Request<'a> {
    pub(crate) bound: &'a Bound,
    pub(crate) iq: &'a Element,
    /// The single child.
    pub(crate) child: &'a Element,
    pub(crate) set: bool,
    pub(crate) now: Instant,
}

/// What a handler did: `Ok` means that the answer is in the outbox.
pub(crate) type Outcome = Result<(), StanzaError>;

impl Request<'_> {
    /// The answer's envelope.
    pub(crate) fn envelope(&self) -> Envelope<'_> {
        self.bound.envelope(self.iq)
    }

    /// Answers with content.
    pub(crate) fn answer(&self, room: usize, body: impl FnOnce(&mut Vec<u8>)) -> Outcome {
        self.bound.send(self.envelope().result(room, body));
        Ok(())
    }

    /// Answers without content.
    pub(crate) fn done(&self) -> Outcome {
        self.bound.send(self.envelope().empty());
        Ok(())
    }

    /// Fails unless the request has the type that its verb needs.
    pub(crate) fn expect(&self, set: bool) -> Outcome {
        if self.set == set { Ok(()) } else { Err(Condition::BadRequest.into()) }
    }
}

/// Takes one IQ stanza.
pub(crate) fn handle(bound: &Bound, now: Instant, iq: &Element) {
    let set = match iq.attr("type") {
        // Nothing was asked, or the answer to a ping: life, but no news.
        Some("result" | "error") => return,
        Some("get") => false,
        Some("set") => true,
        _ => return bound.refuse_with(iq, Condition::BadRequest),
    };
    let mut children = iq.children();
    let (Some(child), None) = (children.next(), children.next()) else {
        return bound.refuse_with(iq, Condition::BadRequest);
    };
    if bound.shared().strict() && iq.attr("id").is_none() {
        return bound.refuse_with(iq, Condition::BadRequest);
    }
    let request = Request { bound, iq, child, set, now };
    let outcome = match bound.classify(iq.attr("to")) {
        Target::Pubsub => at_pubsub(&request),
        Target::Server => at_server(&request),
        Target::Account => at_account(&request),
        Target::Own(_) if child.is("ping", ns::PING) => ping(&request),
        Target::Own(_) | Target::User { .. } | Target::Application | Target::Component(_) => {
            Err(Condition::ServiceUnavailable.into())
        }
        Target::Foreign => Err(Condition::RemoteServerNotFound.into()),
        Target::Malformed => Err(Condition::JidMalformed.into()),
    };
    if let Err(error) = outcome {
        bound.refuse(iq, &error);
    }
}

/// The publish-subscribe service.
fn at_pubsub(request: &Request<'_>) -> Outcome {
    let child = request.child;
    if child.has_ns(ns::PUBSUB) {
        pubsub::handle(request)
    } else if child.has_ns(ns::PUBSUB_OWNER) {
        pubsub::handle_owner(request)
    } else if let Some(outcome) = pubsub::command_discovery(request) {
        outcome
    } else if child.has_ns(ns::DISCO_INFO) {
        disco::pubsub_info(request)
    } else if child.has_ns(ns::DISCO_ITEMS) {
        disco::pubsub_items(request)
    } else if child.has_ns(ns::PING) {
        ping(request)
    } else if child.has_ns(ns::VERSION) {
        version(request)
    } else if child.is("command", ns::COMMANDS) {
        pubsub::get_pending(request)
    } else {
        Err(Condition::ServiceUnavailable.into())
    }
}

/// The domain.
fn at_server(request: &Request<'_>) -> Outcome {
    let child = request.child;
    if child.has_ns(ns::DISCO_INFO) {
        disco::server_info(request)
    } else if child.has_ns(ns::DISCO_ITEMS) {
        disco::server_items(request)
    } else {
        at_account(request)
    }
}

/// The sender's own account, for which the server answers (RFC 6121 §8.5.1), and what is asked without an
/// address.
fn at_account(request: &Request<'_>) -> Outcome {
    let child = request.child;
    if child.has_ns(ns::PING) {
        ping(request)
    } else if child.has_ns(ns::SESSION) {
        request.expect(true)?;
        request.done()
    } else if child.has_ns(ns::ROSTER) {
        roster(request)
    } else if child.has_ns(ns::VERSION) {
        version(request)
    } else if child.has_ns(ns::BIND) {
        // One resource for each stream (RFC 6120 §7.1).
        Err(Condition::NotAllowed.into())
    } else {
        Err(Condition::ServiceUnavailable.into())
    }
}

/// Fails unless the child has the one name its namespace knows.
fn expect_name(request: &Request<'_>, name: &str) -> Outcome {
    if request.child.name() == name { Ok(()) } else { Err(Condition::FeatureNotImplemented.into()) }
}

/// XEP-0199.
fn ping(request: &Request<'_>) -> Outcome {
    expect_name(request, "ping")?;
    request.expect(false)?;
    request.done()
}

/// RFC 6121 §2.1: every roster is empty and stays so.
fn roster(request: &Request<'_>) -> Outcome {
    expect_name(request, "query")?;
    if request.set {
        return Err(Condition::NotAllowed.into());
    }
    request.answer(32, |out| push(out, &["<query xmlns=\"", ns::ROSTER, "\"/>"]))
}

/// XEP-0092, without the operating system.
fn version(request: &Request<'_>) -> Outcome {
    expect_name(request, "query")?;
    request.expect(false)?;
    let config = &request.bound.shared().config;
    request.answer(128, |out| {
        push(out, &["<query xmlns=\"", ns::VERSION, "\">"]);
        push_leaf(out, "name", &config.software_name);
        push_leaf(out, "version", &config.software_version);
        push(out, &["</query>"]);
    })
}
