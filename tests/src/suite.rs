//! Smack's own integration tests against an [`Embedded`] server.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::clients::installed;
use crate::embedded::Embedded;

/// How long the whole suite may take; it says nothing before it is through.
const PATIENCE: Duration = Duration::from_secs(300);

/// What became of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// With the reason.
    Failed(String),
    /// The suite found that the server lacks what the test is about.
    Impossible(String),
}

/// Runs the classes `tests` of the suite over `connection`: `tcp`, `modular` (TCP as well, by its newer state machine) or
/// `websocket`. Outcomes by name, `Class.method`; a class that could not be run at all has its own.
pub async fn run(server: &Embedded, connection: &str, tests: &[&str]) -> Result<BTreeMap<String, Outcome>> {
    let (jars, classes) = (installed("smack45-jars")?, installed("smack45-classes")?);
    server.accounts.add("admin", "secret");
    let mut command = Command::new("java");
    command
        .arg("-cp")
        // The stand-in has to come before the class it stands for.
        .arg(format!("{}:{}/*", classes.display(), jars.display()))
        .arg("Suite")
        .arg(server.xmpp.port().to_string())
        .arg(format!("ws://127.0.0.1:{}/ws/", server.http.port()))
        .arg(connection)
        .arg(tests.join(","))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().context("the suite could not be started")?;
    let mut answers = child.stdin.take().context("no standard input")?;
    let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    let mut stderr = child.stderr.take().context("no standard error")?;
    let log = tokio::spawn(async move {
        let mut log = Vec::new();
        tokio::io::copy(&mut stderr, &mut log).await.map(|_| String::from_utf8_lossy(&log).into_owned())
    });
    let mut outcomes = BTreeMap::new();
    while let Some(line) = timeout(PATIENCE, lines.next_line()).await.context("the suite hangs")?? {
        let (kind, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let (name, why) = rest.split_once(' ').unwrap_or((rest, ""));
        let outcome = match kind {
            "ACCOUNT" => {
                server.accounts.add(name, why);
                answers.write_all(b"done\n").await?;
                continue;
            }
            "PASS" => Outcome::Passed,
            "FAIL" => Outcome::Failed(why.into()),
            "IMPOSSIBLE" => Outcome::Impossible(why.into()),
            _ => continue,
        };
        outcomes.insert(name.to_owned(), outcome);
    }
    let status = child.wait().await?;
    let log = log.await??;
    ensure!(status.success(), "the suite ended with {status}:\n{log}");
    Ok(outcomes)
}
