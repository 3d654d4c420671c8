//! A server over real sockets, an attacker's connection that writes whatever bytes it likes, and a bystander whose
//! session is watched meanwhile. The same for TCP and WebSocket, so that an attack is written once.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod floods;
pub mod log;
pub mod logins;
pub mod malformed;
pub mod rights;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use broker::{Address, Broker};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xmpp::auth::Verdict;
use xmpp::tcp::{Admission, AdmissionLimits, TcpOptions, serve};
use xmpp::websocket::{WsOptions, upgrade};
use xmpp::{
    Access, AccessPolicy, AuthFailure, Authenticator, Config, Credentials, Origins, Principal, Refusal,
    Service,
};

use crate::support::{self, DOMAIN, auth, bind, plain};

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const CLOSE: &str = "<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />";
pub const PING: &str = "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";

/// The transport that is attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Tcp,
    Ws,
}

/// Everybody with the password `secret`; counts how often it is asked.
#[derive(Default)]
pub struct Realm(AtomicUsize);

impl Authenticator for Realm {
    fn authenticate(&self, credentials: Credentials) -> Verdict {
        self.0.fetch_add(1, Ordering::SeqCst);
        let known = credentials.password.expose() == "secret" && &*credentials.user != "unknown";
        let user = credentials.user.to_lowercase();
        let verdict =
            if known { Ok(Principal { user: user.into(), tag: 0 }) } else { Err(AuthFailure::NotAuthorized) };
        Box::pin(std::future::ready(verdict))
    }
}

/// Everybody subscribes; only `pub…` creates and publishes.
struct Rights;

impl Rights {
    fn publisher(who: &Principal) -> Access {
        if who.user.starts_with("pub") { Access::Allow } else { Access::Forbidden }
    }
}

impl AccessPolicy for Rights {
    fn subscribe(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn publish(&self, who: &Principal, _: &str) -> Access {
        Self::publisher(who)
    }
    fn create(&self, who: &Principal, _: &str) -> Access {
        Self::publisher(who)
    }
    fn configure(&self, who: &Principal, _: &str) -> Access {
        Self::publisher(who)
    }
    fn retrieve(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
}

/// What a test changes of the server.
pub struct Setting {
    pub xmpp: Config,
    pub broker: broker::Config,
    pub limits: AdmissionLimits,
    pub origins: Origins,
    /// How long the header of an upgrade request may take.
    pub header: Duration,
}

/// A server, and the bystander.
pub struct Arena {
    pub door: Door,
    pub service: Service,
    pub admission: Admission,
    pub addr: SocketAddr,
    realm: Arc<Realm>,
    watcher: Peer,
    published: usize,
    /// Bytes held for clients when only the bystander is there.
    calm: u64,
}

impl Arena {
    pub async fn new(door: Door) -> Self {
        Self::with(door, |_| {}).await
    }

    pub async fn with(door: Door, change: impl FnOnce(&mut Setting)) -> Self {
        let mut setting = Setting {
            xmpp: support::config(),
            broker: broker::Config::default(),
            limits: AdmissionLimits::default(),
            origins: Origins::any(),
            header: PATIENCE,
        };
        setting.xmpp.timeouts.drain = Duration::from_millis(200);
        change(&mut setting);
        let realm = Arc::new(Realm::default());
        let broker = Broker::new(setting.broker.clone());
        let service = Service::new(setting.xmpp.clone(), broker, realm.clone(), Arc::new(Rights));
        service.broker().create_node("/watch").unwrap();
        let address = Address { bare: format!("watcher@{DOMAIN}").into(), resource: None };
        service.broker().subscribe(&address, "/watch").unwrap();
        let admission = Admission::new(setting.limits.clone());
        let addr = listen(door, &service, &admission, setting).await;
        let mut watcher = Peer::connect(door, addr).await;
        watcher.login("watcher").await;
        let mut arena = Self { door, service, admission, addr, realm, watcher, published: 0, calm: 0 };
        // Whatever it costs to have had an event is part of being calm.
        arena.publish();
        let last = arena.last();
        arena.watcher.until(&last).await;
        arena.watcher.until("</message>").await;
        arena.calm = arena.service.stats().memory;
        arena
    }

    pub async fn connect(&self) -> Peer {
        Peer::connect(self.door, self.addr).await
    }

    /// A connection with a stream that has not authenticated.
    pub async fn opened(&self) -> Peer {
        let mut peer = self.connect().await;
        peer.open().await;
        peer
    }

    /// A bound and available session.
    pub async fn login(&self, user: &str) -> Peer {
        let mut peer = self.connect().await;
        peer.login(user).await;
        peer
    }

    pub fn count(&self, reason: Refusal) -> u64 {
        self.service.stats().refusals.get(reason)
    }

    /// How often the realm was asked.
    pub fn asked(&self) -> usize {
        self.realm.0.load(Ordering::SeqCst)
    }

    fn publish(&mut self) {
        self.published += 1;
        let text = format!("event {}.", self.published);
        let event = xmpp::notification(&self.service.config().pubsub_domain, "/watch", &text);
        assert_eq!(self.service.broker().publish("/watch", event).sessions, 1, "the bystander");
    }

    fn last(&self) -> String {
        format!("event {}.", self.published)
    }

    /// The bystander gets every event once and in order, and its requests are answered.
    pub async fn is_undisturbed(&mut self) {
        let from = self.published;
        (0..5).for_each(|_| self.publish());
        self.watcher.send(PING).await;
        let said = self.watcher.until("id=\"p\"").await;
        self.watcher.until(">").await;
        let events: Vec<_> = said.match_indices(">event ").map(|(at, _)| &said[at + 1..]).collect();
        assert_eq!(events.len(), 5, "{said}");
        for (event, n) in events.iter().zip(from + 1..) {
            assert!(event.starts_with(&format!("event {n}.")), "{said}");
        }
    }

    /// All that is left is the bystander: one session, one connection, and the memory that they had before.
    pub async fn is_calm(&mut self) {
        let calm = self.calm;
        let (service, admission) = (self.service.clone(), self.admission.clone());
        eventually("only the bystander is left", || {
            service.sessions() == 1 && admission.open() == (1, 0) && service.stats().memory == calm
        })
        .await;
        self.is_undisturbed().await;
    }
}

async fn listen(door: Door, service: &Service, admission: &Admission, setting: Setting) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (service, admission) = (service.clone(), admission.clone());
    match door {
        Door::Tcp => {
            let options = TcpOptions { admission, ..TcpOptions::default() };
            tokio::spawn(serve(listener, service, options, std::future::pending()));
        }
        Door::Ws => {
            tokio::spawn(accept_upgrades(listener, service, admission, setting));
        }
    }
    addr
}

async fn accept_upgrades(listener: TcpListener, service: Service, admission: Admission, setting: Setting) {
    while let Ok((socket, peer)) = listener.accept().await {
        let options = WsOptions {
            peer: Some(peer.ip()),
            origins: setting.origins.clone(),
            admission: admission.clone(),
            ..WsOptions::default()
        };
        let service = service.clone();
        let handler = service_fn(move |request: Request<Incoming>| {
            let response: Response<Full<Bytes>> = upgrade(request, service.clone(), options.clone());
            async move { Ok::<_, Infallible>(response) }
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(setting.header);
        tokio::spawn(http.serve_connection(TokioIo::new(socket), handler).with_upgrades());
    }
}

/// A good upgrade request.
pub const UPGRADE: &str = "GET /ws/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: xmpp\r\n\r\n";

/// One connection of a client.
pub struct Peer {
    pub door: Door,
    pub io: TcpStream,
    raw: Vec<u8>,
    /// Text that was received and not asked for yet.
    said: String,
    /// Code of the close frame.
    pub code: Option<u16>,
    pub pongs: usize,
    opened: bool,
}

impl Peer {
    /// Connected, nothing said.
    pub async fn silent(door: Door, addr: SocketAddr) -> Self {
        let io = TcpStream::connect(addr).await.unwrap();
        io.set_nodelay(true).unwrap();
        Self { door, io, raw: Vec::new(), said: String::new(), code: None, pongs: 0, opened: false }
    }

    /// Connected; over WebSocket upgraded.
    pub async fn connect(door: Door, addr: SocketAddr) -> Self {
        let mut peer = Self::silent(door, addr).await;
        if door == Door::Ws {
            let head = peer.request(UPGRADE).await;
            // Who is refused finds the status in what was said.
            if !head.starts_with("HTTP/1.1 101") {
                peer.said = head;
            }
        }
        peer
    }

    /// Sends an HTTP request; gives the head of the answer, or nothing if the connection ends.
    pub async fn request(&mut self, request: &str) -> String {
        self.write(request.as_bytes()).await;
        let mut head = Vec::new();
        let read = async {
            while !head.ends_with(b"\r\n\r\n") {
                match self.io.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("an answer");
        String::from_utf8(head).unwrap().to_lowercase().replace("http/1.1", "HTTP/1.1")
    }

    /// Bytes as they are. An end of the connection is found when reading.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.io.write_all(bytes).await;
    }

    /// One frame of a WebSocket.
    pub async fn frame(&mut self, first: u8, payload: &[u8]) {
        self.write(&frame(first, payload)).await;
    }

    /// One message, or bytes of the stream.
    pub async fn send(&mut self, text: impl AsRef<[u8]>) {
        match self.door {
            Door::Tcp => self.write(text.as_ref()).await,
            Door::Ws => self.frame(0x81, text.as_ref()).await,
        }
    }

    /// The opening of a stream as this transport has it.
    pub fn header(door: Door) -> String {
        match door {
            Door::Tcp => support::open_tcp(DOMAIN),
            Door::Ws => {
                format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>")
            }
        }
    }

    pub async fn open(&mut self) -> String {
        self.send(Self::header(self.door)).await;
        self.until("</stream:features>").await
    }

    pub async fn authenticate(&mut self, user: &str) {
        self.open().await;
        self.send(auth(&plain("", user, "secret"))).await;
        self.until("<success").await;
        self.open().await;
    }

    pub async fn login(&mut self, user: &str) {
        self.authenticate(user).await;
        self.send(bind("desk")).await;
        self.until("</iq>").await;
        self.send("<presence xmlns='jabber:client'/>").await;
        self.until("<presence ").await;
        self.until("/>").await;
    }

    /// Sends a request and gives what is said up to its answer.
    pub async fn ask(&mut self, stanza: &str) -> String {
        self.send(stanza).await;
        let before = self.until("<iq ").await;
        let tag = self.until(">").await;
        let rest = if tag.ends_with("/>") { String::new() } else { self.until("</iq>").await };
        before + &tag + &rest
    }

    /// An `<iq type='set'/>` to the pubsub service.
    pub async fn pubsub(&mut self, inner: &str) -> String {
        self.ask(&format!(
            "<iq xmlns='jabber:client' type='set' id='q' to='pubsub.{DOMAIN}'>\
             <pubsub xmlns='http://jabber.org/protocol/pubsub'>{inner}</pubsub></iq>"
        ))
        .await
    }

    /// What is said up to and including `end`.
    pub async fn until(&mut self, end: &str) -> String {
        let waiting = async {
            while !self.said.contains(end) {
                assert!(self.receive().await, "ended before {end}: {} ({:?})", self.said, self.code);
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{end} did not come"));
        let at = self.said.find(end).unwrap() + end.len();
        self.said.drain(..at).collect()
    }

    /// Everything up to the end of the connection.
    pub async fn rest(&mut self) -> String {
        let waiting = async { while self.receive().await {} };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the end");
        std::mem::take(&mut self.said)
    }

    /// Reads more; false at the end.
    async fn receive(&mut self) -> bool {
        let mut chunk = [0; 16 << 10];
        let read = self.io.read(&mut chunk).await.unwrap_or(0);
        self.raw.extend_from_slice(&chunk[..read]);
        match self.door {
            Door::Tcp => {
                self.said += std::str::from_utf8(&self.raw).expect("UTF-8 in whole characters");
                self.raw.clear();
            }
            Door::Ws => while self.unframe() {},
        }
        read > 0
    }

    fn unframe(&mut self) -> bool {
        let Some(&[first, short]) = self.raw.first_chunk::<2>() else { return false };
        let (head, len) = match short {
            126 if self.raw.len() >= 4 => (4, usize::from(u16::from_be_bytes([self.raw[2], self.raw[3]]))),
            127 if self.raw.len() >= 10 => {
                (10, u64::from_be_bytes(self.raw[2..10].try_into().unwrap()) as usize)
            }
            126 | 127 => return false,
            short => (2, usize::from(short)),
        };
        if self.raw.len() < head + len {
            return false;
        }
        let payload: Vec<u8> = self.raw.drain(..head + len).skip(head).collect();
        match first {
            0x81 => self.said += std::str::from_utf8(&payload).expect("UTF-8"),
            0x88 => self.code = Some(u16::from_be_bytes([payload[0], payload[1]])),
            0x89 => {}
            0x8a => self.pongs += 1,
            other => panic!("a frame {other:x}"),
        }
        true
    }
}

pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            bytes.push(0xfe);
            bytes.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0xff);
            bytes.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[1, 2, 3, 4]);
    bytes.extend(payload.iter().enumerate().map(|(i, b)| b ^ [1, 2, 3, 4][i % 4]));
    bytes
}

/// Waits until `check` holds.
pub async fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if check() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not in time: {what}");
}
