//! Publish and fan-out, beside tokio's broadcast channel, with allocation counts:
//!
//! `cargo bench -p broker --bench fanout`
//!
//! One iteration publishes one event of 1 KiB to all subscribers and, in `fan_out_and_take`, has
//! every one of them take it. Sending to a broadcast channel costs the same for any number of
//! receivers, since they copy later out of one ring; so only the whole way compares like with
//! like. `items/s` counts deliveries.

#[cfg(not(broker_loom))]
#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    #[cfg(not(broker_loom))]
    divan::main();
}

#[cfg(not(broker_loom))]
mod run {
    use std::collections::VecDeque;
    use std::future::Future;
    use std::sync::Arc;
    use std::task::{Context, Wake, Waker};

    use broker::{
        Address, Broker, Config, Event, OnConflict, Outbox, OutboxLimits, Overflow, Reach, Session, Via,
    };
    use bytes::Bytes;
    use divan::{Bencher, black_box, counter::ItemsCount};
    use tokio::sync::broadcast;

    const SIZES: [usize; 4] = [1, 50, 500, 2000];
    const PAYLOAD: &[u8] = &[b'x'; 1024];
    /// Events between two drains where draining is not measured; fits the ring of the broadcast
    /// channel, so that neither side drops.
    const BACKLOG: usize = 256;

    struct Nothing;

    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {
            black_box(());
        }
    }

    fn subscribed(subscribers: usize) -> (Broker, Vec<Session>) {
        let broker = Broker::new(Config::default());
        broker.create_node("/finesse/api/Queue/1").unwrap();
        let limits = OutboxLimits { max_items: 1000, max_bytes: 4 << 20, overflow: Overflow::DropOldest };
        let session = |n| {
            let address = Address::full(format!("agent{n}@localhost"), "desktop");
            let session = broker.bind(address, Outbox::new(limits), OnConflict::Refuse).unwrap();
            session.set_reach(Reach::All);
            session.subscribe("/finesse/api/Queue/1", Via::Full, None).unwrap();
            session
        };
        let sessions = (0..subscribers).map(session).collect();
        (broker, sessions)
    }

    fn drain(sessions: &[Session], into: &mut VecDeque<broker::Parcel>) {
        for session in sessions {
            session.outbox().try_take(into, usize::MAX).unwrap();
            into.clear();
        }
    }

    /// The publisher's part alone: consumers are awake and drain later (not measured here).
    #[divan::bench_group(sample_size = 64)]
    mod publish {
        use super::*;

        #[divan::bench(args = SIZES)]
        fn broker(bencher: Bencher<'_, '_>, subscribers: usize) {
            let (broker, sessions) = subscribed(subscribers);
            let event = Event::new(Bytes::from_static(PAYLOAD));
            let mut into = VecDeque::new();
            let mut published = 0;
            bencher
                .counter(ItemsCount::new(subscribers))
                .with_inputs(|| {
                    published += 1;
                    if published % BACKLOG == 0 {
                        drain(&sessions, &mut into);
                    }
                    event.clone()
                })
                .bench_local_values(|event| broker.publish("/finesse/api/Queue/1", event));
        }

        #[divan::bench(args = SIZES)]
        fn tokio_broadcast(bencher: Bencher<'_, '_>, subscribers: usize) {
            let (sender, first) = broadcast::channel(2 * BACKLOG);
            let mut receivers: Vec<_> = (1..subscribers).map(|_| sender.subscribe()).collect();
            receivers.push(first);
            let event = Bytes::from_static(PAYLOAD);
            let mut published = 0;
            bencher
                .counter(ItemsCount::new(subscribers))
                .with_inputs(|| {
                    published += 1;
                    if published % BACKLOG == 0 {
                        receivers.iter_mut().for_each(|receiver| while receiver.try_recv().is_ok() {});
                    }
                    event.clone()
                })
                .bench_local_values(|event| sender.send(event));
        }
    }

    /// The whole way: every consumer is parked, woken, takes its event and parks again.
    #[divan::bench_group(sample_size = 16)]
    mod fan_out_and_take {
        use super::*;

        #[divan::bench(args = SIZES)]
        fn broker(bencher: Bencher<'_, '_>, subscribers: usize) {
            let (broker, sessions) = subscribed(subscribers);
            let event = Event::new(Bytes::from_static(PAYLOAD));
            let waker = Waker::from(Arc::new(Nothing));
            let mut cx = Context::from_waker(&waker);
            let mut into = VecDeque::new();
            let mut round = || {
                broker.publish("/finesse/api/Queue/1", event.clone());
                for session in &sessions {
                    assert!(session.outbox().poll_take(&mut cx, &mut into, usize::MAX).is_ready());
                    into.clear();
                    assert!(session.outbox().poll_take(&mut cx, &mut into, usize::MAX).is_pending());
                }
            };
            round();
            bencher.counter(ItemsCount::new(subscribers)).bench_local(round);
        }

        #[divan::bench(args = SIZES)]
        fn tokio_broadcast(bencher: Bencher<'_, '_>, subscribers: usize) {
            let (sender, first) = broadcast::channel(2 * BACKLOG);
            let receivers = (1..subscribers).map(|_| sender.subscribe()).chain([first]);
            let event = Bytes::from_static(PAYLOAD);
            let waker = Waker::from(Arc::new(Nothing));
            let mut cx = Context::from_waker(&waker);
            let task = |mut receiver: broadcast::Receiver<Bytes>| {
                Box::pin(async move {
                    while let Ok(event) = receiver.recv().await {
                        black_box(event);
                    }
                })
            };
            let mut tasks: Vec<_> = receivers.map(task).collect();
            let mut round = || {
                let _ = sender.send(event.clone());
                for task in &mut tasks {
                    assert!(task.as_mut().poll(&mut cx).is_pending(), "receives one and parks again");
                }
            };
            round();
            bencher.counter(ItemsCount::new(subscribers)).bench_local(round);
        }
    }

    /// A node that exists but has nobody, and one that does not exist.
    #[divan::bench(sample_size = 1000, args = ["/silent", "/unknown"])]
    fn publish_to_nobody(bencher: Bencher<'_, '_>, node: &str) {
        let (broker, _sessions) = subscribed(1);
        broker.create_node("/silent").unwrap();
        (0..10_000).for_each(|n| broker.create_node(&format!("/node/{n}")).unwrap());
        bencher.bench_local(|| broker.publish_with(black_box(node), || unreachable!("nobody listens")));
    }

    /// A session's life: bind, reach, two subscriptions, leave.
    #[divan::bench(sample_size = 100)]
    fn session_life(bencher: Bencher<'_, '_>) {
        let (broker, _others) = subscribed(500);
        broker.create_node("/own").unwrap();
        let address = Address::full("new@localhost", "desktop");
        bencher.bench_local(|| {
            let session = broker.bind(address.clone(), broker.outbox(), OnConflict::Refuse).unwrap();
            session.forget_on_leave(true);
            session.set_reach(Reach::All);
            session.subscribe("/own", Via::Full, None).unwrap();
            session.subscribe("/finesse/api/Queue/1", Via::Full, None).unwrap();
        });
    }

    /// Moving a deadline back, one of 50 000.
    #[divan::bench(sample_size = 1000)]
    fn wheel_set(bencher: Bencher<'_, '_>) {
        use std::time::{Duration, Instant};
        let start = Instant::now();
        let wheel = broker::Wheel::new(start, Duration::from_millis(250));
        let timers: Vec<_> =
            (0..50_000).map(|n| wheel.arm(start + Duration::from_millis(60_000 + n), n)).collect();
        let mut at = 0;
        bencher.bench_local(|| {
            at = (at + 7919) % timers.len();
            timers[at].set(black_box(start + Duration::from_secs(90)))
        });
    }
}
