//! An application in front of the component listener: slixmpp publishes to a client of the same library.

use anyhow::{Context, Result};
use e2e::clients::{folder, installed, run};
use e2e::demo::Demo;
use tokio::process::Command;

#[tokio::test]
async fn x79_slixmpp_publishes_as_a_component_to_a_client() -> Result<()> {
    let mut demo =
        Demo::start(&["--agents", "2", "--calls-per-minute", "0", "--component-port", "0"]).await?;
    let address = demo.ready.component.clone().context("no component listener")?;
    let mut command = Command::new(installed("python/bin/python")?);
    command.arg(folder().join("slixmpp/component.py")).env("FINESSE_COMPONENT", address);
    run(&demo, "1002", "2002", &mut command).await?;
    assert!(demo.alive(), "the server ended");
    assert_eq!(demo.interrupt().await?, 0, "Ctrl-C ends cleanly");
    Ok(())
}
