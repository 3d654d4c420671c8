//! Many sessions in foreign programs.
//!
//! A program gets its door, the number of the last event and the names of its users as arguments. It prints `READY`
//! and the user when a session is available, and in the end `REPORT` and a JSON object for each user.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::Report;
use crate::clients::{folder, installed};

/// A client's program in `tests/clients/chaos`.
#[derive(Clone, Copy, Debug)]
pub enum Program {
    /// A script for Node.js.
    Node(&'static str),
    /// A script for Python.
    Python(&'static str),
}

impl Program {
    fn command(self) -> Result<Command> {
        let (mut command, script) = match self {
            Self::Node(script) => {
                installed("npm")?;
                (Command::new("node"), script)
            }
            Self::Python(script) => (Command::new(installed("python")?.join("bin/python")), script),
        };
        command.arg(folder().join("chaos").join(script));
        Ok(command)
    }
}

/// The programs of a run.
pub struct Crowd {
    members: Vec<Member>,
    patience: Duration,
}

struct Member {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    users: usize,
}

#[derive(Deserialize)]
struct Line {
    user: String,
    received: Vec<u64>,
    ended: Option<String>,
    recovered: u64,
}

impl Crowd {
    /// Starts `program` in `processes` processes that share `users`, and waits until all of these are in.
    ///
    /// Nothing may take longer than `patience`.
    ///
    /// # Errors
    /// A program that is not installed, ends, or is silent for too long.
    pub async fn start(
        program: Program,
        processes: usize,
        door: &str,
        last: u64,
        users: &[String],
        patience: Duration,
    ) -> Result<Self> {
        let mut crowd = Self { members: Vec::new(), patience };
        for users in users.chunks(users.len().div_ceil(processes)) {
            let mut command = program.command()?;
            command.arg(door).arg(last.to_string()).args(users);
            crowd.members.push(Member::start(command, users.len())?);
        }
        for member in &mut crowd.members {
            timeout(patience, member.ready()).await.context("not all come in")??;
        }
        Ok(crowd)
    }

    /// What all have to say, by user.
    ///
    /// # Errors
    /// A program that ends without its reports, or is silent for too long.
    pub async fn reports(mut self) -> Result<BTreeMap<String, Report>> {
        let mut reports = BTreeMap::new();
        for member in &mut self.members {
            let read = member.reports(&mut reports);
            timeout(self.patience, read).await.context("not all has come")??;
        }
        Ok(reports)
    }
}

impl Member {
    fn start(mut command: Command, users: usize) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("no client")?;
        let stdout = child.stdout.take().context("no standard output")?;
        Ok(Self { _child: child, lines: BufReader::new(stdout).lines(), users })
    }

    async fn ready(&mut self) -> Result<()> {
        let mut ready = 0;
        while ready < self.users {
            let line = self.lines.next_line().await?.context("the client ended before it began")?;
            ready += usize::from(line.starts_with("READY "));
        }
        Ok(())
    }

    async fn reports(&mut self, reports: &mut BTreeMap<String, Report>) -> Result<()> {
        let mut read = 0;
        while let Some(line) = self.lines.next_line().await? {
            let Some(json) = line.strip_prefix("REPORT ") else { continue };
            let Line { user, received, ended, recovered } = serde_json::from_str(json)?;
            reports.insert(user, Report { received, ended, recovered });
            read += 1;
        }
        ensure!(read == self.users, "{read} reports of {} users", self.users);
        Ok(())
    }
}
