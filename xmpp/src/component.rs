//! External components (XEP-0114): a process beside the server that proves a shared secret, speaks for every
//! address of one domain, and is where stanzas to that domain go.
//!
//! Its usual work here is to publish: an application that makes events and is no client. What it may do on
//! the publish-subscribe service is [`AccessPolicy::component`](crate::AccessPolicy::component)'s to say; as
//! an owner, publisher or subscriber of a node all its addresses are one account, the domain.
//!
//! The stream is [`Stream`](crate::Stream) with [`Framing::Component`](crate::Framing); the listener is
//! [`serve`] (cargo feature `component`).

#[cfg(feature = "component")]
mod listener;

use std::fmt::Write;

use sha1::{Digest, Sha1};

use crate::auth::Password;
#[cfg(feature = "component")]
pub use listener::{serve, serve_closing};

/// A component that may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its domain, prepared (lower case).
    pub domain: String,
    /// What it has to know.
    pub secret: Password,
}

/// What a component answers to a header with this `id`: SHA-1 of id and secret in lower-case hexadecimal
/// (XEP-0114 §3).
pub fn handshake(id: &str, secret: &str) -> String {
    let digest = Sha1::new().chain_update(id).chain_update(secret).finalize();
    let mut out = String::with_capacity(40);
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Compares in a time that depends on the lengths only.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x79_handshake_vector_of_xep_0114() {
        // Stream id of the XEP's examples; the digest is that of sha1sum for id and "test".
        assert_eq!(handshake("3BF96D32", "test"), "aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e");
    }

    #[test]
    fn digests_are_compared_as_a_whole() {
        assert!(same(b"ab", b"ab"));
        assert!(!same(b"ab", b"ac") && !same(b"ab", b"a") && !same(b"", b"a"));
    }
}
