//! An embeddable publish/subscribe broker: named nodes, subscriptions by account or by session,
//! and one bounded outbox for each session. It has no runtime, does no I/O, reads no clock and
//! knows no wire format; transports empty the outboxes, and any number of threads may publish.
//!
//! ```
//! use std::collections::VecDeque;
//! use broker::{Address, Broker, Config, Event, OnConflict, Parcel, Reach, Via};
//!
//! let broker = Broker::new(Config::default());
//! broker.create_node("/news")?;
//!
//! let address = Address::full("ann@example.net", "desk");
//! let session = broker.bind(address, broker.outbox(), OnConflict::Replace)?;
//! session.set_reach(Reach::All);
//! session.subscribe("/news", Via::Full, Some(Parcel::answer("subscribed")))?;
//!
//! assert_eq!(broker.publish("/news", Event::new("it rains")).sessions, 1);
//!
//! let mut inbox = VecDeque::new();
//! session.outbox().try_take(&mut inbox, usize::MAX).expect("the session lives");
//! let said: Vec<_> = inbox.iter().map(|parcel| &parcel.bytes()[..]).collect();
//! assert_eq!(said, [&b"subscribed"[..], b"it rains"]);
//! # Ok::<(), broker::Error>(())
//! ```
//!
//! # What it promises
//!
//! - An event is rendered once and shared: a delivery is a refcount and a place in a queue, no
//!   allocation.
//! - All subscribers of a node see its events in the same order. A session sees the answer to a
//!   subscription before its first event, and nothing after the answer to the unsubscription.
//! - A session that does not keep up ends, by a named policy ([`Overflow`]), and is counted.
//!   Nothing is dropped silently, and a publisher never waits for a consumer.
//! - Publishing to a node that nobody listens to is a lookup and nothing else.
//! - Every table and queue is bounded by [`Config`]; what a session leaves behind when it is
//!   dropped is nothing, except for dormant subscriptions of a resource that may come back.
//!
//! # Subscriptions
//!
//! A subscription belongs to a bare address, and every session of the account with
//! [`Reach::All`] receives; or to a full address, and only that session receives. The latter lies
//! dormant while its session is absent, unless the session
//! [forgets on leaving](Session::forget_on_leave). A session with both gets two copies, told apart
//! by [`Via`]. A subscription may want its events in a [`Manner`] of its own: not at all while its
//! session is in some state, or with something added; it costs the others nothing.
//!
//! # Lock order
//!
//! Account, then node, then outbox; at most one of a kind at a time. The shards of the two tables
//! are leaves: a lookup takes and releases one, whatever is held meanwhile. So are the timer
//! wheel's locks (first its state, then its list). Wakers are collected under the locks and woken
//! after them; node sources, renderers and wakers are called under none. An embedder with locks of
//! its own around calls of this crate keeps to the same with [`WakeLater`]. A publisher takes no
//! account lock: shard (read, released at once), node, and each outbox for a moment.
//!
//! The races that matter are model-checked by `tests/loom.rs`:
//! `RUSTFLAGS="--cfg broker_loom" cargo test -p broker --test loom --release`.
//!
//! # Versions
//!
//! A minor version may add fields to configuration structures and statistics, variants to enumerations that are
//! marked `non_exhaustive`, and methods with a default to traits. Write configuration with `..Default::default()`
//! (or change what `new` gives), so that it goes on compiling.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod account;
mod address;
mod broker;
mod budget;
mod config;
mod error;
mod event;
mod manner;
mod node;
mod outbox;
mod session;
mod source;
mod stats;
mod sync;
mod table;
mod wake;
mod wheel;

pub use account::{Reach, Subscribed};
pub use address::Address;
pub use broker::{Broker, Published};
pub use budget::{Budget, Hold, OverBudget, Place, Rank};
pub use config::Config;
pub use error::Error;
pub use event::{Class, Event, Parcel, Via};
pub use manner::{Extra, Manner, STATES, SubscriptionInfo, Treatment};
pub use outbox::{EndReason, Ended, Outbox, OutboxLimits, Overflow};
pub use session::{OnConflict, Session, SessionInfo};
pub use source::NodeSource;
pub use stats::Stats;
pub use wake::WakeLater;
pub use wheel::{Timer, Wheel};
