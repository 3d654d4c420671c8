//! What is configured for desktops beside people and queues: wrap-up reasons, and what else clients read at sign-in.
//! Immutable; a change of the configuration makes a new one, which takes effect at once.

use std::sync::Arc;

/// A label that an agent gives a call (guide, "WrapUpReason").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrapUpReason {
    /// Number in its path.
    pub id: u32,
    /// Text shown to people, at most 39 bytes.
    pub label: String,
    /// Whether every team may use it.
    pub for_all: bool,
    /// Teams that may use it when not for all.
    pub teams: Vec<u32>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Wrap-up reasons in the order of the configuration.
    pub wrap_up_reasons: Vec<Arc<WrapUpReason>>,
}

impl Catalogue {
    /// The wrap-up reasons of a team, or of somebody without one.
    pub fn wrap_up_reasons_of(&self, team: Option<u32>) -> impl Iterator<Item = &Arc<WrapUpReason>> {
        self.wrap_up_reasons.iter().filter(move |r| serves(r.for_all, &r.teams, team))
    }
}

/// Whether something configured for these teams is for this one.
fn serves(for_all: bool, teams: &[u32], team: Option<u32>) -> bool {
    for_all || team.is_some_and(|team| teams.contains(&team))
}
