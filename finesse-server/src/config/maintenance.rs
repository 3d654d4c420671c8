//! `[maintenance]`: how clients are moved to the other node.

use std::time::Duration;

use serde::Deserialize;

use crate::maintenance::Rules;

/// `[maintenance]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Maintenance {
    /// Sessions moved in a second.
    pub users_per_second: u32,
    /// Seconds after which it has failed.
    pub limit_seconds: u32,
}

impl Default for Maintenance {
    fn default() -> Maintenance {
        Maintenance { users_per_second: 200, limit_seconds: 3600 }
    }
}

impl Maintenance {
    /// The rules of the machine.
    pub fn rules(&self) -> Rules {
        Rules { per_second: self.users_per_second, limit: Duration::from_secs(self.limit_seconds.into()) }
    }
}
