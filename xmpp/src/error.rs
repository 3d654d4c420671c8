//! Stream errors (RFC 6120 §4.9.3): what ends a stream, as the peer sees it.

use std::fmt;

/// Condition of a stream error. Always followed by the end of the stream.
///
/// Where a limit was hit the variant carries one short sentence for the peer; it never tells internals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamError {
    /// XML that cannot be processed and no other condition covers.
    BadFormat,
    /// The prefix of the stream element is wrong.
    BadNamespacePrefix,
    /// Replaced by a new session of the same resource.
    Conflict,
    /// The peer was silent, or too slow.
    ConnectionTimeout,
    /// The domain is no longer served.
    HostGone,
    /// The domain is not served here.
    HostUnknown,
    /// An address is missing.
    ImproperAddressing,
    /// A bug on this side.
    InternalServerError,
    /// `from` is not the sender's (strict profile).
    InvalidFrom,
    /// Namespace of the stream or of its content is wrong.
    InvalidNamespace,
    /// Well-formed, but not a stream: text between stanzas, for example.
    InvalidXml,
    /// A stanza before authentication or before binding.
    NotAuthorized,
    /// Not XML.
    NotWellFormed,
    /// A rule of this server was broken; with the reason.
    PolicyViolation(&'static str),
    /// Features changed, the peer has to come again.
    Reset,
    /// Too much load; with the reason.
    ResourceConstraint(&'static str),
    /// Comment, processing instruction, document type or entity (RFC 6120 §11.1).
    RestrictedXml,
    /// The client has to go to another server, whose address its transport tells it in its own way
    /// ([`Service::redirect`](crate::Service::redirect)).
    SeeOtherHost,
    /// The client acknowledges more stanzas than it was sent (XEP-0198 §4).
    HandledCountTooHigh {
        /// What it says to have handled.
        h: u32,
        /// What was sent.
        sent: u32,
    },
    /// The server stops.
    SystemShutdown,
    /// An encoding other than UTF-8.
    UnsupportedEncoding,
    /// A feature that was not offered.
    UnsupportedFeature,
    /// A top-level element that is no stanza.
    UnsupportedStanzaType,
    /// No or an unknown `version`.
    UnsupportedVersion,
}

impl StreamError {
    /// Name of the condition's element, for example `not-well-formed`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BadFormat => "bad-format",
            Self::BadNamespacePrefix => "bad-namespace-prefix",
            Self::Conflict => "conflict",
            Self::ConnectionTimeout => "connection-timeout",
            Self::HostGone => "host-gone",
            Self::HostUnknown => "host-unknown",
            Self::ImproperAddressing => "improper-addressing",
            Self::InternalServerError => "internal-server-error",
            Self::InvalidFrom => "invalid-from",
            Self::InvalidNamespace => "invalid-namespace",
            Self::InvalidXml => "invalid-xml",
            Self::NotAuthorized => "not-authorized",
            Self::NotWellFormed => "not-well-formed",
            Self::PolicyViolation(_) => "policy-violation",
            Self::Reset => "reset",
            Self::ResourceConstraint(_) => "resource-constraint",
            Self::RestrictedXml => "restricted-xml",
            Self::SeeOtherHost => "see-other-host",
            Self::HandledCountTooHigh { .. } => "undefined-condition",
            Self::SystemShutdown => "system-shutdown",
            Self::UnsupportedEncoding => "unsupported-encoding",
            Self::UnsupportedFeature => "unsupported-feature",
            Self::UnsupportedStanzaType => "unsupported-stanza-type",
            Self::UnsupportedVersion => "unsupported-version",
        }
    }

    /// The sentence for the peer, if there is one.
    pub fn text(&self) -> Option<&'static str> {
        match self {
            Self::PolicyViolation(text) | Self::ResourceConstraint(text) => {
                (!text.is_empty()).then_some(*text)
            }
            _ => None,
        }
    }

    /// `<stream:error>` for a place where the prefix `stream` is declared (TCP, BOSH body). Each child
    /// carries its own `xmlns`, which old browser clients read literally.
    pub fn to_xml(&self) -> String {
        format!("<stream:error>{}</stream:error>", self.children())
    }

    /// `<stream:error>` that declares its own prefix: a document of its own (RFC 7395 §3.5).
    pub fn to_document(&self) -> String {
        let children = self.children();
        format!("<stream:error xmlns:stream=\"http://etherx.jabber.org/streams\">{children}</stream:error>")
    }

    fn children(&self) -> String {
        const NS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
        let name = self.name();
        if let Self::HandledCountTooHigh { h, sent } = self {
            return format!(
                "<{name} xmlns=\"{NS}\"/>\
                 <handled-count-too-high xmlns=\"{}\" h=\"{h}\" send-count=\"{sent}\"/>",
                crate::sm::NS
            );
        }
        match self.text() {
            None => format!("<{name} xmlns=\"{NS}\"/>"),
            Some(text) => format!(
                "<{name} xmlns=\"{NS}\"/><text xmlns=\"{NS}\" xml:lang=\"en\">{}</text>",
                crate::xml::Text(text)
            ),
        }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.text() {
            Some(text) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StreamError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_child_carries_its_namespace() {
        assert_eq!(
            StreamError::Conflict.to_xml(),
            "<stream:error><conflict xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error>"
        );
        assert_eq!(
            StreamError::PolicyViolation("a < b").to_xml(),
            "<stream:error><policy-violation xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/>\
             <text xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\" xml:lang=\"en\">a &lt; b</text></stream:error>"
        );
        assert!(StreamError::Reset.to_document().starts_with("<stream:error xmlns:stream="));
    }
}
