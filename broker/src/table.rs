//! Sharded tables with keyed hashing: a key is hashed once, a lookup holds one shard's read lock
//! for a moment, and no other lock is ever taken under it.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;

use crate::stats::Traffic;
use crate::sync::{AtomicUsize, Ordering, RwLock};

/// Something found by a name.
pub(crate) trait Keyed {
    fn key(&self) -> &str;
}

/// A map from names to shared values.
pub(crate) struct Table<T> {
    shards: Box<[Shard<T>]>,
    /// Keyed, so that names chosen by clients cannot be made to collide.
    hasher: RandomState,
    len: AtomicUsize,
}

/// One part of a table.
pub(crate) struct Shard<T> {
    map: RwLock<HashTable<Arc<T>>>,
    /// Counters of what goes on in this part; here, so that publishers do not share one line.
    pub(crate) traffic: Traffic,
}

/// The table is full.
pub(crate) struct Full;

impl<T: Keyed> Table<T> {
    pub(crate) fn new(shards: usize) -> Self {
        let shard = || Shard { map: RwLock::new(HashTable::new()), traffic: Traffic::new() };
        let count = shards.clamp(1, 1 << 16).next_power_of_two();
        Self {
            shards: (0..count).map(|_| shard()).collect(),
            hasher: RandomState::new(),
            len: AtomicUsize::new(0),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    pub(crate) fn shards(&self) -> &[Shard<T>] {
        &self.shards
    }

    /// What `look` makes of the value of this name, and the shard where it is or would be. `look`
    /// runs under the shard's lock and must neither lock nor block.
    pub(crate) fn find<R>(&self, key: &str, look: impl FnOnce(&Arc<T>) -> R) -> (Option<R>, &Shard<T>) {
        let (hash, shard) = self.place(key);
        (shard.map.read().find(hash, |value| value.key() == key).map(look), shard)
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<T>> {
        self.find(key, Arc::clone).0
    }

    /// The value of this name, made if there is none and fewer than `max` values. The flag says
    /// whether it was made.
    pub(crate) fn get_or_insert(
        &self,
        key: &str,
        max: usize,
        make: impl FnOnce() -> T,
    ) -> Result<(Arc<T>, bool), Full> {
        let (hash, shard) = self.place(key);
        if let Some(value) = shard.map.read().find(hash, |value| value.key() == key) {
            return Ok((value.clone(), false));
        }
        let made = Arc::new(make());
        let mut map = shard.map.write();
        if let Some(value) = map.find(hash, |value| value.key() == key) {
            return Ok((value.clone(), false));
        }
        if self.len.fetch_add(1, Ordering::Relaxed) >= max {
            self.len.fetch_sub(1, Ordering::Relaxed);
            return Err(Full);
        }
        map.insert_unique(hash, made.clone(), |value| self.hasher.hash_one(value.key()));
        Ok((made, true))
    }

    /// Removes exactly this value; another one of the same name stays.
    pub(crate) fn remove(&self, value: &Arc<T>) {
        let (hash, shard) = self.place(value.key());
        let mut map = shard.map.write();
        let Ok(entry) = map.find_entry(hash, |other| Arc::ptr_eq(other, value)) else { return };
        let (removed, _) = entry.remove();
        if map.capacity() > 64 && map.len() < map.capacity() / 8 {
            map.shrink_to_fit(|value| self.hasher.hash_one(value.key()));
        }
        drop(map);
        drop(removed);
        self.len.fetch_sub(1, Ordering::Relaxed);
    }

    fn place(&self, key: &str) -> (u64, &Shard<T>) {
        let hash = self.hasher.hash_one(key);
        // The map takes its buckets from the low bits and its tags from the topmost seven.
        let at = (hash >> 40) as usize & (self.shards.len() - 1);
        (hash, &self.shards[at])
    }
}

impl<T> Shard<T> {
    /// The values of this shard, to be worked on after its lock was released.
    pub(crate) fn snapshot(&self) -> Vec<Arc<T>> {
        self.map.read().iter().cloned().collect()
    }
}
