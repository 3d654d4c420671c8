//! Child processes that can be killed and stopped, and that end with their owner.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How long anything may take that takes moments on a calm machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program that has the parts of a site (`relay`, `desks`), if it is not the present one.
static PARTS: OnceLock<PathBuf> = OnceLock::new();

/// Says which program has the parts of a site (`relay`, `desks`). The first word counts.
pub fn set_parts(program: PathBuf) {
    let _ = PARTS.set(program);
}

/// A child process with lines in and lines out.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts `command`.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(mut command: Command) -> Result<Self> {
        let name = format!("{:?}", command.as_std().get_program());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let input = child.stdin.take().context("no standard input")?;
        let lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { child, input, lines })
    }

    /// Starts a part of a site, as the program that has the parts knows it.
    ///
    /// # Errors
    /// It does not start.
    pub fn part(name: &str, arguments: &[String]) -> Result<Self> {
        let program = match PARTS.get() {
            Some(path) => path.clone(),
            None => std::env::current_exe()?,
        };
        let mut command = Command::new(program);
        command.arg(name).args(arguments);
        Self::start(command)
    }

    /// Number of the process.
    ///
    /// # Errors
    /// It has been waited for.
    pub fn id(&self) -> Result<u32> {
        self.child.id().context("the process has ended")
    }

    /// The JSON behind `READY` on its standard output.
    ///
    /// # Errors
    /// It ends before, or takes too long.
    pub async fn ready(&mut self) -> Result<serde_json::Value> {
        loop {
            let line = self.line().await?;
            if let Some(json) = line.strip_prefix("READY ") {
                return Ok(serde_json::from_str(json)?);
            }
        }
    }

    /// The next line it prints.
    ///
    /// # Errors
    /// It ends, or takes too long.
    pub async fn line(&mut self) -> Result<String> {
        let line = timeout(PATIENCE, self.lines.next_line()).await.context("a child process is silent")??;
        line.context("a child process ended")
    }

    /// Gives it a line.
    ///
    /// # Errors
    /// It does not read any more.
    pub async fn tell(&mut self, line: &str) -> Result<()> {
        self.input.write_all(format!("{line}\n").as_bytes()).await.context("a child process does not listen")
    }

    /// SIGKILL; returns when it is gone.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("cannot be killed")
    }

    /// SIGTERM; returns when it is gone, with whether it went in peace.
    ///
    /// # Errors
    /// It does not go.
    pub async fn end(&mut self) -> Result<bool> {
        self.signal(Signal::TERM)?;
        let status = timeout(PATIENCE, self.child.wait()).await.context("does not end")??;
        Ok(status.success())
    }

    /// SIGSTOP.
    ///
    /// # Errors
    /// It is gone.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// It is gone.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.id()?)?;
        ensure!(id > 1, "no process of ours");
        Ok(kill_process(Pid::from_raw(id).context("no process id")?, signal)?)
    }
}
