//! Listeners over real sockets: who may connect, PROXY headers, and changes while connections go on.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use xmpp::tcp::{Admission, AdmissionLimits, TcpOptions, serve_changing};
use xmpp::{Network, Refusal, Service};

const PATIENCE: Duration = Duration::from_secs(20);

struct Server {
    addr: SocketAddr,
    service: Service,
    options: watch::Sender<TcpOptions>,
    close: oneshot::Sender<()>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

async fn server(options: TcpOptions) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let ((close, closed), (stop, stopped)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
    let (options, current) = watch::channel(options);
    let service = service();
    let ready = |signal: oneshot::Receiver<()>| async { signal.await.unwrap_or_default() };
    let task =
        tokio::spawn(serve_changing(listener, service.clone(), current, ready(closed), ready(stopped)));
    Server { addr, service, options, close, stop, task }
}

fn networks(list: &[&str]) -> Option<Arc<[Network]>> {
    Some(list.iter().map(|text| text.parse().unwrap()).collect())
}

/// Sends `first` and the stream header; what the server says until it waits for more, or ends.
async fn dialogue(addr: SocketAddr, first: &[u8]) -> (TcpStream, String) {
    let mut socket = TcpStream::connect(addr).await.unwrap();
    // Whoever is not let in may be closed before this is written.
    let _ = socket.write_all(&[first, open_tcp(DOMAIN).as_bytes()].concat()).await;
    let said = until(&mut socket, "</stream:features>").await;
    (socket, said)
}

async fn until(socket: &mut TcpStream, end: &str) -> String {
    let mut said = Vec::new();
    let read = async {
        let mut buf = [0; 4096];
        while !String::from_utf8_lossy(&said).contains(end) {
            match socket.read(&mut buf).await {
                Ok(n) if n > 0 => said.extend_from_slice(&buf[..n]),
                _ => break,
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("an answer or the end");
    String::from_utf8(said).unwrap()
}

async fn login(socket: &mut TcpStream, user: &str) {
    for (text, end) in [
        (auth(&plain("", user, "secret")), "<success"),
        (open_tcp(DOMAIN), "</stream:features>"),
        (bind("desk"), "</jid></bind></iq>"),
    ] {
        socket.write_all(text.as_bytes()).await.unwrap();
        assert!(until(socket, end).await.contains(end));
    }
}

async fn pong(socket: &mut TcpStream) {
    socket.write_all(b"<iq type='get' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>").await.unwrap();
    assert!(until(socket, "p1").await.contains("result"));
}

#[tokio::test]
async fn n6_a_listener_may_be_for_listed_addresses_only_and_the_list_may_change() {
    let elsewhere = TcpOptions { allow: networks(&["192.0.2.0/24"]), ..TcpOptions::default() };
    let server = server(elsewhere).await;
    assert_eq!(dialogue(server.addr, b"").await.1, "", "closed without a word");
    assert_eq!(server.service.stats().refusals.get(Refusal::NotListed), 1);
    server.options.send_modify(|options| options.allow = networks(&["127.0.0.0/8"]));
    let (mut socket, said) = dialogue(server.addr, b"").await;
    assert!(said.contains("<mechanisms"), "{said}");
    server.options.send_modify(|options| options.allow = networks(&["192.0.2.0/24"]));
    login(&mut socket, "1001").await;
    assert_eq!(dialogue(server.addr, b"").await.1, "");
}

#[tokio::test]
async fn x73_a_proxy_header_is_needed_where_it_is_configured_and_believed_from_proxies_only() {
    let proxied = |proxies: &[&str]| TcpOptions {
        proxies: networks(proxies),
        allow: networks(&["198.51.100.0/24", "127.0.0.0/8"]),
        ..TcpOptions::default()
    };
    let header = b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 5222\r\n";
    let good = server(proxied(&["127.0.0.1"])).await;
    let (mut socket, said) = dialogue(good.addr, header).await;
    assert!(said.contains("<mechanisms"), "{said}");
    login(&mut socket, "1001").await;
    let local = dialogue(good.addr, b"PROXY UNKNOWN\r\n").await.1;
    assert!(local.contains("<mechanisms"), "{local}");
    let unlisted = dialogue(good.addr, b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 5222\r\n").await.1;
    assert_eq!(unlisted, "", "the address list is about the client, not the proxy");
    assert_eq!(dialogue(good.addr, b"").await.1, "", "no header");
    assert_eq!(good.service.stats().refusals.get(Refusal::NotListed), 2);
    let stranger = server(proxied(&["192.0.2.1"])).await;
    assert_eq!(dialogue(stranger.addr, header).await.1, "", "a header from a stranger");
}

#[tokio::test]
async fn x73_limits_per_address_are_those_of_the_client_behind_the_proxy() {
    let limits = AdmissionLimits { per_address: 1, ..AdmissionLimits::default() };
    let options = TcpOptions {
        proxies: networks(&["127.0.0.1"]),
        admission: Admission::new(limits),
        ..TcpOptions::default()
    };
    let server = server(options).await;
    let header = |last: u8| format!("PROXY TCP4 198.51.100.{last} 192.0.2.1 4711 5222\r\n");
    let first = dialogue(server.addr, header(1).as_bytes()).await;
    let second = dialogue(server.addr, header(2).as_bytes()).await;
    assert!(first.1.contains("<mechanisms") && second.1.contains("<mechanisms"));
    let third = dialogue(server.addr, header(2).as_bytes()).await;
    assert!(third.1.contains("resource-constraint"), "{}", third.1);
    let admission = server.options.borrow().admission.clone();
    admission.set_limits(AdmissionLimits { per_address: 2, ..AdmissionLimits::default() });
    assert!(dialogue(server.addr, header(2).as_bytes()).await.1.contains("<mechanisms"));
}

#[tokio::test]
async fn connections_outlive_their_listener_and_end_with_the_server() {
    let server = server(TcpOptions::default()).await;
    let (mut socket, _) = dialogue(server.addr, b"").await;
    login(&mut socket, "1001").await;
    server.close.send(()).unwrap();
    let refused = async {
        while TcpStream::connect(server.addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("the listener is closed");
    pong(&mut socket).await;
    assert!(!server.task.is_finished());
    server.stop.send(()).unwrap();
    assert!(until(&mut socket, "</stream:stream>").await.contains("system-shutdown"));
    drop(socket);
    tokio::time::timeout(PATIENCE, server.task).await.expect("the end").unwrap();
}

#[tokio::test]
async fn a_closed_listener_is_done_with_its_last_connection() {
    let server = server(TcpOptions::default()).await;
    let (mut socket, _) = dialogue(server.addr, b"").await;
    server.close.send(()).unwrap();
    socket.write_all(b"</stream:stream>").await.unwrap();
    drop(socket);
    tokio::time::timeout(PATIENCE, server.task).await.expect("the end").unwrap();
    assert!(server.options.is_closed() && server.stop.is_closed());
}
