//! Any text in `<auth/>`: the realm is only asked with a user and a password, and every other text gets
//! exactly one failure.
#![no_main]

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use xmpp::auth::Verdict;
use xmpp::{
    Action, Authenticator, Channel, Config, Credentials, Framing, OpenPolicy, Question, Service, Stream, sasl,
};

struct Nobody;

impl Authenticator for Nobody {
    fn authenticate(&self, _: Credentials) -> Verdict {
        Box::pin(std::future::pending())
    }
}

fn service() -> Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    let make = || {
        let broker = broker::Broker::new(broker::Config::default());
        Service::new(Config::new("example.net"), broker, Arc::new(Nobody), Arc::new(OpenPolicy))
    };
    SERVICE.get_or_init(make).clone()
}

const HEADER: &[u8] = b"<stream:stream to='example.net' version='1.0' xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams'>";

fuzz_target!(|data: &[u8]| {
    if let Ok(plain) = sasl::plain(data.to_vec(), &["example.net"]) {
        assert!(!plain.user.is_empty() && !plain.password.expose().is_empty());
        assert_eq!(data.iter().filter(|b| **b == 0).count(), 2);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let now = Instant::now();
    let mut stream = Stream::new(service(), Framing::Tcp, Channel::default(), now);
    stream.handle_bytes(now, &mut &HEADER[..]);
    let mut parcels = VecDeque::new();
    let _ = stream.outbox().try_take(&mut parcels, usize::MAX);
    parcels.clear();
    let mut auth = b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>".to_vec();
    xmpp::xml::push_text(&mut auth, text);
    auth.extend_from_slice(b"</auth>");
    stream.handle_bytes(now, &mut auth.as_slice());
    let _ = stream.outbox().try_take(&mut parcels, usize::MAX);
    match stream.poll_action() {
        Some(Action::Authenticate(Question::Password(credentials))) => {
            assert!(!credentials.user.is_empty() && parcels.is_empty());
        }
        Some(Action::Close(_)) => {}
        Some(other) => panic!("not offered: {other:?}"),
        None => assert_eq!(parcels.len(), 1),
    }
});
