//! A server on loopback and clients that write HTTP by hand, so that a test decides what each connection
//! does.
#![allow(dead_code)]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bosh::{Body, Config, Endpoint};
use broker::Broker;
use hyper::Request;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xmpp::auth::Verdict;
use xmpp::{AuthFailure, Authenticator, Credentials, OpenPolicy, Principal, Service};

use super::{NS, attribute};

/// Everybody with the password `pw`; `slow` takes a while, `down` finds nobody at home.
pub struct Realm;

impl Authenticator for Realm {
    fn authenticate(&self, credentials: Credentials) -> Verdict {
        Box::pin(async move {
            if credentials.user == "slow" {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            match credentials.password.expose() {
                _ if credentials.user == "down" => Err(AuthFailure::Temporary),
                "pw" => Ok(Principal { user: credentials.user.to_lowercase().into(), tag: 0 }),
                _ => Err(AuthFailure::NotAuthorized),
            }
        })
    }
}

#[derive(Clone)]
pub struct Server {
    pub endpoint: Endpoint,
    pub service: Service,
    pub address: SocketAddr,
    /// What the endpoint is told the peer is.
    pub peer: Option<IpAddr>,
    /// How long the header of a request may take.
    pub header: Duration,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(Config::default(), |_| {}).await
    }

    pub async fn with(config: Config, change: impl FnOnce(&mut xmpp::Config)) -> Self {
        Self::behind(config, change, None).await
    }

    /// A server that takes its clients for somebody else.
    pub async fn behind(
        config: Config,
        change: impl FnOnce(&mut xmpp::Config),
        peer: Option<IpAddr>,
    ) -> Self {
        let mut settings = xmpp::Config::new("localhost");
        change(&mut settings);
        let broker = Broker::new(broker::Config::default());
        let service = Service::new(settings, broker, Arc::new(Realm), Arc::new(OpenPolicy));
        Self::of(service, config, peer).await
    }

    /// A server for a service that the test has made.
    pub async fn of(service: Service, config: Config, peer: Option<IpAddr>) -> Self {
        Self::patient(service, config, peer, Duration::from_secs(90)).await
    }

    /// The same with a time for headers.
    pub async fn patient(service: Service, config: Config, peer: Option<IpAddr>, header: Duration) -> Self {
        let endpoint = Endpoint::new(service.clone(), config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { endpoint, service, address, peer, header };
        tokio::spawn(accept(listener, server.clone()));
        server
    }

    pub fn publish(&self, node: &str, text: &str) -> usize {
        self.service.broker().publish(node, xmpp::notification("pubsub.localhost", node, text)).sessions
    }

    pub async fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream, pending: Vec::new() }
    }
}

async fn accept(listener: TcpListener, server: Server) {
    while let Ok((stream, peer)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let service = server.endpoint.service(server.peer.or(Some(peer.ip())), false);
        tokio::spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(server.header)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// One HTTP connection.
pub struct Connection {
    pub stream: TcpStream,
    pending: Vec<u8>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Connection {
    pub async fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    pub async fn post(&mut self, body: &str) {
        let length = body.len();
        self.write(&format!(
            "POST /http-bind/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
        .await;
    }

    /// Reads one response; `None` when the connection ends before one is complete.
    pub async fn read(&mut self) -> Option<Answer> {
        loop {
            if let Some(answer) = self.complete() {
                return Some(answer);
            }
            let mut chunk = [0u8; 16 << 10];
            match self.stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return None,
                Ok(read) => self.pending.extend_from_slice(&chunk[..read]),
            }
        }
    }

    fn complete(&mut self) -> Option<Answer> {
        let end = self.pending.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.pending[..end].to_vec()).unwrap();
        assert!(!head.to_lowercase().contains("transfer-encoding"), "never chunked: {head}");
        let mut answer = Answer { status: head[9..12].parse().unwrap(), head, body: String::new() };
        let length: usize = answer.header("content-length").expect("a length").parse().unwrap();
        if self.pending.len() < end + length {
            return None;
        }
        answer.body = String::from_utf8(self.pending[end..end + length].to_vec()).unwrap();
        self.pending.drain(..end + length);
        Some(answer)
    }

    pub async fn roundtrip(&mut self, body: &str) -> Answer {
        self.post(body).await;
        tokio::time::timeout(Duration::from_secs(10), self.read()).await.expect("in time").expect("an answer")
    }
}

/// A client with a session and two connections, as browsers have them.
pub struct Client {
    pub server: Server,
    pub sid: String,
    pub rid: u64,
    pub first: Connection,
    pub second: Connection,
    pub created: String,
    pub user: String,
}

pub fn plain(user: &str, password: &str) -> String {
    base64(format!("\0{user}\0{password}").as_bytes())
}

pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = ALPHABET[(word >> (18 - 6 * place) & 63) as usize] as char;
            out.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    out
}

pub const CREATE: &str =
    "wait='30' hold='1' ver='1.9' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' to='localhost'";

impl Client {
    /// A session that has not authenticated.
    pub async fn open(server: &Server) -> Self {
        Self::open_with(server, CREATE).await
    }

    pub async fn open_with(server: &Server, attributes: &str) -> Self {
        let mut first = server.connect().await;
        let answer = first.roundtrip(&format!("<body rid='5000' {attributes} {NS}/>")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let sid = attribute(&answer.body, "sid").expect("a session").to_owned();
        let second = server.connect().await;
        Self {
            server: server.clone(),
            sid,
            rid: 5000,
            first,
            second,
            created: answer.body,
            user: String::new(),
        }
    }

    /// A session that is bound and present.
    pub async fn login(server: &Server, user: &str) -> Self {
        Self::login_with(server, user, CREATE).await
    }

    pub async fn login_with(server: &Server, user: &str, attributes: &str) -> Self {
        let mut client = Self::open_with(server, attributes).await;
        client.user = user.to_owned();
        let body = client.ask(&auth(user, "pw")).await;
        assert!(body.contains("<success"), "{body}");
        let body = client.restart().await;
        assert!(body.contains("urn:ietf:params:xml:ns:xmpp-bind"), "{body}");
        let body = client
            .ask(
                "<iq type='set' id='b' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
                 <resource>desk</resource></bind></iq>",
            )
            .await;
        assert!(body.contains(&format!("<jid>{user}@localhost/desk</jid>")), "{body}");
        let body = client.ask("<presence xmlns='jabber:client'/>").await;
        assert!(body.contains("<presence"), "{body}");
        client
    }

    /// The body of the next request.
    pub fn next(&mut self, attributes: &str, content: &str) -> String {
        self.rid += 1;
        format!("<body rid='{}' sid='{}' {attributes} {NS}>{content}</body>", self.rid, self.sid)
    }

    pub async fn ask(&mut self, content: &str) -> String {
        let body = self.next("", content);
        self.first.roundtrip(&body).await.body
    }

    pub async fn restart(&mut self) -> String {
        let body = self.next("xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh' to='localhost'", "");
        self.first.roundtrip(&body).await.body
    }

    /// Sends a poll on the first connection without waiting.
    pub async fn poll(&mut self) {
        let body = self.next("", "");
        self.first.post(&body).await;
    }

    pub async fn subscribe(&mut self, node: &str) {
        self.server.service.broker().create_node(node).ok();
        let jid = format!("jid='{}@localhost'", self.user);
        let body = self
            .ask(&format!(
                "<iq type='set' id='s' to='pubsub.localhost' xmlns='jabber:client'>\
                 <pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='{node}' {jid}/></pubsub></iq>"
            ))
            .await;
        assert!(body.contains("subscription=\"subscribed\""), "{body}");
    }
}

pub fn auth(user: &str, password: &str) -> String {
    format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{}</auth>",
        plain(user, password)
    )
}

/// Waits until `check` holds.
pub async fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    for _ in 0..400 {
        if check() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not in time: {what}");
}

/// Hands a request to the endpoint as if it came from this address: status and text of the answer.
pub async fn post_as(server: &Server, body: Vec<u8>, peer: Option<IpAddr>, secure: bool) -> (u16, String) {
    let request = Request::post("/http-bind/").body(Body::new(body.into())).unwrap();
    let response = server.endpoint.handle(request, peer, secure).await;
    let status = response.status().as_u16();
    (status, text_of(response.into_body()).await)
}

async fn text_of(body: Body) -> String {
    let mut body = std::pin::pin!(body);
    let frame = std::future::poll_fn(|cx| hyper::body::Body::poll_frame(body.as_mut(), cx)).await;
    frame
        .map(|frame| String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap())
        .unwrap_or_default()
}
