//! RFC 7395: messages in virtual time, and the handshake and frames over real sockets.

mod support;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xmpp::websocket::{WsOptions, upgrade};
use xmpp::{Config, Service, Timeouts};

const PATIENCE: Duration = Duration::from_secs(20);
const CLOSE: &str = "<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" />";

fn open() -> String {
    format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>")
}

fn bound(service: &Service) -> Client {
    let mut client = Client::websocket(service);
    client.message(&open());
    client.message(&auth(&plain("", "1001", "secret")));
    client.message(&open());
    assert!(client.message(&bind("r")).contains("/r</jid>"));
    client
}

#[test]
fn x26_open_comes_first_and_features_in_a_message_of_their_own() {
    let mut client = Client::websocket(&service());
    client.stream.handle_message(client.now, &open());
    let messages = client.parcels();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(
        messages[0].starts_with(
            "<open xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" from=\"fin-a.example.net\" id=\""
        )
    );
    assert!(messages[0].ends_with(" version=\"1.0\" xml:lang=\"en\"/>"));
    assert!(
        messages[1].starts_with("<stream:features xmlns:stream=\"http://etherx.jabber.org/streams\"><mech")
    );
    for message in messages {
        xmpp::reader::parse_document(message.as_bytes(), &config().limits).expect("a document of its own");
    }
}

#[test]
fn x29_restart_by_open_and_every_answer_is_a_document() {
    let service = service();
    let mut client = bound(&service);
    for stanza in [
        "<presence xmlns='jabber:client'/>",
        "<iq xmlns='jabber:client' type='get' id='1:ping' to='fin-a.example.net'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>",
    ] {
        client.stream.handle_message(client.now, stanza);
        let messages = client.parcels();
        assert!(!messages.is_empty(), "no answer to {stanza}");
        for message in messages {
            let element =
                xmpp::reader::parse_document(message.as_bytes(), &config().limits).expect("a document");
            assert!(element.has_ns("jabber:client"), "{message}");
        }
    }
}

#[test]
fn stanzas_without_namespace_are_for_finesse_only() {
    let service = service_with(strict());
    let mut client = bound(&service);
    client.message("<iq type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>");
    assert_eq!(client.error(), Some("invalid-namespace"));
}

#[test]
fn x27_close_is_answered_with_the_exact_bytes() {
    let mut client = bound(&service());
    assert_eq!(client.message("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"), CLOSE);
    assert_eq!(client.closed, Some(None));
}

#[test]
fn x73_bad_messages_by_condition() {
    for (message, error) in [
        ("<presence xmlns='jabber:client'/><presence xmlns='jabber:client'/>", "bad-format"),
        ("<presence xmlns='jabber:client'>", "not-well-formed"),
        ("text", "bad-format"),
        ("<a></b>", "not-well-formed"),
        ("<a>\u{1}</a>", "not-well-formed"),
        ("<a>&#0;</a>", "not-well-formed"),
        ("<x:a/>", "not-well-formed"),
        ("<!DOCTYPE a><a/>", "restricted-xml"),
        ("<a>&foo;</a>", "restricted-xml"),
        ("<a><!-- --></a>", "restricted-xml"),
        ("<a><?pi x?></a>", "restricted-xml"),
        ("<iq xmlns='evil' type='get' id='1'/>", "unsupported-stanza-type"),
        (
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='x' version='1.0'/>",
            "unsupported-stanza-type",
        ),
    ] {
        let service = service();
        let mut client = bound(&service);
        let answer = client.message(message);
        assert_eq!(client.error(), Some(error), "{message}");
        assert!(answer.starts_with("<stream:error xmlns:stream=\"http://etherx.jabber.org/streams\"><"));
        assert!(answer.ends_with(CLOSE), "{answer}");
        assert_eq!(service.sessions(), 0);
    }
}

#[test]
fn other_first_elements_are_answered_by_open_and_an_error() {
    for (message, error) in [
        ("<presence xmlns='jabber:client'/>", "unsupported-stanza-type"),
        ("<open to='fin-a.example.net' version='1.0'/>", "invalid-namespace"),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>", "unsupported-stanza-type"),
        ("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='x'/>", "unsupported-version"),
    ] {
        let mut client = Client::websocket(&service());
        let answer = client.message(message);
        assert!(answer.starts_with("<open "), "{answer}");
        assert_eq!(client.error(), Some(error), "{message}");
    }
}

#[test]
fn declaration_and_empty_messages_are_tolerated() {
    let mut client = Client::websocket(&service());
    let answer = client.message(&format!("<?xml version='1.0'?>{}", open()));
    assert!(answer.contains("PLAIN"), "{answer}");
    assert_eq!(client.message(" "), "");
    assert_eq!(client.closed, None);
}

#[test]
fn x30_n48_pongs_keep_the_connection_but_do_not_stop_the_xmpp_ping() {
    let mut client = bound(&service());
    let mut said = String::new();
    for _ in 0..13 {
        said += &client.pass(Duration::from_secs(30));
        client.stream.heard(client.now);
    }
    assert_eq!(said.matches("<ping xmlns=\"urn:xmpp:ping\"/>").count(), 1, "{said}");
    assert_eq!(client.closed, None);
    client.pass(Duration::from_secs(120));
    assert_eq!(client.error(), Some("connection-timeout"));
}

async fn server(service: Service, options: WsOptions) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (service, options) = (service.clone(), options.clone());
            let handler = service_fn(move |request: Request<Incoming>| {
                let response: Response<Full<Bytes>> = upgrade(request, service.clone(), options.clone());
                async move { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), handler)
                    .with_upgrades(),
            );
        }
    });
    addr
}

const REQUEST: &str = "GET /ws/ HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: chat, xmpp\r\nOrigin: https://page.example\r\n\r\n";

/// A client that knows frames.
struct Socket {
    io: TcpStream,
    buffer: Vec<u8>,
}

impl Socket {
    async fn request(addr: SocketAddr, request: &str) -> (Self, String) {
        let mut io = TcpStream::connect(addr).await.expect("connected");
        io.write_all(request.as_bytes()).await.expect("written");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(io.read_u8().await.expect("an answer"));
        }
        (Self { io, buffer: Vec::new() }, String::from_utf8(head).expect("ASCII"))
    }

    async fn open(addr: SocketAddr) -> Self {
        let (socket, head) = Self::request(addr, REQUEST).await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        socket
    }

    async fn frame(&mut self, first: u8, payload: &[u8]) {
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
        self.io.write_all(&bytes).await.expect("written");
    }

    async fn send(&mut self, text: &str) {
        self.frame(0x81, text.as_bytes()).await;
    }

    async fn fill(&mut self, len: usize) {
        while self.buffer.len() < len {
            let n = tokio::time::timeout(PATIENCE, self.io.read_buf(&mut self.buffer)).await;
            assert_ne!(n.expect("in time").expect("readable"), 0, "ended");
        }
    }

    /// Opcode and payload of the next frame.
    async fn next(&mut self) -> (u8, Vec<u8>) {
        self.fill(2).await;
        let (head, len) = match self.buffer[1] {
            126 => {
                self.fill(4).await;
                (4, usize::from(u16::from_be_bytes([self.buffer[2], self.buffer[3]])))
            }
            127 => panic!("nothing here is that long"),
            short => (2, usize::from(short)),
        };
        self.fill(head + len).await;
        let opcode = self.buffer[0] & 15;
        assert_eq!(self.buffer[0] & 0xf0, 0x80, "whole frames without extensions");
        let payload = self.buffer[head..head + len].to_vec();
        self.buffer.drain(..head + len);
        (opcode, payload)
    }

    async fn text(&mut self) -> String {
        let (opcode, payload) = self.next().await;
        assert_eq!(opcode, 1, "{payload:?}");
        String::from_utf8(payload).expect("UTF-8")
    }

    async fn close_code(&mut self) -> u16 {
        let (opcode, payload) = self.next().await;
        assert_eq!(opcode, 8, "{}", String::from_utf8_lossy(&payload));
        u16::from_be_bytes([payload[0], payload[1]])
    }

    async fn login(&mut self) {
        self.login_as("1001").await;
    }

    async fn login_as(&mut self, user: &str) {
        self.send(&open()).await;
        self.text().await;
        self.text().await;
        self.send(&auth(&plain("", user, "secret"))).await;
        assert_eq!(self.text().await, SUCCESS);
        self.send(&open()).await;
        self.text().await;
        assert!(self.text().await.contains("<bind "));
        self.send(&bind("r")).await;
        assert!(self.text().await.contains("/r</jid>"));
    }
}

#[tokio::test]
async fn x25_handshake() {
    let options = WsOptions { origins: xmpp::Origins::new(["https://page.example"]), ..WsOptions::default() };
    let addr = server(service(), options).await;
    let (_, head) = Socket::request(addr, REQUEST).await;
    let head = head.to_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("sec-websocket-protocol: xmpp\r\n"), "{head}");
    assert!(head.contains(&"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n".to_lowercase()));
    for (from, to, status) in [
        ("chat, xmpp", "chat", "400"),
        ("chat, xmpp", "XMPP", "400"),
        ("Version: 13", "Version: 8", "426"),
        ("Upgrade: WebSocket\r\n", "", "400"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", "400"),
        ("https://page.example", "https://evil.example", "403"),
        ("GET", "POST", "405"),
    ] {
        let (_, head) = Socket::request(addr, &REQUEST.replace(from, to)).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{to}: {head}");
        assert!(!head.to_lowercase().contains("sec-websocket-accept"));
    }
}

#[tokio::test]
async fn a_session_over_a_socket() {
    let service = service();
    let addr = server(service.clone(), WsOptions::default()).await;
    let mut socket = Socket::open(addr).await;
    socket.login().await;
    socket.frame(0x89, b"are you there").await;
    assert_eq!(socket.next().await, (10, b"are you there".to_vec()));
    socket.frame(0x01, b"<iq type='get' id='1' to='fin-a.exa").await;
    socket.frame(0x80, b"mple.net'><ping xmlns='urn:xmpp:ping'/></iq>").await;
    assert!(socket.text().await.contains("type=\"result\" id=\"1\""));
    socket.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>").await;
    assert_eq!(socket.text().await, CLOSE);
    assert_eq!(socket.close_code().await, 1000);
    assert_eq!(service.sessions(), 0);
}

#[tokio::test]
async fn x28_bad_frames_by_close_code() {
    let service = service();
    let addr = server(service.clone(), WsOptions::default()).await;
    let big = vec![b'x'; 300 << 10];
    for (first, payload, code) in [
        (0x82, &b"binary"[..], 1003),
        (0x81, b"\xff\xfe", 1007),
        (0xc1, b"compressed", 1002),
        (0x80, b"continuation of nothing", 1002),
        (0x88, b"\x03\xed", 1002),
        (0x88, b"\x03", 1002),
        (0x88, b"\x03\xe8", 1000),
    ] {
        let mut socket = Socket::open(addr).await;
        socket.login().await;
        socket.frame(first, payload).await;
        assert_eq!(socket.close_code().await, code, "{first:x}");
    }
    let mut socket = Socket::open(addr).await;
    socket.login().await;
    socket.frame(0x81, &big).await;
    assert!(socket.text().await.contains("<policy-violation "));
    assert_eq!(socket.text().await, CLOSE);
    assert_eq!(socket.close_code().await, 1009);
    let mut socket = Socket::open(addr).await;
    socket.login().await;
    socket.send("<a/><b/>").await;
    assert!(socket.text().await.contains("<bad-format "));
    assert_eq!(socket.text().await, CLOSE);
    assert_eq!(socket.close_code().await, 1007);
    assert_eq!(service.sessions(), 0);
}

#[tokio::test]
async fn x30_server_pings_and_x73_fragments_may_not_dribble() {
    let timeouts = Timeouts {
        websocket_ping: Duration::from_millis(50),
        partial_stanza: Duration::from_millis(200),
        ..Timeouts::default()
    };
    let addr = server(service_with(Config { timeouts, ..config() }), WsOptions::default()).await;
    let mut socket = Socket::open(addr).await;
    assert_eq!(socket.next().await, (9, Vec::new()));
    socket.frame(0x01, b"<open").await;
    loop {
        match socket.next().await {
            (9, _) => {}
            (1, message) => {
                let message = String::from_utf8(message).unwrap();
                if message == CLOSE {
                    break;
                }
                assert!(
                    message.starts_with("<open ") || message.contains("<connection-timeout "),
                    "{message}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(socket.close_code().await, 1008);
}

#[tokio::test]
async fn events_arrive_in_order_and_batches_of_them_in_few_writes() {
    let service = service();
    service.broker().create_node("/n").expect("new");
    let address = broker::Address { bare: "1001@fin-a.example.net".into(), resource: None };
    service.broker().subscribe(&address, "/n").expect("subscribed");
    let addr = server(service.clone(), WsOptions::default()).await;
    let mut socket = Socket::open(addr).await;
    socket.login().await;
    socket.send("<presence/>").await;
    assert!(socket.text().await.contains("<presence "));
    for n in 0..200 {
        let event = xmpp::notification(&service.config().pubsub_domain, "/n", &format!("<n>{n}</n>"));
        service.broker().publish("/n", event);
    }
    for n in 0..200 {
        let text = socket.text().await;
        assert!(text.contains(&format!("&lt;n&gt;{n}&lt;/n&gt;")), "{text}");
        xmpp::reader::parse_document(text.as_bytes(), &config().limits).expect("a document");
    }
}

#[tokio::test]
async fn x17_a_conflict_is_told_in_messages_and_closed_with_the_exact_bytes() {
    let service = service();
    let addr = server(service.clone(), WsOptions::default()).await;
    let mut old = Socket::open(addr).await;
    old.login().await;
    let mut new = Socket::open(addr).await;
    new.login().await;
    assert_eq!(
        old.text().await,
        "<stream:error xmlns:stream=\"http://etherx.jabber.org/streams\">\
         <conflict xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error>"
    );
    assert_eq!(old.text().await, CLOSE);
    assert_eq!(old.close_code().await, 1000);
    new.send("<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>").await;
    assert!(new.text().await.contains("id=\"p\""));
    assert_eq!(service.sessions(), 1);
}

#[tokio::test]
async fn x72_a_client_that_never_reads_ends_alone() {
    let mut config = config();
    config.limits.outbox_bytes = 256 << 10;
    config.timeouts.drain = Duration::from_millis(200);
    config.timeouts.write_stall = Duration::from_millis(500);
    let service = service_with(config);
    service.broker().create_node("/n").expect("new");
    let addr = server(service.clone(), WsOptions::default()).await;
    let mut slow = Socket::open(addr).await;
    slow.login().await;
    slow.send("<presence/>").await;
    assert!(slow.text().await.contains("<presence "));
    let mut other = Socket::open(addr).await;
    other.login_as("1002").await;
    let address = broker::Address { bare: "1001@fin-a.example.net".into(), resource: None };
    service.broker().subscribe(&address, "/n").expect("subscribed");
    let event = xmpp::notification(&service.config().pubsub_domain, "/n", &"x".repeat(16 << 10));
    let ended = async {
        while service.sessions() > 1 {
            service.broker().publish("/n", event.clone());
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("the slow one is ended");
    assert_eq!(service.broker().publish("/n", event).sessions, 0);
    other.send("<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>").await;
    assert!(other.text().await.contains("id=\"p\""));
}
