//! One node: who listens to it now, and who would if he were there.

use std::sync::Arc;

use slab::Slab;

use crate::Address;
use crate::event::{Event, Via};
use crate::manner::{Manner, Treatment};
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
    /// Listeners with a manner of their own; most nodes have none.
    special: Option<Box<Specials>>,
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

#[derive(Default)]
struct Specials {
    list: Slab<Special>,
    /// Those from whom nothing is withheld at the moment.
    hearing: usize,
}

struct Special {
    listener: Listener,
    manner: Arc<Manner>,
    state: u8,
}

impl Special {
    fn hears(&self) -> bool {
        *self.manner.treatment(self.state) != Treatment::Withhold
    }
}

/// Where a subscription sits in a node. Live slots of listeners with a manner have the highest bit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot(u32);

/// Marks slots among [`Specials`].
const SPECIAL: u32 = 1 << 31;

impl Slot {
    /// Stands for no slot where one is not used.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);

    fn new(key: usize) -> Self {
        // A slab of 2^31 subscriptions would need 32 GiB for one node.
        let key = u32::try_from(key).ok().filter(|key| key & SPECIAL == 0);
        Self(key.expect("a node has fewer than 2^31 subscriptions"))
    }

    /// The place among the specials.
    fn special(self) -> Option<usize> {
        (self.0 & SPECIAL != 0).then_some((self.0 & !SPECIAL) as usize)
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
            state: Mutex::new(State {
                live: Slab::new(),
                special: None,
                dormant: Slab::new(),
                created,
                gone: false,
            }),
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
        let len = event.len();
        for (_, listener) in &self.state.live {
            let (result, waker) = listener.outbox.enqueue_event(event, len, listener.via);
            delivered += usize::from(result.is_ok());
            wakers.add(waker);
        }
        match &self.state.special {
            Some(specials) => delivered + specials.publish(event, wakers),
            None => delivered,
        }
    }

    /// Adds a live slot; one with a manner also has the state of its session.
    pub(crate) fn listen(&mut self, outbox: Outbox, via: Via, manner: Option<(Arc<Manner>, u8)>) -> Slot {
        let listener = Listener { outbox, via };
        let slot = match manner {
            None => Slot::new(self.state.live.insert(listener)),
            Some((manner, state)) => {
                let specials = self.state.special.get_or_insert_default();
                let special = Special { listener, manner, state };
                specials.hearing += usize::from(special.hears());
                Slot(Slot::new(specials.list.insert(special)).0 | SPECIAL)
            }
        };
        self.count();
        slot
    }

    /// Takes a live slot away; nothing is queued for it any more.
    pub(crate) fn unlisten(&mut self, slot: Slot) {
        self.remove(slot);
        self.count();
    }

    /// Exchanges a live slot for one with another manner. A publisher that looks before it locks
    /// sees a listener all the time: what is published meanwhile is delivered in the new manner.
    pub(crate) fn relisten(
        &mut self,
        slot: Slot,
        outbox: Outbox,
        via: Via,
        manner: Option<(Arc<Manner>, u8)>,
    ) -> Slot {
        self.remove(slot);
        self.listen(outbox, via, manner)
    }

    fn remove(&mut self, slot: Slot) {
        if let Some(key) = slot.special() {
            return self.remove_special(key);
        }
        self.state.live.try_remove(slot.0 as usize);
        if self.state.live.is_empty() && self.state.live.capacity() > KEEP_SLOTS {
            self.state.live = Slab::new();
        }
    }

    fn remove_special(&mut self, key: usize) {
        let Some(specials) = &mut self.state.special else { return };
        if let Some(special) = specials.list.try_remove(key) {
            specials.hearing -= usize::from(special.hears());
        }
        if specials.list.is_empty() {
            self.state.special = None;
        }
    }

    /// Tells a live slot with a manner of the state its session is in now.
    pub(crate) fn turn(&mut self, slot: Slot, state: u8) {
        let specials = self.state.special.as_mut();
        let Some((specials, key)) = specials.zip(slot.special()) else { return };
        let Some(special) = specials.list.get_mut(key) else { return };
        let before = special.hears();
        special.state = state;
        let after = special.hears();
        specials.hearing = specials.hearing + usize::from(after) - usize::from(before);
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

    /// Retires the node if nothing keeps it; the caller then takes it out of the table.
    pub(crate) fn retire_if_unused(&mut self) -> bool {
        let unused = !self.state.created
            && self.state.live.is_empty()
            && self.state.special.is_none()
            && self.state.dormant.is_empty();
        self.state.gone = unused;
        unused
    }

    /// Retires the node and returns whose subscriptions it had; the caller then takes it out of
    /// the table and their records out of the accounts.
    pub(crate) fn retire(mut self) -> Vec<Address> {
        let addresses = self.addresses();
        self.state.gone = true;
        self.state.live = Slab::new();
        self.state.special = None;
        self.state.dormant = Slab::new();
        self.count();
        addresses
    }

    /// The addresses subscribed, sorted, each once.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        let mut addresses: Vec<Address> =
            self.state.dormant.iter().map(|(_, address)| address.clone()).collect();
        let special = self.state.special.iter().flat_map(|specials| &specials.list);
        let special = special.map(|(_, special)| &special.listener);
        let live = self.state.live.iter().map(|(_, listener)| listener);
        addresses.extend(live.chain(special).filter_map(|listener| {
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
        let special = self.state.special.as_ref().map_or(0, |specials| specials.hearing);
        self.node.listeners.store(self.state.live.len() + special, Ordering::Release);
    }
}

impl Specials {
    /// Delivers to each by its manner; see [`Locked::publish`].
    fn publish(&self, event: &Event, wakers: &mut Wakers) -> usize {
        let mut delivered = 0;
        for (_, Special { listener, manner, state }) in &self.list {
            let Some(parcel) = manner.treatment(*state).parcel(event, listener.via) else { continue };
            let (result, waker) = listener.outbox.enqueue(parcel);
            delivered += usize::from(result.is_ok());
            wakers.add(waker);
        }
        delivered
    }
}
