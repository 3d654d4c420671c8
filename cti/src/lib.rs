#![forbid(unsafe_code)]
#![warn(missing_docs)]
//! GED-188, the CTI protocol between a contact centre's CTI server and its clients: versions 13 to 24, in the dialects
//! of Unified CCE and Unified CCX.
//!
//! * [`tables`], [`kind`], [`field`], [`tag`], [`enums`]: what the protocol looks like;
//! * [`Message`] and [`Codec`]: one record for all messages, and its way to bytes and back;
//! * [`json`]: messages as JSON, for people who look at captures;
//! * [`client`] and [`failover`]: one session as a state machine without I/O, and the choice between two servers;
//! * `link` (cargo feature `tokio`): the shell that dials, keeps a session and fails over.
//!
//! ```
//! use bytes::BytesMut;
//! use cti::{Codec, Dialect, Message, enums::agent_state, field, kind, tag};
//!
//! let codec = Codec::new(Dialect::Cce, 20);
//! let mut wire = BytesMut::new();
//! let ready = Message::new(kind::SET_AGENT_STATE_REQ)
//!     .with(field::INVOKE_ID, 1u32)
//!     .with(field::PERIPHERAL_ID, 5000u32)
//!     .with(field::AGENT_STATE, agent_state::AVAILABLE)
//!     .with_tag(tag::AGENT_ID, "1001");
//! codec.encode(&ready, &mut wire)?;
//!
//! // The other side: a buffer may hold several messages, or a part of one.
//! while let Some(frame) = codec.decode(&mut wire)? {
//!     match frame {
//!         Ok(message) => assert_eq!(message.tag_text(tag::AGENT_ID), Some("1001")),
//!         Err(bad) => eprintln!("skipped {bad}"),
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod client;
pub mod codec;
pub mod enums;
pub mod failover;
pub mod field;
pub mod json;
pub mod kind;
#[cfg(feature = "tokio")]
pub mod link;
mod message;
#[cfg(feature = "sim")]
pub mod sim;
pub mod tables;
pub mod tag;
mod value;

pub use codec::{BadMessage, BodyError, Codec, EncodeError, Frame, FrameError, Width};
pub use field::Field;
pub use kind::Kind;
pub use message::{Group, Message, Warning};
pub use tables::Dialect;
pub use tag::Tag;
pub use value::{Scalar, Value};
