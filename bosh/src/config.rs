//! Configuration of an endpoint.

use std::time::Duration;

use xmpp::{Network, Origins};

use crate::core::Settings;

/// Everything that can be set, with its default.
#[derive(Clone, Debug)]
pub struct Config {
    /// What sessions are offered.
    pub settings: Settings,
    /// Largest request body of an authenticated session, in bytes (512 KiB).
    pub max_body: usize,
    /// Largest request body of anybody else, in bytes (64 KiB).
    pub max_body_before_auth: usize,
    /// About how much payload goes into one answer, in bytes (256 KiB); the rest follows in the next.
    pub max_answer: usize,
    /// How long the body of a request may take to arrive (20 s).
    pub body_timeout: Duration,
    /// Origins that browsers may use the endpoint from (every one: no cookies are used).
    pub origins: Origins,
    /// Further request headers that browsers may send, besides `Content-Type`.
    pub cors_headers: Vec<String>,
    /// Tells errors by HTTP status to everybody, as old servers do (off).
    pub legacy_http_errors: bool,
    /// Sessions may only be used from the address that created them (off: phones and proxies move).
    pub pin_address: bool,
    /// Bounds for each client address and for all.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            max_body: 512 << 10,
            max_body_before_auth: 64 << 10,
            max_answer: 256 << 10,
            body_timeout: Duration::from_secs(20),
            origins: Origins::any(),
            cors_headers: Vec::new(),
            legacy_http_errors: false,
            pin_address: false,
            limits: Limits::default(),
        }
    }
}

/// Bounds on what a client address, and all of them, may use. No bound for one address and no admission
/// rate applies to trusted addresses.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Addresses without bounds of their own (loopback). Operators add the one behind which a call centre
    /// sits.
    pub trusted: Vec<Network>,
    /// Reverse proxies whose `X-Forwarded-For` is believed (none).
    pub proxies: Vec<Network>,
    /// New sessions from one address: sustained rate, per second (20).
    pub address_rate: u32,
    /// New sessions from one address: at once (100).
    pub address_burst: u32,
    /// Sessions of one address (1000).
    pub address_sessions: u32,
    /// Sessions of one address that have not authenticated (50).
    pub address_unauthenticated: u32,
    /// New sessions of all: sustained rate, per second (1000).
    pub total_rate: u32,
    /// New sessions of all: at once (2000).
    pub total_burst: u32,
    /// Sessions of all that have not authenticated (2000), and as many again for trusted addresses.
    pub total_unauthenticated: u32,
    /// Unknown session ids from one address in five minutes before answers are delayed (20).
    pub misses_delayed: u32,
    /// Unknown session ids from one address in five minutes before they are refused (100).
    pub misses_refused: u32,
    /// Addresses that are kept apart; beyond, strangers share one account (100000).
    pub addresses: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            trusted: Network::loopback(),
            proxies: Vec::new(),
            address_rate: 20,
            address_burst: 100,
            address_sessions: 1000,
            address_unauthenticated: 50,
            total_rate: 1000,
            total_burst: 2000,
            total_unauthenticated: 2000,
            misses_delayed: 20,
            misses_refused: 100,
            addresses: 100_000,
        }
    }
}
