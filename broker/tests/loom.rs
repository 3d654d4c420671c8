//! Every interleaving (up to a bound of preemptions) of the races on which the crate's promises
//! rest, run on the very code that ships:
//!
//! `RUSTFLAGS="--cfg broker_loom" cargo test -p broker --test loom --release`
//!
//! takes seconds; `LOOM_MAX_PREEMPTIONS=7` looks deeper and takes a minute.
#![cfg(broker_loom)]

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use broker::{
    Address, Broker, Config, EndReason, Error, Event, Manner, NodeSource, OnConflict, Outbox, OutboxLimits,
    Parcel, Reach, STATES, Session, Treatment, Via, Wheel,
};
use loom::thread::{self, Thread};

fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(5);
    builder.check(run);
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits as a transport does; loom reports a lost wake-up as a deadlock.
fn take(outbox: &Outbox, into: &mut VecDeque<Parcel>) -> Result<usize, EndReason> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match outbox.poll_take(&mut Context::from_waker(&waker), into, usize::MAX) {
            Poll::Ready(taken) => return taken,
            Poll::Pending => thread::park(),
        }
    }
}

fn texts(parcels: &VecDeque<Parcel>) -> Vec<&str> {
    parcels.iter().map(|parcel| std::str::from_utf8(parcel.bytes()).unwrap()).collect()
}

fn drained(outbox: &Outbox) -> VecDeque<Parcel> {
    let mut parcels = VecDeque::new();
    let _ = outbox.try_take(&mut parcels, usize::MAX);
    parcels
}

fn config() -> Config {
    Config { shards: 1, ..Config::default() }
}

fn bind(broker: &Broker, bare: &str) -> Session {
    let session = broker.bind(Address::full(bare, "r"), broker.outbox(), OnConflict::Replace).unwrap();
    session.set_reach(Reach::All);
    session
}

#[test]
fn enqueue_against_park_loses_no_wake_up() {
    model(|| {
        let outbox = Outbox::new(OutboxLimits::default());
        let producers: Vec<_> = ["a", "b"]
            .map(|text| {
                let outbox = outbox.clone();
                thread::spawn(move || outbox.push(Parcel::notice(text)).unwrap())
            })
            .into();
        let mut taken = VecDeque::new();
        while taken.len() < 2 {
            take(&outbox, &mut taken).unwrap();
        }
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        assert!(outbox.is_empty());
    });
}

#[test]
fn enqueue_against_end_delivers_what_was_accepted_and_then_the_reason() {
    model(|| {
        let outbox = Outbox::new(OutboxLimits::default());
        let (producer, ender) = (outbox.clone(), outbox.clone());
        let producer = thread::spawn(move || producer.push(Parcel::notice("a")).is_ok());
        let ender = thread::spawn(move || ender.end(EndReason::Closed));
        let mut taken = VecDeque::new();
        let reason = loop {
            if let Err(reason) = take(&outbox, &mut taken) {
                break reason;
            }
        };
        assert_eq!(reason, EndReason::Closed);
        assert_eq!(taken.len(), usize::from(producer.join().unwrap()));
        ender.join().unwrap();
    });
}

#[test]
fn subscribe_and_unsubscribe_against_publish_keep_events_between_their_answers() {
    model(|| {
        let broker = Broker::new(config());
        broker.create_node("n").unwrap();
        let session = bind(&broker, "ann");
        let publishers = ["1", "2"].map(|text| {
            let broker = broker.clone();
            thread::spawn(move || broker.publish("n", Event::new(text)).sessions)
        });
        session.subscribe("n", Via::Full, Some(Parcel::answer("yes"))).unwrap();
        session.unsubscribe("n", Via::Full, Some(Parcel::answer("no"))).unwrap();
        let delivered: usize = publishers.map(|publisher| publisher.join().unwrap()).iter().sum();
        let parcels = drained(session.outbox());
        let texts = texts(&parcels);
        assert_eq!(texts.len(), delivered + 2);
        assert_eq!((texts.first(), texts.last()), (Some(&"yes"), Some(&"no")));
    });
}

#[test]
fn another_manner_against_publish_loses_no_event_of_an_only_listener() {
    model(|| {
        let broker = Broker::new(config());
        broker.create_node("n").unwrap();
        let session = bind(&broker, "ann");
        session.subscribe("n", Via::Full, None).unwrap();
        let publisher = broker.clone();
        let publisher = thread::spawn(move || publisher.publish("n", Event::new("1")).sessions);
        for manner in [Some(Arc::new(Manner::new([const { Treatment::Plain }; STATES], ()))), None] {
            session.set_manner("n", Via::Full, manner, None).unwrap();
        }
        assert_eq!(publisher.join().unwrap(), 1);
        assert_eq!(texts(&drained(session.outbox())), ["1"]);
    });
}

#[test]
fn two_publishers_are_seen_in_one_order() {
    model(|| {
        let broker = Broker::new(config());
        broker.create_node("n").unwrap();
        let sessions = [bind(&broker, "ann"), bind(&broker, "bob")];
        sessions.iter().for_each(|session| {
            session.subscribe("n", Via::Full, None).unwrap();
        });
        let other = broker.clone();
        let publisher = thread::spawn(move || other.publish("n", Event::new("1")));
        broker.publish("n", Event::new("2"));
        publisher.join().unwrap();
        let [ann, bob] = sessions.each_ref().map(|session| drained(session.outbox()));
        assert_eq!(texts(&ann), texts(&bob));
        assert_eq!(ann.len(), 2);
    });
}

#[test]
fn reach_against_publish_delivers_nothing_after_it_returned() {
    model(|| {
        let broker = Broker::new(config());
        broker.create_node("n").unwrap();
        let session = bind(&broker, "ann");
        session.subscribe("n", Via::Bare, None).unwrap();
        let other = broker.clone();
        let publisher = thread::spawn(move || other.publish("n", Event::new("1")).sessions);
        session.set_reach(Reach::None);
        let seen = session.outbox().len();
        let delivered = publisher.join().unwrap();
        assert_eq!((seen, session.outbox().len()), (delivered, delivered));
    });
}

#[test]
fn leaving_against_publish_leaves_nothing() {
    model(|| {
        let broker = Broker::new(config());
        broker.create_node("n").unwrap();
        let session = bind(&broker, "ann");
        session.forget_on_leave(true);
        session.subscribe("n", Via::Full, None).unwrap();
        let outbox = session.outbox().clone();
        let other = broker.clone();
        let publisher = thread::spawn(move || other.publish("n", Event::new("1")).sessions);
        drop(session);
        assert_eq!(outbox.len(), publisher.join().unwrap());
        let stats = broker.stats();
        assert_eq!((stats.accounts, stats.sessions, stats.subscriptions), (0, 0, 0));
        assert_eq!(broker.publish("n", Event::new("2")).sessions, 0);
    });
}

#[test]
fn two_sessions_race_for_one_address() {
    model(|| {
        let broker = Broker::new(config());
        let other = broker.clone();
        let rival = thread::spawn(move || bind(&other, "ann"));
        let mine = bind(&broker, "ann");
        let rival = rival.join().unwrap();
        let ends = [&mine, &rival].map(|session| session.outbox().is_ended());
        assert!(ends.contains(&None) && ends.contains(&Some(EndReason::Replaced)), "{ends:?}");
        drop((mine, rival));
        assert_eq!((broker.stats().sessions, broker.stats().accounts), (0, 0));
    });
}

struct Everything;

impl NodeSource for Everything {
    fn exists(&self, _node: &str) -> bool {
        true
    }
}

#[test]
fn a_node_retired_under_a_subscriber_is_made_anew() {
    model(|| {
        let broker = Broker::with_source(config(), Arc::new(Everything));
        let (ann, bob) = (bind(&broker, "ann"), bind(&broker, "bob"));
        ann.subscribe("n", Via::Full, None).unwrap();
        let leaving = thread::spawn(move || {
            ann.unsubscribe("n", Via::Full, None).unwrap();
            ann
        });
        bob.subscribe("n", Via::Full, None).unwrap();
        let ann = leaving.join().unwrap();
        assert_eq!(broker.publish("n", Event::new("x")).sessions, 1);
        assert_eq!((ann.outbox().len(), bob.outbox().len()), (0, 1));
        assert_eq!((broker.stats().nodes, broker.stats().subscriptions), (1, 1));
    });
}

#[test]
fn deleting_a_node_against_subscribing_leaves_no_record() {
    model(|| {
        let broker = Broker::new(config());
        broker.create_node("n").unwrap();
        let session = bind(&broker, "ann");
        let other = broker.clone();
        let deleting = thread::spawn(move || other.delete_node("n").unwrap());
        let subscribed = session.subscribe("n", Via::Bare, None);
        let former = deleting.join().unwrap();
        match subscribed {
            Ok(_) => assert_eq!(former, [Address::bare("ann")]),
            Err(error) => assert_eq!((error, former.len()), (Error::NoSuchNode, 0)),
        }
        assert_eq!((broker.stats().nodes, broker.stats().subscriptions), (0, 0));
    });
}

const TICK: Duration = Duration::from_secs(1);

#[test]
fn moving_a_timer_against_its_expiry_is_one_or_the_other() {
    model(|| {
        let start = Instant::now();
        let wheel = Arc::new(Wheel::new(start, TICK));
        let timer = wheel.arm(start + TICK, "item");
        let advancing = wheel.clone();
        let advancing = thread::spawn(move || {
            let mut fired = Vec::new();
            advancing.advance(start + TICK, &mut fired);
            fired.len()
        });
        let moved = timer.set(start + 3 * TICK);
        let fired = advancing.join().unwrap();
        assert_eq!(fired, usize::from(!moved));
        let mut late = Vec::new();
        wheel.advance(start + 2 * TICK, &mut late);
        assert!(late.is_empty(), "never before its new deadline");
        wheel.advance(start + 3 * TICK, &mut late);
        assert_eq!((late.len(), wheel.len()), (usize::from(moved), 0));
    });
}

#[test]
fn moving_a_timer_forward_while_it_is_filed_anew_is_not_missed() {
    model(|| {
        let start = Instant::now();
        let wheel = Arc::new(Wheel::new(start, TICK));
        let timer = wheel.arm(start + TICK, "item");
        assert!(timer.set(start + 4 * TICK));
        let advancing = wheel.clone();
        let advancing = thread::spawn(move || {
            let mut fired = Vec::new();
            advancing.advance(start + TICK, &mut fired);
            assert!(fired.is_empty());
        });
        assert!(timer.set(start + 2 * TICK));
        advancing.join().unwrap();
        let mut fired = Vec::new();
        wheel.advance(start + 2 * TICK, &mut fired);
        assert_eq!((fired.len(), wheel.len()), (1, 0));
    });
}

#[test]
fn cancelling_against_expiry_is_one_or_the_other() {
    model(|| {
        let start = Instant::now();
        let wheel = Arc::new(Wheel::new(start, TICK));
        let timer = wheel.arm(start + TICK, "item");
        let advancing = wheel.clone();
        let advancing = thread::spawn(move || {
            let mut fired = Vec::new();
            advancing.advance(start + TICK, &mut fired);
            fired.len()
        });
        let cancelled = timer.cancel();
        assert_eq!(advancing.join().unwrap(), usize::from(!cancelled));
        let mut fired = Vec::new();
        wheel.advance(start + 2 * TICK, &mut fired);
        assert_eq!((fired.len(), wheel.len()), (0, 0));
    });
}
