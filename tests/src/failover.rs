//! A site of processes whose parts are killed, stopped and cut off while calls go on, and what must be true afterwards.

mod foreign;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use load::centre::agent_id;
use load::centre::configuration::Scale;
use load::centre::crowd::{Crowd, Task};
use load::centre::desk::{Patience, Record};
use load::centre::judge;
use load::centre::node::Node;
use load::centre::observer::Observer;
use load::centre::relay::Relay;
use load::centre::site::{Site, free_address};
use load::centre::traffic::Traffic;

use crate::demo::server_binary;
use foreign::Foreign;

/// How long anything may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Sessions in each foreign program.
const FOREIGN: usize = 5;

/// How large a trial is.
#[derive(Clone, Debug)]
pub struct Size {
    /// The site.
    pub scale: Scale,
    /// Calls that begin in a second.
    pub calls_per_second: u32,
    /// Calls that go on at once.
    pub calls: usize,
}

/// Where a crowd's connections go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nothing.
    Straight,
    /// A network that can be cut, on the way to the first server.
    CutFromFirst,
    /// The same to both.
    CutFromBoth,
}

/// Somebody who watched a server process.
struct Watcher {
    node: usize,
    observer: Observer,
}

/// A site with agents at work.
pub struct Trial {
    /// The site.
    pub site: Site,
    size: Size,
    crowds: Vec<(Way, Crowd)>,
    foreign: Vec<Foreign>,
    watchers: Vec<Watcher>,
    traffic: Traffic,
    network: Relay,
    began: Instant,
}

impl Trial {
    /// Starts a site, the agents, half of them behind networks that can be cut, and calls. All begin at the first server.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start(size: Size, parts: &str) -> Result<Self> {
        let began = Instant::now();
        let agents = size.scale.agents;
        ensure!(agents.is_multiple_of(4), "crowds are quarters");
        // Relays and desktops are this program's, not the test's own.
        load::centre::process::set_parts(PathBuf::from(parts));
        let site = Site::start(&server_binary()?, &size.scale).await.context("site")?;
        let straight = [site.servers[0].node, site.servers[1].node];
        let addresses: Vec<_> = straight.iter().flat_map(|node| [node.http, node.xmpp]).collect();
        let at = addresses.iter().map(|_| free_address()).collect();
        let network = Relay::start(at, addresses).await.context("network")?;
        let cut = [0, 2].map(|first| Node { http: network.at[first], xmpp: network.at[first + 1] });
        let ways = [Way::Straight, Way::Straight, Way::CutFromFirst, Way::CutFromBoth];
        let traffic = Traffic::start(site.control, size.calls_per_second, size.calls).await?;
        let mut trial = Self {
            site,
            size,
            crowds: Vec::new(),
            foreign: Vec::new(),
            watchers: Vec::new(),
            traffic,
            network,
            began,
        };
        trial.watch(0).await?;
        trial.watch(1).await?;
        for (number, way) in ways.into_iter().enumerate() {
            let nodes = match way {
                Way::Straight => straight,
                Way::CutFromFirst => [cut[0], straight[1]],
                Way::CutFromBoth => cut,
            };
            let task = Task {
                first: number * agents / 4,
                count: agents / 4,
                transports: ["tcp", "bosh", "ws"].map(str::to_owned).into(),
                nodes,
                home: 0,
                patience: Patience { ping_ms: 500, silence_ms: 4000, bosh_wait: 2 },
                keep_arrivals: false,
                per_second: 100,
            };
            trial.crowds.push((way, Crowd::start(&task).await?));
        }
        // Second sessions of some agents, who only watch.
        let users: Vec<String> = (0..2 * FOREIGN).map(agent_id).collect();
        trial.foreign.push(Foreign::slixmpp(&users[..FOREIGN], &straight).await?);
        trial.foreign.push(Foreign::strophe(&users[FOREIGN..], &straight).await?);
        trial.work(true).await?;
        trial
            .until("everybody is ready", |records| records.iter().all(|record| record.view.state == "READY"))
            .await?;
        trial.traffic.go(true);
        trial.say("everybody is signed in and ready");
        Ok(trial)
    }

    /// Subscribes an observer to everything at a server.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn watch(&mut self, node: usize) -> Result<()> {
        let observer = Observer::arrive(&self.site.servers[node].node, self.size.scale.agents).await?;
        self.watchers.push(Watcher { node, observer });
        Ok(())
    }

    fn watcher(&mut self, node: usize) -> Result<&mut Observer> {
        let of_node = self.watchers.iter_mut().rev().find(|watcher| watcher.node == node);
        Ok(&mut of_node.context("nobody watches")?.observer)
    }

    /// How often a server has been told to be out of service, or in service, since somebody watches it.
    ///
    /// # Errors
    /// Nobody watches it.
    pub fn times(&mut self, node: usize, in_service: bool) -> Result<usize> {
        Ok(self.watcher(node)?.status().iter().filter(|(status, _)| *status == in_service).count())
    }

    /// Prints a line with the time.
    pub fn say(&self, what: &str) {
        println!("{:7.2} s  {what}", self.began.elapsed().as_secs_f64());
    }

    async fn work(&mut self, on: bool) -> Result<()> {
        for (_, crowd) in &mut self.crowds {
            crowd.work(on).await?;
        }
        Ok(())
    }

    /// What all desktops show, in order of their numbers, without the events.
    ///
    /// # Errors
    /// A process is gone.
    pub async fn brief(&mut self) -> Result<Vec<Record>> {
        let mut all = Vec::new();
        for (_, crowd) in &mut self.crowds {
            all.extend(crowd.brief().await?);
        }
        Ok(all)
    }

    async fn foreigners(&mut self) -> Result<Vec<Record>> {
        let mut all = Vec::new();
        for program in &mut self.foreign {
            all.extend(program.records().await?);
        }
        Ok(all)
    }

    /// Waits until the desktops show something; how long that took.
    ///
    /// # Errors
    /// They never do, or complain.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&[Record]) -> bool) -> Result<Duration> {
        let start = Instant::now();
        loop {
            let records = self.brief().await?;
            judge::no_complaints(&records)?;
            if holds(&records) {
                return Ok(start.elapsed());
            }
            if start.elapsed() > LIMIT {
                bail!("{what}: not so after {LIMIT:?}: {}", judge::places(&records));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until everybody is at one of these nodes, or that crowd is; how long that took.
    ///
    /// # Errors
    /// They do not come.
    pub async fn until_at(&mut self, nodes: &[usize]) -> Result<Duration> {
        let there = |record: &Record| record.at.is_some_and(|at| nodes.contains(&at));
        self.until(&format!("everybody is at {nodes:?}"), |records| records.iter().all(there)).await
    }

    /// Waits until a server has told its clients so many times that it is out of service, or in service.
    ///
    /// # Errors
    /// It does not.
    pub async fn until_told(&mut self, node: usize, in_service: bool, times: usize) -> Result<Duration> {
        let start = Instant::now();
        while self.times(node, in_service)? < times {
            if start.elapsed() > LIMIT || !self.watcher(node)?.lives() {
                let seen = self.watcher(node)?.seen().await?;
                let (number, status, gone) = (node + 1, &seen.status, &seen.gone);
                bail!("in service: {in_service} {times} times: server {number} told {status:?}, {gone:?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(start.elapsed())
    }

    /// Sends everybody to a server.
    ///
    /// # Errors
    /// They do not come.
    pub async fn go_to(&mut self, node: usize) -> Result<Duration> {
        for (_, crowd) in &mut self.crowds {
            crowd.go_to(node).await?;
        }
        self.until_at(&[node]).await
    }

    /// Cuts the network of the crowds that can be cut off.
    ///
    /// # Errors
    /// The network is gone.
    pub fn cut(&self) -> Result<()> {
        self.network.freeze()
    }

    /// Mends it.
    ///
    /// # Errors
    /// The network is gone.
    pub fn mend(&self) -> Result<()> {
        self.network.thaw()
    }

    /// Lets so many calls begin, and agents do with them what they do.
    ///
    /// # Errors
    /// Calls do not begin.
    pub async fn calls(&mut self, count: u64) -> Result<()> {
        let from = self.traffic.begun();
        let start = Instant::now();
        while self.traffic.begun() < from + count {
            ensure!(start.elapsed() < LIMIT, "calls do not begin: {}", self.traffic.begun() - from);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Lets everything come to rest and holds what everybody believes and has seen against the truth; then goes on.
    ///
    /// # Errors
    /// Somebody believes something wrong; an event is lost, doubled or out of order; somebody was signed out.
    pub async fn check(&mut self, what: &str) -> Result<()> {
        self.traffic.go(false);
        self.work(false).await?;
        let start = Instant::now();
        let calls = loop {
            let (before, mut records) = (self.site.door.truth().await?, self.brief().await?);
            judge::no_complaints(&records)?;
            records.extend(self.foreigners().await?);
            let differences = judge::differences(&before, &records);
            if differences.is_empty() {
                judge::nobody_signed_out(&before)?;
                break before.calls.len();
            }
            if start.elapsed() > LIMIT {
                bail!("{what}: views differ from the truth: {}", differences.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let rest = start.elapsed();
        let sum = self.judge_sessions().await.with_context(|| what.to_owned())?;
        self.say(&format!(
            "{what}: all views are true after {:.2} s, {calls} calls stand; {} sessions so far, {} events once and in order",
            rest.as_secs_f64(),
            sum.sessions,
            sum.events
        ));
        self.work(true).await?;
        self.traffic.go(true);
        Ok(())
    }

    /// Judges all sessions. What an observer has and a session has not yet may be on its way: it is waited for.
    async fn judge_sessions(&mut self) -> Result<judge::Sum> {
        let start = Instant::now();
        loop {
            let mut records = self.foreigners().await?;
            for (_, crowd) in &mut self.crowds {
                records.extend(crowd.records().await?);
            }
            let observers = self.watchers.iter_mut().map(|watcher| &mut watcher.observer);
            match judge::sessions(&records, observers).await {
                Err(_) if start.elapsed() < LIMIT / 4 => tokio::time::sleep(Duration::from_millis(200)).await,
                outcome => return outcome,
            }
        }
    }

    /// Ends everything.
    ///
    /// # Errors
    /// A server does not end in peace.
    pub async fn end(self) -> Result<()> {
        drop((self.traffic, self.crowds, self.foreign, self.watchers, self.network));
        self.site.end().await
    }
}
