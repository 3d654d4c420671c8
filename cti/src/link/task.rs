//! The life of a link: choose a side, dial, hold the session, start again.

use std::time::Instant;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout};
use tracing::{info, warn};

use super::session::Session;
use super::{Command, LinkConfig, LinkEvent};
use crate::client::{Client, Config, Loss, Refusal};
use crate::enums::{cti_service, status_code};
use crate::failover::{Failover, Side};

/// The owner no longer takes events, or asked for the end.
pub(super) struct Ended;

pub(super) struct Link {
    config: LinkConfig,
    pub(super) queue: mpsc::Receiver<Command>,
    pub(super) events: mpsc::Sender<LinkEvent>,
    pub(super) closing: watch::Receiver<bool>,
    failover: Failover,
    /// The server has refused the configuration service; it is not asked for again.
    without_config: bool,
    /// The owner wants this side.
    pub(super) preferred: Option<Side>,
}

pub(super) async fn run(
    config: LinkConfig,
    queue: mpsc::Receiver<Command>,
    events: mpsc::Sender<LinkEvent>,
    closing: watch::Receiver<bool>,
) {
    let failover =
        Failover::with_pauses(now(), config.first_pause, config.longest_pause).with_damping(config.damping);
    let mut link = Link { config, queue, events, closing, failover, without_config: false, preferred: None };
    if !link.config.sides.is_empty() {
        while link.attempt().await.is_ok() {}
    }
}

/// The time of the runtime, so that tests with a paused clock see one time everywhere.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Link {
    /// One attempt, from the pause before it to its end.
    async fn attempt(&mut self) -> Result<(), Ended> {
        let (side, at) = self.failover.next();
        let reason = match self.pause(at).await {
            Err(reason) => reason,
            Ok(()) => match self.dial(side).await {
                Err(reason) => reason,
                Ok(stream) => self.hold(side, stream).await?,
            },
        };
        match reason {
            Loss::Closed => info!(%side, "CTI link closed"),
            _ => warn!(%side, %reason, "CTI side given up"),
        }
        self.plan(reason);
        self.report(LinkEvent::Down { side, reason }).await?;
        if reason == Loss::Closed { Err(Ended) } else { Ok(()) }
    }

    fn plan(&mut self, reason: Loss) {
        let config_asked = self.config.client.services & cti_service::CONFIG_EVENTS != 0;
        let refused_mask = matches!(
            reason,
            Loss::OpenRefused(status_code::INVALID_SERVICE_MASK | status_code::INVALID_CONFIG_MSG_MASK)
        );
        if refused_mask && config_asked && !self.without_config {
            self.without_config = true;
            self.failover.retry(now());
        } else if let (Loss::Preferred, Some(side)) = (reason, self.preferred.take()) {
            self.failover.prefer(now(), side);
        } else {
            self.failover.failed(now());
        }
    }

    /// What to open the next session with: without configuration events if the server does not know that service.
    fn client_config(&self) -> Config {
        let mut config = self.config.client.clone();
        if self.without_config {
            config.services &= !cti_service::CONFIG_EVENTS;
        }
        config
    }

    /// Waits, refusing requests meanwhile.
    async fn pause(&mut self, until: Instant) -> Result<(), Loss> {
        let sleep = sleep_until(until.into());
        tokio::pin!(sleep);
        loop {
            tokio::select! {
                biased;
                () = closed(&mut self.closing) => return Err(Loss::Closed),
                () = self.events.closed() => return Err(Loss::Closed),
                () = &mut sleep => return Ok(()),
                command = self.queue.recv() => self.refuse(command).await?,
            }
        }
    }

    async fn dial(&mut self, side: Side) -> Result<TcpStream, Loss> {
        // With one side only, both names mean that one.
        let address = &self.config.sides[side.index() % self.config.sides.len()];
        let connect = timeout(self.config.connect_timeout, TcpStream::connect(address.clone()));
        tokio::pin!(connect);
        let stream = loop {
            tokio::select! {
                biased;
                () = closed(&mut self.closing) => return Err(Loss::Closed),
                () = self.events.closed() => return Err(Loss::Closed),
                done = &mut connect => match done {
                    Ok(Ok(stream)) => break stream,
                    Ok(Err(error)) => return Err(Loss::Connect(error.kind())),
                    Err(_) => return Err(Loss::Connect(std::io::ErrorKind::TimedOut)),
                },
                command = self.queue.recv() => self.refuse(command).await?,
            }
        };
        stream.set_nodelay(true).map_err(|error| Loss::Connect(error.kind()))?;
        Ok(stream)
    }

    /// Holds one session until it is over.
    async fn hold(&mut self, side: Side, stream: TcpStream) -> Result<Loss, Ended> {
        let client = match Client::new(self.client_config(), now()) {
            Ok(client) => client,
            Err(error) => {
                warn!(%error, "OPEN_REQ cannot be sent as configured");
                return Ok(Loss::Connect(std::io::ErrorKind::InvalidInput));
            }
        };
        let mut session = Session::new(side, stream, client);
        let loss = session.run(self).await;
        session.give_up(&loss);
        loss
    }

    /// Whether there is another side to go to.
    pub(super) fn has_two_sides(&self) -> bool {
        self.config.sides.len() > 1
    }

    pub(super) fn is_up(&mut self, side: Side) {
        info!(%side, "CTI session open");
        self.failover.up(now());
    }

    /// Answers a command that no session can take.
    async fn refuse(&mut self, command: Option<Command>) -> Result<(), Loss> {
        let invoke_id = match command {
            None => return Err(Loss::Closed),
            Some(Command::Tell(_) | Command::Prefer(_)) => return Ok(()),
            Some(Command::Request(invoke_id, _)) => invoke_id,
        };
        let event = LinkEvent::Refused { invoke_id, refusal: Refusal::NotConnected };
        self.report(event).await.map_err(|Ended| Loss::Closed)
    }

    async fn report(&mut self, event: LinkEvent) -> Result<(), Ended> {
        self.events.send(event).await.map_err(|_| Ended)
    }
}

/// Resolves when the owner has asked for the end.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that all handles are gone; the queue's end tells that, after what is still in it.
    if closing.wait_for(|asked| *asked).await.is_err() {
        std::future::pending::<()>().await;
    }
}
