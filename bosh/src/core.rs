//! The protocol without I/O: bodies, the order of requests, sessions.
//!
//! Time enters as an argument and everything can be run in virtual time. [`Session`] is the machine,
//! [`Request`] its input, [`Work`] and [`Reply`] its output.

mod ack;
mod answer;
mod body;
mod condition;
mod keys;
mod replay;
mod scan;
mod session;
mod settings;
mod window;
mod write;

pub use answer::Reply;
pub use body::{
    CLIENT, Creation, Fingerprint, HTTPBIND, Request, XBOSH, from_element, has_root, peek_sid, scan_empty,
};
pub use condition::Condition;
pub use keys::sha1_hex;
pub use session::{Identity, Session, Token, Work};
pub use settings::{Settings, Terms};
pub use window::MAX_RID;
