//! A whole site as separate processes: a simulated CTI server pair, each side behind a relay of its own, two servers, and
//! agents' desktops by the hundred in processes of their own. What breaks is a process: killed, stopped or cut off.
//!
//! Used by the fail-over tests (`tests/tests/failover.rs`) and by the program that measures (`bench/centre`).

pub mod configuration;
pub mod crowd;
pub mod desk;
pub mod door;
pub mod judge;
pub mod node;
pub mod observer;
pub mod part;
pub mod process;
pub mod record;
pub mod relay;
pub mod site;
pub mod traffic;
pub mod view;

use std::time::{SystemTime, UNIX_EPOCH};

/// Password of everybody.
pub const PASSWORD: &str = "finesse";

/// Microseconds since 1970: the one clock that all processes of a machine share.
pub fn unix_us() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// What the agent with this number (0…) is called.
pub fn agent_id(number: usize) -> String {
    (1001 + number).to_string()
}

/// The phone that this agent signs in at.
pub fn extension(number: usize) -> String {
    (2001 + number).to_string()
}
