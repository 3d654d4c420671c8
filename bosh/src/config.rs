//! Configuration of an endpoint.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

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
    /// Origins that browsers may use the endpoint from; `None` lets every origin in (no cookies are used).
    pub origins: Option<Vec<String>>,
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
            origins: None,
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
            trusted: vec![
                Network::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
                Network::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
            ],
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

/// A range of addresses, written `10.0.0.0/8`, `::1/128`, or as a single address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// The addresses that share the first `prefix` bits with `address`.
    pub fn new(address: IpAddr, prefix: u8) -> Self {
        let most = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix: prefix.min(most) }
    }

    /// Whether `address` is in the range. IPv4 addresses written in IPv6 count as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let shift = 32 - u32::from(self.prefix);
                (a.to_bits() ^ b.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let shift = 128 - u32::from(self.prefix);
                (a.to_bits() ^ b.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A text that is no range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address range like 10.0.0.0/8")]
pub struct BadNetwork;

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| BadNetwork)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadNetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        match prefix.unwrap_or(most) {
            prefix if prefix <= most => Ok(Self { address, prefix }),
            _ => Err(BadNetwork),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_what_they_say() {
        let net: Network = "10.1.0.0/16".parse().unwrap();
        assert!(net.contains("10.1.2.3".parse().unwrap()));
        assert!(net.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!net.contains("10.2.0.1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("1.2.3.4".parse().unwrap()));
        assert!("::1".parse::<Network>().unwrap().contains("::1".parse().unwrap()));
        for bad in ["10.0.0.0/33", "x", "10.0.0.0/", "::/129"] {
            assert_eq!(bad.parse::<Network>(), Err(BadNetwork), "{bad}");
        }
    }

    #[test]
    fn loopback_is_trusted() {
        let limits = Limits::default();
        for loopback in ["127.0.0.1", "127.9.9.9", "::1"] {
            assert!(limits.trusted.iter().any(|n| n.contains(loopback.parse().unwrap())), "{loopback}");
        }
    }
}
