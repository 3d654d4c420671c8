//! A foreign client that does as it is told: the test decides what happens next, the client brings nothing but its
//! library.
//!
//! It reads one order from a line of its standard input and answers with `OK` and a value or `NO` and a condition:
//!
//! | order | does | value |
//! | --- | --- | --- |
//! | `connect RESOURCE` | signs in, sends presence of priority 0 and waits for that of the application | full address |
//! | `ping` | XEP-0199 to the domain | |
//! | `info NODE` | disco#info of a node | category and type of the first identity: `pubsub/leaf` |
//! | `subscriptions` | XEP-0060 §5.6 | node ids |
//! | `subscribe NODE full`, or `bare` | XEP-0060 §6.1 with that address | `subscribed` |
//! | `unsubscribe NODE full`, or `bare` | XEP-0060 §6.2 | |
//! | `cut` | closes the socket without a word | |
//! | `resume` | after `cut`: comes back and has its session resumed (XEP-0198) | full address |
//! | `close` | closes the stream and the socket | |
//! | `quit` | exits with 0, without an answer | |
//!
//! At any time it prints `EVENT {"node", "to", "update"}` for a notification, and `ENDED` with a condition when the
//! server ended the stream.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::clients::task;
use crate::demo::Demo;
use crate::events::Seen;

/// How long an answer or an event may take: a Java machine on a busy computer takes seconds to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A notification and the address it was sent to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Copy {
    #[serde(flatten)]
    pub seen: Seen,
    pub to: String,
}

impl Copy {
    /// Whether it was sent for a subscription of the full address.
    pub fn full(&self) -> bool {
        self.to.contains('/')
    }
}

/// The client's process.
pub struct Desk {
    child: Child,
    orders: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// Every notification so far.
    pub seen: Vec<Copy>,
    /// How many of them [`until`](Self::until) has looked at.
    looked_at: usize,
    ended: Option<String>,
}

enum Line {
    Answer(Result<String, String>),
    Event,
    Ended,
    Other,
}

impl Desk {
    /// Starts `command` for user `user` of `demo`.
    pub fn start(mut command: Command, demo: &Demo, user: &str) -> Result<Desk> {
        task(&mut command, demo, user).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("the client could not be started")?;
        let orders = child.stdin.take().context("no standard input")?;
        let lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Desk { child, orders, lines, seen: Vec::new(), looked_at: 0, ended: None })
    }

    async fn line(&mut self) -> Result<Line> {
        let line = timeout(PATIENCE, self.lines.next_line()).await.context("the client is silent")??;
        let line = line.context("the client ended")?;
        let (kind, value) = line.split_once(' ').unwrap_or((&line, ""));
        Ok(match kind {
            "OK" => Line::Answer(Ok(value.trim().to_owned())),
            "NO" => Line::Answer(Err(value.trim().to_owned())),
            "EVENT" => {
                self.seen
                    .push(serde_json::from_str(value).with_context(|| format!("not an event: {value}"))?);
                Line::Event
            }
            "ENDED" => {
                self.ended = Some(value.to_owned());
                Line::Ended
            }
            _ => Line::Other,
        })
    }

    async fn order(&mut self, order: &str) -> Result<Result<String, String>> {
        self.orders.write_all(format!("{order}\n").as_bytes()).await?;
        loop {
            match self.line().await.with_context(|| order.to_owned())? {
                Line::Answer(answer) => return Ok(answer),
                Line::Ended => bail!("the stream ended during {order}: {:?}", self.ended),
                Line::Event | Line::Other => {}
            }
        }
    }

    /// Gives an order that has to be followed; the value of the answer.
    pub async fn does(&mut self, order: &str) -> Result<String> {
        self.order(order).await?.map_err(|condition| anyhow::anyhow!("{order}: {condition}"))
    }

    /// Gives an order that the server has to refuse with `condition`.
    pub async fn is_refused(&mut self, order: &str, condition: &str) -> Result<()> {
        match self.order(order).await? {
            Err(refusal) if refusal == condition => Ok(()),
            other => bail!("{order}: {other:?} instead of {condition}"),
        }
    }

    /// The next notification that `matches`.
    pub async fn until(&mut self, what: &str, matches: impl Fn(&Copy) -> bool) -> Result<Copy> {
        loop {
            while let Some(copy) = self.seen.get(self.looked_at) {
                self.looked_at += 1;
                if matches(copy) {
                    return Ok(copy.clone());
                }
            }
            if let Line::Ended = self.line().await.with_context(|| what.to_owned())? {
                bail!("the stream ended before {what}: {:?}", self.ended);
            }
        }
    }

    /// The first notification of all that `matches`, whether it has been looked at or not.
    pub async fn ever(&mut self, what: &str, matches: impl Fn(&Copy) -> bool) -> Result<Copy> {
        match self.seen.iter().find(|copy| matches(copy)) {
            Some(copy) => Ok(copy.clone()),
            None => self.until(what, matches).await,
        }
    }

    /// Waits until the server has ended the stream; the condition.
    pub async fn end(&mut self) -> Result<String> {
        while self.ended.is_none() {
            self.line().await.context("end of the stream")?;
        }
        Ok(self.ended.take().unwrap_or_default())
    }

    /// Ends the client, which has to go in peace.
    pub async fn quit(mut self) -> Result<Vec<Copy>> {
        self.orders.write_all(b"quit\n").await?;
        let status = timeout(PATIENCE, self.child.wait()).await.context("the client does not end")??;
        ensure!(status.success(), "the client ended with {status}");
        Ok(self.seen)
    }
}
