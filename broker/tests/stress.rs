//! Many threads at once: one order for all, nothing outside a subscription, nothing left behind.
#![cfg(not(broker_loom))]

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use broker::{
    Address, Broker, Config, Event, OnConflict, Outbox, OutboxLimits, Overflow, Parcel, Reach, Session, Via,
};

const NODES: usize = 3;
const PUBLISHERS: usize = 3;
const EVENTS: usize = 4000;

fn roomy() -> Outbox {
    Outbox::new(OutboxLimits { max_items: 1 << 20, max_bytes: 1 << 30, overflow: Overflow::EndSession })
}

fn bind(broker: &Broker, bare: &str) -> Session {
    let session = broker.bind(Address::full(bare, "r"), roomy(), OnConflict::Replace).unwrap();
    session.set_reach(Reach::All);
    session
}

fn node(n: usize) -> String {
    format!("/node/{n}")
}

/// The texts in the outbox, those of each node (or of the answers about it) by themselves.
fn by_node(outbox: &Outbox) -> HashMap<String, Vec<String>> {
    let mut parcels = VecDeque::new();
    let _ = outbox.try_take(&mut parcels, usize::MAX);
    let mut texts: HashMap<String, Vec<String>> = HashMap::new();
    for parcel in &parcels {
        let text = std::str::from_utf8(parcel.bytes()).unwrap();
        let (node, rest) = text.split_once(' ').unwrap();
        texts.entry(node.to_string()).or_default().push(rest.to_string());
    }
    texts
}

fn publish_all(broker: &Broker, publisher: usize) {
    for n in 0..EVENTS {
        let node = node(n % NODES);
        let published = broker.publish(&node, Event::new(format!("{node} {publisher}.{n}")));
        assert!(published.known && published.sessions >= 2);
    }
}

/// Comes, subscribes, unsubscribes and leaves until told to stop; returns what each stay has seen.
fn churn(broker: &Broker, bare: &str, stop: &AtomicBool) -> Vec<HashMap<String, Vec<String>>> {
    let mut stays = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let session = bind(broker, bare);
        session.forget_on_leave(true);
        for n in 0..NODES {
            let name = node(n);
            let answer = |text: &str| Some(Parcel::answer(format!("{name} {text}")));
            let via = if n == 0 { Via::Bare } else { Via::Full };
            session.subscribe(&name, via, answer("yes")).unwrap();
            thread::yield_now();
            session.unsubscribe(&name, via, answer("no")).unwrap();
        }
        // The last one is ended by leaving.
        session.subscribe(&node(0), Via::Full, None).unwrap();
        let outbox = session.outbox().clone();
        let waiting = outbox.clone();
        drop(session);
        let len = waiting.len();
        thread::yield_now();
        assert_eq!(outbox.len(), len, "delivered after leaving");
        stays.push(by_node(&outbox));
    }
    stays
}

#[test]
fn every_subscriber_sees_a_part_of_one_order() {
    let broker = Broker::new(Config::default());
    (0..NODES).for_each(|n| broker.create_node(&node(n)).unwrap());
    let stable = [bind(&broker, "ann"), bind(&broker, "bob")];
    for session in &stable {
        (0..NODES).for_each(|n| {
            session.subscribe(&node(n), Via::Bare, None).unwrap();
        });
    }
    let stop = AtomicBool::new(false);
    let stays = thread::scope(|scope| {
        let churners = ["eve", "joe", "joe"].map(|bare| {
            let (broker, stop) = (&broker, &stop);
            // The two of one name need different accounts lest they replace each other.
            let bare = format!("{bare}{:?}", thread::current().id());
            scope.spawn(move || churn(broker, &format!("{bare}{:?}", thread::current().id()), stop))
        });
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|publisher| {
                let broker = &broker;
                scope.spawn(move || publish_all(broker, publisher))
            })
            .collect();
        publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
        stop.store(true, Ordering::Relaxed);
        churners.map(|churner| churner.join().unwrap()).concat()
    });

    let [order, other] = stable.each_ref().map(|session| by_node(session.outbox()));
    assert_eq!(order, other);
    let places: HashMap<(&str, &str), usize> = order
        .iter()
        .flat_map(|(node, texts)| texts.iter().enumerate().map(|(at, text)| ((&**node, &**text), at)))
        .collect();
    assert_eq!(places.len(), PUBLISHERS * EVENTS, "each event once");
    for publisher in 0..PUBLISHERS {
        for n in NODES..EVENTS {
            let place = |n| places[&(&*node(n % NODES), &*format!("{publisher}.{n}"))];
            assert!(place(n - NODES) < place(n), "a publisher's own order");
        }
    }
    let mut between = 0;
    for (name, texts) in stays.iter().flatten() {
        let no = texts.iter().position(|text| text == "no").unwrap();
        assert_eq!(texts[0], "yes", "nothing before the answer");
        let runs = [&texts[1..no], &texts[no + 1..]];
        assert!(runs[1].is_empty() || *name == node(0), "nothing after the answer");
        for run in runs {
            let at: Vec<usize> = run.iter().map(|text| places[&(&**name, &**text)]).collect();
            assert!(at.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a gap in {at:?}");
            between += run.len();
        }
    }
    println!("{} stays saw {between} events", stays.len());
    assert!(!stays.is_empty());

    drop(stable);
    broker.subscribers(&node(0)).into_iter().for_each(|address| {
        broker.unsubscribe(&address, &node(0)).unwrap();
    });
    (1..NODES)
        .flat_map(|n| broker.subscribers(&node(n)).into_iter().map(move |who| (who, n)))
        .for_each(|(address, n)| broker.unsubscribe(&address, &node(n)).unwrap());
    let stats = broker.stats();
    assert_eq!((stats.accounts, stats.sessions, stats.subscriptions), (0, 0, 0));
}

/// Nodes that a source has, which appear and vanish with their subscriptions, while the same
/// addresses are fought over.
#[test]
fn nodes_and_addresses_come_and_go_without_leaving_anything() {
    struct Everything;
    impl broker::NodeSource for Everything {
        fn exists(&self, _: &str) -> bool {
            true
        }
        fn auto_subscriptions(&self, bare: &str) -> Vec<std::sync::Arc<str>> {
            vec![format!("/auto/{bare}").into(), "/auto/all".into()]
        }
    }
    let broker = Broker::with_source(Config::default(), std::sync::Arc::new(Everything));
    thread::scope(|scope| {
        for seed in 0..4_usize {
            let broker = &broker;
            scope.spawn(move || {
                for n in 0..3000 {
                    let bare = ["ann", "bob"][(n + seed) % 2];
                    let session = bind(broker, bare);
                    session.forget_on_leave(true);
                    let name = node((n * 7 + seed) % 2);
                    // Both may find the session replaced by another thread's.
                    let _ = session.subscribe(&name, Via::Full, None);
                    broker.publish("/auto/all", Event::new("x"));
                    match n % 64 {
                        0 => drop(broker.delete_node(&name)),
                        1 => drop(broker.remove_account(bare)),
                        _ => drop(session.unsubscribe(&name, Via::Full, None)),
                    }
                }
            });
        }
    });
    let stats = broker.stats();
    assert_eq!((stats.accounts, stats.sessions, stats.subscriptions, stats.nodes), (0, 0, 0, 0));
}
