//! Foreign clients that do as they are told live an agent's day: they sign in, subscribe and unsubscribe, take a
//! call, lose their connection and come back, and are replaced by a second session. See `e2e::day`.

use anyhow::Result;
use e2e::clients::{folder, installed};
use e2e::day::at_the_desk;
use tokio::process::Command;

fn xmppjs(transport: &'static str) -> impl Fn() -> Result<Command> {
    move || {
        installed("npm")?;
        let mut command = Command::new("node");
        // The demo's certificate is its own.
        command.env("NODE_TLS_REJECT_UNAUTHORIZED", "0").env("NODE_NO_WARNINGS", "1");
        command.arg(folder().join("xmppjs/desk.mjs")).arg(transport);
        Ok(command)
    }
}

#[tokio::test]
async fn xmppjs_over_tcp_with_starttls() -> Result<()> {
    at_the_desk(xmppjs("tcp")).await
}

#[tokio::test]
async fn xmppjs_over_tls() -> Result<()> {
    at_the_desk(xmppjs("tls")).await
}

#[tokio::test]
async fn xmppjs_over_websocket() -> Result<()> {
    at_the_desk(xmppjs("ws")).await
}

#[tokio::test]
async fn xmppjs_over_websocket_with_tls() -> Result<()> {
    at_the_desk(xmppjs("wss")).await
}
