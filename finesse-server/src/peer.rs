//! The other node of a pair: a link of its own between the two servers, and what they agree on over it.
//!
//! Each node calls the other over mutually authenticated HTTPS at every beat of its heart, or sooner when it has something
//! to say: its status, questions about users, news of users and of wrong passwords. The answer carries the other one's
//! status. Neither takes orders: each decides by itself, with what it knows of the other, and alone when it knows nothing.
//!
//! Without I/O: [`message`] is what is said, [`Machine`] when and to whom, [`Sides`] which CTI server both use, [`Roles`]
//! which of two nodes is the active one (CCX). [`tls`] and [`link`] are the shell.

mod beat;
pub mod link;
pub mod message;
mod roles;
mod sides;
#[cfg(test)]
mod tests;
pub mod tls;

pub use beat::{Failure, Machine, News, Rules};
pub use roles::{Role, Roles};
pub use sides::Sides;
