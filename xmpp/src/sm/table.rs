//! Sessions that can be resumed, by the secret that their client was given.

use std::collections::{HashMap, VecDeque};
use std::fmt::{self, Write};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::Slot;

/// Ended sessions whose last count is remembered, so that a client that comes too late still learns what was
/// handled (XEP-0198 §5); the oldest is forgotten first.
const PAST: usize = 1000;

/// 160 random bits that give access to a session. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 20]);

impl Key {
    /// A new one; `None` if there is no randomness.
    pub(crate) fn random() -> Option<Self> {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// As the client was told it.
    pub(crate) fn text(&self) -> String {
        self.0.iter().fold(String::with_capacity(40), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Reads what a client presents.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 40 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// The table. Bounded by the bound sessions, each of which has one entry at most; it keeps none alive. Looked
/// up through the map's keyed hash, so that time tells nothing about near misses.
pub(crate) struct Table(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    present: HashMap<Key, Weak<Slot>>,
    past: HashMap<Key, (Arc<str>, u32)>,
    /// Keys of `past`, oldest first.
    order: VecDeque<Key>,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    pub(crate) fn insert(&self, key: Key, slot: &Arc<Slot>) {
        self.0.lock().present.insert(key, Arc::downgrade(slot));
    }

    /// The session behind a key.
    pub(crate) fn find(&self, key: &Key) -> Option<Arc<Slot>> {
        self.0.lock().present.get(key)?.upgrade()
    }

    /// The session is gone.
    pub(crate) fn remove(&self, key: &Key) {
        self.0.lock().present.remove(key);
    }

    /// Remembers how many stanzas of `account` were handled in a session that has ended while it was away.
    pub(crate) fn remember(&self, key: &Key, account: &Arc<str>, handled: u32) {
        let entries = &mut *self.0.lock();
        if entries.order.len() >= PAST
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.past.remove(&oldest);
        }
        entries.order.push_back(key.clone());
        entries.past.insert(key.clone(), (account.clone(), handled));
    }

    /// How many stanzas were handled in a session of `account` that has ended.
    pub(crate) fn handled(&self, key: &Key, account: &str) -> Option<u32> {
        let entries = self.0.lock();
        let (owner, handled) = entries.past.get(key)?;
        (**owner == *account).then_some(*handled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x75_resume_ids_are_160_random_bits_and_masked() {
        let keys: Vec<_> = (0..256).map(|_| Key::random().unwrap()).collect();
        let ones: u32 = keys.iter().flat_map(|key| key.0).map(u8::count_ones).sum();
        // 40960 fair bits: six standard deviations on either side.
        assert!((20480 - 607..=20480 + 607).contains(&ones), "{ones} of 40960 bits");
        for key in &keys {
            assert_eq!(Key::parse(&key.text()).as_ref(), Some(key));
            assert_eq!(format!("{key:?}"), "Key(***)");
        }
        for text in ["", "zz", &"g".repeat(40), &"a".repeat(39), &"a".repeat(41), &"é".repeat(20)] {
            assert_eq!(Key::parse(text), None);
        }
    }

    #[test]
    fn x78_the_past_is_bounded_and_each_accounts_own() {
        let table = Table::new();
        let keys: Vec<_> = (0..=PAST).map(|_| Key::random().unwrap()).collect();
        let account = Arc::from("u@d");
        for (handled, key) in (0..).zip(&keys) {
            table.remember(key, &account, handled);
        }
        assert_eq!(table.handled(&keys[0], "u@d"), None, "the oldest is forgotten");
        assert_eq!(table.handled(&keys[1], "u@d"), Some(1));
        assert_eq!(table.handled(&keys[1], "v@d"), None);
        assert_eq!(table.0.lock().past.len(), PAST);
    }
}
