//! Foreign clients that do as they are told live an agent's day: they sign in, subscribe and unsubscribe, take a
//! call, lose their connection and come back, and are replaced by a second session. See `e2e::day`.

use anyhow::Result;
use e2e::clients::{folder, installed};
use e2e::day::{at_the_desk, until_replaced, with_extensions};
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

fn libstrophe(transport: &'static str) -> impl Fn() -> Result<Command> {
    move || {
        let mut command = Command::new(installed("libstrophe/desk")?);
        command.arg(transport);
        Ok(command)
    }
}

#[tokio::test]
async fn libstrophe_over_tcp() -> Result<()> {
    at_the_desk(libstrophe("plain")).await
}

#[tokio::test]
async fn libstrophe_over_tcp_with_starttls() -> Result<()> {
    at_the_desk(libstrophe("starttls")).await
}

#[tokio::test]
async fn libstrophe_over_tls() -> Result<()> {
    at_the_desk(libstrophe("tls")).await
}

#[tokio::test]
async fn tokio_xmpp_over_tcp() -> Result<()> {
    at_the_desk(|| Ok(Command::new(env!("CARGO_BIN_EXE_tokio-xmpp-desk")))).await
}

fn smack(transport: &'static str) -> impl Fn() -> Result<Command> {
    move || {
        let (jars, classes) = (installed("smack45-jars")?, installed("smack45-classes")?);
        let mut command = Command::new("java");
        command
            .arg("-cp")
            .arg(format!("{}:{}/*", classes.display(), jars.display()))
            .arg("Desk")
            .arg(transport);
        Ok(command)
    }
}

#[tokio::test]
async fn smack_over_tcp_with_starttls() -> Result<()> {
    at_the_desk(smack("tcp")).await
}

#[tokio::test]
async fn smack_over_bosh() -> Result<()> {
    // It knows that there was a stream error, but not which.
    until_replaced(smack("bosh"), "unreadable").await
}

#[tokio::test]
async fn smack_over_websocket() -> Result<()> {
    at_the_desk(smack("ws")).await
}

#[tokio::test]
async fn x78_x80_xmppjs_over_tls_takes_every_extension() -> Result<()> {
    with_extensions(xmppjs("tls"), true).await
}

#[tokio::test]
async fn x78_x80_xmppjs_over_websocket_takes_every_extension() -> Result<()> {
    with_extensions(xmppjs("wss"), true).await
}

#[tokio::test]
async fn x78_x80_smack_over_tcp_takes_scram_and_stream_management() -> Result<()> {
    with_extensions(smack("tcp"), true).await
}

#[tokio::test]
async fn x80_smack_over_websocket_beside_extensions() -> Result<()> {
    with_extensions(smack("ws"), false).await
}

#[tokio::test]
async fn x78_x80_libstrophe_over_tls_beside_extensions() -> Result<()> {
    with_extensions(libstrophe("tls"), false).await
}

#[tokio::test]
async fn x78_x80_tokio_xmpp_over_tcp_takes_stream_management() -> Result<()> {
    with_extensions(|| Ok(Command::new(env!("CARGO_BIN_EXE_tokio-xmpp-desk"))), true).await
}
