//! Ten thousand hostile connections against the server with a ceiling on its memory (docs/hardening.md). Sessions
//! that behave receive every event once and in order meanwhile, over each transport, and users at trusted addresses
//! can log in.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::hostile::{Addresses, Bystander, Publisher, Report, Target, attack};
use load::login::login;
use load::options::{Options, Transport};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::LocalSet;

const CONNECTIONS: usize = 10_000;
/// How long they attack.
const ATTACK: Duration = Duration::from_secs(25);
/// What the server may take, in MiB of resident memory: `limits.memory_mib`.
const CEILING: u64 = 384;
const TRANSPORTS: [Transport; 3] = [Transport::Tcp, Transport::Bosh, Transport::Ws];
/// Well-behaved sessions.
const SESSIONS: usize = 36;
/// Events, and the time between two.
const EVENTS: usize = 500;
const PACE: Duration = Duration::from_millis(50);
/// How long anything that is awaited may take at most.
const PATIENCE: Duration = Duration::from_secs(60);
/// Descriptors for everything else that this process and the server have open.
const SPARE: usize = 600;

/// Raises the limit of descriptors as far as it goes; how many hostile connections there can be. The server
/// inherits the limit.
fn connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let most = getrlimit(Resource::Nofile).current.and_then(|most| usize::try_from(most).ok());
    let most = most.unwrap_or(usize::MAX).saturating_sub(SPARE);
    if most < CONNECTIONS {
        println!("the hard limit of descriptors allows {most} hostile connections instead of {CONNECTIONS}");
    }
    most.min(CONNECTIONS)
}

/// The attackers, on a thread of their own.
async fn attackers(at: Addresses, connections: usize) -> Result<std::thread::JoinHandle<Result<Report>>> {
    let (begun, begins) = tokio::sync::oneshot::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(attack(at, connections, ATTACK, begun))
    });
    begins.await.context("hostile users cannot log in")?;
    Ok(thread)
}

/// Logs in from a trusted address over each transport, again and again; how long each login took.
async fn newcomers(options: Options, until: Instant) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    while Instant::now() < until {
        let transport = TRANSPORTS[took.len() % TRANSPORTS.len()];
        let start = Instant::now();
        let link = tokio::time::timeout(PATIENCE, login(&options, transport, "u59")).await;
        drop(link.context("a login from a trusted address takes too long")??);
        took.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    took.sort_unstable();
    Ok(took)
}

/// Publishes at a steady pace; when each event was handed in.
async fn publish(mut publisher: Publisher) -> Result<Vec<Instant>> {
    let filling = "x".repeat(512);
    let start = Instant::now();
    let mut times = Vec::new();
    for number in 0..EVENTS {
        tokio::time::sleep_until((start + PACE * number as u32).into()).await;
        times.push(Instant::now());
        publisher.publish(number, &filling).await?;
    }
    Ok(times)
}

#[test]
fn x74_ten_thousand_hostile_connections_neither_exhaust_memory_nor_disturb_anybody() -> Result<()> {
    let connections = connections();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, scene(connections))
}

async fn scene(connections: usize) -> Result<()> {
    let server = Target::start(CEILING).await?;
    let begun = Instant::now();
    let options = server.addresses.options();
    let publisher = Publisher::open(server.addresses).await?;
    let mut bystanders = Vec::new();
    for number in 0..SESSIONS {
        // Every other one is at an address that is not trusted.
        let source = (number % 2 == 1).then(|| [127, 0, 2, 1].into());
        let transport = TRANSPORTS[number / 2 % TRANSPORTS.len()];
        let bystander = Bystander::new(&options, transport, source, &format!("u{number}")).await?;
        bystanders.push(tokio::task::spawn_local(bystander.receive(EVENTS)));
    }
    let (_, calm) = server.memory()?;

    let attackers = attackers(server.addresses, connections).await?;
    let logins = tokio::task::spawn_local(newcomers(options, Instant::now() + ATTACK));
    let published = publish(publisher).await?;
    let mut slowest = Duration::ZERO;
    for bystander in bystanders {
        let seen = tokio::time::timeout(PATIENCE, bystander).await.context("events are missing")???;
        let delays = seen.iter().zip(&published).map(|(seen, published)| seen.duration_since(*published));
        slowest = slowest.max(delays.max().unwrap_or_default());
    }
    let logins = logins.await??;
    let report = tokio::task::spawn_blocking(move || attackers.join()).await?;
    let report = report.map_err(|_| anyhow::anyhow!("the attackers panicked"))??;

    let (peak, now) = server.memory()?;
    println!("attack: {report:?}");
    println!("server: {} MiB before, {} at most, {} after", calm / 1024, peak / 1024, now / 1024);
    println!("slowest of {} deliveries: {slowest:?}", SESSIONS * EVENTS);
    println!(
        "{} logins from a trusted address, median and slowest: {:?} {:?}",
        logins.len(),
        logins.get(logins.len() / 2),
        logins.last()
    );
    println!("took {:?}", begun.elapsed());
    ensure!(peak / 1024 < CEILING, "{} MiB of resident memory at a ceiling of {CEILING}", peak / 1024);
    ensure!(report.connected.iter().sum::<u64>() >= connections as u64, "{report:?}");
    ensure!(report.connected.iter().all(|count| *count > 0) && report.logged_in > 0, "{report:?}");
    ensure!(!logins.is_empty(), "nobody could log in");
    server.stop().await
}
