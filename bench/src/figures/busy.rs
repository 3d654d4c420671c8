//! The calls of a busy hour, with connections of clients breaking at random.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Options, Rows, Stage};
use crate::centre::judge;
use crate::centre::node::Node;
use crate::centre::observer::Observer;
use crate::centre::relay::Relay;
use crate::centre::site::{Site, free_address};
use crate::centre::traffic::Traffic;
use crate::process::usage;

pub(super) async fn run(options: &Options) -> Result<Rows> {
    let site = Site::start(&options.server, &options.scale(options.agents)).await?;
    let straight = [site.servers[0].node, site.servers[1].node];
    let to: Vec<_> = straight.iter().flat_map(|node| [node.http, node.xmpp]).collect();
    let at = to.iter().map(|_| free_address()).collect();
    let mut network = Relay::breaking(at, to, options.life).await?;
    let nodes = [0, 2].map(|first| Node { http: network.at[first], xmpp: network.at[first + 1] });
    let mut observers = Vec::new();
    for node in &straight {
        observers.push(Observer::arrive(node, options.agents).await?);
    }
    let mut stage = Stage::set_behind(options, site, nodes, true, false).await?;
    let pid = stage.site.servers[0].process()?.id()?;
    let (from, start) = (usage(Some(pid))?, Instant::now());
    let traffic = Traffic::start(stage.site.control, options.calls_per_second, options.agents / 4).await?;
    traffic.go(true);
    let mut warm = None;
    while traffic.begun() < options.calls {
        ensure!(observers.iter().all(Observer::lives), "an observer lost its server");
        tokio::time::sleep(Duration::from_secs(1)).await;
        judge::no_complaints(&stage.brief().await?)?;
        if warm.is_none() && traffic.begun() >= options.calls / 10 {
            warm = Some(usage(Some(pid))?.rss_kib);
        }
    }
    traffic.go(false);
    let (took, to) = (start.elapsed().as_secs_f64(), usage(Some(pid))?);
    let calls = stage.settle().await?;
    // What is on its way when the calls stop.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let records = stage.records().await?;
    // Anything lost, doubled or out of order is an error here.
    let sum = judge::sessions(&records, observers.iter_mut()).await?;
    let broken = network.broken().await?;
    stage.end().await?;
    let mib = |kib: f64| kib / 1024.0;
    Ok(vec![(
        format!(
            "{} calls in {took:.0} s, {} agents, connections live {} s on average",
            options.calls, options.agents, options.life
        ),
        format!(
            "{broken} connections broken; {} sessions saw {} events: 0 lost, 0 doubled, 0 out of order; views all true, {calls} calls stand, nobody signed out; \
             RSS of server 1 {:.0} MiB at the start, {:.0} after a tenth, {:.0} at the end; {:.0} % of a core",
            sum.sessions,
            sum.events,
            mib(from.rss_kib),
            mib(warm.unwrap_or_default()),
            mib(to.rss_kib),
            100.0 * (to.cpu_s - from.cpu_s) / took
        ),
    )])
}
