//! The sample page in headless Chromium, driven by keyboard.

use anyhow::Result;
use e2e::clients::{folder, installed, run};
use e2e::demo::Demo;
use tokio::process::Command;

fn drive(demo: &Demo, arguments: &[&str]) -> Result<Command> {
    installed("npm")?;
    let ready = &demo.ready;
    let mut command = Command::new("node");
    command
        .arg(folder().join("page/drive.mjs"))
        .args(arguments)
        .env("FINESSE_PID", ready.pid.to_string())
        .env("FINESSE_HTTPS", &ready.https)
        .env("FINESSE_BOSH_TLS", &ready.bosh_tls);
    Ok(command)
}

/// An agent's day by keyboard; at its end the script kills the server and wants to see that said.
async fn story(transport: &str) -> Result<()> {
    let demo = Demo::start(&["--agents", "4", "--calls-per-minute", "30"]).await?;
    let mut command = drive(&demo, &["story", transport])?;
    run(&demo, "1002", "2002", &mut command).await?;
    Ok(())
}

#[tokio::test]
async fn an_agents_day_over_websocket() -> Result<()> {
    story("websocket").await
}

#[tokio::test]
async fn an_agents_day_over_bosh() -> Result<()> {
    story("bosh").await
}

#[tokio::test]
async fn the_page_works_from_every_listener() -> Result<()> {
    let demo = Demo::start(&["--agents", "4", "--calls-per-minute", "0"]).await?;
    let mut command = drive(&demo, &["origins"])?;
    run(&demo, "1003", "2003", &mut command).await?;
    Ok(())
}
