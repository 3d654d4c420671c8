//! Customers who call and hang up, at their own pace, whatever happens to servers and agents.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::door::Door;

/// Calls on their way; they end with this value.
#[derive(Debug)]
pub struct Traffic {
    goes: watch::Sender<bool>,
    begun: Arc<AtomicU64>,
    task: JoinHandle<Result<()>>,
}

impl Traffic {
    /// Calls begin when told to [`go`](Self::go): so many a second, of which so many go on at once.
    ///
    /// # Errors
    /// There is no door.
    pub async fn start(door: SocketAddr, per_second: u32, at_once: usize) -> Result<Self> {
        let door = Door::open(door).await?;
        let (goes, going) = watch::channel(false);
        let begun = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(call(door, per_second, at_once, going, begun.clone()));
        Ok(Self { goes, begun, task })
    }

    /// Lets calls come and end, or leaves them as they are.
    pub fn go(&self, on: bool) {
        self.goes.send_replace(on);
    }

    /// Calls that have begun.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn call(
    mut door: Door,
    per_second: u32,
    at_once: usize,
    mut going: watch::Receiver<bool>,
    begun: Arc<AtomicU64>,
) -> Result<()> {
    let mut calls = VecDeque::new();
    let mut clock = tokio::time::interval(Duration::from_secs(1) / per_second);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        going.wait_for(|go| *go).await?;
        clock.tick().await;
        let number = begun.load(Ordering::Relaxed);
        calls.push_back(door.call(&format!("0305{number:06}"), 1 + (number % 2) as u32).await?);
        begun.store(number + 1, Ordering::Relaxed);
        // Of those that are over the agents have ended them.
        if calls.len() > at_once
            && let Some(oldest) = calls.pop_front()
        {
            door.hang_up(oldest).await?;
        }
    }
}
