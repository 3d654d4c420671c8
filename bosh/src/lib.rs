//! XMPP over BOSH: bidirectional streams over synchronous HTTP (XEP-0124, XEP-0206).
//!
//! Two layers. [`core`] is the protocol without I/O: bodies, the order of requests, holding, repetition,
//! acknowledgements, keys, the end of a session. [`Endpoint`] (cargo feature `http`) puts it behind hyper:
//! it can be mounted at any path of any hyper 1 server, keeps the table of sessions, and connects each of
//! them with an [`xmpp::stream::Stream`], so that authentication, resource binding, presence and
//! publish-subscribe are those of every other transport.
//!
//! A session between two polls is an entry in a table: it has no task, no timer object and no parser. A held
//! request is a future in the task of its HTTP connection. What the client is owed is either in its outbox or
//! among its last answers, which are kept for repetition until newer ones push them out.
//!
//! # Mounting it
//!
//! ```
//! use std::future::ready;
//! use std::sync::Arc;
//!
//! use bosh::{Body, Config, Endpoint};
//! use broker::Broker;
//! use hyper::Request;
//! use xmpp::auth::Verdict;
//! use xmpp::{Authenticator, Credentials, OpenPolicy, Principal, Service};
//!
//! struct Anybody;
//!
//! impl Authenticator for Anybody {
//!     fn authenticate(&self, login: Credentials) -> Verdict {
//!         Box::pin(ready(Ok(Principal { user: login.user.into(), tag: 0 })))
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let broker = Broker::new(broker::Config::default());
//! let service =
//!     Service::new(xmpp::Config::new("localhost"), broker, Arc::new(Anybody), Arc::new(OpenPolicy));
//! let endpoint = Endpoint::new(service, Config::default());
//!
//! // In a server the request comes from a connection; its body may be of any type.
//! let body = "<body rid='1' to='localhost' wait='30' hold='1' ver='1.9' \
//!             xmlns='http://jabber.org/protocol/httpbind'/>";
//! let request = Request::post("/http-bind/").body(Body::new(body.into())).unwrap();
//! let response = endpoint.handle(request, None, true).await;
//! assert_eq!(response.status(), 200);
//! assert_eq!(endpoint.stats().sessions, 1);
//! # });
//! ```
//!
//! Clients keep a second connection for what they have to say while a request is held on the first. hyper's
//! `header_read_timeout` also ends connections that wait between requests: set it above the longest `wait`
//! (60 s by default), or such a client finds its connection closed when it needs it.
//!
//! The caller chooses the paths (`/http-bind` and `/http-bind/` by custom), accepts connections, and sets
//! hyper's limits on headers. A whole server is in `examples/src/bin/foreign_server.rs`.
//!
//! # Versions
//!
//! A minor version may add fields to configuration structures and statistics, variants to enumerations that are
//! marked `non_exhaustive`, and methods with a default to traits. Write configuration with `..Default::default()`
//! (or change what `new` gives), so that it goes on compiling.

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
pub use config::{Config, Limits};
#[cfg(feature = "http")]
pub use http::{ConnectionService, Endpoint};
#[cfg(feature = "http")]
pub use response::Body;
#[cfg(feature = "http")]
pub use stats::Stats;
#[cfg(feature = "http")]
pub use xmpp::{BadNetwork, Network, Origins};
