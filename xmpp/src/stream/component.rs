//! The stream of an external component (XEP-0114 §3): a header that names the component, a handshake that
//! proves that it knows the secret, then stanzas.

use std::time::Instant;

use minidom::Element;

use super::negotiate::{is_stanza, random_id};
use super::render::{self, NS_CLIENT};
use super::{Phase, Stream};
use crate::component;
use crate::service::BindError;
use crate::splice::Splicer;
use crate::{Framing, Refusal, StreamError};

/// What a component has to say to be let in.
pub(super) struct Handshake {
    /// Its place in the configuration.
    index: usize,
    /// Hexadecimal SHA-1 of stream id and secret.
    digest: String,
}

impl Stream {
    /// The header: `to` is the component's own name, which the answer carries as `from` (XEP-0114 §3).
    pub(super) fn open_component(&mut self, now: Instant, to: Option<&str>) {
        self.clock.heard(now);
        let config = self.service.config();
        let Some(to) = to else { return self.fail(StreamError::ImproperAddressing) };
        let known = config.components.iter().position(|known| known.domain.eq_ignore_ascii_case(to));
        let Some(index) = known else { return self.fail(StreamError::HostUnknown) };
        let Some(id) = random_id() else { return self.fail(StreamError::InternalServerError) };
        let component = &config.components[index];
        let header = render::header(Framing::Component, &component.domain, &config.language, &id, None, true);
        let digest = component::handshake(&id, component.secret.expose());
        self.handshake = Some(Box::new(Handshake { index, digest }));
        self.answered = true;
        self.phase = Phase::Negotiation;
        self.say(header);
    }

    /// The one element that may come before stanzas.
    pub(super) fn check_handshake(&mut self, element: &Element) {
        if !element.is("handshake", NS_CLIENT) {
            let error = match is_stanza(element) {
                true => StreamError::NotAuthorized,
                false => StreamError::UnsupportedStanzaType,
            };
            return self.fail(error);
        }
        let good = self
            .handshake
            .take()
            .filter(|expected| component::same(element.text().trim().as_bytes(), expected.digest.as_bytes()));
        let Some(Handshake { index, .. }) = good.map(|expected| *expected) else {
            self.service.count_refusal(Refusal::Login);
            return self.refuse_stream(StreamError::NotAuthorized);
        };
        let bound = match self.service.attach(index, self.outbox.clone()) {
            Ok(bound) => bound,
            Err(BindError::Conflict) => return self.fail(StreamError::Conflict),
            Err(BindError::Stopping) => return self.fail(StreamError::SystemShutdown),
            Err(_) => return self.fail(StreamError::InternalServerError),
        };
        self.say("<handshake/>");
        self.principal = Some(bound.principal().clone());
        self.splicer = Some(Splicer::new(bound.bare().clone(), bound.full().clone()));
        self.bound = Some(bound);
        self.phase = Phase::Bound;
        self.clock.lift_rate();
        let max_bytes = self.max_bytes();
        if let Some(reader) = &mut self.reader {
            reader.set_max_bytes(max_bytes);
        }
    }
}

/// Takes `jabber:client` out of the start tag at `start`: what the stream's header declares is inherited, and
/// every stanza of this crate declares its namespace in front of all other attributes.
pub(super) fn drop_namespace(out: &mut Vec<u8>, start: usize) {
    const DECLARATION: &[u8] = b" xmlns=\"jabber:client\"";
    let Some(name) = out[start..].iter().position(|&byte| matches!(byte, b' ' | b'>' | b'/')) else { return };
    let at = start + name;
    if out[at..].starts_with(DECLARATION) {
        out.drain(at..at + DECLARATION.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_declaration_of_the_stanza_goes() {
        for (written, sent) in [
            ("<iq xmlns=\"jabber:client\" id=\"1\"/>", "<iq id=\"1\"/>"),
            (
                "<message xmlns=\"jabber:client\"><x xmlns=\"jabber:client\"/></message>",
                "<message><x xmlns=\"jabber:client\"/></message>",
            ),
            ("<handshake/>", "<handshake/>"),
            ("<iq id=\"1\" xmlns=\"jabber:client\"/>", "<iq id=\"1\" xmlns=\"jabber:client\"/>"),
        ] {
            let mut out = b"<before/>".to_vec();
            out.extend_from_slice(written.as_bytes());
            drop_namespace(&mut out, 9);
            assert_eq!(String::from_utf8(out).unwrap(), format!("<before/>{sent}"));
        }
    }
}
