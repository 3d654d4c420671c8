//! One account: its sessions, what it is subscribed to, and how the two are connected.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::Address;
use crate::error::Error;
use crate::event::{Event, Parcel, Via};
use crate::manner::{Manner, SubscriptionInfo, Treatment};
use crate::node::{Locked, Node, Slot};
use crate::outbox::{EndReason, Outbox};
use crate::stats::Counters;
use crate::sync::{Mutex, MutexGuard};
use crate::table::Keyed;
use crate::wake::Wakers;

/// What the budget counts for a subscription: its places in account and node, and its part of a node
/// that is there for its sake.
const SUBSCRIPTION: usize = 256;

/// Which of its subscriptions a session receives for at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reach {
    /// None: the session has not announced itself, or is unavailable.
    #[default]
    None,
    /// Those of its full address only (in XMPP: negative priority).
    Full,
    /// Those of its full address and of its account.
    All,
}

/// What subscribing has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscribed {
    /// The subscription was there before.
    pub already: bool,
}

/// The sessions and subscriptions behind one bare address.
pub(crate) struct Account {
    bare: Arc<str>,
    state: Mutex<State>,
}

/// Sessions and subscriptions of an account.
///
/// Within one account all bare subscriptions are in the same condition: they have a live slot for
/// each session with [`Reach::All`], or a dormant one if there is no such session. So the slots
/// are columns parallel to `bare`: one for each such session, or the one in `BareSub`.
pub(crate) struct State {
    seats: Vec<Seat>,
    bare: Vec<BareSub>,
    /// Subscriptions of every kind.
    count: u32,
    /// The subscriptions that want their events in a manner of their own; hardly anybody has any.
    special: Option<Box<Specials>>,
    /// On its way out of the table.
    gone: bool,
}

/// By the address of the node, so that an account with many of them looks none up by walking over all.
#[derive(Default)]
struct Specials(HashMap<usize, Vec<Special>>);

impl Specials {
    fn of(&self, node: &Arc<Node>) -> &[Special] {
        self.0.get(&key(node)).map_or(&[], |list| list)
    }
}

/// The node is kept by each of its subscriptions, so that no other gets its address.
fn key(node: &Arc<Node>) -> usize {
    Arc::as_ptr(node).addr()
}

struct Special {
    node: Arc<Node>,
    /// `None`: the subscription of the account.
    resource: Option<Arc<str>>,
    manner: Arc<Manner>,
}

struct BareSub {
    node: Arc<Node>,
    /// The dormant slot while no session is receptive; otherwise meaningless.
    slot: Slot,
    /// Given by the node source; ends with the last session.
    auto: bool,
}

/// A resource with a session, with dormant subscriptions, or with both.
pub(crate) struct Seat {
    resource: Arc<str>,
    subs: Vec<FullSub>,
    occupant: Occupant,
}

struct FullSub {
    node: Arc<Node>,
    /// Live if the seat's session has a reach, otherwise dormant.
    slot: Slot,
}

enum Occupant {
    Here(Live),
    /// Nobody; since when is for `sweep` to say, which has a clock.
    Away(Option<Instant>),
}

struct Live {
    outbox: Outbox,
    /// Live slots parallel to `State::bare` if the reach is `All`, otherwise empty.
    bare_slots: Vec<Slot>,
    reach: Reach,
    /// What the manners of subscriptions depend on.
    state: u8,
    /// Whether the full-address subscriptions end with the session.
    forget: bool,
}

/// What a request to subscribe says about the manner of the subscription.
pub(crate) enum Wish {
    /// Nothing: a new one gets its events as they are, an old one stays as it is.
    Nothing,
    /// This, be it new or old.
    Have(Option<Arc<Manner>>),
}

impl Wish {
    fn manner(self) -> Option<Arc<Manner>> {
        match self {
            Self::Nothing => None,
            Self::Have(manner) => manner,
        }
    }
}

/// Why a subscription did not come about.
pub(crate) enum Refused {
    /// The node has left the table in the meantime: look it up again.
    Stale,
    Because(Error),
}

impl Keyed for Account {
    fn key(&self) -> &str {
        &self.bare
    }
}

impl Account {
    pub(crate) fn new(bare: Arc<str>) -> Self {
        let state = State { seats: Vec::new(), bare: Vec::new(), count: 0, special: None, gone: false };
        Self { bare, state: Mutex::new(state) }
    }

    pub(crate) fn bare(&self) -> &Arc<str> {
        &self.bare
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    pub(crate) fn has_sessions(&self) -> bool {
        self.seats.iter().any(|seat| seat.live().is_some())
    }

    /// Whether there is a session with [`Reach::All`], leaving one seat out. Counted when it is asked:
    /// accounts have few seats, and there are many accounts.
    fn is_receptive(&self, without: Option<usize>) -> bool {
        let mut seats = self.seats.iter().enumerate();
        seats
            .any(|(at, seat)| Some(at) != without && seat.live().is_some_and(|live| live.reach == Reach::All))
    }

    /// Outboxes and reaches of the sessions, with their resources.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = (&Arc<str>, &Outbox, Reach)> {
        self.seats
            .iter()
            .filter_map(|seat| seat.live().map(|live| (&seat.resource, &live.outbox, live.reach)))
    }

    /// The names of the nodes subscribed to, with the resource of full-address subscriptions.
    pub(crate) fn subscriptions(&self) -> impl Iterator<Item = (Option<&Arc<str>>, &Arc<str>)> {
        let bare = self.bare.iter().map(|sub| (None, sub.node.name()));
        let full = self
            .seats
            .iter()
            .flat_map(|seat| seat.subs.iter().map(move |sub| (Some(&seat.resource), sub.node.name())));
        bare.chain(full)
    }

    /// The subscriptions with a manner of their own: resource, node, manner.
    pub(crate) fn manners(&self) -> impl Iterator<Item = (Option<&Arc<str>>, &Arc<str>, &Arc<Manner>)> {
        let list = self.special.iter().flat_map(|specials| specials.0.values().flatten());
        list.map(|special| (special.resource.as_ref(), special.node.name(), &special.manner))
    }

    /// Queues an event for the sessions that receive for a resource, or for the account.
    pub(crate) fn deliver(
        &self,
        resource: Option<&str>,
        event: &Event,
        manner: Option<&Manner>,
        wakers: &mut Wakers,
    ) -> usize {
        let via = if resource.is_some() { Via::Full } else { Via::Bare };
        let mut sent = 0;
        for seat in &self.seats {
            let Some(live) = seat.live() else { continue };
            let receives = match resource {
                None => live.reach == Reach::All,
                Some(resource) => live.reach != Reach::None && *seat.resource == *resource,
            };
            let treatment = manner.map_or(&Treatment::Plain, |manner| manner.treatment(live.state));
            if let Some(parcel) = treatment.parcel(event, via).filter(|_| receives) {
                let (result, waker) = live.outbox.enqueue(parcel);
                sent += usize::from(result.is_ok());
                wakers.add(waker);
            }
        }
        sent
    }

    fn manner(&self, node: &Arc<Node>, resource: Option<&str>) -> Option<Arc<Manner>> {
        find(self.special.as_deref(), node, resource)
    }

    /// One subscription, if there is such.
    pub(crate) fn subscription(&self, node: &Arc<Node>, resource: Option<&str>) -> Option<SubscriptionInfo> {
        let automatic = match resource {
            None => self.bare.iter().find(|sub| Arc::ptr_eq(&sub.node, node))?.auto,
            Some(resource) => {
                let seat = self.seats.iter().find(|seat| &*seat.resource == resource)?;
                seat.subs.iter().find(|sub| Arc::ptr_eq(&sub.node, node))?;
                false
            }
        };
        Some(SubscriptionInfo { automatic, manner: self.manner(node, resource) })
    }

    /// Notes or forgets the manner of a subscription.
    fn note_manner(&mut self, node: &Arc<Node>, resource: Option<&Arc<str>>, manner: Option<Arc<Manner>>) {
        if let Some(specials) = &mut self.special
            && let Some(list) = specials.0.get_mut(&key(node))
        {
            list.retain(|special| !special.is_of(resource.map(|resource| &**resource)));
            if list.is_empty() {
                specials.0.remove(&key(node));
            }
        }
        if let Some(manner) = manner {
            let special = Special { node: node.clone(), resource: resource.cloned(), manner };
            self.special.get_or_insert_default().0.entry(key(node)).or_default().push(special);
        } else if self.special.as_ref().is_some_and(|specials| specials.0.is_empty()) {
            self.special = None;
        }
    }

    /// Puts the account on its way out if there is nothing in it.
    pub(crate) fn retire_if_empty(&mut self) -> bool {
        self.seats.retain(|seat| seat.live().is_some() || !seat.subs.is_empty());
        self.gone = self.seats.is_empty() && self.bare.is_empty();
        self.gone
    }
}

impl Special {
    fn is_of(&self, resource: Option<&str>) -> bool {
        self.resource.as_deref() == resource
    }
}

fn find(specials: Option<&Specials>, node: &Arc<Node>, resource: Option<&str>) -> Option<Arc<Manner>> {
    let found = specials?.of(node).iter().find(|special| special.is_of(resource))?;
    Some(found.manner.clone())
}

/// The manner of a subscription together with the state of the session that receives.
fn with_state(manner: Option<Arc<Manner>>, live: &Live) -> Option<(Arc<Manner>, u8)> {
    manner.map(|manner| (manner, live.state))
}

impl Seat {
    fn live(&self) -> Option<&Live> {
        match &self.occupant {
            Occupant::Here(live) => Some(live),
            Occupant::Away(_) => None,
        }
    }

    fn live_mut(&mut self) -> Option<&mut Live> {
        match &mut self.occupant {
            Occupant::Here(live) => Some(live),
            Occupant::Away(_) => None,
        }
    }
}

/// An account under its lock, with what must happen after unlocking it.
pub(crate) struct Edit<'a> {
    pub(crate) account: &'a Account,
    pub(crate) state: &'a mut State,
    pub(crate) counters: &'a Counters,
    pub(crate) wakers: &'a mut Wakers,
    /// Nodes that nothing keeps any more, to be taken out of the table.
    pub(crate) unused: &'a mut Vec<Arc<Node>>,
    pub(crate) max_per_account: usize,
    pub(crate) max_per_session: usize,
}

/// An answer to be queued together with the change it confirms.
pub(crate) type Answer<'a> = Option<(&'a Outbox, Parcel)>;

impl Edit<'_> {
    /// The seat of the session with this outbox, unless the session has left or was replaced.
    pub(crate) fn seat_of(&self, outbox: &Outbox) -> Option<usize> {
        self.state.seats.iter().position(|seat| seat.live().is_some_and(|live| live.outbox.same(outbox)))
    }

    pub(crate) fn seat_named(&self, resource: &str) -> Option<usize> {
        self.state.seats.iter().position(|seat| &*seat.resource == resource)
    }

    pub(crate) fn is_occupied(&self, seat: usize) -> bool {
        self.state.seats[seat].live().is_some()
    }

    /// The seat of this resource, made if there is none.
    pub(crate) fn ensure_seat(&mut self, resource: &Arc<str>) -> usize {
        if let Some(seat) = self.seat_named(resource) {
            return seat;
        }
        if self.state.seats.len() < 4 {
            // Most accounts have one session: no room for others before they come.
            self.state.seats.reserve_exact(1);
        }
        let occupant = Occupant::Away(None);
        self.state.seats.push(Seat { resource: resource.clone(), subs: Vec::new(), occupant });
        self.state.seats.len() - 1
    }

    /// Seats a session, without any reach; the seat must be free.
    pub(crate) fn occupy(&mut self, seat: usize, outbox: Outbox) {
        let live = Live { outbox, bare_slots: Vec::new(), reach: Reach::None, state: 0, forget: false };
        self.state.seats[seat].occupant = Occupant::Here(live);
        self.counters.sessions.add(1);
    }

    /// Ends whatever session has this seat, for this reason.
    pub(crate) fn evict(&mut self, seat: usize, reason: EndReason) {
        if let Some(live) = self.state.seats[seat].live() {
            let outbox = live.outbox.clone();
            self.vacate(seat);
            self.wakers.add(outbox.finish(reason));
        }
    }

    /// The session leaves its seat; dormant subscriptions stay.
    pub(crate) fn leave(&mut self, seat: usize) {
        self.vacate(seat);
        // Seats are in the order in which their sessions left, see `make_room`.
        let seat = self.state.seats.remove(seat);
        self.state.seats.push(seat);
        if !self.state.has_sessions() {
            self.drop_automatic();
        }
    }

    fn vacate(&mut self, at: usize) {
        self.set_reach(at, Reach::None);
        let seat = &mut self.state.seats[at];
        let Occupant::Here(live) = std::mem::replace(&mut seat.occupant, Occupant::Away(None)) else {
            return;
        };
        self.counters.sessions.sub(1);
        if live.forget {
            self.drop_full(at);
        }
    }

    pub(crate) fn set_forget(&mut self, seat: usize, forget: bool) {
        if let Some(live) = self.state.seats[seat].live_mut() {
            live.forget = forget;
        }
    }

    /// Connects or disconnects the session and the subscriptions it now does or does not receive
    /// for. After it returns nothing is delivered beyond the reach.
    pub(crate) fn set_reach(&mut self, at: usize, reach: Reach) {
        let Some(live) = self.state.seats[at].live_mut() else { return };
        let old = std::mem::replace(&mut live.reach, reach);
        match (old == Reach::None, reach == Reach::None) {
            (true, false) => self.raise_full(at),
            (false, true) => self.lower_full(at),
            _ => {}
        }
        match (old == Reach::All, reach == Reach::All) {
            (false, true) => self.raise_bare(at),
            (true, false) => self.lower_bare(at),
            _ => {}
        }
    }

    fn raise_full(&mut self, at: usize) {
        let seat = &mut self.state.seats[at];
        let Occupant::Here(live) = &seat.occupant else { return };
        for sub in &mut seat.subs {
            if let Some(mut node) = sub.node.lock() {
                node.unpark(sub.slot);
                let manner = find(self.state.special.as_deref(), &sub.node, Some(&seat.resource));
                sub.slot = node.listen(live.outbox.clone(), Via::Full, with_state(manner, live));
            }
        }
    }

    fn lower_full(&mut self, at: usize) {
        let seat = &mut self.state.seats[at];
        let address = Address { bare: self.account.bare.clone(), resource: Some(seat.resource.clone()) };
        for sub in &mut seat.subs {
            if let Some(mut node) = sub.node.lock() {
                node.unlisten(sub.slot);
                sub.slot = node.park(address.clone());
            }
        }
    }

    fn raise_bare(&mut self, at: usize) {
        let first = !self.state.is_receptive(Some(at));
        let specials = self.state.special.as_deref();
        let Some(live) = self.state.seats[at].live_mut() else { return };
        live.bare_slots.reserve_exact(self.state.bare.len());
        for sub in &self.state.bare {
            let slot = sub.node.lock().map(|mut node| {
                if first {
                    node.unpark(sub.slot);
                }
                let manner = find(specials, &sub.node, None);
                node.listen(live.outbox.clone(), Via::Bare, with_state(manner, live))
            });
            // The slot of a node on its way out means nothing, but the columns stay parallel.
            live.bare_slots.push(slot.unwrap_or(sub.slot));
        }
    }

    fn lower_bare(&mut self, at: usize) {
        let last = !self.state.is_receptive(None);
        let Some(live) = self.state.seats[at].live_mut() else { return };
        let slots = std::mem::take(&mut live.bare_slots);
        for (sub, slot) in self.state.bare.iter_mut().zip(slots) {
            if let Some(mut node) = sub.node.lock() {
                node.unlisten(slot);
                if last {
                    sub.slot = node.park(Address { bare: self.account.bare.clone(), resource: None });
                }
            }
        }
    }

    /// Subscribes the account. The answer is queued under the node's lock: before the first event
    /// of the new subscription, and not at all if it is refused.
    pub(crate) fn subscribe_bare(
        &mut self,
        node: &Arc<Node>,
        auto: bool,
        manner: Wish,
        answer: Answer<'_>,
    ) -> Result<Subscribed, Refused> {
        if let (Some(index), Wish::Have(manner)) = (self.bare_index(node), &manner) {
            self.set_manner_bare(index, manner.clone(), answer)?;
            return Ok(Subscribed { already: true });
        }
        let already = self.bare_index(node).is_some();
        if !already {
            self.make_room()?;
        }
        let mut locked = node.lock().ok_or(Refused::Stale)?;
        self.say(answer)?;
        if !already {
            let manner = manner.manner();
            if manner.is_some() {
                self.state.note_manner(node, None, manner);
            }
            let slot = self.connect_bare(node, &mut locked);
            self.state.bare.push(BareSub { node: node.clone(), slot, auto });
            self.added();
        }
        Ok(Subscribed { already })
    }

    /// Live slots for every receptive session, or else a dormant one.
    fn connect_bare(&mut self, of: &Arc<Node>, node: &mut Locked<'_>) -> Slot {
        if !self.state.is_receptive(None) {
            return node.park(Address { bare: self.account.bare.clone(), resource: None });
        }
        let mut slot = Slot::NOWHERE;
        let manner = self.state.manner(of, None);
        for live in self.state.seats.iter_mut().filter_map(Seat::live_mut) {
            if live.reach == Reach::All {
                slot = node.listen(live.outbox.clone(), Via::Bare, with_state(manner.clone(), live));
                live.bare_slots.push(slot);
            }
        }
        slot
    }

    /// Subscribes the resource of this seat; see [`subscribe_bare`](Self::subscribe_bare).
    pub(crate) fn subscribe_full(
        &mut self,
        at: usize,
        node: &Arc<Node>,
        manner: Wish,
        answer: Answer<'_>,
    ) -> Result<Subscribed, Refused> {
        if let (Some(index), Wish::Have(manner)) = (self.full_index(at, node), &manner) {
            self.set_manner_full(at, index, manner.clone(), answer)?;
            return Ok(Subscribed { already: true });
        }
        let already = self.full_index(at, node).is_some();
        if !already {
            if self.state.seats[at].subs.len() >= self.max_per_session {
                return Err(Refused::Because(Error::TooManySubscriptions));
            }
            self.make_room()?;
        }
        let mut locked = node.lock().ok_or(Refused::Stale)?;
        self.say(answer)?;
        if !already {
            let manner = manner.manner();
            if manner.is_some() {
                let resource = self.state.seats[at].resource.clone();
                self.state.note_manner(node, Some(&resource), manner.clone());
            }
            let seat = &mut self.state.seats[at];
            let slot = match &seat.occupant {
                Occupant::Here(live) if live.reach != Reach::None => {
                    locked.listen(live.outbox.clone(), Via::Full, with_state(manner, live))
                }
                _ => {
                    let resource = Some(seat.resource.clone());
                    locked.park(Address { bare: self.account.bare.clone(), resource })
                }
            };
            seat.subs.push(FullSub { node: node.clone(), slot });
            self.added();
        }
        Ok(Subscribed { already })
    }

    /// Changes how the account's subscription wants its events. The answer is queued under the
    /// node's lock: in front of the first event that comes in the new manner.
    fn set_manner_bare(
        &mut self,
        index: usize,
        manner: Option<Arc<Manner>>,
        answer: Answer<'_>,
    ) -> Result<(), Refused> {
        let node = self.state.bare[index].node.clone();
        let mut locked = node.lock().ok_or(Refused::Stale)?;
        self.say(answer)?;
        self.state.note_manner(&node, None, manner.clone());
        for live in self.state.seats.iter_mut().filter_map(Seat::live_mut) {
            if live.reach == Reach::All {
                let manner = with_state(manner.clone(), live);
                let slot = live.bare_slots[index];
                live.bare_slots[index] = locked.relisten(slot, live.outbox.clone(), Via::Bare, manner);
            }
        }
        Ok(())
    }

    /// Changes how the subscription of this seat's resource wants its events.
    fn set_manner_full(
        &mut self,
        at: usize,
        index: usize,
        manner: Option<Arc<Manner>>,
        answer: Answer<'_>,
    ) -> Result<(), Refused> {
        let node = self.state.seats[at].subs[index].node.clone();
        let mut locked = node.lock().ok_or(Refused::Stale)?;
        self.say(answer)?;
        let resource = self.state.seats[at].resource.clone();
        self.state.note_manner(&node, Some(&resource), manner.clone());
        let seat = &mut self.state.seats[at];
        if let Occupant::Here(live) = &seat.occupant
            && live.reach != Reach::None
        {
            let manner = with_state(manner, live);
            let slot = seat.subs[index].slot;
            seat.subs[index].slot = locked.relisten(slot, live.outbox.clone(), Via::Full, manner);
        }
        Ok(())
    }

    /// Changes the manner of an existing subscription; the seat of `None` is the account's own.
    pub(crate) fn set_manner(
        &mut self,
        seat: Option<usize>,
        node: &Arc<Node>,
        manner: Option<Arc<Manner>>,
        answer: Answer<'_>,
    ) -> Result<(), Error> {
        let missing = || Error::NotSubscribed;
        let set = match seat {
            None => {
                let index = self.bare_index(node).ok_or_else(missing)?;
                self.set_manner_bare(index, manner, answer)
            }
            Some(at) => {
                let index = self.full_index(at, node).ok_or_else(missing)?;
                self.set_manner_full(at, index, manner, answer)
            }
        };
        set.map_err(|refused| match refused {
            Refused::Stale => Error::NotSubscribed,
            Refused::Because(error) => error,
        })
    }

    /// Notes the state of a session, on which the manners of its subscriptions depend.
    pub(crate) fn set_state(&mut self, at: usize, state: u8) {
        let Some(live) = self.state.seats[at].live_mut() else { return };
        live.state = state;
        let seat = &self.state.seats[at];
        let (Some(live), Some(specials)) = (seat.live(), &self.state.special) else { return };
        let bare = match live.reach {
            Reach::All => self.state.bare.iter().zip(&live.bare_slots),
            Reach::Full | Reach::None => [].iter().zip(&[]),
        };
        let bare = bare.map(|(sub, slot)| (&sub.node, None, *slot));
        let full = seat.subs.iter().filter(|_| live.reach != Reach::None);
        let full = full.map(|sub| (&sub.node, Some(&*seat.resource), sub.slot));
        for (node, resource, slot) in bare.chain(full) {
            if specials.of(node).iter().any(|special| special.is_of(resource))
                && let Some(mut node) = node.lock()
            {
                node.turn(slot, state);
            }
        }
    }

    /// Ends the account's subscription. The answer is queued under the node's lock: after the last
    /// event.
    pub(crate) fn unsubscribe_bare(&mut self, node: &Arc<Node>, answer: Answer<'_>) -> Result<(), Error> {
        let index = self.bare_index(node).ok_or(Error::NotSubscribed)?;
        self.remove_bare(index, answer);
        Ok(())
    }

    /// Ends the subscription of this seat's resource; see
    /// [`unsubscribe_bare`](Self::unsubscribe_bare).
    pub(crate) fn unsubscribe_full(
        &mut self,
        at: usize,
        node: &Arc<Node>,
        answer: Answer<'_>,
    ) -> Result<(), Error> {
        let index = self.full_index(at, node).ok_or(Error::NotSubscribed)?;
        self.remove_full(at, index, answer);
        Ok(())
    }

    /// Forgets every record of a node that has been deleted.
    pub(crate) fn forget(&mut self, node: &Arc<Node>) {
        if let Some(index) = self.bare_index(node) {
            self.remove_bare(index, None);
        }
        for at in 0..self.state.seats.len() {
            if let Some(index) = self.full_index(at, node) {
                self.remove_full(at, index, None);
            }
        }
    }

    /// Ends everything.
    pub(crate) fn remove_all(&mut self, reason: EndReason) {
        for at in 0..self.state.seats.len() {
            self.evict(at, reason);
            self.drop_full(at);
        }
        for index in (0..self.state.bare.len()).rev() {
            self.remove_bare(index, None);
        }
    }

    /// Drops the subscriptions of resources that have been absent since `limit` before `now`, and
    /// starts the clock of those that are newly absent. Returns how many were dropped.
    pub(crate) fn sweep(&mut self, now: Instant, limit: std::time::Duration) -> usize {
        let before = self.state.count;
        for at in 0..self.state.seats.len() {
            let Occupant::Away(since) = &mut self.state.seats[at].occupant else { continue };
            let since = *since.get_or_insert(now);
            if now.saturating_duration_since(since) >= limit {
                self.drop_full(at);
            }
        }
        (before - self.state.count) as usize
    }

    /// Makes room for one more subscription, at the cost of the resource absent longest.
    fn make_room(&mut self) -> Result<(), Refused> {
        let count = self.state.count as usize;
        if !self.counters.budget.admits(count * SUBSCRIPTION, SUBSCRIPTION) {
            return Err(Refused::Because(Error::TooManySubscriptions));
        }
        if count < self.max_per_account {
            return Ok(());
        }
        let absent = self.state.seats.iter().position(|seat| seat.live().is_none() && !seat.subs.is_empty());
        match absent {
            Some(at) => {
                self.drop_full(at);
                Ok(())
            }
            None => Err(Refused::Because(Error::TooManySubscriptions)),
        }
    }

    fn drop_automatic(&mut self) {
        for index in (0..self.state.bare.len()).rev() {
            if self.state.bare[index].auto {
                self.remove_bare(index, None);
            }
        }
    }

    fn drop_full(&mut self, at: usize) {
        for index in (0..self.state.seats[at].subs.len()).rev() {
            self.remove_full(at, index, None);
        }
    }

    fn remove_bare(&mut self, index: usize, answer: Answer<'_>) {
        let sub = self.state.bare.swap_remove(index);
        if self.state.special.is_some() {
            self.state.note_manner(&sub.node, None, None);
        }
        let mut locked = sub.node.lock();
        if let (false, Some(node)) = (self.state.is_receptive(None), &mut locked) {
            node.unpark(sub.slot);
        }
        for live in self.state.seats.iter_mut().filter_map(Seat::live_mut) {
            if live.reach == Reach::All {
                let slot = live.bare_slots.swap_remove(index);
                if let Some(node) = &mut locked {
                    node.unlisten(slot);
                }
            }
        }
        self.removed(&sub.node, locked, answer);
    }

    fn remove_full(&mut self, at: usize, index: usize, answer: Answer<'_>) {
        let sub = self.state.seats[at].subs.swap_remove(index);
        if self.state.special.is_some() {
            let resource = self.state.seats[at].resource.clone();
            self.state.note_manner(&sub.node, Some(&resource), None);
        }
        let seat = &self.state.seats[at];
        let live = seat.live().is_some_and(|live| live.reach != Reach::None);
        let mut locked = sub.node.lock();
        if let Some(node) = &mut locked {
            if live {
                node.unlisten(sub.slot);
            } else {
                node.unpark(sub.slot);
            }
        }
        self.removed(&sub.node, locked, answer);
    }

    fn added(&mut self) {
        self.state.count += 1;
        self.counters.subscriptions.add(1);
        self.counters.budget.take(SUBSCRIPTION);
    }

    /// The end of every removal: the answer while the node is still locked, the count, the node.
    fn removed(&mut self, node: &Arc<Node>, locked: Option<Locked<'_>>, answer: Answer<'_>) {
        // A consumer that has ended needs no answer.
        let _ = self.say(answer);
        self.state.count -= 1;
        self.counters.subscriptions.sub(1);
        self.counters.budget.release(SUBSCRIPTION);
        if locked.is_some_and(|mut node| node.retire_if_unused()) {
            self.unused.push(node.clone());
        }
    }

    fn say(&mut self, answer: Answer<'_>) -> Result<(), Refused> {
        let Some((outbox, parcel)) = answer else { return Ok(()) };
        let (result, waker) = outbox.enqueue(parcel);
        self.wakers.add(waker);
        result.map_err(|_| Refused::Because(Error::Gone))
    }

    fn bare_index(&self, node: &Arc<Node>) -> Option<usize> {
        self.state.bare.iter().position(|sub| Arc::ptr_eq(&sub.node, node))
    }

    fn full_index(&self, at: usize, node: &Arc<Node>) -> Option<usize> {
        self.state.seats[at].subs.iter().position(|sub| Arc::ptr_eq(&sub.node, node))
    }
}
