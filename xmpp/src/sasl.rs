//! SASL, server side (RFC 4422, RFC 6120 §6): mechanisms as pure functions and small machines.
//!
//! Owns what is in a mechanism's messages, never the conversation around them (retries, abort, waiting for the
//! realm): that is the stream's. [`plain()`] reads RFC 4616, [`scram`] speaks RFC 5802 and RFC 7677 with channel
//! binding ([`binding`]), [`ht`] the hashed tokens of XEP-0484.

pub mod binding;
pub mod ht;
pub mod plain;
pub mod scram;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use plain::{Plain, plain};

/// Namespace of SASL elements.
pub const NS: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// Why an attempt failed (RFC 6120 §6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The client gave up the attempt.
    Aborted,
    /// The account is switched off and clients may know.
    AccountDisabled,
    /// The token was right, but is not valid any more (XEP-0484 §4.2).
    CredentialsExpired,
    /// The mechanism is not taken without TLS here.
    EncryptionRequired,
    /// Not base64.
    IncorrectEncoding,
    /// The client wants to act as somebody else.
    InvalidAuthzid,
    /// A mechanism that was not offered.
    InvalidMechanism,
    /// Not what the mechanism says.
    MalformedRequest,
    /// Wrong password, unknown user, locked account.
    NotAuthorized,
    /// The realm cannot be reached.
    TemporaryAuthFailure,
}

impl Failure {
    /// Name of the condition's element, for example `not-authorized`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::AccountDisabled => "account-disabled",
            Self::CredentialsExpired => "credentials-expired",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }

    /// The answer to send.
    pub fn to_xml(self) -> String {
        format!("<failure xmlns=\"{NS}\"><{}/></failure>", self.name())
    }
}

/// A mechanism as the server offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 4616.
    Plain,
    /// Hashed token; only through XEP-0484.
    Ht(ht::Ht),
    /// RFC 5802, RFC 7677; with `plus` bound to the channel.
    Scram {
        /// Hash function.
        hash: scram::Hash,
        /// Whether this is the `-PLUS` variant.
        plus: bool,
    },
}

impl Mechanism {
    /// Registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Ht(ht) => ht.name(),
            Self::Scram { hash, plus } => hash.mechanism(plus),
        }
    }
}

/// Decodes the text of `<auth/>` or `<response/>`; `=` stands for an empty message (RFC 6120 §6.4.2).
///
/// # Errors
/// [`Failure::MalformedRequest`] above `max` bytes, [`Failure::IncorrectEncoding`] if it is not strict base64.
pub fn decode(text: &str, max: usize) -> Result<Vec<u8>, Failure> {
    match text {
        "=" => Ok(Vec::new()),
        _ if text.len() > max => Err(Failure::MalformedRequest),
        _ => STANDARD.decode(text).map_err(|_| Failure::IncorrectEncoding),
    }
}

/// Base64 of a server's message.
pub fn encode(message: &[u8]) -> String {
    STANDARD.encode(message)
}

/// Cuts a served domain off and undoes XEP-0106.
pub(crate) fn user_id(id: &str, domains: &[&str]) -> String {
    let local = match id.rsplit_once('@') {
        Some((local, domain)) if domains.iter().any(|d| d.eq_ignore_ascii_case(domain)) => local,
        _ => id,
    };
    unescape(local)
}

/// Reads an authentication identity with the authorisation identity that came with it: the user's id, without
/// domain and unescaped. `id@domain` is the same user as `id`, escaped and raw alike.
///
/// # Errors
/// [`Failure::MalformedRequest`] for an empty or overlong identity, [`Failure::InvalidAuthzid`] when the client
/// wants to act as somebody else.
pub(crate) fn identity(authzid: &str, authcid: &str, domains: &[&str]) -> Result<String, Failure> {
    let user = user_id(authcid, domains);
    if user.is_empty() || authcid.len() > 2 * 1023 {
        return Err(Failure::MalformedRequest);
    }
    if !authzid.is_empty() && user_id(authzid, domains).to_lowercase() != user.to_lowercase() {
        return Err(Failure::InvalidAuthzid);
    }
    Ok(user)
}

/// Undoes the escaping of a local part (XEP-0106 §4); other uses of `\` stay.
pub fn unescape(local: &str) -> String {
    let mut out = String::with_capacity(local.len());
    let mut rest = local;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.map(char::from) {
            Some(c @ (' ' | '"' | '&' | '\'' | '/' | ':' | '<' | '>' | '@' | '\\')) => {
                out.push(c);
                rest = &rest[at + 3..];
            }
            _ => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_strict() {
        for text in ["AHUAcA", "AHUA cA==", "AHUAcA==\n", "AHUAcB==", "*", "AHUAcA==="] {
            assert_eq!(decode(text, 100), Err(Failure::IncorrectEncoding), "{text:?}");
        }
        assert_eq!(decode("AHUAcA==", 100).unwrap(), b"\0u\0p");
        assert_eq!(decode("=", 100).unwrap(), b"");
        assert_eq!(decode("AHUAcA==", 7), Err(Failure::MalformedRequest));
    }

    #[test]
    fn unescaping_leaves_other_backslashes() {
        assert_eq!(unescape("a\\20b\\5cc\\zz\\4"), "a b\\c\\zz\\4");
        assert_eq!(unescape("corp\\ürsula"), "corp\\ürsula");
    }
}
