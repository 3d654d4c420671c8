//! A proxy for BOSH that knows where requests and answers begin and end.
//!
//! Of each thousand requests some are lost on their way, some lose their connection while they are held, some
//! answers are cut at a random byte or lost whole; others are late, so that requests of one session overtake each
//! other, or reach the server a second time behind the client's back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Dice;

/// How often things happen, in a thousand requests.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Connections that break, in one of four ways.
    pub broken: u64,
    /// Requests that are up to 150 ms late.
    pub late: u64,
    /// Requests that come to the server once more, behind the client's back.
    pub replayed: u64,
}

/// What was done, by kind.
#[derive(Debug, Default)]
pub struct Counts {
    pub requests: AtomicU64,
    pub lost: AtomicU64,
    pub cut: AtomicU64,
    pub dropped: AtomicU64,
    pub broken_while_held: AtomicU64,
    pub late: AtomicU64,
    pub replayed: AtomicU64,
}

impl Counts {
    /// Connections that were broken in any way.
    pub fn broken(&self) -> u64 {
        [&self.lost, &self.cut, &self.dropped, &self.broken_while_held]
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }
}

/// Starts the proxy; where it listens, and what it does.
pub async fn start(server: SocketAddr, seed: u64, weather: Weather) -> Result<(SocketAddr, Arc<Counts>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let counts = Arc::new(Counts::default());
    let trace = std::env::var_os("CHAOS_TRACE").is_some();
    let proxy = Arc::new(Proxy { server, dice: Dice::new(seed), weather, counts: counts.clone(), trace });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let proxy = proxy.clone();
            // A connection that ends has nothing to report: most of them are made to.
            tokio::spawn(async move { proxy.connection(stream).await.ok() });
        }
    });
    Ok((address, counts))
}

struct Proxy {
    server: SocketAddr,
    dice: Dice,
    weather: Weather,
    counts: Arc<Counts>,
    /// Whether every exchange is told on standard error (`CHAOS_TRACE` is set): what became of it, both messages.
    trace: bool,
}

fn one(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

impl Proxy {
    /// Serves one connection of a client, request by request. An error closes it.
    async fn connection(&self, mut client: TcpStream) -> Result<()> {
        client.set_nodelay(true)?;
        let mut server = self.connect().await?;
        let mut buffer = Vec::new();
        while let Some(request) = read_message(&mut client, &mut buffer).await? {
            one(&self.counts.requests);
            if self.dice.permille(self.weather.late) {
                one(&self.counts.late);
                tokio::time::sleep(self.dice.millis(150)).await;
            }
            if self.dice.permille(self.weather.broken) {
                return self.break_off(client, server, &request).await;
            }
            server.write_all(&request).await?;
            let answer = answer(&mut server).await?;
            if self.dice.permille(self.weather.replayed) {
                one(&self.counts.replayed);
                self.replay(&request).await?;
            }
            self.tell("passed", &request, &answer);
            client.write_all(&answer).await?;
        }
        Ok(())
    }

    fn tell(&self, fate: &str, request: &[u8], answer: &[u8]) {
        if self.trace {
            let [request, answer] = [request, answer].map(|message| {
                let body = memchr::memmem::find(message, b"\r\n\r\n").map_or(0, |end| end + 4);
                String::from_utf8_lossy(&message[body..])
            });
            eprintln!("PROXY {fate}\n  > {request}\n  < {answer}");
        }
    }

    async fn connect(&self) -> Result<TcpStream> {
        let server = TcpStream::connect(self.server).await?;
        server.set_nodelay(true)?;
        Ok(server)
    }

    async fn break_off(&self, mut client: TcpStream, mut server: TcpStream, request: &[u8]) -> Result<()> {
        let kind = self.dice.roll(4);
        if kind == 0 {
            one(&self.counts.lost);
            // A part of it may have got through.
            let cut = self.dice.roll(request.len() as u64 + 1) as usize;
            self.tell("lost on the way to the server", request, b"");
            if self.dice.permille(500) {
                server.write_all(&request[..cut]).await?;
            }
            return reset(client);
        }
        server.write_all(request).await?;
        if kind == 1 {
            one(&self.counts.broken_while_held);
            self.tell("broken while it was held", request, b"");
            tokio::time::sleep(self.dice.millis(300)).await;
            drop(server);
            return reset(client);
        }
        let answer = answer(&mut server).await?;
        if kind == 2 {
            one(&self.counts.dropped);
            self.tell("answer lost", request, &answer);
            return reset(client);
        }
        one(&self.counts.cut);
        let cut = self.dice.roll(answer.len() as u64) as usize;
        self.tell(&format!("answer cut at byte {cut} of {}", answer.len()), request, &answer);
        client.write_all(&answer[..cut]).await?;
        if self.dice.permille(500) { Ok(client.shutdown().await?) } else { reset(client) }
    }

    /// Somebody on the way sends a request once more. While the client waits, so that the server still knows the
    /// answer: a request that is older than its store ends the session, as it has to (XEP-0124 §14.3).
    async fn replay(&self, request: &[u8]) -> Result<()> {
        let mut server = self.connect().await?;
        server.write_all(request).await?;
        answer(&mut server).await?;
        Ok(())
    }
}

async fn answer(server: &mut TcpStream) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    read_message(server, &mut buffer).await?.context("the server closed instead of answering")
}

/// Closes so that the peer sees a reset and not an orderly end.
pub(super) fn reset(stream: TcpStream) -> Result<()> {
    stream.set_zero_linger()?;
    Ok(())
}

/// One HTTP message with its body; `None` at an orderly end. `buffer` keeps what was read too much.
pub async fn read_message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<Vec<u8>>> {
    let mut total = None;
    loop {
        if total.is_none()
            && let Some(end) = memchr::memmem::find(buffer, b"\r\n\r\n")
        {
            total = Some(end + 4 + content_length(&buffer[..end])?);
        }
        if let Some(total) = total.filter(|total| buffer.len() >= *total) {
            let rest = buffer.split_off(total);
            return Ok(Some(std::mem::replace(buffer, rest)));
        }
        buffer.reserve(4096);
        if stream.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() { Ok(None) } else { bail!("ended inside a message") };
        }
    }
}

fn content_length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head)?;
    for line in head.split("\r\n") {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            return Ok(value.trim().parse()?);
        }
    }
    Ok(0)
}
