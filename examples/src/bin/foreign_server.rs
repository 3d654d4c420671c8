//! A help desk with a web server of its own gets live notifications: BOSH and WebSocket are mounted beside
//! its pages, plain XMPP listens on a port of its own, and all three share users, rights and nodes that the
//! program keeps.
//!
//! `cargo run -p examples --bin foreign_server`, then sign in to `ws://127.0.0.1:8080/ws/`,
//! `http://127.0.0.1:8080/http-bind/` or port 5222 as `anna` or `ben`, password `secret`.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, NodeSource};
use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use xmpp::auth::Verdict;
use xmpp::tcp::TcpOptions;
use xmpp::websocket::{WsOptions, upgrade};
use xmpp::{Access, AccessPolicy, AuthFailure, Authenticator, Credentials, Principal, Service};

/// The program's own users. Each has a desk, and each desk is a node.
const DESKS: [&str; 2] = ["anna", "ben"];

struct Users;

impl Authenticator for Users {
    fn authenticate(&self, login: Credentials) -> Verdict {
        let user = login.user.to_lowercase();
        let known = DESKS.contains(&user.as_str()) && login.password.expose() == "secret";
        let verdict = known.then(|| Principal { user: user.into(), tag: 0 });
        Box::pin(ready(verdict.ok_or(AuthFailure::NotAuthorized)))
    }
}

/// Everybody may listen at his own desk only, and nobody but the program publishes.
struct OwnDesk;

impl AccessPolicy for OwnDesk {
    fn subscribe(&self, who: &Principal, node: &str) -> Access {
        if node.strip_prefix("/desk/") == Some(&who.user) { Access::Allow } else { Access::Forbidden }
    }
}

/// Desks need not be created, and whoever signs in is subscribed to his own.
struct Desks;

impl NodeSource for Desks {
    fn exists(&self, node: &str) -> bool {
        node.strip_prefix("/desk/").is_some_and(|user| DESKS.contains(&user))
    }

    fn auto_subscriptions(&self, bare: &str) -> Vec<Arc<str>> {
        bare.split('@').next().map(|user| format!("/desk/{user}").into()).into_iter().collect()
    }
}

/// The foreign server: its pages, and two mounted doors.
#[derive(Clone)]
struct Site {
    xmpp: Service,
    bosh: bosh::Endpoint,
    /// Bounds on connections, shared by all doors of the `xmpp` crate.
    doors: TcpOptions,
}

type Page = Response<BoxBody<Bytes, Infallible>>;

impl Site {
    fn new() -> Self {
        let broker = Broker::with_source(broker::Config::default(), Arc::new(Desks));
        let config = xmpp::Config::new("localhost");
        let xmpp = Service::new(config, broker, Arc::new(Users), Arc::new(OwnDesk));
        let bosh = bosh::Endpoint::new(xmpp.clone(), bosh::Config::default());
        Self { xmpp, bosh, doors: TcpOptions::default() }
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Page {
        match request.uri().path() {
            "/http-bind" | "/http-bind/" => {
                self.bosh.handle(request, Some(peer.ip()), false).await.map(BodyExt::boxed)
            }
            "/ws" | "/ws/" => {
                let admission = self.doors.admission.clone();
                let options = WsOptions { peer: Some(peer.ip()), admission, ..WsOptions::default() };
                upgrade(request, self.xmpp.clone(), options).map(BodyExt::boxed)
            }
            "/" => page(StatusCode::OK, "The help desk is open."),
            _ => page(StatusCode::NOT_FOUND, "No such page."),
        }
    }

    /// Tells a desk something. Costs a look-up when nobody sits there.
    fn tell(&self, user: &str, text: &str) -> usize {
        let node = format!("/desk/{user}");
        self.xmpp
            .broker()
            .publish_with(&node, || xmpp::notification("pubsub.localhost", &node, text))
            .sessions
    }

    async fn serve(self, listener: TcpListener) -> io::Result<()> {
        loop {
            let (stream, peer) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let site = self.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let site = site.clone();
                    async move { Ok::<_, Infallible>(site.answer(request, peer).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(Duration::from_secs(90))
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades();
                // A client that goes away is nothing to report.
                let _ = connection.await;
            });
        }
    }
}

fn page(status: StatusCode, text: &'static str) -> Page {
    let mut response = Response::new(Full::from(text).boxed());
    *response.status_mut() = status;
    response
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let site = Site::new();
    let web = TcpListener::bind("127.0.0.1:8080").await?;
    let plain = TcpListener::bind("127.0.0.1:5222").await?;
    println!("pages on http://{}, XMPP on {}", web.local_addr()?, plain.local_addr()?);

    let clock = site.clone();
    tokio::spawn(async move {
        for second in 1u64.. {
            tokio::time::sleep(Duration::from_secs(1)).await;
            for user in DESKS {
                clock.tell(user, &format!("<Update><seconds>{second}</seconds></Update>"));
            }
        }
    });
    let (service, doors) = (site.xmpp.clone(), site.doors.clone());
    tokio::spawn(xmpp::tcp::serve(plain, service, doors, std::future::pending()));

    let bosh = site.bosh.clone();
    tokio::select! {
        served = site.serve(web) => served,
        _ = tokio::signal::ctrl_c() => {
            bosh.shutdown();
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn pages_and_doors_share_a_port() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(Site::new().serve(listener));

        let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert!(ask(address, &get("/")).await.ends_with("The help desk is open."));
        assert!(ask(address, &get("/nothing")).await.starts_with("HTTP/1.1 404"));

        let body = "<body rid='1' to='localhost' wait='30' hold='1' ver='1.9' \
                    xmlns='http://jabber.org/protocol/httpbind'/>";
        let post = format!(
            "POST /http-bind HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert!(ask(address, &post).await.contains("<stream:features>"));

        let upgrade = "GET /ws/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
                       Sec-WebSocket-Protocol: xmpp\r\n\r\n";
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(upgrade.as_bytes()).await.unwrap();
        let mut start = [0u8; 12];
        socket.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 101");
    }

    #[test]
    fn a_desk_without_anybody_costs_a_look_up() {
        assert_eq!(Site::new().tell("anna", "hello"), 0);
    }

    #[test]
    fn rights_and_nodes_are_the_programs_own() {
        let anna = Principal { user: "anna".into(), tag: 0 };
        assert_eq!(OwnDesk.subscribe(&anna, "/desk/anna"), Access::Allow);
        assert_eq!(OwnDesk.subscribe(&anna, "/desk/ben"), Access::Forbidden);
        assert!(Desks.exists("/desk/ben") && !Desks.exists("/desk/eve") && !Desks.exists("ben"));
    }
}
