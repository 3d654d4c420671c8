//! How clients log in: PLAIN, SCRAM with and without channel binding, and tokens; by RFC 6120 or by SASL2, with
//! what may stand beside it there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use minidom::Element;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use xmpp::sasl;
use xmpp::sasl::ht::{self, Ht};
use xmpp::sasl::scram::{Hash, Verifier};

use crate::managed::SM;
use crate::world;

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const SASL2: &str = "urn:xmpp:sasl:2";
const FAST: &str = "urn:xmpp:fast:0";

const USER: &str = "1001";
const PASSWORD: &str = "secret";

/// Everybody's key of SCRAM; hashing a password for each login would be all that a run does.
const CLIENT_KEY: [u8; 32] = [0x5a; 32];
const SERVER_KEY: [u8; 32] = [0xa5; 32];

fn digest(hash: Hash, data: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha1 => Sha1::digest(data).to_vec(),
        Hash::Sha256 => Sha256::digest(data).to_vec(),
    }
}

fn hmac(hash: Hash, key: &[u8], data: &[u8]) -> Vec<u8> {
    fn mac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(key).expect("any length will do");
        mac.update(data);
        mac.finalize().into_bytes().to_vec()
    }
    match hash {
        Hash::Sha1 => mac::<Hmac<Sha1>>(key, data),
        Hash::Sha256 => mac::<Hmac<Sha256>>(key, data),
    }
}

fn stored_key(hash: Hash) -> Vec<u8> {
    digest(hash, &CLIENT_KEY[..hash.size()])
}

/// What the realm keeps of everybody's password.
pub fn verifier(hash: Hash) -> Verifier {
    let [stored, server] =
        [&stored_key(hash)[..], &SERVER_KEY[..hash.size()]].map(|key| STANDARD.encode(key));
    let text = format!("{}$4096:c2FsdA==${stored}:{server}", hash.mechanism(false));
    Verifier::parse(&text).expect("a verifier")
}

/// A way to log in, from two bytes of the script.
#[derive(Clone, Copy)]
pub struct Way {
    mechanism: u8,
    /// By SASL2.
    pub two: bool,
    /// A resource is bound.
    pub bind: bool,
    /// Stream management is asked for together with binding.
    enable: bool,
    /// A token is asked for.
    wants_token: bool,
    /// An earlier session is resumed.
    pub resume: bool,
    /// With a wrong secret.
    wrong: bool,
    /// With a number against replays.
    count: bool,
    /// The token is not needed any more.
    invalidate: bool,
}

/// Mechanisms that [`Way`] chooses from.
const MECHANISMS: [&str; 7] = [
    "PLAIN",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256-PLUS",
    "HT-SHA-256-NONE",
    "HT-SHA-256-EXPR",
];

impl Way {
    pub fn new(text: &[u8]) -> Self {
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        let bit = |bit: u8| byte(1) & (1 << bit) != 0;
        Self {
            mechanism: byte(0) % 7,
            two: bit(0),
            bind: bit(1),
            enable: bit(2),
            wants_token: bit(3),
            resume: bit(4),
            wrong: bit(5),
            count: bit(6),
            invalidate: bit(7),
        }
    }

    fn name(self) -> &'static str {
        MECHANISMS[usize::from(self.mechanism)]
    }
}

/// A token that the client was given.
struct Token {
    text: String,
    ht: Ht,
}

/// What a client remembers about an exchange of SCRAM.
struct Exchange {
    hash: Hash,
    two: bool,
    wrong: bool,
    /// GS2 header and data of the channel.
    bound: Vec<u8>,
    bare: String,
    /// What the server has to prove itself by.
    signature: Option<Vec<u8>>,
}

/// What a client remembers about its logins, on all of its connections.
#[derive(Default)]
pub struct Client {
    token: Option<Token>,
    /// The token asked for is for this mechanism.
    wanted: Option<Ht>,
    exchange: Option<Exchange>,
    challenge: Option<String>,
    /// The last message was the right one.
    proves: bool,
    count: u32,
}

impl Client {
    /// The first message. `resume`: id and count of the session that waits.
    pub fn first(&mut self, way: Way, resume: Option<(&str, u32)>) -> String {
        (self.challenge, self.exchange, self.proves) = (None, None, false);
        let message = sasl::encode(&self.message(way));
        let mechanism = way.name();
        if !way.two {
            return format!("<auth xmlns='{SASL}' mechanism='{mechanism}'>{message}</auth>");
        }
        let mut beside = String::from("<user-agent id='here'/>");
        if way.wants_token {
            let ht = if way.mechanism.is_multiple_of(2) { Ht::None } else { Ht::Exporter };
            self.wanted = Some(ht);
            beside += &format!("<request-token xmlns='{FAST}' mechanism='{}'/>", ht.name());
        }
        if way.mechanism >= 5 {
            beside += &self.fast(way);
        }
        if let Some((id, h)) = resume.filter(|_| way.resume) {
            beside += &format!("<resume xmlns='{SM}' previd='{id}' h='{h}'/>");
        }
        if way.bind {
            let enable =
                if way.enable { format!("<enable xmlns='{SM}' resume='true'/>") } else { String::new() };
            beside += &format!("<bind xmlns='urn:xmpp:bind:0'><tag>fuzz</tag>{enable}</bind>");
        }
        format!(
            "<authenticate xmlns='{SASL2}' mechanism='{mechanism}'>\
             <initial-response>{message}</initial-response>{beside}</authenticate>"
        )
    }

    fn fast(&mut self, way: Way) -> String {
        let count = if way.count {
            self.count += 1;
            format!(" count='{}'", self.count)
        } else {
            String::new()
        };
        let invalidate = if way.invalidate { " invalidate='true'" } else { "" };
        format!("<fast xmlns='{FAST}'{count}{invalidate}/>")
    }

    fn message(&mut self, way: Way) -> Vec<u8> {
        let binding = world::binding();
        let (hash, plus) = match way.mechanism {
            0 => {
                let password = if way.wrong { "wrong" } else { PASSWORD };
                return format!("\0{USER}\0{password}").into_bytes();
            }
            5 | 6 => {
                let ht = if way.mechanism == 5 { Ht::None } else { Ht::Exporter };
                let token = self.token.as_ref().filter(|token| token.ht == ht && !way.wrong);
                self.proves = token.is_some();
                let text = token.map_or("wrong", |token| &token.text);
                let data = ht.data(Some(&binding)).unwrap_or_default();
                return [USER.as_bytes(), b"\0", &ht::hash(text.as_bytes(), b"Initiator", data)].concat();
            }
            1 => (Hash::Sha1, false),
            2 => (Hash::Sha256, false),
            3 => (Hash::Sha1, true),
            _ => (Hash::Sha256, true),
        };
        let (header, data) = match plus {
            false => ("n,,", &[][..]),
            true => ("p=tls-exporter,,", binding.data("tls-exporter").unwrap_or_default()),
        };
        let bare = format!("n={USER},r=nonce");
        let message = format!("{header}{bare}").into_bytes();
        let bound = [header.as_bytes(), data].concat();
        self.exchange = Some(Exchange { hash, two: way.two, wrong: way.wrong, bound, bare, signature: None });
        message
    }

    /// The answer to the last challenge, if one was heard.
    pub fn response(&mut self) -> Option<String> {
        let challenge = self.challenge.take()?;
        let exchange = self.exchange.as_mut()?;
        let ns = if exchange.two { SASL2 } else { SASL };
        let message = exchange.last(&challenge)?;
        self.proves = !exchange.wrong;
        Some(format!("<response xmlns='{ns}'>{}</response>", sasl::encode(message.as_bytes())))
    }

    /// The last message showed that the client has the password or the token.
    pub fn proves(&self) -> bool {
        self.proves
    }

    /// Anything of SASL is heard.
    pub fn hear(&mut self, element: &Element) {
        if !element.has_ns(SASL) && !element.has_ns(SASL2) {
            return;
        }
        match element.name() {
            "challenge" => {
                self.challenge =
                    STANDARD.decode(element.text()).ok().and_then(|text| String::from_utf8(text).ok());
            }
            "success" => self.succeeded(element),
            _ => (self.exchange, self.challenge) = (None, None),
        }
    }

    fn succeeded(&mut self, element: &Element) {
        if let Some(signature) = self.exchange.take().and_then(|exchange| exchange.signature) {
            let data = element.get_child("additional-data", SASL2).map_or(element.text(), Element::text);
            let expected = format!("v={}", STANDARD.encode(signature));
            assert_eq!(
                STANDARD.decode(data).expect("base64"),
                expected.into_bytes(),
                "the server is the server"
            );
        }
        if let Some(token) = element.get_child("token", FAST) {
            let text = token.attr("token").expect("a token").to_owned();
            // One that is due comes for the mechanism in use; what a script has asked for by itself is not kept.
            if let Some(ht) = self.wanted.or(self.token.as_ref().map(|token| token.ht)) {
                self.token = Some(Token { text, ht });
            }
        }
    }
}

impl Exchange {
    /// The client's last message; `None` if the challenge is none.
    fn last(&mut self, challenge: &str) -> Option<String> {
        let nonce = challenge.strip_prefix("r=")?.split(',').next()?;
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(&self.bound));
        let all = format!("{},{challenge},{without_proof}", self.bare);
        let mut proof = hmac(self.hash, &stored_key(self.hash), all.as_bytes());
        proof.iter_mut().zip(CLIENT_KEY).for_each(|(proof, key)| *proof ^= key);
        proof[0] ^= u8::from(self.wrong);
        self.signature = Some(hmac(self.hash, &SERVER_KEY[..self.hash.size()], all.as_bytes()));
        Some(format!("{without_proof},p={}", STANDARD.encode(proof)))
    }
}
