//! The table of sessions, by session id.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use parking_lot::Mutex;

use crate::cell::Cell;

/// A session id: 256 random bits in the URL-safe alphabet of base64. A bearer secret: it has no `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sid([u8; Self::LEN]);

impl Sid {
    const LEN: usize = 43;

    /// A fresh one; `None` when the system has no randomness to give.
    pub(crate) fn random() -> Option<Self> {
        random_text().map(Self)
    }

    /// Reads a client's. Anything that cannot be one of ours is unknown.
    fn parse(text: &str) -> Option<Self> {
        text.as_bytes().try_into().ok().map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// 256 random bits as text.
pub(crate) fn random_text() -> Option<[u8; Sid::LEN]> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut random = [0u8; 33];
    getrandom::fill(&mut random[..32]).ok()?;
    let mut text = [0u8; Sid::LEN];
    for (at, place) in text.iter_mut().enumerate() {
        let bit = at * 6;
        let pair = u16::from_be_bytes([random[bit / 8], random[bit / 8 + 1]]);
        *place = ALPHABET[usize::from(pair >> (10 - bit % 8) & 63)];
    }
    Some(text)
}

const SHARDS: usize = 32;

/// All sessions of an endpoint. The hash is keyed, so that nobody can choose ids that collide, and the time
/// of a look-up says nothing about the ids in the table.
pub(crate) struct Registry {
    key: RandomState,
    shards: [Mutex<HashTable<Arc<Cell>>>; SHARDS],
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self { key: RandomState::new(), shards: std::array::from_fn(|_| Mutex::new(HashTable::new())) }
    }

    fn place(&self, sid: &Sid) -> (u64, &Mutex<HashTable<Arc<Cell>>>) {
        let hash = self.key.hash_one(sid.0);
        (hash, &self.shards[(hash >> 32) as usize % SHARDS])
    }

    pub(crate) fn get(&self, sid: &str) -> Option<Arc<Cell>> {
        let sid = Sid::parse(sid)?;
        let (hash, shard) = self.place(&sid);
        shard.lock().find(hash, |cell| cell.sid == sid).cloned()
    }

    pub(crate) fn insert(&self, cell: Arc<Cell>) {
        let (hash, shard) = self.place(&cell.sid);
        shard.lock().insert_unique(hash, cell, |cell| self.key.hash_one(cell.sid.0));
    }

    pub(crate) fn remove(&self, cell: &Cell) {
        let (hash, shard) = self.place(&cell.sid);
        let mut table = shard.lock();
        let removed = match table.find_entry(hash, |other| std::ptr::eq(Arc::as_ptr(other), cell)) {
            Ok(entry) => Some(entry.remove().0),
            Err(_) => None,
        };
        if table.capacity() > 64 && table.len() * 4 < table.capacity() {
            let half = table.len() * 2;
            table.shrink_to(half, |cell| self.key.hash_one(cell.sid.0));
        }
        drop(table);
        // A session leaves the broker when it is dropped, which must not happen under our lock.
        drop(removed);
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Every session there is at this moment.
    pub(crate) fn all(&self) -> Vec<Arc<Cell>> {
        self.shards.iter().flat_map(|shard| shard.lock().iter().cloned().collect::<Vec<_>>()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x75_ids_are_long_url_safe_and_evenly_spread() {
        let mut counts = [0u32; 128];
        let mut seen = std::collections::HashSet::new();
        for _ in 0..4_000 {
            let sid = Sid::random().unwrap();
            assert!(seen.insert(sid.0), "no id twice");
            assert_eq!(Sid::parse(sid.as_str()).unwrap().0, sid.0);
            // The last character carries four bits only.
            sid.0[..42].iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        }
        // 168,000 characters over 64 letters: 2625 each, standard deviation 51.
        let used: Vec<u32> = counts.iter().copied().filter(|count| *count > 0).collect();
        assert_eq!(used.len(), 64);
        assert!(used.iter().all(|count| (2_300..2_950).contains(count)), "{used:?}");
    }

    #[test]
    fn foreign_text_is_no_id() {
        for text in ["", "abc", &"x".repeat(42), &"x".repeat(44)] {
            assert!(Sid::parse(text).is_none());
        }
    }
}
