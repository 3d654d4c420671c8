//! Lean XMPP clients over TCP, BOSH and WebSocket, for the load rig and for end-to-end tests: they speak the
//! protocol byte by byte, share no code with the server, and cost little enough for thousands in one process; and a
//! whole site of processes for them to live in ([`centre`]).

pub mod centre;
pub mod delivery;
pub mod figures;
pub mod item;
pub mod link;
pub mod login;
pub mod options;
pub mod process;
pub mod publisher;
pub mod report;
pub mod rest;
pub mod run;
