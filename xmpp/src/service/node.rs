//! What XEP-0060 knows of a node beyond the broker: configuration, affiliations, stored items.
//!
//! Only nodes that were created over XMPP have an entry. All others (a node source's, an embedder's) are
//! transient, open to subscribers, closed to ordinary publishers and owned by nobody.
//!
//! Lock order: a table shard is looked up and released at once; a node's items come before everything of
//! the broker and are held while a publication to a node that stores items is handed over, so that what is
//! stored last is what was delivered last.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use broker::Address;
use parking_lot::{Mutex, RwLock};

use super::pubsub::Subscription;

mod config;
mod items;
mod links;

pub(crate) use config::{AccessModel, Fault, NodeConfig, PublishModel, SendLast, Shown};
pub(crate) use items::{Full, Item, Items};
pub(crate) use links::{Association, Links};

/// Shards of the table; a power of two.
const SHARDS: usize = 64;

/// Entries that one node's lists of affiliations and of pending subscriptions may have.
pub(crate) const LIST: usize = 5000;

/// Forwarding addresses of deleted nodes that are kept.
const MOVED: usize = 1000;

/// Affiliation with a node (XEP-0060 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Affiliation {
    Outcast,
    None,
    Member,
    PublishOnly,
    Publisher,
    Owner,
}

impl Affiliation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Outcast => "outcast",
            Self::None => "none",
            Self::Member => "member",
            Self::PublishOnly => "publish-only",
            Self::Publisher => "publisher",
            Self::Owner => "owner",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Outcast, Self::None, Self::Member, Self::PublishOnly, Self::Publisher, Self::Owner]
            .into_iter()
            .find(|affiliation| affiliation.name() == name)
    }
}

/// The part of a node that requests of owners change.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) config: Arc<NodeConfig>,
    /// By bare address; `None` is never stored.
    pub(crate) affiliations: BTreeMap<Arc<str>, Affiliation>,
    /// Subscriptions that wait for an owner's consent.
    pub(crate) pending: BTreeMap<Address, Subscription>,
    /// Of a collection: what is in it.
    pub(crate) children: BTreeSet<Arc<str>>,
}

impl State {
    pub(crate) fn affiliation(&self, bare: &str) -> Affiliation {
        self.affiliations.get(bare).copied().unwrap_or(Affiliation::None)
    }

    /// Number of owners.
    pub(crate) fn owners(&self) -> usize {
        self.affiliations.values().filter(|affiliation| **affiliation == Affiliation::Owner).count()
    }
}

/// One node created over XMPP.
pub(crate) struct Node {
    pub(crate) state: RwLock<State>,
    pub(crate) items: Mutex<Items>,
}

/// Nodes by name.
type Shard = HashMap<Arc<str>, Arc<Node>>;

/// All of them.
pub(crate) struct Nodes {
    shards: Box<[RwLock<Shard>]>,
    hasher: RandomState,
    /// Bytes of all stored items.
    stored: Arc<AtomicUsize>,
    /// Where deleted nodes went; when there are too many, some are forgotten.
    moved: Mutex<BTreeMap<Arc<str>, String>>,
    /// Subscriptions that wait for consent, on all nodes.
    pending: AtomicUsize,
    /// The nodes that each account has an affiliation with. A leaf among locks.
    affiliated: Mutex<HashMap<Arc<str>, BTreeSet<Arc<str>>>>,
    /// Held while nodes are put into collections and taken out. Comes before the nodes' own locks.
    pub(crate) graph: Mutex<()>,
    /// Held while events are handed to subscribers of collections: one order for all of them. Comes behind a
    /// node's items.
    pub(crate) collected: Mutex<()>,
}

impl Nodes {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
            stored: Arc::default(),
            moved: Mutex::default(),
            pending: AtomicUsize::new(0),
            affiliated: Mutex::default(),
            graph: Mutex::default(),
            collected: Mutex::default(),
        }
    }

    fn shard(&self, name: &str) -> &RwLock<Shard> {
        // The remainder is below SHARDS.
        &self.shards[self.hasher.hash_one(name) as usize % SHARDS]
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Node>> {
        self.shard(name).read().get(name).cloned()
    }

    /// Enters a node that the broker has just created.
    pub(crate) fn insert(&self, name: &str, config: NodeConfig, owner: Arc<str>) {
        self.moved.lock().remove(name);
        self.note_affiliation(name, &owner, Affiliation::Owner);
        let state = State {
            config: Arc::new(config),
            affiliations: BTreeMap::from([(owner, Affiliation::Owner)]),
            pending: BTreeMap::new(),
            children: BTreeSet::new(),
        };
        let node = Node { state: RwLock::new(state), items: Mutex::new(Items::new(self.stored.clone())) };
        self.shard(name).write().insert(name.into(), Arc::new(node));
    }

    /// Forgets a node; `uri` is where it went.
    pub(crate) fn remove(&self, name: &str, uri: Option<&str>) {
        if let Some(node) = self.shard(name).write().remove(name) {
            let state = node.state.read();
            self.pending.fetch_sub(state.pending.len(), Ordering::Relaxed);
            for bare in state.affiliations.keys() {
                self.note_affiliation(name, bare, Affiliation::None);
            }
        }
        if let Some(uri) = uri {
            let mut moved = self.moved.lock();
            if moved.len() >= MOVED {
                moved.pop_first();
            }
            moved.insert(name.into(), uri.to_owned());
        }
    }

    /// Where a deleted node went.
    pub(crate) fn moved(&self, name: &str) -> Option<String> {
        self.moved.lock().get(name).cloned()
    }

    /// Keeps the list of an account's nodes in step with what a node's state says of it.
    pub(crate) fn note_affiliation(&self, name: &str, bare: &Arc<str>, affiliation: Affiliation) {
        let mut affiliated = self.affiliated.lock();
        if affiliation != Affiliation::None {
            affiliated.entry(bare.clone()).or_default().insert(name.into());
        } else if let Some(names) = affiliated.get_mut(bare) {
            names.remove(name);
            if names.is_empty() {
                affiliated.remove(bare);
            }
        }
    }

    /// The nodes that an account has an affiliation with, in the order of their names.
    pub(crate) fn of_account(&self, bare: &str) -> Vec<Arc<str>> {
        self.affiliated.lock().get(bare).map_or_else(Vec::new, |names| names.iter().cloned().collect())
    }

    /// Notes that a subscription waits (`1`) or waits no longer (`-1`).
    pub(crate) fn count_pending(&self, change: isize) {
        if change >= 0 {
            self.pending.fetch_add(change.unsigned_abs(), Ordering::Relaxed);
        } else {
            self.pending.fetch_sub(change.unsigned_abs(), Ordering::Relaxed);
        }
    }

    /// True if some subscription waits anywhere.
    pub(crate) fn any_pending(&self) -> bool {
        self.pending.load(Ordering::Relaxed) > 0
    }

    /// Every node with its name. A snapshot; no lock is held while the caller looks at it.
    pub(crate) fn all(&self) -> Vec<(Arc<str>, Arc<Node>)> {
        let mut all: Vec<_> = self.shards.iter().flat_map(|shard| entries(&shard.read())).collect();
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        all
    }
}

fn entries(nodes: &Shard) -> Vec<(Arc<str>, Arc<Node>)> {
    nodes.iter().map(|(name, node)| (name.clone(), node.clone())).collect()
}

/// An existing node as a request found it.
#[derive(Clone)]
pub(crate) struct Found {
    /// Absent for nodes that were not created over XMPP.
    pub(crate) node: Option<Arc<Node>>,
}

impl Found {
    pub(crate) fn config(&self) -> Arc<NodeConfig> {
        static PLAIN: LazyLock<Arc<NodeConfig>> = LazyLock::new(Arc::default);
        match &self.node {
            Some(node) => node.state.read().config.clone(),
            None => PLAIN.clone(),
        }
    }

    pub(crate) fn affiliation(&self, bare: &str) -> Affiliation {
        self.node.as_ref().map_or(Affiliation::None, |node| node.state.read().affiliation(bare))
    }
}
