//! The TCP shell over real sockets and over streams that record their writes.

mod support;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use broker::Address;
use support::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::rustls;
use xmpp::tcp::{Admission, AdmissionLimits, TcpOptions, serve, serve_io};
use xmpp::{Config, Service, StartTls, Timeouts};

const PATIENCE: Duration = Duration::from_secs(20);

/// Reads until `end` is seen.
async fn until(io: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut seen = Vec::new();
    let read = async {
        let mut buf = [0; 4096];
        while !String::from_utf8_lossy(&seen).contains(end) {
            let n = io.read(&mut buf).await.expect("readable");
            assert_ne!(n, 0, "ended before {end}: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&buf[..n]);
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("{end} did not come"));
    String::from_utf8(seen).expect("UTF-8")
}

async fn rest(io: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    // A reset counts as the end.
    let _ = tokio::time::timeout(PATIENCE, io.read_to_end(&mut bytes)).await.expect("the end");
    String::from_utf8(bytes).expect("UTF-8")
}

async fn send(io: &mut (impl AsyncWrite + Unpin), text: &str) {
    io.write_all(text.as_bytes()).await.expect("writable");
}

async fn login(io: &mut (impl AsyncRead + AsyncWrite + Unpin), user: &str, resource: &str) {
    send(io, &open_tcp(DOMAIN)).await;
    until(io, "</stream:features>").await;
    send(io, &auth(&plain("", user, "secret"))).await;
    until(io, "<success").await;
    send(io, &open_tcp(DOMAIN)).await;
    until(io, "</stream:features>").await;
    send(io, &bind(resource)).await;
    until(io, "</jid></bind></iq>").await;
}

struct Server {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

async fn server(service: Service, options: TcpOptions) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("bound");
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, service, options, async {
        let _ = stopped.await;
    }));
    Server { addr, stop, task }
}

/// Records what each write held.
struct Recorder {
    io: DuplexStream,
    writes: Arc<Mutex<Vec<String>>>,
    times: Arc<Mutex<Vec<Instant>>>,
}

impl AsyncRead for Recorder {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Recorder {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        if let Poll::Ready(Ok(n)) = written {
            self.writes.lock().unwrap().push(String::from_utf8(buf[..n].to_vec()).unwrap());
            self.times.lock().unwrap().push(Instant::now());
        }
        written
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// A connection whose writes are recorded, logged in as `1001/desk`, available.
async fn recorded(service: &Service, options: TcpOptions) -> (DuplexStream, Arc<Mutex<Vec<String>>>) {
    let (mut ours, theirs) = tokio::io::duplex(1 << 20);
    let writes = Arc::default();
    let io = Recorder { io: theirs, writes: Arc::clone(&writes), times: Arc::default() };
    let service = service.clone();
    tokio::spawn(async move { serve_io(io, None, service, &options).await });
    login(&mut ours, "1001", "desk").await;
    send(&mut ours, "<presence/>").await;
    until(&mut ours, "<presence ").await;
    (ours, writes)
}

fn notification(service: &Service, text: &str) -> broker::Event {
    xmpp::notification(&service.config().pubsub_domain, "/n", text)
}

fn subscribe(service: &Service) {
    service.broker().create_node("/n").expect("new");
    let address = Address { bare: "1001@fin-a.example.net".into(), resource: None };
    service.broker().subscribe(&address, "/n").expect("subscribed");
}

#[tokio::test]
async fn header_and_features_are_two_writes_on_the_first_stream_and_one_after_sasl() {
    let service = service();
    let (_client, writes) = recorded(&service, TcpOptions::default()).await;
    let writes = writes.lock().unwrap();
    assert!(writes[0].starts_with("<?xml") && !writes[0].contains("features"), "{writes:?}");
    assert!(writes[1].starts_with("<stream:features>"), "{writes:?}");
    assert!(writes[2].starts_with("<success"), "{writes:?}");
    assert!(writes[3].starts_with("<stream:stream") && writes[3].ends_with("</stream:features>"));
}

#[tokio::test]
async fn a_lock_step_client_can_read_the_header_before_what_follows() {
    let mut quickest = Duration::MAX;
    for follows in ["", "<!-- -->"] {
        let (mut ours, theirs) = tokio::io::duplex(1 << 20);
        let times: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let io = Recorder { io: theirs, writes: Arc::default(), times: Arc::clone(&times) };
        tokio::spawn(async move { serve_io(io, None, service(), &TcpOptions::default()).await });
        let start = Instant::now();
        send(&mut ours, &format!("{}{follows}</stream:stream>", open_tcp(DOMAIN))).await;
        until(&mut ours, "</stream:stream>").await;
        quickest = quickest.min(start.elapsed());
        let times = times.lock().unwrap();
        assert!(times[1] - times[0] >= Duration::from_millis(1), "{times:?}");
    }
    assert!(quickest < Duration::from_secs(1), "the pause is short");
}

#[tokio::test]
async fn answers_and_events_never_share_a_write_but_events_do() {
    let service = service();
    subscribe(&service);
    let (mut client, writes) = recorded(&service, TcpOptions::default()).await;
    writes.lock().unwrap().clear();
    // Nothing yields between these, so that all of it waits when the connection's task runs.
    service.broker().publish("/n", notification(&service, "one"));
    service.broker().publish("/n", notification(&service, "two"));
    send(&mut client, "<iq type='get' id='p1' to='fin-a.example.net'><ping xmlns='urn:xmpp:ping'/></iq>")
        .await;
    until(&mut client, "id=\"p1\"").await;
    let writes = writes.lock().unwrap();
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert!(writes[0].contains(">one<") && writes[0].contains(">two<"), "{writes:?}");
    assert!(writes[1].starts_with("<iq ") && !writes[1].contains("<message"), "{writes:?}");
}

#[tokio::test]
async fn without_coalescing_each_stanza_is_a_write() {
    let service = service();
    subscribe(&service);
    let options = TcpOptions { coalesce: false, ..TcpOptions::default() };
    let (mut client, writes) = recorded(&service, options).await;
    writes.lock().unwrap().clear();
    for text in ["one", "two", "three"] {
        service.broker().publish("/n", notification(&service, text));
    }
    until(&mut client, ">three<").await;
    let writes = writes.lock().unwrap();
    assert_eq!(writes.len(), 3, "{writes:?}");
    assert!(writes.iter().all(|write| write.matches("<message").count() == 1), "{writes:?}");
}

#[tokio::test]
async fn events_are_spliced_with_address_and_id() {
    let service = service();
    subscribe(&service);
    let (mut client, _) = recorded(&service, TcpOptions::default()).await;
    service.broker().publish("/n", notification(&service, "<a>&b"));
    let event = until(&mut client, "</message>").await;
    assert!(event.contains(" to=\"1001@fin-a.example.net\""), "{event}");
    assert!(event.contains("id=\"/n__1001@fin-a.example.net__00000\""), "{event}");
    assert!(event.contains("&lt;a&gt;&amp;b"), "{event}");
}

#[tokio::test]
async fn x2_orderly_end_over_a_socket() {
    let server = server(service(), TcpOptions::default()).await;
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    login(&mut client, "1001", "desk").await;
    send(&mut client, "</stream:stream>").await;
    assert_eq!(rest(&mut client).await, "</stream:stream>");
}

#[tokio::test]
async fn x73_errors_are_told_before_the_socket_closes_even_with_unread_input() {
    let server = server(service(), TcpOptions::default()).await;
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    send(&mut client, &format!("{}<!-- -->{}", open_tcp(DOMAIN), "x".repeat(60_000))).await;
    let answer = rest(&mut client).await;
    assert!(
        answer.ends_with("</stream:error></stream:stream>") && answer.contains("<restricted-xml "),
        "{answer}"
    );
}

#[tokio::test]
async fn a_client_that_closes_one_direction_gets_its_answers() {
    let server = server(service(), TcpOptions::default()).await;
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    send(&mut client, &open_tcp(DOMAIN)).await;
    client.shutdown().await.unwrap();
    let answer = rest(&mut client).await;
    assert!(answer.contains("PLAIN") && answer.ends_with("</stream:stream>"), "{answer}");
}

#[tokio::test]
async fn shutdown_tells_every_stream() {
    let service = service();
    let server = server(service.clone(), TcpOptions::default()).await;
    let mut bound = TcpStream::connect(server.addr).await.unwrap();
    login(&mut bound, "1001", "desk").await;
    let mut fresh = TcpStream::connect(server.addr).await.unwrap();
    send(&mut fresh, &open_tcp(DOMAIN)).await;
    until(&mut fresh, "</stream:features>").await;
    server.stop.send(()).unwrap();
    for client in [&mut bound, &mut fresh] {
        let answer = until(client, "</stream:stream>").await;
        assert!(answer.contains("<system-shutdown "), "{answer}");
    }
    drop((bound, fresh));
    tokio::time::timeout(PATIENCE, server.task).await.expect("ends in time").unwrap();
    assert_eq!(service.sessions(), 0);
}

#[tokio::test]
async fn a_panic_in_one_session_leaves_the_others_alone() {
    let service = service();
    let server = server(service.clone(), TcpOptions::default()).await;
    let mut good = TcpStream::connect(server.addr).await.unwrap();
    login(&mut good, "1001", "desk").await;
    let mut bad = TcpStream::connect(server.addr).await.unwrap();
    send(&mut bad, &open_tcp(DOMAIN)).await;
    until(&mut bad, "</stream:features>").await;
    send(&mut bad, &auth(&plain("", "panics", "secret"))).await;
    assert_eq!(rest(&mut bad).await, "");
    send(&mut good, "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>").await;
    until(&mut good, "id=\"p\"").await;
    let mut another = TcpStream::connect(server.addr).await.unwrap();
    login(&mut another, "1002", "desk").await;
}

#[tokio::test]
async fn x72_a_slow_reader_ends_alone_and_others_get_everything() {
    let mut config = config();
    config.limits.outbox_bytes = 256 << 10;
    config.timeouts = Timeouts { drain: Duration::from_millis(200), ..Timeouts::default() };
    config.timeouts.write_stall = Duration::from_millis(500);
    let service = service_with(config);
    subscribe(&service);
    let server = server(service.clone(), TcpOptions::default()).await;
    let mut slow = TcpStream::connect(server.addr).await.unwrap();
    let mut quick = TcpStream::connect(server.addr).await.unwrap();
    for (client, resource) in [(&mut slow, "slow"), (&mut quick, "quick")] {
        login(client, "1001", resource).await;
        send(client, "<presence/>").await;
        until(client, "<presence ").await;
    }
    let text = "x".repeat(16 << 10);
    let spliced = 2 * "1001@fin-a.example.net".len() + "__00000".len();
    let size = notification(&service, &text).len() + spliced;
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let reading = tokio::spawn(async move {
        let mut buf = vec![0; 64 << 10];
        loop {
            let n = quick.read(&mut buf).await.expect("readable");
            assert_ne!(n, 0, "the quick one was ended");
            counter.fetch_add(n, Ordering::SeqCst);
        }
    });
    // The quick one keeps pace by construction, however loaded the machine is.
    let mut published = 0;
    while service.sessions() > 1 && published < 4000 {
        if read.load(Ordering::SeqCst) / size + 4 < published {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        }
        service.broker().publish("/n", notification(&service, &text));
        published += 1;
    }
    assert!(!reading.is_finished());
    let all_read = async {
        while read.load(Ordering::SeqCst) < published * size {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all_read).await.expect("the quick one has everything");
    reading.abort();
    let gone = async {
        while service.sessions() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("both are gone");
    drop(slow);
}

#[tokio::test]
async fn a_silent_peer_is_probed_and_then_closed() {
    let config = Config {
        timeouts: Timeouts {
            idle_probe: Duration::from_millis(100),
            idle_close: Duration::from_millis(300),
            ..Timeouts::default()
        },
        ..config()
    };
    let server = server(service_with(config), TcpOptions::default()).await;
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    login(&mut client, "1001", "desk").await;
    until(&mut client, "<ping xmlns=\"urn:xmpp:ping\"/>").await;
    let answer = rest(&mut client).await;
    assert!(answer.contains("<connection-timeout "), "{answer}");
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_so() {
    let admission = Admission::new(AdmissionLimits { unauthenticated: 1, ..AdmissionLimits::default() });
    let options = TcpOptions { admission: admission.clone(), ..TcpOptions::default() };
    let server = server(service(), options).await;
    let mut first = TcpStream::connect(server.addr).await.unwrap();
    send(&mut first, &open_tcp(DOMAIN)).await;
    until(&mut first, "</stream:features>").await;
    let mut second = TcpStream::connect(server.addr).await.unwrap();
    let answer = rest(&mut second).await;
    assert!(answer.contains("<stream:stream ") && answer.contains("<resource-constraint "), "{answer}");
    // Whoever has authenticated leaves the place.
    send(&mut first, &auth(&plain("", "1001", "secret"))).await;
    until(&mut first, "<success").await;
    let mut third = TcpStream::connect(server.addr).await.unwrap();
    login(&mut third, "1002", "desk").await;
    assert_eq!((admission.open(), admission.refused()), ((2, 0), 1));
}

/// A certificate made for the test, and a client that trusts it.
fn tls() -> (Arc<rustls::ServerConfig>, tokio_rustls::TlsConnector) {
    let made = rcgen::generate_simple_self_signed([DOMAIN.to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("matching key");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client).into())
}

#[tokio::test]
async fn starttls_over_a_socket() {
    let (tls, connector) = tls();
    let options = TcpOptions { tls: Some(tls), starttls: StartTls::Optional, ..TcpOptions::default() };
    let server = server(service(), options).await;
    let mut plain = TcpStream::connect(server.addr).await.unwrap();
    send(&mut plain, &open_tcp(DOMAIN)).await;
    assert!(until(&mut plain, "</stream:features>").await.contains("<starttls "));
    send(&mut plain, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
    until(&mut plain, "<proceed xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"/>").await;
    let mut client = connector.connect(DOMAIN.try_into().unwrap(), plain).await.expect("handshake");
    login(&mut client, "1001", "desk").await;
    send(&mut client, "</stream:stream>").await;
    assert_eq!(until(&mut client, "</stream:stream>").await, "</stream:stream>");
}

#[tokio::test]
async fn x6_commands_injected_behind_starttls_are_never_obeyed() {
    let (tls, connector) = tls();
    let options = TcpOptions { tls: Some(tls), starttls: StartTls::Optional, ..TcpOptions::default() };
    let server = server(service(), options).await;
    let mut plain_io = TcpStream::connect(server.addr).await.unwrap();
    send(&mut plain_io, &open_tcp(DOMAIN)).await;
    until(&mut plain_io, "</stream:features>").await;
    let injected = format!(
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>{}{}",
        open_tcp(DOMAIN),
        auth(&plain("", "1001", "secret"))
    );
    send(&mut plain_io, &injected).await;
    until(&mut plain_io, "<proceed xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"/>").await;
    let mut client = connector.connect(DOMAIN.try_into().unwrap(), plain_io).await.expect("handshake");
    send(&mut client, &open_tcp(DOMAIN)).await;
    let answer = until(&mut client, "</stream:features>").await;
    assert!(answer.contains("PLAIN") && !answer.contains("<success"), "{answer}");
}

#[tokio::test]
async fn tls_from_the_first_byte() {
    let (tls, connector) = tls();
    let options = TcpOptions { tls: Some(tls), direct_tls: true, ..TcpOptions::default() };
    let server = server(service(), options).await;
    let socket = TcpStream::connect(server.addr).await.unwrap();
    let mut client = connector.connect(DOMAIN.try_into().unwrap(), socket).await.expect("handshake");
    login(&mut client, "1001", "desk").await;
}

#[tokio::test]
async fn a_panicking_or_vanishing_client_leaves_no_session() {
    let service = service();
    let server = server(service.clone(), TcpOptions::default()).await;
    let mut client = TcpStream::connect(server.addr).await.unwrap();
    login(&mut client, "1001", "desk").await;
    assert_eq!(service.sessions(), 1);
    drop(client);
    let gone = async {
        while service.sessions() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the session is gone");
}

#[tokio::test]
async fn x73_failing_answers_to_one_address_are_delayed_and_good_ones_are_not() {
    let limits = AdmissionLimits { trusted: Vec::new(), ..AdmissionLimits::default() };
    let options = TcpOptions { admission: Admission::new(limits), ..TcpOptions::default() };
    let server = server(service(), options).await;
    let mut waits = Vec::new();
    for _ in 0..2 {
        let mut client = TcpStream::connect(server.addr).await.unwrap();
        send(&mut client, &open_tcp(DOMAIN)).await;
        until(&mut client, "</stream:features>").await;
        for _ in 0..3 {
            let start = std::time::Instant::now();
            send(&mut client, &auth(&plain("", "1001", "wrong"))).await;
            until(&mut client, "</failure>").await;
            waits.push(start.elapsed());
        }
    }
    assert!(waits[5] >= Duration::from_secs(1), "{waits:?}");
    // Of several, since a busy machine may keep any one waiting.
    assert!(waits[..5].iter().min() < waits.get(5), "{waits:?}");
    let mut logins = Vec::new();
    for _ in 0..5 {
        let start = std::time::Instant::now();
        let mut client = TcpStream::connect(server.addr).await.unwrap();
        login(&mut client, "1001", "desk").await;
        logins.push(start.elapsed());
    }
    assert!(logins.iter().min() < waits.get(5), "{logins:?}");
}
