//! The broker as an embedder sees it, one behaviour a test.
#![cfg(not(broker_loom))]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{
    Address, Broker, Config, EndReason, Error, Event, NodeSource, OnConflict, Outbox, OutboxLimits, Overflow,
    Parcel, Reach, Session, Via,
};

fn broker_with(nodes: &[&str]) -> Broker {
    let broker = Broker::new(Config::default());
    nodes.iter().for_each(|node| broker.create_node(node).unwrap());
    broker
}

fn bind(broker: &Broker, bare: &str, resource: &str) -> Session {
    broker.bind(Address::full(bare, resource), broker.outbox(), OnConflict::Replace).unwrap()
}

fn here(broker: &Broker, bare: &str, resource: &str) -> Session {
    let session = bind(broker, bare, resource);
    session.set_reach(Reach::All);
    session
}

/// What waits, as text; events marked with the subscription they are for.
fn taken(outbox: &Outbox) -> Vec<String> {
    let mut parcels = VecDeque::new();
    let _ = outbox.try_take(&mut parcels, usize::MAX);
    let show = |parcel: &Parcel| {
        let text = String::from_utf8(parcel.bytes().to_vec()).unwrap();
        match parcel {
            Parcel::Event { via: Via::Bare, .. } => format!("bare:{text}"),
            Parcel::Event { via: Via::Full, .. } => format!("full:{text}"),
            Parcel::Special { extra, .. } => format!("{text} with {extra:?}"),
            Parcel::Direct { .. } => text,
        }
    };
    parcels.iter().map(show).collect()
}

#[test]
fn bare_and_full_subscription_of_one_session_give_two_copies() {
    let broker = broker_with(&["/n"]);
    let session = here(&broker, "ann", "desk");
    session.subscribe("/n", Via::Bare, None).unwrap();
    session.subscribe("/n", Via::Full, None).unwrap();
    assert_eq!(broker.publish("/n", Event::new("x")).sessions, 2);
    let mut seen = taken(session.outbox());
    seen.sort();
    assert_eq!(seen, ["bare:x", "full:x"]);
}

#[test]
fn reach_decides_which_subscriptions_deliver() {
    let broker = broker_with(&["/n"]);
    let session = bind(&broker, "ann", "desk");
    session.subscribe("/n", Via::Bare, None).unwrap();
    session.subscribe("/n", Via::Full, None).unwrap();
    for (reach, deliveries) in [
        (Reach::None, 0),
        (Reach::Full, 1),
        (Reach::All, 2),
        (Reach::Full, 1),
        (Reach::None, 0),
        (Reach::All, 2),
    ] {
        session.set_reach(reach);
        assert_eq!(broker.publish("/n", Event::new("x")).sessions, deliveries, "{reach:?}");
        assert_eq!(taken(session.outbox()).len(), deliveries);
    }
    assert_eq!(broker.sessions("ann")[0].reach, Reach::All);
}

#[test]
fn a_bare_subscription_reaches_every_session_and_none_that_left() {
    let broker = broker_with(&["/n"]);
    let desk = here(&broker, "ann", "desk");
    let phone = here(&broker, "ann", "phone");
    broker.subscribe(&Address::bare("ann"), "/n").unwrap();
    assert_eq!(broker.publish("/n", Event::new("1")).sessions, 2);
    drop(desk);
    assert_eq!(broker.publish("/n", Event::new("2")).sessions, 1);
    assert_eq!(taken(phone.outbox()), ["bare:1", "bare:2"]);
    drop(phone);
    assert_eq!(broker.publish("/n", Event::new("3")).sessions, 0);
    let back = here(&broker, "ann", "laptop");
    assert_eq!(broker.publish("/n", Event::new("4")).sessions, 1);
    assert_eq!(taken(back.outbox()), ["bare:4"]);
}

#[test]
fn full_subscriptions_lie_dormant_or_are_forgotten() {
    let broker = broker_with(&["/n"]);
    let kept = here(&broker, "ann", "desk");
    kept.subscribe("/n", Via::Full, None).unwrap();
    let forgotten = here(&broker, "ann", "x7f3");
    forgotten.forget_on_leave(true);
    forgotten.subscribe("/n", Via::Full, None).unwrap();
    drop((kept, forgotten));
    let subscription = Address::full("ann", "desk");
    assert_eq!(broker.subscribers("/n"), std::slice::from_ref(&subscription));
    assert_eq!(broker.subscriptions("ann"), [(subscription, Arc::from("/n"))]);
    assert_eq!(broker.publish("/n", Event::new("missed")).sessions, 0);
    let back = here(&broker, "ann", "desk");
    assert_eq!(broker.publish("/n", Event::new("x")).sessions, 1);
    assert_eq!(taken(back.outbox()), ["full:x"]);
}

#[test]
fn sweep_drops_what_was_dormant_for_long_enough() {
    let broker = broker_with(&["/n"]);
    broker.subscribe(&Address::full("ann", "desk"), "/n").unwrap();
    let start = Instant::now();
    let day = broker.config().dormant_after;
    assert_eq!(broker.sweep(start), 0);
    assert_eq!(broker.sweep(start + day - Duration::from_secs(1)), 0);
    drop(bind(&broker, "ann", "desk"));
    assert_eq!(broker.sweep(start + day), 0, "the session has started the time anew");
    assert_eq!(broker.sweep(start + day + day), 1);
    assert_eq!(broker.stats().subscriptions, 0);
    assert_eq!(broker.stats().accounts, 0);
}

#[test]
fn answers_enclose_the_events_of_a_subscription() {
    let broker = broker_with(&["/n"]);
    let session = here(&broker, "ann", "desk");
    broker.publish("/n", Event::new("before"));
    let first = session.subscribe("/n", Via::Full, Some(Parcel::answer("yes"))).unwrap();
    broker.publish("/n", Event::new("x"));
    let again = session.subscribe("/n", Via::Full, Some(Parcel::answer("again"))).unwrap();
    assert_eq!((first.already, again.already), (false, true));
    session.unsubscribe("/n", Via::Full, Some(Parcel::answer("no"))).unwrap();
    broker.publish("/n", Event::new("after"));
    assert_eq!(session.unsubscribe("/n", Via::Full, Some(Parcel::answer("?"))), Err(Error::NotSubscribed));
    assert_eq!(session.unsubscribe("/n", Via::Bare, Some(Parcel::answer("?"))), Err(Error::NotSubscribed));
    let refused = session.subscribe("/other", Via::Full, Some(Parcel::answer("?")));
    assert_eq!(refused.unwrap_err(), Error::NoSuchNode);
    assert_eq!(taken(session.outbox()), ["yes", "full:x", "again", "no"]);
}

#[test]
fn conflict_replaces_or_refuses() {
    let broker = broker_with(&["/n"]);
    let old = here(&broker, "ann", "desk");
    old.subscribe("/n", Via::Full, None).unwrap();
    let outbox = broker.outbox();
    let refused = broker.bind(Address::full("ann", "desk"), outbox.clone(), OnConflict::Refuse);
    assert_eq!(refused.unwrap_err(), Error::Conflict);
    broker.publish("/n", Event::new("x"));
    let new = broker.bind(Address::full("ann", "desk"), outbox, OnConflict::Replace).unwrap();
    new.set_reach(Reach::All);
    broker.publish("/n", Event::new("y"));
    assert_eq!(taken(new.outbox()), ["full:y"], "the subscription of the address is inherited");
    assert_eq!(taken(old.outbox()), ["full:x"], "what was queued can still be taken");
    assert_eq!(old.outbox().is_ended(), Some(EndReason::Replaced));
    assert_eq!(old.subscribe("/n", Via::Bare, None).unwrap_err(), Error::Gone);
    old.set_reach(Reach::None);
    drop(old);
    assert_eq!(broker.publish("/n", Event::new("z")).sessions, 1, "the dead session changes nothing");
    let stats = broker.stats();
    assert_eq!((stats.sessions, stats.replaced), (1, 1));
}

#[test]
fn an_outbox_serves_one_session() {
    let broker = broker_with(&[]);
    let session = bind(&broker, "ann", "desk");
    let outbox = session.outbox().clone();
    let bind = |resource| broker.bind(Address::full("ann", resource), outbox.clone(), OnConflict::Replace);
    assert_eq!(bind("phone").unwrap_err(), Error::OutboxInUse);
    drop(session);
    assert_eq!(bind("phone").unwrap_err(), Error::OutboxInUse);
    outbox.end(EndReason::Closed);
    assert_eq!(bind("phone").unwrap_err(), Error::Gone);
    let bare = broker.bind(Address::bare("ann"), broker.outbox(), OnConflict::Replace);
    assert_eq!(bare.unwrap_err(), Error::NoResource);
}

#[test]
fn nodes_are_created_deleted_and_named_sensibly() {
    let broker = broker_with(&["/n"]);
    assert_eq!(broker.create_node("/n"), Err(Error::NodeExists));
    assert_eq!(broker.create_node(""), Err(Error::BadName));
    assert_eq!(broker.create_node(&"x".repeat(1025)), Err(Error::BadName));
    assert_eq!(broker.create_node(&"x".repeat(1024)), Ok(()));
    assert!(broker.has_node("/n") && !broker.has_node("/N"));
    let session = here(&broker, "ann", "desk");
    session.subscribe("/n", Via::Bare, None).unwrap();
    broker.subscribe(&Address::full("bob", "phone"), "/n").unwrap();
    let former = broker.delete_node("/n").unwrap();
    assert_eq!(former, [Address::bare("ann"), Address::full("bob", "phone")]);
    assert_eq!(broker.delete_node("/n"), Err(Error::NoSuchNode));
    let published = broker.publish("/n", Event::new("x"));
    assert_eq!((published.sessions, published.known), (0, false));
    assert_eq!(broker.stats().subscriptions, 0);
    assert_eq!(session.unsubscribe("/n", Via::Bare, None), Err(Error::NotSubscribed));
    broker.create_node("/n").unwrap();
    assert_eq!(broker.publish("/n", Event::new("x")).sessions, 0, "nobody is subscribed to the new node");
}

#[test]
fn limits_have_their_errors() {
    let config = Config {
        max_nodes: 4,
        max_subscriptions_per_session: 2,
        max_subscriptions_per_account: 3,
        ..Config::default()
    };
    let broker = Broker::new(config);
    ["/1", "/2", "/3", "/4"].iter().for_each(|node| broker.create_node(node).unwrap());
    assert_eq!(broker.create_node("/5"), Err(Error::TooManyNodes));
    let session = here(&broker, "ann", "desk");
    session.subscribe("/1", Via::Full, None).unwrap();
    session.subscribe("/2", Via::Full, None).unwrap();
    assert_eq!(session.subscribe("/3", Via::Full, None).unwrap_err(), Error::TooManySubscriptions);
    session.subscribe("/3", Via::Bare, None).unwrap();
    assert_eq!(session.subscribe("/4", Via::Bare, None).unwrap_err(), Error::TooManySubscriptions);
    assert!(session.subscribe("/1", Via::Full, None).unwrap().already);
    broker.delete_node("/4").unwrap();
    assert_eq!(broker.create_node("/5"), Ok(()));
}

#[test]
fn the_resource_absent_longest_makes_room() {
    let broker = Broker::new(Config { max_subscriptions_per_account: 3, ..Config::default() });
    ["/1", "/2", "/3"].iter().for_each(|node| broker.create_node(node).unwrap());
    let (first, second) = (bind(&broker, "ann", "a"), bind(&broker, "ann", "b"));
    first.subscribe("/1", Via::Full, None).unwrap();
    first.subscribe("/2", Via::Full, None).unwrap();
    second.subscribe("/1", Via::Full, None).unwrap();
    drop(second);
    drop(first);
    let third = bind(&broker, "ann", "c");
    third.subscribe("/3", Via::Full, None).unwrap();
    let left: Vec<_> = broker.subscriptions("ann").iter().map(|(who, node)| format!("{who}{node}")).collect();
    assert_eq!(left, ["ann/a/1", "ann/a/2", "ann/c/3"]);
}

struct Source;

impl NodeSource for Source {
    fn exists(&self, node: &str) -> bool {
        node.starts_with("/user/")
    }

    fn auto_subscriptions(&self, bare: &str) -> Vec<Arc<str>> {
        [format!("/user/{bare}"), format!("/user/{bare}/calls"), "/nowhere".into()].map(Arc::from).into()
    }
}

#[test]
fn nodes_of_a_source_come_and_go_with_their_subscriptions() {
    let broker = Broker::with_source(Config::default(), Arc::new(Source));
    assert!(broker.has_node("/user/bob") && !broker.has_node("/other"));
    assert_eq!(broker.create_node("/user/bob"), Err(Error::NodeExists));
    let published = broker.publish("/user/bob", Event::new("x"));
    assert_eq!((published.sessions, published.known), (0, true));
    assert_eq!(broker.stats().nodes, 0);

    let session = here(&broker, "ann", "desk");
    assert_eq!(broker.stats().nodes, 2);
    assert!(broker.nodes().is_empty(), "only created ones are listed");
    assert_eq!(broker.publish("/user/ann", Event::new("x")).sessions, 1);
    assert_eq!(taken(session.outbox()), ["bare:x"]);
    assert!(session.subscribe("/user/ann", Via::Bare, None).unwrap().already);
    let names: Vec<_> = broker.subscriptions("ann").into_iter().map(|(_, node)| node).collect();
    assert_eq!(names, [Arc::from("/user/ann"), Arc::<str>::from("/user/ann/calls")]);

    let second = here(&broker, "ann", "phone");
    drop(session);
    assert_eq!(broker.publish("/user/ann", Event::new("y")).sessions, 1);
    drop(second);
    assert_eq!((broker.stats().nodes, broker.stats().accounts, broker.stats().subscriptions), (0, 0, 0));
}

#[test]
fn deleting_a_node_of_the_source_ends_its_subscriptions_only() {
    let broker = Broker::with_source(Config::default(), Arc::new(Source));
    assert_eq!(broker.delete_node("/user/ann"), Ok(vec![]));
    let session = here(&broker, "ann", "desk");
    assert_eq!(broker.delete_node("/user/ann"), Ok(vec![Address::bare("ann")]));
    assert!(broker.has_node("/user/ann"));
    assert_eq!(broker.publish("/user/ann", Event::new("x")).sessions, 0);
    assert!(!session.subscribe("/user/ann", Via::Bare, None).unwrap().already);
    assert_eq!(broker.publish("/user/ann", Event::new("x")).sessions, 1);
}

#[test]
fn nothing_is_rendered_for_nobody() {
    let broker = broker_with(&["/n"]);
    let session = bind(&broker, "ann", "desk");
    session.subscribe("/n", Via::Full, None).unwrap();
    let published = broker.publish_with("/n", || panic!("rendered"));
    assert_eq!((published.sessions, published.known), (0, true));
    let published = broker.publish_with("/unknown", || panic!("rendered"));
    assert_eq!((published.sessions, published.known), (0, false));
    session.set_reach(Reach::Full);
    assert_eq!(broker.publish_with("/n", || Event::new("x")).sessions, 1);
    let stats = broker.stats();
    assert_eq!((stats.published, stats.unheard, stats.delivered), (3, 2, 1));
}

#[test]
fn send_and_broadcast_go_by_address_and_reach() {
    let broker = broker_with(&[]);
    let all = here(&broker, "ann", "all");
    let full = bind(&broker, "ann", "full");
    full.set_reach(Reach::Full);
    let none = bind(&broker, "bob", "none");
    assert_eq!(broker.send(&Address::bare("ann"), Parcel::notice("1")), 1);
    assert_eq!(broker.send(&Address::full("ann", "full"), Parcel::notice("2")), 1);
    assert_eq!(broker.send(&Address::full("bob", "none"), Parcel::notice("3")), 1);
    assert_eq!(broker.send(&Address::full("ann", "absent"), Parcel::notice("4")), 0);
    assert_eq!(broker.send(&Address::bare("carl"), Parcel::notice("5")), 0);
    assert_eq!(broker.broadcast(Event::new("b")), 2);
    assert_eq!(taken(all.outbox()), ["1", "full:b"]);
    assert_eq!(taken(full.outbox()), ["2", "full:b"]);
    assert_eq!(taken(none.outbox()), ["3"]);
}

#[test]
fn removing_an_account_leaves_nothing() {
    let broker = broker_with(&["/n"]);
    let session = here(&broker, "ann", "desk");
    session.subscribe("/n", Via::Bare, None).unwrap();
    session.subscribe("/n", Via::Full, None).unwrap();
    broker.subscribe(&Address::full("ann", "phone"), "/n").unwrap();
    assert!(broker.remove_account("ann"));
    assert!(!broker.remove_account("ann"));
    assert_eq!(session.outbox().is_ended(), Some(EndReason::Removed));
    assert_eq!(session.subscribe("/n", Via::Bare, None).unwrap_err(), Error::Gone);
    assert_eq!(broker.subscribers("/n"), []);
    let stats = broker.stats();
    assert_eq!((stats.accounts, stats.sessions, stats.subscriptions), (0, 0, 0));
    let again = here(&broker, "ann", "desk");
    drop(session);
    assert_eq!(broker.sessions("ann").len(), 1, "the dead session takes nobody along");
    drop(again);
}

#[test]
fn shutdown_ends_every_outbox_after_what_is_queued() {
    let broker = broker_with(&["/n"]);
    let session = here(&broker, "ann", "desk");
    session.send(Parcel::notice("last")).unwrap();
    broker.shutdown();
    assert_eq!(taken(session.outbox()), ["last"]);
    assert_eq!(session.outbox().try_take(&mut VecDeque::new(), 1), Err(EndReason::Shutdown));
    assert!(session.send(Parcel::notice("late")).is_err());
}

#[test]
fn a_slow_session_ends_and_the_others_go_on() {
    let broker = broker_with(&["/n"]);
    let limits = OutboxLimits { max_items: 3, ..OutboxLimits::default() };
    let slow = broker.bind(Address::full("ann", "slow"), Outbox::new(limits), OnConflict::Refuse).unwrap();
    slow.set_reach(Reach::All);
    let quick = here(&broker, "bob", "quick");
    slow.subscribe("/n", Via::Full, None).unwrap();
    quick.subscribe("/n", Via::Full, None).unwrap();
    let reached: Vec<_> = (0..6).map(|_| broker.publish("/n", Event::new("x")).sessions).collect();
    assert_eq!(reached, [2, 2, 2, 1, 1, 1]);
    assert_eq!(slow.outbox().is_ended(), Some(EndReason::Overflow));
    assert_eq!((slow.outbox().len(), slow.outbox().bytes()), (0, 0), "the queue is freed at once");
    assert_eq!(taken(quick.outbox()).len(), 6);
    assert_eq!(broker.stats().overflowed, 1);
    drop(slow);
    assert_eq!(broker.stats().sessions, 1);
}

#[test]
fn other_policies_count_what_they_drop() {
    let broker = broker_with(&["/n"]);
    let outbox = |overflow| Outbox::new(OutboxLimits { max_items: 2, overflow, ..OutboxLimits::default() });
    let bind = |resource, overflow| {
        let address = Address::full("ann", resource);
        let session = broker.bind(address, outbox(overflow), OnConflict::Refuse).unwrap();
        session.set_reach(Reach::Full);
        session.subscribe("/n", Via::Full, None).unwrap();
        session
    };
    let oldest = bind("oldest", Overflow::DropOldest);
    let merging = bind("merging", Overflow::Coalesce);
    for (text, key) in [("a1", 1), ("b1", 2), ("a2", 1)] {
        broker.publish("/n", Event::new(text).keyed(key));
    }
    assert_eq!(taken(oldest.outbox()), ["full:b1", "full:a2"]);
    assert_eq!(taken(merging.outbox()), ["full:b1", "full:a2"]);
    let stats = broker.stats();
    assert_eq!((stats.dropped, stats.coalesced, stats.overflowed), (1, 1, 0));
}

#[test]
fn created_nodes_are_listed_in_order_and_by_parts() {
    let broker = Broker::new(Config::default());
    for name in ["d", "a", "c", "b"] {
        broker.create_node(name).unwrap();
    }
    let names = |list: Vec<Arc<str>>| list.iter().map(|name| name.to_string()).collect::<String>();
    assert_eq!(names(broker.nodes()), "abcd");
    assert_eq!(names(broker.nodes_after(None, 2)), "ab");
    assert_eq!(names(broker.nodes_after(Some("b"), 9)), "cd");
    assert_eq!(names(broker.nodes_after(Some("bb"), 1)), "c");
    assert_eq!(names(broker.nodes_before(None, 2)), "dc");
    assert_eq!(names(broker.nodes_before(Some("c"), 9)), "ba");
    assert_eq!(broker.create_node("c"), Err(Error::NodeExists));
    broker.delete_node("c").unwrap();
    assert_eq!((names(broker.nodes()), broker.node_count()), ("abd".into(), 3));
    assert_eq!(broker.delete_node("c"), Err(Error::NoSuchNode));
    broker.create_node("c").unwrap();
    assert_eq!(names(broker.nodes()), "abcd");
}
