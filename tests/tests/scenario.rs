//! A scenario and a person in one centre: the customer of the script calls the person, who answers by REST.

use anyhow::{Context, Result, ensure};
use cti::sim;
use e2e::demo::{PASSWORD, in_process};
use e2e::scene::{Scene, play};
use finesse_server::demo::System;

const SCRIPT: &str = r#"
title = "A visitor"
agents = 4
steps = [
  { when = "1002 is AVAILABLE", within = "2m", customer = "0305550123", calls = 1, name = "ann", variables = { callVariable1 = "Ann" } },
  { when = "call ann talks at 2002", within = "2m", call = "ann", does = "hangs_up" },
  { expect = "no calls" },
]
"#;

#[tokio::test]
async fn a_person_meets_the_customer_of_a_scenario() -> Result<()> {
    let scenario = sim::Scenario::read("visitor.toml", SCRIPT)?;
    let system = System::start(&in_process(4), scenario.centre(PASSWORD)).await?;
    play(system, story).await
}

async fn story(scene: Scene) -> Result<()> {
    let control = &scene.control;
    let mut agent = scene.arrives("1002", "2002").await?;
    agent.becomes("LOGIN", "NOT_READY").await?;
    agent.becomes("READY", "READY").await?;
    let rings = agent.until_dialog("the call", |news| news.leg("2002") == Some("ALERTING")).await?;
    ensure!(rings.update.contains("Ann"), "{rings:?}");
    let call = control.snapshot().calls[0].id.to_string();
    agent.acts(&call, "ANSWER", "2002").await?;
    agent.until_dialog("the end", |news| news.event() == "DELETE").await?;
    let progress = control.scenario().context("a scenario is played")?;
    ensure!(progress.is_over() && progress.failed.is_none(), "{progress:?}");
    Ok(())
}
