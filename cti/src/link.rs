//! The connection shell: dials, keeps a session, fails over. Needs the cargo feature `tokio`.
//!
//! One task owns the socket, a [`Client`](crate::client::Client) and a [`Failover`](crate::failover::Failover).
//! Requests come in over a bounded queue, events leave over another; when the owner does not take events, the task stops
//! reading the socket and goes on with heartbeats. Every request that [`LinkHandle::send`] accepts is answered by exactly
//! one [`LinkEvent::Confirm`], [`LinkEvent::Refused`] or [`LinkEvent::TimedOut`] (LIST_AGENT_TEAM_REQ by one Confirm for
//! each segment). Credentials appear neither in events nor in logs.
//!
//! ```no_run
//! # async fn example() {
//! use cti::client::Config;
//! use cti::link::{self, LinkConfig, LinkEvent};
//! use cti::{Dialect, Message, field, kind, tag};
//!
//! let sides = vec!["cti-a.example.com:42027".into(), "cti-b.example.com:43027".into()];
//! let (handle, mut events) = link::spawn(LinkConfig::new(sides, Config::new(Dialect::Cce, 20)));
//! while let Some(event) = events.recv().await {
//!     match event {
//!         LinkEvent::Up { side, .. } => {
//!             println!("side {side} serves");
//!             let query = Message::new(kind::QUERY_AGENT_STATE_REQ)
//!                 .with(field::PERIPHERAL_ID, 5000u32)
//!                 .with(field::MRDID, 1u32)
//!                 .with_tag(tag::AGENT_ID, "1001");
//!             let invoke_id = handle.send(query).expect("the queue has room");
//!             println!("asked under {invoke_id}");
//!         }
//!         LinkEvent::Confirm { invoke_id, message } => println!("{invoke_id}: {message:?}"),
//!         LinkEvent::Message(message) => println!("{message:?}"),
//!         LinkEvent::Down { side, reason } => println!("side {side}: {reason}"),
//!         _ => {}
//!     }
//! }
//! # }
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::client::{Config, FIRST_INTERNAL_ID, Health, Loss, Refusal};
use crate::codec::BadMessage;
use crate::failover::{Damping, Side};
use crate::message::Message;

mod session;
mod task;

/// How to reach and use a pair of CTI servers.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// `host:port` of side A and, if there is one, side B.
    pub sides: Vec<String>,
    /// How to open and keep the session.
    pub client: Config,
    /// How long a TCP connection may take to come up.
    pub connect_timeout: Duration,
    /// First pause when both sides refused.
    pub first_pause: Duration,
    /// Longest pause between attempts.
    pub longest_pause: Duration,
    /// When a side that comes and goes is no longer taken where there is a choice.
    pub damping: Damping,
    /// Most requests waiting in the queue.
    pub requests: usize,
    /// Most events waiting for the owner.
    pub events: usize,
}

impl LinkConfig {
    /// The usual times and bounds.
    pub fn new(sides: Vec<String>, client: Config) -> Self {
        Self {
            sides,
            client,
            connect_timeout: Duration::from_secs(5),
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(30),
            damping: Damping::default(),
            requests: 1024,
            events: 1024,
        }
    }
}

/// What the link reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// A session is open. Nothing of an earlier session carries over: time to resynchronise.
    Up {
        /// With this side.
        side: Side,
        /// The OPEN_CONF.
        open_conf: Message,
        /// Health as far as OPEN_CONF tells.
        health: Health,
    },
    /// The health behind the server changed; the SYSTEM_EVENT follows.
    Health(Health),
    /// A message that answers no request.
    Message(Message),
    /// A request was confirmed.
    Confirm {
        /// What [`LinkHandle::send`] returned.
        invoke_id: u32,
        /// The confirmation.
        message: Message,
    },
    /// A request was refused, or could not be sent.
    Refused {
        /// What [`LinkHandle::send`] returned.
        invoke_id: u32,
        /// Why.
        refusal: Refusal,
    },
    /// A request was not answered in time.
    TimedOut {
        /// What [`LinkHandle::send`] returned.
        invoke_id: u32,
    },
    /// A message was skipped because its body does not follow its layout.
    Skipped(BadMessage),
    /// An attempt failed or a session ended; the link goes on with the next side. With [`Loss::Closed`] it ends.
    Down {
        /// The side that was tried or lost.
        side: Side,
        /// Why.
        reason: Loss,
    },
}

/// Why a request is not even queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The queue is full.
    #[error("too many requests queued")]
    Full,
    /// The link has been closed.
    #[error("the link is closed")]
    Closed,
}

/// What the owner asks of the task.
#[derive(Debug)]
enum Command {
    Request(u32, Message),
    Tell(Message),
    Prefer(Side),
}

/// Sends requests. Clones share one queue; when the last is dropped, the link closes its session and ends.
#[derive(Clone, Debug)]
pub struct LinkHandle {
    commands: mpsc::Sender<Command>,
    next_id: Arc<AtomicU32>,
    close: Arc<watch::Sender<bool>>,
}

impl LinkHandle {
    /// Queues a request and returns the InvokeID under which its answer will come. Never waits.
    pub fn send(&self, message: Message) -> Result<u32, SendError> {
        let permit = self.reserve()?;
        let invoke_id = self.next_id();
        permit.send(Command::Request(invoke_id, message));
        Ok(invoke_id)
    }

    /// Queues a message that expects no answer, for example CONFIG_REQUEST_EVENT with an empty mask. It is dropped
    /// when no session is open. Never waits.
    pub fn tell(&self, message: Message) -> Result<(), SendError> {
        self.reserve()?.send(Command::Tell(message));
        Ok(())
    }

    /// Asks for `side`: a session with the other one is closed in order, and this one is dialled. Without a session, or with
    /// one side only, nothing happens. Never waits.
    pub fn prefer(&self, side: Side) -> Result<(), SendError> {
        self.reserve()?.send(Command::Prefer(side));
        Ok(())
    }

    /// Asks the link to close its session in order and to end. The last event is `Down` with [`Loss::Closed`].
    pub fn close(&self) {
        self.close.send_replace(true);
    }

    fn reserve(&self) -> Result<mpsc::Permit<'_, Command>, SendError> {
        self.commands.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => SendError::Full,
            mpsc::error::TrySendError::Closed(()) => SendError::Closed,
        })
    }

    /// 1 and up, below the ids of the client machine.
    fn next_id(&self) -> u32 {
        let next = |id: u32| Some(if id + 1 < FIRST_INTERNAL_ID { id + 1 } else { 1 });
        let before = self.next_id.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        before.unwrap_or(1)
    }
}

/// Starts the task of a link on the current tokio runtime. It ends after [`LinkHandle::close`], when all handles are
/// gone, or when the receiver of events is dropped. Without any side the receiver ends at once.
pub fn spawn(config: LinkConfig) -> (LinkHandle, mpsc::Receiver<LinkEvent>) {
    let (commands, queue) = mpsc::channel(config.requests.max(1));
    let (events, receiver) = mpsc::channel(config.events.max(1));
    let (close, closing) = watch::channel(false);
    let handle = LinkHandle { commands, next_id: Arc::new(AtomicU32::new(1)), close: Arc::new(close) };
    tokio::spawn(task::run(config, queue, events, closing));
    (handle, receiver)
}
