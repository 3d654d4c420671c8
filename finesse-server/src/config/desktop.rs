//! What desktops read at sign-in: wrap-up reasons. It takes effect at once when the file is read again.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::Config;
use super::check::{Check, fail, unique};
use crate::catalogue::{Catalogue, WrapUpReason};

/// `[[wrap_up_reason]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct WrapUpReasonEntry {
    /// Number in its path.
    pub id: u32,
    /// Text shown to people.
    pub label: String,
    /// Numbers of the teams that may use it; all when absent or empty.
    #[serde(default)]
    pub teams: Vec<u32>,
}

impl From<&WrapUpReasonEntry> for WrapUpReason {
    fn from(entry: &WrapUpReasonEntry) -> WrapUpReason {
        WrapUpReason {
            id: entry.id,
            label: entry.label.clone(),
            for_all: entry.teams.is_empty(),
            teams: entry.teams.clone(),
        }
    }
}

impl Config {
    /// What desktops read at sign-in.
    pub fn catalogue(&self) -> Catalogue {
        Catalogue { wrap_up_reasons: all(&self.wrap_up_reason) }
    }
}

fn all<'a, E, T: From<&'a E>>(entries: &'a [Spanned<E>]) -> Vec<Arc<T>> {
    entries.iter().map(|entry| Arc::new(T::from(entry.get_ref()))).collect()
}

/// Checks what no single value can be checked for.
pub(super) fn check(config: &Config) -> Check {
    let teams: HashSet<u32> = config.team.iter().map(|team| team.get_ref().id).collect();
    unique(config, &config.wrap_up_reason, |reason| reason.id, "wrap-up reason")?;
    unique(config, &config.wrap_up_reason, |reason| reason.label.clone(), "wrap-up reason with the label")?;
    for entry in &config.wrap_up_reason {
        let reason = entry.get_ref();
        let complain =
            |message: String| fail(config, entry.span(), format!("wrap-up reason {}: {message}", reason.id));
        // The number of bytes is what a call can carry (guide, "WrapUpReason").
        if reason.label.is_empty() || reason.label.len() > 39 {
            return complain("label must have 1 to 39 bytes".into());
        }
        if let Some(team) = reason.teams.iter().find(|team| !teams.contains(team)) {
            return complain(format!("team {team} is not defined"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        let reason = |more: &str| format!("[[wrap_up_reason]]\nid = 1\n{more}\n");
        for (text, expected) in [
            (reason("label = \"\""), "f:1:1: wrap-up reason 1: label must have 1 to 39 bytes"),
            (reason(&format!("label = \"{}\"", "ü".repeat(20))), "f:1:1: wrap-up reason 1: label must have"),
            (reason("label = \"x\"\nteams = [7]"), "f:1:1: wrap-up reason 1: team 7 is not defined"),
            (reason("label = \"x\"").repeat(2), "f:4:1: wrap-up reason 1 is defined twice"),
            (
                reason("label = \"x\"") + &reason("label = \"x\"").replace("id = 1", "id = 2"),
                "f:4:1: wrap-up reason with the label x is defined twice",
            ),
        ] {
            let complaint = Config::parse("f", &text).unwrap_err().to_string();
            assert!(complaint.starts_with(expected), "{complaint}");
        }
    }
}
