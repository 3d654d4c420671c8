//! The link over loopback, against a server scripted in the test.
#![cfg(feature = "tokio")]

use std::time::Duration;

use bytes::BytesMut;
use cti::client::{Config, Loss, Refusal};
use cti::enums::{cti_service, status_code};
use cti::failover::Side;
use cti::link::{self, LinkConfig, LinkEvent, LinkHandle, SendError};
use cti::{Codec, Dialect, Message, field, kind, tag};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// The server's end of one connection.
struct Peer {
    stream: TcpStream,
    codec: Codec,
    input: BytesMut,
}

impl Peer {
    async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        Self { stream, codec: Codec::new(Dialect::Cce, 20), input: BytesMut::new() }
    }

    /// Accepts and opens the session.
    async fn open(listener: &TcpListener) -> Self {
        let mut peer = Self::accept(listener).await;
        let open = peer.recv().await.unwrap();
        assert_eq!(open.kind, kind::OPEN_REQ);
        let granted = open.raw(field::SERVICES_REQUESTED).unwrap();
        peer.send(&[Message::new(kind::OPEN_CONF)
            .with(field::INVOKE_ID, open.invoke_id().unwrap())
            .with(field::SERVICES_GRANTED, granted)])
            .await;
        peer
    }

    /// The next message; `None` when the connection is gone.
    async fn recv(&mut self) -> Option<Message> {
        loop {
            if let Some(frame) = self.codec.decode(&mut self.input).unwrap() {
                return Some(frame.unwrap());
            }
            match timeout(PATIENCE, self.stream.read_buf(&mut self.input)).await.unwrap() {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    async fn send(&mut self, messages: &[Message]) {
        let mut wire = BytesMut::new();
        for message in messages {
            self.codec.encode(message, &mut wire).unwrap();
        }
        self.stream.write_all(&wire).await.unwrap();
    }
}

struct Bench {
    a: TcpListener,
    b: TcpListener,
    handle: LinkHandle,
    events: mpsc::Receiver<LinkEvent>,
}

async fn bench(change: impl FnOnce(&mut LinkConfig)) -> Bench {
    let (a, b) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let sides = [&a, &b].map(|listener| listener.local_addr().unwrap().to_string());
    let mut config = LinkConfig::new(sides.to_vec(), Config::new(Dialect::Cce, 20));
    config.first_pause = Duration::from_millis(20);
    config.longest_pause = Duration::from_millis(20);
    change(&mut config);
    let (handle, events) = link::spawn(config);
    Bench { a, b, handle, events }
}

impl Bench {
    async fn event(&mut self) -> LinkEvent {
        timeout(PATIENCE, self.events.recv()).await.unwrap().expect("the link lives")
    }
}

fn is_up(event: &LinkEvent, expected: Side) -> bool {
    matches!(event, LinkEvent::Up { side, .. } if *side == expected)
}

#[tokio::test]
async fn a_request_comes_back_confirmed_and_events_keep_their_order() {
    let mut bench = bench(|_| {}).await;
    let mut peer = Peer::open(&bench.a).await;
    assert!(is_up(&bench.event().await, Side::A));
    let id = bench.handle.send(Message::new(kind::HOLD_CALL_REQ)).unwrap();
    let request = peer.recv().await.unwrap();
    assert_eq!((request.kind, request.invoke_id()), (kind::HOLD_CALL_REQ, Some(id)));
    let mut burst = vec![Message::new(kind::HOLD_CALL_CONF).with(field::INVOKE_ID, id)];
    burst
        .extend((0..3000u32).map(|n| Message::new(kind::CALL_HELD_EVENT).with(field::CONNECTION_CALL_ID, n)));
    let sender = tokio::spawn(async move {
        peer.send(&burst).await;
        peer
    });
    assert!(matches!(bench.event().await, LinkEvent::Confirm { invoke_id, .. } if invoke_id == id));
    for n in 0..3000 {
        let LinkEvent::Message(message) = bench.event().await else { panic!("expected event {n}") };
        assert_eq!(message.uint(field::CONNECTION_CALL_ID), Some(n));
    }
    drop(sender.await.unwrap());
}

#[tokio::test]
async fn a_lost_side_leads_to_the_other_at_once_and_refuses_what_was_outstanding() {
    let mut bench = bench(|_| {}).await;
    let mut peer = Peer::open(&bench.a).await;
    assert!(is_up(&bench.event().await, Side::A));
    let id = bench.handle.send(Message::new(kind::HOLD_CALL_REQ)).unwrap();
    peer.recv().await.unwrap();
    drop(peer);
    let refused = LinkEvent::Refused { invoke_id: id, refusal: Refusal::NotConnected };
    assert_eq!(bench.event().await, refused);
    assert!(matches!(bench.event().await, LinkEvent::Down { side: Side::A, .. }));
    let _peer = Peer::open(&bench.b).await;
    assert!(is_up(&bench.event().await, Side::B));
}

#[tokio::test]
async fn a_preferred_side_is_gone_to_in_order_and_only_if_it_is_another() {
    let mut bench = bench(|_| {}).await;
    let mut peer = Peer::open(&bench.a).await;
    assert!(is_up(&bench.event().await, Side::A));
    bench.handle.prefer(Side::A).unwrap();
    let id = bench.handle.send(Message::new(kind::HOLD_CALL_REQ)).unwrap();
    assert_eq!(peer.recv().await.unwrap().invoke_id(), Some(id), "the session goes on");
    bench.handle.prefer(Side::B).unwrap();
    let close = peer.recv().await.unwrap();
    assert_eq!(close.kind, kind::CLOSE_REQ);
    let conf = Message::new(kind::CLOSE_CONF).with(field::INVOKE_ID, close.invoke_id().unwrap());
    peer.send(&[conf]).await;
    let refused = LinkEvent::Refused { invoke_id: id, refusal: Refusal::NotConnected };
    assert_eq!(bench.event().await, refused);
    assert_eq!(bench.event().await, LinkEvent::Down { side: Side::A, reason: Loss::Preferred });
    let _peer = Peer::open(&bench.b).await;
    assert!(is_up(&bench.event().await, Side::B));
}

#[tokio::test]
async fn sides_alternate_until_one_accepts() {
    let mut bench = bench(|_| {}).await;
    for side in [Side::A, Side::B, Side::A] {
        let listener = if side == Side::A { &bench.a } else { &bench.b };
        let mut peer = Peer::accept(listener).await;
        let open = peer.recv().await.unwrap();
        peer.send(&[Message::new(kind::FAILURE_CONF)
            .with(field::INVOKE_ID, open.invoke_id().unwrap())
            .with(field::STATUS, status_code::SERVER_NOT_MASTER)])
            .await;
        assert_eq!(bench.event().await, LinkEvent::Down { side, reason: Loss::OpenRefused(92) });
    }
    let _peer = Peer::open(&bench.b).await;
    assert!(is_up(&bench.event().await, Side::B));
}

#[tokio::test]
async fn an_unknown_service_bit_is_left_out_on_the_same_side() {
    let mut bench = bench(|_| {}).await;
    let mut peer = Peer::accept(&bench.a).await;
    let open = peer.recv().await.unwrap();
    assert_ne!(open.raw(field::SERVICES_REQUESTED).unwrap() & cti_service::CONFIG_EVENTS, 0);
    peer.send(&[Message::new(kind::FAILURE_CONF)
        .with(field::INVOKE_ID, open.invoke_id().unwrap())
        .with(field::STATUS, status_code::INVALID_SERVICE_MASK)])
        .await;
    let mut peer = Peer::accept(&bench.a).await;
    let open = peer.recv().await.unwrap();
    assert_eq!(open.raw(field::SERVICES_REQUESTED).unwrap() & cti_service::CONFIG_EVENTS, 0);
    assert_eq!(open.raw(field::CONFIG_MSG_MASK), Some(0));
    assert!(matches!(bench.event().await, LinkEvent::Down { side: Side::A, .. }));
}

#[tokio::test]
async fn a_silent_side_is_reset_and_the_other_one_used() {
    let mut bench = bench(|config| {
        config.client.heartbeat = Duration::from_millis(50);
        config.client.heartbeat_grace = Duration::from_millis(10);
    })
    .await;
    let mut peer = Peer::open(&bench.a).await;
    assert!(is_up(&bench.event().await, Side::A));
    for _ in 0..3 {
        assert_eq!(peer.recv().await.unwrap().kind, kind::HEARTBEAT_REQ);
    }
    assert_eq!(bench.event().await, LinkEvent::Down { side: Side::A, reason: Loss::Heartbeats });
    // What was sent last may or may not arrive before the reset.
    let end = loop {
        match timeout(PATIENCE, peer.stream.read_buf(&mut peer.input)).await.unwrap() {
            Ok(0) => break None,
            Ok(_) => {}
            Err(error) => break Some(error.kind()),
        }
    };
    assert_eq!(end, Some(std::io::ErrorKind::ConnectionReset));
    let mut peer = Peer::open(&bench.b).await;
    assert!(is_up(&bench.event().await, Side::B));
    for _ in 0..5 {
        let heartbeat = peer.recv().await.unwrap();
        let id = heartbeat.invoke_id().unwrap();
        peer.send(&[Message::new(kind::HEARTBEAT_CONF).with(field::INVOKE_ID, id)]).await;
    }
    assert!(bench.events.try_recv().is_err(), "answered heartbeats keep the session");
}

#[tokio::test]
async fn while_no_side_answers_requests_are_refused() {
    let mut bench = bench(|config| config.sides = vec!["127.0.0.1:1".into()]).await;
    let id = bench.handle.send(Message::new(kind::HOLD_CALL_REQ)).unwrap();
    loop {
        match bench.event().await {
            LinkEvent::Down { reason: Loss::Connect(_), .. } => {}
            event => {
                let refusal = Refusal::NotConnected;
                assert_eq!(event, LinkEvent::Refused { invoke_id: id, refusal });
                break;
            }
        }
    }
}

#[tokio::test]
async fn closing_shakes_hands_and_ends_the_link() {
    let mut bench = bench(|_| {}).await;
    let mut peer = Peer::open(&bench.a).await;
    assert!(is_up(&bench.event().await, Side::A));
    bench.handle.close();
    let close = peer.recv().await.unwrap();
    assert_eq!((close.kind, close.raw(field::STATUS)), (kind::CLOSE_REQ, Some(0)));
    peer.send(&[Message::new(kind::CLOSE_CONF).with(field::INVOKE_ID, close.invoke_id().unwrap())]).await;
    assert_eq!(bench.event().await, LinkEvent::Down { side: Side::A, reason: Loss::Closed });
    assert_eq!(timeout(PATIENCE, bench.events.recv()).await.unwrap(), None);
    assert_eq!(bench.handle.send(Message::new(kind::HOLD_CALL_REQ)), Err(SendError::Closed));
}

#[tokio::test]
async fn the_last_handle_closes_the_session_after_what_was_queued() {
    let mut bench = bench(|_| {}).await;
    let mut peer = Peer::open(&bench.a).await;
    assert!(is_up(&bench.event().await, Side::A));
    bench.handle.send(Message::new(kind::HOLD_CALL_REQ)).unwrap();
    let Bench { handle, mut events, .. } = bench;
    drop(handle);
    assert_eq!(peer.recv().await.unwrap().kind, kind::HOLD_CALL_REQ);
    assert_eq!(peer.recv().await.unwrap().kind, kind::CLOSE_REQ);
    drop(peer);
    while timeout(PATIENCE, events.recv()).await.unwrap().is_some() {}
}

#[tokio::test]
async fn a_slow_owner_slows_the_server_and_loses_nothing() {
    let mut bench = bench(|config| config.events = 2).await;
    let mut peer = Peer::open(&bench.a).await;
    let events: Vec<_> = (0..2000u32)
        .map(|n| {
            Message::new(kind::BEGIN_CALL_EVENT)
                .with(field::CONNECTION_CALL_ID, n)
                .with_tag(tag::CALL_VARIABLE1, "x".repeat(40))
        })
        .collect();
    let sender = tokio::spawn(async move {
        peer.send(&events).await;
        peer
    });
    assert!(is_up(&bench.event().await, Side::A));
    for n in 0..2000 {
        let LinkEvent::Message(message) = bench.event().await else { panic!("expected event {n}") };
        assert_eq!(message.uint(field::CONNECTION_CALL_ID), Some(n));
    }
    drop(sender.await.unwrap());
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let bench = bench(|config| config.requests = 4).await;
    // The test's task does not yield: nothing is taken out meanwhile.
    let sent: Vec<_> = (0..6).map(|_| bench.handle.send(Message::new(kind::HOLD_CALL_REQ))).collect();
    assert_eq!(sent[..4].iter().filter(|sent| sent.is_ok()).count(), 4);
    assert_eq!(sent[4..], [Err(SendError::Full), Err(SendError::Full)]);
}

#[tokio::test]
async fn a_dropped_receiver_ends_the_connection() {
    let bench = bench(|_| {}).await;
    let mut peer = Peer::open(&bench.a).await;
    let Bench { handle, events, .. } = bench;
    drop(events);
    while peer.recv().await.is_some() {}
    for _ in 0..1000 {
        if handle.send(Message::new(kind::HOLD_CALL_REQ)) == Err(SendError::Closed) {
            return;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the task still takes requests");
}

#[tokio::test]
async fn an_owner_who_stalls_does_not_lose_the_session() {
    let mut bench = bench(|config| {
        config.events = 2;
        config.client.heartbeat = Duration::from_millis(20);
        config.client.heartbeat_grace = Duration::from_millis(5);
    })
    .await;
    let mut peer = Peer::open(&bench.a).await;
    assert!(is_up(&bench.event().await, Side::A));
    let burst: Vec<_> = (0..20).map(|_| Message::new(kind::BEGIN_CALL_EVENT)).collect();
    peer.send(&burst).await;
    // Twenty heartbeats go unheard, since their answers wait behind events that nobody takes.
    for _ in 0..20 {
        let heartbeat = peer.recv().await.unwrap();
        assert_eq!(heartbeat.kind, kind::HEARTBEAT_REQ);
        peer.send(&[
            Message::new(kind::HEARTBEAT_CONF).with(field::INVOKE_ID, heartbeat.invoke_id().unwrap())
        ])
        .await;
    }
    for _ in 0..20 {
        assert!(matches!(bench.event().await, LinkEvent::Message(_)));
    }
    let id = bench.handle.send(Message::new(kind::HOLD_CALL_REQ)).unwrap();
    loop {
        let message = peer.recv().await.unwrap();
        let confirm = match message.kind {
            kind::HEARTBEAT_REQ => kind::HEARTBEAT_CONF,
            _ => kind::HOLD_CALL_CONF,
        };
        peer.send(&[Message::new(confirm).with(field::INVOKE_ID, message.invoke_id().unwrap())]).await;
        if confirm == kind::HOLD_CALL_CONF {
            break;
        }
    }
    assert!(matches!(bench.event().await, LinkEvent::Confirm { invoke_id, .. } if invoke_id == id));
}
