//! Foreign clients live an agent's day: sign in, ready, a call answered, held, retrieved and dropped, not ready,
//! sign out. What they see must be what `finesse-server watch` sees over a connection of its own, in its order.

use anyhow::Result;
use e2e::clients::{folder, installed, lives_the_story};
use e2e::demo::Demo;
use tokio::process::Command;

async fn story(command: Command) -> Result<()> {
    story_with(&[], command).await
}

async fn story_with(options: &[&str], command: Command) -> Result<()> {
    // One call every two seconds and nobody else ready: the agent is offered one soon.
    let options = [&["--agents", "4", "--calls-per-minute", "30"], options].concat();
    let mut demo = Demo::start(&options).await?;
    lives_the_story(&demo, "1002", "2002", command).await?;
    assert!(demo.alive(), "the server ended");
    assert_eq!(demo.interrupt().await?, 0, "Ctrl-C ends cleanly");
    Ok(())
}

fn node(script: &str, transport: &str) -> Result<Command> {
    installed("npm")?;
    let mut command = Command::new("node");
    command.arg(folder().join("strophe").join(script)).arg(transport);
    Ok(command)
}

fn smack(transport: &str) -> Result<Command> {
    let jars = installed("smack-jars")?;
    let classes = installed("smack-classes")?;
    let mut command = Command::new("java");
    command.arg("-cp").arg(format!("{}:{}/*", classes.display(), jars.display())).arg("Agent").arg(transport);
    Ok(command)
}

fn slixmpp() -> Result<Command> {
    let mut command = Command::new(installed("python/bin/python")?);
    command.arg(folder().join("slixmpp/agent.py"));
    Ok(command)
}

#[tokio::test]
async fn slixmpp_over_tcp() -> Result<()> {
    story(slixmpp()?).await
}

#[tokio::test]
async fn x78_x80_slixmpp_over_tcp_with_scram_and_stream_management() -> Result<()> {
    story_with(&["--extensions"], slixmpp()?).await
}

#[tokio::test]
async fn x80_strophe_in_node_over_websocket_beside_extensions() -> Result<()> {
    story_with(&["--extensions"], node("node.mjs", "ws")?).await
}

#[tokio::test]
async fn x80_strophe_in_node_over_bosh_beside_extensions() -> Result<()> {
    story_with(&["--extensions"], node("node.mjs", "bosh")?).await
}

#[tokio::test]
async fn strophe_in_node_over_bosh() -> Result<()> {
    story(node("node.mjs", "bosh")?).await
}

#[tokio::test]
async fn strophe_in_node_over_websocket() -> Result<()> {
    story(node("node.mjs", "ws")?).await
}

#[tokio::test]
async fn strophe_in_chromium_over_bosh() -> Result<()> {
    story(node("chromium.mjs", "bosh")?).await
}

#[tokio::test]
async fn strophe_in_chromium_over_websocket() -> Result<()> {
    story(node("chromium.mjs", "ws")?).await
}

#[tokio::test]
async fn smack_over_tcp() -> Result<()> {
    story(smack("tcp")?).await
}

#[tokio::test]
async fn smack_over_bosh() -> Result<()> {
    story(smack("bosh")?).await
}
