//! Scenarios in virtual time: CTI messages and commands in, requests and updates out. Names `rNN` are the numbered
//! requirements on notifications.

mod absence;
mod calls;
mod commands;
mod exchange;
mod maintenance;
mod merging;
mod outbound;
mod property;
mod recording;
mod service;
mod states;
mod supervise;
