//! Listener for components: plain TCP, meant for the loopback interface or a private network.

use std::future::Future;
use std::time::Instant;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::service::Service;
use crate::shell::{Driver, Io, Permit};
use crate::stream::{Channel, Framing, Stream};
use crate::tcp::{ACCEPT_PAUSE, Admission, CONNECTION, TcpFramer, all_gone, report, tune};

/// Accepts components until `shutdown` is ready, then ends them with `system-shutdown` and returns when all
/// are gone, after the drain time at the latest. There is no TLS: the secret does not cross the wire, but
/// everything else does in clear.
///
/// `admission` bounds the connections; listeners that share it should stop together, because ending them is
/// done through it. Cancel safe in so far as dropping the future closes every connection at once.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    admission: Admission,
    shutdown: impl Future<Output = ()> + Send,
) {
    serve_closing(listener, service, admission, std::future::pending(), shutdown).await;
}

/// As [`serve`], for a listener that may close while it runs: when `close` is ready nobody more is accepted; its
/// connections go on until they end or `shutdown` is ready.
pub async fn serve_closing(
    listener: TcpListener,
    service: Service,
    admission: Admission,
    close: impl Future<Output = ()> + Send,
    shutdown: impl Future<Output = ()> + Send,
) {
    let mut tasks = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let accepting = accept_all(listener, &service, &admission, close, &mut tasks);
    let closed = tokio::select! {
        biased;
        () = &mut shutdown => false,
        () = accepting => true,
    };
    if closed {
        tokio::select! {
            biased;
            () = &mut shutdown => {}
            () = all_gone(&mut tasks) => return,
        }
    }
    admission.shutdown();
    // What is left after the drain time is aborted when the set is dropped.
    let _ = tokio::time::timeout(service.config().timeouts.drain, all_gone(&mut tasks)).await;
}

/// Dropping it closes the listener and leaves the connections in `tasks`.
async fn accept_all(
    listener: TcpListener,
    service: &Service,
    admission: &Admission,
    close: impl Future<Output = ()> + Send,
    tasks: &mut JoinSet<()>,
) {
    let mut close = std::pin::pin!(close);
    loop {
        tokio::select! {
            biased;
            () = &mut close => return,
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => report(ended),
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let budget = service.broker().budget();
                    match admission.enter(Some(peer.ip().to_canonical()), budget, CONNECTION, Instant::now()) {
                        Ok(permit) => {
                            tune(&socket, &service.config().timeouts);
                            tasks.spawn(connection(socket, service.clone(), permit));
                        }
                        Err(reason) => service.count_refusal(reason),
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

async fn connection(socket: TcpStream, service: Service, permit: Permit) {
    let peer = socket.peer_addr().ok().map(|address| address.ip().to_canonical());
    let channel = Channel { peer, ..Channel::default() };
    let stream = Stream::new(service, Framing::Component, channel, Instant::now());
    Driver::new(Io::Tcp(socket), stream, TcpFramer::new(true), Some(permit)).run().await;
}
