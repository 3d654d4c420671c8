//! kill -9 of the server that everybody is at, while calls go on.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Options, Rows, Stage, losses, spread};
use crate::centre::traffic::Traffic;
use crate::centre::unix_us;

pub(super) async fn run(options: &Options) -> Result<Rows> {
    let mut stage = Stage::set(options, true, false).await?;
    let traffic = Traffic::start(stage.site.control, options.calls_per_second, options.agents / 4).await?;
    traffic.go(true);
    tokio::time::sleep(Duration::from_secs(20)).await;
    let at = unix_us();
    stage.site.servers[0].kill().await?;
    stage.until(|records| records.iter().all(|record| record.at == Some(1))).await?;
    let records = stage.brief().await?;
    let ready = |record: &crate::centre::desk::Record| {
        record.sessions.last().and_then(|session| session.ready_us).context("no session")
    };
    let [first, most, all] = spread(records.iter().map(ready).collect::<Result<_>>()?, at)?;
    let losses = losses(&records);
    traffic.go(false);
    let calls = stage.settle().await?;
    let listening = stage.site.servers[0].restart().await?.as_secs_f64();
    let serving = stage.site.servers[0].in_service().await?.as_secs_f64();
    stage.end().await?;
    Ok(vec![
        (
            format!("kill -9 of server 1 with {} agents: subscribed and current at server 2", options.agents),
            format!(
                "{first:.2} s (first), {most:.2} s (99 %), {all:.2} s (all); views all true, {calls} calls stand, nobody signed out"
            ),
        ),
        ("what ended sessions and attempts".into(), losses),
        (
            "server 1 started again".into(),
            format!("answers after {listening:.2} s, in service {serving:.2} s later"),
        ),
    ])
}
