//! The end of a user: everything that the service knows of him goes.

use broker::EndReason;

use super::node::Affiliation;
use super::{Shared, address};

/// Ends sessions, subscriptions, requests, affiliations and tokens of a user. True if there were any but
/// tokens.
pub(crate) fn remove_user(shared: &Shared, user: &str) -> bool {
    let Some(local) = address::local_part(user) else { return false };
    let bare = format!("{local}@{}", shared.config.domain);
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
    for (name, node) in shared.nodes.all() {
        let mut state = node.state.write();
        if let Some((account, _)) = state.affiliations.remove_entry(&*bare) {
            shared.nodes.note_affiliation(&name, &account, Affiliation::None);
            found = true;
        }
        let before = state.pending.len();
        state.pending.retain(|address, _| *address.bare != *bare);
        let gone = before - state.pending.len();
        found |= gone > 0;
        shared.nodes.count_pending(-gone.cast_signed());
    }
    found
}
