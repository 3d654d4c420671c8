//! A server under attack, and a bystander whose session is watched meanwhile.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bosh::Config;
use broker::Broker;
use xmpp::auth::Verdict;
use xmpp::{Access, AccessPolicy, AuthFailure, Authenticator, Credentials, Principal, Refusal, Service};

use crate::common::{NS, assert_condition};
use crate::web::{Client, Server, eventually};

pub const PING: &str = "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";

/// Everybody with the password `pw`; counts how often it is asked.
#[derive(Default)]
struct Realm(AtomicUsize);

impl Authenticator for Realm {
    fn authenticate(&self, credentials: Credentials) -> Verdict {
        self.0.fetch_add(1, Ordering::SeqCst);
        let known = credentials.password.expose() == "pw" && &*credentials.user != "unknown";
        let user = credentials.user.to_lowercase();
        let verdict =
            if known { Ok(Principal { user: user.into(), tag: 0 }) } else { Err(AuthFailure::NotAuthorized) };
        Box::pin(std::future::ready(verdict))
    }
}

/// Everybody subscribes; only `pub…` creates and publishes.
struct Rights;

impl Rights {
    fn publisher(who: &Principal) -> Access {
        if who.user.starts_with("pub") { Access::Allow } else { Access::Forbidden }
    }
}

impl AccessPolicy for Rights {
    fn subscribe(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn publish(&self, who: &Principal, _: &str) -> Access {
        Self::publisher(who)
    }
    fn create(&self, who: &Principal, _: &str) -> Access {
        Self::publisher(who)
    }
    fn configure(&self, who: &Principal, _: &str) -> Access {
        Self::publisher(who)
    }
    fn retrieve(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
}

/// What a test changes of the server.
pub struct Setting {
    pub bosh: Config,
    pub xmpp: xmpp::Config,
    pub broker: broker::Config,
    /// What the endpoint takes its clients for; without it they are of this machine, and trusted.
    pub peer: Option<IpAddr>,
    pub header: Duration,
}

pub struct Arena {
    pub server: Server,
    bystander: Client,
    realm: Arc<Realm>,
    published: usize,
    calm: u64,
}

impl Arena {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Setting)) -> Self {
        let mut setting = Setting {
            bosh: Config::default(),
            xmpp: xmpp::Config::new("localhost"),
            broker: broker::Config::default(),
            peer: None,
            header: Duration::from_secs(90),
        };
        change(&mut setting);
        let realm = Arc::new(Realm::default());
        let service =
            Service::new(setting.xmpp, Broker::new(setting.broker), realm.clone(), Arc::new(Rights));
        let server = Server::patient(service, setting.bosh, setting.peer, setting.header).await;
        let mut bystander = Client::login(&server, "watcher").await;
        bystander.subscribe("/watch").await;
        let mut arena = Self { server, bystander, realm, published: 0, calm: 0 };
        arena.is_undisturbed().await;
        arena.calm = arena.memory();
        arena
    }

    pub fn count(&self, reason: Refusal) -> u64 {
        self.server.service.stats().refusals.get(reason)
    }

    /// How often the realm was asked.
    pub fn asked(&self) -> usize {
        self.realm.0.load(Ordering::SeqCst)
    }

    /// Bytes held for clients.
    pub fn memory(&self) -> u64 {
        self.server.service.stats().memory
    }

    /// Bytes more than without an attack.
    pub fn cost(&self) -> u64 {
        self.memory().saturating_sub(self.calm)
    }

    /// The bystander gets every event once and in order, and its requests are answered.
    pub async fn is_undisturbed(&mut self) {
        let from = self.published;
        for _ in 0..5 {
            self.published += 1;
            assert_eq!(self.server.publish("/watch", &format!("event {}.", self.published)), 1);
        }
        let said = self.bystander.ask(PING).await;
        assert!(said.contains("id=\"p\""), "{said}");
        let events: Vec<_> = said.match_indices(">event ").map(|(at, _)| &said[at + 1..]).collect();
        assert_eq!(events.len(), 5, "{said}");
        for (event, n) in events.iter().zip(from + 1..) {
            assert!(event.starts_with(&format!("event {n}.")), "{said}");
        }
    }

    /// The bystander takes a new connection, as clients do whose idle one the server has closed.
    pub async fn reconnect(&mut self) {
        self.bystander.first = self.server.connect().await;
    }

    /// What an attack has left: nothing but the bystander's session, and the memory that it had before.
    pub async fn is_calm(&mut self) {
        let (endpoint, service, calm) =
            (self.server.endpoint.clone(), self.server.service.clone(), self.calm);
        eventually("only the bystander is left", || {
            let stats = endpoint.stats();
            (stats.sessions, stats.held) == (1, 0)
                && service.sessions() == 1
                && service.stats().memory <= calm
        })
        .await;
        self.is_undisturbed().await;
    }

    /// Sends each hostile body, written around the start tag `%`, in a session of its own and checks condition and
    /// counter.
    pub async fn ends(attacks: &[&str], condition: &str, counter: Refusal) {
        let mut arena = Self::new().await;
        for (n, attack) in (1..).zip(attacks) {
            let mut victim = Client::login(&arena.server, "1001").await;
            victim.rid += 1;
            let root = format!("<body rid='{}' sid='{}' {NS}", victim.rid, victim.sid);
            let answer = victim.first.roundtrip(&attack.replace('%', &root)).await;
            assert_eq!(answer.status, 200, "{attack:.100}: {answer:?}");
            assert_condition(&answer.body, condition);
            assert!(answer.body.len() < 1000, "{answer:?}");
            assert_eq!(arena.count(counter), n, "{attack:.100}: {:?}", arena.server.service.stats().refusals);
            arena.is_calm().await;
        }
        assert_eq!(arena.server.service.stats().refusals.total(), attacks.len() as u64);
    }

    /// An `<iq type='set'/>` to the pubsub service.
    pub async fn pubsub(client: &mut Client, inner: &str) -> String {
        client
            .ask(&format!(
                "<iq xmlns='jabber:client' type='set' id='q' to='pubsub.localhost'>\
                 <pubsub xmlns='http://jabber.org/protocol/pubsub'>{inner}</pubsub></iq>"
            ))
            .await
    }

    /// Ends a session as its client does.
    pub async fn leave(mut client: Client) {
        let end = client.next("type='terminate'", "");
        client.first.roundtrip(&end).await;
    }
}

/// An address that is not trusted.
pub fn stranger() -> Option<IpAddr> {
    Some("192.0.2.7".parse().unwrap())
}
