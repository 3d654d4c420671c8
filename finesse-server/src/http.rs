//! The HTTP side: accepts connections, speaks HTTP/1.1 and HTTP/2, and hands each request to whom it belongs: BOSH,
//! WebSocket, REST, or the page.
//!
//! All listeners serve the same; they differ in TLS and in whether REST is served or redirected in clear.

mod head;
mod host_meta;
mod line;
mod patience;
mod places;
mod protection;
mod second;
pub mod tls;
mod unread;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use broker::Rank;
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderValue, LOCATION};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::RwLock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use xmpp::forwarded::{self, ForwardedHeader};
use xmpp::websocket::{Admission, WsOptions};
use xmpp::{Network, proxy_protocol};

use crate::health::Health;
use crate::pages;
use crate::rest::Rest;
pub use host_meta::HostMeta;
use patience::{Times, Watch};
use places::{Place, Places};
pub use protection::transport_security;
use unread::Unread;

/// What the memory budget counts for a connection: its task and hyper's buffers.
const CONNECTION_BYTES: usize = 20 * 1024;

/// And for TLS on it.
const TLS_BYTES: usize = 12 * 1024;

/// And while its handshake lasts: rustls puts a message together from fragments up to this length.
const HANDSHAKE_BYTES: usize = 64 * 1024;

/// And for HTTP/2: a frame, and a header block in fragments.
const SECOND_BYTES: usize = 64 * 1024;

/// Connections accepted in one go, before other tasks have their turn: a flood that is refused must not keep
/// those behind it waiting until the system throws them away.
const ACCEPTS: usize = 256;

/// How long requests in progress may take to end when the server stops, or a connection is closed.
const DRAIN: Duration = Duration::from_secs(2);

/// Wait after an accept that failed for want of resources.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a field of a header takes beside its text.
const FIELD: usize = 128;

type Body = Either<Full<Bytes>, bosh::Body>;

/// What lies behind the listeners.
pub struct Interfaces {
    /// The REST API.
    pub rest: Rest,
    /// BOSH.
    pub bosh: bosh::Endpoint,
    /// Streams over WebSocket.
    pub xmpp: xmpp::Service,
    /// Bounds the streams over TCP and WebSocket.
    pub admission: Admission,
    /// What probes are answered.
    pub health: Health,
    rules: RwLock<Arc<Rules>>,
    places: Arc<Places>,
}

/// What may change while the server runs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Origins whose pages may use WebSocket.
    pub origins: xmpp::Origins,
    /// Reverse proxies that are believed about the address of a client.
    pub proxies: Vec<Network>,
    /// The header in which they tell it.
    pub proxy_header: ForwardedHeader,
    /// Connections of all listeners together.
    pub connections: usize,
    /// Connections of one address, unless it is trusted or a proxy's.
    pub per_address: usize,
    /// Addresses without a bound of their own.
    pub trusted: Vec<Network>,
    /// Longest header of a request, in bytes.
    pub header_bytes: u32,
    /// Requests under way at once on one HTTP/2 connection.
    pub streams: u32,
    /// How long a header may take, from its first byte to its last.
    pub header: Duration,
    /// How long a connection may wait between two requests.
    pub idle: Duration,
    /// Where clients find BOSH and WebSocket.
    pub host_meta: HostMeta,
    /// Value of `Strict-Transport-Security` in answers over TLS.
    pub transport_security: Option<HeaderValue>,
}

/// What one listener does; may change while it is open, for connections accepted from then on.
#[derive(Clone)]
pub struct Door {
    /// TLS from the first byte.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Port of the HTTPS listener that REST and pages are redirected to; `None`: served here.
    pub redirect: Option<u16>,
    /// Each connection begins with a PROXY header and comes from one of these addresses; `None`: no such header.
    pub proxies: Option<Arc<[Network]>>,
}

/// Serves a listener. When `close` is ready it is closed and its connections go on; when `stop` turns true, requests
/// in progress may end, and then all is over.
pub async fn serve(
    listener: TcpListener,
    door: watch::Receiver<Door>,
    interfaces: Arc<Interfaces>,
    close: impl Future<Output = ()> + Send,
    stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let mut stopping = stop.clone();
    tokio::select! {
        () = accept_all(listener, &door, &interfaces, &stop, &mut connections, close) => {}
        () = stopped(&mut stopping) => {}
    }
    tokio::select! {
        () = all_gone(&mut connections) => return,
        () = stopped(&mut stopping) => {}
    }
    // What is left then is cut off when the set is dropped.
    let _ = tokio::time::timeout(DRAIN, all_gone(&mut connections)).await;
}

async fn accept_all(
    listener: TcpListener,
    door: &watch::Receiver<Door>,
    interfaces: &Arc<Interfaces>,
    stop: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
    close: impl Future<Output = ()> + Send,
) {
    let mut close = std::pin::pin!(close);
    let mut in_one_go = 0;
    loop {
        in_one_go += 1;
        if in_one_go >= ACCEPTS {
            in_one_go = 0;
            tokio::task::yield_now().await;
        }
        let accepted = tokio::select! {
            // First: the socket may be another listener's by now.
            biased;
            () = &mut close => return,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = tokio::task::unconstrained(listener.accept()) => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(mut place) = interfaces.places.enter(interfaces.rules().connections) else {
            interfaces.xmpp.count_refusal(xmpp::Refusal::Connections);
            tracing::debug!(%peer, "too many HTTP connections");
            continue;
        };
        let door = door.borrow().clone();
        let peer = peer.ip().to_canonical();
        let arrival = match &door.proxies {
            Some(_) => Arrival::Proxied(place),
            // Before there is a task for it: those who are refused are to cost next to nothing.
            None => match interfaces.admit(peer, door.tls.is_some(), &mut place) {
                Some(memory) => Arrival::Admitted(place, memory),
                None => continue,
            },
        };
        let (interfaces, stop) = (interfaces.clone(), stop.clone());
        connections.spawn(async move { interfaces.connection(socket, peer, arrival, door, stop).await });
    }
}

async fn all_gone(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}

/// Resolves when the server stops.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|&stop| stop).await;
}

/// What is known of a connection when it is accepted.
enum Arrival {
    /// Its client has its place and its memory.
    Admitted(Place, broker::Place),
    /// A proxy's, which says first whose it is.
    Proxied(Place),
}

/// A connection as its requests see it.
#[derive(Clone, Copy)]
struct From {
    peer: IpAddr,
    secure: bool,
    redirect: Option<u16>,
}

impl Interfaces {
    /// Everything behind the listeners.
    pub fn new(
        rest: Rest,
        bosh: bosh::Endpoint,
        xmpp: xmpp::Service,
        admission: Admission,
        health: Health,
        rules: Rules,
    ) -> Interfaces {
        let rules = RwLock::new(Arc::new(rules));
        Interfaces { rest, bosh, xmpp, admission, health, rules, places: Arc::default() }
    }

    /// From now on these rules hold. Bounds and times of a connection are those of its beginning.
    pub fn set_rules(&self, rules: Rules) {
        *self.rules.write() = Arc::new(rules);
    }

    fn rules(&self) -> Arc<Rules> {
        self.rules.read().clone()
    }

    /// Memory for one more connection of this client, unless it has its share of them or there is none.
    fn admit(&self, client: IpAddr, tls: bool, place: &mut Place) -> Option<broker::Place> {
        let refuse = |reason| self.xmpp.count_refusal(reason);
        if !self.rules().admits(client, place) {
            refuse(xmpp::Refusal::AddressConnections);
            return None;
        }
        let bytes = if tls { CONNECTION_BYTES + TLS_BYTES } else { CONNECTION_BYTES };
        let memory = self.xmpp.broker().budget().enter(bytes, self.rank(client));
        memory.inspect_err(|_| refuse(xmpp::Refusal::Memory)).ok()
    }

    /// For whom memory is held on a connection from this address.
    fn rank(&self, client: IpAddr) -> Rank {
        if self.admission.is_trusted(client) { Rank::Session } else { Rank::Stranger }
    }

    /// Reserves memory for a phase of a connection, unless there is none.
    fn hold(&self, bytes: usize, client: IpAddr) -> Option<broker::Hold> {
        let mut hold = self.xmpp.broker().budget().hold();
        let held = hold.set(bytes, self.rank(client));
        held.inspect_err(|_| self.xmpp.count_refusal(xmpp::Refusal::Memory)).ok().map(|()| hold)
    }

    /// The client behind a proxy; `None`: the connection is to be closed.
    async fn proxied(&self, socket: &mut TcpStream, proxy: IpAddr, door: &Door) -> Option<IpAddr> {
        let client = client_behind(socket, proxy, door.proxies.as_deref().unwrap_or_default());
        let client = tokio::time::timeout(self.xmpp.config().timeouts.handshake, client).await;
        let client = client.unwrap_or(Err("PROXY header took too long"));
        client
            .inspect_err(|why| {
                self.xmpp.count_refusal(xmpp::Refusal::NotListed);
                tracing::debug!(%proxy, why, "connection closed");
            })
            .ok()
    }

    async fn connection(
        self: Arc<Self>,
        mut socket: TcpStream,
        peer: IpAddr,
        arrival: Arrival,
        door: Door,
        stop: watch::Receiver<bool>,
    ) {
        let timeouts = &self.xmpp.config().timeouts;
        xmpp::tcp::tune(&socket, timeouts);
        let handshake = timeouts.handshake;
        // Held until the connection is gone.
        let (client, _place, _memory) = match arrival {
            Arrival::Admitted(place, memory) => (peer, place, memory),
            Arrival::Proxied(mut place) => {
                let Some(client) = self.proxied(&mut socket, peer, &door).await else { return };
                let Some(memory) = self.admit(client, door.tls.is_some(), &mut place) else { return };
                (client, place, memory)
            }
        };
        let from = From { peer: client, secure: door.tls.is_some(), redirect: door.redirect };
        let Some(tls) = door.tls else { return Box::pin(self.first(socket, from, stop)).await };
        let Some(handshaking) = self.hold(HANDSHAKE_BYTES, client) else { return };
        let accept = Box::pin(TlsAcceptor::from(tls).accept(socket));
        let accepted = tokio::time::timeout(handshake, accept).await;
        drop(handshaking);
        match accepted {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                Box::pin(self.second(stream, from, stop)).await;
            }
            Ok(Ok(stream)) => Box::pin(self.first(stream, from, stop)).await,
            Ok(Err(error)) => {
                self.xmpp.count_refusal(xmpp::Refusal::Handshake);
                tracing::debug!(%client, %error, "TLS handshake failed");
            }
            Err(_) => {
                self.xmpp.count_refusal(xmpp::Refusal::Handshake);
                tracing::debug!(%client, "TLS handshake took too long");
            }
        }
    }

    /// HTTP/1.1 and 1.0.
    async fn first<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self: Arc<Self>,
        stream: S,
        from: From,
        mut stop: watch::Receiver<bool>,
    ) {
        let rules = self.rules();
        let watch = Arc::new(Watch::default());
        let meter = line::Meter::new(self.xmpp.broker().budget().hold(), self.rank(from.peer));
        let io = TokioIo::new(line::Noting::new(stream, watch.clone(), meter));
        let mut http = patience::http(rules.times(), watch.clone());
        http.max_buf_size(rules.header_bytes as usize);
        drop(rules);
        let (xmpp, noted) = (self.xmpp.clone(), watch.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let interfaces = self.clone();
            let allowed = head::Head::allows(watch.take_head(), request.method(), request.headers());
            async move {
                if !allowed {
                    interfaces.xmpp.count_refusal(xmpp::Refusal::BadRequest);
                    return Ok(interfaces.protected(ambiguous().map(Either::Left), from));
                }
                let answer = interfaces.answer(request, from).await;
                Ok::<_, Infallible>(interfaces.protected(answer, from))
            }
        });
        let connection = http.serve_connection(io, service).with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if noted.is_starved() {
            xmpp.count_refusal(xmpp::Refusal::Memory);
        }
        if let Err(error) = ended {
            tracing::debug!(peer = %from.peer, %error, "HTTP connection ended");
        }
    }

    /// HTTP/2.
    async fn second<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self: Arc<Self>,
        stream: S,
        from: From,
        mut stop: watch::Receiver<bool>,
    ) {
        let Some(_memory) = self.hold(SECOND_BYTES, from.peer) else { return };
        let rules = self.rules();
        let times = rules.times();
        let http = second::http(rules.streams, rules.header_bytes);
        drop(rules);
        let stall = self.xmpp.config().timeouts.write_stall;
        let (activity, unread) = (second::Activity::new(), Unread::default());
        let (begun, answers, interfaces) = (activity.clone(), unread.clone(), self.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (interfaces, busy, answers) = (interfaces.clone(), begun.begin(), answers.clone());
            async move {
                let answer = interfaces.answer(request, from).await;
                drop(busy);
                let answer = interfaces.protected(answer, from);
                Ok::<_, Infallible>(answer.map(|body| answers.watch(body)))
            }
        });
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = activity.ceased(times) => {
                connection.as_mut().graceful_shutdown();
                tokio::time::timeout(DRAIN, connection).await.unwrap_or(Ok(()))
            }
            () = unread.stalled(stall) => {
                self.xmpp.count_refusal(xmpp::Refusal::Overflow);
                tracing::debug!(peer = %from.peer, "answers over HTTP/2 are not read");
                return;
            }
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(peer = %from.peer, %error, "HTTP/2 connection ended");
        }
    }

    /// The answer with what every answer carries.
    fn protected(&self, answer: Response<Body>, from: From) -> Response<Body> {
        let rules = self.rules();
        protection::protect(answer, rules.transport_security.as_ref().filter(|_| from.secure))
    }

    async fn answer(&self, request: Request<Incoming>, from: From) -> Response<Body> {
        // Before anything is reserved: a full server is alive, and not to be started anew in the middle of a storm.
        if let Some(answer) = self.health.answer(request.method(), request.uri().path()) {
            return answer.map(Either::Left);
        }
        let rules = self.rules();
        let From { secure, redirect, .. } = from;
        let peer = rules.client(from.peer, request.headers());
        // Headers are kept until the answer is there, which may be long.
        let Some(_headers) = self.hold(header_bytes(request.headers()), peer) else {
            drop(rules);
            return pages::plain(StatusCode::SERVICE_UNAVAILABLE, "503: out of memory\n").map(Either::Left);
        };
        let path = request.uri().path();
        if matches!(path, "/http-bind" | "/http-bind/") {
            drop(rules);
            return self.bosh.handle(request, Some(peer), secure).await.map(Either::Right);
        }
        if matches!(path, "/ws" | "/ws/") {
            let options = WsOptions {
                secure,
                peer: Some(peer),
                origins: rules.origins.clone(),
                admission: self.admission.clone(),
                recover: Some(line::recover),
            };
            return xmpp::websocket::upgrade(request, self.xmpp.clone(), options).map(Either::Left);
        }
        if let Some(document) = rules.host_meta.answer(request.method(), path) {
            return document.map(Either::Left);
        }
        drop(rules);
        if let Some(port) = redirect {
            return moved(&request, port).map(Either::Left);
        }
        if Rest::owns(path) {
            return self.rest.handle(request, Some(peer)).await.map(Either::Left);
        }
        pages::answer(request.method(), path, request.headers()).map(Either::Left)
    }
}

impl Rules {
    fn times(&self) -> Times {
        Times { header: self.header, idle: self.idle }
    }

    /// Whether one more connection of this address may be open.
    fn admits(&self, peer: IpAddr, place: &mut Place) -> bool {
        let unbounded = Network::any(&self.trusted, peer) || Network::any(&self.proxies, peer);
        unbounded || place.belongs_to(peer, self.per_address)
    }

    /// The address by which a client is known to BOSH, WebSocket and REST alike.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if self.proxies.is_empty() {
            return peer;
        }
        let values = headers.get_all(self.proxy_header.name()).iter().map(HeaderValue::as_bytes);
        forwarded::client(peer, &self.proxies, self.proxy_header, values)
    }
}

/// The client's address from the PROXY header.
async fn client_behind(
    socket: &mut TcpStream,
    proxy: IpAddr,
    proxies: &[Network],
) -> Result<IpAddr, &'static str> {
    if !Network::any(proxies, proxy) {
        return Err("not from a listed proxy");
    }
    match proxy_protocol::read(socket).await {
        Ok(client) => Ok(client.map_or(proxy, |client| client.ip().to_canonical())),
        Err(_) => Err("no PROXY header"),
    }
}

/// A request that says twice where its body ends. Whoever passed it on may have read it differently, so nothing
/// that follows can be trusted.
fn ambiguous() -> Response<Full<Bytes>> {
    let mut response = pages::plain(StatusCode::BAD_REQUEST, "400: both a length and a transfer coding\n");
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// About what the fields of a header take.
fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD).sum()
}

/// 301 to the same path over HTTPS. The connection is closed, since the client goes elsewhere.
fn moved(request: &Request<Incoming>, port: u16) -> Response<Full<Bytes>> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).and_then(host_name);
    let target = host.map(|host| {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        HeaderValue::from_str(&format!("https://{host}:{port}{path}"))
    });
    let Some(Ok(target)) = target else {
        return pages::plain(StatusCode::BAD_REQUEST, "400: no usable Host header\n");
    };
    let mut response = pages::plain(StatusCode::MOVED_PERMANENTLY, "301: use HTTPS\n");
    response.headers_mut().insert(LOCATION, target);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The host of a `Host` header, without port.
fn host_name(host: &str) -> Option<&str> {
    let name = match host.strip_prefix('[') {
        Some(rest) => &host[..rest.find(']')? + 2],
        None => host.split(':').next()?,
    };
    let fits =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'[' | b']' | b':');
    (!name.is_empty() && name.bytes().all(fits)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_a_host_is_cut_off() {
        assert_eq!(host_name("cc.example:8082"), Some("cc.example"));
        assert_eq!(host_name("cc.example"), Some("cc.example"));
        assert_eq!(host_name("[::1]:80"), Some("[::1]"));
        for bad in ["", ":80", "a b", "evil/x", "[::1", "a@b"] {
            assert_eq!(host_name(bad), None, "{bad}");
        }
    }
}
