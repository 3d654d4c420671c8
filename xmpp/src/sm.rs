//! Stream management (XEP-0198): counting, and sessions that outlive their connection.
//!
//! A managed session lives in a [`Slot`] that belongs to whichever stream last enabled or resumed it. The
//! stream takes what it writes through the slot, which keeps it until the peer has acknowledged it. When the
//! connection breaks, the stream stays behind without it and waits; a resume on another connection takes
//! the slot over, the old stream finds out and ends. Nothing here has a task or a clock.
//!
//! Lock order: slot, then outbox or the table of accounts. Whoever holds a slot puts off waking.

mod ledger;
mod slot;
mod table;

pub(crate) use ledger::TooHigh;
pub(crate) use slot::{Adopted, Slot, Superseded, Taken};
pub(crate) use table::{Key, Table};

/// Namespace of stream management.
pub(crate) const NS: &str = "urn:xmpp:sm:3";
