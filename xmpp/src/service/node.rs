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
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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

    /// What an account waits for.
    pub(crate) fn pending_of<'a>(
        &'a self,
        bare: &'a Arc<str>,
    ) -> impl Iterator<Item = (&'a Address, &'a Subscription)> {
        // The bare address is the first of its account.
        self.pending.range(Address::bare(bare.clone())..).take_while(|(address, _)| address.bare == *bare)
    }

    /// Number of owners.
    pub(crate) fn owners(&self) -> usize {
        self.affiliations.values().filter(|affiliation| **affiliation == Affiliation::Owner).count()
    }
}

/// One node created over XMPP.
pub(crate) struct Node {
    /// False while it is made and once it is deleted. Set to false under the lock of the state, so that who
    /// has this lock knows that the node stays.
    there: AtomicBool,
    pub(crate) state: RwLock<State>,
    pub(crate) items: Mutex<Items>,
}

impl Node {
    /// Whether the node is made and not deleted.
    pub(crate) fn is_there(&self) -> bool {
        self.there.load(Ordering::SeqCst)
    }
}

/// What one account waits for: how many subscriptions, and on which nodes.
#[derive(Default)]
struct Waiting {
    total: usize,
    nodes: BTreeMap<Arc<str>, usize>,
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
    /// How often a name was taken; see [`births`](Self::births).
    births: AtomicUsize,
    /// The nodes whose consent each account waits for. A leaf among locks.
    waiting: Mutex<HashMap<Arc<str>, Waiting>>,
    /// The nodes whose items go with their publisher (`pubsub#purge_offline`). A leaf among locks.
    fleeting: Mutex<BTreeSet<Arc<str>>>,
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
            births: AtomicUsize::new(0),
            waiting: Mutex::default(),
            fleeting: Mutex::default(),
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
        self.entry(name).filter(|node| node.is_there())
    }

    /// A node that may not be there yet, or no longer.
    pub(crate) fn entry(&self, name: &str) -> Option<Arc<Node>> {
        self.shard(name).read().get(name).cloned()
    }

    /// A number that changes whenever a name is taken, which is before the broker gets the node. Who finds no
    /// entry, then a node of the broker, and the same number before and after, has found a node without an entry.
    pub(crate) fn births(&self) -> usize {
        self.births.load(Ordering::SeqCst)
    }

    /// Takes the name of a node that is going to be made; `None`: it has an entry already. Nobody finds the
    /// node before [`open`](Self::open).
    pub(crate) fn reserve(&self, name: &str, config: NodeConfig, owner: Arc<str>) -> Option<Arc<Node>> {
        let state = State {
            config: Arc::new(config),
            affiliations: BTreeMap::from([(owner, Affiliation::Owner)]),
            pending: BTreeMap::new(),
            children: BTreeSet::new(),
        };
        let node = Arc::new(Node {
            there: AtomicBool::new(false),
            state: RwLock::new(state),
            items: Mutex::new(Items::new(self.stored.clone())),
        });
        let mut shard = self.shard(name).write();
        if shard.contains_key(name) {
            return None;
        }
        shard.insert(name.into(), node.clone());
        self.births.fetch_add(1, Ordering::SeqCst);
        Some(node)
    }

    /// Opens a node that the broker has made.
    pub(crate) fn open(&self, name: &str, node: &Node) {
        self.moved.lock().remove(name);
        let state = node.state.write();
        for (bare, affiliation) in &state.affiliations {
            self.note_affiliation(name, bare, *affiliation);
        }
        self.note_fleeting(name, &state.config);
        node.there.store(true, Ordering::SeqCst);
    }

    /// Closes a node that is going to be deleted; `uri` is where it went. False: somebody else was faster. The
    /// name stays taken until [`forget`](Self::forget).
    pub(crate) fn close(&self, name: &str, node: &Node, uri: Option<&str>) -> bool {
        let mut state = node.state.write();
        if !node.there.swap(false, Ordering::SeqCst) {
            return false;
        }
        for address in std::mem::take(&mut state.pending).keys() {
            self.note_settled(name, &address.bare);
        }
        for bare in state.affiliations.keys() {
            self.note_affiliation(name, bare, Affiliation::None);
        }
        self.fleeting.lock().remove(name);
        drop(state);
        if let Some(uri) = uri {
            let mut moved = self.moved.lock();
            if moved.len() >= MOVED && !moved.contains_key(name) {
                moved.pop_first();
            }
            moved.insert(name.into(), uri.to_owned());
        }
        true
    }

    /// Gives the name of a node free that the broker has no longer, or could not make.
    pub(crate) fn forget(&self, name: &str) {
        self.shard(name).write().remove(name);
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

    /// Notes that one more subscription of an account waits for a node's consent. False: the account waits for
    /// `max` already.
    pub(crate) fn note_waiting(&self, name: &str, bare: &Arc<str>, max: usize) -> bool {
        let mut waiting = self.waiting.lock();
        let of = waiting.entry(bare.clone()).or_default();
        if of.total >= max {
            return false;
        }
        of.total += 1;
        *of.nodes.entry(name.into()).or_default() += 1;
        true
    }

    /// Notes that one subscription of an account waits no longer.
    pub(crate) fn note_settled(&self, name: &str, bare: &str) {
        let mut waiting = self.waiting.lock();
        let Some(of) = waiting.get_mut(bare) else { return };
        if let Some(count) = of.nodes.get_mut(name) {
            of.total -= 1;
            *count -= 1;
            if *count == 0 {
                of.nodes.remove(name);
            }
        }
        if of.total == 0 {
            waiting.remove(bare);
        }
    }

    /// The nodes for whose consent an account waits, in the order of their names.
    pub(crate) fn waiting_of(&self, bare: &str) -> Vec<Arc<str>> {
        self.waiting.lock().get(bare).map_or_else(Vec::new, |of| of.nodes.keys().cloned().collect())
    }

    /// Keeps the list of nodes whose items go with their publisher in step with a node's configuration.
    pub(crate) fn note_fleeting(&self, name: &str, config: &NodeConfig) {
        let mut fleeting = self.fleeting.lock();
        match config.purge_offline {
            true => fleeting.insert(name.into()),
            false => fleeting.remove(name),
        };
    }

    /// The nodes whose items go with their publisher.
    pub(crate) fn fleeting(&self) -> Vec<Arc<str>> {
        self.fleeting.lock().iter().cloned().collect()
    }
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
