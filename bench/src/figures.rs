//! What a pair of servers does under the load of a contact centre, measured from outside: each part a process of its own,
//! clocks compared on one machine. `bench/centre` runs it; docs/PERFORMANCE.md has the figures.

mod busy;
mod cti;
mod latency;
mod node;
mod rest;
mod state;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use hdrhistogram::Histogram;

use crate::centre::configuration::Scale;
use crate::centre::crowd::{Crowd, Task};
use crate::centre::desk::{Patience, Record};
use crate::centre::judge;
use crate::centre::node::Node;
use crate::centre::process::PATIENCE;
use crate::centre::site::Site;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// An event of the telephone system until the client has read the stanza
    Latency,
    /// PUT of a state until 202, and until the event at the same agent
    State,
    /// GET of User and Dialogs
    Rest,
    /// Loss of a CTI side until service and until every desktop has read everything anew
    Cti,
    /// kill -9 of a server until everybody is at the other one
    Node,
    /// Busy-hour calls with connections breaking at random
    Busy,
}

/// Measures a pair of servers with agents at work.
#[derive(Clone, Debug, Parser)]
pub struct Options {
    /// What is measured; everything when absent
    #[arg(value_enum)]
    pub what: Vec<What>,
    /// The program finesse-server
    #[arg(long, default_value = "target/release/finesse-server")]
    pub server: PathBuf,
    /// Signed-in agents
    #[arg(short = 'n', long, default_value_t = 2000)]
    pub agents: usize,
    /// How they connect
    #[arg(long, default_value = "bosh", value_delimiter = ',')]
    pub transport: Vec<String>,
    /// Processes of desktops
    #[arg(long, default_value_t = 4)]
    pub crowds: usize,
    /// Events a second (latency)
    #[arg(short = 'r', long, default_value_t = 500)]
    pub rate: u32,
    /// GETs a second (rest)
    #[arg(long, default_value_t = 1000)]
    pub gets: u32,
    /// Seconds of measurement (latency, state, rest)
    #[arg(long, default_value_t = 30)]
    pub seconds: u32,
    /// Calls (busy); a busy hour of 2,000 agents has 60,000
    #[arg(long, default_value_t = 6000)]
    pub calls: u64,
    /// Calls that begin in a second (busy, and besides cti and node)
    #[arg(long, default_value_t = 17)]
    pub calls_per_second: u32,
    /// Hash passwords as `hash-password` does it; otherwise as cheaply as can be
    #[arg(long)]
    pub usual_hashes: bool,
    /// Average life of a connection in seconds (busy)
    #[arg(long, default_value_t = 6000)]
    pub life: u32,
}

impl Options {
    /// The site, with everything as the product's defaults have it.
    fn scale(&self, agents: usize) -> Scale {
        Scale { usual_hashes: self.usual_hashes, ..Scale::usual(agents) }
    }
}

/// Runs what `options` ask for, each with a site of its own, and prints a table of what came out.
///
/// # Errors
/// A part does not start; something that must hold does not.
pub async fn run(options: &Options) -> Result<()> {
    let all = [What::Latency, What::State, What::Rest, What::Cti, What::Node, What::Busy];
    let wanted = if options.what.is_empty() { &all[..] } else { &options.what };
    println!("| what | figure | load average before and after |\n| --- | --- | --- |");
    for what in wanted {
        let before = load_average();
        let rows = match what {
            What::Latency => latency::run(options).await,
            What::State => state::run(options).await,
            What::Rest => rest::run(options).await,
            What::Cti => cti::run(options).await,
            What::Node => node::run(options).await,
            What::Busy => busy::run(options).await,
        };
        let (rows, after) = (rows.with_context(|| format!("{what:?}"))?, load_average());
        for (name, figure) in rows {
            println!("| {name} | {figure} | {before}, {after} |");
        }
    }
    Ok(())
}

/// What was measured, and what came out.
type Rows = Vec<(String, String)>;

/// Runnable processes on average over the last minute, as the system counts them.
fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Times in nanoseconds, up to a minute.
fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 600_000_000_000, 3)?)
}

/// p50, p99 and the longest, in milliseconds.
fn quantiles(times: &Histogram<u64>) -> String {
    let ms = |nanos: u64| nanos as f64 / 1e6;
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, max {:.1} ms of {}",
        ms(times.value_at_quantile(0.5)),
        ms(times.value_at_quantile(0.99)),
        ms(times.max()),
        times.len()
    )
}

/// A site and agents' desktops at the first server.
struct Stage {
    site: Site,
    crowds: Vec<Crowd>,
}

impl Stage {
    /// Starts everything; returns when all agents are signed in, and ready if they are to work.
    async fn set(options: &Options, work: bool, arrivals: bool) -> Result<Self> {
        let site = Site::start(&options.server, &options.scale(options.agents)).await?;
        let nodes = [site.servers[0].node, site.servers[1].node];
        Self::set_behind(options, site, nodes, work, arrivals).await
    }

    /// The same with clients that reach the servers at `nodes`.
    async fn set_behind(
        options: &Options,
        site: Site,
        nodes: [Node; 2],
        work: bool,
        arrivals: bool,
    ) -> Result<Self> {
        let mut stage = Self { site, crowds: Vec::new() };
        let share = options.agents.div_ceil(options.crowds);
        for number in 0..options.crowds {
            let first = number * share;
            let task = Task {
                first,
                count: share.min(options.agents - first),
                transports: options.transport.clone(),
                nodes,
                home: 0,
                // What the guide asks of clients: a ping every 20 seconds, and the hold of the sample clients.
                patience: Patience { ping_ms: 20_000, silence_ms: 20_000, bosh_wait: 30 },
                keep_arrivals: arrivals,
                per_second: 100,
            };
            stage.crowds.push(Crowd::start(&task).await?);
        }
        for crowd in &mut stage.crowds {
            crowd.work(work).await?;
        }
        let state = if work { "READY" } else { "NOT_READY" };
        stage.until(|records| records.iter().all(|record| record.view.state == state)).await?;
        Ok(stage)
    }

    /// Waits until the desktops show something.
    async fn until(&mut self, holds: impl Fn(&[Record]) -> bool) -> Result<()> {
        let start = Instant::now();
        loop {
            let records = self.brief().await?;
            judge::no_complaints(&records)?;
            if holds(&records) {
                return Ok(());
            }
            if start.elapsed() > 3 * PATIENCE {
                bail!("desktops are elsewhere: {}", judge::places(&records));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Lets everything come to rest and holds all views against the truth; calls that stand.
    async fn settle(&mut self) -> Result<usize> {
        for crowd in &mut self.crowds {
            crowd.work(false).await?;
        }
        let start = Instant::now();
        loop {
            let (truth, records) = (self.site.door.truth().await?, self.brief().await?);
            let differences = judge::differences(&truth, &records);
            if differences.is_empty() {
                judge::nobody_signed_out(&truth)?;
                return Ok(truth.calls.len());
            }
            if start.elapsed() > 3 * PATIENCE {
                bail!("views differ from the truth: {}", differences.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn brief(&mut self) -> Result<Vec<Record>> {
        let mut all = Vec::new();
        for crowd in &mut self.crowds {
            all.extend(crowd.brief().await?);
        }
        Ok(all)
    }

    async fn records(&mut self) -> Result<Vec<Record>> {
        let mut all = Vec::new();
        for crowd in &mut self.crowds {
            all.extend(crowd.records().await?);
        }
        Ok(all)
    }

    async fn end(self) -> Result<()> {
        drop(self.crowds);
        self.site.end().await
    }
}

/// What ended sessions and attempts of all desktops, and how often.
fn losses(records: &[Record]) -> String {
    let mut all = BTreeMap::<&str, u64>::new();
    for (reason, times) in records.iter().flat_map(|record| &record.losses) {
        *all.entry(reason).or_default() += times;
    }
    all.iter().map(|(reason, times)| format!("{times}× {reason}")).collect::<Vec<_>>().join("; ")
}

/// How long after `from` the first, the one that makes 99 of a hundred, and the last of these moments were, in seconds.
fn spread(mut moments: Vec<u64>, from: u64) -> Result<[f64; 3]> {
    moments.sort_unstable();
    let last = moments.len().checked_sub(1).context("nobody")?;
    let after = |at: usize| moments[at].saturating_sub(from) as f64 / 1e6;
    Ok([after(0), after(last * 99 / 100), after(last)])
}
