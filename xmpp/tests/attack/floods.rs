//! Too many connections, too many stanzas, and clients that do not read.

use std::time::Duration;

use xmpp::Refusal;
use xmpp::tcp::AdmissionLimits;

use super::malformed::{Answer, expect_end};
use super::{Arena, Door, PING, Peer, Setting, eventually};
use crate::support::DOMAIN;

/// Sets one bound on connections.
type Bound = fn(&mut Setting);

/// Waits for the refusal of a connection.
async fn is_refused(door: Door, mut peer: Peer) {
    match door {
        Door::Tcp => {
            let said = peer.rest().await;
            assert!(said.contains("<resource-constraint ") && said.len() < 1000, "{said}");
        }
        Door::Ws => {
            let head = peer.until("\r\n\r\n").await;
            assert!(head.starts_with("HTTP/1.1 503"), "{head}");
        }
    }
}

/// Connections of one address, in number and by rate.
pub async fn connection_flood(door: Door) {
    let number = |setting: &mut Setting| {
        setting.limits =
            AdmissionLimits { trusted: Vec::new(), per_address: 5, ..AdmissionLimits::default() };
    };
    let rate = |setting: &mut Setting| {
        setting.limits =
            AdmissionLimits { trusted: Vec::new(), address_rate: (1, 5), ..AdmissionLimits::default() };
    };
    let total = |setting: &mut Setting| {
        setting.limits = AdmissionLimits { connections: 5, ..AdmissionLimits::default() };
    };
    let bounds: [(Bound, Refusal); 3] =
        [(number, Refusal::AddressConnections), (rate, Refusal::AddressRate), (total, Refusal::Connections)];
    for (bound, counter) in bounds {
        let mut arena = Arena::with(door, bound).await;
        let mut inside = Vec::new();
        for _ in 0..4 {
            inside.push(arena.opened().await);
        }
        for _ in 0..20 {
            is_refused(door, arena.connect().await).await;
        }
        // While the refusals were read a token of the rate may have come back, but no more than one a second.
        assert!(arena.count(counter) >= 18, "{:?}", arena.service.stats().refusals);
        assert!(arena.admission.open().0 <= 7, "{:?}", arena.admission.open());
        arena.is_undisturbed().await;
        drop(inside);
        arena.is_calm().await;
    }
}

/// Connections that never log in: bounded in number, ended by a timer that nothing restarts.
pub async fn session_flood(door: Door) {
    let mut arena = Arena::with(door, |setting| {
        setting.limits =
            AdmissionLimits { trusted: Vec::new(), unauthenticated: 3, ..AdmissionLimits::default() };
        setting.xmpp.timeouts.authenticate = Duration::from_millis(500);
    })
    .await;
    let mut inside = vec![arena.opened().await, arena.opened().await, arena.opened().await];
    for _ in 0..5 {
        is_refused(door, arena.connect().await).await;
    }
    assert_eq!((arena.count(Refusal::Unauthenticated), arena.admission.open()), (5, (4, 3)));
    arena.is_undisturbed().await;
    let answer = Answer { error: "connection-timeout", counter: Refusal::Timeout, code: 1000 };
    for peer in &mut inside {
        // Signs of life do not help.
        peer.send(" ").await;
        expect_end(peer, answer, "silent").await;
    }
    assert_eq!(arena.count(Refusal::Timeout), 3);
    drop(inside);
    arena.is_calm().await;
}

/// A session that sends too fast is read more slowly; each of its requests is answered once.
pub async fn stanza_flood(door: Door) {
    let mut arena = Arena::with(door, |setting| {
        setting.xmpp.limits.stanza_burst = 50;
        setting.xmpp.limits.stanzas_per_second = 200;
    })
    .await;
    let mut flood = arena.login("1001").await;
    for n in 0..150 {
        flood.send(PING.replace("'p'", &format!("'p{n}.'"))).await;
    }
    let (service, calm) = (arena.service.clone(), arena.calm);
    eventually("it is slowed down", || service.stats().refusals.get(Refusal::Throttled) > 0).await;
    assert!(service.stats().memory < calm + (256 << 10), "what was read ahead is bounded");
    arena.is_undisturbed().await;
    let said = flood.until("id=\"p149.\"").await;
    assert_eq!(said.matches("type=\"result\"").count(), 150);
    drop(flood);
    arena.is_calm().await;
}

/// Events for a client that reads nothing: its own queue fills up and it ends, although it never hears why.
pub async fn never_reading(door: Door) {
    let mut arena = Arena::with(door, |setting| {
        setting.xmpp.limits.outbox_items = 50;
        setting.xmpp.limits.outbox_bytes = 1 << 20;
        setting.xmpp.timeouts.write_stall = Duration::from_millis(200);
    })
    .await;
    arena.service.broker().create_node("/n").unwrap();
    let address = broker::Address { bare: format!("1001@{DOMAIN}").into(), resource: None };
    arena.service.broker().subscribe(&address, "/n").unwrap();
    let calm = arena.service.stats().memory;
    let deaf = arena.login("1001").await;
    let event = xmpp::notification(&arena.service.config().pubsub_domain, "/n", &"x".repeat(64 << 10));
    let (mut published, mut most) = (0, 0);
    while arena.service.broker().publish("/n", event.clone()).sessions > 0 {
        published += 1;
        assert!(published < 2000, "it never ends");
        most = most.max(arena.service.stats().memory);
        tokio::task::yield_now().await;
    }
    assert!(most < calm + (4 << 20), "{most}");
    arena.is_undisturbed().await;
    let service = arena.service.clone();
    eventually("it is counted", || service.stats().refusals.get(Refusal::Overflow) == 1).await;
    // The connection is given up although the client keeps it open and reads nothing.
    let admission = arena.admission.clone();
    eventually("the connection is freed", || admission.open() == (1, 0)).await;
    drop(deaf);
    arena.service.broker().remove_account(&address.bare);
    arena.calm = arena.calm.min(calm);
    arena.is_calm().await;
}
