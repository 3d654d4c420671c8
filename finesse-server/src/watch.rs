//! `watch`: signs in over XMPP like any client and prints the events that arrive, as lines for people or as JSON.
//!
//! Comes back by itself when the server goes, except when the credentials are refused.

mod client;
mod show;
mod update;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use client::{Client, Failure};
pub use update::Update;

/// Whom to watch, and how to print.
#[derive(Clone, Debug)]
pub struct Options {
    /// User id.
    pub user: String,
    /// Password.
    pub password: xmpp::Password,
    /// `host:port` of an XMPP listener in clear.
    pub server: String,
    /// XMPP domain.
    pub domain: String,
    /// Nodes to subscribe to beside those every user gets.
    pub nodes: Vec<String>,
    /// One JSON object a line.
    pub json: bool,
}

/// Longest pause between attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Watches until the process is ended from outside.
///
/// # Errors
/// The credentials are refused, or standard output is closed.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut pause = Duration::from_millis(500);
    loop {
        match watch_once(options, colours, &mut pause).await {
            Failure::Refused => anyhow::bail!("the server refuses these credentials"),
            Failure::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            Failure::Output(error) => return Err(error.into()),
            Failure::Lost(why) => {
                eprintln!("watch: {why}; trying again in {:.1} s", pause.as_secs_f32());
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

async fn watch_once(options: &Options, colours: bool, pause: &mut Duration) -> Failure {
    let mut client = match Client::connect(options).await {
        Ok(client) => client,
        Err(failure) => return failure,
    };
    eprintln!("watch: signed in as {}", client.address());
    *pause = Duration::from_millis(500);
    loop {
        let (node, text) = match client.next_event().await {
            Ok(event) => event,
            Err(failure) => return failure,
        };
        let update = Update::parse(&node, &text);
        let line = if options.json { update.to_json() } else { show::line(&update, colours) };
        // One write, flushed: another program may wait for the line.
        let mut out = std::io::stdout().lock();
        if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
            return Failure::Output(error);
        }
    }
}
