//! The TLS handshake of a connection, and what SASL can bind itself to afterwards.

use std::io;
use std::sync::Arc;

use broker::Rank;
use rustls::ProtocolVersion;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::Io;
use crate::sasl::binding::{self, ChannelBinding};
use crate::service::Service;
use crate::stats::Refusal;

/// A connection after its handshake.
pub(crate) struct Secured {
    pub(crate) io: Io,
    /// `None` where nothing would use it.
    pub(crate) binding: Option<Box<ChannelBinding>>,
}

/// What the memory budget counts for a handshake while it lasts: rustls puts a message together from fragments up to
/// this length.
const HANDSHAKE: usize = 64 << 10;

/// Does the handshake; `None`, and a line in the log, if it fails, takes too long, or there is no memory for it. Its
/// state is large and short-lived, hence on the heap.
pub(crate) async fn handshake(
    socket: TcpStream,
    tls: Arc<rustls::ServerConfig>,
    service: &Service,
    rank: Rank,
) -> Option<Secured> {
    let mut memory = service.broker().budget().hold();
    if memory.set(HANDSHAKE, rank).is_err() {
        service.count_refusal(Refusal::Memory);
        return None;
    }
    let wants_binding = service.binds_channels();
    let accept = Box::pin(accept(socket, tls, wants_binding));
    match tokio::time::timeout(service.config().timeouts.handshake, accept).await {
        Ok(Ok(secured)) => Some(secured),
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            service.count_refusal(Refusal::Handshake);
            None
        }
        Err(_) => {
            service.count_refusal(Refusal::Handshake);
            None
        }
    }
}

async fn accept(
    socket: TcpStream,
    tls: Arc<rustls::ServerConfig>,
    wants_binding: bool,
) -> io::Result<Secured> {
    let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), socket).await?;
    // rustls does not tell which certificate it chose: the resolver is asked the same question once more. Should the
    // certificate change in between, this one login with channel binding fails.
    let certificate = wants_binding.then(|| tls.cert_resolver.resolve(start.client_hello())).flatten();
    let end_point = certificate.and_then(|chosen| binding::end_point(chosen.cert.first()?));
    let stream = start.into_stream(tls).await?;
    let binding = wants_binding.then(|| Box::new(ChannelBinding { exporter: exporter(&stream), end_point }));
    Ok(Secured { io: Io::Tls(Box::new(stream)), binding })
}

/// `tls-exporter`. With TLS 1.2 it would need to be known that the extended master secret was used, which rustls
/// does not tell (RFC 9266 §3).
fn exporter(stream: &TlsStream<TcpStream>) -> Option<[u8; 32]> {
    let connection = stream.get_ref().1;
    if connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return None;
    }
    connection.export_keying_material([0; 32], binding::EXPORTER_LABEL, Some(&[])).ok()
}
