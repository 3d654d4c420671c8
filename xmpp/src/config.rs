//! Configuration of the XMPP side with its defaults. Plain data; read once, shared by every stream.

use std::time::Duration;

use crate::component::Component;

/// How strictly the standards are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Profile {
    /// What clients of Finesse expect: a foreign `to` is answered with the real domain, a forged `from` is
    /// overwritten, ids may be missing.
    #[default]
    Finesse,
    /// What RFC 6120, RFC 7395 and XEP-0060 say, for embedders.
    Strict,
}

/// What happens when a resource is bound that is already in use (RFC 6120 §7.7.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Conflict {
    /// The old session ends with the stream error `conflict`.
    #[default]
    ReplaceOld,
    /// The new one gets the stanza error `conflict`.
    RefuseNew,
    /// The new one gets a resource made by the server.
    Rename,
}

/// Bounds on what a peer may send and hold. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One stanza after authentication (256 KiB).
    pub stanza_bytes: usize,
    /// One element before authentication (64 KiB: holds a single sign-on token).
    pub stanza_bytes_before_auth: usize,
    /// Depth of elements in one stanza, the stanza itself being 1 (64).
    pub depth: usize,
    /// Attributes of one element, namespace declarations not counted (64).
    pub attributes: usize,
    /// One attribute value (16 KiB).
    pub attribute_value: usize,
    /// All attribute values of one element (64 KiB).
    pub attribute_total: usize,
    /// Name of an element or attribute (256).
    pub name: usize,
    /// Namespace declarations on one element (16).
    pub namespaces_per_element: usize,
    /// Namespace declarations in scope (64).
    pub namespaces_in_scope: usize,
    /// Children of one element (10000).
    pub children: usize,
    /// Text of a SASL element (32 KiB).
    pub sasl_text: usize,
    /// Node id (1024).
    pub node_id: usize,
    /// Item id (256).
    pub item_id: usize,
    /// Request children above this size are not echoed in an error answer (4 KiB, XEP-0205 §4.5).
    pub error_echo: usize,
    /// Sustained stanzas per second of a session whose user may not flood (50).
    pub stanzas_per_second: u32,
    /// Stanzas that such a session may send at once (200).
    pub stanza_burst: u32,
    /// Deliveries that may wait for one session (1000).
    pub outbox_items: usize,
    /// Bytes that may wait for one session (4 MiB).
    pub outbox_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stanza_bytes: 256 << 10,
            stanza_bytes_before_auth: 64 << 10,
            depth: 64,
            attributes: 64,
            attribute_value: 16 << 10,
            attribute_total: 64 << 10,
            name: 256,
            namespaces_per_element: 16,
            namespaces_in_scope: 64,
            children: 10_000,
            sasl_text: 32 << 10,
            node_id: 1024,
            item_id: 256,
            error_echo: 4 << 10,
            stanzas_per_second: 50,
            stanza_burst: 200,
            outbox_items: 1000,
            outbox_bytes: 4 << 20,
        }
    }
}

/// How long things may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// TLS handshake, WebSocket upgrade (10 s).
    pub handshake: Duration,
    /// From the first byte of a stream to success of authentication (30 s). Stands still while the realm
    /// works.
    pub authenticate: Duration,
    /// How long the realm may work on one attempt before it counts as unreachable (60 s).
    pub realm: Duration,
    /// From authentication to a bound resource (30 s).
    pub bind: Duration,
    /// From the first to the last byte of one stanza (30 s).
    pub partial_stanza: Duration,
    /// A write that makes no progress (30 s).
    pub write_stall: Duration,
    /// Silence after which the server sends a ping (60 s).
    pub idle_probe: Duration,
    /// Silence after which the stream ends with `connection-timeout` (120 s).
    pub idle_close: Duration,
    /// Wait for the peer's closing tag after the server's own (5 s).
    pub drain: Duration,
    /// Interval of WebSocket pings (30 s).
    pub websocket_ping: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self {
            handshake: s(10),
            authenticate: s(30),
            realm: s(60),
            bind: s(30),
            partial_stanza: s(30),
            write_stall: s(30),
            idle_probe: s(60),
            idle_close: s(120),
            drain: s(5),
            websocket_ping: s(30),
        }
    }
}

/// Where clients are sent by a server that stops or wants to be rid of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternate {
    /// `host` or `host:port` for TCP, IPv6 addresses in brackets (`see-other-host`, RFC 6120 §4.9.3.19).
    pub host: Option<String>,
    /// URI of the other WebSocket endpoint (`see-other-uri`, RFC 7395 §3.6.1).
    pub websocket: Option<String>,
    /// URI of the other BOSH endpoint (`see-other-uri`, XEP-0124 §17.2).
    pub bosh: Option<String>,
}

/// Stream management with resumption (XEP-0198), on TCP and WebSocket.
///
/// A session whose client asked for it and whose connection breaks waits for up to [`max_resume`] without
/// one: to others it stays available, and what they send it waits in its outbox. If the outbox overflows or
/// nobody comes, the session ends and what waited is dropped. It counts among the account's resources and
/// among the open connections in the meantime.
///
/// [`max_resume`]: Self::max_resume
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamManagement {
    /// How long a session may be without a connection (120 s); a client may ask for less.
    pub max_resume: Duration,
    /// Stanzas that may be unacknowledged (1000). A session that exceeds this or the next bound ends with
    /// `policy-violation`.
    pub queue_items: usize,
    /// Bytes that may be unacknowledged, without spliced parts (4 MiB).
    pub queue_bytes: usize,
    /// Stanzas after which the client is asked to acknowledge (20).
    pub request_every: usize,
    /// Time after which it is asked if there were fewer (5 s).
    pub request_after: Duration,
}

impl Default for StreamManagement {
    fn default() -> Self {
        Self {
            max_resume: Duration::from_secs(120),
            queue_items: 1000,
            queue_bytes: 4 << 20,
            request_every: 20,
            request_after: Duration::from_secs(5),
        }
    }
}

/// Tokens for the next login (XEP-0484). Kept in memory: they end with the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FastOptions {
    /// How long a token is good (14 days).
    pub lifetime: Duration,
    /// Age from which a token that is used is replaced by a new one (1 day).
    pub rotate_after: Duration,
    /// Installations of clients of one account that have tokens (8); a further one takes the place of the one unused for
    /// longest.
    pub per_account: usize,
    /// Installations in total (100000); beyond it no token is given, and clients go on with their password.
    pub total: usize,
}

impl Default for FastOptions {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 3600);
        Self { lifetime: 14 * day, rotate_after: day, per_account: 8, total: 100_000 }
    }
}

/// Configuration of a `Service`. `Config::new(domain)` has every default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The served domain.
    pub domain: String,
    /// Domain of the publish-subscribe service (`pubsub.` and the domain).
    pub pubsub_domain: String,
    /// Bug compatibility (finesse).
    pub profile: Profile,
    /// Bounds on input and queues.
    pub limits: Limits,
    /// Time limits.
    pub timeouts: Timeouts,
    /// Presence is echoed to the sender's own resources (true; RFC 6121 §4.2.2, lock-step clients wait for
    /// it).
    pub self_echo: bool,
    /// Sessions of one account (16).
    pub max_resources: usize,
    /// Failed authentications on one stream before it ends (3, sensible 2 to 5; RFC 6120 §6.4.5).
    pub auth_retries: u32,
    /// SASL2 with Bind 2 is offered beside the older ways (false; XEP-0388, XEP-0386).
    pub sasl2: bool,
    /// Tokens are given to clients of SASL2 that ask for one over TLS, for their next login (XEP-0484); `None`, the default:
    /// not.
    pub fast: Option<FastOptions>,
    /// SCRAM is offered, as far as the realm has verifiers (false; RFC 5802, RFC 7677).
    pub scram: bool,
    /// What happens when a bound resource is bound again.
    pub conflict: Conflict,
    /// Local part and resource of the application whose presence tells clients that events will come
    /// (`finesse`, `app`); `None`: there is no such presence.
    pub application: Option<(String, String)>,
    /// External components that may connect (none). Their domains must differ from each other and from both
    /// of the service's.
    pub components: Vec<Component>,
    /// An address may have several subscriptions to a node, told apart by `subid` (false; XEP-0060 §12.16).
    /// The Finesse profile does not look at it: its clients take the text of a whole message, to which the
    /// `SubID` headers would be added.
    pub multi_subscribe: bool,
    /// Nodes may be put into collections (false; XEP-0248). The Finesse profile does not look at it.
    pub collections: bool,
    /// Clients may set subscription options (XEP-0060 §6.3), and owners are asked for their consent by forms
    /// (§8.6) and have them sent again by a command (§8.7). `None`: in the strict profile. Without it owners
    /// find those who wait in the list of subscriptions.
    pub subscription_options: Option<bool>,
    /// Stream management; `None` (the default): not offered.
    pub stream_management: Option<StreamManagement>,
    /// `xml:lang` of what the server says (`en`).
    pub language: String,
    /// Name in the answer to XEP-0092.
    pub software_name: String,
    /// Version in the answer to XEP-0092; empty: not told.
    pub software_version: String,
}

impl Config {
    /// Every default for `domain`, which has to be a prepared (lower-case) domain name.
    pub fn new(domain: impl Into<String>) -> Self {
        let domain = domain.into();
        Self {
            pubsub_domain: format!("pubsub.{domain}"),
            domain,
            profile: Profile::Finesse,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            self_echo: true,
            max_resources: 16,
            auth_retries: 3,
            sasl2: false,
            fast: None,
            scram: false,
            conflict: Conflict::ReplaceOld,
            application: Some(("finesse".into(), "app".into())),
            components: Vec::new(),
            multi_subscribe: false,
            collections: false,
            subscription_options: None,
            stream_management: None,
            language: "en".into(),
            software_name: "finesse-server".into(),
            software_version: String::new(),
        }
    }
}
