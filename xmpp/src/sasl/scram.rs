//! SCRAM (RFC 5802, RFC 7677), server side: a machine of two steps without I/O.
//!
//! [`First::read`] takes the client's first message; with the user's [`Verifier`] (or a decoy) it becomes a challenge
//! and a [`Pending`] exchange; [`Pending::finish`] takes the client's last message and says whether the client knew
//! the password. What follows from that (lock-out, retries) is the realm's and the stream's.

mod verifier;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::binding::ChannelBinding;
use super::{Failure, identity};
pub use verifier::{BadVerifier, Decoys, Hash, ITERATIONS, MAX_ITERATIONS, MIN_ITERATIONS, SALT, Verifier};

/// Longest client nonce; sensible ones have some 24 characters.
const NONCE: usize = 1024;

/// The client's first message, read.
pub struct First {
    hash: Hash,
    user: String,
    /// What `c=` of the last message has to be before base64: the GS2 header and the channel's data.
    bound: Vec<u8>,
    bare: String,
    nonce: String,
}

/// An exchange that waits for the client's last message.
pub struct Pending {
    bound: Vec<u8>,
    nonce: String,
    verifier: Verifier,
    /// First two of the three parts of `AuthMessage`, with their commas.
    so_far: String,
}

/// How an exchange came out.
pub struct Outcome {
    /// The client knows the password.
    pub proven: bool,
    /// The server's last message, for a client that does.
    pub message: String,
}

impl First {
    /// Reads `client-first-message`. `plus` says which variant the client chose; `binding` is what the channel
    /// offers, and `None` when no `-PLUS` mechanism was offered. `domains` as for [`super::plain()`].
    ///
    /// # Errors
    /// [`Failure::MalformedRequest`] for what is not SCRAM, for mandatory extensions, and for channel binding with a
    /// mechanism without it, or of a type not offered; [`Failure::InvalidAuthzid`]; [`Failure::NotAuthorized`] when
    /// the client believes that the server cannot bind channels although it was offered: somebody on the way
    /// has taken the offer out (RFC 5802 §6).
    pub fn read(
        message: &[u8],
        hash: Hash,
        plus: bool,
        binding: Option<&ChannelBinding>,
        domains: &[&str],
    ) -> Result<Self, Failure> {
        let text = std::str::from_utf8(message).map_err(|_| Failure::MalformedRequest)?;
        let (header, bare) = split_header(text).ok_or(Failure::MalformedRequest)?;
        let data = match (header.flag, plus) {
            (Flag::NotSupported, false) => &[],
            (Flag::NotOffered, false) if binding.is_none() => &[],
            (Flag::NotOffered, false) => return Err(Failure::NotAuthorized),
            (Flag::Used(name), true) => {
                binding.and_then(|binding| binding.data(name)).ok_or(Failure::MalformedRequest)?
            }
            _ => return Err(Failure::MalformedRequest),
        };
        let mut fields = bare.split(',');
        let name = fields.next().and_then(|field| field.strip_prefix("n="));
        let nonce = fields.next().and_then(|field| field.strip_prefix("r="));
        let (Some(name), Some(nonce)) = (name, nonce) else { return Err(Failure::MalformedRequest) };
        if !is_nonce(nonce) || nonce.len() > NONCE || fields.any(|field| !is_attribute(field)) {
            return Err(Failure::MalformedRequest);
        }
        let name = sasl_name(name).ok_or(Failure::MalformedRequest)?;
        let authzid =
            header.authzid.map_or(Some(String::new()), sasl_name).ok_or(Failure::MalformedRequest)?;
        let user = identity(&authzid, &name, domains)?;
        let bound = [header.text.as_bytes(), data].concat();
        Ok(Self { hash, user, bound, bare: bare.to_owned(), nonce: nonce.to_owned() })
    }

    /// Id of the user who wants to log in, without domain and unescaped.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Hash function of the chosen mechanism, which the verifier has to be for.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The challenge, and the exchange that waits for its answer. `nonce` has to be fresh, random, printable ASCII
    /// without comma.
    pub fn challenge(self, verifier: Verifier, nonce: &str) -> (Pending, String) {
        let nonce = self.nonce + nonce;
        let salt = STANDARD.encode(&verifier.salt);
        let message = format!("r={nonce},s={salt},i={}", verifier.iterations);
        let so_far = format!("{},{message},", self.bare);
        (Pending { bound: self.bound, nonce, verifier, so_far }, message)
    }
}

impl Pending {
    /// Reads `client-final-message` and judges it. The proof is compared in constant time.
    ///
    /// # Errors
    /// [`Failure::MalformedRequest`] for what is not SCRAM; [`Failure::NotAuthorized`] for another nonce or another
    /// channel than the present one, which says nothing about the password.
    pub fn finish(self, message: &[u8]) -> Result<Outcome, Failure> {
        let text = std::str::from_utf8(message).map_err(|_| Failure::MalformedRequest)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(Failure::MalformedRequest)?;
        let mut fields = without_proof.split(',');
        let bound = fields.next().and_then(|field| field.strip_prefix("c="));
        let nonce = fields.next().and_then(|field| field.strip_prefix("r="));
        let (Some(bound), Some(nonce)) = (bound, nonce) else { return Err(Failure::MalformedRequest) };
        if fields.any(|field| !is_attribute(field)) {
            return Err(Failure::MalformedRequest);
        }
        let hash = self.verifier.hash;
        let bound = STANDARD.decode(bound).map_err(|_| Failure::MalformedRequest)?;
        let proof = STANDARD.decode(proof).map_err(|_| Failure::MalformedRequest)?;
        if proof.len() != hash.size() {
            return Err(Failure::MalformedRequest);
        }
        if bound != self.bound || nonce != self.nonce {
            return Err(Failure::NotAuthorized);
        }
        let auth_message: [&[u8]; 2] = [self.so_far.as_bytes(), without_proof.as_bytes()];
        let mut client_key = hash.hmac(&self.verifier.stored_key, &auth_message);
        client_key.iter_mut().zip(&proof).for_each(|(key, proof)| *key ^= proof);
        let proven = hash.digest(&client_key).ct_eq(&self.verifier.stored_key).into();
        let signature = hash.hmac(&self.verifier.server_key, &auth_message);
        Ok(Outcome { proven, message: format!("v={}", STANDARD.encode(signature.as_slice())) })
    }
}

enum Flag<'a> {
    NotSupported,
    NotOffered,
    Used(&'a str),
}

struct Header<'a> {
    flag: Flag<'a>,
    authzid: Option<&'a str>,
    text: &'a str,
}

/// Cuts a message into GS2 header (RFC 5802 §7) and the rest.
fn split_header(text: &str) -> Option<(Header<'_>, &str)> {
    let (flag, rest) = text.split_once(',')?;
    let (authzid, bare) = rest.split_once(',')?;
    let flag = match flag {
        "n" => Flag::NotSupported,
        "y" => Flag::NotOffered,
        _ => Flag::Used(flag.strip_prefix("p=")?),
    };
    let authzid = match authzid {
        "" => None,
        _ => Some(authzid.strip_prefix("a=")?),
    };
    let header = Header { flag, authzid, text: &text[..text.len() - bare.len()] };
    Some((header, bare))
}

/// Printable ASCII without comma.
fn is_nonce(nonce: &str) -> bool {
    !nonce.is_empty() && nonce.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b',')
}

/// An optional extension: a letter, `=`, something. `m` would be a mandatory one (RFC 5802 §5.1).
fn is_attribute(field: &str) -> bool {
    let bytes = field.as_bytes();
    bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[0] != b'm' && bytes[1] == b'='
}

/// Undoes the quoting of a `saslname`: `=2C` and `=3D` stand for comma and equals sign.
fn sasl_name(name: &str) -> Option<String> {
    let mut parts = name.split('=');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (c, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return None,
        };
        out.push(c);
        out.push_str(rest);
    }
    (!out.is_empty() && !out.contains('\0')).then_some(out)
}

#[cfg(test)]
mod tests;
