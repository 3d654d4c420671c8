//! The accept loop: who is let in, and what happens to a listener that changes or closes while its
//! connections go on.

use std::future::Future;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tracing::Instrument;

use super::{CONNECTION, TcpOptions, connection};
use crate::service::Service;
use crate::shell::{self, Permit};
use crate::stats::Refusal;
use crate::stream::{Channel, Framing, Stream};
use crate::{Network, StreamError, Timeouts, proxy_protocol};

/// Pause after a failed accept (no file descriptors left): trying again at once would spin.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections accepted in one go, before other tasks have their turn.
const ACCEPTS: usize = 256;

/// How often a listener looks whether the service has something to do.
const CLOCK: Duration = Duration::from_secs(1);

/// Accepts connections until `shutdown` is ready, then ends them with `system-shutdown` and returns when
/// all are gone, after the drain time at the latest. Ending connections is done through
/// [`TcpOptions::admission`], so listeners that share it should stop together.
///
/// Cancel safe in so far as dropping the future closes every connection at once.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    options: TcpOptions,
    shutdown: impl Future<Output = ()> + Send,
) {
    let (_unchanged, options) = watch::channel(options);
    serve_changing(listener, service, options, std::future::pending(), shutdown).await;
}

/// As [`serve`], for a listener that changes while it runs: each connection gets the options as they are when
/// it is accepted. When `close` is ready the listener is closed; its connections go on until they end or
/// `shutdown` is ready.
pub async fn serve_changing(
    listener: TcpListener,
    service: Service,
    options: watch::Receiver<TcpOptions>,
    close: impl Future<Output = ()> + Send,
    shutdown: impl Future<Output = ()> + Send,
) {
    let mut tasks = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let accepting = accept_all(listener, &service, &options, close, &mut tasks);
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
    let admission = options.borrow().admission.clone();
    admission.shutdown();
    // What is left after the drain time is aborted when the set is dropped.
    let _ = tokio::time::timeout(service.config().timeouts.drain, all_gone(&mut tasks)).await;
}

/// Dropping it closes the listener and leaves the connections in `tasks`.
async fn accept_all(
    listener: TcpListener,
    service: &Service,
    options: &watch::Receiver<TcpOptions>,
    close: impl Future<Output = ()> + Send,
    tasks: &mut JoinSet<()>,
) {
    let mut close = std::pin::pin!(close);
    let mut clock = tokio::time::interval(CLOCK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut in_one_go = 0;
    loop {
        in_one_go += 1;
        if in_one_go >= ACCEPTS {
            in_one_go = 0;
            tokio::task::yield_now().await;
        }
        tokio::select! {
            biased;
            () = &mut close => return,
            _ = clock.tick() => drop(service.handle_timeout(Instant::now())),
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => report(ended),
            // A flood that is refused must not keep those behind it waiting until the system throws them away.
            accepted = tokio::task::unconstrained(listener.accept()) => match accepted {
                Ok((socket, peer)) => {
                    let options = options.borrow().clone();
                    accept(socket, peer.ip().to_canonical(), service, options, tasks);
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

pub(crate) async fn all_gone(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        report(ended);
    }
}

pub(crate) fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a connection's task panicked; the other sessions go on");
    }
}

fn accept(socket: TcpStream, peer: IpAddr, service: &Service, options: TcpOptions, tasks: &mut JoinSet<()>) {
    tune(&socket, &service.config().timeouts);
    let Some(proxies) = &options.proxies else {
        if let Some(permit) = admit(&socket, peer, service, &options) {
            let service = service.clone();
            let span = shell::span("tcp", Some(peer));
            tasks.spawn(
                async move { connection(socket, peer, service, options, permit).await }.instrument(span),
            );
        }
        return;
    };
    if !Network::any(proxies, peer) {
        return service.count_refusal(Refusal::NotListed);
    }
    // The client's own place follows when its address is known; until then the proxy has one of this
    // machine's.
    let budget = service.broker().budget();
    match options.admission.enter(None, budget, CONNECTION, Instant::now()) {
        Ok(place) => {
            let service = service.clone();
            tasks.spawn(async move { proxied(socket, peer, service, options, place).await });
        }
        Err(reason) => service.count_refusal(reason),
    }
}

/// A place for the connection. Who gets none is told why, unless TLS comes first.
fn admit(socket: &TcpStream, peer: IpAddr, service: &Service, options: &TcpOptions) -> Option<Permit> {
    if options.allow.as_ref().is_some_and(|allowed| !Network::any(allowed, peer)) {
        service.count_refusal(Refusal::NotListed);
        return None;
    }
    let budget = service.broker().budget();
    match options.admission.enter(Some(peer), budget, options.memory(), Instant::now()) {
        Ok(permit) => Some(permit),
        Err(reason) => {
            service.count_refusal(reason);
            if !options.direct_tls {
                refuse(socket, service);
            }
            None
        }
    }
}

async fn proxied(mut socket: TcpStream, proxy: IpAddr, service: Service, options: TcpOptions, place: Permit) {
    let header = proxy_protocol::read(&mut socket);
    let client = match tokio::time::timeout(service.config().timeouts.handshake, header).await {
        Ok(Ok(client)) => client.map_or(proxy, |client| client.ip().to_canonical()),
        Ok(Err(error)) => {
            tracing::debug!(%proxy, %error, "connection without a client's address");
            return service.count_refusal(Refusal::NotListed);
        }
        Err(_) => return service.count_refusal(Refusal::Timeout),
    };
    let permit = admit(&socket, client, &service, &options);
    drop(place);
    if let Some(permit) = permit {
        // On the heap: this task is to be no larger than others.
        let connection = connection(socket, client, service, options, permit);
        Box::pin(connection.instrument(shell::span("tcp", Some(client)))).await;
    }
}

/// Says why in one write that is not waited for; the kernel has room for it.
fn refuse(socket: &TcpStream, service: &Service) {
    let mut stream = Stream::new(service.clone(), Framing::Tcp, Channel::default(), Instant::now());
    let error = StreamError::ResourceConstraint("too many connections");
    stream.refuse_stream(error);
    let mut parcels = std::collections::VecDeque::new();
    let _ = stream.outbox().try_take(&mut parcels, usize::MAX);
    let mut bytes = Vec::new();
    for parcel in &parcels {
        stream.write_parcel(parcel, &mut bytes);
    }
    bytes.extend(stream.farewell(Some(error)).concat().into_bytes());
    let _ = socket.try_write(&bytes);
}

/// Interval of keepalive probes once they have begun.
const PROBE_INTERVAL: Duration = Duration::from_secs(10);
/// Probes without answer before the connection counts as broken.
const PROBES: u32 = 3;

/// Sets an accepted socket up: no waiting for more to send, and an end to connections whose peer has
/// vanished without a word: probes after [`Timeouts::idle_probe`] of silence, and
/// [`Timeouts::write_stall`] for data to be acknowledged (RFC 9293 §3.8.3, where the system can).
///
/// A system that refuses one of them serves the connection all the same: the stream's own timers hold.
pub fn tune(socket: &TcpStream, timeouts: &Timeouts) {
    // Without it a notification waits for the acknowledgement of the one before.
    let _ = socket.set_nodelay(true);
    let socket = socket2::SockRef::from(socket);
    let keepalive = socket2::TcpKeepalive::new().with_time(timeouts.idle_probe);
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_os = "macos"))]
    let keepalive = keepalive.with_interval(PROBE_INTERVAL).with_retries(PROBES);
    let _ = socket.set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_user_timeout(Some(timeouts.write_stall));
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn x8_n48_a_vanished_peer_is_noticed_by_the_system_too() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let timeouts = Timeouts::default();
        tune(&socket, &timeouts);
        let socket = socket2::SockRef::from(&socket);
        assert!(socket.keepalive().unwrap() && socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(timeouts.write_stall));
        let silent = socket.tcp_keepalive_time().unwrap()
            + socket.tcp_keepalive_interval().unwrap() * socket.tcp_keepalive_retries().unwrap();
        assert!(silent <= timeouts.idle_close, "{silent:?}");
    }
}
