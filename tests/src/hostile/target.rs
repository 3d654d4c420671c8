//! The server under attack: the program itself, with a configuration file.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use argon2::{Argon2, Params, PasswordHasher};
use clap::Parser;
use load::options::Options;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::demo::server_binary;

/// Password of every user.
pub const PASSWORD: &str = "secret";
/// Node of the events.
pub const NODE: &str = "/ticks";
/// Name and secret of the component that publishes.
pub(super) const COMPONENT: (&str, &str) = ("events.localhost", "hush");
/// Users u0, u1 and so on, who behave.
const USERS: usize = 60;
/// Users h0, h1 and so on, who do not.
pub(super) const HOSTILE_USERS: usize = 300;

/// Where the server listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// BOSH, WebSocket and REST.
    pub http: SocketAddr,
    pub https: SocketAddr,
    pub xmpp: SocketAddr,
    pub xmpp_tls: SocketAddr,
    pub component: SocketAddr,
}

impl Addresses {
    /// Some that are free now.
    fn free() -> Result<Addresses> {
        let sockets: Vec<_> =
            (0..5).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
        let all: Vec<_> = sockets.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
        let [http, https, xmpp, xmpp_tls, component] = all[..] else { bail!("five addresses") };
        Ok(Addresses { http, https, xmpp, xmpp_tls, component })
    }

    /// How the load rig finds it.
    pub fn options(&self) -> Options {
        let mut options = Options::parse_from(["load", "fanout"]);
        options.password = PASSWORD.into();
        options.port = self.xmpp.port();
        options.http_port = self.http.port();
        options
    }
}

/// The running server; killed when dropped.
pub struct Target {
    pub addresses: Addresses,
    child: Child,
    pid: u32,
    configuration: PathBuf,
    /// Lines of the log that say that something panicked.
    panics: Arc<AtomicU32>,
}

impl Target {
    /// Starts the server with `memory_mib`. Of all addresses only 127.0.0.1 is trusted.
    pub async fn start(memory_mib: u64) -> Result<Target> {
        let program = server_binary()?;
        let addresses = Addresses::free()?;
        let configuration = std::env::temp_dir().join(format!("hostile-{}.toml", std::process::id()));
        std::fs::write(&configuration, text(addresses, memory_mib)?)?;
        let mut child = Command::new(program)
            .args(["run".as_ref(), "--config".as_ref(), configuration.as_os_str()])
            .env("FINESSE_LOG", "info")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().context("a log")?).lines();
        let serving = async {
            while let Some(line) = lines.next_line().await? {
                if line.contains("serving") {
                    return anyhow::Ok(());
                }
            }
            bail!("the server ends at once")
        };
        tokio::time::timeout(Duration::from_secs(60), serving)
            .await
            .context("the server does not start")??;
        let panics = Arc::new(AtomicU32::new(0));
        let counted = panics.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                if line.contains("panicked") {
                    eprintln!("{line}");
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let pid = child.id().context("runs")?;
        Ok(Target { addresses, child, pid, configuration, panics })
    }

    /// Resident memory in KiB: the most so far, and now.
    pub fn memory(&self) -> Result<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let field = |name: &str| -> Result<u64> {
            let line = status.lines().find(|line| line.starts_with(name)).context("a field of procfs")?;
            Ok(line.split_whitespace().nth(1).context("a number")?.parse::<u64>()?)
        };
        Ok((field("VmHWM:")?, field("VmRSS:")?))
    }

    /// Ends it as an operator would; an error if it has ended before, or if a task has panicked.
    pub async fn stop(mut self) -> Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "the server has ended");
        ensure!(self.panics.load(Ordering::Relaxed) == 0, "something panicked");
        let pid = self.pid.to_string();
        ensure!(Command::new("kill").args(["-TERM", &pid]).status().await?.success(), "kill");
        let status = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
        ensure!(status.context("the server does not end")??.success(), "the server fails");
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.configuration);
    }
}

/// A hash of the one password.
fn hash(params: Params) -> Result<String> {
    let hash = Argon2::from(params).hash_password(PASSWORD.as_bytes());
    Ok(hash.map_err(|error| anyhow::anyhow!("no hash: {error}"))?.to_string())
}

fn text(at: Addresses, memory_mib: u64) -> Result<String> {
    let Addresses { http, https, xmpp, xmpp_tls, component } = at;
    let (name, secret) = COMPONENT;
    let mut text = format!(
        "[server]\nplain_http = \"serve\"\n\
         [listen]\nhttp = [\"{http}\"]\nhttps = [\"{https}\"]\nbosh_tls = []\nxmpp = [\"{xmpp}\"]\n\
         xmpp_tls = [\"{xmpp_tls}\"]\ncomponent = [\"{component}\"]\n\
         [xmpp]\nstarttls = \"optional\"\n\
         [limits]\nmemory_mib = {memory_mib}\ntrusted = [\"127.0.0.1\"]\n\
         [component]\nname = \"{name}\"\nsecret = \"{secret}\"\n"
    );
    // The usual one for those at whose passwords others guess, which is what a login costs; a cheap one for those who
    // are to be many soon.
    for (letter, users, params) in [
        ("u", USERS, Params::default()),
        ("h", HOSTILE_USERS, Params::new(64, 1, 1, None).map_err(anyhow::Error::msg)?),
    ] {
        let hash = hash(params)?;
        for number in 0..users {
            text += &format!("[[user]]\nid = \"{letter}{number}\"\npassword_hash = \"{hash}\"\n");
        }
    }
    Ok(text)
}
