//! The broker: its nodes, publishing, and what administrators do.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Instant;

use crate::Address;
use crate::account::{Account, Edit, Reach, Refused, Subscribed, Wish};
use crate::budget::Budget;
use crate::config::Config;
use crate::error::Error;
use crate::event::{Event, Parcel, Via};
use crate::manner::{Manner, SubscriptionInfo};
use crate::node::Node;
use crate::outbox::{EndReason, Outbox, Owner};
use crate::session::{OnConflict, Session, SessionInfo};
use crate::source::{NoSource, NodeSource};
use crate::stats::{Counters, Stats};
use crate::sync::RwLock;
use crate::table::{Full, Table};
use crate::wake::Wakers;

/// Longest node name in bytes.
const MAX_NAME: usize = 1024;

/// Nodes, accounts and sessions of one process. Cloning gives another handle.
#[derive(Clone)]
pub struct Broker(Arc<Shared>);

pub(crate) struct Shared {
    config: Config,
    nodes: Table<Node>,
    accounts: Table<Account>,
    /// Created nodes by name. Held while one is created or deleted, so that it agrees with the table; comes
    /// before every other lock.
    created: RwLock<BTreeSet<Arc<str>>>,
    counters: Arc<Counters>,
    source: Arc<dyn NodeSource>,
}

/// What became of a published event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Deliveries made: a session that is subscribed by both addresses counts twice.
    pub sessions: usize,
    /// Whether the node exists, in the table or in the node source.
    pub known: bool,
}

impl Broker {
    /// A broker whose nodes are created explicitly.
    pub fn new(config: Config) -> Self {
        Self::with_source(config, Arc::new(NoSource))
    }

    /// A broker that also serves the nodes of a source.
    pub fn with_source(config: Config, source: Arc<dyn NodeSource>) -> Self {
        Self(Arc::new(Shared {
            nodes: Table::new(config.shards),
            accounts: Table::new(config.shards),
            created: RwLock::new(BTreeSet::new()),
            counters: Arc::new(Counters::new(Budget::new(config.memory))),
            source,
            config,
        }))
    }

    /// The configuration it was made with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// An outbox with the configured limits.
    pub fn outbox(&self) -> Outbox {
        Outbox::new(self.0.config.outbox)
    }

    /// The memory that clients may make this process hold.
    pub fn budget(&self) -> &Budget {
        &self.0.counters.budget
    }

    /// Creates a node that stays until it is deleted. Names are compared bytewise.
    ///
    /// # Errors
    ///
    /// [`Error::BadName`], [`Error::NodeExists`], [`Error::TooManyNodes`].
    pub fn create_node(&self, node: &str) -> Result<(), Error> {
        check_name(node)?;
        if self.0.source.exists(node) {
            return Err(Error::NodeExists);
        }
        let mut created = self.0.created.write();
        loop {
            let (found, made) = self.0.insert_node(node, true)?;
            if made {
                created.insert(found.name().clone());
                return Ok(());
            }
            if found.lock().is_some() {
                return Err(Error::NodeExists);
            }
            self.0.nodes.remove(&found);
        }
    }

    /// Deletes a node with its subscriptions, and returns the addresses that were subscribed. A
    /// node of the source loses its subscriptions but goes on existing.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchNode`].
    pub fn delete_node(&self, node: &str) -> Result<Vec<Address>, Error> {
        let mut created = self.0.created.write();
        let retired = self.0.nodes.get(node).and_then(|found| {
            let addresses = found.lock()?.retire();
            Some((found, addresses))
        });
        created.remove(node);
        let Some((retired, addresses)) = retired else {
            return if self.0.source.exists(node) { Ok(Vec::new()) } else { Err(Error::NoSuchNode) };
        };
        self.0.nodes.remove(&retired);
        drop(created);
        for address in &addresses {
            if let Some(account) = self.0.accounts.get(&address.bare) {
                self.0.edit(&account, |edit| edit.forget(&retired));
            }
        }
        Ok(addresses)
    }

    /// Whether there is such a node, in the table or in the source.
    pub fn has_node(&self, node: &str) -> bool {
        self.0.nodes.find(node, |_| ()).0.is_some() || self.0.source.exists(node)
    }

    /// The names of the created nodes, in bytewise order. Costs as much as there are; see
    /// [`nodes_after`](Self::nodes_after).
    pub fn nodes(&self) -> Vec<Arc<str>> {
        self.0.created.read().iter().cloned().collect()
    }

    /// How many nodes are created.
    pub fn node_count(&self) -> usize {
        self.0.created.read().len()
    }

    /// At most `max` names of created nodes behind `after` (`None`: from the first on), in bytewise order.
    pub fn nodes_after(&self, after: Option<&str>, max: usize) -> Vec<Arc<str>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let created = self.0.created.read();
        created.range::<str, _>((start, Bound::Unbounded)).take(max).cloned().collect()
    }

    /// At most `max` names of created nodes in front of `before` (`None`: from the last on), the nearest first.
    pub fn nodes_before(&self, before: Option<&str>, max: usize) -> Vec<Arc<str>> {
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        let created = self.0.created.read();
        created.range::<str, _>((Bound::Unbounded, end)).rev().take(max).cloned().collect()
    }

    /// Queues an event for every session that receives for the node. All subscribers see the
    /// events of a node in the same order, the order in which publishers got its lock.
    ///
    /// Nobody listening costs one lookup (and asking the source, if the table has no such node).
    pub fn publish(&self, node: &str, event: Event) -> Published {
        self.publish_with(node, || event)
    }

    /// Like [`publish`](Self::publish), but renders the event only if somebody listens. `render`
    /// runs outside all locks.
    pub fn publish_with(&self, node: &str, render: impl FnOnce() -> Event) -> Published {
        let (found, shard) = self.0.nodes.find(node, |node| node.has_listeners().then(|| node.clone()));
        shard.traffic.published.add(1);
        let known = found.is_some() || self.0.source.exists(node);
        let Some(node) = found.flatten() else {
            shard.traffic.unheard.add(1);
            return Published { sessions: 0, known };
        };
        let event = render();
        let mut wakers = Wakers::new();
        let sessions = node.lock().map_or(0, |locked| locked.publish(&event, &mut wakers));
        drop(wakers);
        shard.traffic.delivered.add(sessions as u64);
        Published { sessions, known }
    }

    /// Binds a session to its address, without any reach at first; from here on the address is
    /// taken until the session is dropped. Subscriptions that its resource has left dormant are
    /// its own again. An account's first session brings the automatic subscriptions with it.
    ///
    /// # Errors
    ///
    /// [`Error::NoResource`]; [`Error::Conflict`] under [`OnConflict::Refuse`];
    /// [`Error::OutboxInUse`] if the outbox serves or has served a session; [`Error::Gone`] if it
    /// has ended.
    pub fn bind(&self, address: Address, outbox: Outbox, conflict: OnConflict) -> Result<Session, Error> {
        let resource = address.resource.clone().ok_or(Error::NoResource)?;
        let owner = Arc::new(Owner { address, counters: self.0.counters.clone() });
        outbox.claim(&owner)?;
        match self.0.seat(&owner.address.bare, &resource, &outbox, conflict) {
            Ok(account) => Ok(Session::new(self.0.clone(), account, owner, outbox)),
            Err(error) => {
                outbox.release();
                Err(error)
            }
        }
    }

    /// Subscribes an address on behalf of its owner. A full address need not have a session: its
    /// subscription is dormant until the resource binds.
    ///
    /// # Errors
    ///
    /// [`Error::BadName`], [`Error::NoSuchNode`], [`Error::TooManyNodes`],
    /// [`Error::TooManySubscriptions`].
    pub fn subscribe(&self, address: &Address, node: &str) -> Result<Subscribed, Error> {
        self.subscribe_by(address, node, || Wish::Nothing)
    }

    /// Like [`subscribe`](Self::subscribe), in a manner of its own; an existing subscription gets the
    /// manner too. `None`: events as they are.
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe).
    pub fn subscribe_with(
        &self,
        address: &Address,
        node: &str,
        manner: Option<Arc<Manner>>,
    ) -> Result<Subscribed, Error> {
        self.subscribe_by(address, node, || Wish::Have(manner.clone()))
    }

    /// Changes the manner of a subscription on behalf of its owner.
    ///
    /// # Errors
    ///
    /// [`Error::NotSubscribed`].
    pub fn set_manner(
        &self,
        address: &Address,
        node: &str,
        manner: Option<Arc<Manner>>,
    ) -> Result<(), Error> {
        let found = self.0.nodes.get(node).ok_or(Error::NotSubscribed)?;
        let account = self.0.accounts.get(&address.bare).ok_or(Error::NotSubscribed)?;
        let outcome = self.0.edit(&account, |edit| {
            let seat = match &address.resource {
                None => None,
                Some(resource) => Some(edit.seat_named(resource).ok_or(Error::NotSubscribed)?),
            };
            edit.set_manner(seat, &found, manner, None)
        });
        outcome.unwrap_or(Err(Error::NotSubscribed))
    }

    /// One subscription, or `None` if there is none of this address.
    pub fn subscription(&self, address: &Address, node: &str) -> Option<SubscriptionInfo> {
        let found = self.0.nodes.get(node)?;
        let account = self.0.accounts.get(&address.bare)?;
        let state = account.lock();
        state.subscription(&found, address.resource.as_deref())
    }

    /// The subscriptions of an account and its resources that have a manner of their own, with the
    /// names of the nodes.
    pub fn manners_of(&self, bare: &str) -> Vec<(Address, Arc<str>, Arc<Manner>)> {
        self.0.accounts.get(bare).map_or_else(Vec::new, |account| manners(&account))
    }

    /// The same for all accounts. Visits each of them: not for every request.
    pub fn manners(&self) -> Vec<(Address, Arc<str>, Arc<Manner>)> {
        let shards = self.0.accounts.shards().iter();
        shards.flat_map(|shard| shard.snapshot()).flat_map(|account| manners(&account)).collect()
    }

    fn subscribe_by(
        &self,
        address: &Address,
        node: &str,
        wish: impl Fn() -> Wish,
    ) -> Result<Subscribed, Error> {
        loop {
            let found = self.0.resolve(node)?;
            let account = self.0.ensure_account(&address.bare);
            let outcome = self.0.edit(&account, |edit| match &address.resource {
                None => edit.subscribe_bare(&found, false, wish(), None),
                Some(resource) => {
                    let seat = edit.ensure_seat(resource);
                    edit.subscribe_full(seat, &found, wish(), None)
                }
            });
            match outcome {
                None => {}
                Some(Ok(subscribed)) => return Ok(subscribed),
                Some(Err(Refused::Because(error))) => return Err(error),
                Some(Err(Refused::Stale)) => self.0.nodes.remove(&found),
            }
        }
    }

    /// Ends a subscription on behalf of its owner.
    ///
    /// # Errors
    ///
    /// [`Error::NotSubscribed`].
    pub fn unsubscribe(&self, address: &Address, node: &str) -> Result<(), Error> {
        let found = self.0.nodes.get(node).ok_or(Error::NotSubscribed)?;
        let account = self.0.accounts.get(&address.bare).ok_or(Error::NotSubscribed)?;
        let outcome = self.0.edit(&account, |edit| match &address.resource {
            None => edit.unsubscribe_bare(&found, None),
            Some(resource) => {
                let seat = edit.seat_named(resource).ok_or(Error::NotSubscribed)?;
                edit.unsubscribe_full(seat, &found, None)
            }
        });
        outcome.unwrap_or(Err(Error::NotSubscribed))
    }

    /// The subscriptions of an account and its resources with the names of the nodes, dormant and
    /// automatic ones included.
    pub fn subscriptions(&self, bare: &str) -> Vec<(Address, Arc<str>)> {
        let Some(account) = self.0.accounts.get(bare) else { return Vec::new() };
        let state = account.lock();
        let address = |resource: Option<&Arc<str>>| Address {
            bare: account.bare().clone(),
            resource: resource.cloned(),
        };
        state.subscriptions().map(|(resource, node)| (address(resource), node.clone())).collect()
    }

    /// The addresses subscribed to a node, sorted.
    pub fn subscribers(&self, node: &str) -> Vec<Address> {
        let Some(node) = self.0.nodes.get(node) else { return Vec::new() };
        node.lock().map(|locked| locked.addresses()).unwrap_or_default()
    }

    /// The sessions of an account.
    pub fn sessions(&self, bare: &str) -> Vec<SessionInfo> {
        let Some(account) = self.0.accounts.get(bare) else { return Vec::new() };
        let state = account.lock();
        let info = |(resource, _, reach): (&Arc<str>, &Outbox, Reach)| SessionInfo {
            address: Address { bare: account.bare().clone(), resource: Some(resource.clone()) },
            reach,
        };
        state.sessions().map(info).collect()
    }

    /// Queues a parcel for one session, whatever its reach, or for all sessions of an account with
    /// [`Reach::All`]. Returns how many got it.
    pub fn send(&self, to: &Address, parcel: Parcel) -> usize {
        let Some(account) = self.0.accounts.get(&to.bare) else { return 0 };
        let mut wakers = Wakers::new();
        let mut sent = 0;
        let state = account.lock();
        for (resource, outbox, reach) in state.sessions() {
            let meant = match &to.resource {
                Some(wanted) => wanted == resource,
                None => reach == Reach::All,
            };
            if meant {
                let (result, waker) = outbox.enqueue(parcel.clone());
                sent += usize::from(result.is_ok());
                wakers.add(waker);
            }
        }
        drop(state);
        sent
    }

    /// Queues an event for the sessions that receive for an address at the moment, as a subscription in
    /// this manner would. Returns how many got it.
    pub fn deliver(&self, to: &Address, event: &Event, manner: Option<&Manner>) -> usize {
        let Some(account) = self.0.accounts.get(&to.bare) else { return 0 };
        let mut wakers = Wakers::new();
        let state = account.lock();
        let sent = state.deliver(to.resource.as_deref(), event, manner, &mut wakers);
        drop(state);
        sent
    }

    /// Queues an event for every session that has a reach, spliced with its full address. Returns
    /// how many got it.
    pub fn broadcast(&self, event: Event) -> usize {
        let mut sent = 0;
        for shard in self.0.accounts.shards() {
            for account in shard.snapshot() {
                let mut wakers = Wakers::new();
                let state = account.lock();
                for (_, outbox, _) in state.sessions().filter(|(_, _, reach)| *reach != Reach::None) {
                    let (result, waker) = outbox.enqueue_event(&event, event.len(), Via::Full);
                    sent += usize::from(result.is_ok());
                    wakers.add(waker);
                }
                drop(state);
            }
        }
        sent
    }

    /// Ends the sessions of an account with [`EndReason::Removed`] and drops its subscriptions.
    /// Returns whether there was anything.
    pub fn remove_account(&self, bare: &str) -> bool {
        let Some(account) = self.0.accounts.get(bare) else { return false };
        self.0.edit(&account, |edit| edit.remove_all(EndReason::Removed)).is_some()
    }

    /// Ends the outboxes of all sessions with [`EndReason::Shutdown`]; what is queued can still be
    /// taken. Subscriptions stay.
    pub fn shutdown(&self) {
        for shard in self.0.accounts.shards() {
            for account in shard.snapshot() {
                let mut wakers = Wakers::new();
                let state = account.lock();
                state.sessions().for_each(|(_, outbox, _)| wakers.add(outbox.finish(EndReason::Shutdown)));
                drop(state);
            }
        }
    }

    /// Drops full-address subscriptions whose resource has been absent for
    /// [`Config::dormant_after`]; the time counts from the first sweep that sees it absent. To be
    /// called every few minutes. Returns how many were dropped.
    pub fn sweep(&self, now: Instant) -> usize {
        let limit = self.0.config.dormant_after;
        let sweep = |account: Arc<Account>| self.0.edit(&account, |edit| edit.sweep(now, limit)).unwrap_or(0);
        self.0.accounts.shards().iter().flat_map(|shard| shard.snapshot()).map(sweep).sum()
    }

    /// What is there and what has happened.
    pub fn stats(&self) -> Stats {
        let Shared { nodes, accounts, counters, .. } = &*self.0;
        let mut stats = Stats {
            nodes: nodes.len(),
            accounts: accounts.len(),
            sessions: usize::try_from(counters.sessions.get()).unwrap_or(usize::MAX),
            subscriptions: usize::try_from(counters.subscriptions.get()).unwrap_or(usize::MAX),
            overflowed: counters.overflowed.get(),
            dropped: counters.dropped.get(),
            coalesced: counters.coalesced.get(),
            replaced: counters.replaced.get(),
            starved: counters.starved.get(),
            memory: counters.budget.used(),
            ..Stats::default()
        };
        for shard in nodes.shards() {
            stats.published += shard.traffic.published.get();
            stats.unheard += shard.traffic.unheard.get();
            stats.delivered += shard.traffic.delivered.get();
        }
        stats
    }
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Shared {
    /// Works on an account under its lock and does afterwards what must happen outside it. `None`
    /// if the account is on its way out of the table: look it up again.
    pub(crate) fn edit<R>(&self, account: &Arc<Account>, work: impl FnOnce(&mut Edit<'_>) -> R) -> Option<R> {
        // Dropped, and so woken, last.
        let mut wakers = Wakers::new();
        let mut unused = Vec::new();
        let mut state = account.lock();
        let result = (!state.is_gone()).then(|| {
            work(&mut Edit {
                account,
                state: &mut state,
                counters: &self.counters,
                wakers: &mut wakers,
                unused: &mut unused,
                max_per_account: self.config.max_subscriptions_per_account,
                max_per_session: self.config.max_subscriptions_per_session,
            })
        });
        let gone = state.retire_if_empty();
        drop(state);
        unused.iter().for_each(|node| self.nodes.remove(node));
        if gone {
            self.accounts.remove(account);
        }
        result
    }

    /// The node of this name, from the table or else from the source.
    pub(crate) fn resolve(&self, name: &str) -> Result<Arc<Node>, Error> {
        check_name(name)?;
        if let Some(node) = self.nodes.get(name) {
            return Ok(node);
        }
        if !self.source.exists(name) {
            return Err(Error::NoSuchNode);
        }
        Ok(self.insert_node(name, false)?.0)
    }

    pub(crate) fn find_node(&self, name: &str) -> Option<Arc<Node>> {
        self.nodes.get(name)
    }

    pub(crate) fn remove_node(&self, node: &Arc<Node>) {
        self.nodes.remove(node);
    }

    fn insert_node(&self, name: &str, created: bool) -> Result<(Arc<Node>, bool), Error> {
        self.nodes
            .get_or_insert(name, self.config.max_nodes, || Node::new(name, created))
            .map_err(|Full| Error::TooManyNodes)
    }

    fn ensure_account(&self, bare: &Arc<str>) -> Arc<Account> {
        // Bounded by what the accounts own: an empty one is removed at once.
        match self.accounts.get_or_insert(bare, usize::MAX, || Account::new(bare.clone())) {
            Ok((account, _)) => account,
            Err(Full) => unreachable!("no table reaches usize::MAX"),
        }
    }

    /// Seats a session in its account.
    fn seat(
        &self,
        bare: &Arc<str>,
        resource: &Arc<str>,
        outbox: &Outbox,
        conflict: OnConflict,
    ) -> Result<Arc<Account>, Error> {
        loop {
            let account = self.ensure_account(bare);
            // The source is asked outside the lock, so whether it must be is looked at twice.
            let first = !account.lock().has_sessions();
            let automatic = if first { self.automatic(bare) } else { Vec::new() };
            let outcome = self.edit(&account, |edit| {
                if !first && !edit.state.has_sessions() {
                    return None;
                }
                let automatic = if edit.state.has_sessions() { &[][..] } else { &automatic };
                Some(self.take_seat(edit, resource, outbox, conflict, automatic))
            });
            if let Some(Some(result)) = outcome {
                return result.map(|()| account);
            }
        }
    }

    fn take_seat(
        &self,
        edit: &mut Edit<'_>,
        resource: &Arc<str>,
        outbox: &Outbox,
        conflict: OnConflict,
        automatic: &[Arc<str>],
    ) -> Result<(), Error> {
        if outbox.is_ended().is_some() {
            // Ended on its way here. Whoever did that may have the seat by now.
            return Err(Error::Gone);
        }
        let seat = edit.ensure_seat(resource);
        if edit.is_occupied(seat) {
            if conflict == OnConflict::Refuse {
                return Err(Error::Conflict);
            }
            edit.counters.replaced.add(1);
            edit.evict(seat, EndReason::Replaced);
        }
        edit.occupy(seat, outbox.clone());
        automatic.iter().for_each(|name| self.subscribe_automatic(edit, name));
        Ok(())
    }

    /// Subscribes the account to a node of the source that is known to exist; a bound that is
    /// reached leaves it out.
    fn subscribe_automatic(&self, edit: &mut Edit<'_>, name: &str) {
        while let Ok((node, _)) = self.insert_node(name, false) {
            match edit.subscribe_bare(&node, true, Wish::Nothing, None) {
                Err(Refused::Stale) => self.nodes.remove(&node),
                _ => return,
            }
        }
    }

    fn automatic(&self, bare: &str) -> Vec<Arc<str>> {
        let mut names = self.source.auto_subscriptions(bare);
        names.retain(|name| {
            check_name(name).is_ok() && (self.nodes.get(name).is_some() || self.source.exists(name))
        });
        names
    }
}

fn manners(account: &Account) -> Vec<(Address, Arc<str>, Arc<Manner>)> {
    let address =
        |resource: Option<&Arc<str>>| Address { bare: account.bare().clone(), resource: resource.cloned() };
    let state = account.lock();
    let list = state.manners();
    list.map(|(resource, node, manner)| (address(resource), node.clone(), manner.clone())).collect()
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() || name.len() > MAX_NAME { Err(Error::BadName) } else { Ok(()) }
}
