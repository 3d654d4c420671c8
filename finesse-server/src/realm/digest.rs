//! A keyed digest of credentials: what may be kept of a password in memory.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// HMAC-SHA-256 of a user's id and password under the key of this process. Useless outside it; compared in
/// constant time; masked in `Debug`.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn as_array(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Digest) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[digest]")
    }
}

/// The key, made at random when the process starts.
pub(super) struct Keyed(Hmac<Sha256>);

impl Keyed {
    pub(super) fn random() -> Result<Keyed, getrandom::Error> {
        let mut key = zeroize::Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key)?;
        #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
        Ok(Keyed(Hmac::new_from_slice(&*key).expect("any length will do")))
    }

    pub(super) fn digest(&self, id: &str, password: &str) -> Digest {
        let mut mac = self.0.clone();
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        mac.update(&(id.len() as u64).to_be_bytes());
        mac.update(id.as_bytes());
        mac.update(password.as_bytes());
        Digest(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_depend_on_id_password_and_key() {
        let (one, two) = (Keyed::random().unwrap(), Keyed::random().unwrap());
        assert_eq!(one.digest("1001", "a"), one.digest("1001", "a"));
        assert_ne!(one.digest("1001", "a"), one.digest("1001", "b"));
        assert_ne!(one.digest("ab", "c"), one.digest("a", "bc"));
        assert_ne!(one.digest("1001", "a"), two.digest("1001", "a"));
        assert_eq!(format!("{:?}", one.digest("1001", "a")), "[digest]");
    }
}
