//! The page that the server shows at `/` is driven in headless Chromium through an agent's day.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::clients::{folder, installed};
use e2e::demo::{Demo, PASSWORD};
use tokio::process::Command;

async fn drive(transport: &str) -> Result<()> {
    installed("npm")?;
    let demo = Demo::start(&["--agents", "4", "--calls-per-minute", "30"]).await?;
    let mut command = Command::new("node");
    command.arg(folder().join("strophe/page.mjs")).args([
        &format!("{}/", demo.ready.http),
        PASSWORD,
        transport,
    ]);
    let output = tokio::time::timeout(Duration::from_secs(180), command.kill_on_drop(true).output());
    let output = output.await.context("the page does not get through its day")??;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[tokio::test]
async fn over_websocket() -> Result<()> {
    drive("websocket").await
}

#[tokio::test]
async fn over_bosh() -> Result<()> {
    drive("bosh").await
}
