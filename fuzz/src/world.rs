//! A service with two nodes that only the server publishes to, and a session that hears all of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{Broker, Outbox, OutboxLimits, Overflow, Parcel};
use minidom::Element;
use xmpp::auth::{Attempt, Lookup, Verdict};
use xmpp::sasl::binding::ChannelBinding;
use xmpp::sasl::scram::{Decoys, Hash};
use xmpp::{
    Access, AccessPolicy, Authenticator, BindError, Bound, Channel, Config, Credentials, FastOptions, Limits,
    Principal, Profile, Service, StartTls, StreamManagement, Verifiers,
};

/// Nodes of the server's own.
pub const NODES: [&str; 2] = ["/n", "/finesse/api/User/1001"];
pub const PUBSUB: &str = "pubsub.localhost";

/// Never says anything by itself: the script speaks for it.
struct Realm(Decoys);

impl Authenticator for Realm {
    fn authenticate(&self, _: Credentials) -> Verdict {
        Box::pin(std::future::pending())
    }

    fn scram(&self) -> Option<&dyn Verifiers> {
        Some(self)
    }
}

impl Verifiers for Realm {
    fn hashes(&self) -> &[Hash] {
        &Hash::ALL
    }

    fn decoys(&self) -> &Decoys {
        &self.0
    }

    fn lookup(&self, _: &Attempt) -> Lookup {
        Box::pin(std::future::pending())
    }

    fn conclude(&self, _: Attempt, _: bool) -> Verdict {
        Box::pin(std::future::pending())
    }
}

/// Everything is allowed, save to write to the server's own nodes.
struct Rights;

fn unless_ours(node: &str) -> Access {
    if NODES.contains(&node) { Access::Forbidden } else { Access::Allow }
}

impl AccessPolicy for Rights {
    fn publish(&self, _: &Principal, node: &str) -> Access {
        unless_ours(node)
    }
    fn create(&self, _: &Principal, node: &str) -> Access {
        unless_ours(node)
    }
    fn configure(&self, _: &Principal, node: &str) -> Access {
        unless_ours(node)
    }
}

/// Which service a script runs against, and over what.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting {
    /// The standards to the letter.
    pub strict: bool,
    /// Bounds so small that scripts hit them.
    pub narrow: bool,
    /// STARTTLS is offered.
    pub starttls: bool,
    /// Stream management (XEP-0198).
    pub managed: bool,
    /// SASL2 with Bind 2 and tokens (XEP-0388, XEP-0386, XEP-0484).
    pub sasl2: bool,
    /// SCRAM.
    pub scram: bool,
    /// Several subscriptions of an address to a node, told apart by ids.
    pub several: bool,
    /// Subscription options also in the Finesse profile.
    pub options: bool,
    /// Collections (XEP-0248).
    pub collections: bool,
    /// Connections come over TLS, with data for channel binding.
    pub secure: bool,
}

impl Setting {
    /// From two bytes of the script: one bit a choice.
    pub fn new(first: u8, second: u8) -> Self {
        let bit = |byte: u8, bit: u8| byte & (1 << bit) != 0;
        Self {
            strict: bit(first, 0),
            narrow: bit(first, 1),
            starttls: bit(first, 2),
            managed: bit(second, 0),
            sasl2: bit(second, 1),
            scram: bit(second, 2),
            several: bit(second, 3),
            options: bit(second, 4),
            collections: bit(second, 5),
            secure: bit(second, 6),
        }
    }

    fn config(self) -> Config {
        let mut config = Config {
            scram: self.scram,
            sasl2: self.sasl2,
            fast: self.sasl2.then(|| FastOptions { per_account: 2, ..FastOptions::default() }),
            multi_subscribe: self.several,
            subscription_options: self.options.then_some(true),
            collections: self.collections,
            stream_management: self.managed.then(StreamManagement::default),
            ..Config::new("localhost")
        };
        if self.strict {
            config.profile = Profile::Strict;
        }
        if self.narrow {
            config.limits = Limits {
                stanza_bytes: 4096,
                stanza_bytes_before_auth: 1024,
                depth: 8,
                attributes: 8,
                children: 12,
                stanzas_per_second: 2,
                stanza_burst: 6,
                outbox_items: 12,
                outbox_bytes: 16 << 10,
                error_echo: 64,
                ..Limits::default()
            };
            config.max_resources = 2;
            config.stream_management = self.managed.then_some(StreamManagement {
                max_resume: Duration::from_secs(20),
                queue_items: 8,
                queue_bytes: 8 << 10,
                request_every: 3,
                request_after: Duration::from_secs(1),
            });
        }
        config
    }

    /// What the stream has to know about a connection.
    pub fn channel(self) -> Channel {
        let starttls = if self.starttls && !self.secure { StartTls::Optional } else { StartTls::Off };
        let binding = self.secure.then(|| Box::new(binding()));
        Channel { secure: self.secure, starttls, binding, ..Channel::default() }
    }
}

/// What clients bind their logins to where there is TLS.
pub fn binding() -> ChannelBinding {
    ChannelBinding { exporter: Some([7; 32]), end_point: None }
}

pub fn service(setting: Setting) -> Service {
    let broker = Broker::new(broker::Config {
        shards: 1,
        max_nodes: if setting.narrow { 6 } else { 200 },
        max_subscriptions_per_account: if setting.narrow { 4 } else { 50 },
        max_subscriptions_per_session: if setting.narrow { 3 } else { 50 },
        ..broker::Config::default()
    });
    for node in NODES {
        broker.create_node(node).expect("a fresh broker");
    }
    Service::new(setting.config(), broker, Arc::new(Realm(Decoys::new(b"key", None))), Arc::new(Rights))
}

/// A session without a stream, whose client reads at once.
pub struct Neighbour {
    bound: Bound,
    inbox: VecDeque<Parcel>,
}

impl Neighbour {
    /// Bound and available.
    ///
    /// # Errors
    /// The account has as many resources as it may have.
    pub fn new(service: &Service, user: &str, now: Instant) -> Result<Self, BindError> {
        let outbox = Outbox::new(OutboxLimits {
            max_items: 10_000,
            max_bytes: 64 << 20,
            overflow: Overflow::EndSession,
        });
        let principal = Principal { user: user.into(), tag: 0 };
        let bound = service.bind(&principal, Some("r"), outbox)?;
        let mut neighbour = Self { bound, inbox: VecDeque::new() };
        neighbour.send(now, "<presence xmlns='jabber:client'/>");
        Ok(neighbour)
    }

    /// Subscribed to the server's nodes.
    pub fn witness(service: &Service, now: Instant) -> Self {
        let mut witness = Self::new(service, "witness", now).expect("a fresh service");
        for node in NODES {
            witness.send(
                now,
                &format!(
                    "<iq xmlns='jabber:client' type='set' id='s' to='{PUBSUB}'>\
                     <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
                     <subscribe node='{node}' jid='witness@localhost/r'/></pubsub></iq>"
                ),
            );
        }
        witness.read();
        witness
    }

    /// Hands in a stanza; what is no stanza is no input here.
    pub fn send(&mut self, now: Instant, xml: &str) {
        let Ok(stanza) = xml.parse::<Element>() else { return };
        // A stanza that ends streams has no effect, and there is no stream here.
        let _ = self.bound.handle(now, stanza);
    }

    /// Texts of everything that came.
    pub fn read(&mut self) -> Vec<String> {
        let taken = self.bound.outbox().try_take(&mut self.inbox, usize::MAX);
        assert!(taken.is_ok(), "a neighbour's session ended: {taken:?}");
        let text = |parcel: Parcel| String::from_utf8(parcel.bytes().to_vec()).expect("output is UTF-8");
        self.inbox.drain(..).map(text).collect()
    }
}

/// A step of the clock, in tenths of a second.
pub fn tenths(text: &[u8]) -> Duration {
    let tenths = std::str::from_utf8(text).ok().and_then(|t| t.trim().parse::<u16>().ok()).unwrap_or(1);
    Duration::from_millis(u64::from(tenths) * 100)
}
