//! `[absence]`: what becomes of users who have gone without a word.

use std::time::Duration;

use serde::Deserialize;

use crate::absence::Rules;

/// `[absence]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Absence {
    /// Whether an agent whose last available resource has gone is signed out.
    pub sign_out: bool,
    /// Seconds for which he may be away.
    pub grace_seconds: u32,
    /// Whether the sign-out waits for the end of a call.
    pub after_call: bool,
    /// Which resources count.
    pub resources: Resources,
}

impl Default for Absence {
    fn default() -> Absence {
        Absence { sign_out: true, grace_seconds: 60, after_call: true, resources: Resources::All }
    }
}

impl Absence {
    /// The rules of the machine.
    pub fn rules(&self) -> Rules {
        Rules {
            sign_out: self.sign_out,
            grace: Duration::from_secs(self.grace_seconds.into()),
            after_call: self.after_call,
            ..Rules::default()
        }
    }
}

/// Which resources make a user present.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Resources {
    /// Any.
    #[default]
    All,
    /// The resource `desktop` alone.
    Desktop,
}
