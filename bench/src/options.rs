//! Command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Session set-up: server CPU and memory per session
    Connect,
    /// Each item goes to one subscriber's own node
    Unicast,
    /// Each item goes to all members of a team node
    Fanout,
    /// Sessions that only wait
    Idle,
    /// Every connection breaks at once, and all come back and subscribe again
    Storm,
}

/// How subscribers connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// RFC 6120 over plain TCP
    Tcp,
    /// XEP-0124 and XEP-0206
    Bosh,
    /// RFC 7395
    Ws,
    /// The NATS client protocol; publishers use it too
    Nats,
}

/// Load rig for XMPP notification servers.
#[derive(Parser, Clone, Debug)]
pub struct Options {
    #[arg(value_enum)]
    pub mode: Mode,
    #[arg(long, value_enum, default_value = "tcp")]
    pub transport: Transport,
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Address to connect from, on a machine that has several
    #[arg(long)]
    pub source: Option<IpAddr>,
    /// Plain XMPP (or NATS) port; publishers always use it
    #[arg(long, default_value_t = 5222)]
    pub port: u16,
    /// Port of /http-bind/ and of the WebSocket
    #[arg(long, default_value_t = 7071)]
    pub http_port: u16,
    #[arg(long, default_value = "/http-bind/")]
    pub bosh_path: String,
    #[arg(long, default_value = "/ws/")]
    pub ws_path: String,
    #[arg(long, default_value = "localhost")]
    pub domain: String,
    #[arg(long, default_value = "pubsub.localhost")]
    pub pubsub: String,
    #[arg(long, default_value = "secret")]
    pub password: String,
    /// Subscriber sessions
    #[arg(short = 'n', long, default_value_t = 500)]
    pub sessions: usize,
    /// Further sessions that only wait while the others are served
    #[arg(long, default_value_t = 0)]
    pub beside: usize,
    /// Members of a team (fanout)
    #[arg(short = 't', long, default_value_t = 50)]
    pub team: usize,
    /// Measured items
    #[arg(short = 'm', long, default_value_t = 5000)]
    pub items: usize,
    /// Items before the measurement starts
    #[arg(long, default_value_t = 500)]
    pub warmup: usize,
    /// Items in flight when no rate is given; an item is in flight until all its subscribers have it
    #[arg(short = 'w', long, default_value_t = 64)]
    pub window: usize,
    /// Items a second on a fixed schedule
    #[arg(short = 'r', long)]
    pub rate: Option<f64>,
    /// Bytes of text in an item
    #[arg(short = 's', long, default_value_t = 1024)]
    pub size: usize,
    /// Seconds to hold sessions (idle)
    #[arg(long, default_value_t = 60)]
    pub duration: u64,
    /// BOSH `wait` in seconds
    #[arg(long, default_value_t = 30)]
    pub bosh_wait: u32,
    /// Logins under way at once
    #[arg(long, default_value_t = 64)]
    pub concurrency: usize,
    /// Process id of the server, for CPU time and memory
    #[arg(long)]
    pub pid: Option<u32>,
    /// Name of the server in the report
    #[arg(long, default_value = "own")]
    pub label: String,
    /// Write the report here as JSON too
    #[arg(long)]
    pub json: Option<PathBuf>,
}

impl Options {
    /// Node that subscriber `i` listens to.
    pub fn node(&self, i: usize) -> String {
        let slash = if self.transport == Transport::Nats { "load." } else { "/load/" };
        match self.mode {
            Mode::Fanout => format!("{slash}team{}", i / self.team),
            _ => format!("{slash}user{i}"),
        }
    }

    /// Number of distinct nodes.
    pub fn nodes(&self) -> usize {
        match self.mode {
            Mode::Fanout => self.sessions.div_ceil(self.team),
            _ => self.sessions,
        }
    }

    /// Subscribers of node number `node`.
    pub fn subscribers(&self, node: usize) -> usize {
        match self.mode {
            Mode::Fanout => self.team.min(self.sessions - node * self.team),
            _ => 1,
        }
    }

    /// Name of node number `node`.
    pub fn node_name(&self, node: usize) -> String {
        if self.mode == Mode::Fanout { self.node(node * self.team) } else { self.node(node) }
    }
}
