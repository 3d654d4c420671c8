//! Changes while the server runs: no session ends by them, and what is wrong changes nothing.

#[path = "support/live.rs"]
mod live;

use std::net::SocketAddr;
use std::time::Duration;

use finesse_server::server::Server;
use live::*;
use tokio::net::TcpStream;

/// A client that may publish, with the node of the tests.
async fn publisher(address: SocketAddr) -> Client<TcpStream> {
    let mut publisher = Client::stream(TcpStream::connect(address).await.unwrap()).await;
    publisher.login("pub0", "p").await;
    publisher
        .send(
            "<iq type='set' id='c' to='pubsub.localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
             <create node='/t'/></pubsub></iq>",
        )
        .await;
    publisher.until("id=\"c\"").await;
    publisher
}

async fn publish(publisher: &mut Client<TcpStream>, text: &str) {
    publisher
        .send(&format!(
            "<iq type='set' id='{text}' to='pubsub.localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
             <publish node='/t'><item><a xmlns='urn:example'>{text}</a></item></publish></pubsub></iq>"
        ))
        .await;
    let answer = publisher.until(&format!("id=\"{text}\"")).await;
    assert!(!answer.contains("error"), "{answer}");
}

async fn is_open(address: SocketAddr) -> bool {
    TcpStream::connect(address).await.is_ok()
}

async fn closed(address: SocketAddr) {
    let closed = async {
        while is_open(address).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.expect("the listener closes");
}

const CLEAR: &str = "[xmpp]\nstarttls = \"off\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn n4_sessions_of_all_transports_live_through_a_reconfiguration() {
    let first = [("bosh", any()), ("bosh_tls", any()), ("xmpp", any()), ("xmpp_tls", any())];
    let mut server = start(&format!("{}{CLEAR}", listen(&first)));
    let at = server.addresses();
    // Ports that the second configuration can name again.
    let (xmpp, xmpp_tls) = (at.xmpp.unwrap(), at.xmpp_tls.unwrap());
    let (bosh, bosh_tls) = (at.bosh.unwrap(), at.bosh_tls.unwrap());
    let mut publisher = publisher(xmpp).await;
    let mut tcp = Client::stream(TcpStream::connect(xmpp).await.unwrap()).await.subscribed("tcp").await;
    let mut secure = Client::stream(tls(xmpp_tls, &[]).await.0).await.subscribed("tls").await;
    let (status, ws) = Client::websocket(tls(bosh_tls, &[]).await.0, "").await;
    assert_eq!(status, 101);
    let mut ws = ws.subscribed("ws").await;
    let poll = Client::stream(TcpStream::connect(bosh).await.unwrap()).await;
    let mut poll = Bosh::create(poll).await.subscribed("bosh").await;

    // The clear ones stay as they are written, those with TLS go, one for HTTPS comes.
    let second = [("bosh", any()), ("xmpp", any()), ("https", any())];
    assert_eq!(server.reconfigure(config(&format!("{}{CLEAR}", listen(&second)))).unwrap(), [""; 0]);
    closed(xmpp_tls).await;
    closed(bosh_tls).await;
    let now = server.addresses();
    assert_eq!((now.xmpp, now.bosh, now.bosh_tls, now.xmpp_tls), (at.xmpp, at.bosh, None, None));
    let https = now.https.expect("a new listener");

    publish(&mut publisher, "e1").await;
    tcp.until(">e1<").await;
    secure.until(">e1<").await;
    ws.until(">e1<").await;
    poll.until(">e1<").await;
    let late = Client::stream(tls(https, &[]).await.0).await;
    let mut late = Bosh::create(late).await.subscribed("late").await;
    publish(&mut publisher, "e2").await;
    late.until(">e2<").await;
    tcp.until(">e2<").await;
    secure.until(">e2<").await;
    ws.until(">e2<").await;
    poll.until(">e2<").await;
    server.stop().await;
    secure.until("system-shutdown").await;
    ws.until("system-shutdown").await;
}

/// A pair of files in a directory of its own.
struct Files(std::path::PathBuf);

impl Files {
    fn new(name: &str) -> Files {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Files(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Writes a certificate made now; its DER form.
    fn certificate(&self) -> Vec<u8> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        std::fs::write(self.path("cert.pem"), made.cert.pem()).unwrap();
        made.cert.der().to_vec()
    }

    fn section(&self, check: u32) -> String {
        let (certificate, key) = (self.path("cert.pem"), self.path("key.pem"));
        format!("[tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\ncheck_seconds = {check}\n")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn shown(server: &Server) -> Vec<u8> {
    tls(server.addresses().https.unwrap(), &[]).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_certificate_is_shown_to_new_connections_and_a_broken_one_is_refused() {
    let files = Files::new("finesse-certificates");
    let first = files.certificate();
    let lists = [("https", any()), ("xmpp_tls", any())];
    let text = format!("{}{}", listen(&lists), files.section(1));
    let mut server = start(&text);
    assert_eq!(shown(&server).await, first);
    let mut old = Client::stream(tls(server.addresses().xmpp_tls.unwrap(), &[]).await.0).await;
    old.login("u0", "old").await;
    // Found by looking.
    let second = files.certificate();
    let changed = async {
        while shown(&server).await != second {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, changed).await.expect("the new certificate");
    assert_eq!(tls(server.addresses().xmpp_tls.unwrap(), &[]).await.1, second, "on every listener");
    // A certificate whose key is another's changes nothing, and the complaint names file and reason.
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(files.path("cert.pem"), other.cert.pem()).unwrap();
    let error = server.reconfigure(config(&text)).unwrap_err().to_string();
    assert!(error.starts_with("test.toml:") && error.contains("key.pem: "), "{error}");
    assert_eq!(shown(&server).await, second);
    old.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>").await;
    old.until("id=\"p\"").await;
    // Told to look, it does not wait.
    let third = files.certificate();
    server.reconfigure(config(&text)).unwrap();
    assert_eq!(shown(&server).await, third);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x79_the_listener_for_components_opens_and_closes_while_the_server_runs() {
    let hello = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' \
                 to='news.localhost'>";
    let component = "[component]\nname = \"news.localhost\"\nsecret = \"hush\"\n";
    let mut server = start(&format!("{}{component}", listen(&[("https", any())])));
    assert_eq!(server.addresses().component, None);
    let with = format!("{}{component}", listen(&[("https", any()), ("component", any())]));
    assert_eq!(server.reconfigure(config(&with)).unwrap(), [""; 0]);
    let at = server.addresses().component.expect("a new listener");
    let mut inside = Client::stream(TcpStream::connect(at).await.unwrap()).await;
    inside.send(hello).await;
    let head = inside.until("component:accept\" ").await + &inside.until(">").await;
    let id = head.split_once(" id=\"").unwrap().1.split('"').next().unwrap();
    inside.send(&format!("<handshake>{}</handshake>", xmpp::component::handshake(id, "hush"))).await;
    inside.until("<handshake/>").await;
    let without = format!("{}{component}", listen(&[("https", any())]));
    server.reconfigure(config(&without)).unwrap();
    closed(at).await;
    inside
        .send("<iq type='get' id='p' from='news.localhost' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
        .await;
    inside.until("id=\"p\"").await;
    server.stop().await;
    inside.until("system-shutdown").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_an_address_changes_its_protocol_in_one_step_and_system_info_follows() {
    let at = free();
    let https = free();
    let component = "[component]\nname = \"news.localhost\"\nsecret = \"hush\"\n";
    let lists = |kind| format!("{}{CLEAR}{component}", listen(&[("https", https), (kind, at)]));
    let mut server = start(&lists("xmpp"));
    let mut old = Client::stream(TcpStream::connect(at).await.unwrap()).await;
    old.login("u0", "old").await;
    let info = async || {
        let mut client = Client::stream(tls(https, &[]).await.0).await;
        client.http("GET /finesse/api/SystemInfo HTTP/1.1\r\nHost: a\r\n\r\n").await.1
    };
    let port = format!("<xmppPort>{}</xmppPort>", at.port());
    assert!(info().await.contains(&port));
    for kind in ["bosh", "component", "xmpp_tls", "http", "xmpp"] {
        assert_eq!(server.reconfigure(config(&lists(kind))).unwrap(), [""; 0], "{kind}");
        assert_eq!(info().await.contains(&port), kind == "xmpp", "{kind}");
        let socket = TcpStream::connect(at).await.expect(kind);
        match kind {
            "bosh" | "http" => drop(Bosh::create(Client::stream(socket).await).await),
            "xmpp_tls" => Client::stream(tls(at, &[]).await.0).await.login("u0", "new").await,
            "xmpp" => Client::stream(socket).await.login("u0", "new").await,
            _ => {
                let mut component = Client::stream(socket).await;
                component
                    .send(
                        "<stream:stream xmlns='jabber:component:accept' to='news.localhost' \
                           xmlns:stream='http://etherx.jabber.org/streams'>",
                    )
                    .await;
                component.until("component:accept\"").await;
            }
        }
        old.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>").await;
        old.until("id=\"p\"").await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_cannot_be_had_changes_nothing() {
    let mut server = start(&listen(&[("https", any())]));
    let at = server.addresses();
    let taken = tokio::net::TcpListener::bind(any()).await.unwrap().into_std().unwrap();
    let text = listen(&[("xmpp_tls", taken.local_addr().unwrap())]);
    let error = server.reconfigure(config(&text)).unwrap_err().to_string();
    assert!(error.starts_with("test.toml:7:13: listen.xmpp_tls: cannot listen on "), "{error}");
    assert_eq!(server.addresses(), at);
    assert!(is_open(at.https.unwrap()).await);
    let restart = format!(
        "[server]\ndomain = \"other.example\"\n[log]\nlevel = \"warn\"\n{}",
        listen(&[("https", any())])
    );
    assert_eq!(server.reconfigure(config(&restart)).unwrap(), ["server.domain", "log.level"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn address_lists_origins_and_limits_change_for_new_connections() {
    let lists = [("bosh", any()), ("xmpp_tls", any())];
    let mut server = start(&listen(&lists));
    let at = server.addresses();
    let connects = async |origin: &str| {
        let socket = TcpStream::connect(at.bosh.unwrap()).await.unwrap();
        Client::websocket(socket, &format!("Origin: {origin}\r\n")).await.0
    };
    assert_eq!(connects("https://a.example").await, 101);
    let mut inside = Client::stream(tls(at.xmpp_tls.unwrap(), &[]).await.0).await;
    inside.login("u0", "inside").await;
    let text = format!(
        "{}xmpp_tls_allow = [\"192.0.2.0/24\"]\n[cors]\nnotification = [\"https://b.example\"]\n",
        listen(&lists)
    );
    server.reconfigure(config(&text)).unwrap();
    assert_eq!((connects("https://a.example").await, connects("https://b.example").await), (403, 101));
    let mut refused = TcpStream::connect(at.xmpp_tls.unwrap()).await.unwrap();
    let mut byte = [0; 1];
    let end = tokio::io::AsyncReadExt::read(&mut refused, &mut byte);
    assert!(matches!(tokio::time::timeout(PATIENCE, end).await.expect("the end"), Ok(0) | Err(_)));
    inside.send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>").await;
    inside.until("id=\"p\"").await;
    server.stop().await;
}

#[cfg(unix)]
#[test]
fn sighup_makes_the_program_read_its_file_again() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let files = Files::new("finesse-sighup");
    let (one, two) = (free(), free());
    let write = |text: String| std::fs::write(files.path("finesse.toml"), text).unwrap();
    write(listen(&[("https", one)]));
    let mut child = Command::new(env!("CARGO_BIN_EXE_finesse-server"))
        .args(["run", "--config", &files.path("finesse.toml")])
        .env("FINESSE_LOG", "info")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let pid = child.id().to_string();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    let mut line = |mark: &str| lines.find(|line| line.contains(mark)).unwrap_or_else(|| panic!("no {mark}"));
    line("serving");
    write(listen(&[("https", two)]));
    signal("-HUP");
    line("configuration reloaded");
    assert!(std::net::TcpStream::connect(two).is_ok());
    // The task of a listener closes it when it is told to, which is soon, not at once.
    let closed = || std::net::TcpStream::connect(one).is_err();
    let patience = std::time::Instant::now() + Duration::from_secs(60);
    while !closed() {
        assert!(std::time::Instant::now() < patience, "the old listener stays open");
        std::thread::sleep(Duration::from_millis(5));
    }
    write("[listen]\nhttps = 7\n".into());
    signal("-HUP");
    let complaint = line("configuration not reloaded");
    assert!(complaint.contains("finesse.toml:2:9: "), "{complaint}");
    assert!(std::net::TcpStream::connect(two).is_ok());
    signal("-TERM");
    assert!(child.wait().unwrap().success());
}

/// An address that is free now.
fn free() -> SocketAddr {
    std::net::TcpListener::bind(any()).unwrap().local_addr().unwrap()
}
