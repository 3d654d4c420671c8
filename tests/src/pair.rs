//! Two `finesse-server run` processes as a pair, in front of a simulated CTI server in this process.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use cti::sim::{self, Simulator};
use load::options::Options;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::demo::{PASSWORD, server_binary};
use crate::person::Person;
use crate::rest::Rest;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Host names of the nodes, which are their domains as well.
pub const HOSTS: [&str; 2] = ["fin-a.example", "fin-b.example"];

/// One node.
pub struct Node {
    child: Child,
    /// Where REST is.
    pub http: SocketAddr,
    xmpp: SocketAddr,
    domain: &'static str,
    log: PathBuf,
}

/// The pair and its telephone system.
pub struct Pair {
    /// The telephone system.
    pub simulator: Simulator,
    /// Primary and secondary node.
    pub nodes: [Node; 2],
    /// The primary node's way to side A; ends when aborted, with everything that goes over it.
    pub way: JoinHandle<()>,
    directory: PathBuf,
}

impl Drop for Pair {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// An address on which nobody listens at the moment.
fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Passes connections on to `target`; the address to connect to.
async fn relay(target: SocketAddr) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(async move {
        let mut passing = JoinSet::new();
        while let Ok((mut from, _)) = listener.accept().await {
            passing.spawn(async move {
                if let Ok(mut to) = TcpStream::connect(target).await {
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                }
            });
        }
    });
    Ok((address, task))
}

/// A certificate and its key for each node, written to `directory`; their fingerprints.
fn certificates(directory: &std::path::Path) -> Result<[String; 2]> {
    let mut prints = [String::new(), String::new()];
    for (node, print) in prints.iter_mut().enumerate() {
        let made = rcgen::generate_simple_self_signed([HOSTS[node].to_owned()])?;
        std::fs::write(directory.join(format!("{node}.pem")), made.cert.pem())?;
        std::fs::write(directory.join(format!("{node}.key")), made.signing_key.serialize_pem())?;
        for byte in <sha2::Sha256 as sha2::Digest>::digest(made.cert.der()) {
            write!(print, "{byte:02x}")?;
        }
    }
    Ok(prints)
}

impl Pair {
    /// Starts both nodes with `more` at the end of their configuration, and waits until they are in service and can reach
    /// each other.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start(name: &str, centre: sim::Config, more: &str) -> Result<Pair> {
        let directory = std::env::temp_dir().join(format!("finesse-pair-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let users = users(&centre)?;
        let ccx = centre.dialect == cti::Dialect::Ccx;
        let simulator = Simulator::start(centre).await?;
        let prints = certificates(&directory)?;
        let links = [free()?, free()?];
        let (relay, way) = relay(simulator.addrs()[0]).await?;
        let mut nodes = Vec::new();
        for at in 0..2 {
            let (http, xmpp) = (free()?, free()?);
            let file = |name: &str| directory.join(format!("{at}.{name}")).display().to_string();
            let [side_a, side_b] = simulator.addrs();
            let side_a = if at == 0 { relay } else { side_a };
            let text = format!(
                "[server]\ndomain = \"{domain}\"\nplain_http = \"serve\"\ndeployment = \"{deployment}\"\n\
                 [listen]\nhttp = [\"{http}\"]\nhttps = []\nbosh_tls = []\nxmpp = [\"{xmpp}\"]\nxmpp_tls = []\n\
                 [xmpp]\nstarttls = \"off\"\n[log]\nlevel = \"info\"\n\
                 [cti]\nside_a = \"{side_a}\"\nside_b = \"{side_b}\"\nperipheral_id = {peripheral}\n\
                 [peer]\naddress = \"{other}\"\nlisten = \"{own}\"\nhost = \"{host}\"\nprimary = {primary}\n\
                 certificate = \"{certificate}\"\nkey = \"{key}\"\nfingerprint = \"{print}\"\nname = \"{host}\"\n\
                 beat_ms = 200\n{more}\n{users}",
                domain = HOSTS[at],
                deployment = if ccx { "ccx" } else { "cce" },
                peripheral = if ccx { 1 } else { 5000 },
                other = links[1 - at],
                own = links[at],
                host = HOSTS[1 - at],
                primary = at == 0,
                certificate = file("pem"),
                key = file("key"),
                print = prints[1 - at],
            );
            let configuration = directory.join(format!("{at}.toml"));
            std::fs::write(&configuration, text)?;
            let log = directory.join(format!("{at}.log"));
            let mut command = Command::new(server_binary()?);
            command.arg("run").arg("--config").arg(&configuration);
            command.stderr(std::fs::File::create(&log)?).stdin(Stdio::null()).kill_on_drop(true);
            let child = command.spawn().context("cannot start a node")?;
            nodes.push(Node { child, http, xmpp, domain: HOSTS[at], log });
        }
        let nodes = nodes.try_into().map_err(|_| anyhow::anyhow!("two nodes"))?;
        let mut pair = Pair { simulator, nodes, way, directory };
        for at in 0..2 {
            pair.until_logged(at, &["peer", "to=\"reachable\""]).await?;
            if !ccx {
                pair.until_status(at, "IN_SERVICE").await?;
            }
        }
        Ok(pair)
    }

    /// Waits until a line of a node's log has all of these words.
    pub async fn until_logged(&mut self, node: usize, words: &[&str]) -> Result<String> {
        let found = timeout(PATIENCE, async {
            loop {
                let log = std::fs::read_to_string(&self.nodes[node].log)?;
                if let Some(line) = log.lines().find(|line| words.iter().all(|word| line.contains(word))) {
                    return anyhow::Ok(line.to_owned());
                }
                if let Some(status) = self.nodes[node].child.try_wait()? {
                    bail!("node {node} ended with {status}: {log}");
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_) => bail!("no line with {words:?} in {}", std::fs::read_to_string(&self.nodes[node].log)?),
        }
    }

    /// Whether a line of a node's log has all of these words.
    pub fn has_logged(&self, node: usize, words: &[&str]) -> Result<bool> {
        let log = std::fs::read_to_string(&self.nodes[node].log)?;
        Ok(log.lines().any(|line| words.iter().all(|word| line.contains(word))))
    }

    /// A node's SystemInfo.
    pub async fn system_info(&self, node: usize) -> Result<String> {
        let mut rest = Rest::connect(&self.nodes[node].http.to_string(), "", "").await?;
        Ok(rest.request("GET", "SystemInfo", "", "").await?.1)
    }

    /// Waits until a node's SystemInfo has this status; the document.
    pub async fn until_status(&self, node: usize, status: &str) -> Result<String> {
        let wanted = format!("<status>{status}</status>");
        let mut seen = String::new();
        let reached = timeout(PATIENCE, async {
            loop {
                if let Ok(info) = self.system_info(node).await {
                    if info.contains(&wanted) {
                        return info;
                    }
                    seen = info;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        reached.await.with_context(|| format!("node {node} is not {status}: {seen}"))
    }

    /// An agent arrives at a node.
    pub async fn arrive(&self, node: usize, id: &str, extension: &str) -> Result<Person> {
        let Node { http, xmpp, domain, .. } = &self.nodes[node];
        let mut options = Options::parse_from(["load", "idle"]);
        options.password = PASSWORD.into();
        options.domain = (*domain).to_owned();
        options.pubsub = format!("pubsub.{domain}");
        options.port = xmpp.port();
        Person::arrive(&options, &http.to_string(), id, extension).await
    }

    /// A REST connection of a user to a node.
    pub async fn rest(&self, node: usize, user: &str) -> Result<Rest> {
        Rest::connect(&self.nodes[node].http.to_string(), user, PASSWORD).await
    }

    /// Port of a node's XMPP listener.
    pub fn xmpp_port(&self, node: usize) -> u16 {
        self.nodes[node].xmpp.port()
    }

    /// Kills a node, as a power cut does.
    pub async fn kill(&mut self, node: usize) -> Result<()> {
        self.nodes[node].child.kill().await?;
        Ok(())
    }

    /// State and reason of an agent as the telephone system knows them.
    pub fn truth(&self, id: &str) -> Result<(&'static str, u16)> {
        let agents = self.simulator.control().snapshot().agents;
        let agent = agents.iter().find(|agent| agent.id == id).context("no such agent")?;
        Ok((agent.state, agent.reason))
    }

    /// Waits until the telephone system has an agent in this state.
    pub async fn until_truth(&self, id: &str, state: &str) -> Result<u16> {
        let reached = timeout(PATIENCE, async {
            loop {
                let (seen, reason) = self.truth(id)?;
                if seen == state {
                    return anyhow::Ok(reason);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        reached.await.with_context(|| format!("{id} is {:?}", self.truth(id)))?
    }
}

/// The agents of a centre, an administrator, and teams, all with the one password.
fn users(centre: &sim::Config) -> Result<String> {
    let hash = finesse_server::realm::hash_password(PASSWORD).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut text = String::new();
    for team in &centre.teams {
        writeln!(text, "[[team]]\nid = {}\nname = \"{}\"", team.id, team.name)?;
    }
    for agent in &centre.agents {
        writeln!(
            text,
            "[[user]]\nid = \"{}\"\nlogin_name = \"{}\"\nteam = {}\npassword_hash = \"{hash}\"",
            agent.id, agent.login_name, agent.team
        )?;
    }
    writeln!(text, "[[user]]\nid = \"admin\"\nroles = [\"administrator\"]\npassword_hash = \"{hash}\"")?;
    Ok(text)
}
