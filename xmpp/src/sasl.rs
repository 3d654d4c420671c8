//! SASL PLAIN, server side (RFC 4616, RFC 6120 §6): from the text of an element to credentials.
//!
//! Pure functions; the conversation (retries, abort, waiting for the realm) is the stream's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Namespace of SASL elements.
pub const NS: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// Why an attempt failed (RFC 6120 §6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The client gave up the attempt.
    Aborted,
    /// The account is switched off and clients may know.
    AccountDisabled,
    /// PLAIN is not taken without TLS here.
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
    /// The answer to send.
    pub fn to_xml(self) -> String {
        let name = match self {
            Self::Aborted => "aborted",
            Self::AccountDisabled => "account-disabled",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        };
        format!("<failure xmlns=\"{NS}\"><{name}/></failure>")
    }
}

/// User id and password of a PLAIN message.
pub struct Plain {
    /// User id without domain, unescaped (XEP-0106).
    pub user: String,
    /// Password as sent.
    pub password: crate::Password,
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

/// Reads a PLAIN message. `domains` are the names under which this server goes: `id@domain` is the same
/// user as `id`, escaped and raw alike.
///
/// # Errors
/// [`Failure::MalformedRequest`], [`Failure::InvalidAuthzid`], or [`Failure::NotAuthorized`] for an empty
/// password, which no realm should ever see (some directories take it for an anonymous login).
pub fn plain(message: Vec<u8>, domains: &[&str]) -> Result<Plain, Failure> {
    let message = zeroize::Zeroizing::new(message);
    let text = std::str::from_utf8(&message).map_err(|_| Failure::MalformedRequest)?;
    let mut parts = text.split('\0');
    let (Some(authzid), Some(authcid), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Failure::MalformedRequest);
    };
    let user = user_id(authcid, domains);
    if user.is_empty() || authcid.len() > 2 * 1023 {
        return Err(Failure::MalformedRequest);
    }
    if !authzid.is_empty() && user_id(authzid, domains).to_lowercase() != user.to_lowercase() {
        return Err(Failure::InvalidAuthzid);
    }
    if password.is_empty() {
        return Err(Failure::NotAuthorized);
    }
    Ok(Plain { user, password: crate::Password::new(password.to_owned()) })
}

/// Cuts a served domain off and undoes XEP-0106.
fn user_id(id: &str, domains: &[&str]) -> String {
    let local = match id.rsplit_once('@') {
        Some((local, domain)) if domains.iter().any(|d| d.eq_ignore_ascii_case(domain)) => local,
        _ => id,
    };
    unescape(local)
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

    const DOMAINS: &[&str] = &["example.net", "10.0.0.5"];

    fn user(message: &str) -> Result<String, Failure> {
        plain(message.as_bytes().to_vec(), DOMAINS).map(|p| p.user)
    }

    #[test]
    fn plain_accepts_the_user_in_every_spelling() {
        for message in [
            "\0a@b\0pw",
            "a@b\0a@b\0pw",
            "\0a@b@example.net\0pw",
            "a\\40b@Example.Net\0a@b\0pw",
            "A@B@10.0.0.5\0a\\40b\0pw",
        ] {
            assert_eq!(user(message).as_deref(), Ok("a@b"), "{message:?}");
        }
    }

    #[test]
    fn plain_refuses() {
        use Failure::*;
        for (message, failure) in [
            ("", MalformedRequest),
            ("\0u", MalformedRequest),
            ("\0u\0p\0x", MalformedRequest),
            ("\0\0p", MalformedRequest),
            ("\0@example.net\0p", MalformedRequest),
            ("\0u\0", NotAuthorized),
            ("other\0u\0p", InvalidAuthzid),
            ("u@elsewhere\0u\0p", InvalidAuthzid),
        ] {
            assert_eq!(user(message), Err(failure), "{message:?}");
        }
        assert!(matches!(plain(vec![0, 0xff, 0, b'p'], DOMAINS), Err(MalformedRequest)));
    }

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
