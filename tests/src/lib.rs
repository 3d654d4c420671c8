//! What the end-to-end tests share: the demo as a child process, foreign clients as child processes, and the
//! comparison of what they saw.
//!
//! The foreign clients (slixmpp, Strophe.js, Chromium, Smack, xmpp.js, libstrophe) are installed by `tests/setup`; a test that misses
//! one fails and says so.

pub mod centre;
pub mod chaos;
pub mod clients;
pub mod day;
pub mod demo;
pub mod desk;
pub mod embedded;
pub mod events;
pub mod failover;
pub mod hostile;
pub mod pair;
pub mod person;
pub mod scene;
pub mod suite;

pub use load::rest;
