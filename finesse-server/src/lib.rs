//! Contact-centre desktop server.

pub mod access;
pub mod cli;
pub mod config;
pub mod core;
pub mod demo;
pub mod directory;
pub mod http;
pub mod model;
pub mod notify;
pub mod pages;
pub mod realm;
pub mod rest;
pub mod server;
pub mod watch;
