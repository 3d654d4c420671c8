//! What a realm keeps of a password for SCRAM (RFC 5802 §3, RFC 5803): salt, iterations, two keys.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Fewest iterations that are taken (RFC 5802 §5.1, RFC 7677 §4).
pub const MIN_ITERATIONS: u32 = 4096;
/// Most iterations that are taken: each login costs the client that many hashes.
pub const MAX_ITERATIONS: u32 = 1_000_000;
/// Iterations of new verifiers: what a browser on a small machine does in some ten milliseconds.
pub const ITERATIONS: u32 = 10_000;
/// Bytes of salt of new verifiers.
pub const SALT: usize = 16;

pub(super) type Key = Zeroizing<Vec<u8>>;

/// Hash function of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// SCRAM-SHA-1 (RFC 5802).
    Sha1,
    /// SCRAM-SHA-256 (RFC 7677).
    Sha256,
}

fn mac<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Key {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("any length will do");
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

/// `Hi` of RFC 5802 §2.2: PBKDF2 with one block.
fn stretch<M: Mac + KeyInit + Clone>(password: &[u8], salt: &[u8], iterations: u32) -> Key {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let keyed = <M as KeyInit>::new_from_slice(password).expect("any length will do");
    let next = |message: &[u8], tail: &[u8]| {
        let mut mac = keyed.clone();
        mac.update(message);
        mac.update(tail);
        mac.finalize().into_bytes()
    };
    let mut last = next(salt, &1u32.to_be_bytes());
    let mut sum = Zeroizing::new(last.to_vec());
    for _ in 1..iterations {
        last = next(&last, &[]);
        sum.iter_mut().zip(last.iter()).for_each(|(sum, last)| *sum ^= last);
    }
    sum
}

impl Hash {
    /// Both, the stronger first: the order in which they are offered.
    pub const ALL: [Hash; 2] = [Hash::Sha256, Hash::Sha1];

    /// Name of the mechanism; `plus` with channel binding.
    pub fn mechanism(self, plus: bool) -> &'static str {
        match (self, plus) {
            (Self::Sha1, false) => "SCRAM-SHA-1",
            (Self::Sha1, true) => "SCRAM-SHA-1-PLUS",
            (Self::Sha256, false) => "SCRAM-SHA-256",
            (Self::Sha256, true) => "SCRAM-SHA-256-PLUS",
        }
    }

    /// Bytes of its output.
    pub fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    pub(super) fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Key {
        match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(key, parts),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, parts),
        }
    }

    pub(super) fn digest(self, data: &[u8]) -> Key {
        Zeroizing::new(match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        })
    }

    fn stretch(self, password: &[u8], salt: &[u8], iterations: u32) -> Key {
        match self {
            Self::Sha1 => stretch::<Hmac<Sha1>>(password, salt, iterations),
            Self::Sha256 => stretch::<Hmac<Sha256>>(password, salt, iterations),
        }
    }
}

/// What verifies one user's password by SCRAM. It does not tell the password, but whoever has it can play the
/// server, and can guess at the password as fast as he can hash: treat it as a secret. Masked in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    pub(super) hash: Hash,
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    pub(super) stored_key: Key,
    pub(super) server_key: Key,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// Why there is no verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadVerifier {
    /// Not of the form of RFC 5803, or keys of a wrong length.
    #[error("not a SCRAM verifier")]
    Form,
    /// Outside of [`MIN_ITERATIONS`] to [`MAX_ITERATIONS`].
    #[error("iterations must be from {MIN_ITERATIONS} to {MAX_ITERATIONS}")]
    Iterations,
    /// Empty, or with characters that SASLprep does not allow (RFC 4013).
    #[error("the password cannot be used with SCRAM")]
    Password,
    /// The operating system gives no random bytes.
    #[error("no random bytes")]
    Random,
}

impl Verifier {
    /// The verifier of `password` with the given salt. The password is prepared with SASLprep (RFC 4013), as clients
    /// do it.
    ///
    /// # Errors
    /// [`BadVerifier::Password`] and [`BadVerifier::Iterations`].
    pub fn derive(hash: Hash, password: &str, salt: &[u8], iterations: u32) -> Result<Self, BadVerifier> {
        if !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
            return Err(BadVerifier::Iterations);
        }
        let prepared = stringprep::saslprep(password).map_err(|_| BadVerifier::Password)?;
        let prepared = Zeroizing::new(prepared.into_owned());
        if prepared.is_empty() {
            return Err(BadVerifier::Password);
        }
        let salted = hash.stretch(prepared.as_bytes(), salt, iterations);
        let stored_key = hash.digest(&hash.hmac(&salted, &[b"Client Key"]));
        let server_key = hash.hmac(&salted, &[b"Server Key"]);
        Ok(Self { hash, iterations, salt: salt.to_vec(), stored_key, server_key })
    }

    /// A verifier with fresh salt and [`ITERATIONS`].
    ///
    /// # Errors
    /// As [`derive`](Self::derive), and [`BadVerifier::Random`].
    pub fn new(hash: Hash, password: &str) -> Result<Self, BadVerifier> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(|_| BadVerifier::Random)?;
        Self::derive(hash, password, &salt, ITERATIONS)
    }

    /// Hash function it is for.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Iterations.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Bytes of salt.
    pub fn salt_size(&self) -> usize {
        self.salt.len()
    }

    /// The form in which it is stored (RFC 5803 §3):
    /// `SCRAM-SHA-256$iterations:salt$stored-key:server-key`, the last three in base64. A secret.
    pub fn to_text(&self) -> String {
        let [salt, stored, server] =
            [self.salt.as_slice(), &self.stored_key, &self.server_key].map(|part| STANDARD.encode(part));
        format!("{}${}:{salt}${stored}:{server}", self.hash.mechanism(false), self.iterations)
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    ///
    /// # Errors
    /// [`BadVerifier::Form`] and [`BadVerifier::Iterations`].
    pub fn parse(text: &str) -> Result<Self, BadVerifier> {
        let split = || {
            let (mechanism, rest) = text.split_once('$')?;
            let (info, value) = rest.split_once('$')?;
            Some((mechanism, info.split_once(':')?, value.split_once(':')?))
        };
        let (mechanism, (iterations, salt), (stored, server)) = split().ok_or(BadVerifier::Form)?;
        let hash = Hash::ALL.into_iter().find(|hash| hash.mechanism(false) == mechanism);
        let hash = hash.ok_or(BadVerifier::Form)?;
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| BadVerifier::Form);
        let (salt, stored_key, server_key) =
            (bytes(salt)?, Zeroizing::new(bytes(stored)?), Zeroizing::new(bytes(server)?));
        let is_key = |key: &Key| key.len() == hash.size();
        if salt.is_empty() || salt.len() > 255 || !is_key(&stored_key) || !is_key(&server_key) {
            return Err(BadVerifier::Form);
        }
        let iterations: u32 = iterations.parse().map_err(|_| BadVerifier::Form)?;
        if !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
            return Err(BadVerifier::Iterations);
        }
        Ok(Self { hash, iterations, salt, stored_key, server_key })
    }
}

/// Verifiers for users that do not exist, so that their logins look like those of users who do: the salt of a name
/// is always the same, and nothing fulfils the verifier.
#[derive(Clone)]
pub struct Decoys {
    secret: Zeroizing<Vec<u8>>,
    iterations: u32,
    salt: usize,
}

impl fmt::Debug for Decoys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoys(***)")
    }
}

impl Decoys {
    /// `secret` should stay the same as long as real salts do, over restarts too, or a client that asks twice can tell;
    /// a hash of something that only the realm knows will do. `like` is a verifier of the realm, whose iterations
    /// and salt size are copied; the defaults of this module without one.
    pub fn new(secret: &[u8], like: Option<&Verifier>) -> Self {
        let (iterations, salt) = like.map_or((ITERATIONS, SALT), |real| (real.iterations, real.salt.len()));
        Self { secret: Zeroizing::new(secret.to_vec()), iterations, salt }
    }

    /// The verifier of a user that does not exist; case is folded, as realms do.
    pub fn verifier(&self, hash: Hash, user: &str) -> Verifier {
        let user = user.to_lowercase();
        let size = |n: u8| {
            Hash::Sha256.hmac(&self.secret, &[&[n], hash.mechanism(false).as_bytes(), b"\0", user.as_bytes()])
        };
        let mut salt: Vec<u8> = size(0).to_vec();
        while salt.len() < self.salt {
            let more = Hash::Sha256.digest(&salt);
            salt.extend_from_slice(&more);
        }
        salt.truncate(self.salt);
        let key = |n| Zeroizing::new(size(n)[..hash.size()].to_vec());
        Verifier { hash, iterations: self.iterations, salt, stored_key: key(1), server_key: key(2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for hash in Hash::ALL {
            let verifier = Verifier::new(hash, "pencil").unwrap();
            assert_eq!(Verifier::parse(&verifier.to_text()), Ok(verifier.clone()));
            assert!(!format!("{verifier:?}").contains('$'));
        }
    }

    #[test]
    fn x15_stored_form_is_that_of_other_software() {
        // What PostgreSQL keeps for the password and salt of RFC 7677 §3.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = Verifier::derive(Hash::Sha256, "pencil", &salt, 4096).unwrap();
        assert_eq!(
            verifier.to_text(),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
             wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn x15_too_few_iterations_are_refused() {
        assert_eq!(Verifier::derive(Hash::Sha1, "p", b"salt", 4095), Err(BadVerifier::Iterations));
        let text = Verifier::new(Hash::Sha1, "p").unwrap().to_text();
        assert_eq!(Verifier::parse(&text.replace("$10000:", "$4095:")), Err(BadVerifier::Iterations));
        for bad in
            ["", "SCRAM-SHA-1", "SCRAM-MD5$4096:c2FsdA==$AAAA:AAAA", "SCRAM-SHA-1$4096:c2FsdA==$AAAA:AAAA"]
        {
            assert_eq!(Verifier::parse(bad), Err(BadVerifier::Form), "{bad}");
        }
    }

    #[test]
    fn passwords_are_prepared() {
        let of = |password| Verifier::derive(Hash::Sha256, password, b"salt", 4096);
        // Examples of RFC 4013 §3: soft hyphen, compatibility forms, non-ASCII space.
        assert_eq!(of("I\u{ad}X"), of("IX"));
        assert_eq!(of("\u{2168}"), of("IX"));
        assert_eq!(of("a\u{a0}b"), of("a b"));
        assert_ne!(of("user"), of("USER"));
        assert_eq!(of("\u{7}"), Err(BadVerifier::Password));
        assert_eq!(of("\u{ad}"), Err(BadVerifier::Password));
    }

    #[test]
    fn decoys_look_real_and_stay_the_same() {
        let real =
            Verifier::derive(Hash::Sha1, "p", b"0123456789012345678901234567890123456789", 5000).unwrap();
        let decoys = Decoys::new(b"secret", Some(&real));
        let one = decoys.verifier(Hash::Sha1, "nobody");
        assert_eq!((one.iterations, one.salt.len()), (5000, 40));
        assert_eq!(one, decoys.verifier(Hash::Sha1, "NoBody"));
        assert_ne!(one.salt, decoys.verifier(Hash::Sha1, "nobody2").salt);
        assert_ne!(one.salt, decoys.verifier(Hash::Sha256, "nobody").salt);
        assert_ne!(one.salt, Decoys::new(b"other", Some(&real)).verifier(Hash::Sha1, "nobody").salt);
        assert!(!format!("{decoys:?}").contains("secret"));
    }
}
