//! `[peer]`: the other node of a pair.

use std::net::SocketAddr;

use serde::Deserialize;
use toml::Spanned;

/// `[peer]`. Without an address the server is a single node.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Peer {
    /// `host:port` of the other node's link; empty: there is none.
    pub address: String,
    /// Where this node listens for the other one.
    pub listen: Option<Spanned<SocketAddr>>,
    /// Whether this node is the primary one.
    pub primary: bool,
    /// Host name of the other node as clients reach it; empty: that of `address`.
    pub host: String,
    /// PEM file with this node's certificate for the link.
    pub certificate: Option<Spanned<String>>,
    /// PEM file with its private key.
    pub key: Option<Spanned<String>>,
    /// PEM file with the authorities that may have signed the other node's certificate.
    pub ca: Option<Spanned<String>>,
    /// Name in the other node's certificate; empty: the host of `address`.
    pub name: String,
    /// SHA-256 of the other node's certificate in hexadecimal, in place of an authority.
    pub fingerprint: String,
    /// Milliseconds between calls when there is nothing to say.
    pub beat_ms: u32,
    /// Seconds without an answered call after which the other node counts as unreachable.
    pub lost_seconds: u32,
    /// Seconds for which an absent user is waited for once more when the other node cannot be asked.
    pub second_grace_seconds: u32,
    /// Whether this node follows the other one to its side of the CTI server (CCE).
    pub follow_cti_side: bool,
}

impl Default for Peer {
    fn default() -> Peer {
        Peer {
            address: String::new(),
            listen: None,
            primary: true,
            host: String::new(),
            certificate: None,
            key: None,
            ca: None,
            name: String::new(),
            fingerprint: String::new(),
            beat_ms: 1000,
            lost_seconds: 4,
            second_grace_seconds: 60,
            follow_cti_side: true,
        }
    }
}

impl Peer {
    /// Whether there is another node.
    pub fn is_configured(&self) -> bool {
        !self.address.is_empty()
    }

    /// Host of its address.
    pub fn address_host(&self) -> &str {
        let host = self.address.rsplit_once(':').map_or(&*self.address, |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Host name of the other node as clients reach it.
    pub fn host(&self) -> &str {
        if self.host.is_empty() { self.address_host() } else { &self.host }
    }

    /// Name in its certificate.
    pub fn name(&self) -> &str {
        if self.name.is_empty() { self.address_host() } else { &self.name }
    }
}
