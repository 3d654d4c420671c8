//! One node: who listens to it now, and who would if he were there.

use std::sync::Arc;

use slab::Slab;

use crate::Address;
use crate::event::{Event, Via};
use crate::outbox::Outbox;
use crate::sync::{AtomicUsize, Mutex, MutexGuard, Ordering};
use crate::table::Keyed;
use crate::wake::Wakers;

/// A slab that has become empty gives its memory back beyond this many slots.
const KEEP_SLOTS: usize = 64;

/// A place to which events are published.
///
/// Each subscription of it has one dormant slot while no session receives for it, and otherwise
/// one live slot for each session that does. The account remembers the slots, so that removing a
/// subscription costs the same however many others the node has.
pub(crate) struct Node {
    name: Arc<str>,
    /// `state.live.len()`, readable without the lock: publishing to nobody stops here.
    listeners: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    live: Slab<Listener>,
    dormant: Slab<Address>,
    /// Whether it was created explicitly, so that it stays without subscriptions.
    created: bool,
    /// Whether it is on its way out of the table: slots mean nothing any more.
    gone: bool,
}

struct Listener {
    outbox: Outbox,
    via: Via,
}

/// Where a subscription sits in a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot(u32);

impl Slot {
    /// Stands for no slot where one is not used.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);

    fn new(key: usize) -> Self {
        // A slab of 2^32 subscriptions would need 64 GiB for one node.
        Self(u32::try_from(key).expect("a node has fewer than 2^32 subscriptions"))
    }
}

impl Keyed for Node {
    fn key(&self) -> &str {
        &self.name
    }
}

impl Node {
    pub(crate) fn new(name: &str, created: bool) -> Self {
        Self {
            name: name.into(),
            listeners: AtomicUsize::new(0),
            state: Mutex::new(State { live: Slab::new(), dormant: Slab::new(), created, gone: false }),
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether anybody listens. A subscription made before the call (in the sense of
    /// happens-before) is seen.
    pub(crate) fn has_listeners(&self) -> bool {
        self.listeners.load(Ordering::Acquire) != 0
    }

    /// The node's lock, or `None` if the node is on its way out.
    pub(crate) fn lock(&self) -> Option<Locked<'_>> {
        let state = self.state.lock();
        (!state.gone).then_some(Locked { node: self, state })
    }
}

/// A node under its lock.
pub(crate) struct Locked<'a> {
    node: &'a Node,
    state: MutexGuard<'a, State>,
}

impl Locked<'_> {
    /// Queues the event for everyone who listens, in one go: whoever subscribes or unsubscribes
    /// does so before or after it. Returns the number of deliveries.
    pub(crate) fn publish(&self, event: &Event, wakers: &mut Wakers) -> usize {
        let mut delivered = 0;
        for (_, listener) in &self.state.live {
            let (result, waker) = listener.outbox.enqueue_event(event, listener.via);
            delivered += usize::from(result.is_ok());
            wakers.add(waker);
        }
        delivered
    }

    /// Adds a live slot.
    pub(crate) fn listen(&mut self, outbox: Outbox, via: Via) -> Slot {
        let slot = Slot::new(self.state.live.insert(Listener { outbox, via }));
        self.count();
        slot
    }

    /// Takes a live slot away; nothing is queued for it any more.
    pub(crate) fn unlisten(&mut self, slot: Slot) {
        self.state.live.try_remove(slot.0 as usize);
        if self.state.live.is_empty() && self.state.live.capacity() > KEEP_SLOTS {
            self.state.live = Slab::new();
        }
        self.count();
    }

    /// Adds a dormant slot.
    pub(crate) fn park(&mut self, address: Address) -> Slot {
        Slot::new(self.state.dormant.insert(address))
    }

    /// Takes a dormant slot away.
    pub(crate) fn unpark(&mut self, slot: Slot) {
        self.state.dormant.try_remove(slot.0 as usize);
        if self.state.dormant.is_empty() && self.state.dormant.capacity() > KEEP_SLOTS {
            self.state.dormant = Slab::new();
        }
    }

    pub(crate) fn is_created(&self) -> bool {
        self.state.created
    }

    /// Retires the node if nothing keeps it; the caller then takes it out of the table.
    pub(crate) fn retire_if_unused(&mut self) -> bool {
        let unused = !self.state.created && self.state.live.is_empty() && self.state.dormant.is_empty();
        self.state.gone = unused;
        unused
    }

    /// Retires the node and returns whose subscriptions it had; the caller then takes it out of
    /// the table and their records out of the accounts.
    pub(crate) fn retire(mut self) -> Vec<Address> {
        let addresses = self.addresses();
        self.state.gone = true;
        self.state.live = Slab::new();
        self.state.dormant = Slab::new();
        self.count();
        addresses
    }

    /// The addresses subscribed, sorted, each once.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        let mut addresses: Vec<Address> =
            self.state.dormant.iter().map(|(_, address)| address.clone()).collect();
        addresses.extend(self.state.live.iter().filter_map(|(_, listener)| {
            let owner = listener.outbox.owner()?;
            Some(match listener.via {
                Via::Bare => owner.address.to_bare(),
                Via::Full => owner.address.clone(),
            })
        }));
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }

    fn count(&self) {
        self.node.listeners.store(self.state.live.len(), Ordering::Release);
    }
}
