//! Small value types of the configuration file, each of which refuses what it cannot be.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use zeroize::Zeroizing;

/// Which contact-centre flavour the CTI server belongs to.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Deployment {
    /// Unified CCE or Packaged CCE.
    #[default]
    Cce,
    /// Unified CCX.
    Ccx,
}

/// What a listener in clear does with REST requests and pages. BOSH and WebSocket are served in any case.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum PlainHttp {
    /// Answers 301 to the HTTPS listener, as releases since 12.5 do.
    #[default]
    Redirect,
    /// Serves them.
    Serve,
}

/// Whether STARTTLS is offered on the XMPP listeners in clear.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum StartTlsMode {
    /// Not offered.
    Off,
    /// Offered.
    Optional,
    /// Offered, and nothing else until it is taken.
    #[default]
    Required,
}

/// How strictly the standards are applied.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ProfileName {
    /// What clients of Finesse expect.
    #[default]
    Finesse,
    /// What RFC 6120, RFC 7395 and XEP-0060 say.
    Strict,
}

/// Whether subscriptions have options (XEP-0060 §6.3).
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum OptionsMode {
    /// In the strict profile.
    #[default]
    Profile,
    /// Never.
    Off,
    /// In either profile.
    On,
}

/// What happens when a resource in use is bound again.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictMode {
    /// The old session ends.
    #[default]
    ReplaceOld,
    /// The new one is refused.
    RefuseNew,
    /// The new one gets another resource.
    Rename,
}

/// The header in which reverse proxies tell the address of a client.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// A kind of listener, by its key in `[listen]`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ListenerName {
    /// `listen.http`.
    Http,
    /// `listen.https`.
    Https,
    /// `listen.bosh`.
    Bosh,
    /// `listen.bosh_tls`.
    BoshTls,
    /// `listen.xmpp`.
    Xmpp,
    /// `listen.xmpp_tls`.
    XmppTls,
    /// `listen.component`; no load balancer is in front of it.
    #[serde(skip)]
    Component,
}

/// What a listener speaks, inside TLS perhaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP.
    Http,
    /// XMPP streams of clients.
    Xmpp,
    /// XMPP streams of components (XEP-0114).
    Component,
}

impl ListenerName {
    /// Every kind, in the order in which the file lists them.
    pub const ALL: [ListenerName; 7] = [
        ListenerName::Http,
        ListenerName::Https,
        ListenerName::Bosh,
        ListenerName::BoshTls,
        ListenerName::Xmpp,
        ListenerName::XmppTls,
        ListenerName::Component,
    ];

    /// The key.
    pub fn key(self) -> &'static str {
        match self {
            ListenerName::Http => "http",
            ListenerName::Https => "https",
            ListenerName::Bosh => "bosh",
            ListenerName::BoshTls => "bosh_tls",
            ListenerName::Xmpp => "xmpp",
            ListenerName::XmppTls => "xmpp_tls",
            ListenerName::Component => "component",
        }
    }

    /// What is spoken on it.
    pub fn protocol(self) -> Protocol {
        match self {
            ListenerName::Xmpp | ListenerName::XmppTls => Protocol::Xmpp,
            ListenerName::Component => Protocol::Component,
            _ => Protocol::Http,
        }
    }
}

/// An address or a range of addresses.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct AddressRange(pub ::xmpp::Network);

impl AddressRange {
    /// The loopback addresses.
    pub fn loopback() -> Vec<AddressRange> {
        ::xmpp::Network::loopback().into_iter().map(AddressRange).collect()
    }

    /// The ranges of a list.
    pub fn networks(list: &[AddressRange]) -> Vec<::xmpp::Network> {
        list.iter().map(|range| range.0).collect()
    }
}

impl TryFrom<String> for AddressRange {
    type Error = String;

    fn try_from(text: String) -> Result<AddressRange, String> {
        text.parse().map(AddressRange).map_err(|error| format!("{text:?} is {error}"))
    }
}

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// A secret of the configuration; masked in `Debug`, wiped when dropped.
#[derive(Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }
}

impl Secret {
    /// The secret itself; do not log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// An argon2id hash in PHC string form, checked when read.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct PasswordHash(Arc<str>);

impl TryFrom<String> for PasswordHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<PasswordHash, &'static str> {
        const ADVICE: &str = "not an argon2id hash (make one with `finesse-server hash-password`)";
        let hash = argon2::password_hash::phc::PasswordHash::new(&text).map_err(|_| ADVICE)?;
        if hash.algorithm.as_str() != "argon2id" || hash.salt.is_none() || hash.hash.is_none() {
            return Err(ADVICE);
        }
        let params = argon2::Params::try_from(&hash).map_err(|_| ADVICE)?;
        // A hash is verified at every first request of a user: one that asks for gigabytes is a mistake.
        if params.m_cost() > 1 << 20 || params.t_cost() > 64 {
            return Err("argon2id parameters too large (at most m=1048576, t=64)");
        }
        Ok(PasswordHash(text.into()))
    }
}

impl PasswordHash {
    /// The PHC string.
    pub fn phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

/// A verifier for SCRAM (RFC 5803), checked when read; masked in `Debug`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct ScramVerifier(xmpp::sasl::scram::Verifier);

impl TryFrom<String> for ScramVerifier {
    type Error = String;

    fn try_from(text: String) -> Result<ScramVerifier, String> {
        let text = Zeroizing::new(text);
        let verifier = xmpp::sasl::scram::Verifier::parse(&text);
        verifier
            .map(ScramVerifier)
            .map_err(|error| format!("{error} (make one with `finesse-server hash-password --scram`)"))
    }
}

impl ScramVerifier {
    /// The verifier itself.
    pub fn get(&self) -> &xmpp::sasl::scram::Verifier {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$ENZTpHpJLWqvfXL0pVX6mvJWqHp6sEeVvSuBc4MSaNc";

    #[test]
    fn secrets_do_not_show() {
        assert_eq!(format!("{:?}", Secret::from("hush".to_owned())), "[secret]");
        let hash = PasswordHash::try_from(HASH.to_owned()).unwrap();
        assert_eq!(format!("{hash:?}"), "[hash]");
    }

    #[test]
    fn only_argon2id_hashes_of_sane_cost_pass() {
        for bad in
            ["", "finesse", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA", &HASH.replace("m=8", "m=4000000")]
        {
            assert!(PasswordHash::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
