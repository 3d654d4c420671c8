//! Contact-centre desktop server.

pub mod config;
pub mod core;
pub mod directory;
pub mod model;
pub mod notify;
pub mod realm;
pub mod rest;
