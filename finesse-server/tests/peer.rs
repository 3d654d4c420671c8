//! The link between two nodes over real sockets: who is let in, who is not, and what passes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use finesse_server::config::Config;
use finesse_server::peer::link::{self, Event, Handle, Settings};
use finesse_server::peer::message::{Item, Status, Where};
use finesse_server::peer::{News, Rules, tls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ClientConfig;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

/// A directory that goes with the test.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("finesse-peer-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A certificate and its key as files, and its fingerprint.
struct Identity {
    certificate: String,
    key: String,
    fingerprint: String,
}

fn own_signed(files: &Files, name: &str) -> Identity {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    Identity {
        certificate: files.write(&format!("{name}.pem"), &made.cert.pem()),
        key: files.write(&format!("{name}.key"), &made.signing_key.serialize_pem()),
        fingerprint: Sha256::digest(made.cert.der()).iter().map(|byte| format!("{byte:02X}")).collect(),
    }
}

/// An authority of a house, which signs for everybody in it.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: String,
}

impl Authority {
    fn new(files: &Files, name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), file: files.write(name, &pem) }
    }

    fn sign(&self, files: &Files, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            certificate: files.write(&format!("{name}.pem"), &certificate.pem()),
            key: files.write(&format!("{name}.key"), &key.serialize_pem()),
            fingerprint: String::new(),
        }
    }
}

fn config(own: &Identity, known: &str, port: u16, name: &str) -> Config {
    let text = format!(
        "[peer]\naddress = \"127.0.0.1:{port}\"\nlisten = \"127.0.0.1:0\"\nhost = \"other.example\"\nname = \"{name}\"\n\
         certificate = \"{}\"\nkey = \"{}\"\n{known}\n",
        own.certificate, own.key
    );
    Config::parse("f.toml", &text).unwrap()
}

struct Node {
    handle: Handle,
    events: mpsc::Receiver<Event>,
}

impl Node {
    fn start(config: &Config, listener: TcpListener) -> Self {
        let rules = Rules {
            beat: Duration::from_millis(50),
            call: Duration::from_secs(5),
            lost: Duration::from_secs(1),
        };
        let ends = tls::load(config).unwrap().unwrap();
        let settings = Settings { address: config.peer.address.clone(), listener, ends, rules };
        let (handle, events) = link::spawn(settings);
        Self { handle, events }
    }

    /// The next news that `matches`; questions are answered with "here".
    async fn until(&mut self, what: &str, matches: impl Fn(&News) -> bool) -> News {
        let news = timeout(PATIENCE, async {
            loop {
                match self.events.recv().await.expect("the link lives") {
                    Event::News(news) if matches(&news) => return news,
                    Event::News(_) => {}
                    Event::Asked(asked, reply) => {
                        let answers = asked.into_iter().map(|item| match item {
                            Item::Ask { user, question, .. } => {
                                Item::Answer { user, question, whereabouts: Where::Here }
                            }
                            other => panic!("{other:?}"),
                        });
                        reply.send(answers.collect()).unwrap();
                    }
                }
            }
        });
        news.await.unwrap_or_else(|_| panic!("waited for {what}"))
    }
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Two nodes with these configurations' makers, each given the port of the other.
async fn pair(one: impl Fn(u16) -> Config, two: impl Fn(u16) -> Config) -> (Node, Node) {
    let ((first, first_port), (second, second_port)) = (listener().await, listener().await);
    (Node::start(&one(second_port), first), Node::start(&two(first_port), second))
}

async fn speak(mut one: Node, mut two: Node) {
    one.until("node two", |news| *news == News::Reachable).await;
    two.handle.set_status(Status { serving: true, ..Status::default() });
    one.until("its status", |news| matches!(news, News::Status(status) if status.serving)).await;
    one.handle.say(Item::Ask { user: "1002".into(), question: 7, away_ms: 60_000 });
    let answered = tokio::spawn(async move {
        two.until("the end of the test", |news| matches!(news, News::Unreachable(_))).await;
    });
    let answer = one.until("the answer", |news| matches!(news, News::Item(_))).await;
    let here = Item::Answer { user: "1002".into(), question: 7, whereabouts: Where::Here };
    assert_eq!(answer, News::Item(here));
    // A node that goes is missed.
    drop(one);
    answered.await.unwrap();
}

#[tokio::test]
async fn nodes_that_know_each_others_fingerprint_speak() {
    let files = Files::new("pinned");
    let (a, b) = (own_signed(&files, "a.example"), own_signed(&files, "b.example"));
    let known = |identity: &Identity| format!("fingerprint = \"{}\"", identity.fingerprint);
    let (one, two) =
        pair(|port| config(&a, &known(&b), port, ""), |port| config(&b, &known(&a), port, "")).await;
    speak(one, two).await;
}

#[tokio::test]
async fn nodes_that_know_each_others_authority_and_name_speak() {
    let files = Files::new("signed");
    let authority = Authority::new(&files, "ca.pem");
    let (a, b) = (authority.sign(&files, "a.example"), authority.sign(&files, "b.example"));
    let ca = format!("ca = \"{}\"", authority.file);
    let (one, two) =
        pair(|port| config(&a, &ca, port, "b.example"), |port| config(&b, &ca, port, "a.example")).await;
    speak(one, two).await;
}

/// Calls a node as the given client does; what it says, or why the client goes away.
async fn knock(client: ClientConfig, name: &str, port: u16) -> Result<Vec<u8>, std::io::Error> {
    let socket = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, socket).await?;
    let call = b"POST /peer/v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    // With TLS 1.3 a client learns only when it reads that it was not accepted.
    let _ = stream.write_all(call).await;
    let mut said = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("the connection is closed");
    Ok(said)
}

fn client(config: &Config) -> ClientConfig {
    (*tls::load(config).unwrap().unwrap().client).clone()
}

/// Starts a node of this configuration and calls it as `stranger`.
async fn is_refused(config: &Config, stranger: ClientConfig) {
    let (listener, port) = listener().await;
    let mut node = Node::start(config, listener);
    assert_eq!(knock(stranger, "a.example", port).await.unwrap(), b"");
    assert!(node.events.try_recv().is_err(), "was heard");
}

#[tokio::test]
async fn another_certificate_is_refused_whoever_signed_it() {
    let files = Files::new("strangers");
    let authority = Authority::new(&files, "ca.pem");
    let ca = format!("ca = \"{}\"", authority.file);
    let a = authority.sign(&files, "a.example");
    let right = authority.sign(&files, "b.example");
    let third = authority.sign(&files, "third.example");
    let foreign = own_signed(&files, "b.example.foreign");
    let node = config(&a, &ca, 1, "b.example");
    // One of the same house, but not the other node; and one that nobody of the house has signed.
    for stranger in [&third, &foreign] {
        is_refused(&node, client(&config(stranger, &ca, 1, "a.example"))).await;
    }
    let pinned = own_signed(&files, "pinned.example");
    let known = format!("fingerprint = \"{}\"", pinned.fingerprint);
    is_refused(&config(&a, &known, 1, ""), client(&config(&right, &ca, 1, "a.example"))).await;
    // The same call by the right one is answered.
    let (listener, port) = listener().await;
    let _node = Node::start(&node, listener);
    let said = knock(client(&config(&right, &ca, 1, "a.example")), "a.example", port).await.unwrap();
    assert!(said.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn a_node_that_shows_another_certificate_is_not_called() {
    let files = Files::new("servers");
    let authority = Authority::new(&files, "ca.pem");
    let ca = format!("ca = \"{}\"", authority.file);
    let (a, b) = (authority.sign(&files, "a.example"), authority.sign(&files, "b.example"));
    let (listener, port) = listener().await;
    let _node = Node::start(&config(&a, &ca, 1, "b.example"), listener);
    let expects_another = client(&config(&b, &ca, 1, "c.example"));
    assert!(knock(expects_another, "c.example", port).await.is_err());
    let pinned = own_signed(&files, "pinned.example");
    let known = format!("fingerprint = \"{}\"", pinned.fingerprint);
    assert!(knock(client(&config(&b, &known, 1, "")), "a.example", port).await.is_err());
}

#[tokio::test]
async fn who_shows_no_certificate_gets_no_answer() {
    let files = Files::new("none");
    let (a, b) = (own_signed(&files, "a.example"), own_signed(&files, "b.example"));
    let known = |identity: &Identity| format!("fingerprint = \"{}\"", identity.fingerprint);
    // As the other node, but without a certificate of its own.
    let mut stranger = client(&config(&b, &known(&a), 1, ""));
    stranger.client_auth_cert_resolver = Arc::new(Nothing);
    is_refused(&config(&a, &known(&b), 1, ""), stranger).await;
}

/// A client without a certificate.
#[derive(Debug)]
struct Nothing;

impl rustls::client::ResolvesClientCert for Nothing {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

#[test]
fn what_does_not_fit_is_said_with_its_line() {
    let files = Files::new("check");
    let a = own_signed(&files, "a.example");
    let base = "[peer]\naddress = \"b.example:8449\"\nhost = \"b.example\"\nlisten = \"127.0.0.1:0\"\n";
    let complaint = |text: &str| match Config::parse("f.toml", &format!("{base}{text}")) {
        Ok(config) => tls::load(&config).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    let files_of =
        |certificate: &str, key: &str| format!("certificate = \"{certificate}\"\nkey = \"{key}\"\n");
    let own = files_of(&a.certificate, &a.key);
    for (text, expected) in [
        (String::new(), "f.toml:2:1: peer.address needs peer.certificate as well"),
        (own.clone(), "f.toml:2:1: peer.address needs peer.ca or peer.fingerprint as well"),
        (
            format!("{own}fingerprint = \"12\""),
            "f.toml:7:1: peer.fingerprint must be a SHA-256 in hexadecimal",
        ),
        (format!("{}ca = \"/nowhere/ca.pem\"", own), "f.toml:7:6: /nowhere/ca.pem: "),
        (
            format!("{own}ca = \"{}\"\nfingerprint = \"{}\"", a.certificate, a.fingerprint),
            "f.toml:7:6: peer.ca and peer.fingerprint exclude each other",
        ),
        (format!("{}ca = \"{}\"", files_of(&a.key, &a.key), a.certificate), "f.toml:5:15: "),
        (format!("{}ca = \"{}\"", files_of(&a.certificate, &a.certificate), a.certificate), "f.toml:6:7: "),
    ] {
        let said = complaint(&text);
        assert!(said.starts_with(expected), "{said} instead of {expected}");
    }
    let same = "[server]\ndomain = \"b.example\"\n".to_owned() + base;
    let said = Config::parse("f.toml", &same).unwrap_err().to_string();
    assert!(said.contains("peer.host is that of this node"), "{said}");
}
