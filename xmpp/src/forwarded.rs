//! Whose request a reverse proxy passes on: `X-Forwarded-For`, and `Forwarded` (RFC 7239).

use std::net::{IpAddr, SocketAddr};

use crate::Network;

/// Which header the proxies set. One of the two: a proxy hands on what it does not know, so the other one is
/// the client's own and worth nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded`.
    Forwarded,
}

impl ForwardedHeader {
    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

/// The address of a client: that of the connection, `peer`, unless it is one of `proxies`; then the last
/// address in `values` (the header's values in their order) that is not itself a proxy's.
///
/// Each proxy appends the address that it saw, so that everything left of the first stranger from the right
/// was written by the client. An entry that is no address ends the search. Values are bytes: what the client
/// wrote need not be text, and must not hide what a proxy appended to it.
pub fn client<'a>(
    peer: IpAddr,
    proxies: &[Network],
    header: ForwardedHeader,
    values: impl DoubleEndedIterator<Item = &'a [u8]>,
) -> IpAddr {
    let mut client = peer.to_canonical();
    if !Network::any(proxies, client) {
        return client;
    }
    for hop in values.rev().flat_map(|value| value.rsplit(|&byte| byte == b',')) {
        let Ok(hop) = std::str::from_utf8(hop) else { return client };
        let address = match header {
            ForwardedHeader::XForwardedFor => address(hop.trim()),
            ForwardedHeader::Forwarded => forwarded_for(hop).and_then(address),
        };
        let Some(address) = address else { return client };
        client = address.to_canonical();
        if !Network::any(proxies, client) {
            return client;
        }
    }
    client
}

/// The parameter `for` of one element.
fn forwarded_for(element: &str) -> Option<&str> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    values.next().map(|(_, value)| value.trim().trim_matches('"'))
}

/// An address, perhaps with a port; IPv6 with a port is in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, header: ForwardedHeader, values: &[&str]) -> String {
        let proxies = ["10.0.0.0/8".parse().unwrap(), "2001:db8:ffff::/48".parse().unwrap()];
        let values = values.iter().map(|value| value.as_bytes());
        client(peer.parse().unwrap(), &proxies, header, values).to_string()
    }

    fn x(peer: &str, values: &[&str]) -> String {
        of(peer, ForwardedHeader::XForwardedFor, values)
    }

    #[test]
    fn strangers_are_not_believed() {
        assert_eq!(x("192.0.2.1", &["198.51.100.9"]), "192.0.2.1");
        assert_eq!(of("192.0.2.1", ForwardedHeader::Forwarded, &["for=198.51.100.9"]), "192.0.2.1");
        assert_eq!(x("::ffff:192.0.2.1", &[]), "192.0.2.1");
    }

    #[test]
    fn the_last_stranger_counts() {
        assert_eq!(x("10.0.0.1", &["198.51.100.9"]), "198.51.100.9");
        assert_eq!(x("10.0.0.1", &["127.0.0.1, 198.51.100.9"]), "198.51.100.9");
        assert_eq!(x("10.0.0.1", &["198.51.100.9, 10.0.0.2"]), "198.51.100.9");
        assert_eq!(x("10.0.0.1", &["127.0.0.1", "198.51.100.9", "10.0.0.2, 10.0.0.3"]), "198.51.100.9");
        assert_eq!(x("2001:db8:ffff::1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(x("10.0.0.1", &["198.51.100.9:4711"]), "198.51.100.9");
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        assert_eq!(x("10.0.0.1", &["198.51.100.9, unknown"]), "10.0.0.1");
        assert_eq!(x("10.0.0.1", &["198.51.100.9, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(x("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(x("10.0.0.1", &[""]), "10.0.0.1");
        assert_eq!(x("10.0.0.1", &["10.0.0.9"]), "10.0.0.9", "a proxy's own request");
    }

    #[test]
    fn what_is_no_text_hides_nothing_behind_it() {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let of = |value: &[u8]| {
            client("10.0.0.1".parse().unwrap(), &proxies, ForwardedHeader::XForwardedFor, [value].into_iter())
        };
        assert_eq!(of(b"\xff, 198.51.100.9").to_string(), "198.51.100.9");
        assert_eq!(of(b"198.51.100.9, \xff").to_string(), "10.0.0.1");
    }

    #[test]
    fn the_standard_header_is_read_as_rfc_7239_writes_it() {
        let f = |values: &[&str]| of("10.0.0.1", ForwardedHeader::Forwarded, values);
        assert_eq!(f(&["for=192.0.2.43, For=\"[2001:db8:cafe::17]:4711\""]), "2001:db8:cafe::17");
        assert_eq!(f(&["for=192.0.2.60;proto=http;by=203.0.113.43"]), "192.0.2.60");
        assert_eq!(f(&["for=192.0.2.60;proto=http", "proto=https;for=10.1.1.1"]), "192.0.2.60");
        assert_eq!(f(&["for=192.0.2.60, for=_hidden"]), "10.0.0.1");
        assert_eq!(f(&["192.0.2.60"]), "10.0.0.1");
    }
}
