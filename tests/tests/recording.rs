//! On CCX an agent has the own call recorded; it ends with the call.

use anyhow::{Result, ensure};
use cti::{Dialect, sim};
use e2e::demo::{PASSWORD, in_process};
use e2e::scene::{Scene, play};
use finesse_server::config::Deployment;
use finesse_server::demo::System;

#[tokio::test]
async fn calls_are_recorded_on_ccx() -> Result<()> {
    let callers = sim::Callers { calls_per_minute: 0.0, talk: None, patience: None };
    let centre = sim::Config { callers, dialect: Dialect::Ccx, ..sim::Config::demo(4, PASSWORD) };
    let change = |config: &mut finesse_server::config::Config| {
        config.server.deployment = Deployment::Ccx;
        config.cti.version = 20;
    };
    let system = System::start_with(&in_process(4), centre, change).await?;
    play(system, story).await
}

async fn story(scene: Scene) -> Result<()> {
    let control = &scene.control;
    let recorded = || control.snapshot().calls.iter().filter(|c| c.recorded).count();
    let mut agent = scene.arrives("1002", "2002").await?;
    agent.becomes("LOGIN", "NOT_READY").await?;
    agent.becomes("READY", "READY").await?;
    let call = control.inject_call(sim::InboundCall::to_queue("0305550123", 1))?.to_string();
    agent.until_dialog("the call", |news| news.leg("2002") == Some("ALERTING")).await?;
    agent.acts(&call, "ANSWER", "2002").await?;
    let talks = agent.until_dialog("the answer", |news| news.leg("2002") == Some("ACTIVE")).await?;
    ensure!(talks.update.contains(">START_RECORDING<"), "{talks:?}");
    ensure!(recorded() == 0, "recorded before it was asked for");
    agent.acts(&call, "START_RECORDING", "2002").await?;
    // The phone's next request is sent when the one before has been confirmed.
    agent.acts(&call, "HOLD", "2002").await?;
    agent.until_dialog("on hold", |news| news.leg("2002") == Some("HELD")).await?;
    ensure!(recorded() == 1, "{:?}", control.snapshot().calls);
    let body = "<Dialog><requestedAction>START_RECORDING</requestedAction>\
                <targetMediaAddress>2002</targetMediaAddress></Dialog>";
    let (status, text) = agent.tries("PUT", &format!("Dialog/{call}"), body).await?;
    ensure!(status == 401 && text.contains("Invalid State"), "{status} {text}");
    agent.acts(&call, "DROP", "2002").await?;
    agent.until_dialog("the end", |news| news.event() == "DELETE").await?;
    ensure!(recorded() == 0, "still recorded");
    Ok(())
}
