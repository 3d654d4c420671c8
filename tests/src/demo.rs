//! `finesse-server demo` as a child process on free ports.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use finesse_server::cli::{DemoArgs, StartTlsArg};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Password of every account of the demos that the tests start.
pub const PASSWORD: &str = "secret";

/// Arguments for a demo of `agents` agents in this process, on free ports and without calls of its own.
pub fn in_process(agents: u32) -> DemoArgs {
    DemoArgs {
        agents,
        password: PASSWORD.into(),
        domain: "localhost".into(),
        bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
        calls_per_minute: 0.0,
        http_port: 0,
        https_port: 0,
        bosh_port: 0,
        bosh_tls_port: 0,
        xmpp_port: 0,
        xmpp_tls_port: 0,
        component_port: None,
        cti_port: 0,
        control_port: None,
        scenario: None,
        starttls: StartTlsArg::Off,
        coalesce: true,
        extensions: false,
        load_accounts: 0,
    }
}

/// The `READY` line of the demo.
#[derive(Clone, Debug, Deserialize)]
pub struct Ready {
    pub pid: u32,
    pub domain: String,
    pub pubsub: String,
    pub http: String,
    pub https: String,
    pub bosh: String,
    pub bosh_tls: String,
    pub ws: String,
    pub wss: String,
    pub xmpp: String,
    pub xmpp_tls: String,
    #[serde(default)]
    pub component: Option<String>,
    pub cti_a: String,
    pub cti_b: String,
}

/// A running demo; killed when dropped.
pub struct Demo {
    child: Child,
    pub ready: Ready,
}

impl Demo {
    /// Starts the demo with `args` after the port options and waits for its `READY` line.
    pub async fn start(args: &[&str]) -> Result<Demo> {
        Demo::spawn(Command::new(server_binary()?), PASSWORD, args).await
    }

    /// The same with a password of its own and everything logged to `log`.
    pub async fn start_logged(args: &[&str], password: &str, log: std::fs::File) -> Result<Demo> {
        let mut command = Command::new(server_binary()?);
        command.env("FINESSE_LOG", "trace").stderr(log);
        Demo::spawn(command, password, args).await
    }

    async fn spawn(mut command: Command, password: &str, args: &[&str]) -> Result<Demo> {
        command.arg("demo").args(["--password", password]);
        for port in ["http", "https", "bosh", "bosh-tls", "xmpp", "xmpp-tls", "cti"] {
            command.args([format!("--{port}-port"), "0".into()]);
        }
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start the demo")?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = timeout(Duration::from_secs(60), async {
            while let Some(line) = lines.next_line().await? {
                if let Some(json) = line.strip_prefix("READY ") {
                    return Ok::<_, anyhow::Error>(serde_json::from_str(json)?);
                }
            }
            bail!("the demo ended without a READY line")
        })
        .await
        .context("no READY line in time")??;
        // Whatever the demo prints later must not block it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Demo { child, ready })
    }

    /// Sends SIGINT, as Ctrl-C does, and returns the exit code.
    pub async fn interrupt(mut self) -> Result<i32> {
        let pid = self.child.id().context("already ended")?;
        let sent = Command::new("kill").args(["-INT", &pid.to_string()]).status().await?;
        if !sent.success() {
            bail!("kill failed");
        }
        let status = timeout(Duration::from_secs(15), self.child.wait()).await.context("does not end")??;
        status.code().context("ended by a signal")
    }

    /// Whether the process still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

/// Builds the server once for a test process (so that it is never stale) and returns its path.
pub fn server_binary() -> Result<PathBuf> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BINARY.get_or_init(|| build().map_err(|e| format!("{e:#}"))).clone().map_err(anyhow::Error::msg)
}

fn build() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("FINESSE_SERVER") {
        return Ok(path.into());
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = std::process::Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--message-format=json",
            "--package",
            "finesse-server",
            "--bin",
            "finesse-server",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("cargo could not build finesse-server");
    }
    String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo named no executable")
}
