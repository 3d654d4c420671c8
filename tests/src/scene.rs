//! A whole system in this process, with people who act in it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use cti::sim;
use finesse_server::demo::System;
use load::options::Options;
use tokio::task::LocalSet;

use crate::demo::PASSWORD;
use crate::person::Person;

/// Where the people of a story live, and the simulator's hand.
#[derive(Debug)]
pub struct Scene {
    options: Options,
    rest: String,
    /// Acts on the simulated centre.
    pub control: sim::Control,
}

impl Scene {
    /// An agent arrives at a phone: notifications first, not signed in yet.
    pub async fn arrives(&self, user: &str, extension: &str) -> Result<Person> {
        Person::arrive(&self.options, &self.rest, user, extension).await
    }
}

/// Waits until `system` is in service, lets `story` happen, and stops it.
pub async fn play(system: System, story: impl AsyncFnOnce(Scene) -> Result<()>) -> Result<()> {
    ensure!(system.server.in_service(Duration::from_secs(30)).await, "does not come into service");
    let addresses = system.server.addresses();
    let mut options = Options::parse_from(["load", "idle"]);
    options.password = PASSWORD.into();
    options.port = addresses.xmpp.context("XMPP listens")?.port();
    let rest = addresses.http.context("HTTP listens")?.to_string();
    let scene = Scene { options, rest, control: system.simulator.control() };
    let told = LocalSet::new().run_until(story(scene)).await;
    system.stop().await;
    told
}
