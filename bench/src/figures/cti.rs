//! Loss of a CTI side: a socket that closes, and silence.

use anyhow::{Context, Result};

use super::{Options, Rows, Stage, spread};
use crate::centre::observer::Observer;
use crate::centre::process::PATIENCE;
use crate::centre::traffic::Traffic;
use crate::centre::unix_us;

pub(super) async fn run(options: &Options) -> Result<Rows> {
    let mut stage = Stage::set(options, true, false).await?;
    let traffic = Traffic::start(stage.site.control, options.calls_per_second, options.agents / 4).await?;
    traffic.go(true);
    tokio::time::sleep(std::time::Duration::from_secs(20)).await;
    let mut rows = Vec::new();
    for (what, side) in [("closed", 0), ("silent", 1)] {
        let observer = Observer::arrive(&stage.site.servers[0].node, 1).await?;
        let at = unix_us();
        match side {
            0 => stage.site.sides[0].kill().await?,
            _ => stage.site.sides[1].freeze()?,
        }
        let [out, back] = statuses(&observer).await?;
        stage
            .until(|records| records.iter().all(|record| record.at.is_some() && back_us(record) >= back))
            .await?;
        let moments = stage.brief().await?.iter().map(back_us).collect();
        let [_, most, all] = spread(moments, back)?;
        let after = |from: u64, to: u64| to.saturating_sub(from) as f64 / 1e6;
        rows.push((
            format!("CTI side {what}, {} agents", options.agents),
            format!(
                "out of service after {:.2} s, in service {:.2} s later; desktops have read everything anew {most:.2} s (99 %) and {all:.2} s (all) after that",
                after(at, out),
                after(out, back)
            ),
        ));
        match side {
            0 => stage.site.sides[0].restart().await?,
            _ => stage.site.sides[1].thaw()?,
        }
        // So that one loss is not taken for flapping with the next.
        tokio::time::sleep(std::time::Duration::from_secs(15)).await;
    }
    traffic.go(false);
    let calls = stage.settle().await?;
    rows.push(("views after that".into(), format!("all true, {calls} calls stand")));
    stage.end().await?;
    Ok(rows)
}

/// When the desktop last had read everything anew after an outage.
fn back_us(record: &crate::centre::desk::Record) -> u64 {
    record.sessions.last().and_then(|session| session.back_us).unwrap_or_default()
}

/// When an observer heard that the server was out of service, and that it was back.
async fn statuses(observer: &Observer) -> Result<[u64; 2]> {
    let start = std::time::Instant::now();
    loop {
        let status = observer.status();
        let out = status.iter().find(|(in_service, _)| !in_service);
        let back = out.and_then(|out| status.iter().find(|(in_service, at)| *in_service && *at >= out.1));
        if let (Some(out), Some(back)) = (out, back) {
            return Ok([out.1, back.1]);
        }
        (start.elapsed() < 2 * PATIENCE).then_some(()).context("the server does not change sides")?;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
