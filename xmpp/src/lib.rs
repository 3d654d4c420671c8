//! Server side of XMPP streams and of the publish-subscribe service behind them.
//!
//! The crate has two halves. The *stream* half reads bytes ([`reader`]), drives negotiation
//! ([`stream`]: header, features, STARTTLS, SASL PLAIN, resource binding, time limits) and writes what an
//! outbox holds ([`splice`]). The *service* half answers stanzas of a bound session and turns XEP-0060
//! requests into calls of the [`broker`]. Both are sans-I/O: time and bytes come in as arguments, and what
//! has to be done outside leaves as an action. The shells [`tcp`] and [`websocket`] (cargo features of the
//! same names) own sockets and tasks; BOSH is a crate of its own on top of this one.
//!
//! Everything a stream says goes through its session's [`broker::Outbox`], so that answers and events keep
//! the order in which they were made.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod auth;
pub mod config;
pub mod error;
pub mod reader;
pub mod sasl;
pub mod service;
#[cfg(feature = "tcp")]
mod shell;
pub mod splice;
pub mod stream;
#[cfg(feature = "tcp")]
pub mod tcp;
#[cfg(feature = "websocket")]
pub mod websocket;
pub mod xml;

pub use auth::{AuthFailure, Authenticator, Credentials, Password, Principal};
pub use config::{Config, Conflict, Limits, Profile, Timeouts};
pub use error::StreamError;
pub use service::{Access, AccessPolicy, BindError, Bound, OpenPolicy, Service, event, notification};
pub use stream::{Action, Channel, Framing, Open, StartTls, Stream};
