//! A user who logs in, subscribes, asks much and reads nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use load::link::Link;
use load::login::{login, subscribe};
use load::options::Transport;
use tokio::time::sleep;

use super::Counts;
use super::attacks::{KINDS, OUTSIDERS};
use super::enemy::{Counted, source};
use super::target::{Addresses, HOSTILE_USERS, NODE};

pub(super) struct Insider {
    link: Link,
    /// Sends a stanza that does not end instead of many that do.
    endless: bool,
    _counted: Counted,
}

impl Insider {
    /// Logs in and subscribes over the transport that falls to `number`.
    pub(super) async fn new(at: Addresses, number: usize, counts: &Arc<Counts>) -> Result<Insider> {
        let (kind, round) = (number % KINDS, number / KINDS);
        let transport = [Transport::Tcp, Transport::Bosh, Transport::Ws][kind - OUTSIDERS];
        let mut options = at.options();
        options.source = Some(source(round));
        let user = format!("h{}", round % HOSTILE_USERS);
        let counted = Counted::new(kind, counts);
        let mut link = login(&options, transport, &user).await?;
        counts.logged_in.fetch_add(1, Ordering::Relaxed);
        subscribe(&mut link, &options, &user, NODE).await?;
        Ok(Insider { link, endless: round % 4 != 0 && transport == Transport::Tcp, _counted: counted })
    }

    /// Until the server ends the session.
    pub(super) async fn misbehave(mut self) -> Result<()> {
        if self.endless {
            // As large as one may be, of as many elements as there may be.
            let group = format!("<b>{}</b>", "<a/>".repeat(9000));
            let stanza = format!("<iq type='get' id='e'><x xmlns='urn:x'>{}", group.repeat(7));
            self.link.send(&stanza).await?;
            loop {
                self.link.receive().await?;
            }
        }
        let filling = "y".repeat(3000);
        let ask = format!("<iq xmlns='jabber:client' type='get' id='e'><x xmlns='urn:x'>{filling}</x></iq>");
        loop {
            for _ in 0..20 {
                self.link.send(&ask).await?;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}
