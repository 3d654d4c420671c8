//! The client's side of SCRAM (RFC 5802 §3), computed from the password, and a realm with verifiers.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use broker::Broker;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use xmpp::auth::{Attempt, Lookup, Verdict};
use xmpp::sasl::scram::{Decoys, Hash, Verifier};
use xmpp::{AuthFailure, Authenticator, Config, Credentials, OpenPolicy, Principal, Service, Verifiers};

use crate::support;

/// The realm of [`support::Realm`], with verifiers for the password `secret`; `nobody` does not exist, `locked` is
/// refused whatever he knows. Notes how attempts came out.
pub struct ScramRealm {
    pub hashes: Vec<Hash>,
    pub decoys: Decoys,
    pub concluded: Arc<Mutex<Vec<(String, bool)>>>,
    pub readmits: Arc<Mutex<Option<AuthFailure>>>,
}

impl ScramRealm {
    pub fn new(hashes: &[Hash]) -> Self {
        let decoys = Decoys::new(b"key", Some(&verifier(Hash::Sha256, "1001")));
        Self { hashes: hashes.to_vec(), decoys, concluded: Arc::default(), readmits: Arc::default() }
    }
}

fn verifier(hash: Hash, user: &str) -> Verifier {
    let salt = &Sha256::digest(user.to_lowercase())[..16];
    Verifier::derive(hash, "secret", salt, 4096).unwrap()
}

impl Authenticator for ScramRealm {
    fn authenticate(&self, credentials: Credentials) -> Verdict {
        support::Realm.authenticate(credentials)
    }

    fn scram(&self) -> Option<&dyn Verifiers> {
        Some(self)
    }

    fn readmit(&self, principal: Principal, _: Option<std::net::IpAddr>) -> Verdict {
        let answer = self.readmits.lock().unwrap().map_or(Ok(principal), Err);
        Box::pin(std::future::ready(answer))
    }
}

impl Verifiers for ScramRealm {
    fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    fn decoys(&self) -> &Decoys {
        &self.decoys
    }

    fn lookup(&self, attempt: &Attempt) -> Lookup {
        let found = match attempt.user.as_str() {
            "unreachable" => Err(AuthFailure::Temporary),
            "slow" => return Box::pin(std::future::pending()),
            "nobody" => Ok(None),
            user => Ok(Some(verifier(attempt.hash, user))),
        };
        Box::pin(std::future::ready(found))
    }

    fn conclude(&self, attempt: Attempt, proven: bool) -> Verdict {
        let user = attempt.user.to_lowercase();
        self.concluded.lock().unwrap().push((user.clone(), proven));
        let right = proven && user != "locked";
        let principal = Principal { user: user.into(), tag: 0 };
        Box::pin(std::future::ready(if right { Ok(principal) } else { Err(AuthFailure::NotAuthorized) }))
    }
}

pub fn service_of(realm: ScramRealm, config: Config) -> Service {
    let broker = Broker::new(broker::Config::default());
    Service::new(config, broker, Arc::new(realm), Arc::new(OpenPolicy))
}

/// One client's exchange; the password is known, the rest is computed.
pub struct Scram {
    pub header: String,
    pub binding: Vec<u8>,
    pub bare: String,
    pub password: String,
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

fn salted(password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
    let mut last = hmac(password.as_bytes(), &[salt, &[0, 0, 0, 1]].concat());
    let mut sum = last.clone();
    for _ in 1..iterations {
        last = hmac(password.as_bytes(), &last);
        sum.iter_mut().zip(&last).for_each(|(sum, last)| *sum ^= last);
    }
    sum
}

impl Scram {
    pub fn new(header: &str, binding: &[u8], user: &str, password: &str) -> Self {
        Self {
            header: header.into(),
            binding: binding.to_vec(),
            bare: format!("n={user},r=clientnonce"),
            password: password.into(),
        }
    }

    /// First message in base64.
    pub fn first(&self) -> String {
        STANDARD.encode(format!("{}{}", self.header, self.bare))
    }

    /// Last message for a challenge, and the server's signature to expect; all in base64.
    pub fn last(&self, challenge: &str) -> (String, String) {
        let challenge = String::from_utf8(STANDARD.decode(challenge).unwrap()).unwrap();
        let field = |name: &str| challenge.split(',').find_map(|field| field.strip_prefix(name)).unwrap();
        let salt = STANDARD.decode(field("s=")).unwrap();
        let salted = salted(&self.password, &salt, field("i=").parse().unwrap());
        let bound = STANDARD.encode([self.header.as_bytes(), &self.binding].concat());
        let without = format!("c={bound},r={}", field("r="));
        let message = format!("{},{challenge},{without}", self.bare);
        let client_key = hmac(&salted, b"Client Key");
        let signature = hmac(&Sha256::digest(&client_key), message.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, sign)| key ^ sign).collect();
        let expected = hmac(&hmac(&salted, b"Server Key"), message.as_bytes());
        (
            STANDARD.encode(format!("{without},p={}", STANDARD.encode(proof))),
            STANDARD.encode(format!("v={}", STANDARD.encode(expected))),
        )
    }
}

/// Text of the first `<name …>` in `xml`.
pub fn text_of<'a>(xml: &'a str, name: &str) -> &'a str {
    let rest = xml.split(&format!("<{name}")).nth(1).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once('>').unwrap().1.split('<').next().unwrap()
}
