//! The probes over sockets: a process that lives, and whether clients should be sent to it, while the CTI server goes and
//! comes back.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use cti::sim::Side;
use finesse_server::cli::DemoArgs;
use finesse_server::demo::System;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    demo: DemoArgs,
}

async fn system() -> System {
    let ports = ["http", "https", "bosh", "bosh-tls", "xmpp", "xmpp-tls", "cti"];
    let options = Options::parse_from(
        std::iter::once("demo".to_owned()).chain(ports.map(|port| format!("--{port}-port=0"))),
    );
    System::start(&options.demo, cti::sim::Config::demo(4, "secret")).await.unwrap()
}

/// The whole answer.
async fn get(at: SocketAddr, path: &str) -> String {
    let mut socket = TcpStream::connect(at).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = tokio::time::timeout(PATIENCE, socket.read_to_string(&mut answer)).await;
    read.expect("an answer").unwrap();
    answer
}

/// Asks until the answer to the probe for traffic begins so.
async fn until_ready_says(at: SocketAddr, status: &str) -> String {
    let wait = async {
        loop {
            let answer = get(at, "/health/ready").await;
            if answer.starts_with(&format!("HTTP/1.1 {status}")) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never {status}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_turns_503_when_the_cti_server_goes_and_200_when_it_is_back() {
    let system = system().await;
    let addresses = system.server.addresses();
    let listeners = [addresses.http.unwrap(), addresses.bosh.unwrap()];
    assert!(system.server.in_service(PATIENCE).await);
    for at in listeners {
        assert!(get(at, "/health/ready").await.starts_with("HTTP/1.1 200"));
        assert!(get(at, "/health/live").await.starts_with("HTTP/1.1 200"));
    }
    let control = system.simulator.control();
    let sides = [Side::A, Side::B];
    sides.into_iter().for_each(|side| control.stop(side));
    for at in listeners {
        let answer = until_ready_says(at, "503").await;
        assert!(answer.contains("\"reason\":\"out_of_service\""), "{answer}");
        assert!(answer.contains("\"statusReason\":\"CTI_SERVER_NOT_CONNECTED\""), "{answer}");
        assert!(get(at, "/health/live").await.starts_with("HTTP/1.1 200"), "it lives");
    }
    sides.into_iter().for_each(|side| control.restart(side));
    for at in listeners {
        until_ready_says(at, "200").await;
    }
    system.stop().await;
}
