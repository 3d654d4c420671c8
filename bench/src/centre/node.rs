//! One server as clients reach it, and what its SystemInfo says.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use clap::Parser as _;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::PASSWORD;
use crate::delivery::element;
use crate::options::Options;

/// Where a server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// REST, BOSH and WebSocket, in clear.
    pub http: SocketAddr,
    /// XMPP over TCP, in clear.
    pub xmpp: SocketAddr,
}

/// The part of SystemInfo that a client needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemInfo {
    /// `status` is IN_SERVICE.
    pub in_service: bool,
    /// `xmppDomain`.
    pub domain: String,
    /// `xmppPubSubDomain`.
    pub pubsub: String,
}

impl Node {
    /// Asks for SystemInfo, without credentials.
    ///
    /// # Errors
    /// The node does not answer, or with something else.
    pub async fn system_info(&self) -> Result<SystemInfo> {
        let mut stream = TcpStream::connect(self.http).await?;
        let request = "GET /finesse/api/SystemInfo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let status = element(&answer, "status").with_context(|| format!("no status in {answer:?}"))?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let text = |name| element(&answer, name).map(str::to_owned).context(name);
        Ok(SystemInfo {
            in_service: status == "IN_SERVICE",
            domain: text("xmppDomain")?,
            pubsub: text("xmppPubSubDomain")?,
        })
    }

    /// What a client of the rig needs to connect.
    pub fn options(&self, info: &SystemInfo, bosh_wait: u32) -> Options {
        let mut options = Options::parse_from(["load", "idle"]);
        options.host = self.http.ip().to_string();
        options.port = self.xmpp.port();
        options.http_port = self.http.port();
        options.domain.clone_from(&info.domain);
        options.pubsub.clone_from(&info.pubsub);
        options.password = PASSWORD.into();
        options.bosh_wait = bosh_wait;
        options
    }
}
