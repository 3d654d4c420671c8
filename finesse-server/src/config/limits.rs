//! `[limits]`, `[timeouts]` and `[pubsub]`: bounds, how long things may take, and how much the
//! publish-subscribe service holds.

use serde::Deserialize;

use super::{AddressRange, OptionsMode, ProxyHeader};

/// `[limits]`. Sizes are in bytes.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// MiB of memory, three quarters of which are the budget for what is held for clients. An estimate: resident memory
    /// can be more.
    pub memory_mib: u32,
    /// Addresses without a limit of their own and without admission rate.
    pub trusted: Vec<AddressRange>,
    /// Reverse proxies that are believed about the address of a client.
    pub proxies: Vec<AddressRange>,
    /// The header in which they tell it.
    pub proxy_header: ProxyHeader,
    /// Connections of all HTTP listeners together.
    pub http_connections: u32,
    /// HTTP connections of one address.
    pub http_per_address: u32,
    /// Longest header of an HTTP request.
    pub http_header_bytes: u32,
    /// Requests under way at once on one HTTP/2 connection.
    pub http2_streams: u32,
    /// Connections of all XMPP listeners together, WebSocket included.
    pub xmpp_connections: u32,
    /// Connections and BOSH sessions each that have not authenticated, and as many again for trusted addresses.
    pub unauthenticated: u32,
    /// XMPP connections and BOSH sessions each of one address.
    pub per_address: u32,
    /// New ones of one address in a second.
    pub address_rate: u32,
    /// New ones of one address at once.
    pub address_burst: u32,
    /// New ones in a second.
    pub total_rate: u32,
    /// New ones at once.
    pub total_burst: u32,
    /// One stanza after authentication.
    pub stanza_bytes: u32,
    /// One element before authentication.
    pub stanza_bytes_before_auth: u32,
    /// Depth of elements in one stanza.
    pub depth: u32,
    /// Attributes of one element.
    pub attributes: u32,
    /// One attribute value.
    pub attribute_value: u32,
    /// All attribute values of one element.
    pub attribute_total: u32,
    /// Name of an element or attribute.
    pub name: u32,
    /// Namespace declarations on one element.
    pub namespaces_per_element: u32,
    /// Namespace declarations in scope.
    pub namespaces_in_scope: u32,
    /// Children of one element.
    pub children: u32,
    /// Text of a SASL element.
    pub sasl_text: u32,
    /// Node id.
    pub node_id: u32,
    /// Item id.
    pub item_id: u32,
    /// Largest request that is repeated in an error answer.
    pub error_echo: u32,
    /// Stanzas per second of a session.
    pub stanzas_per_second: u32,
    /// Stanzas at once.
    pub stanza_burst: u32,
    /// Deliveries that may wait for one session.
    pub outbox_items: u32,
    /// Bytes that may wait for one session.
    pub outbox_bytes: u32,
    /// Longest body of a REST request.
    pub rest_body_bytes: u32,
    /// Seconds a REST request may take from its header to its answer.
    pub rest_timeout_seconds: u32,
    /// REST requests per second and user; 0: no limit.
    pub rest_rate: u32,
    /// REST requests a user may make at once before the rate applies.
    pub rest_burst: u32,
    /// Team messages whose time is not over.
    pub team_messages: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_mib: 2048,
            trusted: AddressRange::loopback(),
            proxies: Vec::new(),
            proxy_header: ProxyHeader::XForwardedFor,
            http_connections: 40_000,
            http_per_address: 4000,
            http_header_bytes: 64 << 10,
            http2_streams: 250,
            xmpp_connections: 40_000,
            unauthenticated: 2000,
            per_address: 1000,
            address_rate: 20,
            address_burst: 100,
            total_rate: 1000,
            total_burst: 2000,
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
            rest_body_bytes: 256 << 10,
            rest_timeout_seconds: 30,
            rest_rate: 50,
            rest_burst: 100,
            team_messages: 500,
        }
    }
}

/// `[timeouts]`, in seconds.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// TLS handshake, WebSocket upgrade, PROXY header.
    pub handshake: u32,
    /// From the start of a stream to success of authentication.
    pub authenticate: u32,
    /// How long a realm may work on one attempt.
    pub realm: u32,
    /// From authentication to a bound resource.
    pub bind: u32,
    /// From the first to the last byte of one stanza.
    pub partial_stanza: u32,
    /// A write that makes no progress.
    pub write_stall: u32,
    /// Silence after which the server sends a ping.
    pub idle_probe: u32,
    /// Silence after which a stream ends.
    pub idle_close: u32,
    /// Wait for the peer's closing tag.
    pub drain: u32,
    /// Interval of WebSocket pings.
    pub websocket_ping: u32,
    /// From the first to the last byte of an HTTP header, and from a connection to its first request.
    pub http_header: u32,
    /// Body of a BOSH request.
    pub http_body: u32,
    /// An HTTP connection between two requests.
    pub http_idle: u32,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            handshake: 10,
            authenticate: 30,
            realm: 60,
            bind: 30,
            partial_stanza: 30,
            write_stall: 30,
            idle_probe: 60,
            idle_close: 120,
            drain: 5,
            websocket_ping: 30,
            http_header: 10,
            http_body: 20,
            http_idle: 90,
        }
    }
}

/// `[pubsub]`: what the broker holds, and what nodes and subscriptions can be.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Pubsub {
    /// Nodes that exist or have subscribers.
    pub nodes: u32,
    /// Subscriptions of one user.
    pub subscriptions_per_user: u32,
    /// Full-address subscriptions of one session.
    pub subscriptions_per_session: u32,
    /// Seconds for which the subscriptions of an absent resource are kept.
    pub dormant_seconds: u32,
    /// Parts that the tables are divided into.
    pub shards: u32,
    /// Whether nodes can be put into collections (XEP-0248; strict profile).
    pub collections: bool,
    /// Whether an address may have several subscriptions to a node (XEP-0060 §12.16; strict profile).
    pub multi_subscribe: bool,
    /// Whether subscriptions have options, and owners are asked for their consent.
    pub subscription_options: OptionsMode,
}

impl Default for Pubsub {
    fn default() -> Pubsub {
        Pubsub {
            nodes: 200_000,
            subscriptions_per_user: 5000,
            subscriptions_per_session: 2000,
            dormant_seconds: 24 * 60 * 60,
            shards: 64,
            collections: false,
            multi_subscribe: false,
            subscription_options: OptionsMode::Profile,
        }
    }
}
