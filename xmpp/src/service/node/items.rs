//! Stored items of one node: oldest first, bounded by the node's configuration and by the service's memory.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::NodeConfig;

/// Bytes that all stored items of the service may take together.
const STORE: usize = 256 << 20;

/// What an item costs beside its payload and ids.
const OVERHEAD: usize = 128;

/// One stored item.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) id: Arc<str>,
    /// Rendered payload, declaring its own namespaces.
    pub(crate) payload: Bytes,
    /// Bare address of who published it.
    pub(crate) publisher: Arc<str>,
    pub(crate) published: Instant,
}

impl Item {
    fn size(&self) -> usize {
        self.id.len() + self.payload.len() + OVERHEAD
    }
}

/// Why items were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The node has all it may have and does not drop any.
    Node,
    /// The service has.
    Store,
}

/// The items.
pub(crate) struct Items {
    list: VecDeque<Item>,
    stored: Arc<AtomicUsize>,
}

impl Items {
    /// None yet; `stored` counts the bytes of all nodes.
    pub(crate) fn new(stored: Arc<AtomicUsize>) -> Self {
        Self { list: VecDeque::new(), stored }
    }

    /// Takes new items, replacing those with the same id and dropping the oldest as the node says.
    pub(crate) fn add(&mut self, items: Vec<Item>, config: &NodeConfig) -> Result<(), Full> {
        if config.reject_when_full && self.list.len() + self.fresh(&items) > config.max_items {
            return Err(Full::Node);
        }
        let size: usize = items.iter().map(Item::size).sum();
        if self.stored.fetch_add(size, Ordering::Relaxed) + size > STORE {
            self.stored.fetch_sub(size, Ordering::Relaxed);
            return Err(Full::Store);
        }
        for item in items {
            self.remove(&item.id);
            self.list.push_back(item);
        }
        self.trim(config.max_items);
        Ok(())
    }

    /// How many of these ids are new.
    fn fresh(&self, items: &[Item]) -> usize {
        let mut ids: HashSet<&str> = items.iter().map(|item| &*item.id).collect();
        self.list.iter().for_each(|item| {
            ids.remove(&*item.id);
        });
        ids.len()
    }

    /// Takes out the items that somebody has published, and returns their ids.
    pub(crate) fn remove_of(&mut self, publisher: &str) -> Vec<Arc<str>> {
        let mut ids = Vec::new();
        let stored = &self.stored;
        self.list.retain(|item| {
            let stays = *item.publisher != *publisher;
            if !stays {
                stored.fetch_sub(item.size(), Ordering::Relaxed);
                ids.push(item.id.clone());
            }
            stays
        });
        ids
    }

    /// Drops the oldest beyond `max`.
    pub(crate) fn trim(&mut self, max: usize) {
        while self.list.len() > max {
            if let Some(item) = self.list.pop_front() {
                self.stored.fetch_sub(item.size(), Ordering::Relaxed);
            }
        }
    }

    /// Drops what is older than the node lets it get.
    pub(crate) fn expire(&mut self, now: Instant, config: &NodeConfig) {
        let Some(seconds) = config.item_expire else { return };
        let old = |item: &Item| now.saturating_duration_since(item.published) > Duration::from_secs(seconds);
        while self.list.front().is_some_and(old) {
            self.trim(self.list.len() - 1);
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Item> {
        self.list.iter().find(|item| &*item.id == id)
    }

    pub(crate) fn last(&self) -> Option<&Item> {
        self.list.back()
    }

    /// All, oldest first.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Item> + ExactSizeIterator {
        self.list.iter()
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Item> {
        let at = self.list.iter().position(|item| &*item.id == id)?;
        let item = self.list.remove(at)?;
        self.stored.fetch_sub(item.size(), Ordering::Relaxed);
        Some(item)
    }

    pub(crate) fn clear(&mut self) {
        self.trim(0);
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, at: Instant) -> Item {
        Item { id: id.into(), payload: "<x/>".into(), publisher: "a@b".into(), published: at }
    }

    fn ids(items: &Items) -> Vec<&str> {
        items.all().map(|item| &*item.id).collect()
    }

    #[test]
    fn replaces_drops_and_counts() {
        let stored = Arc::new(AtomicUsize::new(0));
        let now = Instant::now();
        let config = NodeConfig { max_items: 2, ..NodeConfig::default() };
        let mut items = Items::new(stored.clone());
        for id in ["a", "b", "a", "c"] {
            items.add(vec![item(id, now)], &config).unwrap();
        }
        assert_eq!(ids(&items), ["a", "c"]);
        assert_eq!(stored.load(Ordering::Relaxed), 2 * item("a", now).size());
        let reject = NodeConfig { reject_when_full: true, ..config };
        assert_eq!(items.add(vec![item("d", now)], &reject), Err(Full::Node));
        assert_eq!(items.add(vec![item("a", now)], &reject), Ok(()));
        drop(items);
        assert_eq!(stored.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn expires_by_age() {
        let start = Instant::now();
        let config = NodeConfig { max_items: 9, item_expire: Some(10), ..NodeConfig::default() };
        let mut items = Items::new(Arc::default());
        for (id, after) in [("a", 0), ("b", 8)] {
            items.add(vec![item(id, start + Duration::from_secs(after))], &config).unwrap();
        }
        items.expire(start + Duration::from_secs(12), &config);
        assert_eq!(ids(&items), ["b"]);
    }

    #[test]
    fn the_store_is_bounded() {
        let stored = Arc::new(AtomicUsize::new(STORE - 10));
        let mut items = Items::new(stored.clone());
        let config = NodeConfig::default();
        assert_eq!(items.add(vec![item("a", Instant::now())], &config), Err(Full::Store));
        assert_eq!(stored.load(Ordering::Relaxed), STORE - 10);
    }
}
