//! The HTTP side: accepts connections, speaks HTTP/1.1, and hands each request to whom it belongs: BOSH,
//! WebSocket, REST, or the page.
//!
//! All listeners serve the same; they differ in TLS and in whether REST is served or redirected in clear.

mod patience;
pub mod tls;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderValue, LOCATION};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use xmpp::websocket::{Admission, WsOptions};

use crate::pages;
use crate::rest::Rest;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Most bytes of a header, in one buffer.
const HEADER_BYTES: usize = 64 * 1024;

/// How long requests in progress may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(2);

/// Wait after an accept that failed for want of resources.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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
    /// Origins whose pages may use WebSocket.
    pub origins: xmpp::Origins,
    /// Bounds the connections of all listeners.
    pub connections: Arc<Semaphore>,
}

/// One listener.
pub struct Door {
    /// Where it listens.
    pub listener: TcpListener,
    /// TLS from the first byte.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Port of the HTTPS listener that REST and pages are redirected to; `None`: served here.
    pub redirect: Option<u16>,
}

/// Serves a listener until `stop` turns true, then lets requests in progress end.
pub async fn serve(door: Door, interfaces: Arc<Interfaces>, mut stop: watch::Receiver<bool>) {
    let acceptor = door.tls.clone().map(TlsAcceptor::from);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = door.listener.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            () = stopping(&mut stop) => break,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = interfaces.connections.clone().try_acquire_owned() else {
            tracing::debug!(%peer, "too many HTTP connections");
            continue;
        };
        let connection = Connection {
            interfaces: interfaces.clone(),
            peer,
            secure: acceptor.is_some(),
            redirect: door.redirect,
            permit,
        };
        connections.spawn(connection.run(socket, acceptor.clone(), stop.clone()));
    }
    drop(door.listener);
    let all_gone = async { while connections.join_next().await.is_some() {} };
    // What is left then is cut off when the set is dropped.
    let _ = tokio::time::timeout(DRAIN, all_gone).await;
}

/// Resolves when the server stops.
async fn stopping(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|&stop| stop).await;
}

struct Connection {
    interfaces: Arc<Interfaces>,
    peer: SocketAddr,
    secure: bool,
    redirect: Option<u16>,
    permit: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(self, socket: TcpStream, acceptor: Option<TlsAcceptor>, stop: watch::Receiver<bool>) {
        // Answers are small and written at once: waiting for more only delays them.
        let _ = socket.set_nodelay(true);
        match acceptor {
            None => self.http(socket, stop).await,
            Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(socket)).await {
                Ok(Ok(stream)) => self.http(stream, stop).await,
                Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "TLS handshake failed"),
                Err(_) => tracing::debug!(peer = %self.peer, "TLS handshake took too long"),
            },
        }
    }

    async fn http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self,
        stream: S,
        mut stop: watch::Receiver<bool>,
    ) {
        let Connection { interfaces, peer, secure, redirect, permit } = self;
        let service = service_fn(move |request| {
            let interfaces = interfaces.clone();
            async move {
                Ok::<_, Infallible>(interfaces.answer(request, canonical(peer.ip()), secure, redirect).await)
            }
        });
        let connection = patience::http()
            .max_buf_size(HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopping(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "HTTP connection ended");
        }
        drop(permit);
    }
}

/// The address by which a client is known, whichever way its packets came.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

impl Interfaces {
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
        secure: bool,
        redirect: Option<u16>,
    ) -> Response<Body> {
        let path = request.uri().path();
        if matches!(path, "/http-bind" | "/http-bind/") {
            return self.bosh.handle(request, Some(peer), secure).await.map(Either::Right);
        }
        if matches!(path, "/ws" | "/ws/") {
            let admission = self.admission.clone();
            let options = WsOptions {
                secure,
                peer: Some(peer),
                origins: self.origins.clone(),
                admission,
                recover: None,
            };
            return xmpp::websocket::upgrade(request, self.xmpp.clone(), options).map(Either::Left);
        }
        if let Some(port) = redirect {
            return moved(&request, port).map(Either::Left);
        }
        if Rest::owns(path) {
            return self.rest.handle(request, Some(peer)).await.map(Either::Left);
        }
        pages::answer(request.method(), path, request.headers()).map(Either::Left)
    }
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
