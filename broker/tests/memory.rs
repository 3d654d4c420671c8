//! What the allocator sees: nothing while publishing, and little for a session that idles.
#![cfg(not(broker_loom))]
#![allow(unsafe_code)] // a counting allocator cannot be written without

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use broker::{Address, Broker, Config, Event, OnConflict, Outbox, Reach, Session, Via};
use bytes::Bytes;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<i64> = const { Cell::new(0) };
}

struct Counting;

fn count(calls: u64, bytes: i64) {
    // Fails while a thread ends; what happens then is nobody's measurement.
    let _ = CALLS.try_with(|cell| cell.set(cell.get() + calls));
    let _ = BYTES.try_with(|cell| cell.set(cell.get() + bytes));
}

// SAFETY: every call is handed on to the system allocator with its arguments unchanged; the
// counters are thread-local cells without drop code, which neither allocate nor unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, -(layout.size() as i64));
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as i64 - layout.size() as i64);
        // SAFETY: the caller's contract is the same.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations and bytes that this thread's `work` costs.
fn cost<R>(work: impl FnOnce() -> R) -> (R, u64, i64) {
    let (calls, bytes) = (CALLS.get(), BYTES.get());
    let result = work();
    (result, CALLS.get() - calls, BYTES.get() - bytes)
}

struct Nothing;

impl Wake for Nothing {
    fn wake(self: Arc<Self>) {}
}

fn address(n: usize) -> Address {
    Address::full(format!("agent{n}@localhost"), "desktop")
}

fn bind(broker: &Broker, address: Address) -> Session {
    let session = broker.bind(address, Outbox::new(broker.config().outbox), OnConflict::Refuse).unwrap();
    session.set_reach(Reach::All);
    session
}

/// Every consumer parked, an event published, every consumer woken and drained; then the same with
/// backlogs, which cost what their queues need to grow and no more.
#[test]
fn publishing_allocates_nothing_per_delivery() {
    const SESSIONS: usize = 500;
    let broker = Broker::new(Config::default());
    broker.create_node("/n").unwrap();
    broker.create_node("/silent").unwrap();
    let sessions: Vec<Session> = (0..SESSIONS).map(|n| bind(&broker, address(n))).collect();
    sessions.iter().for_each(|session| {
        session.subscribe("/n", Via::Full, None).unwrap();
    });
    let event = Event::new(Bytes::from_static(&[b'x'; 1024]));
    let waker = Waker::from(Arc::new(Nothing));
    let mut cx = Context::from_waker(&waker);
    let mut into = VecDeque::with_capacity(16);
    let mut round = || {
        for session in &sessions {
            assert!(session.outbox().poll_take(&mut cx, &mut into, usize::MAX).is_pending());
        }
        let (published, calls, _) = cost(|| broker.publish("/n", event.clone()));
        assert_eq!(published.sessions, SESSIONS);
        let ((), taking, _) = cost(|| {
            for session in &sessions {
                assert!(session.outbox().poll_take(&mut cx, &mut into, usize::MAX).is_ready());
                into.clear();
            }
        });
        (calls, taking)
    };
    let (first, _) = round();
    let later: Vec<_> = (0..10).map(|_| round()).collect();
    println!("publish to {SESSIONS} parked sessions: {first} allocations at first, then {:?}", later[0]);
    assert!(first <= SESSIONS as u64 + 16, "one small queue each");
    assert_eq!(later, [(0, 0); 10]);

    let ((), calls, _) = cost(|| {
        for _ in 0..256 {
            broker.publish("/n", event.clone());
        }
    });
    let each = calls as f64 / (256 * SESSIONS) as f64;
    println!("backlog of 256 events in each of {SESSIONS} sessions: {each:.3} allocations a delivery");
    assert!(each < 0.03, "queues grow by doubling: 6 times from 4 to 256");

    for node in ["/silent", "/unknown"] {
        let (_, calls, _) = cost(|| broker.publish_with(node, || unreachable!("nobody listens")));
        assert_eq!(calls, 0, "{node}");
    }
}

#[test]
fn an_idle_session_is_small_and_leaves_nothing() {
    const SESSIONS: usize = 1000;
    const SUBSCRIPTIONS: usize = 8;
    let broker = Broker::new(Config::default());
    let nodes: Vec<String> = (0..SUBSCRIPTIONS).map(|n| format!("/node/{n}")).collect();
    nodes.iter().for_each(|node| broker.create_node(node).unwrap());
    // The address is shared with the transport, which made it and needs it as well.
    let (addresses, _, texts) = cost(|| (0..SESSIONS).map(address).collect::<Vec<_>>());
    let mut sessions = Vec::with_capacity(SESSIONS);
    let ((), _, bound) = cost(|| {
        sessions.extend(addresses.iter().map(|address| bind(&broker, address.clone())));
    });
    let subscribe = |via| {
        cost(|| {
            for session in &sessions {
                nodes.iter().for_each(|node| {
                    session.subscribe(node, via, None).unwrap();
                });
            }
        })
    };
    let ((), _, full) = subscribe(Via::Full);
    let ((), _, bare) = subscribe(Via::Bare);
    let handle = std::mem::size_of::<Session>();
    let idle = bound as f64 / SESSIONS as f64 + handle as f64;
    let per = |bytes: i64| bytes as f64 / (SESSIONS * SUBSCRIPTIONS) as f64;
    let text = texts as f64 / SESSIONS as f64 - std::mem::size_of::<Address>() as f64;
    println!("idle session: {idle:.0} B with its handle of {handle} B, and {text:.0} B for its address");
    println!("subscription: {:.1} B by full address, {:.1} B by bare address", per(full), per(bare));
    assert!(idle <= 400.0, "{idle}");
    assert!(per(full) <= 48.0 && per(bare) <= 48.0);

    let ((), _, traffic) = cost(|| {
        broker.publish(&nodes[0], Event::new(Bytes::from_static(b"x")));
        let mut into = VecDeque::new();
        for session in &sessions {
            session.outbox().try_take(&mut into, usize::MAX).unwrap();
            into.clear();
        }
    });
    println!("kept by a session after its first event: {:.0} B", traffic as f64 / SESSIONS as f64);

    let ((), _, left) = cost(|| {
        sessions.iter().for_each(|session| session.forget_on_leave(true));
        sessions.clear();
        for address in &addresses {
            nodes.iter().for_each(|node| broker.unsubscribe(&address.to_bare(), node).unwrap());
        }
    });
    let rest = bound + full + bare + traffic + left;
    println!("left behind by {SESSIONS} sessions: {rest} B");
    assert!(rest < 64 * 1024, "tables keep a few slots, sessions nothing: {rest}");
}
