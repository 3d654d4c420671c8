//! XMPP over BOSH: bidirectional streams over synchronous HTTP (XEP-0124, XEP-0206).
//!
//! Two layers. [`core`] is the protocol without I/O: bodies, the order of requests, holding, repetition,
//! acknowledgements, keys, the end of a session. [`Endpoint`] (cargo feature `http`) puts it behind hyper:
//! it can be mounted at any path of any hyper 1 server, keeps the table of sessions, and connects each of
//! them with an [`xmpp::stream::Stream`], so that authentication, resource binding, presence and
//! publish-subscribe are those of every other transport.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod core;

#[cfg(feature = "http")]
mod cell;
#[cfg(feature = "http")]
mod config;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http")]
mod intake;
#[cfg(feature = "http")]
mod limits;
#[cfg(feature = "http")]
mod registry;
#[cfg(feature = "http")]
mod response;
#[cfg(feature = "http")]
mod stats;

#[cfg(feature = "http")]
pub use config::{BadNetwork, Config, Limits, Network};
#[cfg(feature = "http")]
pub use http::{ConnectionService, Endpoint};
#[cfg(feature = "http")]
pub use response::Body;
#[cfg(feature = "http")]
pub use stats::Stats;
