//! A scenario and a person in one centre: the customer of the script calls the person, who answers by REST.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use cti::sim;
use e2e::demo::{PASSWORD, in_process};
use e2e::person::Person;
use finesse_server::demo::System;
use load::options::Options;
use tokio::task::LocalSet;

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
    ensure!(system.server.in_service(Duration::from_secs(30)).await, "does not come into service");
    let addresses = system.server.addresses();
    let mut options = Options::parse_from(["load", "idle"]);
    options.password = PASSWORD.into();
    options.port = addresses.xmpp.context("XMPP listens")?.port();
    let rest = addresses.http.context("HTTP listens")?.to_string();
    LocalSet::new().run_until(story(&options, &rest, &system.simulator.control())).await?;
    system.stop().await;
    Ok(())
}

async fn story(options: &Options, rest: &str, control: &sim::Control) -> Result<()> {
    let mut agent = Person::arrive(options, rest, "1002", "2002").await?;
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
