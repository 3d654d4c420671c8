//! Listener for plain TCP, STARTTLS and TLS from the first byte.
//!
//! One task for each connection; an idle one holds no buffer. Sessions are isolated: a panic ends the task
//! it happens in, and no lock is poisoned by it.

mod listen;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use broker::Parcel;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::service::Service;
pub use crate::shell::{Admission, AdmissionLimits};
use crate::shell::{Boundaries, Driver, Framer, Io, Outcome, Permit, handshake};
use crate::stream::{Channel, Framing, StartTls, Stream};
use crate::{Network, StreamError};
#[cfg(feature = "component")]
#[cfg(feature = "component")]
pub(crate) use listen::{ACCEPT_PAUSE, all_gone, report};
pub use listen::{serve, serve_changing, tune};

/// What the budget counts for a connection: its task and stream, and what it may hold without reserving.
pub(crate) const CONNECTION: usize = 16 << 10;
/// And for TLS on it.
const TLS: usize = 12 << 10;

/// Options of one listener.
#[derive(Clone)]
pub struct TcpOptions {
    /// TLS; without it neither STARTTLS nor direct TLS is possible.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// TLS from the first byte (port 5223).
    pub direct_tls: bool,
    /// STARTTLS policy of a plain listener with TLS.
    pub starttls: StartTls,
    /// Stanzas that wait leave together (true). False: one write each, for clients that expect a stanza a
    /// segment.
    pub coalesce: bool,
    /// Bounds on connections; listeners of one server share it.
    pub admission: Admission,
    /// Addresses that may connect (all); others are closed at once.
    pub allow: Option<Arc<[Network]>>,
    /// Each connection begins with a [PROXY header](crate::proxy_protocol), and comes from one of these
    /// addresses; others are closed at once (no such header).
    pub proxies: Option<Arc<[Network]>>,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self {
            tls: None,
            direct_tls: false,
            starttls: StartTls::Off,
            coalesce: true,
            admission: Admission::new(AdmissionLimits::default()),
            allow: None,
            proxies: None,
        }
    }
}

impl TcpOptions {
    /// What a connection costs by being there.
    fn memory(&self) -> usize {
        if self.tls.is_some() { CONNECTION + TLS } else { CONNECTION }
    }

    fn channel(&self, secure: bool, peer: Option<IpAddr>) -> Channel {
        let starttls = if self.tls.is_some() { self.starttls } else { StartTls::Off };
        Channel { secure, starttls, peer, binding: None }
    }
}

async fn connection(socket: TcpStream, peer: IpAddr, service: Service, options: TcpOptions, permit: Permit) {
    let mut channel = options.channel(options.direct_tls, Some(peer));
    let rank = permit.rank();
    let io = match (&options.tls, options.direct_tls) {
        (Some(tls), true) => {
            let Some(secured) = handshake(socket, tls.clone(), &service, rank).await else { return };
            channel.binding = secured.binding;
            secured.io
        }
        (None, true) => return,
        _ => Io::Tcp(socket),
    };
    let stream = Stream::new(service.clone(), Framing::Tcp, channel, Instant::now());
    let mut driver = Driver::new(io, stream, TcpFramer::new(options.coalesce), Some(permit));
    while driver.run().await == Outcome::StartTls {
        let (Io::Tcp(socket), Some(tls)) = (driver.take_io(), &options.tls) else { return };
        match handshake(socket, tls.clone(), &service, rank).await {
            Some(secured) => driver.resume(secured),
            None => return,
        }
    }
}

/// Runs one stream on any byte stream (a Unix socket, a pipe), without STARTTLS. Returns when the connection
/// is finished. Dropping the future closes it at once.
pub async fn serve_io(
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: Option<IpAddr>,
    service: Service,
    options: &TcpOptions,
) {
    let budget = service.broker().budget();
    let permit = match options.admission.enter(peer, budget, options.memory(), Instant::now()) {
        Ok(permit) => permit,
        Err(reason) => return service.count_refusal(reason),
    };
    let channel = Channel { secure: options.direct_tls, starttls: StartTls::Off, peer, binding: None };
    let stream = Stream::new(service, Framing::Tcp, channel, Instant::now());
    Driver::new(Io::Other(Box::new(io)), stream, TcpFramer::new(options.coalesce), Some(permit)).run().await;
}

/// Bytes as they are.
pub(crate) struct TcpFramer {
    boundaries: Boundaries,
    /// How much of the closing tag the discarded input ends with.
    matched: usize,
}

const CLOSING_TAG: &[u8] = b"</stream:stream";

impl TcpFramer {
    pub(crate) fn new(coalesce: bool) -> Self {
        Self { boundaries: if coalesce { Boundaries::Classes } else { Boundaries::Each }, matched: 0 }
    }
}

impl Framer for TcpFramer {
    fn feed(&mut self, now: Instant, stream: &mut Stream, input: &mut &[u8]) {
        stream.handle_bytes(now, input);
    }

    fn write(&mut self, stream: &mut Stream, parcel: &Parcel, out: &mut Vec<u8>) {
        stream.write_parcel(parcel, out);
    }

    fn write_control(&mut self, _out: &mut Vec<u8>) {}

    fn write_end(&mut self, stream: &Stream, error: Option<StreamError>, out: &mut Vec<u8>) {
        for piece in stream.farewell(error) {
            out.extend_from_slice(piece.as_bytes());
        }
    }

    fn boundaries(&self) -> Boundaries {
        self.boundaries
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn handle_timeout(&mut self, _now: Instant, _stream: &mut Stream) {}

    fn held(&self) -> usize {
        0
    }

    fn saw_end(&mut self, input: &[u8]) -> bool {
        for &byte in input {
            self.matched = match () {
                () if byte == CLOSING_TAG[self.matched] => self.matched + 1,
                () => usize::from(byte == CLOSING_TAG[0]),
            };
            if self.matched == CLOSING_TAG.len() {
                self.matched = 0;
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Size of what an asynchronous function of five arguments returns, without calling it.
    fn future_size<A, B, C, D, E, F>(_: impl Fn(A, B, C, D, E) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_is_small() {
        let size = future_size(connection);
        assert!(size <= 2560, "{size} bytes for each connection");
    }

    #[test]
    fn the_closing_tag_is_seen_across_reads() {
        let mut framer = TcpFramer::new(true);
        assert!(!framer.saw_end(b"<iq/></stream:"));
        assert!(!framer.saw_end(b"stre"));
        assert!(framer.saw_end(b"am>"));
    }
}
