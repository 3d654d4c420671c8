//! GET of User and Dialogs on a fixed schedule: a request that has to wait for the one before it is late, and that counts.

use std::time::Duration;

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::{Options, Rows, Stage, histogram, quantiles};
use crate::centre::node::Node;
use crate::centre::{PASSWORD, agent_id};
use crate::rest::Rest;

/// Connections, each an agent's.
const CONNECTIONS: usize = 200;

pub(super) async fn run(options: &Options) -> Result<Rows> {
    let stage = Stage::set(options, false, false).await?;
    let mut clients = JoinSet::new();
    let connections = CONNECTIONS.min(options.agents);
    let period = Duration::from_secs(1) * u32::try_from(connections)? / options.gets;
    for number in 0..connections {
        let agent = number * options.agents / connections;
        let offset = period * u32::try_from(number)? / u32::try_from(connections)?;
        let times = options.gets * options.seconds / u32::try_from(connections)?;
        clients.spawn(ask(stage.site.servers[0].node, agent, offset, period, times));
    }
    let mut times = histogram()?;
    while let Some(client) = clients.join_next().await {
        times.add(client??)?;
    }
    stage.end().await?;
    let what = format!("GET of User and Dialogs, {} a second, {} agents", options.gets, options.agents);
    Ok(vec![(what, quantiles(&times))])
}

async fn ask(
    node: Node,
    agent: usize,
    offset: Duration,
    period: Duration,
    times: u32,
) -> Result<Histogram<u64>> {
    let id = agent_id(agent);
    let mut rest = Rest::connect(&node.http.to_string(), &id, PASSWORD).await?;
    let paths = [format!("User/{id}"), format!("User/{id}/Dialogs")];
    let mut histogram = histogram()?;
    // What comes first verifies the password.
    rest.request("GET", &paths[0], "first", "").await?;
    let start = Instant::now() + Duration::from_millis(500) + offset;
    for turn in 0..times {
        let due = start + period * turn;
        sleep_until(due).await;
        let (status, text) = rest.request("GET", &paths[turn as usize % 2], "get", "").await?;
        ensure!(status == 200, "{status} {text}");
        histogram.saturating_record(u64::try_from(due.elapsed().as_nanos())?);
    }
    Ok(histogram)
}
