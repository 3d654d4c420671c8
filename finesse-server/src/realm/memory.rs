//! What is remembered of users: the keyed digest of the password that was verified last, and who guesses at them. What
//! is remembered of credentials that were refused, so that a client that repeats them costs the backend nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};

use super::lockout::Record;
use super::{Digest, Rules};

/// One user.
#[derive(Default)]
pub(super) struct Slot(pub(super) Mutex<State>);

#[derive(Default)]
pub(super) struct State {
    pub(super) verified: Option<Verified>,
    pub(super) record: Record,
}

/// A password that was right.
#[derive(Clone, Copy)]
pub(super) struct Verified {
    pub(super) digest: Digest,
    /// Of the account, when it was.
    pub(super) version: u64,
    pub(super) at: Instant,
}

impl State {
    /// Whether this password was verified no longer ago than `limit`, and is that of the account still.
    pub(super) fn remembers(&self, digest: &Digest, version: u64, now: Instant, limit: Duration) -> bool {
        self.verified.is_some_and(|verified| {
            verified.digest == *digest
                && verified.version == version
                && now.saturating_duration_since(verified.at) < limit
        })
    }

    fn is_idle(&mut self, now: Instant, rules: &Rules) -> bool {
        let kept = rules.remember.max(rules.stale);
        let old = self.verified.is_none_or(|verified| now.saturating_duration_since(verified.at) >= kept);
        old && self.record.is_blank(now)
    }
}

/// All users of whom something is remembered, by id.
pub(super) struct Slots {
    most: usize,
    slots: RwLock<HashMap<Arc<str>, Arc<Slot>>>,
}

impl Slots {
    pub(super) fn new(most: usize) -> Slots {
        Slots { most, slots: RwLock::default() }
    }

    /// What is remembered of a user, if anything is.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Slot>> {
        self.slots.read().get(id).cloned()
    }

    /// The place for what is to be remembered of a user. When there is none left, who has been idle longest enough gives
    /// his up, or else anybody who is not locked out.
    pub(super) fn of(&self, id: &Arc<str>, now: Instant, rules: &Rules) -> Arc<Slot> {
        if let Some(slot) = self.get(id) {
            return slot;
        }
        let slots = &mut *self.slots.write();
        if slots.len() >= self.most && !slots.contains_key(id) {
            slots.retain(|_, slot| !slot.0.lock().is_idle(now, rules));
            if slots.len() >= self.most {
                let free = slots.iter().find(|(_, slot)| slot.0.lock().record.locked(now).is_none());
                let victim = free.or_else(|| slots.iter().next()).map(|(id, _)| id.clone());
                victim.and_then(|victim| slots.remove(&victim));
            }
        }
        slots.entry(id.clone()).or_default().clone()
    }

    /// Every user with his slot.
    pub(super) fn all(&self) -> Vec<(Arc<str>, Arc<Slot>)> {
        self.slots.read().iter().map(|(id, slot)| (id.clone(), slot.clone())).collect()
    }
}

/// Credentials refused lately; the oldest of too many are forgotten.
pub(super) struct Refusals {
    most: usize,
    at: Mutex<HashMap<[u8; 32], Instant>>,
}

impl Refusals {
    pub(super) fn new(most: usize) -> Refusals {
        Refusals { most, at: Mutex::default() }
    }

    pub(super) fn holds(&self, credentials: &Digest, now: Instant, limit: Duration) -> bool {
        let at = self.at.lock();
        at.get(credentials.as_array()).is_some_and(|at| now.saturating_duration_since(*at) < limit)
    }

    pub(super) fn insert(&self, credentials: &Digest, now: Instant, limit: Duration) {
        let at = &mut *self.at.lock();
        if at.len() >= self.most {
            at.retain(|_, at| now.saturating_duration_since(*at) < limit);
            if at.len() >= self.most {
                at.clear();
            }
        }
        at.insert(*credentials.as_array(), now);
    }

    pub(super) fn forget(&self, credentials: &Digest) {
        self.at.lock().remove(credentials.as_array());
    }
}

#[cfg(test)]
mod tests {
    use super::super::digest::Keyed;
    use super::super::lockout::LockoutRules;
    use super::*;

    #[test]
    fn places_are_bounded_and_who_is_locked_out_keeps_his() {
        let (slots, rules, now) = (Slots::new(3), Rules::default(), Instant::now());
        let lockout = LockoutRules { failures: 1, ..LockoutRules::default() };
        slots.of(&"locked".into(), now, &rules).0.lock().record.failed(None, now, &lockout);
        for n in 0..100 {
            let slot = slots.of(&n.to_string().into(), now, &rules);
            slot.0.lock().record.succeeded(None, now);
            assert!(slots.slots.read().len() <= 3);
        }
        assert!(slots.get("locked").is_some_and(|slot| slot.0.lock().record.locked(now).is_some()));
    }

    #[test]
    fn refusals_are_remembered_for_a_moment_and_bounded() {
        let key = Keyed::random().unwrap();
        let (refusals, limit, now) = (Refusals::new(10), Duration::from_secs(5), Instant::now());
        let wrong = key.digest("1001", "wrong");
        refusals.insert(&wrong, now, limit);
        assert!(refusals.holds(&wrong, now + Duration::from_secs(4), limit));
        assert!(!refusals.holds(&wrong, now + limit, limit));
        for n in 0..100 {
            refusals.insert(&key.digest("1001", &n.to_string()), now, limit);
            assert!(refusals.at.lock().len() <= 10);
        }
    }
}
