//! Somebody who is subscribed to every feed of every agent at one server, and writes down what comes: what the sessions
//! of that server are compared with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::configuration::ADMINISTRATOR;
use super::node::Node;
use super::record::{Reference, event};
use super::{agent_id, unix_us};
use crate::delivery::{deliveries, element};
use crate::link::Link;
use crate::login::{login, subscribe};
use crate::options::Transport;

/// What came from one server process.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The events, node by node.
    pub nodes: HashMap<String, Reference>,
    /// What the SystemInfo events said, in service or not, with when in microseconds since 1970.
    pub status: Vec<(bool, u64)>,
    /// How the observer lost its server, if it did.
    pub gone: Option<String>,
}

const PING: &str = "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
const SYSTEM: &str = "/finesse/api/SystemInfo";

/// An observer at work.
#[derive(Debug)]
pub struct Observer {
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<Result<()>>,
    joined: bool,
}

impl Observer {
    /// Logs in over TCP as the administrator and subscribes to everything of `agents` agents.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn arrive(node: &Node, agents: usize) -> Result<Self> {
        let info = node.system_info().await?;
        let options = node.options(&info, 30);
        let mut link = login(&options, Transport::Tcp, ADMINISTRATOR).await.context("observer")?;
        for number in 0..agents {
            for tail in ["", "/Dialogs"] {
                let node = format!("/finesse/api/User/{}{tail}", agent_id(number));
                subscribe(&mut link, &options, ADMINISTRATOR, &node).await.context(node)?;
            }
        }
        let seen = Arc::new(Mutex::new(Seen::default()));
        let task = tokio::spawn(watch(link, seen.clone()));
        Ok(Self { seen, task, joined: false })
    }

    /// Everything so far. It may go on.
    ///
    /// # Errors
    /// It saw something twice or cannot read what came. That its server is gone is no error.
    pub async fn seen(&mut self) -> Result<Seen> {
        if self.task.is_finished() && !std::mem::replace(&mut self.joined, true) {
            (&mut self.task).await??;
        }
        Ok(self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// What the SystemInfo events said so far, in service or not, with when in microseconds since 1970.
    pub fn status(&self) -> Vec<(bool, u64)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).status.clone()
    }

    /// Whether it still is at its server.
    pub fn lives(&self) -> bool {
        !self.task.is_finished()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(mut link: Link, seen: Arc<Mutex<Seen>>) -> Result<()> {
    let mut pulse = tokio::time::interval(Duration::from_secs(1));
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        for delivery in deliveries(&mut link.input)? {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(status) = element(&delivery.update, "status").filter(|_| delivery.node == SYSTEM) {
                seen.status.push((status == "IN_SERVICE", unix_us()));
            }
            seen.nodes.entry(delivery.node.clone()).or_default().push(event(&delivery))?;
        }
        let outcome = tokio::select! {
            received = link.receive() => received,
            // A server takes who only listens for dead.
            _ = pulse.tick() => link.send(PING).await,
        };
        if let Err(error) = outcome {
            seen.lock().unwrap_or_else(PoisonError::into_inner).gone = Some(format!("{error:#}"));
            return Ok(());
        }
    }
}
