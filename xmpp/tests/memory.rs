//! What an idle session costs, measured as resident memory of this process; a test binary of its own, so
//! that nothing else runs in it.
#![cfg(target_os = "linux")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use support::*;
use xmpp::tcp::{TcpOptions, serve};

/// Two descriptors each; the usual limit is 1024.
const SESSIONS: usize = 400;
/// The published number, in bytes.
const BUDGET: usize = 12 << 10;

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("procfs");
    let pages: usize = statm.split_whitespace().nth(1).expect("resident").parse().expect("a number");
    pages * 4096
}

fn until(socket: &mut TcpStream, end: &str) {
    let mut seen = Vec::new();
    let mut buf = [0; 2048];
    while !String::from_utf8_lossy(&seen).contains(end) {
        let n = socket.read(&mut buf).expect("readable");
        assert_ne!(n, 0, "ended");
        seen.extend_from_slice(&buf[..n]);
    }
}

fn login(addr: SocketAddr, user: &str) -> TcpStream {
    let mut socket = TcpStream::connect(addr).expect("connected");
    let mut say = |text: &str, end: &str| {
        socket.write_all(text.as_bytes()).expect("writable");
        until(&mut socket, end);
    };
    say(&open_tcp(DOMAIN), "</stream:features>");
    say(&auth(&plain("", user, "secret")), "<success");
    say(&open_tcp(DOMAIN), "</stream:features>");
    say(&bind("desk"), "</iq>");
    say("<presence/>", "<presence ");
    socket
}

#[test]
fn x74_an_idle_session_over_tcp_stays_below_the_published_number() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let service = service();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let addr = listener.local_addr().expect("bound");
    runtime.spawn(serve(listener, service.clone(), TcpOptions::default(), std::future::pending()));
    let warm: Vec<_> = (0..50).map(|n| login(addr, &format!("warm{n}"))).collect();
    let before = resident();
    let sessions: Vec<_> = (0..SESSIONS).map(|n| login(addr, &format!("u{n}"))).collect();
    let each = resident().saturating_sub(before) / SESSIONS;
    assert_eq!(service.sessions(), sessions.len() + warm.len());
    println!("{each} bytes of resident memory for each idle session");
    assert!(each <= BUDGET, "{each} bytes for each session");
}
