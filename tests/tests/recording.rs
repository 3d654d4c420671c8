//! On CCX an agent has the own call recorded; it ends with the call.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use cti::{Dialect, sim};
use e2e::demo::{PASSWORD, in_process};
use e2e::person::Person;
use finesse_server::config::Deployment;
use finesse_server::demo::System;
use load::options::Options;
use tokio::task::LocalSet;

#[tokio::test]
async fn calls_are_recorded_on_ccx() -> Result<()> {
    let callers = sim::Callers { calls_per_minute: 0.0, talk: None, patience: None };
    let centre = sim::Config { callers, dialect: Dialect::Ccx, ..sim::Config::demo(4, PASSWORD) };
    let change = |config: &mut finesse_server::config::Config| {
        config.server.deployment = Deployment::Ccx;
        config.cti.version = 20;
    };
    let system = System::start_with(&in_process(4), centre, change).await?;
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
    let recorded = || control.snapshot().calls.iter().filter(|c| c.recorded).count();
    let mut agent = Person::arrive(options, rest, "1002", "2002").await?;
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
