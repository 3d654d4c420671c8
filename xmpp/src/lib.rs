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
//!
//! A login without any I/O:
//!
//! ```
//! use std::collections::VecDeque;
//! use std::sync::Arc;
//! use std::time::Instant;
//! use xmpp::{Action, AuthFailure, Authenticator, Channel, Config, Credentials, Framing};
//! use xmpp::{OpenPolicy, Principal, Question, Service, Stream};
//!
//! struct Realm;
//! impl Authenticator for Realm {
//!     fn authenticate(&self, c: Credentials) -> xmpp::auth::Verdict {
//!         let good = c.password.expose() == "secret";
//!         let who = Principal { user: c.user.into(), tag: 0 };
//!         Box::pin(async move { if good { Ok(who) } else { Err(AuthFailure::NotAuthorized) } })
//!     }
//! }
//!
//! let broker = broker::Broker::new(broker::Config::default());
//! let service = Service::new(Config::new("localhost"), broker, Arc::new(Realm), Arc::new(OpenPolicy));
//! let now = Instant::now();
//! let mut stream = Stream::new(service, Framing::Tcp, Channel::default(), now);
//!
//! let mut input: &[u8] = b"<stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
//!     xmlns:stream='http://etherx.jabber.org/streams'>\
//!     <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>ADEwMDEAc2VjcmV0</auth>";
//! stream.handle_bytes(now, &mut input);
//! let Some(Action::Authenticate(Question::Password(asked))) = stream.poll_action() else { panic!() };
//! assert_eq!(asked.user, "1001");
//! // A shell asks the realm here (`Service::ask`), and waits; see `tcp` for one that does.
//! stream.handle_auth(now, Ok(Principal { user: "1001".into(), tag: 0 }));
//!
//! let (mut parcels, mut said) = (VecDeque::new(), Vec::new());
//! stream.try_take(now, &mut parcels, usize::MAX).unwrap();
//! for parcel in &parcels {
//!     stream.write_parcel(parcel, &mut said);
//! }
//! assert!(said.ends_with(b"<success xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"/>"));
//! ```
//!
//! # Versions
//!
//! A minor version may add fields to configuration structures and statistics, variants to enumerations that are
//! marked `non_exhaustive`, and methods with a default to traits. Write configuration with `..Default::default()`
//! (or change what `new` gives), so that it goes on compiling.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod auth;
pub mod component;
pub mod config;
pub mod error;
mod failures;
pub mod forwarded;
mod network;
mod origins;
#[cfg(feature = "tcp")]
pub mod proxy_protocol;
pub mod reader;
pub mod sasl;
pub mod service;
#[cfg(feature = "tcp")]
mod shell;
mod sm;
pub mod splice;
pub mod stats;
pub mod stream;
#[cfg(feature = "tcp")]
pub mod tcp;
#[cfg(feature = "websocket")]
pub mod websocket;
pub mod xml;

pub use auth::{Answer, AuthFailure, Authenticator, Credentials, Password, Principal, Question, Verifiers};
pub use config::{Alternate, Config, Conflict, FastOptions, Limits, Profile, StreamManagement, Timeouts};
pub use error::StreamError;
pub use failures::LoginFailures;
pub use network::{BadNetwork, Network};
pub use origins::Origins;
pub use service::{
    Access, AccessPolicy, BindError, Bound, Departure, OpenPolicy, PresenceObserver, Right, Service, event,
    notification,
};
pub use stats::{Refusal, Refusals, Stats};
pub use stream::{Action, Channel, Framing, Open, StartTls, Stream};
