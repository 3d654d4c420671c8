//! Who closes the browser without signing out is signed out, with 255, and only he: over real sockets, against the
//! simulated CTI server.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use cti::sim;
use e2e::demo::{PASSWORD, in_process};
use e2e::person::Person;
use finesse_server::demo::System;
use load::options::Options;

/// State and reason of an agent as the telephone system knows them.
fn truth(control: &sim::Control, id: &str) -> Result<(String, u16)> {
    let agent =
        control.snapshot().agents.into_iter().find(|agent| agent.id == id).context("no such agent")?;
    Ok((agent.state.to_string(), agent.reason))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n46_who_goes_without_a_word_is_signed_out_with_255_and_who_stays_is_not() -> Result<()> {
    let mut centre = sim::Config::demo(20, PASSWORD);
    centre.callers.calls_per_minute = 0.0;
    let system =
        System::start_with(&in_process(20), centre, |config| config.absence.grace_seconds = 1).await?;
    ensure!(system.server.in_service(Duration::from_secs(30)).await, "does not come into service");
    let control = system.simulator.control();
    let addresses = system.server.addresses();
    let mut options = Options::parse_from(["load", "idle"]);
    options.password = PASSWORD.into();
    options.port = addresses.xmpp.context("XMPP listens")?.port();
    let rest = addresses.http.context("HTTP listens")?.to_string();

    let mut stays = Person::arrive(&options, &rest, "1003", "2003").await?;
    stays.becomes("LOGIN", "NOT_READY").await?;
    let mut goes = Person::arrive(&options, &rest, "1002", "2002").await?;
    goes.becomes("LOGIN", "NOT_READY").await?;
    drop(goes);
    let signed_out = async {
        while truth(&control, "1002")?.0 != "LOGOUT" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    };
    if tokio::time::timeout(Duration::from_secs(30), signed_out).await.is_err() {
        bail!("is still {:?}", truth(&control, "1002")?);
    }
    assert_eq!(truth(&control, "1002")?, ("LOGOUT".to_owned(), 255));
    assert_eq!(truth(&control, "1003")?.0, "NOT_READY");
    system.stop().await;
    Ok(())
}
