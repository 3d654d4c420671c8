//! The processes of a site, on a loopback address of their own: what is killed and started anew keeps its addresses.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::process::Command;

use super::configuration::{Peer, Place, Scale, certificate, text};
use super::door::Door;
use super::node::Node;
use super::process::{PATIENCE, Process};
use super::relay::Relay;

/// An address that nobody else listens on: the loopback network has sixteen million, one for each process here.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    let [.., second, third, last] = std::process::id().to_be_bytes();
    let ip = Ipv4Addr::new(127, 64 | (second & 63), third, last);
    SocketAddr::from((ip, NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// One of the two servers.
#[derive(Debug)]
pub struct Server {
    process: Option<Process>,
    program: PathBuf,
    folder: PathBuf,
    number: usize,
    /// Where it listens.
    pub node: Node,
}

impl Server {
    async fn start(&mut self) -> Result<Duration> {
        let log = self.folder.join(format!("server{}.log", self.number));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new(&self.program);
        command.args(["run", "--config"]).arg(self.folder.join(format!("server{}.toml", self.number)));
        command.env("NO_COLOR", "1").stderr(log);
        let start = Instant::now();
        self.process = Some(Process::start(command)?);
        while self.node.system_info().await.is_err() {
            if start.elapsed() > PATIENCE {
                bail!("server {} does not answer", self.number + 1);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(start.elapsed())
    }

    /// The process.
    ///
    /// # Errors
    /// It has been killed.
    pub fn process(&mut self) -> Result<&mut Process> {
        self.process.as_mut().context("the server was killed")
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// It runs no more.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.take().context("the server was killed")?.kill().await
    }

    /// Starts it anew; how long it took until SystemInfo was answered.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart(&mut self) -> Result<Duration> {
        self.start().await
    }

    /// Waits until it is in service; how long that took.
    ///
    /// # Errors
    /// It does not come.
    pub async fn in_service(&self) -> Result<Duration> {
        self.status(true).await
    }

    /// Waits until SystemInfo says so; how long that took.
    ///
    /// # Errors
    /// It does not come to that.
    pub async fn status(&self, in_service: bool) -> Result<Duration> {
        let start = Instant::now();
        loop {
            let info = self.node.system_info().await;
            if info.as_ref().is_ok_and(|info| info.in_service == in_service) {
                return Ok(start.elapsed());
            }
            if start.elapsed() > 2 * PATIENCE {
                bail!("server {}: {info:?}, in service: {in_service} expected", self.number + 1);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A simulated CTI server pair behind relays, and two servers.
#[derive(Debug)]
pub struct Site {
    simulator: Process,
    /// Where the simulator's control door is.
    pub control: SocketAddr,
    /// A connection to it.
    pub door: Door,
    /// The two CTI sides as processes: a relay each.
    pub sides: [Relay; 2],
    /// The two servers.
    pub servers: [Server; 2],
    /// Configurations and logs; removed by [`Site::end`], kept when something fails.
    pub folder: PathBuf,
}

impl Site {
    /// Starts everything with the program `finesse-server`; returns when both servers are in service.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn start(program: &Path, scale: &Scale) -> Result<Self> {
        let unique = free_address();
        let folder = std::env::temp_dir().join(format!("centre-{}-{}", std::process::id(), unique.port()));
        std::fs::create_dir_all(&folder)?;
        let mut command = Command::new(program);
        command.args(["cti-sim", "--cti-port", "0", "--control-port", "0", "--calls-per-minute", "0"]);
        command.args(["--agents", &scale.agents.to_string()]);
        command.stderr(std::fs::File::create(folder.join("simulator.log"))?);
        let mut simulator = Process::start(command)?;
        let ready = simulator.ready().await.context("cti-sim")?;
        let address = |key: &str| -> Result<SocketAddr> {
            Ok(ready[key].as_str().with_context(|| format!("no {key} in {ready}"))?.parse()?)
        };
        let control = address("control")?;
        let door = Door::open(control).await?;
        let side_a = Relay::start(vec![free_address()], vec![address("cti_a")?]).await?;
        let side_b = Relay::start(vec![free_address()], vec![address("cti_b")?]).await?;
        let hosts = ["one.localhost", "two.localhost"];
        let links = [free_address(), free_address()];
        let file = |number: usize, kind: &str| folder.join(format!("server{number}.{kind}"));
        let print = |number: usize| certificate(hosts[number], &file(number, "pem"), &file(number, "key"));
        let prints = [print(0)?, print(1)?];
        let mut servers = Vec::new();
        for (number, domain) in hosts.into_iter().enumerate() {
            let node = Node { http: free_address(), xmpp: free_address() };
            let sides = [side_a.at[0], side_b.at[0]];
            let other = 1 - number;
            let peer = Peer {
                listen: links[number],
                other: links[other],
                other_host: hosts[other],
                fingerprint: prints[other].clone(),
                primary: number == 0,
                certificate: file(number, "pem"),
                key: file(number, "key"),
            };
            let place = Place { domain, node, https: free_address(), sides, peer };
            std::fs::write(file(number, "toml"), text(scale, &place)?)?;
            let program = program.to_owned();
            let mut server = Server { process: None, program, folder: folder.clone(), number, node };
            server.start().await?;
            servers.push(server);
        }
        let [first, second] = <[Server; 2]>::try_from(servers).ok().context("two servers")?;
        let site =
            Self { simulator, control, door, sides: [side_a, side_b], servers: [first, second], folder };
        for server in &site.servers {
            server.in_service().await?;
        }
        Ok(site)
    }

    /// Process number of the simulator.
    ///
    /// # Errors
    /// It has ended.
    pub fn simulator(&self) -> Result<u32> {
        self.simulator.id()
    }

    /// An administrator puts an agent into a state.
    ///
    /// # Errors
    /// The simulator refuses.
    pub async fn put(&mut self, agent: &str, state: &str, reason: u16) -> Result<()> {
        self.door
            .order(json!({"do": "agent", "agent": agent, "state": state, "reason": reason}))
            .await
            .map(drop)
    }

    /// Ends everything that runs, and removes what was written.
    ///
    /// # Errors
    /// A server does not end in peace.
    pub async fn end(mut self) -> Result<()> {
        for server in &mut self.servers {
            if let Some(process) = &mut server.process
                && !process.end().await?
            {
                bail!("server {} does not end in peace", server.number + 1);
            }
        }
        self.simulator.kill().await?;
        Ok(std::fs::remove_dir_all(&self.folder)?)
    }
}
