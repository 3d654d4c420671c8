//! What the sample users' desktops read at sign-in.

use toml::Spanned;

use crate::config::{Config, WrapUpReasonEntry};

/// Adds it to the configuration of the demo, whose teams are 1 and up.
pub(super) fn fill(config: &mut Config) {
    config.wrap_up_reason = entries([
        wrap_up(1, "Order", &[]),
        wrap_up(2, "Complaint", &[]),
        wrap_up(3, "Callback promised", &[]),
        wrap_up(4, "Contract renewed", &[1]),
    ]);
}

fn entries<T>(entries: impl IntoIterator<Item = T>) -> Vec<Spanned<T>> {
    entries.into_iter().map(|entry| Spanned::new(0..0, entry)).collect()
}

fn wrap_up(id: u32, label: &str, teams: &[u32]) -> WrapUpReasonEntry {
    WrapUpReasonEntry { id, label: label.into(), teams: teams.to_vec() }
}
