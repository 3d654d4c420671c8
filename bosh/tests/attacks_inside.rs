//! The BOSH column of the attack table, from the login on: guessing, and logged-in users who want what is not theirs or
//! more than their share.

#[path = "common/arena.rs"]
mod arena;
mod common;
#[path = "../../xmpp/tests/attack/log.rs"]
mod log;
#[path = "common/web.rs"]
mod web;

use std::time::{Duration, Instant};

use arena::{Arena, PING, stranger};
use bosh::Limits;
use common::{NS, assert_condition, attribute};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use web::{Client, auth, base64};
use xmpp::{Profile, Refusal};

const FAILURE: &str = "<failure xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><not-authorized/></failure>";

/// Authorisation identity, name and password as SASL PLAIN sends them.
fn plain(authzid: &str, user: &str, password: &str) -> String {
    let message = base64(format!("{authzid}\0{user}\0{password}").as_bytes());
    format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{message}</auth>")
}

#[tokio::test]
async fn attack_stanza_before_auth_bosh() {
    let mut arena = Arena::new().await;
    let message = "<message xmlns='jabber:client' to='watcher@localhost'><body>event 0.</body></message>";
    for (n, stanza) in (1..).zip([message, PING, "<presence xmlns='jabber:client'/>"]) {
        let mut client = Client::open(&arena.server).await;
        let said = client.ask(stanza).await;
        assert_condition(&said, "remote-stream-error");
        assert!(said.contains("<not-authorized"), "{said}");
        assert_eq!(arena.count(Refusal::Premature), n);
        arena.is_calm().await;
    }
    let mut client = Client::open(&arena.server).await;
    client.ask(&auth("1001", "pw")).await;
    client.restart().await;
    let said = client.ask(message).await;
    assert_condition(&said, "remote-stream-error");
    assert!(said.contains("<not-authorized"), "{said}");
    assert_eq!((arena.count(Refusal::Premature), arena.asked()), (4, 2));
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_password_guessing_bosh() {
    let mut arena = Arena::with(|setting| {
        setting.bosh.limits = Limits { trusted: Vec::new(), ..Limits::default() };
        setting.peer = stranger();
    })
    .await;
    let mut client = Client::open(&arena.server).await;
    for attempt in 1..=3 {
        let said = client.ask(&auth("1001", "guess")).await;
        assert!(said.contains(FAILURE), "{said}");
        assert_eq!(attribute(&said, "type").is_some(), attempt == 3, "{said}");
        assert_eq!(said.contains("<policy-violation"), attempt == 3, "{said}");
    }
    assert_eq!((arena.count(Refusal::Login), arena.count(Refusal::LoginRetries)), (3, 1));
    // The next failures of that address are the fourth and so on; from the sixth they wait.
    let failures = arena.server.service.login_failures();
    let next: Vec<_> =
        (0..4).map(|_| failures.failed(stranger().unwrap(), Instant::now()).as_secs()).collect();
    assert_eq!(next, [0, 0, 1, 2]);
    // Good answers never do: this one would be the eighth, four seconds late.
    let login = Client::login(&arena.server, "1001");
    Arena::leave(tokio::time::timeout(Duration::from_secs(4), login).await.expect("at once")).await;
    arena.is_calm().await;
}

/// Failures of one address count together, through whichever door it comes: after three over TCP and two over BOSH the
/// sixth is the first that waits.
#[tokio::test]
async fn x73_failures_over_tcp_and_bosh_count_together() {
    let mut arena = Arena::with(|setting| {
        setting.bosh.limits = Limits { trusted: Vec::new(), ..Limits::default() };
        setting.peer = stranger();
    })
    .await;
    let admission = xmpp::tcp::Admission::new(xmpp::tcp::AdmissionLimits {
        trusted: Vec::new(),
        ..xmpp::tcp::AdmissionLimits::default()
    });
    let (mut ours, theirs) = tokio::io::duplex(1 << 16);
    let service = arena.server.service.clone();
    tokio::spawn(async move {
        let options = xmpp::tcp::TcpOptions { admission, ..xmpp::tcp::TcpOptions::default() };
        xmpp::tcp::serve_io(theirs, stranger(), service, &options).await;
    });
    let open = "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
        xmlns:stream='http://etherx.jabber.org/streams'>";
    ours.write_all(format!("{open}{}", auth("1001", "guess").repeat(3)).as_bytes()).await.unwrap();
    let mut said = String::new();
    ours.read_to_string(&mut said).await.unwrap();
    drop(ours);
    assert_eq!(said.matches("<failure").count(), 3, "{said}");
    for _ in 0..2 {
        let mut client = Client::open(&arena.server).await;
        assert!(client.ask(&auth("1001", "guess")).await.contains(FAILURE));
        Arena::leave(client).await;
    }
    assert_eq!(arena.count(Refusal::Login), 5);
    let failures = arena.server.service.login_failures();
    let next: Vec<_> =
        (0..2).map(|_| failures.failed(stranger().unwrap(), Instant::now()).as_secs()).collect();
    assert_eq!(next, [1, 2], "the sixth and the seventh");
    arena.is_calm().await;
}

/// Logins that come in one body are judged one after the other, and no more than the retries.
#[tokio::test]
async fn attack_login_flood_bosh() {
    let mut arena = Arena::new().await;
    let before = arena.asked();
    let mut client = Client::open(&arena.server).await;
    let mut said = client.ask(&auth("1001", "guess").repeat(200)).await;
    for _ in 0..5 {
        if said.contains("<policy-violation") {
            break;
        }
        said += &client.ask("").await;
    }
    assert_eq!(said.matches("<failure").count(), 3, "{said}");
    assert!(said.contains("<policy-violation"), "{said}");
    assert_eq!(arena.asked() - before, 3, "the realm was asked no more often");
    assert_eq!((arena.count(Refusal::Login), arena.count(Refusal::LoginRetries)), (3, 1));
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_user_enumeration_bosh() {
    let mut arena = Arena::new().await;
    let mut answers = Vec::new();
    for (user, password) in
        [("watcher", "wrong"), ("unknown", "wrong"), ("unknown", "pw"), ("a b@c/d", "wrong")]
    {
        let mut client = Client::open(&arena.server).await;
        let said = client.ask(&auth(user, password)).await;
        assert!(said.contains(FAILURE), "{user}: {said}");
        answers.push(said);
        Arena::leave(client).await;
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // Nor can it be told from what is said to a recipient that is not there.
    let mut client = Client::login(&arena.server, "1001").await;
    let mut bounces = Vec::new();
    for user in ["pub1", "unknown"] {
        let said = client
            .ask(&format!(
                "<iq xmlns='jabber:client' type='get' id='x' to='{user}@localhost/desk'><q xmlns='u'/></iq>"
            ))
            .await;
        bounces.push(said.replace(user, "*"));
    }
    assert_eq!(bounces[0], bounces[1]);
    assert_eq!(arena.count(Refusal::Login), 4);
    Arena::leave(client).await;
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_authzid_tricks_bosh() {
    let mut arena = Arena::new().await;
    for (message, condition) in [
        (plain("watcher", "1001", "pw"), "invalid-authzid"),
        (plain("watcher@localhost", "1001", "pw"), "invalid-authzid"),
        (plain("1001@localhost.evil", "1001", "pw"), "invalid-authzid"),
        (plain("", "watcher\0x", "pw"), "malformed-request"),
        (plain("", "1001", "pw\0watcher"), "malformed-request"),
    ] {
        let mut client = Client::open(&arena.server).await;
        let said = client.ask(&message).await;
        assert!(said.contains(&format!("<{condition}/></failure>")), "{said}");
        Arena::leave(client).await;
    }
    assert_eq!(arena.server.service.sessions(), 1);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_stanza_flood_bosh() {
    let mut arena = Arena::with(|setting| {
        setting.xmpp.limits.stanza_burst = 10;
        setting.xmpp.limits.stanzas_per_second = 10;
    })
    .await;
    let mut client = Client::login(&arena.server, "1001").await;
    // Up to 30 seconds ahead it is served, beyond that it ends.
    let said = client.ask(&PING.repeat(100)).await;
    assert_eq!((attribute(&said, "type"), said.matches("type=\"result\"").count()), (None, 100));
    let said = client.ask(&PING.repeat(1000)).await;
    assert_condition(&said, "policy-violation");
    assert!(said.matches("type=\"result\"").count() < 320, "{}", said.len());
    assert_eq!(arena.count(Refusal::Flood), 1);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_subscribing_others_bosh() {
    let mut arena = Arena::new().await;
    let mut client = Client::login(&arena.server, "1001").await;
    for target in ["watcher@localhost", "watcher@localhost/desk", "1001@localhost.evil", "pubsub"] {
        let said = Arena::pubsub(&mut client, &format!("<subscribe node='/watch' jid='{target}'/>")).await;
        assert!(said.contains("<bad-request ") && said.contains("<invalid-jid "), "{said}");
        let said = Arena::pubsub(&mut client, &format!("<unsubscribe node='/watch' jid='{target}'/>")).await;
        assert!(said.contains("type=\"error\""), "{said}");
    }
    assert!(arena.count(Refusal::Forbidden) >= 4);
    assert_eq!(arena.server.service.broker().subscribers("/watch").len(), 1);
    Arena::leave(client).await;
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_forged_from_bosh() {
    let mut arena = Arena::new().await;
    let mut other = Client::login(&arena.server, "1002").await;
    let mut forger = Client::login(&arena.server, "1001").await;
    let forged = "<message xmlns='jabber:client' from='watcher@localhost/desk' to='1002@localhost/desk'>\
        <body>x</body></message>";
    forger.ask(&format!("{forged}{PING}")).await;
    let said = other.ask("").await;
    assert!(said.contains("from=\"1001@localhost/desk\"") && !said.contains("watcher"), "{said}");
    Arena::leave(other).await;
    Arena::leave(forger).await;
    arena.is_calm().await;

    let mut arena = Arena::with(|setting| setting.xmpp.profile = Profile::Strict).await;
    let mut forger = Client::login(&arena.server, "1001").await;
    let said = forger.ask(forged).await;
    assert_condition(&said, "remote-stream-error");
    assert!(said.contains("<invalid-from"), "{said}");
    assert_eq!(arena.count(Refusal::ForgedFrom), 1);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_cross_user_publish_bosh() {
    let mut arena = Arena::new().await;
    let mut client = Client::login(&arena.server, "1001").await;
    for n in 1..4 {
        let item = "<publish node='/watch'><item><x xmlns='urn:x'>event 0.</x></item></publish>";
        let said = Arena::pubsub(&mut client, item).await;
        assert!(said.contains("<forbidden "), "{said}");
        assert_eq!(arena.count(Refusal::Forbidden), n);
    }
    let item = "<publish node='/mine'><item><x xmlns='urn:x'>x</x></item></publish>";
    assert!(Arena::pubsub(&mut client, item).await.contains("type=\"error\""));
    assert_eq!(arena.server.service.broker().node_count(), 1);
    Arena::leave(client).await;
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_subscription_flood_bosh() {
    let mut arena = Arena::with(|setting| setting.broker.max_subscriptions_per_session = 5).await;
    (0..20).for_each(|n| arena.server.service.broker().create_node(&format!("/n{n}")).unwrap());
    let mut client = Client::login(&arena.server, "1001").await;
    let subscribe = |node: &str| format!("<subscribe node='{node}' jid='1001@localhost/desk'/>");
    for n in 0..20 {
        let said = Arena::pubsub(&mut client, &subscribe(&format!("/n{n}"))).await;
        assert_eq!(said.contains("subscription=\"subscribed\""), n < 5, "{said}");
        assert_eq!(said.contains("<too-many-subscriptions "), n >= 5, "{said}");
    }
    let said = Arena::pubsub(&mut client, &subscribe(&"n".repeat(5000))).await;
    assert!(said.contains("type=\"error\""), "{said}");
    assert_eq!(arena.count(Refusal::Subscriptions), 15);
    assert_eq!(arena.server.service.broker().subscriptions("1001@localhost").len(), 5);
    Arena::leave(client).await;
    arena.server.service.broker().remove_account("1001@localhost");
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_node_creation_flood_bosh() {
    let mut arena = Arena::with(|setting| setting.broker.max_nodes = 10).await;
    let mut agent = Client::login(&arena.server, "1001").await;
    for n in 0..50 {
        let said = Arena::pubsub(&mut agent, &format!("<create node='/evil{n}'/>")).await;
        assert!(said.contains("<forbidden "), "{said}");
    }
    assert_eq!((arena.count(Refusal::Forbidden), arena.server.service.broker().node_count()), (50, 1));
    let mut publisher = Client::login(&arena.server, "pub1").await;
    let mut refused = 0;
    for n in 0..20 {
        let said = Arena::pubsub(&mut publisher, &format!("<create node='/pub{n}'/>")).await;
        refused += u64::from(said.contains("type=\"error\""));
    }
    assert_eq!(arena.server.service.broker().node_count(), 10);
    assert_eq!((refused, arena.count(Refusal::Quota)), (11, 11));
    Arena::leave(agent).await;
    Arena::leave(publisher).await;
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_disco_amplification_bosh() {
    let mut arena = Arena::new().await;
    (0..3000).for_each(|n| arena.server.service.broker().create_node(&format!("/n{n}")).unwrap());
    let mut client = Client::login(&arena.server, "1001").await;
    for page in ["", "<set xmlns='http://jabber.org/protocol/rsm'><max>100000</max></set>"] {
        let said = client
            .ask(&format!(
                "<iq xmlns='jabber:client' type='get' id='q' to='pubsub.localhost'>\
                 <query xmlns='http://jabber.org/protocol/disco#items'>{page}</query></iq>"
            ))
            .await;
        assert_eq!(said.matches("<item ").count(), 500, "{said:.300}");
        assert!(said.contains("http://jabber.org/protocol/rsm") && said.len() < 100_000, "{said:.300}");
    }
    Arena::leave(client).await;
    arena.is_calm().await;
}

/// A stanza as deep as is allowed goes through reading, the echo of an error, and dropping.
#[tokio::test]
async fn attack_deep_recursion_bosh() {
    let mut arena = Arena::new().await;
    let mut client = Client::login(&arena.server, "1001").await;
    let deep = |levels| {
        let (open, close) = ("<a>".repeat(levels), "</a>".repeat(levels));
        format!("<iq xmlns='jabber:client' type='get' id='d'><q xmlns='urn:x'>{open}{close}</q></iq>")
    };
    // The body, the stanza and the child are levels as well.
    let said = client.ask(&deep(61)).await;
    assert!(said.contains("<service-unavailable "), "{said}");
    assert_condition(&client.ask(&deep(62)).await, "policy-violation");
    assert_eq!(arena.count(Refusal::Structure), 1);
    arena.is_calm().await;
}

/// Names and ids with line breaks and escape sequences: nothing of them gets into a log unescaped.
#[tokio::test]
async fn attack_log_injection_bosh() {
    let log = log::Recorder::default();
    let _guard = log.install();
    let mut arena = Arena::new().await;
    for user in ["x&#10;INFO admin logged in", "x\n\u{1b}[31mERROR", "1001\r\nlogged in user=admin"] {
        let mut client = Client::open(&arena.server).await;
        client.ask(&auth(user, "pw")).await;
        Arena::leave(client).await;
    }
    let mut client = Client::login(&arena.server, "1001").await;
    let evil = "a&#10;INFO forged&#13;&#9;";
    client.ask(&format!("<iq xmlns='jabber:client' type='get' id='{evil}'><q xmlns='{evil}'/></iq>")).await;
    Arena::pubsub(&mut client, &format!("<subscribe node='{evil}' jid='{evil}'/>")).await;
    let body = client.next(&format!("evil='{evil}' type='{evil}'"), &format!("<x xmlns='{evil}'/>"));
    client.first.roundtrip(&body).await;
    arena.is_calm().await;
    let values = log.values();
    assert!(values.iter().any(|value| value.contains("1001")), "the log was recorded: {values:?}");
    for value in values {
        assert!(!value.chars().any(char::is_control), "{value:?}");
    }
}

/// What is echoed in an error is escaped again.
#[tokio::test]
async fn attack_reflected_xml_bosh() {
    let mut arena = Arena::new().await;
    let mut client = Client::login(&arena.server, "1001").await;
    for content in
        ["<q xmlns='urn:&lt;evil/&gt;&apos;'/>", "<q xmlns='u' a='&quot;&gt;&lt;evil/&gt;'>&lt;evil/&gt;</q>"]
    {
        let id = "&quot;/&gt;&lt;evil/&gt;";
        let said =
            client.ask(&format!("<iq xmlns='jabber:client' type='get' id='{id}'>{content}</iq>")).await;
        assert!(said.contains("type=\"error\"") && !said.contains("<evil"), "{said}");
        let body: minidom::Element = said.parse().expect("a document");
        assert_eq!(body.children().next().unwrap().attr("id"), Some("\"/><evil/>"), "{said}");
    }
    Arena::leave(client).await;
    arena.is_calm().await;
}

/// Names chosen by a client go into tables with keyed hashes. What can be counted over a socket is that hundreds which
/// collide under polynomial hashes are each answered once and leave nothing; guessed session ids likewise.
#[tokio::test]
async fn attack_hash_flooding_bosh() {
    let mut arena = Arena::with(|setting| {
        setting.xmpp.limits.stanza_burst = 10_000;
        setting.bosh.limits = Limits { misses_delayed: 1000, misses_refused: 2000, ..Limits::default() };
    })
    .await;
    let mut client = Client::login(&arena.server, "pub1").await;
    let name = |n: u32| (0..8).map(|bit| ["Aa", "BB"][(n >> bit & 1) as usize]).collect::<String>();
    for (verb, space) in [("create", ""), ("delete", "#owner")] {
        for n in 0..256 {
            let said = client
                .ask(&format!(
                    "<iq xmlns='jabber:client' type='set' id='q' to='pubsub.localhost'>\
                     <pubsub xmlns='http://jabber.org/protocol/pubsub{space}'><{verb} node='{}'/></pubsub></iq>",
                    name(n)
                ))
                .await;
            assert_eq!(said.matches("type=\"result\"").count(), 1, "{said}");
        }
    }
    Arena::leave(client).await;
    let mut connection = arena.server.connect().await;
    for n in 0..256 {
        let guess = format!("<body rid='1' sid='{}' {NS}/>", name(n));
        assert_condition(&connection.roundtrip(&guess).await.body, "item-not-found");
    }
    assert_eq!((arena.count(Refusal::UnknownSid), arena.server.service.broker().node_count()), (256, 1));
    arena.is_calm().await;
}
