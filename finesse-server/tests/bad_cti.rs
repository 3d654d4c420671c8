//! A CTI server that talks nonsense: the server goes on, and serves over the other side.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cti::sim::{self, Simulator};
use finesse_server::config::Config;
use finesse_server::realm::{Builder, Rules};
use finesse_server::server::{Listeners, Server, Setup};

/// Answers every OPEN request with these bytes and ends; the address, and how often it was asked.
fn liar(bytes: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let Ok(mut socket) = socket else { return };
            let mut request = [0; 512];
            let _ = socket.read(&mut request);
            count.fetch_add(1, Ordering::Relaxed);
            let _ = socket.write_all(bytes);
        }
    });
    (address, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_cut_or_lying_about_their_length_lead_to_the_other_side() {
    let lies: [&'static [u8]; 5] = [
        b"\xff\xff\xff\xf0\0\0\0\x04",
        b"\0\0\0\x64\0\0\0\x04abc",
        b"\0\0\0\x02\0\0\0\x04ab",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\0\0",
    ];
    for lie in lies {
        let mut sides = sim::Config::demo(2, "secret");
        sides.behaviour.response_delay = Duration::ZERO;
        let simulator = Simulator::start(sides).await.unwrap();
        let ((side_a, asked), [side_b, _]) = (liar(lie), simulator.addrs());
        let text = format!(
            "[listen]\nhttp = []\nhttps = []\nbosh_tls = []\nxmpp_tls = []\n\
             [cti]\nside_a = \"{side_a}\"\nside_b = \"{side_b}\"\nheartbeat_seconds = 1\n"
        );
        let config = Config::parse("test.toml", &text).unwrap();
        let server = Server::start(Setup {
            directory: config.directory().unwrap().into(),
            realm: Builder::new(Rules::default()).unwrap().build().into(),
            listeners: Listeners::bind(&config).unwrap(),
            tls: finesse_server::http::tls::load(&config).unwrap(),
            config,
        });
        assert!(server.in_service(Duration::from_secs(20)).await, "after {lie:?}");
        assert!(asked.load(Ordering::Relaxed) > 0, "side A comes first");
        server.stop().await;
    }
}
