//! The BOSH column of the attack table: each attack gets the documented answer, costs a bounded amount and
//! touches no other session.

mod common;
#[path = "common/web.rs"]
mod web;

use std::time::{Duration, Instant};

use bosh::{Body, Config, Limits};
use common::{NS, assert_condition, attribute};
use hyper::Request;
use tokio::io::AsyncReadExt;
use web::{CREATE, Client, Server, auth, eventually};

/// Sends each hostile body, written around the start tag `%`, in a session of its own and checks the
/// condition; a bystander must not notice.
async fn each_ends_its_session(attacks: &[(&str, &str)], condition: &str) {
    let server = Server::start().await;
    let mut bystander = Client::login(&server, "1002").await;
    for (name, attack) in attacks {
        let mut victim = Client::login(&server, "1001").await;
        victim.rid += 1;
        let root = format!("<body rid='{}' sid='{}' {NS}", victim.rid, victim.sid);
        let answer = victim.first.roundtrip(&attack.replace('%', &root)).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert_condition(&answer.body, condition);
        assert_eq!(server.endpoint.stats().sessions, 1, "{name}: that session is over");
    }
    assert!(bystander.ask("<presence/>").await.contains("<presence"));
}

#[tokio::test]
async fn malformed_and_restricted_xml_is_a_bad_request() {
    let deep = "<x xmlns='urn:x'>".repeat(3) + &"</x>".repeat(2);
    each_ends_its_session(
        &[
            ("undefined entity", "%><a>&foo;</a></body>"),
            ("null reference", "%><a>&#0;</a></body>"),
            ("surrogate reference", "%><a>&#xD800;</a></body>"),
            ("comment", "%><!-- x --></body>"),
            ("processing instruction", "%><?php x?></body>"),
            ("second declaration", "%><?xml version='1.0'?></body>"),
            ("document type inside", "%><!DOCTYPE x [<!ENTITY a 'b'>]></body>"),
            ("unclosed", "%><a></body>"),
            ("crossing", "%><a><b></a></b></body>"),
            ("unfinished", &format!("%>{deep}")),
            ("never closed", "%>"),
            ("trailing element", "%/><a/>"),
            ("control character", "%><a>\u{1}</a></body>"),
            ("text", "%>text</body>"),
            ("text behind an element", "%><presence/>text</body>"),
            ("unbound prefix", "%><x:a/></body>"),
            ("xml rebound", "%><a xmlns:xml='urn:x'/></body>"),
            ("xmlns rebound", "%><a xmlns:xmlns='urn:x'/></body>"),
            ("prefix undeclared", "%><a xmlns:x=''/></body>"),
            ("duplicate attribute", "%><a b='1' b='2'/></body>"),
            ("duplicate by two prefixes", "%><a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/></body>"),
            ("stanza in a foreign namespace", "%><iq xmlns='evil' type='get' id='1'/></body>"),
            ("features from a client", "%><s:features xmlns:s='http://etherx.jabber.org/streams'/></body>"),
        ],
        "bad-request",
    )
    .await;
}

#[tokio::test]
async fn bytes_that_are_no_utf8_are_a_bad_request() {
    let server = Server::start().await;
    for bytes in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"] {
        let victim = Client::login(&server, "1001").await;
        let mut body = format!("<body rid='{}' sid='{}' {NS}><a>", victim.rid + 1, victim.sid).into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"</a></body>");
        assert_condition(&post_bytes(&server, body).await.1, "bad-request");
        assert_eq!(server.endpoint.stats().sessions, 0);
    }
    let utf16: Vec<u8> = "\u{feff}<body/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(post_bytes(&server, utf16).await.0, 400);
}

async fn post_bytes(server: &Server, body: Vec<u8>) -> (u16, String) {
    post_as(server, body, server.peer, false).await
}

async fn post_as(
    server: &Server,
    body: Vec<u8>,
    peer: Option<std::net::IpAddr>,
    secure: bool,
) -> (u16, String) {
    let request = Request::post("/http-bind/").body(Body::new(body.into())).unwrap();
    let response = server.endpoint.handle(request, peer, secure).await;
    let status = response.status().as_u16();
    (status, text_of(response.into_body()).await)
}

async fn text_of(body: Body) -> String {
    let mut body = std::pin::pin!(body);
    let frame = std::future::poll_fn(|cx| hyper::body::Body::poll_frame(body.as_mut(), cx)).await;
    frame
        .map(|frame| String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap())
        .unwrap_or_default()
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
async fn bombs_are_policy_violations() {
    let depth = format!("%>{}{}</body>", "<a xmlns='u'>".repeat(80), "</a>".repeat(80));
    let attributes: String = (0..80).map(|n| format!(" a{n}='1'")).collect();
    let name = "n".repeat(400);
    let children = format!("%><a xmlns='u'>{}</a></body>", "<b/>".repeat(10_100));
    each_ends_its_session(
        &[
            ("depth", &depth),
            ("attributes", &format!("%><a{attributes}/></body>")),
            ("name", &format!("%><{name}/></body>")),
            ("value", &format!("%><a b='{}'/></body>", "x".repeat(20_000))),
            ("children", &children),
        ],
        "policy-violation",
    )
    .await;
}

#[tokio::test]
async fn look_alikes_in_a_payload_are_data() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    let body = client
        .ask(
            "<message to='1001@localhost/desk'><body><body xmlns='http://jabber.org/protocol/httpbind' \
             type='terminate'/></body></message><presence/>",
        )
        .await;
    assert_eq!(attribute(&body, "type"), None, "{body}");
    assert_eq!(server.endpoint.stats().sessions, 1);
}

#[tokio::test]
async fn oversize_is_413_for_strangers_and_a_violation_in_a_session() {
    let server = Server::start().await;
    let large = "x".repeat(70 << 10);
    let body = format!("<body rid='1' {CREATE} {NS}><a>{large}</a></body>");
    let answer = server.connect().await.roundtrip(&body).await;
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
    let mut client = Client::open(&server).await;
    let body = client.next("", &format!("<a>{large}</a>"));
    assert_condition(&client.first.roundtrip(&body).await.body, "policy-violation");
    // After authentication the same is fine, up to the next bound.
    let mut client = Client::login(&server, "1001").await;
    let message = format!("<message to='1001@localhost/desk'><x>{large}</x></message><presence/>");
    let body = client.next("", &message);
    assert_eq!(attribute(&client.first.roundtrip(&body).await.body, "type"), None);
    let body = client.next("", &"<message/>".repeat(60 << 10));
    assert_condition(&client.first.roundtrip(&body).await.body, "policy-violation");
    // The advertised bound is that of one stanza.
    let mut client = Client::login(&server, "1001").await;
    let stanza = |bytes| format!("<message to='1001@localhost/desk'><x>{}</x></message>", "x".repeat(bytes));
    let body = client.next("", &format!("{0}{0}<presence/>", stanza(200 << 10)));
    assert_eq!(attribute(&client.first.roundtrip(&body).await.body, "type"), None);
    let body = client.next("", &stanza(256 << 10));
    assert_condition(&client.first.roundtrip(&body).await.body, "policy-violation");
    assert_eq!(server.endpoint.stats().oversize, 4);
    assert_eq!(server.endpoint.stats().sessions, 0);
}

#[tokio::test]
async fn a_lie_about_the_length_is_answered_without_reading_on() {
    let server = Server::start().await;
    let mut connection = server.connect().await;
    connection
        .write(&format!(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n<body rid='1' {CREATE} {NS}>"
        ))
        .await;
    assert_eq!(connection.read().await.unwrap().status, 413);
    assert!(connection.read().await.is_none());
}

#[tokio::test]
async fn dribbled_bodies_are_given_up() {
    let config = Config { body_timeout: Duration::from_millis(300), ..Config::default() };
    let server = Server::with(config, |_| {}).await;
    for head in ["Content-Length: 100\r\n\r\n<body", "Transfer-Encoding: chunked\r\n\r\n1\r\n<\r\n"] {
        let mut connection = server.connect().await;
        connection.write(&format!("POST / HTTP/1.1\r\nHost: x\r\n{head}")).await;
        assert_eq!(connection.read().await.unwrap().status, 408);
        assert!(connection.read().await.is_none(), "the connection is freed");
    }
    assert_eq!(server.endpoint.stats().body_timeouts, 2);
}

#[tokio::test]
async fn a_client_that_never_reads_is_ended_with_a_reason() {
    let server = Server::with(Config::default(), |config| config.limits.outbox_items = 20).await;
    let mut client = Client::login(&server, "1001").await;
    client.subscribe("/n").await;
    (0..30).for_each(|n| {
        server.publish("/n", &format!("{n}"));
    });
    let body = client.ask("").await;
    assert_condition(&body, "policy-violation");
    assert!(server.service.broker().sessions("1001@localhost").is_empty());
    eventually("the table forgets it", || server.endpoint.stats().sessions == 0).await;
}

#[tokio::test]
async fn stanzas_before_authentication_and_before_binding() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    let body = client.ask("<presence xmlns='jabber:client'/>").await;
    assert_condition(&body, "remote-stream-error");
    assert!(body.contains("<not-authorized"), "{body}");
    let mut client = Client::open(&server).await;
    client.ask(&auth("1001", "pw")).await;
    client.restart().await;
    let body = client.ask("<message xmlns='jabber:client'/>").await;
    assert_condition(&body, "remote-stream-error");
    assert!(body.contains("<not-authorized"), "{body}");
}

#[tokio::test]
async fn guessing_passwords_ends_after_the_retries() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    for attempt in 1..=3 {
        let body = client.ask(&auth("1001", "guess")).await;
        assert!(body.contains("<not-authorized"), "{body}");
        assert_eq!(attribute(&body, "type").is_some(), attempt == 3, "{body}");
        if attempt == 3 {
            assert!(body.contains("<policy-violation"), "{body}");
        }
    }
    assert_eq!(server.endpoint.stats().sessions, 0);
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
    assert!(waits[..5].iter().sum::<Duration>() < waits[5], "{waits:?}");
    let start = Instant::now();
    Client::login(&server, "1001").await;
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn unknown_users_look_like_wrong_passwords() {
    let server = Server::start().await;
    let mut answers = Vec::new();
    for user in ["1001", "nobody"] {
        answers.push(Client::open(&server).await.ask(&auth(user, "wrong")).await);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn odd_request_ids_end_their_session() {
    let server = Server::start().await;
    for rid in ["0", "-1", "9007199254740992", "0x1389", " 5001", "5001 ", "99999999999999999999", "", "५"]
    {
        let mut client = Client::open(&server).await;
        let answer = client.first.roundtrip(&format!("<body rid='{rid}' sid='{}' {NS}/>", client.sid)).await;
        assert_condition(&answer.body, "bad-request");
        assert_eq!(server.endpoint.stats().sessions, 0, "{rid}");
    }
    let answer = server.connect().await.roundtrip(&format!("<body {CREATE} {NS}/>")).await;
    assert_condition(&answer.body, "bad-request");
}

fn stranger() -> Option<std::net::IpAddr> {
    Some("192.0.2.7".parse().unwrap())
}

#[tokio::test]
async fn guessing_session_ids_is_slowed_down_and_then_refused() {
    let limits = Limits { misses_delayed: 5, misses_refused: 8, ..Limits::default() };
    let server = Server::behind(Config { limits, ..Config::default() }, |_| {}, stranger()).await;
    let mut connection = server.connect().await;
    let guess = format!("<body rid='1' sid='{}' {NS}/>", "g".repeat(43));
    for _ in 0..5 {
        assert_condition(&connection.roundtrip(&guess).await.body, "item-not-found");
    }
    let start = Instant::now();
    for _ in 0..3 {
        assert_condition(&connection.roundtrip(&guess).await.body, "item-not-found");
    }
    assert!(start.elapsed() >= Duration::from_millis(600), "{:?}", start.elapsed());
    let answer = connection.roundtrip(&guess).await;
    assert_eq!((answer.status, answer.header("connection")), (403, Some("close")));
    // The address can still be used for what is right.
    let mut client = Client::login(&server, "1001").await;
    assert!(client.ask("<presence/>").await.contains("<presence"));
    assert_eq!(server.endpoint.stats().guesses_refused, 1);
}

#[tokio::test]
async fn a_session_of_tls_is_not_used_without_it_and_stays() {
    let server = Server::start().await;
    let create = format!("<body rid='1' {CREATE} {NS}/>").into_bytes();
    let (_, created) = post_as(&server, create, None, true).await;
    let sid = attribute(&created, "sid").unwrap();
    let stolen = format!("<body rid='2' sid='{sid}' type='terminate' {NS}/>").into_bytes();
    assert_condition(&post_as(&server, stolen.clone(), None, false).await.1, "bad-request");
    let broken = format!("<body rid='2' sid='{sid}' {NS}><!-- -->").into_bytes();
    assert_condition(&post_as(&server, broken, None, false).await.1, "bad-request");
    assert_eq!(server.endpoint.stats().sessions, 1);
    assert_eq!(attribute(&post_as(&server, stolen, None, true).await.1, "condition"), None);
    assert_eq!(server.endpoint.stats().sessions, 0);
}

#[tokio::test]
async fn a_pinned_session_answers_its_own_address_only() {
    let server = Server::with(Config { pin_address: true, ..Config::default() }, |_| {}).await;
    let create = format!("<body rid='1' {CREATE} {NS}/>").into_bytes();
    let (_, created) = post_as(&server, create, stranger(), false).await;
    let sid = attribute(&created, "sid").unwrap();
    let end = format!("<body rid='2' sid='{sid}' type='terminate' {NS}/>").into_bytes();
    assert_condition(&post_as(&server, end.clone(), None, false).await.1, "item-not-found");
    assert_eq!(attribute(&post_as(&server, end, stranger(), false).await.1, "condition"), None);
}

#[tokio::test]
async fn polls_without_end_are_a_violation() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    client.poll().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let second = client.next("", "");
    assert_condition(&client.second.roundtrip(&second).await.body, "policy-violation");
    assert_condition(&client.first.read().await.unwrap().body, "other-request");
}

#[tokio::test]
async fn sessions_without_number_are_refused_by_address_and_in_total() {
    let limits = Limits { address_unauthenticated: 3, ..Limits::default() };
    let server = Server::behind(Config { limits, ..Config::default() }, |_| {}, stranger()).await;
    let create = format!("<body rid='1' {CREATE} {NS}/>");
    let mut connection = server.connect().await;
    for _ in 0..3 {
        assert!(attribute(&connection.roundtrip(&create).await.body, "sid").is_some());
    }
    assert_condition(&connection.roundtrip(&create).await.body, "policy-violation");
    assert_eq!(server.endpoint.stats().address_refused, 1);

    let limits = Limits { total_unauthenticated: 3, ..Limits::default() };
    let server = Server::behind(Config { limits, ..Config::default() }, |_| {}, stranger()).await;
    let mut connection = server.connect().await;
    for _ in 0..3 {
        connection.roundtrip(&create).await;
    }
    let answer = connection.roundtrip(&create).await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    let trusted = post_as(&server, create.into_bytes(), Some("127.0.0.1".parse().unwrap()), false).await;
    assert!(attribute(&trusted.1, "sid").is_some(), "logins from trusted addresses go on");
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
        assert!(start.elapsed() < Duration::from_secs(8), "{last}");
        tokio::time::sleep(Duration::from_millis(2_050)).await;
        last = client.ask("").await;
    }
    assert_condition(&last, "remote-stream-error");
    assert!(last.contains("<connection-timeout"), "{last}");
}

#[tokio::test]
async fn stanzas_without_end_are_a_violation() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    let flood = "<message to='nobody@localhost' type='headline'/>".repeat(500);
    let mut last = String::new();
    for _ in 0..8 {
        last = client.ask(&format!("{flood}<presence/>")).await;
        if attribute(&last, "type").is_some() {
            break;
        }
    }
    assert_condition(&last, "policy-violation");
}

#[tokio::test]
async fn a_forged_sender_is_overwritten() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    let body = client.ask("<presence from='admin@localhost/x' xmlns='jabber:client'/>").await;
    assert!(body.contains("from=\"1001@localhost/desk\"") && !body.contains("admin@"), "{body}");
}

#[tokio::test]
async fn compressed_bodies_are_refused() {
    let server = Server::start().await;
    let mut connection = server.connect().await;
    for encoding in ["gzip", "identity\r\nContent-Encoding: gzip", "text/xml, gzip"] {
        connection
            .write(&format!(
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: {encoding}\r\nContent-Length: 2\r\n\r\nxx"
            ))
            .await;
        let answer = connection.read().await.unwrap();
        let told = (answer.status, answer.header("accept-encoding"));
        assert_eq!(told, (415, Some("identity")), "{encoding}");
    }
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

#[tokio::test]
async fn two_framings_smuggle_nothing() {
    let server = Server::start().await;
    let smuggled = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    for framing in
        ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5"]
    {
        let mut connection = server.connect().await;
        connection
            .write(&format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n0\r\n\r\n{smuggled}"))
            .await;
        let mut all = String::new();
        let read = connection.stream.read_to_string(&mut all);
        tokio::time::timeout(Duration::from_secs(5), read).await.expect("the connection is closed").unwrap();
        // hyper frames by Transfer-Encoding and closes, so that nothing is left for a second reading.
        assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{all}");
    }
}

#[tokio::test]
async fn echoed_errors_are_escaped() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    let body = client
        .ask("<iq type='get' id='&quot;&gt;&lt;evil/&gt;' xmlns='jabber:client'><q xmlns='urn:&lt;x&gt;'/></iq>")
        .await;
    assert!(!body.contains("<evil/>") && body.contains("type=\"error\""), "{body}");
    assert!(body.parse::<minidom::Element>().is_ok(), "{body}");
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
