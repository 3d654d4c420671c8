//! Contact-centre desktop server.

pub mod config;
pub mod directory;
pub mod model;
pub mod realm;
pub mod rest;
