//! A session that behaves well, and counts what it gets.

use std::net::IpAddr;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use load::link::Link;
use load::login::{login, subscribe};
use load::options::{Options, Transport};

use super::target::NODE;

const MARK: &[u8] = b"<tick xmlns=\"urn:example:tick\" n=\"";
const MARK_QUOTED: &[u8] = b"<tick xmlns='urn:example:tick' n='";

pub struct Bystander {
    link: Link,
    name: String,
    next: usize,
}

impl Bystander {
    /// Logs `user` in and subscribes.
    pub async fn new(
        options: &Options,
        transport: Transport,
        source: Option<IpAddr>,
        user: &str,
    ) -> Result<Bystander> {
        let mut options = options.clone();
        options.source = source;
        let mut link = login(&options, transport, user).await?;
        subscribe(&mut link, &options, user, NODE).await?;
        Ok(Bystander { link, name: format!("{user} over {transport:?} from {source:?}"), next: 0 })
    }

    /// Receives the events 0 to `count`, each once and in order; when each came.
    pub async fn receive(mut self, count: usize) -> Result<Vec<Instant>> {
        let mut seen = Vec::with_capacity(count);
        while self.next < count {
            let received = self.link.receive().await;
            received.with_context(|| {
                let last = String::from_utf8_lossy(&self.link.input);
                format!("{} ended before event {}; last heard: {last}", self.name, self.next)
            })?;
            while let Some(number) = self.event()? {
                ensure!(number == self.next, "{} expects event {}, got {number}", self.name, self.next);
                self.next += 1;
                seen.push(Instant::now());
            }
        }
        Ok(seen)
    }

    /// The number of the first event in the input, which is taken out with all before it.
    fn event(&mut self) -> Result<Option<usize>> {
        let input = &mut self.link.input;
        let find = |mark| memchr::memmem::find(input, mark);
        let Some(start) = find(MARK).or_else(|| find(MARK_QUOTED)).map(|at| at + MARK.len()) else {
            return Ok(None);
        };
        let Some(length) = input[start..].iter().position(|byte| !byte.is_ascii_digit()) else {
            return Ok(None);
        };
        let number = std::str::from_utf8(&input[start..start + length])?.parse()?;
        input.drain(..start + length);
        Ok(Some(number))
    }
}
