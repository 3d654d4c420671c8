//! A server in this process whose listeners can change, and clients of each transport that show what they get.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use finesse_server::config::Config;
use finesse_server::realm::{Account, Builder, Kind, Proof};
use finesse_server::server::{Listeners, Server, Setup};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const STREAM: &str = "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
                          xmlns:stream='http://etherx.jabber.org/streams'>";
pub const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";

/// A server without CTI, with the accounts u0 (reads), pub0 (publishes) and 1001 (a person), password `x`.
pub fn start(text: &str) -> Server {
    let config = config(text);
    let mut realm = Builder::new(finesse_server::server::rules(&config)).unwrap();
    for (id, kind) in [("u0", Kind::Reader), ("pub0", Kind::Publisher), ("1001", Kind::Person)] {
        let proof = Proof::Keyed(realm.digest(id, "x"));
        realm.add(Account { id: id.into(), login_name: None, kind, proof, scram: Vec::new() });
    }
    Server::start(Setup {
        directory: config.directory().unwrap().into(),
        realm: realm.build().into(),
        listeners: Listeners::bind(&config).unwrap(),
        tls: finesse_server::http::tls::load(&config).unwrap(),
        config,
    })
}

/// `text` behind what every test needs.
pub fn config(text: &str) -> Config {
    Config::parse("test.toml", &format!("{text}\n[cti]\nside_a = \"127.0.0.1:1\"\n")).unwrap()
}

/// `[listen]` with these lists and no others.
pub fn listen(lists: &[(&str, SocketAddr)]) -> String {
    let kinds = ["http", "https", "bosh", "bosh_tls", "xmpp", "xmpp_tls", "component"];
    let line = |kind: &str| {
        let list: Vec<String> =
            lists.iter().filter(|(key, _)| *key == kind).map(|(_, at)| format!("\"{at}\"")).collect();
        format!("{kind} = [{}]\n", list.join(", "))
    };
    format!("[listen]\n{}", kinds.map(line).concat())
}

pub fn any() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Takes any certificate and remembers it.
#[derive(Debug)]
struct Anything(Mutex<Vec<u8>>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap() = end_entity.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A TLS connection, and the certificate that was shown.
pub async fn tls(address: SocketAddr, alpn: &[&str]) -> (TlsStream<TcpStream>, Vec<u8>) {
    let shown = Arc::new(Anything(Mutex::default()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(shown.clone())
        .with_no_client_auth();
    client.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let socket = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let stream = connector.connect(name, socket).await.unwrap();
    let certificate = shown.0.lock().unwrap().clone();
    (stream, certificate)
}

pub fn plain(user: &str) -> String {
    plain_with(user, "x")
}

pub fn plain_with(user: &str, password: &str) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("\0{user}\0{password}"));
    format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{text}</auth>")
}

pub fn bind(resource: &str) -> String {
    format!(
        "<iq type='set' id='b' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <resource>{resource}</resource></bind></iq>"
    )
}

pub fn subscribe(resource: &str) -> String {
    format!(
        "<iq type='set' id='s' to='pubsub.localhost' xmlns='jabber:client'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <subscribe node='/t' jid='u0@localhost/{resource}'/></pubsub></iq>"
    )
}

/// How stanzas travel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Stream,
    WebSocket,
}

/// A client on a connection of its own.
pub struct Client<S> {
    pub io: S,
    form: Form,
    read: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub async fn stream(io: S) -> Client<S> {
        Client { io, form: Form::Stream, read: Vec::new() }
    }

    /// After the handshake, with these further header lines; the status and the client.
    pub async fn websocket(io: S, headers: &str) -> (u16, Client<S>) {
        let mut client = Client { io, form: Form::Stream, read: Vec::new() };
        client
            .send(&format!(
                "GET /ws/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\
                 Sec-WebSocket-Protocol: xmpp, token\r\n{headers}\r\n"
            ))
            .await;
        let head = client.until("\r\n\r\n").await;
        client.form = Form::WebSocket;
        (head.split(' ').nth(1).unwrap().parse().unwrap(), client)
    }

    pub async fn send(&mut self, text: &str) {
        let mut bytes = Vec::new();
        if self.form == Form::WebSocket {
            match u8::try_from(text.len()) {
                Ok(length) if length < 126 => bytes.extend([0x81, 0x80 | length]),
                _ => {
                    bytes.extend([0x81, 0xFE]);
                    bytes.extend((text.len() as u16).to_be_bytes());
                }
            }
            // A mask of zeros leaves the text as it is.
            bytes.extend([0; 4]);
        }
        bytes.extend(text.as_bytes());
        self.io.write_all(&bytes).await.unwrap();
    }

    /// Everything up to and including `mark`. Frame heads of a WebSocket stand between the texts.
    pub async fn until(&mut self, mark: &str) -> String {
        let read = async {
            loop {
                let at = self.read.windows(mark.len()).position(|part| part == mark.as_bytes());
                if let Some(at) = at {
                    let rest = self.read.split_off(at + mark.len());
                    let said = std::mem::replace(&mut self.read, rest);
                    return String::from_utf8_lossy(&said).into_owned();
                }
                let n = self.io.read_buf(&mut self.read).await.unwrap_or(0);
                assert_ne!(n, 0, "no {mark:?} in {:?}", String::from_utf8_lossy(&self.read));
            }
        };
        let found = tokio::time::timeout(PATIENCE, read).await;
        found.unwrap_or_else(|_| panic!("{mark:?} did not come"))
    }

    /// Signed in and bound.
    pub async fn login(&mut self, user: &str, resource: &str) {
        self.login_as(user, "x", resource).await;
    }

    /// The same with another password.
    pub async fn login_as(&mut self, user: &str, password: &str, resource: &str) {
        let open = if self.form == Form::WebSocket { OPEN } else { STREAM };
        self.send(open).await;
        self.until("</stream:features>").await;
        self.send(&plain_with(user, password)).await;
        self.until("<success").await;
        self.send(open).await;
        self.until("</stream:features>").await;
        self.send(&bind(resource)).await;
        self.until("</jid></bind></iq>").await;
    }

    /// Signed in, present, subscribed to the test's node.
    pub async fn subscribed(mut self, resource: &str) -> Client<S> {
        self.login("u0", resource).await;
        self.send("<presence xmlns='jabber:client'/>").await;
        self.send(&subscribe(resource)).await;
        self.until("subscription=\"subscribed\"").await;
        self
    }

    /// One HTTP request on this connection; status and body.
    pub async fn http(&mut self, request: &str) -> (u16, String) {
        self.io.write_all(request.as_bytes()).await.unwrap();
        let head = self.until("\r\n\r\n").await;
        let length = head
            .to_ascii_lowercase()
            .split_once("content-length: ")
            .map_or(0, |(_, rest)| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
        while self.read.len() < length {
            let read = tokio::time::timeout(PATIENCE, self.io.read_buf(&mut self.read)).await;
            assert_ne!(read.expect("a body").unwrap(), 0, "a body");
        }
        let rest = self.read.split_off(length);
        let body = String::from_utf8(std::mem::replace(&mut self.read, rest)).unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), format!("{head}{body}"))
    }
}

/// A BOSH session that sends one request after the other on a connection of its own.
pub struct Bosh<S> {
    pub client: Client<S>,
    sid: String,
    rid: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Bosh<S> {
    pub async fn create(client: Client<S>) -> Bosh<S> {
        let mut bosh = Bosh { client, sid: String::new(), rid: 1000 };
        let body = bosh.request("to='localhost' wait='10' hold='1' ver='1.11'", "").await;
        bosh.sid = body.split_once("sid=\"").unwrap().1.split('"').next().unwrap().to_owned();
        bosh
    }

    /// The next request.
    pub fn next(&mut self, attributes: &str, payload: &str) -> String {
        self.rid += 1;
        let sid = if self.sid.is_empty() { String::new() } else { format!("sid='{}'", self.sid) };
        let body = format!(
            "<body rid='{}' {sid} {attributes} xmlns='http://jabber.org/protocol/httpbind' \
             xmlns:xmpp='urn:xmpp:xbosh'>{payload}</body>",
            self.rid
        );
        format!(
            "POST /http-bind/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// One request; the answer.
    pub async fn request(&mut self, attributes: &str, payload: &str) -> String {
        let request = self.next(attributes, payload);
        let (status, answer) = self.client.http(&request).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub async fn subscribed(mut self, resource: &str) -> Bosh<S> {
        self.request("", &plain("u0")).await;
        self.request("xmpp:restart='true'", "").await;
        self.request("", &bind(resource)).await;
        let payload = format!("<presence xmlns='jabber:client'/>{}", subscribe(resource));
        let mut answer = self.request("", &payload).await;
        while !answer.contains("subscription=\"subscribed\"") {
            answer = self.request("", "").await;
        }
        self
    }

    /// Polls until `mark` comes.
    pub async fn until(&mut self, mark: &str) {
        while !self.request("", "").await.contains(mark) {}
    }
}
