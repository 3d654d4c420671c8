//! SASL PLAIN (RFC 4616): from a message to credentials.

use super::{Failure, identity};

/// User id and password of a PLAIN message.
pub struct Plain {
    /// User id without domain, unescaped (XEP-0106).
    pub user: String,
    /// Password as sent.
    pub password: crate::Password,
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
    let user = identity(authzid, authcid, domains)?;
    if password.is_empty() {
        return Err(Failure::NotAuthorized);
    }
    Ok(Plain { user, password: crate::Password::new(password.to_owned()) })
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
}
