//! Publishes items, on a schedule or with a window of items in flight.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use memchr::memmem;

use crate::item::Ledger;
use crate::link::Link;
use crate::login::{create, login};
use crate::options::{Options, Transport};

/// A session that may publish on every node.
pub struct Publisher {
    link: Link,
    nats: bool,
    sent: u64,
    answered: u64,
    node: usize,
}

impl Publisher {
    pub async fn open(options: &Options) -> Result<Publisher> {
        let nats = options.transport == Transport::Nats;
        let link = if nats {
            let mut link = Link::open(options, Transport::Nats).await?;
            link.send("CONNECT {\"verbose\":false}\r\nPING\r\n").await?;
            link.wait_for("PONG\r\n").await?;
            link
        } else {
            let mut link = login(options, Transport::Tcp, "pub0").await?;
            for node in 0..options.nodes() {
                create(&mut link, options, &options.node_name(node)).await?;
            }
            link
        };
        Ok(Publisher { link, nats, sent: 0, answered: 0, node: 0 })
    }

    /// Publishes `count` items to the nodes in turn and waits until all of them have arrived everywhere.
    pub async fn publish(&mut self, options: &Options, ledger: &Rc<Ledger>, count: usize) -> Result<()> {
        let start = Instant::now();
        let mut stalled = Instant::now();
        let mut open = usize::MAX;
        let mut done = 0;
        loop {
            if done < count {
                let due = match options.rate {
                    Some(rate) => ((start.elapsed().as_secs_f64() * rate) as usize + 1).min(count) - done,
                    None => options.window.saturating_sub(self.in_flight(ledger)).min(count - done),
                };
                if due > 0 {
                    self.burst(options, ledger, due).await?;
                    done += due;
                }
            } else if ledger.open_items() == 0 && self.outstanding() == 0 {
                return Ok(());
            }
            let next = match options.rate {
                Some(rate) if done < count => {
                    Duration::from_secs_f64(done as f64 / rate).saturating_sub(start.elapsed())
                }
                _ => Duration::from_secs(1),
            };
            tokio::select! {
                biased;
                r = self.link.receive(), if !self.nats => { r?; self.count_answers()?; }
                () = ledger.progress.notified() => {}
                () = tokio::time::sleep(next) => {}
            }
            if ledger.open_items() != open {
                (open, stalled) = (ledger.open_items(), Instant::now());
            }
            if stalled.elapsed() > Duration::from_secs(15) {
                bail!("no progress: {open} items have not arrived everywhere");
            }
        }
    }

    fn in_flight(&self, ledger: &Ledger) -> usize {
        ledger.open_items().max(self.outstanding())
    }

    fn outstanding(&self) -> usize {
        if self.nats { 0 } else { (self.sent - self.answered) as usize }
    }

    async fn burst(&mut self, options: &Options, ledger: &Ledger, count: usize) -> Result<()> {
        let mut out = String::new();
        for _ in 0..count {
            let node = self.node % options.nodes();
            self.node += 1;
            let name = options.node_name(node);
            let text = ledger.enter(node, options.subscribers(node), options.size);
            let payload =
                format!("<notification xmlns='http://jabber.org/protocol/pubsub'>{text}</notification>");
            if self.nats {
                // The same bytes that a subscriber of an XMPP server gets.
                let stanza = format!(
                    "<message xmlns='jabber:client' from='{}' to='u0000@{}/load' id='0123456789abcdef'>\
                     <event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{name}'>\
                     <item id='0123456789abcdef'>{payload}</item></items></event></message>",
                    options.pubsub, options.domain
                );
                out.push_str(&format!("PUB {name} {}\r\n{stanza}\r\n", stanza.len()));
            } else {
                out.push_str(&format!(
                    "<iq type='set' id='p{}' to='{}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
                     <publish node='{name}'><item>{payload}</item></publish></pubsub></iq>",
                    self.sent, options.pubsub
                ));
            }
            self.sent += 1;
        }
        self.link.send(&out).await
    }

    /// Counts the answers in the input and forgets them; keeps an unfinished tail.
    fn count_answers(&mut self) -> Result<()> {
        let input = &mut self.link.input;
        ensure!(
            memmem::find(input, b"type=\"error\"").is_none()
                && memmem::find(input, b"type='error'").is_none(),
            "a publication was refused: {}",
            String::from_utf8_lossy(input)
        );
        let mut end = 0;
        for at in memmem::find_iter(&input[..], b"<iq") {
            let Some(tag) = memchr::memchr(b'>', &input[at..]).map(|t| at + t) else { break };
            let close = if input[tag - 1] == b'/' {
                tag + 1
            } else {
                match memmem::find(&input[tag..], b"</iq>") {
                    Some(found) => tag + found + 5,
                    None => break,
                }
            };
            // A ping of the server is no answer; the rig lives shorter than any server waits for its pong.
            if memmem::find(&input[at..tag], b"result").is_some() {
                self.answered += 1;
            }
            end = close;
        }
        input.drain(..end);
        Ok(())
    }
}
