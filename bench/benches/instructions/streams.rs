//! Streams over TCP, with a connection in memory in place of the socket.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use broker::Broker;
use tokio::runtime::Runtime;
use xmpp::auth::Verdict;
use xmpp::tcp::{TcpOptions, serve_io};
use xmpp::{Access, AccessPolicy, Authenticator, Credentials, Principal, Service};

use crate::PAYLOAD;
use crate::wire::{Task, Wire};

const SUBSCRIBERS: usize = 50;
const NODE: &str = "/finesse/api/Queue/1";

struct Anybody;

impl Authenticator for Anybody {
    fn authenticate(&self, credentials: Credentials) -> Verdict {
        Box::pin(async move { Ok(Principal { user: credentials.user.into(), tag: 0 }) })
    }
}

/// As [`xmpp::OpenPolicy`], and everybody may be as fast as the rounds are.
struct Open;

impl AccessPolicy for Open {
    fn subscribe(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn publish(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn create(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn configure(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn retrieve(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn may_flood(&self, _: &Principal) -> bool {
        true
    }
}

/// A service that lets everybody do everything.
pub fn service() -> Service {
    let broker = Broker::new(broker::Config::default());
    Service::new(xmpp::Config::new("localhost"), broker, Arc::new(Anybody), Arc::new(Open))
}

/// The initial response of SASL PLAIN.
pub fn plain(user: &str) -> String {
    STANDARD.encode(format!("\0{user}\0pw"))
}

/// A runtime for the timers of connections; nothing is spawned on it that is counted.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// A client and the task that serves it.
struct Desk<'a> {
    runtime: &'a Runtime,
    wire: Wire,
    task: Task<Pin<Box<dyn Future<Output = ()>>>>,
}

impl<'a> Desk<'a> {
    fn login(runtime: &'a Runtime, service: &Service, options: &TcpOptions, user: &str) -> Self {
        let wire = Wire::default();
        let (io, service, options) = (wire.clone(), service.clone(), options.clone());
        let serve = async move { serve_io(io, None, service, &options).await };
        let mut desk = Self { runtime, wire, task: Task::new(Box::pin(serve)) };
        let open = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' \
                    to='localhost' version='1.0'>";
        let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>";
        desk.say(open, "</stream:features>");
        desk.say(&format!("{auth}{}</auth>", plain(user)), "<success");
        desk.say(open, "</stream:features>");
        let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>load</resource></bind>";
        desk.say(&format!("<iq type='set' id='b'>{bind}</iq>"), "</iq>");
        desk.say("<presence/>", "<presence");
        desk
    }

    /// Sends and waits for an answer with `end` in it; only during set-up.
    fn say(&mut self, text: &str, end: &str) {
        self.wire.send(text.as_bytes());
        let mut seen = String::new();
        for _ in 0..1000 {
            assert!(self.run(), "{seen}");
            self.wire.received(|bytes| seen.push_str(&String::from_utf8_lossy(bytes)));
            if seen.contains(end) {
                return;
            }
            // A stream header and its features have a pause between them.
            self.runtime.block_on(tokio::time::sleep(Duration::from_millis(1)));
        }
        panic!("no {end} in {seen:?}");
    }

    /// Does what is to be done; whether the connection is still there.
    fn run(&mut self) -> bool {
        self.task.run().is_none()
    }

    fn pubsub(&mut self, what: &str) {
        self.say(&pubsub(what), "type=\"result\"");
    }
}

fn pubsub(what: &str) -> String {
    let pubsub = "<pubsub xmlns='http://jabber.org/protocol/pubsub'>";
    format!("<iq type='set' id='p' to='pubsub.localhost'>{pubsub}{what}</pubsub></iq>")
}

/// A publisher, and so many clients that are subscribed to [`NODE`].
fn desks<'a>(runtime: &'a Runtime, service: &Service, subscribers: usize) -> (Desk<'a>, Vec<Desk<'a>>) {
    let options = TcpOptions::default();
    let mut publisher = Desk::login(runtime, service, &options, "pub0");
    publisher.pubsub(&format!("<create node='{NODE}'/>"));
    let desk = |n| {
        let user = format!("agent{n}");
        let mut desk = Desk::login(runtime, service, &options, &user);
        desk.pubsub(&format!("<subscribe node='{NODE}' jid='{user}@localhost/load'/>"));
        desk
    };
    let desks = (0..subscribers).map(desk).collect();
    (publisher, desks)
}

/// An event to 50 streams, from the broker to the bytes on the connection; per delivery.
pub fn fanout(rounds: usize) -> usize {
    let runtime = runtime();
    let _guard = runtime.enter();
    let service = service();
    let (_publisher, mut desks) = desks(&runtime, &service, SUBSCRIBERS);
    let text = "x".repeat(PAYLOAD);
    let mut delivered = 0;
    for _ in 0..rounds {
        service.broker().publish(NODE, xmpp::notification("pubsub.localhost", NODE, &text));
        for desk in &mut desks {
            assert!(desk.run());
            delivered += desk.wire.received(|bytes| usize::from(bytes.len() > PAYLOAD));
        }
    }
    assert_eq!(delivered, rounds * SUBSCRIBERS);
    delivered
}

/// A publication by IQ to one subscriber: reading, answering, delivering, writing; per publication.
pub fn publish(rounds: usize) -> usize {
    let runtime = runtime();
    let _guard = runtime.enter();
    let service = service();
    let (mut publisher, mut desks) = desks(&runtime, &service, 1);
    let notification = "<notification xmlns='http://jabber.org/protocol/pubsub'>";
    let item = format!("<item>{notification}{}</notification></item>", "x".repeat(PAYLOAD));
    let request = pubsub(&format!("<publish node='{NODE}'>{item}</publish>"));
    let mut published = 0;
    for _ in 0..rounds {
        publisher.wire.send(request.as_bytes());
        assert!(publisher.run() && desks[0].run());
        let answered = publisher.wire.received(|bytes| bytes.starts_with(b"<iq"));
        published += desks[0].wire.received(|bytes| usize::from(answered && bytes.len() > PAYLOAD));
    }
    assert_eq!(published, rounds);
    published
}
