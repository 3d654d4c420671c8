//! XEP-0198 over the shells: connections cut at any byte, every event once and in order.

mod support;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use broker::Address;
use http_body_util::Full;
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use support::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xmpp::tcp::{Admission, AdmissionLimits, TcpOptions, serve_io};
use xmpp::websocket::{WsOptions, upgrade};
use xmpp::{Config, Service, StreamManagement};

const PATIENCE: Duration = Duration::from_secs(20);
const ENABLE: &str = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";

fn managed(options: StreamManagement) -> Service {
    service_with(Config { stream_management: Some(options), ..config() })
}

fn admission() -> Admission {
    Admission::new(AdmissionLimits::default())
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Where connections come from.
enum Door {
    Tcp(Service, Admission),
    WebSocket(SocketAddr),
}

impl Door {
    async fn websocket(service: Service, admission: Admission) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("bound");
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let options = WsOptions { admission: admission.clone(), ..WsOptions::default() };
                let service = service.clone();
                let handler = service_fn(move |request: Request<Incoming>| {
                    let response: hyper::Response<Full<Bytes>> =
                        upgrade(request, service.clone(), options.clone());
                    async move { Ok::<_, Infallible>(response) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(socket), handler).with_upgrades());
            }
        });
        Self::WebSocket(addr)
    }

    async fn connect(&self) -> Peer {
        match self {
            Self::Tcp(service, admission) => {
                // Small, so that much of a burst is on its way when the connection breaks.
                let (ours, theirs) = tokio::io::duplex(700);
                let (service, admission) = (service.clone(), admission.clone());
                tokio::spawn(async move {
                    let options = TcpOptions { admission, ..TcpOptions::default() };
                    serve_io(theirs, None, service, &options).await;
                });
                Peer { io: Box::new(ours), websocket: false, raw: Vec::new(), text: String::new() }
            }
            Self::WebSocket(addr) => {
                let mut io = TcpStream::connect(addr).await.expect("connected");
                io.write_all(
                    b"GET /ws/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                      Sec-WebSocket-Protocol: xmpp\r\n\r\n",
                )
                .await
                .expect("writable");
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(io.read_u8().await.expect("an answer"));
                }
                Peer { io: Box::new(io), websocket: true, raw: Vec::new(), text: String::new() }
            }
        }
    }
}

/// One connection of a client.
struct Peer {
    io: Box<dyn Duplex>,
    websocket: bool,
    /// Bytes of frames that are not complete.
    raw: Vec<u8>,
    /// What was said and not looked at.
    text: String,
}

impl Peer {
    async fn say(&mut self, text: &str) {
        let mut bytes = Vec::new();
        if self.websocket {
            // A mask of zeros.
            let len = u16::try_from(text.len()).expect("short");
            match u8::try_from(len).ok().filter(|len| *len < 126) {
                Some(len) => bytes.extend([0x81, 0x80 | len]),
                None => {
                    bytes.extend([0x81, 0x80 | 126]);
                    bytes.extend(len.to_be_bytes());
                }
            }
            bytes.extend([0; 4]);
        }
        bytes.extend(text.as_bytes());
        // A connection that the server has ended says so when it is read.
        let _ = self.io.write_all(&bytes).await;
    }

    /// Reads up to `most` bytes; false at the end.
    async fn read(&mut self, most: usize) -> bool {
        let mut buf = vec![0; most.clamp(1, 4096)];
        let read = tokio::time::timeout(PATIENCE, self.io.read(&mut buf)).await.expect("something");
        let n = read.unwrap_or(0);
        self.raw.extend_from_slice(&buf[..n]);
        if self.websocket {
            while let Some((opcode, payload)) = take_frame(&mut self.raw) {
                if opcode == 1 {
                    self.text += std::str::from_utf8(&payload).expect("UTF-8");
                }
            }
        } else {
            // Cut anywhere, also inside of a character; all that is sent here is ASCII.
            self.text += &String::from_utf8(std::mem::take(&mut self.raw)).expect("ASCII");
        }
        n > 0
    }

    async fn until(&mut self, end: &str) -> String {
        while !self.text.contains(end) {
            assert!(self.read(4096).await, "ended before {end}: {}", self.text);
        }
        let at = self.text.find(end).expect("just seen") + end.len();
        let rest = self.text.split_off(at);
        std::mem::replace(&mut self.text, rest)
    }

    fn open(&self) -> String {
        match self.websocket {
            true => {
                format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>")
            }
            false => open_tcp(DOMAIN),
        }
    }

    async fn authenticate(&mut self) {
        let open = self.open();
        self.say(&open).await;
        self.until("</stream:features>").await;
        self.say(&auth(&plain("", "1001", "secret"))).await;
        self.until("<success xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"/>").await;
        self.say(&open).await;
        self.until("</stream:features>").await;
    }

    /// The next complete element.
    fn element(&mut self) -> Option<String> {
        let name = self.text.strip_prefix('<')?.split([' ', '/', '>']).next()?;
        let start = self.text.find('>')? + 1;
        let end = if self.text[..start].ends_with("/>") {
            start
        } else {
            let close = format!("</{name}>");
            self.text.find(&close)? + close.len()
        };
        let rest = self.text.split_off(end);
        Some(std::mem::replace(&mut self.text, rest))
    }
}

/// A complete frame of the server, without mask.
fn take_frame(raw: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let short = usize::from(*raw.get(1)?);
    let (start, len) = match short {
        126 => (4, usize::from(u16::from_be_bytes([*raw.get(2)?, *raw.get(3)?]))),
        127 => panic!("no message is that long"),
        _ => (2, short),
    };
    if raw.len() < start + len {
        return None;
    }
    let rest = raw.split_off(start + len);
    let frame = std::mem::replace(raw, rest);
    Some((frame[0] & 0xf, frame[start..].to_vec()))
}

/// What a client remembers from connection to connection.
#[derive(Default)]
struct Memory {
    h: u32,
    events: Vec<usize>,
}

impl Memory {
    /// Takes in everything that is complete; gives back requests for acknowledgement.
    fn hear(&mut self, peer: &mut Peer) -> usize {
        let mut requests = 0;
        while let Some(element) = peer.element() {
            if element.starts_with("<r ") {
                requests += 1;
            } else if element.starts_with("<message") || element.starts_with("<presence") {
                self.h += 1;
                if let Some(at) = element.find("event-") {
                    let number = element[at + 6..].split('.').next().expect("a number");
                    self.events.push(number.parse().expect("a number"));
                }
            }
        }
        requests
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 20) % n).expect("small")
    }
}

async fn cut_everywhere(seed: u64, websocket: bool) {
    const EVENTS: usize = 300;
    let service = managed(StreamManagement { request_every: 7, ..StreamManagement::default() });
    let admission = admission();
    let door = match websocket {
        true => Door::websocket(service.clone(), admission.clone()).await,
        false => Door::Tcp(service.clone(), admission.clone()),
    };
    service.broker().create_node("/n").expect("new");
    let address = Address { bare: "1001@fin-a.example.net".into(), resource: None };
    service.broker().subscribe(&address, "/n").expect("subscribed");
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut peer = door.connect().await;
    peer.authenticate().await;
    peer.say(&bind("desk")).await;
    peer.until("</jid></bind></iq>").await;
    peer.say(ENABLE).await;
    let enabled = peer.until("/>").await;
    let id = enabled.split(" id=\"").nth(1).expect("an id").split('"').next().expect("an id").to_owned();
    let mut memory = Memory::default();
    peer.say("<presence xmlns='jabber:client'/>").await;
    while memory.h == 0 {
        peer.read(4096).await;
        memory.hear(&mut peer);
    }
    let publisher = service.clone();
    tokio::spawn(async move {
        for n in 0..EVENTS {
            let event = xmpp::notification("pubsub.d", "/n", &format!("event-{n}."));
            publisher.broker().publish("/n", event);
            tokio::task::yield_now().await;
        }
    });
    let mut old = Vec::new();
    let mut cuts = 0;
    while memory.events.len() < EVENTS {
        let mut left = random.below(4000);
        while left > 0 && memory.events.len() < EVENTS {
            let before = peer.raw.len() + peer.text.len();
            assert!(peer.read(left.min(1 + random.below(900))).await, "the server ended it");
            left = left.saturating_sub((peer.raw.len() + peer.text.len()).saturating_sub(before).max(1));
            for _ in 0..memory.hear(&mut peer) {
                let h = memory.h;
                peer.say(&format!("<a xmlns='urn:xmpp:sm:3' h='{h}'/>")).await;
            }
        }
        cuts += 1;
        let mut new = door.connect().await;
        if random.below(2) == 0 {
            // The client has moved, and the server does not know that the old connection is dead.
            old.push(std::mem::replace(&mut peer, new));
        } else {
            std::mem::swap(&mut peer, &mut new);
            drop(new);
        }
        peer.authenticate().await;
        peer.say(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='{}'/>", memory.h)).await;
        let resumed = peer.until("/>").await;
        assert!(resumed.starts_with("<resumed ") && resumed.contains(" h=\"1\""), "{resumed}");
        // What came in the same read.
        memory.hear(&mut peer);
    }
    assert!(memory.events.iter().copied().eq(0..EVENTS), "seed {seed}: {:?}", memory.events);
    assert!(cuts > 3, "seed {seed}: {cuts} cuts");
    for mut peer in old {
        // Until the server's end of the stream: it would wait for the client's.
        let end = if websocket { "<close " } else { "</stream:stream>" };
        assert!(peer.until(end).await.contains("<conflict "), "{}", peer.text);
    }
    peer.say(if websocket {
        "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
    } else {
        "</stream:stream>"
    })
    .await;
    while peer.read(4096).await {}
    drop(peer);
    all_gone(&service, &admission).await;
}

/// Waits until neither a session nor a connection's task is left.
async fn all_gone(service: &Service, admission: &Admission) {
    let gone = async {
        while service.sessions() > 0 || admission.open().0 > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("nothing is left behind");
}

#[tokio::test]
async fn x78_tcp_connections_cut_at_any_byte_lose_and_double_nothing() {
    for seed in 1..=12 {
        cut_everywhere(seed, false).await;
    }
}

#[tokio::test]
async fn x78_websocket_connections_cut_at_any_byte_lose_and_double_nothing() {
    for seed in 1..=6 {
        cut_everywhere(seed, true).await;
    }
}

/// Old connection, new connection and publisher on threads of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn x78_threads_that_publish_break_and_resume_lose_and_double_nothing() {
    for seed in 1..=4 {
        cut_everywhere(seed, seed % 3 == 0).await;
    }
}

#[tokio::test]
async fn x78_nobody_comes_back_and_nothing_stays() {
    for websocket in [false, true] {
        let service = managed(StreamManagement {
            max_resume: Duration::from_millis(30),
            ..StreamManagement::default()
        });
        let admission = admission();
        let door = match websocket {
            true => Door::websocket(service.clone(), admission.clone()).await,
            false => Door::Tcp(service.clone(), admission.clone()),
        };
        let mut peer = door.connect().await;
        peer.authenticate().await;
        peer.say(&bind("desk")).await;
        peer.until("</jid></bind></iq>").await;
        peer.say(ENABLE).await;
        assert!(peer.until("/>").await.contains("resume=\"true\""));
        assert_eq!((service.sessions(), admission.open().0), (1, 1));
        drop(peer);
        all_gone(&service, &admission).await;
    }
}

#[tokio::test]
async fn x78_a_stop_does_not_wait_for_detached_sessions() {
    let service = managed(StreamManagement::default());
    let admission = admission();
    let door = Door::Tcp(service.clone(), admission.clone());
    let mut peer = door.connect().await;
    peer.authenticate().await;
    peer.say(&bind("desk")).await;
    peer.until("</jid></bind></iq>").await;
    peer.say(ENABLE).await;
    peer.until("/>").await;
    drop(peer);
    service.shutdown();
    all_gone(&service, &admission).await;
}
