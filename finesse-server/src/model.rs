//! The state of the contact centre, fed by the CTI link.

pub mod command;
pub mod error;
pub mod xml;
