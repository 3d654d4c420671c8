//! From an event of the telephone system to the client.
//!
//! The simulator is told, over its control door, to put one agent after the other into another state. Measured is the time
//! from before the line is written to after the client has read the stanza: the door, the simulator and both loopback
//! connections are in it, so that the server's part is less.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Options, Rows, Stage, histogram, quantiles};
use crate::centre::process::PATIENCE;
use crate::centre::{agent_id, unix_us};
use crate::process::usage;

pub(super) async fn run(options: &Options) -> Result<Rows> {
    let mut stage = Stage::set(options, false, true).await?;
    let before: Vec<usize> = stage.records().await?.iter().map(|record| record.arrivals.len()).collect();
    let pid = stage.site.servers[0].process()?.id()?;
    let (from, start) = (usage(Some(pid))?, std::time::Instant::now());
    let mut sent: HashMap<usize, Vec<u64>> = HashMap::new();
    let mut clock = tokio::time::interval(Duration::from_secs(1) / options.rate);
    let count = options.rate as usize * options.seconds as usize;
    for number in 0..count {
        clock.tick().await;
        let agent = number % options.agents;
        let state = if (number / options.agents).is_multiple_of(2) { "READY" } else { "NOT_READY" };
        sent.entry(agent).or_default().push(unix_us());
        stage.site.put(&agent_id(agent), state, 0).await?;
    }
    let (took, to) = (start.elapsed().as_secs_f64(), usage(Some(pid))?);
    let deadline = std::time::Instant::now() + PATIENCE;
    let records = loop {
        let records = stage.records().await?;
        let arrived = |at: usize| records[at].arrivals.len() - before[at];
        if sent.iter().all(|(&agent, times)| arrived(agent) >= times.len())
            || std::time::Instant::now() > deadline
        {
            break records;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let mut times = histogram()?;
    for (&agent, moments) in &sent {
        let arrivals = &records[agent].arrivals[before[agent]..];
        ensure!(arrivals.len() == moments.len(), "agent {agent}: {} of {}", arrivals.len(), moments.len());
        for (moment, arrival) in moments.iter().zip(arrivals) {
            times.saturating_record(arrival.saturating_sub(*moment) * 1000);
        }
    }
    stage.end().await?;
    let (rate, cpu) = (count as f64 / took, 100.0 * (to.cpu_s - from.cpu_s) / took);
    Ok(vec![(
        format!("telephone event to stanza read, {} agents, {rate:.0} events/s", options.agents),
        format!("{}; server {cpu:.0} % of a core", quantiles(&times)),
    )])
}
