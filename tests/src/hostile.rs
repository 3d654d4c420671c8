//! Connections that do their worst, of every kind there is a defence against, from many addresses.
//!
//! Each is opened again as soon as the server ends it, until the time is up. What the server answers is not
//! looked at here: single attacks have tests of their own. This is about all of them at once.

mod attacks;
mod bystander;
mod enemy;
mod insider;
mod publisher;
mod target;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

pub use attacks::KINDS;
pub use bystander::Bystander;
use insider::Insider;
pub use publisher::Publisher;
pub use target::{Addresses, Target};

/// Hostile users that have logged in when the attack begins.
const INSIDERS: usize = 150;

/// What came of an attack.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Connections that the server let stand at the same time.
    pub most_open: usize,
    /// Connections made, by kind of attack.
    pub connected: Vec<u64>,
    /// Bytes sent.
    pub sent: u64,
    /// Sessions of hostile users, who log in and then misbehave.
    pub logged_in: u64,
}

struct Counts {
    open: AtomicUsize,
    most_open: AtomicUsize,
    connected: Vec<AtomicU64>,
    sent: AtomicU64,
    logged_in: AtomicU64,
}

impl Counts {
    fn new() -> Arc<Counts> {
        let connected = (0..KINDS).map(|_| AtomicU64::new(0)).collect();
        let (open, most_open) = Default::default();
        let (sent, logged_in) = Default::default();
        Arc::new(Counts { open, most_open, connected, sent, logged_in })
    }

    fn report(&self) -> Report {
        Report {
            most_open: self.most_open.load(Ordering::Relaxed),
            connected: self.connected.iter().map(|count| count.load(Ordering::Relaxed)).collect(),
            sent: self.sent.load(Ordering::Relaxed),
            logged_in: self.logged_in.load(Ordering::Relaxed),
        }
    }
}

/// Attacks with `connections` at once for `time`. Hostile users log in before the others begin, as they would: later
/// they would have to wait their turn. Says through `begun` when that is done.
///
/// # Errors
/// A hostile user cannot log in.
pub async fn attack(
    at: Addresses,
    connections: usize,
    time: Duration,
    begun: oneshot::Sender<()>,
) -> anyhow::Result<Report> {
    let counts = Counts::new();
    let mut insiders = Vec::new();
    for number in (0..connections).filter(|number| attacks::is_insider(*number)).take(INSIDERS) {
        insiders.push((number, Insider::new(at, number, &counts).await?));
    }
    let _ = begun.send(());
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let insider = insiders.iter().position(|(who, _)| *who == number);
        let insider = insider.map(|at| insiders.swap_remove(at).1);
        let counts = counts.clone();
        tasks.spawn(async move {
            let repeated = async {
                match insider {
                    Some(insider) => drop(insider.misbehave().await),
                    // Not all in the same moment: they would stand in one another's way.
                    None => sleep(Duration::from_micros(300) * u32::try_from(number).unwrap_or(0)).await,
                }
                repeat(at, number, &counts).await;
            };
            let _ = timeout_at(end, repeated).await;
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    Ok(counts.report())
}

async fn repeat(at: Addresses, number: usize, counts: &Arc<Counts>) {
    loop {
        let _ = attacks::once(at, number, counts).await;
        sleep(Duration::from_millis(500 + (number % 500) as u64)).await;
    }
}
