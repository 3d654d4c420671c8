//! Random histories, compared step by step with a model so naive that it is obviously right.
#![cfg(not(broker_loom))]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use broker::{
    Address, Broker, Config, Error, Event, Extra, Manner, NodeSource, OnConflict, Outbox, Parcel, Reach,
    STATES, Session, Treatment, Via,
};
use proptest::prelude::*;

const ACCOUNTS: [&str; 3] = ["ann", "bob", "eve"];
const RESOURCES: [&str; 2] = ["desk", "phone"];
/// The first two are the source's, the others come and go.
const NODES: [&str; 5] = ["/source/ann", "/source/bob", "/a", "/b", "/c"];

struct Source;

impl NodeSource for Source {
    fn exists(&self, node: &str) -> bool {
        node.starts_with("/source/")
    }

    fn auto_subscriptions(&self, bare: &str) -> Vec<Arc<str>> {
        automatic(bare).into_iter().map(Arc::from).collect()
    }
}

fn automatic(bare: &str) -> Vec<&'static str> {
    NODES[..2].iter().copied().filter(|node| node.ends_with(bare)).collect()
}

type Who = (&'static str, &'static str);

#[derive(Clone, Debug)]
enum Step {
    Create(&'static str),
    Delete(&'static str),
    Bind(Who, OnConflict),
    Leave(Who),
    Reach(Who, Reach),
    Forget(Who, bool),
    Subscribe(Who, &'static str, Via),
    Unsubscribe(Who, &'static str, Via),
    SubscribeWith(Who, &'static str, Via, Option<u8>),
    SetManner(Who, &'static str, Via, Option<u8>),
    SetMannerFor(&'static str, Option<&'static str>, &'static str, Option<u8>),
    State(Who, u8),
    SubscribeFor(&'static str, Option<&'static str>, &'static str),
    UnsubscribeFor(&'static str, Option<&'static str>, &'static str),
    Publish(&'static str),
    Send(&'static str, Option<&'static str>),
    Broadcast,
    Remove(&'static str),
    Drain(Who),
}

fn step() -> impl Strategy<Value = Step> {
    let account = || prop::sample::select(&ACCOUNTS[..]);
    let who = || (account(), prop::sample::select(&RESOURCES[..]));
    let resource = || prop::option::of(prop::sample::select(&RESOURCES[..]));
    let node = || prop::sample::select(&NODES[..]);
    let via = || prop::sample::select(vec![Via::Bare, Via::Full]);
    let reach = || prop::sample::select(vec![Reach::None, Reach::Full, Reach::All, Reach::All]);
    let manner = || prop::option::weighted(0.8, 0..3_u8);
    let conflict = || prop::sample::select(vec![OnConflict::Replace, OnConflict::Refuse]);
    prop_oneof![
        3 => node().prop_map(Step::Create),
        1 => node().prop_map(Step::Delete),
        4 => (who(), conflict()).prop_map(|(who, conflict)| Step::Bind(who, conflict)),
        2 => who().prop_map(Step::Leave),
        5 => (who(), reach()).prop_map(|(who, reach)| Step::Reach(who, reach)),
        1 => (who(), any::<bool>()).prop_map(|(who, forget)| Step::Forget(who, forget)),
        8 => (who(), node(), via()).prop_map(|(who, node, via)| Step::Subscribe(who, node, via)),
        3 => (who(), node(), via()).prop_map(|(who, node, via)| Step::Unsubscribe(who, node, via)),
        4 => (who(), node(), via(), manner()).prop_map(|(w, n, v, m)| Step::SubscribeWith(w, n, v, m)),
        2 => (who(), node(), via(), manner()).prop_map(|(w, n, v, m)| Step::SetManner(w, n, v, m)),
        1 => (account(), resource(), node(), manner())
            .prop_map(|(a, r, n, m)| Step::SetMannerFor(a, r, n, m)),
        3 => (who(), 0..STATES as u8).prop_map(|(who, state)| Step::State(who, state)),
        2 => (account(), resource(), node()).prop_map(|(a, r, n)| Step::SubscribeFor(a, r, n)),
        1 => (account(), resource(), node()).prop_map(|(a, r, n)| Step::UnsubscribeFor(a, r, n)),
        9 => node().prop_map(Step::Publish),
        1 => (account(), resource()).prop_map(|(a, r)| Step::Send(a, r)),
        1 => Just(Step::Broadcast),
        1 => account().prop_map(Step::Remove),
        1 => who().prop_map(Step::Drain),
    ]
}

/// A session of the model: a list of what its client must see.
#[derive(Default)]
struct Expected {
    reach: Reach,
    state: u8,
    forget: bool,
    queue: Vec<String>,
}

#[derive(Default)]
struct Model {
    created: BTreeSet<&'static str>,
    /// With the flag that the source has given it.
    bare: BTreeMap<(&'static str, &'static str), bool>,
    full: BTreeSet<(Who, &'static str)>,
    /// Number of the manner of a subscription, as [`manner`] knows it.
    manners: BTreeMap<(&'static str, Option<&'static str>, &'static str), u8>,
    sessions: BTreeMap<Who, Expected>,
}

impl Model {
    fn exists(&self, node: &str) -> bool {
        self.created.contains(node) || Source.exists(node)
    }

    fn is_here(&self, account: &str) -> bool {
        self.sessions.keys().any(|who| who.0 == account)
    }

    fn bind(&mut self, who: Who) {
        if self.sessions.contains_key(&who) {
            self.end(who);
        } else if !self.is_here(who.0) {
            for node in automatic(who.0) {
                self.bare.entry((who.0, node)).or_insert(true);
            }
        }
        self.sessions.insert(who, Expected::default());
    }

    fn end(&mut self, who: Who) {
        if self.sessions.remove(&who).is_some_and(|session| session.forget) {
            self.full.retain(|sub| sub.0 != who);
        }
    }

    fn leave(&mut self, who: Who) {
        self.end(who);
        if !self.is_here(who.0) {
            self.bare.retain(|sub, auto| sub.0 != who.0 || !*auto);
        }
    }

    fn subscribe(
        &mut self,
        account: &'static str,
        resource: Option<&'static str>,
        node: &'static str,
    ) -> bool {
        match resource {
            Some(resource) => !self.full.insert(((account, resource), node)),
            None => {
                let already = self.bare.contains_key(&(account, node));
                self.bare.entry((account, node)).or_insert(false);
                already
            }
        }
    }

    fn unsubscribe(
        &mut self,
        account: &'static str,
        resource: Option<&'static str>,
        node: &'static str,
    ) -> bool {
        match resource {
            Some(resource) => self.full.remove(&((account, resource), node)),
            None => self.bare.remove(&(account, node)).is_some(),
        }
    }

    fn publish(&mut self, node: &'static str, text: &str) -> usize {
        let mut sent = 0;
        for (who, session) in &mut self.sessions {
            let mut copy = |resource: Option<&'static str>, via: &str| {
                let kind = self.manners.get(&(who.0, resource, node)).copied();
                let extra = match treatment(kind, session.state) {
                    Treatment::Plain => "",
                    Treatment::Withhold => return,
                    Treatment::With(_) => " with",
                };
                session.queue.push(format!("{text} {via}{extra}"));
                sent += 1;
            };
            if session.reach == Reach::All && self.bare.contains_key(&(who.0, node)) {
                copy(None, "bare");
            }
            if session.reach != Reach::None && self.full.contains(&(*who, node)) {
                copy(Some(who.1), "full");
            }
        }
        sent
    }

    fn is_subscribed(&self, account: &'static str, resource: Option<&'static str>, node: &str) -> bool {
        let name = resource.map_or_else(|| account.to_owned(), |resource| format!("{account}/{resource}"));
        self.subscribers(node).contains(&name)
    }

    fn set_manner(
        &mut self,
        account: &'static str,
        resource: Option<&'static str>,
        node: &'static str,
        kind: Option<u8>,
    ) {
        self.manners.remove(&(account, resource, node));
        if let Some(kind) = kind {
            self.manners.insert((account, resource, node), kind);
        }
    }

    /// A manner ends with its subscription.
    fn prune(&mut self) {
        let mut manners = std::mem::take(&mut self.manners);
        manners.retain(|(account, resource, node), _| self.is_subscribed(account, *resource, node));
        self.manners = manners;
    }

    fn subscribers(&self, node: &str) -> BTreeSet<String> {
        let bare = self.bare.keys().filter(|sub| sub.1 == node).map(|sub| sub.0.to_string());
        let full = self.full.iter().filter(|sub| sub.1 == node).map(|((a, r), _)| format!("{a}/{r}"));
        bare.chain(full).collect()
    }
}

/// The manners: something added in the first state only; nothing in the first state; never anything.
fn treatment(kind: Option<u8>, state: u8) -> Treatment {
    let extra = || Treatment::With(Arc::new(Extra { bytes: "with".into(), summary: false }));
    match (kind, state) {
        (None, _) => Treatment::Plain,
        (Some(0), 0) | (Some(1), 4) => extra(),
        (Some(1), 0) | (Some(2), _) => Treatment::Withhold,
        _ => Treatment::Plain,
    }
}

fn manner(kind: Option<u8>) -> Option<Arc<Manner>> {
    let by_state = std::array::from_fn(|state| treatment(kind, state as u8));
    kind.map(|kind| Arc::new(Manner::new(by_state, kind)))
}

struct Run {
    broker: Broker,
    model: Model,
    sessions: BTreeMap<Who, Session>,
    /// Numbers the texts, so that each is unique.
    count: usize,
}

/// What waits in an outbox. The two copies of one event have no order of their own.
fn drain(outbox: &Outbox) -> Vec<String> {
    let mut parcels = VecDeque::new();
    let _ = outbox.try_take(&mut parcels, usize::MAX);
    let show = |parcel: &Parcel| {
        let text = std::str::from_utf8(parcel.bytes()).unwrap();
        match parcel {
            Parcel::Event { via: Via::Bare, .. } => format!("{text} bare"),
            Parcel::Event { via: Via::Full, .. } => format!("{text} full"),
            Parcel::Special { via: Via::Bare, .. } => format!("{text} bare with"),
            Parcel::Special { via: Via::Full, .. } => format!("{text} full with"),
            Parcel::Direct { .. } => text.to_string(),
        }
    };
    let mut texts: Vec<String> = parcels.iter().map(show).collect();
    for copies in texts.chunk_by_mut(|a, b| a.split(' ').next() == b.split(' ').next()) {
        copies.sort_unstable();
    }
    texts
}

fn address(account: &str, resource: Option<&str>) -> Address {
    Address { bare: account.into(), resource: resource.map(Arc::from) }
}

impl Run {
    fn new() -> Self {
        let broker = Broker::with_source(Config { shards: 2, ..Config::default() }, Arc::new(Source));
        Self { broker, model: Model::default(), sessions: BTreeMap::new(), count: 0 }
    }

    fn step(&mut self, step: &Step) {
        self.count += 1;
        let text = format!("#{}", self.count);
        match *step {
            Step::Create(node) => {
                let expected = if self.model.exists(node) { Err(Error::NodeExists) } else { Ok(()) };
                assert_eq!(self.broker.create_node(node), expected);
                expected.is_ok().then(|| self.model.created.insert(node));
            }
            Step::Delete(node) => self.delete(node),
            Step::Bind(who, conflict) => self.bind(who, conflict),
            Step::Leave(who) => {
                if let Some(session) = self.sessions.remove(&who) {
                    self.check_queue(who, session.outbox());
                    self.model.leave(who);
                }
            }
            Step::Reach(who, reach) => {
                if let Some(session) = self.sessions.get(&who) {
                    session.set_reach(reach);
                    self.model.sessions.get_mut(&who).unwrap().reach = reach;
                }
            }
            Step::Forget(who, forget) => {
                if let Some(session) = self.sessions.get(&who) {
                    session.forget_on_leave(forget);
                    self.model.sessions.get_mut(&who).unwrap().forget = forget;
                }
            }
            Step::Subscribe(who, node, via) => self.subscribe(who, node, via, None, text),
            Step::SubscribeWith(who, node, via, kind) => self.subscribe(who, node, via, Some(kind), text),
            Step::SetManner(who, node, via, kind) => self.set_manner(who, node, via, kind, text),
            Step::SetMannerFor(account, resource, node, kind) => {
                let got = self.broker.set_manner(&address(account, resource), node, manner(kind));
                let there = self.model.is_subscribed(account, resource, node);
                assert_eq!(got, if there { Ok(()) } else { Err(Error::NotSubscribed) });
                there.then(|| self.model.set_manner(account, resource, node, kind));
            }
            Step::State(who, state) => {
                if let Some(session) = self.sessions.get(&who) {
                    session.set_state(state);
                    self.model.sessions.get_mut(&who).unwrap().state = state;
                }
            }
            Step::Unsubscribe(who, node, via) => self.unsubscribe(who, node, via, text),
            Step::SubscribeFor(account, resource, node) => {
                let got = self.broker.subscribe(&address(account, resource), node).map(|done| done.already);
                if self.model.exists(node) {
                    assert_eq!(got, Ok(self.model.subscribe(account, resource, node)));
                } else {
                    assert_eq!(got, Err(Error::NoSuchNode));
                }
            }
            Step::UnsubscribeFor(account, resource, node) => {
                let got = self.broker.unsubscribe(&address(account, resource), node);
                let was = self.model.unsubscribe(account, resource, node);
                assert_eq!(got, if was { Ok(()) } else { Err(Error::NotSubscribed) });
            }
            Step::Publish(node) => {
                let published = self.broker.publish(node, Event::new(text.clone()));
                assert_eq!(published.known, self.model.exists(node));
                assert_eq!(published.sessions, self.model.publish(node, &text));
            }
            Step::Send(account, resource) => self.send(account, resource, text),
            Step::Broadcast => {
                let sent = self.broker.broadcast(Event::new(text.clone()));
                let here = self.model.sessions.values_mut().filter(|session| session.reach != Reach::None);
                assert_eq!(sent, here.map(|session| session.queue.push(format!("{text} full"))).count());
            }
            Step::Remove(account) => self.remove(account),
            Step::Drain(who) => {
                if let Some(session) = self.sessions.get(&who) {
                    let outbox = session.outbox().clone();
                    self.check_queue(who, &outbox);
                }
            }
        }
        self.model.prune();
        self.check_tables();
    }

    fn set_manner(&mut self, who: Who, node: &'static str, via: Via, kind: Option<u8>, text: String) {
        let Some(session) = self.sessions.get(&who) else { return };
        let got = session.set_manner(node, via, manner(kind), Some(Parcel::answer(text.clone())));
        let resource = (via == Via::Full).then_some(who.1);
        if self.model.is_subscribed(who.0, resource, node) {
            assert_eq!(got, Ok(()));
            self.model.set_manner(who.0, resource, node, kind);
            self.model.sessions.get_mut(&who).unwrap().queue.push(text);
        } else {
            assert_eq!(got, Err(Error::NotSubscribed));
        }
    }

    fn delete(&mut self, node: &'static str) {
        let got = self.broker.delete_node(node);
        if self.model.exists(node) {
            let former: BTreeSet<_> = got.unwrap().iter().map(Address::to_string).collect();
            assert_eq!(former, self.model.subscribers(node));
        } else {
            assert_eq!(got, Err(Error::NoSuchNode));
        }
        self.model.created.remove(node);
        self.model.bare.retain(|sub, _| sub.1 != node);
        self.model.full.retain(|sub| sub.1 != node);
    }

    fn bind(&mut self, who: Who, conflict: OnConflict) {
        let got = self.broker.bind(Address::full(who.0, who.1), self.broker.outbox(), conflict);
        if conflict == OnConflict::Refuse && self.model.sessions.contains_key(&who) {
            assert_eq!(got.unwrap_err(), Error::Conflict);
            return;
        }
        let session = got.unwrap();
        if let Some(old) = self.sessions.insert(who, session) {
            self.check_queue(who, old.outbox());
        }
        self.model.bind(who);
    }

    fn subscribe(&mut self, who: Who, node: &'static str, via: Via, kind: Option<Option<u8>>, text: String) {
        let Some(session) = self.sessions.get(&who) else { return };
        let answer = Some(Parcel::answer(text.clone()));
        let got = match kind {
            None => session.subscribe(node, via, answer),
            Some(kind) => session.subscribe_with(node, via, manner(kind), answer),
        };
        if !self.model.exists(node) {
            assert_eq!(got.unwrap_err(), Error::NoSuchNode);
            return;
        }
        let resource = (via == Via::Full).then_some(who.1);
        let already = self.model.subscribe(who.0, resource, node);
        assert_eq!(got.unwrap().already, already);
        if let Some(kind) = kind {
            self.model.set_manner(who.0, resource, node, kind);
        }
        self.model.sessions.get_mut(&who).unwrap().queue.push(text);
    }

    fn unsubscribe(&mut self, who: Who, node: &'static str, via: Via, text: String) {
        let Some(session) = self.sessions.get(&who) else { return };
        let got = session.unsubscribe(node, via, Some(Parcel::answer(text.clone())));
        if self.model.unsubscribe(who.0, (via == Via::Full).then_some(who.1), node) {
            assert_eq!(got, Ok(()));
            self.model.sessions.get_mut(&who).unwrap().queue.push(text);
        } else {
            assert_eq!(got, Err(Error::NotSubscribed));
        }
    }

    fn send(&mut self, account: &str, resource: Option<&str>, text: String) {
        let sent = self.broker.send(&address(account, resource), Parcel::notice(text.clone()));
        let mut expected = 0;
        for (who, session) in &mut self.model.sessions {
            let meant = resource.map_or(session.reach == Reach::All, |wanted| wanted == who.1);
            if who.0 == account && meant {
                session.queue.push(text.clone());
                expected += 1;
            }
        }
        assert_eq!(sent, expected);
    }

    fn remove(&mut self, account: &str) {
        self.broker.remove_account(account);
        let gone: Vec<Who> = self.sessions.keys().copied().filter(|who| who.0 == account).collect();
        for who in gone {
            let session = self.sessions.remove(&who).unwrap();
            self.check_queue(who, session.outbox());
            self.model.sessions.remove(&who);
        }
        self.model.bare.retain(|sub, _| sub.0 != account);
        self.model.full.retain(|sub| sub.0.0 != account);
    }

    fn check_queue(&mut self, who: Who, outbox: &Outbox) {
        let expected = std::mem::take(&mut self.model.sessions.get_mut(&who).unwrap().queue);
        assert_eq!(drain(outbox), expected, "{who:?}");
    }

    fn check_tables(&self) {
        for node in NODES {
            let got: BTreeSet<_> = self.broker.subscribers(node).iter().map(Address::to_string).collect();
            assert_eq!(got, self.model.subscribers(node), "{node}");
        }
        let mut subscriptions = 0;
        for account in ACCOUNTS {
            for (who, node) in self.broker.subscriptions(account) {
                assert!(self.model.subscribers(&node).contains(&who.to_string()), "{who} {node}");
                subscriptions += 1;
            }
        }
        let mut manners = BTreeMap::new();
        for (who, node, manner) in self.broker.manners() {
            assert!(self.broker.subscription(&who, &node).is_some());
            manners.insert((who.to_string(), node.to_string()), *manner.note::<u8>().unwrap());
        }
        let expected = self.model.manners.iter().map(|((account, resource, node), kind)| {
            ((address(account, *resource).to_string(), node.to_string()), *kind)
        });
        assert_eq!(manners, expected.collect());
        let stats = self.broker.stats();
        assert_eq!(subscriptions, self.model.bare.len() + self.model.full.len());
        assert_eq!((stats.subscriptions, stats.sessions), (subscriptions, self.model.sessions.len()));
        let of_source = NODES[..2].iter().filter(|node| !self.model.subscribers(node).is_empty());
        assert_eq!(stats.nodes, self.model.created.len() + of_source.count(), "nodes without a reason to be");
        let accounts = ACCOUNTS.iter().filter(|account| {
            self.model.is_here(account)
                || self.model.bare.keys().any(|sub| sub.0 == **account)
                || self.model.full.iter().any(|sub| sub.0.0 == **account)
        });
        assert_eq!(stats.accounts, accounts.count(), "accounts without a reason to be");
    }

    /// Every session leaves; nothing remains but what was created and subscribed for good.
    fn finish(mut self) {
        let everyone: Vec<Who> = self.sessions.keys().copied().collect();
        everyone.into_iter().for_each(|who| self.step(&Step::Leave(who)));
        ACCOUNTS.into_iter().for_each(|account| self.step(&Step::Remove(account)));
        let stats = self.broker.stats();
        assert_eq!((stats.accounts, stats.sessions, stats.subscriptions), (0, 0, 0));
        assert_eq!(stats.nodes, self.model.created.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_model(steps in prop::collection::vec(step(), 1..150)) {
        let mut run = Run::new();
        steps.iter().for_each(|step| run.step(step));
        run.finish();
    }
}
