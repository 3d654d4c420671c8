//! XMPP over BOSH: bidirectional streams over synchronous HTTP (XEP-0124, XEP-0206).
//!
//! [`core`] is the protocol without I/O.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod core;
