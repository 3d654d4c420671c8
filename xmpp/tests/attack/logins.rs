//! Attacks on the way to a session: guessing, probing, and doing things before one is let in.

use std::time::Instant;

use xmpp::{Refusal, tcp::AdmissionLimits};

use super::malformed::{Answer, expect_end};
use super::{Arena, Door, PING};
use crate::support::{DOMAIN, SUCCESS, auth, bind, plain};

const FAILURE: &str = "<failure xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\">";
const PREMATURE: Answer = Answer { error: "not-authorized", counter: Refusal::Premature, code: 1000 };

/// Nothing is done for a stranger, and nothing for who has no address yet.
pub async fn stanza_before_auth(door: Door) {
    let mut arena = Arena::new(door).await;
    let to_watcher =
        format!("<message xmlns='jabber:client' to='watcher@{DOMAIN}'><body>event 0.</body></message>");
    for (n, stanza) in (1..).zip([PING, &to_watcher, &bind("x")]) {
        let mut victim = arena.opened().await;
        victim.send(stanza).await;
        expect_end(&mut victim, PREMATURE, stanza).await;
        assert_eq!(arena.count(Refusal::Premature), n);
    }
    let mut unbound = arena.connect().await;
    unbound.authenticate("1001").await;
    unbound.send(&to_watcher).await;
    expect_end(&mut unbound, PREMATURE, "before binding").await;
    assert_eq!((arena.count(Refusal::Premature), arena.asked()), (4, 2));
    drop(unbound);
    arena.is_calm().await;
}

/// A few guesses a stream, then it ends; beyond five of one address the answers are late.
pub async fn password_guessing(door: Door) {
    let trusted = |setting: &mut super::Setting| {
        setting.limits = AdmissionLimits { trusted: Vec::new(), ..AdmissionLimits::default() };
    };
    let mut arena = Arena::with(door, trusted).await;
    let mut guesser = arena.opened().await;
    for _ in 0..2 {
        guesser.send(auth(&plain("", "1001", "guess"))).await;
        let said = guesser.until("</failure>").await;
        assert_eq!(said, format!("{FAILURE}<not-authorized/></failure>"));
    }
    guesser.send(auth(&plain("", "1001", "guess"))).await;
    guesser.until("</failure>").await;
    let answer = Answer { error: "policy-violation", counter: Refusal::LoginRetries, code: 1000 };
    expect_end(&mut guesser, answer, "retries").await;
    assert_eq!((arena.count(Refusal::Login), arena.count(Refusal::LoginRetries)), (3, 1));
    // The next failures of that address are the fourth and so on; from the sixth they wait.
    let failures = arena.service.login_failures();
    let next: Vec<_> = (0..4).map(|_| failures.failed(arena.addr.ip(), Instant::now()).as_secs()).collect();
    assert_eq!(next, [0, 0, 1, 2]);
    // Good answers never do: this one would be the eighth, four seconds late.
    let mut good = arena.connect().await;
    tokio::time::timeout(std::time::Duration::from_secs(4), good.login("1001")).await.expect("at once");
    drop((guesser, good));
    arena.is_calm().await;
}

/// Logins that are sent without waiting are judged one after the other, and no more than the retries.
pub async fn login_flood(door: Door) {
    let mut arena = Arena::new(door).await;
    let before = arena.asked();
    let mut flood = arena.opened().await;
    for n in 0..200 {
        flood.send(auth(&plain("", &format!("user{n}"), "guess"))).await;
    }
    let said = flood.rest().await;
    assert_eq!(said.matches("<failure").count(), 3, "{said}");
    assert!(said.contains("<policy-violation "), "{said}");
    assert_eq!(arena.asked() - before, 3, "the realm was asked no more often");
    assert_eq!((arena.count(Refusal::Login), arena.count(Refusal::LoginRetries)), (3, 1));
    drop(flood);
    arena.is_calm().await;
}

/// Who there is cannot be told from the answers.
pub async fn user_enumeration(door: Door) {
    let mut arena = Arena::new(door).await;
    let mut answers = Vec::new();
    for (user, password) in
        [("watcher", "wrong"), ("unknown", "wrong"), ("unknown", "secret"), ("a b@c/d", "wrong")]
    {
        let mut peer = arena.opened().await;
        peer.send(auth(&plain("", user, password))).await;
        answers.push(peer.until("</failure>").await);
    }
    answers.dedup();
    assert_eq!(answers, [format!("{FAILURE}<not-authorized/></failure>")]);
    // Nor from what is said to a recipient that is not there.
    let mut peer = arena.login("1001").await;
    let mut bounces = Vec::new();
    for user in ["pub1", "unknown"] {
        let said = peer
            .ask(&format!(
                "<iq xmlns='jabber:client' type='get' id='x' to='{user}@{DOMAIN}/desk'><q xmlns='u'/></iq>"
            ))
            .await;
        bounces.push(said.replace(user, "*"));
    }
    assert_eq!(bounces[0], bounces[1]);
    assert_eq!(arena.count(Refusal::Login), 4);
    drop(peer);
    arena.is_calm().await;
}

/// An authorisation identity that is somebody else's, and messages that are read differently by some.
pub async fn authzid_tricks(door: Door) {
    let mut arena = Arena::new(door).await;
    let watcher = format!("watcher@{DOMAIN}");
    for (message, condition) in [
        (plain("watcher", "1001", "secret"), "invalid-authzid"),
        (plain(&watcher, "1001", "secret"), "invalid-authzid"),
        (plain(&format!("1001@{DOMAIN}.evil"), "1001", "secret"), "invalid-authzid"),
        (plain("", "watcher\0x", "secret"), "malformed-request"),
        (plain("", "1001", "secret\0watcher"), "malformed-request"),
    ] {
        let mut peer = arena.opened().await;
        peer.send(auth(&message)).await;
        assert_eq!(peer.until("</failure>").await, format!("{FAILURE}<{condition}/></failure>"));
    }
    // One's own is fine, and gives one's own address.
    let mut own = arena.opened().await;
    own.send(auth(&plain(&format!("1001@{DOMAIN}"), "1001", "secret"))).await;
    assert_eq!(own.until(SUCCESS).await, SUCCESS);
    own.open().await;
    let said = own.ask(&bind("desk")).await;
    assert!(said.contains(&format!("<jid>1001@{DOMAIN}/desk</jid>")), "{said}");
    assert_eq!(arena.service.sessions(), 2);
    drop(own);
    arena.is_calm().await;
}

/// Compression is neither offered nor begun.
pub async fn compression(door: Door) {
    let mut arena = Arena::new(door).await;
    let mut peer = arena.connect().await;
    assert!(!peer.open().await.contains("compress"));
    drop(peer);
    let mut peer = arena.login("1001").await;
    peer.send("<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>").await;
    expect_end(&mut peer, super::malformed::UNSUPPORTED, "compress").await;
    assert_eq!(arena.count(Refusal::Protocol), 1);
    drop(peer);
    arena.is_calm().await;
}

/// Names and ids with line breaks and escape sequences: nothing of them gets into a log unescaped.
pub async fn log_injection(door: Door) {
    let log = super::log::Recorder::default();
    let _guard = log.install();
    let mut arena = Arena::new(door).await;
    for user in ["x&#10;INFO admin logged in", "x\n\u{1b}[31mERROR", "1001\r\nlogged in user=admin"] {
        let mut peer = arena.opened().await;
        peer.send(auth(&plain("", user, "secret"))).await;
        peer.until(">").await;
        drop(peer);
    }
    let mut peer = arena.login("1001").await;
    let evil = "a&#10;INFO forged&#13;&#9;";
    peer.ask(&format!("<iq xmlns='jabber:client' type='get' id='{evil}'><q xmlns='{evil}'/></iq>")).await;
    peer.pubsub(&format!("<subscribe node='{evil}' jid='{evil}'/>")).await;
    peer.send(&format!("<message xmlns='jabber:client' to='{evil}@{DOMAIN}' type='{evil}'/>")).await;
    peer.ask(PING).await;
    peer.send(&format!("<{} xmlns='{evil}'/>", "evil")).await;
    peer.rest().await;
    drop(peer);
    arena.is_calm().await;
    let values = log.values();
    assert!(values.iter().any(|value| value.contains("1001")), "the log was recorded: {values:?}");
    for value in values {
        assert!(!value.chars().any(char::is_control), "{value:?}");
    }
}
