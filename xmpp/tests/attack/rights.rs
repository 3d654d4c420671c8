//! Logged-in users who want what is not theirs, or more than their share.

use xmpp::{Profile, Refusal};

use super::malformed::{Answer, expect_end};
use super::{Arena, Door, PING};
use crate::support::DOMAIN;

/// Nobody is subscribed by others, nor loses a subscription to them.
pub async fn subscribing_others(door: Door) {
    let mut arena = Arena::new(door).await;
    let mut peer = arena.login("1001").await;
    let targets = [
        format!("watcher@{DOMAIN}"),
        format!("watcher@{DOMAIN}/desk"),
        format!("1001@{DOMAIN}.evil"),
        "pubsub".into(),
    ];
    for target in &targets {
        let said = peer.pubsub(&format!("<subscribe node='/watch' jid='{target}'/>")).await;
        assert!(said.contains("<bad-request ") && said.contains("<invalid-jid "), "{said}");
        let said = peer.pubsub(&format!("<unsubscribe node='/watch' jid='{target}'/>")).await;
        assert!(said.contains("type=\"error\""), "{said}");
    }
    assert!(arena.count(Refusal::Forbidden) >= targets.len() as u64);
    assert_eq!(arena.service.broker().subscribers("/watch").len(), 1);
    drop(peer);
    arena.is_calm().await;
}

/// The sender is who he is: stamped in the profile of Finesse, refused in the strict one.
pub async fn forged_from(door: Door) {
    let mut arena = Arena::new(door).await;
    let mut other = arena.login("1002").await;
    let mut forger = arena.login("1001").await;
    let forged = format!(
        "<message xmlns='jabber:client' from='watcher@{DOMAIN}/desk' to='1002@{DOMAIN}/desk'><body>x</body></message>"
    );
    forger.send(&forged).await;
    let said = other.until("</message>").await;
    assert!(said.contains(&format!("from=\"1001@{DOMAIN}/desk\"")) && !said.contains("watcher"), "{said}");
    drop((other, forger));
    arena.is_calm().await;

    let mut arena = Arena::with(door, |setting| setting.xmpp.profile = Profile::Strict).await;
    let mut forger = arena.login("1001").await;
    forger.send(&forged).await;
    let answer = Answer { error: "invalid-from", counter: Refusal::ForgedFrom, code: 1000 };
    expect_end(&mut forger, answer, "strict").await;
    assert_eq!(arena.count(Refusal::ForgedFrom), 1);
    drop(forger);
    arena.is_calm().await;
}

/// Publishing into what is somebody else's reaches nobody.
pub async fn cross_user_publish(door: Door) {
    let mut arena = Arena::new(door).await;
    let mut peer = arena.login("1001").await;
    let to = format!("pubsub.{DOMAIN}");
    for (n, node) in (1..).zip(["/watch", "/watch", "/mine"]) {
        let said = peer
            .pubsub(&format!("<publish node='{node}'><item><x xmlns='urn:x'>event 0.</x></item></publish>"))
            .await;
        assert!(said.contains("type=\"error\"") && said.contains(&format!("from=\"{to}\"")), "{said}");
        assert!(said.contains("<forbidden ") || node == "/mine", "{said}");
        assert!(arena.count(Refusal::Forbidden) >= n.min(2));
    }
    // An event that is made by hand is a message of its sender and no event of the service.
    let event = format!(
        "<message xmlns='jabber:client' from='{to}' to='watcher@{DOMAIN}/desk' type='headline'><body>by hand</body></message>"
    );
    peer.send(&event).await;
    peer.ask(PING).await;
    let said = arena.watcher.until("by hand").await;
    assert!(said.contains(&format!("from=\"1001@{DOMAIN}/desk\"")), "{said}");
    assert_eq!(arena.service.broker().node_count(), 1);
    drop(peer);
    arena.is_calm().await;
}

/// A session has its share of subscriptions, and names of nodes have a length.
pub async fn subscription_flood(door: Door) {
    let mut arena = Arena::with(door, |setting| setting.broker.max_subscriptions_per_session = 5).await;
    (0..20).for_each(|n| arena.service.broker().create_node(&format!("/n{n}")).unwrap());
    let mut peer = arena.login("1001").await;
    let jid = format!("1001@{DOMAIN}/desk");
    for n in 0..20 {
        let said = peer.pubsub(&format!("<subscribe node='/n{n}' jid='{jid}'/>")).await;
        assert_eq!(said.contains("subscription=\"subscribed\""), n < 5, "{said}");
        assert_eq!(said.contains("<too-many-subscriptions "), n >= 5, "{said}");
    }
    assert_eq!(arena.count(Refusal::Subscriptions), 15);
    let name = "n".repeat(5000);
    let said = peer.pubsub(&format!("<subscribe node='{name}' jid='{jid}'/>")).await;
    assert!(said.contains("type=\"error\""), "{said}");
    let bare = format!("1001@{DOMAIN}");
    assert_eq!(arena.service.broker().subscriptions(&bare).len(), 5);
    arena.is_undisturbed().await;
    // They are let go of with the account.
    drop(peer);
    super::eventually("the session ends", || arena.service.sessions() == 1).await;
    arena.service.broker().remove_account(&bare);
    arena.is_calm().await;
}

/// Who may not creates nothing; who may creates as many as there may be.
pub async fn node_creation_flood(door: Door) {
    let mut arena = Arena::with(door, |setting| setting.broker.max_nodes = 10).await;
    let mut agent = arena.login("1001").await;
    for n in 0..50 {
        let said = agent.pubsub(&format!("<create node='/evil{n}'/>")).await;
        assert!(said.contains("<forbidden "), "{said}");
    }
    assert_eq!((arena.count(Refusal::Forbidden), arena.service.broker().node_count()), (50, 1));
    let mut publisher = arena.login("pub1").await;
    let mut refused = 0;
    for n in 0..20 {
        let said = publisher.pubsub(&format!("<create node='/pub{n}'/>")).await;
        refused += u64::from(said.contains("type=\"error\""));
    }
    let said = publisher.pubsub(&format!("<create node='{}'/>", "n".repeat(1100))).await;
    assert!(said.contains("type=\"error\""), "{said}");
    assert_eq!(arena.service.broker().node_count(), 10);
    assert_eq!(
        (refused, arena.count(Refusal::Quota) >= 11),
        (11, true),
        "{:?}",
        arena.service.stats().refusals
    );
    drop((agent, publisher));
    arena.is_calm().await;
}

/// A question about thousands of nodes has one answer of one page.
pub async fn disco_amplification(door: Door) {
    let mut arena = Arena::new(door).await;
    (0..3000).for_each(|n| arena.service.broker().create_node(&format!("/n{n}")).unwrap());
    let mut peer = arena.login("1001").await;
    for page in ["", "<set xmlns='http://jabber.org/protocol/rsm'><max>100000</max></set>"] {
        let said = peer
            .ask(&format!(
                "<iq xmlns='jabber:client' type='get' id='q' to='pubsub.{DOMAIN}'>\
                 <query xmlns='http://jabber.org/protocol/disco#items'>{page}</query></iq>"
            ))
            .await;
        assert_eq!(said.matches("<item ").count(), 500, "{said:.300}");
        assert!(said.contains("http://jabber.org/protocol/rsm") && said.len() < 100_000, "{said:.300}");
    }
    drop(peer);
    arena.is_calm().await;
}

/// Names chosen by a client go into tables with keyed hashes: thousands of them cost the same as any. What can
/// be counted over a socket is that each is answered once and leaves nothing.
pub async fn hash_flooding(door: Door) {
    let mut arena = Arena::with(door, |setting| setting.xmpp.limits.stanza_burst = 10_000).await;
    let mut peer = arena.login("pub1").await;
    // The classical pair of strings with equal sums under polynomial hashes, in every combination.
    let names =
        (0..512u32).map(|n| (0..9).map(|bit| ["Aa", "BB"][(n >> bit & 1) as usize]).collect::<String>());
    for verb in ["create", "delete"] {
        let space = if verb == "create" { "" } else { "#owner" };
        let mut results = 0;
        for name in names.clone() {
            let said = peer
                .ask(&format!(
                    "<iq xmlns='jabber:client' type='set' id='q' to='pubsub.{DOMAIN}'>\
                     <pubsub xmlns='http://jabber.org/protocol/pubsub{space}'><{verb} node='{name}'/></pubsub></iq>"
                ))
                .await;
            results += usize::from(said.contains("type=\"result\""));
        }
        assert_eq!(results, 512, "{verb}");
    }
    assert_eq!(arena.service.broker().node_count(), 1);
    drop(peer);
    arena.is_calm().await;
}
