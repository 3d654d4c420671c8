//! One hostile connection.

use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::Counts;

/// Addresses that the connections come from.
const ADDRESSES: usize = 200;

/// Where connection `number` comes from.
pub(super) fn source(number: usize) -> IpAddr {
    let last = 1 + u8::try_from(number % ADDRESSES).unwrap_or(0);
    Ipv4Addr::new(127, 0, 1, last).into()
}

/// Counts a connection among those that are open.
pub(super) struct Counted(Arc<Counts>);

impl Counted {
    pub(super) fn new(kind: usize, counts: &Arc<Counts>) -> Counted {
        counts.connected[kind].fetch_add(1, Ordering::Relaxed);
        let open = counts.open.fetch_add(1, Ordering::Relaxed) + 1;
        counts.most_open.fetch_max(open, Ordering::Relaxed);
        Counted(counts.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) struct Enemy {
    stream: TcpStream,
    counted: Counted,
}

impl Enemy {
    pub(super) async fn connect(
        to: SocketAddr,
        from: IpAddr,
        kind: usize,
        counts: &Arc<Counts>,
    ) -> Result<Enemy> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        let stream = socket.connect(to).await?;
        Ok(Enemy { stream, counted: Counted::new(kind, counts) })
    }

    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        let bytes = bytes.as_ref();
        self.stream.write_all(bytes).await?;
        self.counted.0.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Reads until `needle` has come.
    pub(super) async fn expect(&mut self, needle: &str) -> Result<()> {
        let mut seen = Vec::new();
        while memchr::memmem::find(&seen, needle.as_bytes()).is_none() {
            if self.stream.read_buf(&mut seen).await? == 0 {
                return Err(Error::from(ErrorKind::UnexpectedEof));
            }
        }
        Ok(())
    }

    /// Waits until the server ends the connection.
    pub(super) async fn linger(&mut self) -> Result<()> {
        let mut chunk = [0; 4096];
        while self.stream.read(&mut chunk).await? > 0 {}
        Ok(())
    }

    /// A byte every now and then, for as long as it is let.
    pub(super) async fn dribble(&mut self, bytes: &[u8]) -> Result<()> {
        for byte in bytes.iter().cycle() {
            self.send([*byte]).await?;
            if let Ok(Ok(0)) = timeout(Duration::from_millis(700), self.stream.read(&mut [0; 512])).await {
                break;
            }
        }
        Ok(())
    }
}
