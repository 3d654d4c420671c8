//! A proxy for byte streams (XMPP over TCP, WebSocket): it knows nothing of what passes.
//!
//! Each connection gets a number of bytes after which it breaks, at a place that means nothing: closed in an
//! orderly way, half-closed, reset, or swallowing everything for a while before it closes. Pieces are cut at random
//! and some are late.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Dice;
use super::http::reset;

/// How bad it is.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// A connection lives for this many bytes on average, in either direction.
    pub bytes: u64,
    /// Connections of which so many in a thousand ever break.
    pub broken: u64,
    /// Pieces, in a thousand, that are up to 50 ms late.
    pub late: u64,
}

/// What was done, by kind.
#[derive(Debug, Default)]
pub struct Counts {
    pub connections: AtomicU64,
    pub closed: AtomicU64,
    pub half_closed: AtomicU64,
    pub reset: AtomicU64,
    pub swallowed: AtomicU64,
}

impl Counts {
    /// Connections that were broken in any way.
    pub fn broken(&self) -> u64 {
        [&self.closed, &self.half_closed, &self.reset, &self.swallowed]
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
    let proxy = Arc::new(Proxy { server, dice: Dice::new(seed), weather, counts: counts.clone() });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let proxy = proxy.clone();
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
}

/// Which end was read from.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Client,
    Server,
}

impl Proxy {
    async fn connection(&self, mut client: TcpStream) -> Result<()> {
        self.counts.connections.fetch_add(1, Ordering::Relaxed);
        let mut server = TcpStream::connect(self.server).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let breaks = self.dice.permille(self.weather.broken);
        let mut left = if breaks { 1 + self.dice.roll(2 * self.weather.bytes) } else { u64::MAX };
        let (mut from_client, mut from_server) = (vec![0; 16 << 10], vec![0; 16 << 10]);
        let (mut client_ended, mut server_ended) = (false, false);
        while !(client_ended && server_ended) {
            let (end, count) = tokio::select! {
                read = client.read(&mut from_client), if !client_ended => (End::Client, read?),
                read = server.read(&mut from_server), if !server_ended => (End::Server, read?),
            };
            let (bytes, to) = match end {
                End::Client => (&from_client[..count], &mut server),
                End::Server => (&from_server[..count], &mut client),
            };
            if count == 0 {
                to.shutdown().await?;
                client_ended |= end == End::Client;
                server_ended |= end == End::Server;
                continue;
            }
            if self.dice.permille(self.weather.late) {
                tokio::time::sleep(self.dice.millis(50)).await;
            }
            let through = (count as u64).min(left);
            self.pass(&bytes[..through as usize], to).await?;
            left -= through;
            if left == 0 {
                return self.break_off(client, server).await;
            }
        }
        Ok(())
    }

    /// In two writes, cut anywhere.
    async fn pass(&self, bytes: &[u8], to: &mut TcpStream) -> Result<()> {
        let (first, second) = bytes.split_at(self.dice.roll(bytes.len() as u64 + 1) as usize);
        to.write_all(first).await?;
        Ok(to.write_all(second).await?)
    }

    async fn break_off(&self, mut client: TcpStream, mut server: TcpStream) -> Result<()> {
        let kinds =
            [&self.counts.closed, &self.counts.half_closed, &self.counts.reset, &self.counts.swallowed];
        let kind = self.dice.roll(4) as usize;
        kinds[kind].fetch_add(1, Ordering::Relaxed);
        match kind {
            0 => Ok(()),
            1 => {
                // The client's way to the server ends; what the server still says gets lost in between.
                server.shutdown().await?;
                tokio::time::sleep(self.dice.millis(200)).await;
                Ok(client.shutdown().await?)
            }
            2 => {
                reset(client)?;
                reset(server)
            }
            _ => {
                // Nobody is told for a while, and everything said meanwhile is lost.
                let until = tokio::time::sleep(self.dice.millis(500));
                tokio::pin!(until);
                let (mut lost, mut lost_too) = (vec![0; 16 << 10], vec![0; 16 << 10]);
                loop {
                    tokio::select! {
                        () = &mut until => return Ok(()),
                        read = client.read(&mut lost) => if read? == 0 { return Ok(()) },
                        read = server.read(&mut lost_too) => if read? == 0 { return Ok(()) },
                    }
                }
            }
        }
    }
}
