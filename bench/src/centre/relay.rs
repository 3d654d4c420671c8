//! A relay: a process between two others that can be killed, which closes what goes through it, or stopped, which makes
//! it a network that loses nothing and delivers nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::process::Process;

/// Runs a relay between pairs of addresses, `listen` and `to` in turn, and prints where it listens. Behind `lives=N` each
/// connection is reset after a random time, N seconds on average.
///
/// # Errors
/// An address that is none, or cannot be had.
pub async fn run(arguments: &[String]) -> Result<()> {
    let lives = arguments.first().and_then(|first| first.strip_prefix("lives="));
    let lives = lives.map(str::parse::<f64>).transpose()?;
    let addresses = &arguments[usize::from(lives.is_some())..];
    ensure!(!addresses.is_empty() && addresses.len().is_multiple_of(2), "relay LISTEN TO [LISTEN TO]…");
    let mut bound = Vec::new();
    for pair in addresses.chunks(2) {
        let to: SocketAddr = pair[1].parse()?;
        let listener = TcpListener::bind(&pair[0]).await.with_context(|| pair[0].clone())?;
        bound.push(listener.local_addr()?);
        tokio::spawn(relay(listener, to, lives));
    }
    println!("READY {}", serde_json::to_string(&bound)?);
    // Whoever asks is told how many connections were broken.
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while lines.next_line().await?.is_some() {
        println!("{}", BROKEN.load(Ordering::Relaxed));
    }
    Ok(())
}

async fn relay(listener: TcpListener, to: SocketAddr, lives: Option<f64>) {
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(async move {
            // Either end may break; the other is closed with it.
            let _ = pass(near, to, lives.map(life)).await;
        });
    }
}

async fn pass(mut near: TcpStream, to: SocketAddr, life: Option<Duration>) -> std::io::Result<()> {
    let mut far = TcpStream::connect(to).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let Some(life) = life else { return copy_bidirectional(&mut near, &mut far).await.map(drop) };
    if timeout(life, copy_bidirectional(&mut near, &mut far)).await.is_err() {
        BROKEN.fetch_add(1, Ordering::Relaxed);
        near.set_zero_linger()?;
        far.set_zero_linger()?;
    }
    Ok(())
}

/// Connections that were broken.
static BROKEN: AtomicU64 = AtomicU64::new(0);

/// How long a connection lives if its chance to break is the same at every moment.
fn life(average: f64) -> Duration {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut dice = DefaultHasher::new();
    (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)).hash(&mut dice);
    let even = (dice.finish() >> 11) as f64 / (1_u64 << 53) as f64;
    Duration::from_secs_f64(-(1.0 - even).ln() * average)
}

/// A relay as a child process.
#[derive(Debug)]
pub struct Relay {
    process: Process,
    /// Where it listens.
    pub at: Vec<SocketAddr>,
    to: Vec<SocketAddr>,
    lives: Option<u32>,
}

impl Relay {
    /// Starts a relay in front of each address of `to`, at `at`.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(at: Vec<SocketAddr>, to: Vec<SocketAddr>) -> Result<Self> {
        Ok(Self { process: Self::spawn(&at, &to, None).await?, at, to, lives: None })
    }

    /// The same, but each connection is reset after a random time, so many seconds on average.
    ///
    /// # Errors
    /// It does not start.
    pub async fn breaking(at: Vec<SocketAddr>, to: Vec<SocketAddr>, seconds: u32) -> Result<Self> {
        let lives = Some(seconds);
        Ok(Self { process: Self::spawn(&at, &to, lives).await?, at, to, lives })
    }

    /// How many connections it has broken.
    ///
    /// # Errors
    /// It has gone.
    pub async fn broken(&mut self) -> Result<u64> {
        self.process.tell("broken").await?;
        Ok(self.process.line().await?.parse()?)
    }

    async fn spawn(at: &[SocketAddr], to: &[SocketAddr], lives: Option<u32>) -> Result<Process> {
        let lives = lives.map(|seconds| format!("lives={seconds}"));
        let pairs = at.iter().zip(to).flat_map(|(at, to)| [at.to_string(), to.to_string()]);
        let mut process = Process::part("relay", &lives.into_iter().chain(pairs).collect::<Vec<_>>())?;
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
        self.process = Self::spawn(&self.at, &self.to, self.lives).await?;
        Ok(())
    }
}
