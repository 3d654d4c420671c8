//! The server behind an agent desktop: REST, notifications, CTI and sign-in in one process.
//!
//! Most people want the program; `finesse-server --help` lists its commands. The library is for tests and for programs
//! that start the whole system themselves. This one starts a simulated telephone system and a server in front of it on
//! free ports, waits until it is in service, lets a customer call, and ends both:
//!
//! ```
//! use std::time::Duration;
//!
//! use clap::Parser;
//! use finesse_server::cli::DemoArgs;
//! use finesse_server::demo::System;
//!
//! #[derive(Parser)]
//! struct Options {
//!     #[command(flatten)]
//!     demo: DemoArgs,
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> anyhow::Result<()> {
//! let ports = ["http", "https", "bosh", "bosh-tls", "xmpp", "xmpp-tls", "cti"].map(|port| format!("--{port}-port=0"));
//! let options = Options::parse_from(std::iter::once("demo".to_owned()).chain(ports));
//! let system = System::start(&options.demo, cti::sim::Config::demo(20, "secret")).await?;
//! assert!(system.server.in_service(Duration::from_secs(10)).await);
//! let customer = cti::sim::InboundCall::to_queue("0305550123", 1);
//! system.simulator.control().inject_call(customer).expect("queue 1 exists");
//! system.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Where to read on: [`server`] puts the parts together, [`model`] is the contact centre as the CTI server tells it,
//! [`notify`] says who hears of what, [`rest`] and [`realm`] are the door, [`config`] is the file.

pub mod absence;
pub mod access;
pub mod api;
pub mod authority;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod core;
pub mod demo;
pub mod directory;
pub mod explain;
pub mod health;
pub mod http;
pub mod maintenance;
pub mod model;
pub mod notify;
pub mod pages;
pub mod peer;
pub mod realm;
pub mod rest;
pub mod server;
pub mod watch;
