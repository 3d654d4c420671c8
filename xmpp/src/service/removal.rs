//! The end of a user: everything that the service knows of him goes.

use std::sync::Arc;

use broker::EndReason;

use super::node::Affiliation;
use super::{Shared, address};

/// Ends sessions, subscriptions, requests, affiliations and tokens of a user. True if there were any but
/// tokens.
pub(crate) fn remove_user(shared: &Shared, user: &str) -> bool {
    let Some(local) = address::local_part(user) else { return false };
    let bare: Arc<str> = format!("{local}@{}", shared.config.domain).into();
    let mut found = false;
    if let Some(tokens) = &shared.tokens {
        tokens.revoke(user);
    }
    // Sessions that have no seat in the broker, on their way in or out, end as well.
    for outbox in shared.accounts.outboxes_of(&bare) {
        outbox.end(EndReason::Removed);
        found = true;
    }
    found |= shared.broker.remove_account(&bare);
    for name in shared.nodes.of_account(&bare) {
        let Some(node) = shared.nodes.get(&name) else { continue };
        let mut state = node.state.write();
        if state.affiliations.remove(&bare).is_some() {
            shared.nodes.note_affiliation(&name, &bare, Affiliation::None);
            found = true;
        }
    }
    for name in shared.nodes.waiting_of(&bare) {
        let Some(node) = shared.nodes.get(&name) else { continue };
        let mut state = node.state.write();
        let waiting: Vec<_> = state.pending_of(&bare).map(|(address, _)| address.clone()).collect();
        for address in &waiting {
            state.pending.remove(address);
            shared.nodes.note_settled(&name, &bare);
        }
        found |= !waiting.is_empty();
    }
    found
}
