//! What a stream says while it negotiates. Double quotes throughout: hand-made clients search for `from="`.

use super::{Framing, Phase, StartTls, Stream};
use crate::StreamError;
use crate::sasl;
use crate::xml::{Attribute, Text};

pub(super) const NS_STREAMS: &str = "http://etherx.jabber.org/streams";
pub(super) const NS_TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
pub(super) const NS_BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
pub(super) const NS_FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
pub(super) const NS_CLIENT: &str = "jabber:client";
pub(super) const NS_COMPONENT: &str = "jabber:component:accept";
const NS_BINDING: &str = "urn:xmpp:sasl-cb:0";

fn mechanism(mechanism: sasl::Mechanism) -> String {
    format!("<mechanism>{}</mechanism>", mechanism.name())
}

/// The only text that Strophe takes for an orderly end, byte for byte.
const WEBSOCKET_CLOSE: &str = "<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />";

/// Header or `<open/>`. `to` is the client's `from`, `first` asks for an XML declaration: it is left out on
/// restarts, which some clients read with the parser of the first stream.
pub(super) fn header(
    framing: Framing,
    domain: &str,
    language: &str,
    id: &str,
    to: Option<&str>,
    first: bool,
) -> String {
    let content = if framing == Framing::Component { NS_COMPONENT } else { NS_CLIENT };
    let (start, end) = match framing {
        Framing::WebSocket => (format!("<open xmlns=\"{NS_FRAMING}\""), "/>".to_owned()),
        _ => {
            let declaration = if first { "<?xml version=\"1.0\"?>" } else { "" };
            let namespaces = format!(" xmlns=\"{content}\" xmlns:stream=\"{NS_STREAMS}\">");
            (format!("{declaration}<stream:stream"), namespaces)
        }
    };
    let to = to.map(|to| format!(" to=\"{}\"", Attribute(to))).unwrap_or_default();
    let (domain, language) = (Attribute(domain), Attribute(language));
    format!("{start} from=\"{domain}\" id=\"{id}\"{to} version=\"1.0\" xml:lang=\"{language}\"{end}")
}

/// A ping of the server (XEP-0199).
pub(super) fn ping(domain: &str, full: &str) -> String {
    format!(
        "<iq xmlns=\"jabber:client\" type=\"get\" id=\"ping\" from=\"{}\" to=\"{full}\">\
         <ping xmlns=\"urn:xmpp:ping\"/></iq>",
        Attribute(domain)
    )
}

/// The answer to a bind request. Without addresses, as the client has none before it.
pub(super) fn bind_result(id: Option<&str>, full: &str) -> String {
    format!(
        "<iq xmlns=\"jabber:client\" type=\"result\"{}><bind xmlns=\"{NS_BIND}\"><jid>{full}</jid></bind></iq>",
        id_attribute(id)
    )
}

/// An error answer before there is an address.
pub(super) fn iq_error(id: Option<&str>, error: &str) -> String {
    format!("<iq xmlns=\"jabber:client\" type=\"error\"{}>{error}</iq>", id_attribute(id))
}

fn id_attribute(id: Option<&str>) -> String {
    id.map(|id| format!(" id=\"{}\"", Attribute(id))).unwrap_or_default()
}

pub(super) fn farewell(framing: Framing, error: Option<StreamError>) -> Vec<String> {
    match framing {
        Framing::Tcp | Framing::Component => {
            let error = error.map(|error| error.to_xml()).unwrap_or_default();
            vec![error + "</stream:stream>"]
        }
        Framing::WebSocket => {
            error.map(|error| error.to_document()).into_iter().chain([WEBSOCKET_CLOSE.to_owned()]).collect()
        }
        Framing::Bosh => Vec::new(),
    }
}

impl Stream {
    /// How the client is told to go: to another server, if one is known that it can reach by this transport.
    pub(super) fn departure(&self) -> StreamError {
        let known = self.service.alternate().is_some_and(|alternate| match self.framing {
            Framing::Tcp => alternate.host.is_some(),
            Framing::WebSocket => alternate.websocket.is_some(),
            Framing::Bosh => alternate.bosh.is_some(),
            _ => false,
        });
        if known { StreamError::SeeOtherHost } else { StreamError::SystemShutdown }
    }

    /// The end of a stream whose client has to go elsewhere (RFC 6120 §4.9.3.19, RFC 7395 §3.6.1).
    pub(super) fn redirection(&self) -> Vec<String> {
        let alternate = self.service.alternate();
        let alternate = alternate.as_deref();
        match (
            self.framing,
            alternate.and_then(|a| a.host.as_deref()),
            alternate.and_then(|a| a.websocket.as_deref()),
        ) {
            (Framing::Tcp, Some(host), _) => vec![format!(
                "<stream:error><see-other-host xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\">{}</see-other-host>\
                 </stream:error></stream:stream>",
                Text(host)
            )],
            (Framing::WebSocket, _, Some(uri)) => {
                vec![format!("<close xmlns=\"{NS_FRAMING}\" see-other-uri=\"{}\" />", Attribute(uri))]
            }
            // It was taken back in the meantime.
            _ => farewell(self.framing, Some(StreamError::SystemShutdown)),
        }
    }

    /// Features of the present phase. What XEP-0478 tells is what is enforced.
    pub fn features(&self) -> String {
        self.features_with(&match self.phase {
            Phase::Binding | Phase::Bound => format!(
                "<bind xmlns=\"{NS_BIND}\"/>\
                 <session xmlns=\"urn:ietf:params:xml:ns:xmpp-session\"><optional/></session>{}",
                self.sm_feature()
            ),
            _ => self.offers_before_authentication(),
        })
    }

    /// The given features, and the limits.
    pub(super) fn features_with(&self, offers: &str) -> String {
        let declaration = match self.framing {
            Framing::WebSocket => format!(" xmlns:stream=\"{NS_STREAMS}\""),
            _ => String::new(),
        };
        let limits = format!(
            "<limits xmlns=\"urn:xmpp:stream-limits:0\"><max-bytes>{}</max-bytes>{}</limits>",
            self.max_bytes(),
            self.idle_seconds()
        );
        format!("<stream:features{declaration}>{offers}{limits}</stream:features>")
    }

    fn idle_seconds(&self) -> String {
        match self.framing {
            Framing::Bosh => String::new(),
            // Before authentication a stream has a time limit, which no traffic extends.
            _ if !self.is_authenticated() => {
                format!("<idle-seconds>{}</idle-seconds>", self.timeouts().authenticate.as_secs())
            }
            _ => format!("<idle-seconds>{}</idle-seconds>", self.timeouts().idle_close.as_secs()),
        }
    }

    fn offers_before_authentication(&self) -> String {
        let starttls = match self.starttls() {
            StartTls::Off => String::new(),
            StartTls::Optional => format!("<starttls xmlns=\"{NS_TLS}\"/>"),
            StartTls::Required => return format!("<starttls xmlns=\"{NS_TLS}\"><required/></starttls>"),
        };
        let mechanisms: String = self.mechanisms().into_iter().map(mechanism).collect();
        let (binding, sasl2) = (self.binding_types(), self.sasl2_feature());
        format!("{starttls}<mechanisms xmlns=\"{}\">{mechanisms}</mechanisms>{binding}{sasl2}", sasl::NS)
    }

    /// Types of channel binding (XEP-0440), if there are mechanisms that use them.
    fn binding_types(&self) -> String {
        let Some(binding) = self.channel.binding.as_ref().filter(|_| self.binds_channel()) else {
            return String::new();
        };
        let types: String =
            binding.types().map(|name| format!("<channel-binding type=\"{name}\"/>")).collect();
        format!("<sasl-channel-binding xmlns=\"{NS_BINDING}\">{types}</sasl-channel-binding>")
    }

    /// The STARTTLS policy as far as it applies to this connection now.
    pub(super) fn starttls(&self) -> StartTls {
        match (self.framing, self.channel.secure) {
            (Framing::Tcp, false) => self.channel.starttls,
            _ => StartTls::Off,
        }
    }
}
