//! Any text where a client logs in, by RFC 6120 and by SASL2, with PLAIN, SCRAM and tokens: the realm is only asked
//! with a user, nobody gets in without the password, and every other text gets exactly one answer.
//!
//! The first byte chooses the form of the first message, the next line is that message, the rest the second one.
#![no_main]

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use xmpp::auth::{Attempt, Lookup, Verdict};
use xmpp::sasl::binding::{self, ChannelBinding};
use xmpp::sasl::scram::{Decoys, First, Hash, Verifier};
use xmpp::{
    Action, Answer, Authenticator, Channel, Config, Credentials, FastOptions, Framing, OpenPolicy, Question,
    Service, Stream, Verifiers, sasl,
};

/// Has verifiers that nothing fulfils.
struct Nobody(Decoys);

impl Authenticator for Nobody {
    fn authenticate(&self, _: Credentials) -> Verdict {
        Box::pin(std::future::pending())
    }

    fn scram(&self) -> Option<&dyn Verifiers> {
        Some(self)
    }
}

impl Verifiers for Nobody {
    fn hashes(&self) -> &[Hash] {
        &Hash::ALL
    }

    fn decoys(&self) -> &Decoys {
        &self.0
    }

    fn lookup(&self, _: &Attempt) -> Lookup {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn conclude(&self, _: Attempt, _: bool) -> Verdict {
        Box::pin(std::future::pending())
    }
}

fn service() -> Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    let make = || {
        let broker = broker::Broker::new(broker::Config::default());
        let fast = Some(FastOptions::default());
        let config = Config { scram: true, sasl2: true, fast, ..Config::new("example.net") };
        Service::new(config, broker, Arc::new(Nobody(Decoys::new(b"key", None))), Arc::new(OpenPolicy))
    };
    SERVICE.get_or_init(make).clone()
}

const HEADER: &[u8] = b"<stream:stream to='example.net' version='1.0' xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams'>";
const SASL1: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const SASL2: &str = "urn:xmpp:sasl:2";
const MECHANISMS: [&str; 5] =
    ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "HT-SHA-256-NONE"];

fn verifier() -> Verifier {
    Decoys::new(b"key", None).verifier(Hash::Sha256, "user")
}

fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    xmpp::xml::push_text(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

/// How many answers are in the outbox; throws them away.
fn answers(stream: &Stream) -> usize {
    let mut parcels = VecDeque::new();
    let _ = stream.outbox().try_take(&mut parcels, usize::MAX);
    parcels.len()
}

/// The messages by themselves.
fn messages(first: &[u8], last: &[u8]) {
    if let Ok(plain) = sasl::plain(first.to_vec(), &["example.net"]) {
        assert!(!plain.user.is_empty() && !plain.password.expose().is_empty());
        assert_eq!(first.iter().filter(|b| **b == 0).count(), 2);
    }
    if let Ok(message) = sasl::ht::Message::read(first, &["example.net"]) {
        assert!(!message.user.is_empty());
    }
    let _ = (binding::end_point(first), Verifier::parse(&String::from_utf8_lossy(first)));
    let data = ChannelBinding { exporter: Some([7; 32]), end_point: None };
    for (plus, binding) in [(false, None), (true, Some(&data))] {
        let Ok(first) = First::read(first, Hash::Sha256, plus, binding, &["example.net"]) else { continue };
        assert!(!first.user().is_empty());
        let (pending, challenge) = first.challenge(verifier(), "nonce");
        assert!(challenge.starts_with("r=") && challenge.ends_with(",i=10000"));
        assert!(!pending.finish(last).is_ok_and(|outcome| outcome.proven), "proven without the password");
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let at = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let (first, last) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    messages(first, last);
    let (Ok(first), Ok(last)) = (std::str::from_utf8(first), std::str::from_utf8(last)) else { return };
    // Half of the runs bring a whole exchange, as the messages would hardly be base64 by chance.
    let text = |message: &str| match choice & 0x40 {
        0 => sasl::encode(message.as_bytes()),
        _ => escaped(message),
    };
    let mechanism = MECHANISMS[usize::from(choice & 0x3f) % MECHANISMS.len()];
    let two = choice & 0x80 != 0;
    let opening = match two {
        false => format!("<auth xmlns='{SASL1}' mechanism='{mechanism}'>{}</auth>", text(first)),
        true => format!(
            "<authenticate xmlns='{SASL2}' mechanism='{mechanism}'><initial-response>{}</initial-response>\
             <user-agent id='1'/><fast xmlns='urn:xmpp:fast:0'/><bind xmlns='urn:xmpp:bind:0'/></authenticate>",
            text(first)
        ),
    };
    let now = Instant::now();
    let channel = ChannelBinding { exporter: Some([7; 32]), end_point: None };
    let channel = Channel { secure: true, binding: Some(Box::new(channel)), ..Channel::default() };
    let mut stream = Stream::new(service(), Framing::Tcp, channel, now);
    stream.handle_bytes(now, &mut &HEADER[..]);
    answers(&stream);
    stream.handle_bytes(now, &mut opening.as_bytes());
    match stream.poll_action() {
        Some(Action::Authenticate(Question::Verifier(attempt))) => {
            assert!(!attempt.user.is_empty() && answers(&stream) == 0);
            stream.handle_auth(
                now,
                Answer::Verifier(Ok(Decoys::new(b"key", None).verifier(attempt.hash, "u"))),
            );
            assert_eq!(answers(&stream), 1, "the challenge");
            let ns = if two { SASL2 } else { SASL1 };
            let response = format!("<response xmlns='{ns}'>{}</response>", text(last));
            stream.handle_bytes(now, &mut response.as_bytes());
            match stream.poll_action() {
                Some(Action::Authenticate(Question::Outcome { proven, .. })) => assert!(!proven),
                Some(Action::Close(_)) => {}
                Some(other) => panic!("asked for {other:?}"),
                None => assert_eq!(answers(&stream), 1),
            }
        }
        Some(Action::Authenticate(Question::Password(credentials))) => {
            assert!(!credentials.user.is_empty() && answers(&stream) == 0);
        }
        Some(Action::Authenticate(Question::Token { owner, .. })) => {
            assert!(owner.is_err(), "a token by chance")
        }
        Some(Action::Close(_)) => {}
        Some(other) => panic!("not offered: {other:?}"),
        None => assert_eq!(answers(&stream), 1),
    }
    assert!(!stream.is_authenticated() && !stream.is_bound());
});
