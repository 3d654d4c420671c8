//! From the header to a bound resource (RFC 6120 §4 to §7).

use std::time::Instant;

use broker::Parcel;
use minidom::Element;

use super::render::{self, NS_BIND, NS_CLIENT, NS_COMPONENT, NS_STREAMS, NS_TLS};
use super::sasl2;
use super::{Action, Framing, Open, Phase, StartTls, Stream};
use crate::reader::Header;
use crate::sasl;
use crate::sasl::binding::ChannelBinding;
use crate::service::BindError;
use crate::splice::Splicer;
use crate::stats::Refusal;
use crate::{Profile, StreamError};

/// 128 random bits, for stream ids and nonces.
pub(super) fn random_id() -> Option<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

pub(super) fn is_stanza(element: &Element) -> bool {
    element.has_ns(NS_CLIENT) && matches!(element.name(), "iq" | "message" | "presence")
}

impl Stream {
    /// A header on TCP. Errors come after our own header (RFC 6120 §4.9.1.2).
    pub(super) fn header(&mut self, now: Instant, header: Header) {
        let Header { prefix, name, namespace, content_namespace, to, from, version, lang } = header;
        let content = if self.framing == Framing::Component { NS_COMPONENT } else { NS_CLIENT };
        let wrong = if namespace != NS_STREAMS {
            Some(StreamError::InvalidNamespace)
        } else if name != "stream" {
            Some(StreamError::BadFormat)
        } else if prefix.as_deref() != Some("stream") {
            Some(StreamError::BadNamespacePrefix)
        } else if content_namespace != content {
            Some(StreamError::InvalidNamespace)
        } else {
            None
        };
        match wrong {
            Some(error) => self.fail(error),
            None if self.framing == Framing::Component => self.open_component(now, to.as_deref()),
            None => self.handle_open(now, &Open { to, from, lang, version }),
        }
    }

    /// The stream is opened, or opened again after SASL. BOSH may do so at any time: the features of the
    /// present phase are the answer (XEP-0206 §5).
    pub fn handle_open(&mut self, now: Instant, open: &Open) {
        self.clock.heard(now);
        match self.phase {
            Phase::Header => {}
            Phase::Negotiation | Phase::Binding | Phase::Bound if self.framing == Framing::Bosh => {
                return self.say(self.features());
            }
            Phase::Handshake | Phase::Authentication | Phase::Detached | Phase::Closed => return,
            _ => return self.fail(StreamError::UnsupportedStanzaType),
        }
        let first = self.principal.is_none();
        let header = self.render_header(open.from.as_deref(), first);
        if let Some(error) = self.judge(open) {
            return self.fail(error);
        }
        let Some(header) = header else { return self.fail(StreamError::InternalServerError) };
        self.answered = true;
        self.requested = open.to.as_deref().map(Into::into);
        let claims = first && self.service.config().sasl2;
        self.claimed = open.from.as_deref().filter(|from| claims && !from.is_empty()).map(Into::into);
        self.phase = if first { Phase::Negotiation } else { Phase::Binding };
        self.say_header(header, first);
    }

    fn judge(&self, open: &Open) -> Option<StreamError> {
        let major = |version: &str| version.split('.').next()?.parse::<u32>().ok();
        // BOSH clients of the first generation leave the version out (XEP-0206 §3: SHOULD).
        let needs_version = self.framing != Framing::Bosh;
        let is_supported = match &open.version {
            Some(version) => major(version).is_some_and(|major| major >= 1),
            None => !needs_version,
        };
        if !is_supported {
            return Some(StreamError::UnsupportedVersion);
        }
        match (self.service.config().profile, &open.to) {
            (Profile::Finesse, _) => None,
            (Profile::Strict, None) => Some(StreamError::ImproperAddressing),
            (Profile::Strict, Some(to)) => {
                let is_ours = to.eq_ignore_ascii_case(&self.service.config().domain);
                (!is_ours).then_some(StreamError::HostUnknown)
            }
        }
    }

    fn render_header(&self, to: Option<&str>, first: bool) -> Option<String> {
        let config = self.service.config();
        let id = random_id()?;
        Some(render::header(self.framing, &config.domain, &config.language, &id, to, first))
    }

    /// Header and features: two writes on the first stream, since clients that read in lock-step give up
    /// if both come at once; one write after SASL. Two messages on WebSocket, features alone for BOSH.
    fn say_header(&self, header: String, first: bool) {
        let features = self.features();
        match self.framing {
            Framing::Tcp if !first => self.say(header + &features),
            Framing::Tcp => {
                let _ = self.outbox.push(Parcel::barrier(header));
                self.say(features);
            }
            Framing::WebSocket => {
                self.say(header);
                self.say(features);
            }
            // A component's header has no features.
            Framing::Bosh | Framing::Component => self.say(features),
        }
    }

    /// Makes sure that our header is out, because an error follows.
    pub(super) fn answer_header(&mut self) {
        if self.answered || self.framing == Framing::Bosh {
            return;
        }
        self.answered = true;
        if let Some(header) = self.render_header(None, self.principal.is_none()) {
            self.say(header);
        }
    }

    /// Only BOSH and WebSocket can get here: on TCP the reader expects a header.
    pub(super) fn element_instead_of_header(&mut self, now: Instant, element: Element) {
        let may_skip = self.framing == Framing::Bosh && !self.is_strict() && self.principal.is_some();
        if may_skip {
            // Old clients bind right after success; the features count as told (XEP-0206 §5).
            self.phase = Phase::Binding;
            self.bind(now, &element);
        } else {
            self.fail(StreamError::UnsupportedStanzaType);
        }
    }

    pub(super) fn negotiate(&mut self, now: Instant, element: &Element) {
        if self.framing == Framing::Component {
            return self.check_handshake(element);
        }
        if element.has_ns(sasl2::NS) && self.service.config().sasl2 {
            self.sasl2(now, element);
        } else if self.login.as_ref().is_some_and(|login| login.is_sasl2()) {
            self.fail(StreamError::PolicyViolation("authentication is under way"));
        } else if element.has_ns(sasl::NS) {
            self.sasl(now, element);
        } else if element.is("starttls", NS_TLS) && self.starttls() != StartTls::Off {
            self.say(format!("<proceed xmlns=\"{NS_TLS}\"/>"));
            self.phase = Phase::Handshake;
            self.action = Some(Action::StartTls);
        } else if is_stanza(element) && self.starttls() == StartTls::Required {
            self.fail(StreamError::PolicyViolation("TLS is required"));
        } else if is_stanza(element) || element.has_ns(NS_TLS) {
            self.fail(StreamError::NotAuthorized);
        } else {
            self.fail(StreamError::UnsupportedStanzaType);
        }
    }

    /// The handshake is done: a new stream begins, of which the old one knew nothing. `binding` as in
    /// [`Channel::binding`](super::Channel::binding).
    pub fn tls_started(&mut self, now: Instant, binding: Option<Box<ChannelBinding>>) {
        if self.phase == Phase::Handshake {
            self.channel.secure = true;
            self.channel.binding = binding.filter(|binding| !binding.is_empty());
            self.clock.heard(now);
            self.restart();
        }
    }

    pub(super) fn restart(&mut self) {
        self.phase = Phase::Header;
        self.answered = false;
        self.login = None;
        let max_bytes = self.max_bytes();
        if let Some(reader) = &mut self.reader {
            reader.restart(&self.service.config().limits, max_bytes);
        }
    }

    pub(super) fn bind(&mut self, _now: Instant, element: &Element) {
        let request = element.get_child("bind", NS_BIND);
        let is_bind = element.is("iq", NS_CLIENT) && element.attr("type") == Some("set");
        let (true, Some(request), Some(principal)) = (is_bind, request, &self.principal) else {
            let error = if is_stanza(element) {
                StreamError::NotAuthorized
            } else {
                StreamError::UnsupportedStanzaType
            };
            return self.fail(error);
        };
        let resource = request.get_child("resource", NS_BIND).map(Element::text);
        match self.service.bind_closed(principal, resource.as_deref(), self.outbox.clone()) {
            Ok(bound) => {
                self.say(render::bind_result(element.attr("id"), bound.full()));
                bound.carried_by(self.framing);
                bound.open();
                self.splicer = Some(Splicer::new(bound.bare().clone(), bound.full().clone()));
                self.bound = Some(bound);
                self.phase = Phase::Bound;
            }
            Err(error) => {
                if error == BindError::TooManyResources {
                    self.service.count_refusal(Refusal::Resources);
                }
                self.say(render::iq_error(element.attr("id"), &error.to_xml()));
            }
        }
    }
}
