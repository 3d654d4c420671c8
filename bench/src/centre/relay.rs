//! A relay: a process between two others that can be killed, which closes what goes through it, or stopped, which makes
//! it a network that loses nothing and delivers nothing.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use super::process::Process;

/// Runs a relay between pairs of addresses, `listen` and `to` in turn, and prints where it listens.
///
/// # Errors
/// An address that is none, or cannot be had.
pub async fn run(addresses: &[String]) -> Result<()> {
    ensure!(!addresses.is_empty() && addresses.len().is_multiple_of(2), "relay LISTEN TO [LISTEN TO]…");
    let mut bound = Vec::new();
    for pair in addresses.chunks(2) {
        let to: SocketAddr = pair[1].parse()?;
        let listener = TcpListener::bind(&pair[0]).await.with_context(|| pair[0].clone())?;
        bound.push(listener.local_addr()?);
        tokio::spawn(relay(listener, to));
    }
    println!("READY {}", serde_json::to_string(&bound)?);
    std::future::pending().await
}

async fn relay(listener: TcpListener, to: SocketAddr) {
    while let Ok((mut near, _)) = listener.accept().await {
        tokio::spawn(async move {
            let Ok(mut far) = TcpStream::connect(to).await else { return };
            if near.set_nodelay(true).is_ok() && far.set_nodelay(true).is_ok() {
                // Either end may break; the other is closed with it.
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}

/// A relay as a child process.
#[derive(Debug)]
pub struct Relay {
    process: Process,
    /// Where it listens.
    pub at: Vec<SocketAddr>,
    to: Vec<SocketAddr>,
}

impl Relay {
    /// Starts a relay in front of each address of `to`, at `at`.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(at: Vec<SocketAddr>, to: Vec<SocketAddr>) -> Result<Self> {
        Ok(Self { process: Self::spawn(&at, &to).await?, at, to })
    }

    async fn spawn(at: &[SocketAddr], to: &[SocketAddr]) -> Result<Process> {
        let pairs = at.iter().zip(to).flat_map(|(at, to)| [at.to_string(), to.to_string()]);
        let mut process = Process::part("relay", &pairs.collect::<Vec<_>>())?;
        process.ready().await?;
        Ok(process)
    }

    /// Kills it: connections through it break, new ones are refused.
    ///
    /// # Errors
    /// It has gone already.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.kill().await
    }

    /// Stops it: nothing passes, and nobody is told.
    ///
    /// # Errors
    /// It has gone.
    pub fn freeze(&self) -> Result<()> {
        self.process.freeze()
    }

    /// Lets everything pass again, what waited included.
    ///
    /// # Errors
    /// It has gone.
    pub fn thaw(&self) -> Result<()> {
        self.process.thaw()
    }

    /// Starts it anew after a kill, at the same addresses.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart(&mut self) -> Result<()> {
        self.process = Self::spawn(&self.at, &self.to).await?;
        Ok(())
    }
}
