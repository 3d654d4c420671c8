//! HT-SHA-256: hashed tokens, one message each way (draft-schmaus-kitten-sasl-ht), as XEP-0484 uses them.
//!
//! Owns the messages and what is kept of a token. Which tokens there are is the service's.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::binding::ChannelBinding;
use super::{Failure, identity};

const INITIATOR: &[u8] = b"Initiator";
const RESPONDER: &[u8] = b"Responder";

/// A mechanism of the family, by its channel binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ht {
    /// `HT-SHA-256-EXPR`: `tls-exporter`.
    Exporter,
    /// `HT-SHA-256-ENDP`: `tls-server-end-point`.
    EndPoint,
    /// `HT-SHA-256-NONE`: no channel binding.
    None,
}

impl Ht {
    /// All, the stronger first: the order in which they are offered.
    pub const ALL: [Ht; 3] = [Ht::Exporter, Ht::EndPoint, Ht::None];

    /// Name of the mechanism.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exporter => "HT-SHA-256-EXPR",
            Self::EndPoint => "HT-SHA-256-ENDP",
            Self::None => "HT-SHA-256-NONE",
        }
    }

    /// The mechanism of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ht| ht.name() == name)
    }

    /// The channel's data that go into the hashes; `None` if the mechanism does not work on this channel.
    pub fn data(self, binding: Option<&ChannelBinding>) -> Option<&[u8]> {
        match self {
            Self::Exporter => binding?.data("tls-exporter"),
            Self::EndPoint => binding?.data("tls-server-end-point"),
            Self::None => Some(&[]),
        }
    }
}

/// The client's message: who, and the hash that shows that he has the token.
pub struct Message {
    /// User id without domain, unescaped.
    pub user: String,
    /// `HMAC(token, "Initiator" || channel data)`.
    pub hash: [u8; 32],
}

impl Message {
    /// Reads `authcid NUL hash`. `domains` as for [`super::plain()`].
    ///
    /// # Errors
    /// [`Failure::MalformedRequest`].
    pub fn read(message: &[u8], domains: &[&str]) -> Result<Self, Failure> {
        let at = message.iter().position(|byte| *byte == 0).ok_or(Failure::MalformedRequest)?;
        let user = std::str::from_utf8(&message[..at]).map_err(|_| Failure::MalformedRequest)?;
        let hash = message[at + 1..].try_into().map_err(|_| Failure::MalformedRequest)?;
        Ok(Self { user: identity("", user, domains)?, hash })
    }
}

/// `HMAC(token, who || data)`.
pub fn hash(token: &[u8], who: &[u8], data: &[u8]) -> [u8; 32] {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(token).expect("any length will do");
    mac.update(who);
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// What is kept of a token. Masked in `Debug`.
pub(crate) enum Kept {
    /// Of a token without channel binding the hash of what the client has to send, and the answer: whoever reads this
    /// cannot log in with it.
    Hashed { expected: [u8; 32], answer: Zeroizing<[u8; 32]> },
    /// With channel binding the hashes differ for each connection, so that the token itself is needed.
    Key(Zeroizing<String>),
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(***)")
    }
}

impl Kept {
    pub(crate) fn new(ht: Ht, token: &str) -> Self {
        match ht {
            Ht::None => Self::Hashed {
                expected: Sha256::digest(hash(token.as_bytes(), INITIATOR, &[])).into(),
                answer: Zeroizing::new(hash(token.as_bytes(), RESPONDER, &[])),
            },
            Ht::Exporter | Ht::EndPoint => Self::Key(Zeroizing::new(token.to_owned())),
        }
    }

    /// The server's message if `sent` is what the token makes of `data`. Compared in constant time.
    pub(crate) fn verify(&self, sent: &[u8; 32], data: &[u8]) -> Option<[u8; 32]> {
        match self {
            Self::Hashed { expected, answer } => {
                let is_right = data.is_empty() & bool::from(Sha256::digest(sent).ct_eq(expected.as_slice()));
                is_right.then_some(**answer)
            }
            Self::Key(token) => {
                let is_right: bool = hash(token.as_bytes(), INITIATOR, data).ct_eq(sent).into();
                is_right.then(|| hash(token.as_bytes(), RESPONDER, data))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read() {
        let read = |message: &[u8]| Message::read(message, &["example.net"]).map(|message| message.user);
        let hash = [0; 32];
        assert_eq!(read(&[b"1001\0", &hash[..]].concat()).as_deref(), Ok("1001"));
        assert_eq!(read(&[b"1001@example.net\0", &hash[..]].concat()).as_deref(), Ok("1001"));
        for bad in [&b""[..], b"1001", b"1001\0", b"\0", b"1001\0short"] {
            assert_eq!(read(bad), Err(Failure::MalformedRequest));
        }
        assert_eq!(read(&[b"\0", &hash[..]].concat()), Err(Failure::MalformedRequest));
        assert_eq!(read(&[b"\xff\0", &hash[..]].concat()), Err(Failure::MalformedRequest));
        assert_eq!(read(&[b"1001\0x", &hash[..]].concat()), Err(Failure::MalformedRequest));
    }

    #[test]
    fn a_kept_token_knows_its_own_and_nothing_else() {
        for (ht, data) in [(Ht::None, &[][..]), (Ht::Exporter, &[7; 32]), (Ht::EndPoint, &[9; 48])] {
            let kept = Kept::new(ht, "token");
            let right = hash(b"token", b"Initiator", data);
            assert_eq!(kept.verify(&right, data), Some(hash(b"token", b"Responder", data)));
            assert_eq!(kept.verify(&hash(b"tokem", b"Initiator", data), data), None);
            assert_eq!(kept.verify(&right, b"another channel"), None);
            assert_eq!(format!("{kept:?}"), "Kept(***)");
        }
    }
}
