//! Who is locked out: to be listed, to be let in again, and to be told to the other node of a pair.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Case, Realm};

/// A user who is locked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Id of the user.
    pub user: Arc<str>,
    /// Name of the realm that has his account.
    pub realm: &'static str,
    /// Wrong passwords in a row.
    pub failures: u32,
    /// Addresses that they came from; a few, as far as known.
    pub from: Vec<IpAddr>,
    /// How long the lock will hold.
    pub left: Duration,
}

impl Realm {
    /// Who is locked out at present, by id.
    pub fn locked(&self, now: Instant) -> Vec<Locked> {
        let mut list: Vec<Locked> = Vec::new();
        for (user, slot) in self.slots.all() {
            let state = slot.0.lock();
            let Some(left) = state.record.locked(now) else { continue };
            let (failures, from) = state.record.failures();
            drop(state);
            let realm = self.locate(&user, Case::Exact).0.name();
            list.push(Locked { user, realm, failures, from, left });
        }
        list.sort_by(|one, other| one.user.cmp(&other.user));
        list
    }

    /// Lets a user in again whatever was done wrong in his name. Whether he was locked out.
    pub fn unlock(&self, id: &str, now: Instant) -> bool {
        let Some(slot) = self.slots.get(id) else { return false };
        let record = &mut slot.0.lock().record;
        let locked = record.locked(now).is_some();
        record.unlock();
        if locked {
            tracing::info!(target: "journal", user = id, "user unlocked");
        }
        locked
    }

    /// A lock that the other node of a pair has set and that holds for `left` still; of two locks the later end
    /// counts. Users that this node does not know are left out.
    pub fn merge_lock(&self, id: &str, left: Duration, now: Instant) {
        if let Some(known) = self.locate(id, Case::Exact).1 {
            let slot = self.slots.of(&known.identity.id, now, &self.rules);
            slot.0.lock().record.lock_until(now + left);
        }
    }
}
