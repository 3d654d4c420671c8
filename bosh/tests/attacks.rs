//! The BOSH column of the attack table: each attack gets the documented answer, costs a bounded amount and touches no
//! other session. Hostile XML is in `attacks_xml.rs`, login and stanzas are in `attacks_inside.rs`.

#[path = "common/arena.rs"]
mod arena;
mod common;
#[path = "common/web.rs"]
mod web;

use std::time::{Duration, Instant};

use arena::{Arena, PING, stranger};
use bosh::{Config, Limits};
use common::{NS, assert_condition, attribute};
use tokio::io::AsyncReadExt;
use web::{CREATE, Client, Server, auth, eventually, post_as};
use xmpp::Refusal;

#[tokio::test]
async fn attack_oversize_stanza_bosh() {
    let mut arena = Arena::new().await;
    let large = "x".repeat(70 << 10);
    let body = format!("<body rid='1' {CREATE} {NS}><a>{large}</a></body>");
    let answer = arena.server.connect().await.roundtrip(&body).await;
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
    let mut client = Client::open(&arena.server).await;
    let body = client.next("", &format!("<a>{large}</a>"));
    assert_condition(&client.first.roundtrip(&body).await.body, "policy-violation");
    // After authentication the same is fine, up to the next bound: of a body, and of one stanza.
    let stanza = |bytes| format!("<message to='1001@localhost/desk'><x>{}</x></message>", "x".repeat(bytes));
    for attack in ["<message/>".repeat(60 << 10), stanza(256 << 10)] {
        let mut client = Client::login(&arena.server, "1001").await;
        let body = client.next("", &format!("{0}{0}<presence/>", stanza(200 << 10)));
        assert_eq!(attribute(&client.first.roundtrip(&body).await.body, "type"), None);
        let body = client.next("", &attack);
        assert_condition(&client.first.roundtrip(&body).await.body, "policy-violation");
    }
    assert_eq!((arena.server.endpoint.stats().oversize, arena.count(Refusal::Oversize)), (4, 4));
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_content_length_lie_bosh() {
    let mut arena = Arena::new().await;
    let mut connection = arena.server.connect().await;
    connection
        .write(&format!(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n<body rid='1' {CREATE} {NS}>"
        ))
        .await;
    assert_eq!(connection.read().await.unwrap().status, 413);
    assert!(connection.read().await.is_none(), "closed without reading on");
    assert_eq!((arena.count(Refusal::Oversize), arena.server.endpoint.stats().created), (1, 1));
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_dribbled_body_bosh() {
    let mut arena = Arena::with(|setting| setting.bosh.body_timeout = Duration::from_millis(200)).await;
    let mut slow = Vec::new();
    for head in ["Content-Length: 100\r\n\r\n<body", "Transfer-Encoding: chunked\r\n\r\n1\r\n<\r\n"] {
        let mut connection = arena.server.connect().await;
        connection.write(&format!("POST / HTTP/1.1\r\nHost: x\r\n{head}")).await;
        slow.push(connection);
    }
    arena.is_undisturbed().await;
    for mut connection in slow {
        assert_eq!(connection.read().await.unwrap().status, 408);
        assert!(connection.read().await.is_none(), "the connection is freed");
    }
    assert_eq!((arena.server.endpoint.stats().body_timeouts, arena.count(Refusal::Timeout)), (2, 2));
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_slow_header_bosh() {
    let mut arena = Arena::with(|setting| setting.header = Duration::from_millis(300)).await;
    let requests = arena.server.endpoint.stats().requests;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut connection = arena.server.connect().await;
        connection.write("POST /http-bind HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
        slow.push(connection);
    }
    for connection in &mut slow {
        let mut said = Vec::new();
        let read = connection.stream.read_to_end(&mut said);
        // A reset is an end as well.
        let _ = tokio::time::timeout(Duration::from_secs(10), read).await.expect("closed");
        assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 408"), "{said:?}");
    }
    assert_eq!(arena.server.endpoint.stats().requests, requests, "none of them reached the protocol");
    assert_eq!(arena.cost(), 0);
    arena.reconnect().await;
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_never_reading_bosh() {
    let mut arena = Arena::with(|setting| setting.xmpp.limits.outbox_items = 20).await;
    let mut client = Client::login(&arena.server, "1001").await;
    client.subscribe("/n").await;
    let mut most = 0;
    for n in 0..100 {
        arena.server.publish("/n", &format!("{n} {}", "x".repeat(10_000)));
        most = most.max(arena.cost());
    }
    assert!(most < 1 << 20, "{most}");
    assert_condition(&client.ask("").await, "policy-violation");
    assert_eq!(arena.count(Refusal::Overflow), 1);
    arena.server.service.broker().remove_account("1001@localhost");
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_rid_ahead_bosh() {
    let mut arena = Arena::new().await;
    for (n, ahead) in (1..).zip([3, 100, 1 << 50]) {
        let mut victim = Client::login(&arena.server, "1001").await;
        victim.rid += ahead - 1;
        let body = victim.next("", "<presence/>");
        assert_condition(&victim.first.roundtrip(&body).await.body, "item-not-found");
        assert_eq!(arena.count(Refusal::Sequence), n);
        arena.is_calm().await;
    }
}

#[tokio::test]
async fn attack_rid_behind_bosh() {
    let mut arena = Arena::new().await;
    let mut victim = Client::login(&arena.server, "1001").await;
    // What is still kept is repeated to the byte and not processed again.
    let body = victim.next("", PING);
    let first = victim.first.roundtrip(&body).await.body;
    assert_eq!(victim.second.roundtrip(&body).await.body, first);
    assert_eq!(first.matches("<iq ").count(), 1, "{first}");
    let body = format!("<body rid='{}' sid='{}' {NS}/>", victim.rid - 5, victim.sid);
    assert_condition(&victim.first.roundtrip(&body).await.body, "item-not-found");
    assert_eq!(arena.count(Refusal::Sequence), 1);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_odd_rid_bosh() {
    let mut arena = Arena::new().await;
    let odd = [
        "0",
        "-1",
        "9007199254740992",
        "0x1389",
        " 5001",
        "5001 ",
        "99999999999999999999",
        "",
        "५",
        "5001.0",
    ];
    for (n, rid) in (1..).zip(odd) {
        let mut client = Client::login(&arena.server, "1001").await;
        let body = format!("<body rid='{rid}' sid='{}' {NS}/>", client.sid);
        assert_condition(&client.first.roundtrip(&body).await.body, "bad-request");
        assert_eq!(arena.count(Refusal::BadRequest), n, "{rid}");
        arena.is_calm().await;
    }
    let answer = arena.server.connect().await.roundtrip(&format!("<body {CREATE} {NS}/>")).await;
    assert_condition(&answer.body, "bad-request");
    arena.is_calm().await;
}

/// Without the id of a session nothing touches it, whatever the request says.
#[tokio::test]
async fn attack_rid_abuse_of_others_bosh() {
    let mut arena = Arena::new().await;
    let mut victim = Client::login(&arena.server, "1001").await;
    let (rid, sid) = (victim.rid + 1, victim.sid.clone());
    let twisted: String = sid
        .chars()
        .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let near = [twisted, sid[..42].to_owned(), format!("{sid}A"), format!(" {sid}"), String::new()];
    let mut unknown = 0;
    for sid in &near {
        for content in ["type='terminate'/>", "><!-- -->", "/>"] {
            let attack = format!("<body rid='{rid}' sid='{sid}' {NS} {content}");
            let said = arena.server.connect().await.roundtrip(&attack).await;
            assert!(said.body.contains("type=\"terminate\""), "{said:?}");
            unknown += u64::from(said.body.contains("item-not-found"));
        }
    }
    assert_eq!((unknown, arena.count(Refusal::UnknownSid)), (10, 10));
    assert!(victim.ask(PING).await.contains("id=\"p\""));
    Arena::leave(victim).await;
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_sid_guessing_bosh() {
    let limits = Limits { misses_delayed: 5, misses_refused: 7, trusted: Vec::new(), ..Limits::default() };
    let mut arena = Arena::with(|setting| {
        setting.bosh.limits = limits;
        setting.peer = stranger();
    })
    .await;
    let mut connection = arena.server.connect().await;
    let guess = format!("<body rid='1' sid='{}' {NS}/>", "g".repeat(43));
    for _ in 0..7 {
        assert_condition(&connection.roundtrip(&guess).await.body, "item-not-found");
    }
    for n in 1..4 {
        let answer = arena.server.connect().await.roundtrip(&guess).await;
        assert_eq!((answer.status, answer.header("connection")), (403, Some("close")));
        assert_eq!(arena.count(Refusal::Guessing), n);
    }
    assert_eq!(arena.count(Refusal::UnknownSid), 10);
    // The bystander has the same address, and what is right goes on.
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_sid_theft_bosh() {
    // From another address: allowed, as phones and proxies move, unless sessions are pinned.
    for pin_address in [false, true] {
        let mut arena = Arena::with(|setting| setting.bosh.pin_address = pin_address).await;
        let create = format!("<body rid='1' {CREATE} {NS}/>").into_bytes();
        let (_, created) = post_as(&arena.server, create, stranger(), false).await;
        let sid = attribute(&created, "sid").unwrap();
        let end = format!("<body rid='2' sid='{sid}' type='terminate' {NS}/>").into_bytes();
        let (_, stolen) = post_as(&arena.server, end.clone(), None, false).await;
        assert_eq!(attribute(&stolen, "condition"), pin_address.then_some("item-not-found"));
        assert_eq!(arena.count(Refusal::BadRequest), u64::from(pin_address));
        if pin_address {
            assert_eq!(attribute(&post_as(&arena.server, end, stranger(), false).await.1, "condition"), None);
        }
        arena.is_calm().await;
    }
    // In clear after TLS: refused, and the session stays.
    let mut arena = Arena::new().await;
    let create = format!("<body rid='1' {CREATE} {NS}/>").into_bytes();
    let (_, created) = post_as(&arena.server, create, None, true).await;
    let sid = attribute(&created, "sid").unwrap();
    let stolen = format!("<body rid='2' sid='{sid}' type='terminate' {NS}/>").into_bytes();
    assert_condition(&post_as(&arena.server, stolen.clone(), None, false).await.1, "bad-request");
    let broken = format!("<body rid='2' sid='{sid}' {NS}><!-- -->").into_bytes();
    assert_condition(&post_as(&arena.server, broken, None, false).await.1, "bad-request");
    assert_eq!((arena.server.endpoint.stats().sessions, arena.count(Refusal::BadRequest)), (2, 1));
    assert_eq!(attribute(&post_as(&arena.server, stolen, None, true).await.1, "condition"), None);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_altered_resend_bosh() {
    let mut arena = Arena::new().await;
    let mut victim = Client::login(&arena.server, "1001").await;
    let body = victim.next("", PING);
    victim.first.roundtrip(&body).await;
    let altered = body.replace("'p'", "'q'");
    let said = victim.second.roundtrip(&altered).await.body;
    assert_condition(&said, "bad-request");
    assert!(!said.contains("id=\"q\""), "not processed: {said}");
    assert_eq!(arena.count(Refusal::BadRequest), 1);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_key_mismatch_bosh() {
    let mut arena = Arena::new().await;
    // The session begins with the last of a sequence of keys (XEP-0124 §15); nobody else knows the one before.
    for key in ["key='guess'", ""] {
        let mut client =
            Client::open_with(&arena.server, &format!("{CREATE} newkey='{}'", "a".repeat(40))).await;
        let body = client.next(key, PING);
        let said = client.first.roundtrip(&body).await.body;
        assert_condition(&said, "item-not-found");
        assert!(!said.contains("<iq "), "{said}");
        arena.is_calm().await;
    }
    assert_eq!(arena.count(Refusal::Sequence), 2);
}

#[tokio::test]
async fn attack_poll_flood_bosh() {
    let mut arena = Arena::new().await;
    let mut client = Client::login(&arena.server, "1001").await;
    client.poll().await;
    let server = arena.server.clone();
    eventually("it is held", || server.endpoint.stats().held == 1).await;
    let second = client.next("", "");
    assert_condition(&client.second.roundtrip(&second).await.body, "policy-violation");
    assert_condition(&client.first.read().await.unwrap().body, "other-request");
    assert_eq!(arena.count(Refusal::Overactivity), 1);
    arena.is_calm().await;
}

/// Sessions that were created and never authenticated: each is told that its time is over, although it polls.
async fn all_time_out(arena: &Arena, sids: &[String]) {
    for (n, sid) in (1..).zip(sids) {
        let poll = format!("<body rid='2' sid='{sid}' {NS}/>");
        let said = arena.server.connect().await.roundtrip(&poll).await.body;
        assert_condition(&said, "remote-stream-error");
        assert!(said.contains("<connection-timeout"), "{said}");
        assert!(arena.count(Refusal::Timeout) >= n);
    }
    assert_eq!(arena.count(Refusal::Timeout), sids.len() as u64);
}

#[tokio::test]
async fn attack_session_flood_bosh() {
    let create = format!("<body rid='1' {CREATE} {NS}/>");
    // One address.
    let mut arena = Arena::with(|setting| {
        setting.bosh.limits = Limits { address_unauthenticated: 3, trusted: Vec::new(), ..Limits::default() };
        setting.peer = stranger();
        setting.xmpp.timeouts.authenticate = Duration::from_millis(500);
    })
    .await;
    let mut connection = arena.server.connect().await;
    let mut sids = Vec::new();
    for _ in 0..3 {
        let body = connection.roundtrip(&create).await.body;
        sids.push(attribute(&body, "sid").expect("a session").to_owned());
    }
    let count =
        |arena: &Arena| arena.count(Refusal::Unauthenticated) + arena.count(Refusal::AddressConnections);
    for n in 1..6 {
        assert_condition(&connection.roundtrip(&create).await.body, "policy-violation");
        assert_eq!(count(&arena), n);
    }
    arena.is_undisturbed().await;
    all_time_out(&arena, &sids).await;
    arena.is_calm().await;
    // All together, without those who are trusted.
    let mut arena = Arena::with(|setting| {
        setting.bosh.limits = Limits { total_unauthenticated: 3, ..Limits::default() };
        setting.peer = stranger();
        setting.xmpp.timeouts.authenticate = Duration::from_millis(500);
    })
    .await;
    let mut connection = arena.server.connect().await;
    let mut sids = Vec::new();
    for _ in 0..3 {
        let body = connection.roundtrip(&create).await.body;
        sids.push(attribute(&body, "sid").expect("a session").to_owned());
    }
    let answer = connection.roundtrip(&create).await;
    assert_eq!((answer.status, arena.count(Refusal::Unauthenticated)), (503, 1));
    assert!(answer.header("retry-after").is_some());
    let trusted = Some("127.0.0.1".parse().unwrap());
    let (_, said) = post_as(&arena.server, create.into_bytes(), trusted, false).await;
    sids.push(attribute(&said, "sid").expect("logins from trusted addresses go on").to_owned());
    all_time_out(&arena, &sids).await;
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_connection_flood_bosh() {
    let create = format!("<body rid='1' {CREATE} {NS}/>");
    let number = Limits { address_sessions: 5, trusted: Vec::new(), ..Limits::default() };
    let rate = Limits { address_rate: 1, address_burst: 5, trusted: Vec::new(), ..Limits::default() };
    let total = Limits { total_rate: 1, total_burst: 5, trusted: Vec::new(), ..Limits::default() };
    for (limits, counter) in
        [(number, Refusal::AddressConnections), (rate, Refusal::AddressRate), (total, Refusal::TotalRate)]
    {
        let mut arena = Arena::with(|setting| {
            setting.bosh.limits = limits;
            setting.peer = stranger();
            setting.xmpp.timeouts.authenticate = Duration::from_millis(500);
        })
        .await;
        let (mut refused, mut sids) = (0, Vec::new());
        for _ in 0..25 {
            let answer = arena.server.connect().await.roundtrip(&create).await;
            match attribute(&answer.body, "sid") {
                Some(sid) => sids.push(sid.to_owned()),
                None if counter == Refusal::TotalRate => refused += u64::from(answer.status == 503),
                None => refused += u64::from(answer.body.contains("policy-violation")),
            }
        }
        // While the answers were read a token of the rate may have come back, but no more than one a second.
        assert!(refused >= 19 && sids.len() <= 6, "{refused}");
        assert_eq!(arena.count(counter), refused);
        arena.is_undisturbed().await;
        all_time_out(&arena, &sids).await;
        arena.is_calm().await;
    }
}

#[tokio::test]
async fn attack_compression_bosh() {
    let mut arena = Arena::new().await;
    for (n, encoding) in (1..).zip([
        "gzip",
        "deflate",
        "br",
        "gzip, gzip",
        "identity\r\nContent-Encoding: gzip",
        "text/xml, gzip",
    ]) {
        let mut connection = arena.server.connect().await;
        connection
            .write(&format!(
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: {encoding}\r\nContent-Length: 2\r\n\r\nxx"
            ))
            .await;
        let answer = connection.read().await.unwrap();
        assert_eq!((answer.status, answer.header("accept-encoding")), (415, Some("identity")));
        assert_eq!(arena.count(Refusal::Encoding), n);
    }
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_http_smuggling_bosh() {
    let mut arena = Arena::new().await;
    let body = format!("<body rid='1' {CREATE} {NS}/>");
    let smuggled = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    // Both lengths: hyper goes by the chunks, as RFC 9112 §6.3 lets it, and closes, so that nothing is left for a second
    // reading. The others are 400.
    for (framing, status, sessions) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", 200, 1),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", 200, 1),
        ("Content-Length: 5\r\nContent-Length: 6", 400, 0),
        ("Transfer-Encoding: chunked, identity", 400, 0),
        ("Content-Length: +5", 400, 0),
    ] {
        let created = arena.server.endpoint.stats().created;
        let mut connection = arena.server.connect().await;
        connection
            .write(&format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n{chunked}{smuggled}"))
            .await;
        let mut all = Vec::new();
        let read = connection.stream.read_to_end(&mut all);
        // A reset is an end as well.
        let _ = tokio::time::timeout(Duration::from_secs(5), read).await.expect("the connection is closed");
        let all = String::from_utf8(all).unwrap();
        assert!(all.starts_with(&format!("HTTP/1.1 {status}")), "{framing}: {all}");
        assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{framing}: {all}");
        assert_eq!(
            arena.server.endpoint.stats().created - created,
            sessions,
            "the smuggled one is never served"
        );
        if let Some(sid) = attribute(all.split("\r\n\r\n").nth(1).unwrap_or_default(), "sid") {
            let end = format!("<body rid='2' sid='{sid}' type='terminate' {NS}/>");
            arena.server.connect().await.roundtrip(&end).await;
        }
    }
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_cross_site_origin_bosh() {
    let mut arena =
        Arena::with(|setting| setting.bosh.origins = bosh::Origins::new(["https://desk.example"])).await;
    let created = arena.server.endpoint.stats().created;
    let body = format!("<body rid='1' {CREATE} {NS}/>");
    let evil = ["https://evil.example", "https://desk.example.evil.example", "http://desk.example", "null"];
    for (n, origin) in (1..).zip(evil) {
        let mut connection = arena.server.connect().await;
        connection
            .write(&format!(
                "POST / HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        let answer = connection.read().await.unwrap();
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (403, None));
        assert_eq!((arena.count(Refusal::Origin), arena.server.endpoint.stats().origin_refused), (n, n));
    }
    assert_eq!(arena.server.endpoint.stats().created, created);
    arena.is_calm().await;
}

#[tokio::test]
async fn a_proxy_on_the_list_speaks_for_its_clients() {
    let mut config = Config::default();
    config.limits.proxies = vec!["192.0.2.0/24".parse().unwrap()];
    config.limits.address_unauthenticated = 1;
    let server = Server::behind(config, |_| {}, stranger()).await;
    let body = format!("<body rid='1' {CREATE} {NS}/>");
    for (forwarded, accepted) in
        [("198.51.100.1", true), ("1.1.1.1, 198.51.100.1", false), ("198.51.100.2", true)]
    {
        let mut connection = server.connect().await;
        connection
            .write(&format!(
                "POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {forwarded}, 192.0.2.9\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        let answer = connection.read().await.unwrap();
        assert_eq!(attribute(&answer.body, "sid").is_some(), accepted, "{forwarded}");
    }
}

#[tokio::test]
async fn polls_do_not_keep_a_session_without_login() {
    let server =
        Server::with(Config::default(), |config| config.timeouts.authenticate = Duration::from_secs(1)).await;
    let mut client = Client::open_with(&server, &CREATE.replace("wait='30'", "wait='0'")).await;
    let start = Instant::now();
    let mut last = String::new();
    while attribute(&last, "type").is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "{last}");
        tokio::time::sleep(Duration::from_millis(2_050)).await;
        last = client.ask("").await;
    }
    assert_condition(&last, "remote-stream-error");
    assert!(last.contains("<connection-timeout"), "{last}");
}

#[tokio::test]
async fn stanzas_without_a_session_create_none() {
    let server = Server::start().await;
    let mut connection = server.connect().await;
    for body in [
        format!("<body rid='1' {CREATE} {NS}><presence/></body>"),
        format!("<body rid='1' sid='{}' {NS}><presence/></body>", "x".repeat(43)),
        format!("<body rid='1' {CREATE} type='terminate' {NS}/>"),
    ] {
        assert_eq!(attribute(&connection.roundtrip(&body).await.body, "type"), Some("terminate"));
    }
    assert_eq!(server.endpoint.stats().sessions, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abrupt_ends_leave_nothing_behind() {
    let mut config = Config::default();
    config.settings.inactivity = Duration::from_secs(1);
    let server = Server::with(config, |config| config.max_resources = 1000).await;
    let mut clients = Vec::new();
    for n in 0..150 {
        let mut client = Client::login(&server, &format!("u{n}")).await;
        client.poll().await;
        clients.push(client);
    }
    assert_eq!(server.endpoint.stats().sessions, 150);
    drop(clients);
    eventually("all are gone", || server.endpoint.stats().sessions == 0).await;
    assert_eq!((server.endpoint.stats().held, server.service.sessions()), (0, 0));
}

#[tokio::test]
async fn without_a_readable_root_the_status_is_400_and_no_session_is_touched() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    let root = format!("<body rid='{}' sid='{}' {NS}/>", client.rid + 1, client.sid);
    for attack in [
        format!("<!DOCTYPE b [<!ENTITY a 'x'>]>{root}"),
        format!("<!DOCTYPE b SYSTEM 'file:///etc/passwd'>{root}"),
        format!("<!-- -->{root}"),
        format!("<?xml version='1.0' encoding='UTF-16'?>{root}"),
        "<html/>".to_owned(),
        format!("<body xmlns='urn:other' rid='1' sid='{}'/>", client.sid),
        "{}".to_owned(),
        String::new(),
    ] {
        let answer = server.connect().await.roundtrip(&attack).await;
        assert_eq!(answer.status, 400, "{attack}");
        assert_condition(&answer.body, "bad-request");
    }
    assert!(client.ask("<presence/>").await.contains("<presence"));
}

#[tokio::test]
async fn failing_answers_to_one_address_are_delayed_and_good_ones_are_not() {
    let server = Server::behind(Config::default(), |_| {}, stranger()).await;
    let mut waits = Vec::new();
    for _ in 0..3 {
        let mut client = Client::open(&server).await;
        for _ in 0..2 {
            let start = Instant::now();
            let body = client.ask(&auth("1001", "guess")).await;
            assert!(body.contains("<not-authorized"), "{body}");
            waits.push(start.elapsed());
        }
    }
    assert!(waits[5] >= Duration::from_secs(1), "{waits:?}");
    // Of several, since a busy machine may keep any one waiting.
    assert!(waits[..5].iter().min() < waits.get(5), "{waits:?}");
    let mut logins = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        Client::login(&server, "1001").await;
        logins.push(start.elapsed());
    }
    assert!(logins.iter().min() < waits.get(5), "{logins:?}");
}

/// libpurple 2 confuses `Content-Encoding` with `Content-Type`.
#[tokio::test]
async fn a_media_type_in_place_of_a_content_coding_is_passed_over() {
    let server = Server::start().await;
    let mut connection = server.connect().await;
    let body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='localhost' ver='1.6' hold='1' wait='5'/>";
    connection
        .write(&format!(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: text/xml; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    let answer = connection.read().await.unwrap();
    assert!(answer.status == 200 && answer.body.contains(" sid=\""), "{} {}", answer.status, answer.body);
}
