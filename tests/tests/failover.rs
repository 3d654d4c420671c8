//! Two servers, a CTI server pair and agents at work, each a process of its own, of which one after the other is killed,
//! stopped or cut off. After each fault every desktop shows what the simulator knows, every session has seen an unbroken
//! piece of what its server published, and nobody is signed out.
//!
//! `FAILOVER_AGENTS` (200, a multiple of four) and `FAILOVER_CALLS` (calls in a second, 10) make it larger:
//! `cargo test -p e2e --test failover -- --nocapture`.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::failover::{Size, Trial};
use load::centre::configuration::Scale;
use serde_json::json;
use tokio::sync::Mutex;

/// Seconds after which an agent who is nowhere is signed out.
const GRACE: u32 = 15;

/// One site at a time.
static TURN: Mutex<()> = Mutex::const_new(());

fn number(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// Times are a fraction of what they are in the field, so that a run lasts minutes.
fn size() -> Size {
    let agents = number("FAILOVER_AGENTS", 200) as usize;
    let calls_per_second = number("FAILOVER_CALLS", 10);
    let scale =
        Scale { agents, heartbeat: 1, idle: 3, inactivity: 5, grace: GRACE, steady: 1, usual_hashes: false };
    Size { scale, calls_per_second, calls: agents / 3 }
}

async fn start() -> Result<Trial> {
    Trial::start(size(), env!("CARGO_BIN_EXE_centre-parts")).await
}

/// Waits until both servers have told of an end of service and of its return more often than `before`.
async fn through(trial: &mut Trial, before: [usize; 2]) -> Result<()> {
    for (node, before) in before.into_iter().enumerate() {
        let out = trial.until_told(node, false, before + 1).await?;
        let back = trial.until_told(node, true, before + 1).await?;
        let (out, back) = (out.as_secs_f64(), back.as_secs_f64());
        trial.say(&format!("server {}: out of service after {out:.2} s, back {back:.2} s later", node + 1));
    }
    Ok(())
}

fn outs(trial: &mut Trial) -> Result<[usize; 2]> {
    Ok([trial.times(0, false)?, trial.times(1, false)?])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cti_sides_fail() -> Result<()> {
    let _turn = TURN.lock().await;
    let mut trial = start().await?;
    trial.calls(30).await?;
    trial.check("before any fault").await?;

    trial.calls(20).await?;
    let before = outs(&mut trial)?;
    trial.site.sides[0].kill().await?;
    trial.say("kill -9 of CTI side A");
    through(&mut trial, before).await?;
    ensure!(trial.site.door.sessions().await? == [0, 2], "both are at side B");
    trial.check("side A killed").await?;
    trial.site.sides[0].restart().await?;

    trial.calls(20).await?;
    let before = outs(&mut trial)?;
    trial.site.sides[1].freeze()?;
    trial.say("SIGSTOP of CTI side B");
    through(&mut trial, before).await?;
    trial.check("side B stopped").await?;
    trial.site.sides[1].thaw()?;

    trial.calls(20).await?;
    let before = outs(&mut trial)?;
    trial.site.door.order(json!({"do": "drop_link", "side": "a"})).await?;
    trial.say("all connections of side A cut");
    through(&mut trial, before).await?;
    trial.check("link cut").await?;

    trial.calls(20).await?;
    let before = outs(&mut trial)?;
    for side in &mut trial.site.sides {
        side.kill().await?;
    }
    trial.say("kill -9 of both CTI sides");
    for node in [0, 1] {
        trial.until_told(node, false, before[node] + 1).await?;
    }
    // Calls begin, end and ring in vain meanwhile.
    trial.calls(40).await?;
    for side in &mut trial.site.sides {
        side.restart().await?;
    }
    trial.say("both CTI sides are back");
    through(&mut trial, before).await?;
    trial.check("both sides killed and back").await?;

    trial.calls(20).await?;
    for _ in 0..4 {
        for side in ["a", "b"] {
            trial.site.door.order(json!({"do": "drop_link", "side": side})).await?;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    trial.say("sides came and went eight times");
    trial.check("flapping").await?;
    trial.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_and_networks_fail() -> Result<()> {
    let _turn = TURN.lock().await;
    let mut trial = start().await?;
    trial.calls(20).await?;
    trial.check("before any fault").await?;

    trial.calls(10).await?;
    trial.site.servers[0].kill().await?;
    trial.say("kill -9 of server 1");
    let moved = trial.until_at(&[1]).await?;
    trial.say(&format!("everybody is at server 2 and in service after {:.2} s", moved.as_secs_f64()));
    trial.check("server 1 killed").await?;

    let listening = trial.site.servers[0].restart().await?;
    let serving = trial.site.servers[0].in_service().await?;
    let (listening, serving) = (listening.as_secs_f64(), serving.as_secs_f64());
    trial.say(&format!("server 1 started: answers after {listening:.2} s, in service {serving:.2} s later"));
    trial.watch(0).await?;
    trial.go_to(0).await?;
    trial.check("everybody went back").await?;

    trial.calls(10).await?;
    trial.site.servers[0].process()?.freeze()?;
    trial.say("SIGSTOP of server 1");
    let moved = trial.until_at(&[1]).await?;
    trial.say(&format!("everybody is at server 2 and in service after {:.2} s", moved.as_secs_f64()));
    trial.check("server 1 stopped").await?;
    trial.site.servers[0].process()?.thaw()?;
    trial.site.servers[0].in_service().await?;
    trial.say("SIGCONT of server 1");
    // It took the observer for dead, who was silent as far as it could hear.
    trial.watch(0).await?;
    trial.calls(10).await?;
    trial.go_to(0).await?;
    trial.check("server 1 goes on").await?;

    trial.calls(10).await?;
    trial.cut()?;
    trial.say("network of half of the agents cut");
    tokio::time::sleep(Duration::from_secs(6)).await;
    trial.mend()?;
    trial.say("network mended");
    trial.until_at(&[0, 1]).await?;
    trial.check("network cut and mended").await?;
    // A dead connection is noticed after twice `idle`, and then the grace begins. Who has gone to the other server by
    // then, and that is all whom the cut kept from the first, is not signed out by it.
    tokio::time::sleep(Duration::from_secs(u64::from(GRACE) + 10)).await;
    trial.check("a whole grace period later").await?;
    trial.end().await
}
