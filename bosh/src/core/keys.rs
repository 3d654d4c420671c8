//! Key sequencing (XEP-0124 §15): each request proves that it comes from the client that made the
//! one before. SHA-1 is what the protocol names; it is no substitute for TLS.

use sha1::{Digest, Sha1};

/// What the next key has to hash to.
#[derive(Debug)]
pub(super) struct Keys {
    expected: Box<str>,
}

impl Keys {
    /// Starts a sequence with the `newkey` of the session creation request.
    pub(super) fn new(newkey: &str) -> Self {
        Self { expected: newkey.into() }
    }

    /// Checks one request, in sequence, and moves on. `false`: the request must not be processed.
    pub(super) fn advance(&mut self, key: Option<&str>, newkey: Option<&str>) -> bool {
        let Some(key) = key else { return false };
        if !self.expected.eq_ignore_ascii_case(&sha1_hex(key)) {
            return false;
        }
        self.expected = newkey.unwrap_or(key).into();
        true
    }
}

/// SHA-1 of the text, as lower-case hexadecimal text: one step of a key sequence.
pub fn sha1_hex(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha1::digest(text.as_bytes());
    let mut out = String::with_capacity(digest.len() * 2);
    for byte in digest.iter() {
        out.push(HEX[usize::from(byte >> 4)] as char);
        out.push(HEX[usize::from(byte & 15)] as char);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_walked_backwards_and_replaced() {
        let k1 = sha1_hex("seed");
        let k2 = sha1_hex(&k1);
        let other = sha1_hex("other");
        let mut keys = Keys::new(&sha1_hex(&k2).to_uppercase());
        assert!(keys.advance(Some(&k2), None));
        assert!(keys.advance(Some(&k1), Some(&sha1_hex(&other))));
        assert!(!keys.advance(Some("seed"), None), "the old sequence is over");
        assert!(keys.advance(Some(&other), None));
        assert!(!keys.advance(None, None));
    }

    #[test]
    fn the_hash_is_sha1_of_the_text() {
        assert_eq!(sha1_hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
