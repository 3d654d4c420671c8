//! The notification service with all its doors in this process, and one node for each user.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use broker::{Broker, NodeSource};
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use xmpp::auth::Verdict;
use xmpp::tcp::TcpOptions;
use xmpp::websocket::{WsOptions, upgrade};
use xmpp::{Access, AccessPolicy, Authenticator, Credentials, Principal, Service};

/// The domain.
pub const DOMAIN: &str = "localhost";

/// Everybody may be everybody.
struct Anybody;

impl Authenticator for Anybody {
    fn authenticate(&self, credentials: Credentials) -> Verdict {
        let user = credentials.user.to_lowercase();
        Box::pin(ready(Ok(Principal { user: user.into(), tag: 0 })))
    }
}

struct Open;

impl AccessPolicy for Open {
    fn subscribe(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
}

/// Whoever logs in is subscribed to the node of his name.
struct OwnNode;

/// The node of a user.
pub fn node_of(user: &str) -> String {
    format!("/chaos/{user}")
}

impl NodeSource for OwnNode {
    fn exists(&self, node: &str) -> bool {
        node.starts_with("/chaos/")
    }

    fn auto_subscriptions(&self, bare: &str) -> Vec<Arc<str>> {
        bare.split('@').next().map(|user| node_of(user).into()).into_iter().collect()
    }
}

/// A running service. Its listeners end with the runtime.
pub struct Site {
    service: Service,
    /// Where BOSH (`/http-bind/`) and WebSocket (`/ws/`) are.
    pub http: SocketAddr,
    /// Where plain XMPP is.
    pub xmpp: SocketAddr,
}

#[derive(Clone)]
struct Doors {
    service: Service,
    bosh: bosh::Endpoint,
    options: TcpOptions,
}

impl Doors {
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<BoxBody<Bytes, Infallible>> {
        if request.uri().path().starts_with("/ws") {
            let admission = self.options.admission.clone();
            let options = WsOptions { peer: Some(peer.ip()), admission, ..WsOptions::default() };
            return upgrade(request, self.service.clone(), options).map(|body: Full<Bytes>| body.boxed());
        }
        self.bosh.handle(request, Some(peer.ip()), false).await.map(BodyExt::boxed)
    }
}

impl Site {
    /// Starts the service with `config` on free ports of the loopback address.
    pub async fn start(config: xmpp::Config) -> Result<Self> {
        let broker = Broker::with_source(broker::Config::default(), Arc::new(OwnNode));
        let service = Service::new(config, broker, Arc::new(Anybody), Arc::new(Open));
        let bosh = bosh::Endpoint::new(service.clone(), bosh::Config::default());
        let doors = Doors { service: service.clone(), bosh, options: TcpOptions::default() };
        let web = TcpListener::bind("127.0.0.1:0").await?;
        let plain = TcpListener::bind("127.0.0.1:0").await?;
        let site = Self { service: service.clone(), http: web.local_addr()?, xmpp: plain.local_addr()? };
        tokio::spawn(xmpp::tcp::serve(plain, service, doors.options.clone(), pending()));
        tokio::spawn(serve_web(web, doors));
        Ok(site)
    }

    /// Publishes event `number` to the node of each of `users`; how many sessions it went to.
    pub fn tell(&self, users: &[String], number: u64) -> usize {
        let tell = |user: &String| {
            let node = node_of(user);
            let event = || xmpp::notification("pubsub.localhost", &node, &format!("<n>{number}</n>"));
            self.service.broker().publish_with(&node, event).sessions
        };
        users.iter().map(tell).sum()
    }
}

async fn serve_web(listener: TcpListener, doors: Doors) {
    while let Ok((stream, peer)) = listener.accept().await {
        // Without it small answers wait for each other.
        let _ = stream.set_nodelay(true);
        let doors = doors.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let doors = doors.clone();
                async move { Ok::<_, Infallible>(doors.answer(request, peer).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(90))
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            // Connections break here all the time.
            let _ = connection.await;
        });
    }
}
