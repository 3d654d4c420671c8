//! Bound resources of each account with the presence they announced.
//!
//! Decides conflicts and the number of resources, and knows who has to hear of a change of presence. Never
//! delivers events: that is the broker's work. No lock is held while an outbox is touched.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use broker::Outbox;
use bytes::Bytes;
use parking_lot::Mutex;

/// Shards of the table; a power of two.
const SHARDS: usize = 64;

/// A presence that takes more bytes than this is passed on but not kept for resources that come later.
const KEPT_PRESENCE: usize = 4096;

/// One bound resource.
struct Entry {
    id: u64,
    resource: Arc<str>,
    outbox: Outbox,
    /// Children of the last available presence; `None`: not available.
    presence: Option<Bytes>,
    /// Its connection is lost, it may come back.
    away: bool,
    /// Its client is being told, or knows, that it is bound.
    open: bool,
    /// The observer of presence looks at it.
    counted: bool,
}

/// Somebody who has to hear of a presence.
pub(crate) struct Listener {
    pub(crate) resource: Arc<str>,
    pub(crate) outbox: Outbox,
    /// What that resource announced itself.
    pub(crate) presence: Bytes,
}

/// What [`Accounts::enter`] did.
pub(crate) struct Entered {
    /// Identifies the entry from now on.
    pub(crate) id: u64,
    /// Where the replaced resource got its answers, if one was replaced.
    pub(crate) replaced: Option<Outbox>,
    /// Available resources to be told that the replaced one is gone; empty when none was replaced.
    pub(crate) bereaved: Vec<Listener>,
}

/// How a resource is let in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// One that is in use is replaced.
    pub(crate) replace: bool,
    /// Most resources of the account.
    pub(crate) max: usize,
    /// The observer of presence looks at it.
    pub(crate) counted: bool,
}

/// Why a resource was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    InUse,
    TooMany,
}

/// Resources by the bare address of their account.
type Shard = HashMap<Arc<str>, Vec<Entry>>;

/// The table.
pub(crate) struct Accounts {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    next: AtomicU64,
}

impl Accounts {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            next: AtomicU64::new(0),
        }
    }

    fn shard(&self, bare: &str) -> &Mutex<Shard> {
        // The remainder is below SHARDS.
        &self.shards[self.hasher.hash_one(bare) as usize % SHARDS]
    }

    /// True if `resource` of `bare` is bound.
    pub(crate) fn has(&self, bare: &str, resource: &str) -> bool {
        let shard = self.shard(bare).lock();
        shard.get(bare).is_some_and(|entries| entries.iter().any(|entry| &*entry.resource == resource))
    }

    /// Enters a resource. One that is in use is replaced or, if `replace` is false, refused. Nothing finds it
    /// before it is [opened](Self::open).
    pub(crate) fn enter(
        &self,
        bare: &Arc<str>,
        resource: &Arc<str>,
        outbox: Outbox,
        Terms { replace, max, counted }: Terms,
    ) -> Result<Entered, Refused> {
        let mut shard = self.shard(bare).lock();
        let entries = shard.entry(bare.clone()).or_default();
        let old = entries.iter().position(|entry| entry.resource == *resource);
        let refused = match old {
            Some(_) if !replace => Some(Refused::InUse),
            None if entries.len() >= max => Some(Refused::TooMany),
            _ => None,
        };
        if let Some(refused) = refused {
            if entries.is_empty() {
                shard.remove(bare);
            }
            return Err(refused);
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let old = old.map(|at| entries.swap_remove(at));
        let was_available = old.as_ref().is_some_and(|old| old.presence.is_some());
        let bereaved = if was_available { listeners(entries) } else { Vec::new() };
        let replaced = old.map(|old| old.outbox);
        entries.push(Entry {
            id,
            resource: resource.clone(),
            outbox,
            presence: None,
            away: false,
            open: false,
            counted,
        });
        Ok(Entered { id, replaced, bereaved })
    }

    /// From now on the resource is found by those who want to send it something.
    pub(crate) fn open(&self, bare: &str, id: u64) {
        let mut shard = self.shard(bare).lock();
        let entry = shard.get_mut(bare).and_then(|entries| entries.iter_mut().find(|entry| entry.id == id));
        if let Some(entry) = entry {
            entry.open = true;
        }
    }

    /// Removes an entry; true if it was still there and available.
    pub(crate) fn leave(&self, bare: &str, id: u64) -> bool {
        let mut shard = self.shard(bare).lock();
        let Some(entries) = shard.get_mut(bare) else { return false };
        let Some(at) = entries.iter().position(|entry| entry.id == id) else { return false };
        let entry = entries.swap_remove(at);
        if entries.is_empty() {
            shard.remove(bare);
        }
        entry.presence.is_some()
    }

    /// Notes what `id` announced (`None`: unavailable). False if the session has been replaced meanwhile.
    pub(crate) fn announce(&self, bare: &str, id: u64, presence: Option<Bytes>) -> bool {
        let mut shard = self.shard(bare).lock();
        let entry = shard.get_mut(bare).and_then(|entries| entries.iter_mut().find(|entry| entry.id == id));
        let Some(entry) = entry else { return false };
        entry.presence =
            presence.map(|presence| if presence.len() > KEPT_PRESENCE { Bytes::new() } else { presence });
        true
    }

    /// Notes whether the connection of `id` is lost.
    pub(crate) fn set_away(&self, bare: &str, id: u64, away: bool) {
        let mut shard = self.shard(bare).lock();
        let entry = shard.get_mut(bare).and_then(|entries| entries.iter_mut().find(|entry| entry.id == id));
        if let Some(entry) = entry {
            entry.away = away;
        }
    }

    /// Every available resource of an account.
    pub(crate) fn available(&self, bare: &str) -> Vec<Listener> {
        self.shard(bare).lock().get(bare).map_or_else(Vec::new, |entries| listeners(entries))
    }

    /// The outbox of one bound resource, available or not.
    pub(crate) fn find(&self, bare: &str, resource: &str) -> Option<Outbox> {
        let shard = self.shard(bare).lock();
        let entry = shard.get(bare)?.iter().find(|entry| entry.open && &*entry.resource == resource)?;
        Some(entry.outbox.clone())
    }

    /// True if the resource is bound and has announced that it is available.
    pub(crate) fn is_available(&self, bare: &str, resource: &str) -> bool {
        let shard = self.shard(bare).lock();
        shard.get(bare).is_some_and(|entries| {
            entries.iter().any(|entry| &*entry.resource == resource && entry.presence.is_some())
        })
    }

    /// True if any resource of the account has announced that it is available.
    pub(crate) fn is_anybody_available(&self, bare: &str) -> bool {
        let shard = self.shard(bare).lock();
        shard.get(bare).is_some_and(|entries| entries.iter().any(|entry| entry.presence.is_some()))
    }

    /// Outboxes of an account's resources, available or not.
    pub(crate) fn outboxes_of(&self, bare: &str) -> Vec<Outbox> {
        let shard = self.shard(bare).lock();
        let entries = shard.get(bare).map_or(&[][..], |entries| entries);
        entries.iter().map(|entry| entry.outbox.clone()).collect()
    }

    /// True if a resource that counts is available and its connection is there.
    pub(crate) fn is_present(&self, bare: &str) -> bool {
        let shard = self.shard(bare).lock();
        let present = |entry: &Entry| entry.counted && entry.presence.is_some() && !entry.away;
        shard.get(bare).is_some_and(|entries| entries.iter().any(present))
    }

    /// Outboxes of everybody.
    pub(crate) fn outboxes(&self) -> Vec<Outbox> {
        let shards = self.shards.iter();
        shards.flat_map(|shard| all(&shard.lock())).collect()
    }

    /// Names of the bound resources of all accounts.
    pub(crate) fn resources(&self) -> Vec<Arc<str>> {
        let names = |accounts: &Shard| -> Vec<Arc<str>> {
            accounts.values().flatten().map(|entry| entry.resource.clone()).collect()
        };
        self.shards.iter().flat_map(|shard| names(&shard.lock())).collect()
    }

    /// Bound resources of all accounts.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().values().map(Vec::len).sum::<usize>()).sum()
    }
}

fn all(accounts: &Shard) -> Vec<Outbox> {
    accounts.values().flatten().map(|entry| entry.outbox.clone()).collect()
}

fn listeners(entries: &[Entry]) -> Vec<Listener> {
    let available = entries.iter().filter_map(|entry| Some((entry, entry.presence.clone()?)));
    available
        .map(|(entry, presence)| Listener {
            resource: entry.resource.clone(),
            outbox: entry.outbox.clone(),
            presence,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use broker::OutboxLimits;

    #[test]
    fn x16_nothing_is_sent_to_a_resource_whose_client_was_not_told_yet() {
        let accounts = Accounts::new();
        let (bare, resource) = (Arc::from("1001@example.net"), Arc::from("desk"));
        let outbox = Outbox::new(OutboxLimits::default());
        let entered =
            accounts.enter(&bare, &resource, outbox, Terms { replace: true, max: 9, counted: true }).unwrap();
        assert!(accounts.has(&bare, &resource) && accounts.find(&bare, &resource).is_none());
        assert_eq!(accounts.outboxes().len(), 1, "a server that stops ends it");
        accounts.open(&bare, entered.id);
        assert!(accounts.find(&bare, &resource).is_some());
    }
}
