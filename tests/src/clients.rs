//! Foreign clients as child processes.
//!
//! A client gets its task in environment variables, prints `EVENT {json}` for every notification it sees and
//! anything else as it likes, and exits with 0 when its story went well.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::demo::{Demo, PASSWORD, server_binary};
use crate::events::{Seen, check_story};

/// Folder of the client programs.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// What `tests/setup` installed, or a failure that tells the reader to run it.
pub fn installed(path: &str) -> Result<PathBuf> {
    let full = folder().join(".installed").join(path);
    ensure!(full.exists(), "{path} is not installed: run tests/setup first");
    Ok(full)
}

/// Runs `command` as user `user` of `demo` beside `finesse-server watch`, and holds what it saw against the story
/// and against what `watch` saw.
pub async fn lives_the_story(demo: &Demo, user: &str, extension: &str, mut command: Command) -> Result<()> {
    let mut watch = Watch::start(demo, user).await?;
    let seen = run(demo, user, extension, &mut command).await?;
    check_story(&seen, user)?;
    let watched = watch.until_signed_out(user).await?;
    let seen: Vec<Headline> = seen.iter().map(Headline::of).collect();
    // The watcher was there before the client came and may have seen more in front, never in between.
    ensure!(watched.ends_with(&seen), "the client saw {seen:#?}\nand the watcher {watched:#?}");
    Ok(())
}

/// What names an event without its content.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Headline {
    node: String,
    event: String,
    source: String,
    #[serde(rename = "requestId")]
    request_id: String,
}

impl Headline {
    fn of(seen: &Seen) -> Headline {
        let text = |name| seen.text(name).unwrap_or_default().to_owned();
        Headline {
            node: seen.node.clone(),
            event: seen.event().into(),
            source: text("source"),
            request_id: text("requestId"),
        }
    }
}

/// `finesse-server watch --json` as a second connection of the same user.
struct Watch {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    async fn start(demo: &Demo, user: &str) -> Result<Watch> {
        let mut child = Command::new(server_binary()?)
            .args(["watch", "--json", "--user", user, "--password", PASSWORD])
            .args(["--server", &demo.ready.xmpp, "--domain", &demo.ready.domain])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("no standard output")?;
        // It is in before a client has signed in and asked the REST API for anything: logging in takes milliseconds.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(Watch { _child: child, lines: BufReader::new(stdout).lines() })
    }

    /// Everything up to the sign-out of `user`.
    async fn until_signed_out(&mut self, user: &str) -> Result<Vec<Headline>> {
        let user_node = format!("/finesse/api/User/{user}");
        let mut all = Vec::new();
        loop {
            let line = timeout(Duration::from_secs(10), self.lines.next_line())
                .await
                .context("watch is silent")??;
            let line = line.context("watch ended")?;
            let headline: Headline = serde_json::from_str(&line).with_context(|| line.clone())?;
            let out = headline.node == user_node && line.contains("\"LOGOUT\"");
            all.push(headline);
            if out {
                return Ok(all);
            }
        }
    }
}

/// Runs `command` with its task in the environment; the events it printed.
pub async fn run(demo: &Demo, user: &str, extension: &str, command: &mut Command) -> Result<Vec<Seen>> {
    task(command, demo, user).env("FINESSE_EXTENSION", extension).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(Duration::from_secs(120), command.output())
        .await
        .context("the client did not end in time")?
        .context("the client could not be started")?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("the client failed ({}):\n{stdout}\n{stderr}", output.status);
    }
    stdout
        .lines()
        .filter_map(|line| line.strip_prefix("EVENT "))
        .map(|json| serde_json::from_str(json).with_context(|| format!("not an event: {json}")))
        .collect()
}

/// Tells `command` who it is and where the doors of `demo` are.
pub fn task<'a>(command: &'a mut Command, demo: &Demo, user: &str) -> &'a mut Command {
    let ready = &demo.ready;
    command
        .env("FINESSE_USER", user)
        .env("FINESSE_PASSWORD", PASSWORD)
        .env("FINESSE_DOMAIN", &ready.domain)
        .env("FINESSE_PUBSUB", &ready.pubsub)
        .env("FINESSE_HTTP", &ready.http)
        .env("FINESSE_BOSH", &ready.bosh)
        .env("FINESSE_WS", &ready.ws)
        .env("FINESSE_WSS", &ready.wss)
        .env("FINESSE_XMPP", &ready.xmpp)
        .env("FINESSE_XMPP_TLS", &ready.xmpp_tls)
}
