//! The broker alone: each consumer is parked, woken, takes its event and parks again.

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use broker::{Address, Broker, Config, Event, OnConflict, Reach, Session, Via};
use bytes::Bytes;

use crate::PAYLOAD;

const SUBSCRIBERS: usize = 500;

struct Nothing;

impl Wake for Nothing {
    fn wake(self: Arc<Self>) {
        black_box(());
    }
}

fn event() -> Event {
    Event::new(Bytes::from_static(&[b'x'; PAYLOAD]))
}

/// One session for each number, subscribed to the node that `node` names.
fn sessions(broker: &Broker, node: impl Fn(usize) -> String) -> Vec<Session> {
    let session = |n| {
        let address = Address::full(format!("agent{n}@localhost"), "desktop");
        let session = broker.bind(address, broker.outbox(), OnConflict::Refuse).expect("free");
        session.set_reach(Reach::All);
        let node = node(n);
        if !broker.has_node(&node) {
            broker.create_node(&node).expect("new");
        }
        session.subscribe(&node, Via::Full, None).expect("there");
        session
    };
    (0..SUBSCRIBERS).map(session).collect()
}

fn take(session: &Session, cx: &mut Context<'_>, into: &mut VecDeque<broker::Parcel>) {
    assert!(session.outbox().poll_take(cx, into, usize::MAX).is_ready());
    while let Some(parcel) = into.pop_front() {
        black_box(&parcel);
    }
    park(session, cx, into);
}

fn park(session: &Session, cx: &mut Context<'_>, into: &mut VecDeque<broker::Parcel>) {
    assert!(session.outbox().poll_take(cx, into, usize::MAX).is_pending());
}

/// One event to 500 sessions; per delivery.
pub fn fanout(rounds: usize) -> usize {
    let broker = Broker::new(Config::default());
    let sessions = sessions(&broker, |_| "/finesse/api/Queue/1".into());
    let waker = Waker::from(Arc::new(Nothing));
    let mut cx = Context::from_waker(&waker);
    let mut into = VecDeque::with_capacity(16);
    let event = event();
    sessions.iter().for_each(|session| park(session, &mut cx, &mut into));
    let mut delivered = 0;
    for _ in 0..rounds {
        delivered += broker.publish("/finesse/api/Queue/1", event.clone()).sessions;
        sessions.iter().for_each(|session| take(session, &mut cx, &mut into));
    }
    delivered
}

/// Each of 500 nodes has one session; per publication.
pub fn unicast(rounds: usize) -> usize {
    let broker = Broker::new(Config::default());
    let node = |n| format!("/finesse/api/User/agent{n}/Dialogs");
    let sessions = sessions(&broker, node);
    let nodes: Vec<String> = (0..SUBSCRIBERS).map(node).collect();
    let waker = Waker::from(Arc::new(Nothing));
    let mut cx = Context::from_waker(&waker);
    let mut into = VecDeque::with_capacity(16);
    let event = event();
    sessions.iter().for_each(|session| park(session, &mut cx, &mut into));
    let mut delivered = 0;
    for _ in 0..rounds {
        for (session, node) in sessions.iter().zip(&nodes) {
            delivered += broker.publish(node, event.clone()).sessions;
            take(session, &mut cx, &mut into);
        }
    }
    delivered
}
