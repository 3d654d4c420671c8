//! The header with which a load balancer begins a connection to tell whose it is: the PROXY protocol,
//! versions 1 (text) and 2 (binary), <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.
//!
//! Believe it only from addresses known to be load balancers: whoever writes it chooses the address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// First bytes of version 2 (§2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Longest line of version 1, with its end (§2.1).
const LONGEST_LINE: usize = 107;
/// Shortest: `PROXY UNKNOWN` and its end.
const SHORTEST_LINE: usize = 15;
/// Most bytes behind the fixed part of version 2: addresses, and extensions that nobody reads here.
const LONGEST_REST: usize = 2048;

/// Why a connection does not begin with a PROXY header.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The connection broke, or ended early.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Other bytes came.
    #[error("no PROXY header")]
    NotProxy,
    /// A header came whose parts do not fit.
    #[error("bad PROXY header: {0}")]
    Bad(&'static str),
}

/// Reads the header and not one byte more. Returns the client's address, or `None` where the proxy speaks for
/// itself (`UNKNOWN`, `LOCAL`: health checks) or over something that is not TCP.
///
/// Sets no time limit. Not cancel safe: what has been read is lost.
///
/// # Errors
/// The connection ends, or begins with anything else; it is of no use then.
pub async fn read<R: AsyncRead + Unpin>(io: &mut R) -> Result<Option<SocketAddr>, ProxyError> {
    let mut start = [0; SHORTEST_LINE];
    // One byte tells the versions apart; a client that speaks first shows itself at once.
    io.read_exact(&mut start[..1]).await?;
    match start[0] {
        b'P' => {
            io.read_exact(&mut start[1..]).await?;
            text(io, &start).await
        }
        b'\r' => {
            io.read_exact(&mut start[1..12]).await?;
            if start[..12] != *SIGNATURE {
                return Err(ProxyError::NotProxy);
            }
            binary(io).await
        }
        _ => Err(ProxyError::NotProxy),
    }
}

async fn text<R: AsyncRead + Unpin>(io: &mut R, start: &[u8]) -> Result<Option<SocketAddr>, ProxyError> {
    if !start.starts_with(b"PROXY ") {
        return Err(ProxyError::NotProxy);
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= LONGEST_LINE {
            return Err(ProxyError::Bad("line too long"));
        }
        line.push(io.read_u8().await?);
    }
    let line = std::str::from_utf8(&line).map_err(|_| ProxyError::Bad("not ASCII"))?;
    let mut words = line.trim_end_matches("\r\n").split(' ').skip(1);
    let family = words.next().unwrap_or_default();
    if family == "UNKNOWN" {
        return Ok(None);
    }
    let mut next = || words.next().ok_or(ProxyError::Bad("too short"));
    let (source, _destination, port, _) = (next()?, next()?, next()?, next()?);
    let source: IpAddr = source.parse().map_err(|_| ProxyError::Bad("address"))?;
    let port: u16 = port.parse().map_err(|_| ProxyError::Bad("port"))?;
    match (family, source) {
        ("TCP4", IpAddr::V4(_)) | ("TCP6", IpAddr::V6(_)) => Ok(Some(SocketAddr::new(source, port))),
        _ => Err(ProxyError::Bad("family")),
    }
}

async fn binary<R: AsyncRead + Unpin>(io: &mut R) -> Result<Option<SocketAddr>, ProxyError> {
    let [command, family] = [io.read_u8().await?, io.read_u8().await?];
    let length = usize::from(io.read_u16().await?);
    if command >> 4 != 2 {
        return Err(ProxyError::Bad("version"));
    }
    if length > LONGEST_REST {
        return Err(ProxyError::Bad("too long"));
    }
    let mut rest = vec![0; length];
    io.read_exact(&mut rest).await?;
    match (command & 0x0f, family) {
        (0, _) => Ok(None),
        (1, 0x11) => v4(&rest).map(Some).ok_or(ProxyError::Bad("too short")),
        (1, 0x21) => v6(&rest).map(Some).ok_or(ProxyError::Bad("too short")),
        (1, _) => Ok(None),
        _ => Err(ProxyError::Bad("command")),
    }
}

/// Source address, destination address, source port, destination port.
fn v4(rest: &[u8]) -> Option<SocketAddr> {
    let address: [u8; 4] = rest.get(..4)?.try_into().ok()?;
    let port: [u8; 2] = rest.get(8..10)?.try_into().ok()?;
    rest.get(10..12)?;
    Some(SocketAddr::new(Ipv4Addr::from(address).into(), u16::from_be_bytes(port)))
}

fn v6(rest: &[u8]) -> Option<SocketAddr> {
    let address: [u8; 16] = rest.get(..16)?.try_into().ok()?;
    let port: [u8; 2] = rest.get(32..34)?.try_into().ok()?;
    rest.get(34..36)?;
    Some(SocketAddr::new(Ipv6Addr::from(address).into(), u16::from_be_bytes(port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The address, and what is left for whoever reads next.
    async fn outcome(bytes: &[u8]) -> (Result<Option<SocketAddr>, ProxyError>, Vec<u8>) {
        let mut io = bytes;
        let result = read(&mut io).await;
        (result, io.to_vec())
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = (rest.len() as u16).to_be_bytes();
        [SIGNATURE.as_slice(), &[command, family], &length, rest].concat()
    }

    #[tokio::test]
    async fn both_versions_tell_the_client_and_leave_the_rest() {
        for header in [
            b"PROXY TCP4 192.0.2.7 198.51.100.1 51234 5223\r\n".to_vec(),
            version_2(0x21, 0x11, &[192, 0, 2, 7, 198, 51, 100, 1, 0xC8, 0x22, 0x14, 0x67]),
            version_2(0x21, 0x11, &[192, 0, 2, 7, 1, 1, 1, 1, 0xC8, 0x22, 0x14, 0x67, 3, 0, 1, 0]),
        ] {
            let (address, rest) = outcome(&[header, b"<stream".to_vec()].concat()).await;
            assert_eq!(address.unwrap().unwrap().to_string(), "192.0.2.7:51234");
            assert_eq!(rest, b"<stream");
        }
        let line = b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n";
        assert_eq!(outcome(line).await.0.unwrap().unwrap().to_string(), "[2001:db8::1]:1");
        let address: Ipv6Addr = "2001:db8::1".parse().unwrap();
        let rest = [&address.octets()[..], &[0; 16], &[0, 1, 0, 2]].concat();
        let (address, _) = outcome(&version_2(0x21, 0x21, &rest)).await;
        assert_eq!(address.unwrap().unwrap().to_string(), "[2001:db8::1]:1");
    }

    #[tokio::test]
    async fn a_proxy_may_speak_for_itself() {
        for header in
            [b"PROXY UNKNOWN\r\n".to_vec(), b"PROXY UNKNOWN x y\r\n".to_vec(), version_2(0x20, 0, &[])]
        {
            assert_eq!(outcome(&header).await.0.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        for bad in [
            b"<?xml version='1.0'?>".to_vec(),
            b"POST /http-bind HTTP/1.1\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 198.51.100.1 51234".to_vec(),
            b"PROXY TCP4 2001:db8::1 ::1 1 2\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 198.51.100.1 99999 1\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7\r\n\r\n".to_vec(),
            b"PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n".to_vec(),
            [b"PROXY ".as_slice(), &[b'x'; 200]].concat(),
            version_2(0x11, 0x11, &[0; 12]),
            version_2(0x22, 0x11, &[0; 12]),
            version_2(0x21, 0x11, &[0; 11]),
            version_2(0x21, 0x11, &[0; 3000]),
            version_2(0x21, 0x11, &[0; 12])[..20].to_vec(),
            Vec::new(),
        ] {
            assert!(outcome(&bad).await.0.is_err(), "{bad:?}");
        }
    }
}
