//! Listener for components: plain TCP, meant for the loopback interface or a private network.

use std::future::Future;
use std::time::Instant;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::service::Service;
use crate::shell::{Driver, Io, Permit};
use crate::stream::{Channel, Framing, Stream};
use crate::tcp::{ACCEPT_PAUSE, Admission, CONNECTION, TcpFramer, report, tune};

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
    let mut tasks = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => report(ended),
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let budget = service.broker().budget();
                    match admission.enter(Some(peer.ip()), budget, CONNECTION, Instant::now()) {
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
    drop(listener);
    admission.shutdown();
    let all_gone = async {
        while let Some(ended) = tasks.join_next().await {
            report(ended);
        }
    };
    // What is left after the drain time is aborted when the set is dropped.
    let _ = tokio::time::timeout(service.config().timeouts.drain, all_gone).await;
}

async fn connection(socket: TcpStream, service: Service, permit: Permit) {
    let peer = socket.peer_addr().ok().map(|address| address.ip());
    let channel = Channel { peer, ..Channel::default() };
    let stream = Stream::new(service, Framing::Component, channel, Instant::now());
    Driver::new(Io::Tcp(socket), stream, TcpFramer::new(true), Some(permit)).run().await;
}
