//! Requirements 31 to 58 over real loopback sockets.

mod common;
#[path = "common/web.rs"]
mod web;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bosh::Config;
use common::{NS, assert_condition, attribute, is_empty};
use http_body_util::BodyExt;
use web::{CREATE, Client, Server, auth, eventually};

type Run = tokio::task::JoinHandle<()>;

#[tokio::test]
async fn x31_a_session_begins_with_all_attributes_and_features() {
    let server = Server::start().await;
    let client = Client::open(&server).await;
    let body = &client.created;
    for (name, value) in [
        ("wait", "30"),
        ("hold", "1"),
        ("requests", "2"),
        ("inactivity", "60"),
        ("polling", "2"),
        ("maxpause", "120"),
        ("ver", "1.9"),
        ("ack", "5000"),
        ("from", "localhost"),
        ("charsets", "UTF-8"),
        ("xmpp:version", "1.0"),
        ("xmpp:restartlogic", "true"),
        ("xmlns:stream", "http://etherx.jabber.org/streams"),
    ] {
        assert_eq!(attribute(body, name), Some(value), "{name} in {body}");
    }
    assert_eq!(client.sid.len(), 43);
    assert!(attribute(body, "authid").is_some_and(|id| id.len() >= 22 && id != client.sid));
    assert!(body.contains("<stream:features>") && body.contains("<mechanism>PLAIN</mechanism>"), "{body}");
}

#[tokio::test]
async fn x33_legacy_clients_are_told_by_http_status() {
    let server = Server::start().await;
    let mut client = Client::open_with(&server, "wait='30' hold='1' to='localhost'").await;
    assert_eq!(attribute(&client.created, "ver"), None);
    client.rid += 40;
    let body = client.next("", "");
    assert_eq!(client.first.roundtrip(&body).await.status, 404);
    let answer = server.connect().await.roundtrip(&format!("<body rid='1' {NS}><message/></body>")).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn x34_swapped_requests_are_answered_in_order() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    let ping = |id: u32| {
        format!(
            "<iq type='get' id='p{id}' to='localhost' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>"
        )
    };
    let (one, two) = (client.next("", &ping(1)), client.next("", &ping(2)));
    client.second.post(&two).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.first.post(&one).await;
    let first = client.first.read().await.unwrap().body;
    let second = client.second.read().await.unwrap().body;
    let all = format!("{first}{second}");
    assert!(all.find("id=\"p1\"").unwrap() < all.find("id=\"p2\"").unwrap(), "{all}");
}

#[tokio::test]
async fn x35_an_empty_body_comes_at_the_end_of_wait() {
    let server = Server::start().await;
    let mut client = Client::login_with(&server, "1001", &CREATE.replace("wait='30'", "wait='1'")).await;
    let start = Instant::now();
    client.poll().await;
    let answer = client.first.read().await.unwrap();
    assert_eq!(answer.body, "<body xmlns=\"http://jabber.org/protocol/httpbind\"/>");
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(950) && took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn x35_an_older_request_is_released_by_a_newer() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    client.poll().await;
    let newer =
        client.next("", "<iq type='get' id='p' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>");
    let answer = client.second.roundtrip(&newer).await;
    assert!(answer.body.contains("id=\"p\""), "{answer:?}");
    assert!(is_empty(&client.first.read().await.unwrap().body));
}

#[tokio::test]
async fn x36_an_event_answers_a_held_request_at_once() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    client.subscribe("/n").await;
    let mut fastest = Duration::MAX;
    for n in 0..20 {
        client.poll().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let start = Instant::now();
        assert_eq!(server.publish("/n", &format!("event {n}")), 1);
        let body = client.first.read().await.unwrap().body;
        fastest = fastest.min(start.elapsed());
        assert!(body.contains(&format!("event {n}")), "{body}");
        assert!(body.contains("<message xmlns=\"jabber:client\"") && body.contains("to=\"1001@localhost\""));
    }
    assert!(fastest < Duration::from_millis(10), "{fastest:?}");
}

#[tokio::test]
async fn x36_what_waits_leaves_in_one_body() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    client.subscribe("/n").await;
    (0..50).for_each(|n| assert_eq!(server.publish("/n", &format!("event {n};")), 1));
    let body = client.ask("").await;
    let mut at = 0;
    for n in 0..50 {
        at += body[at..].find(&format!("event {n};")).expect("in order, in this body");
    }
    assert!(!body.contains("xmlns:stream"), "a settled session does not repeat prefixes");
}

#[tokio::test]
async fn x37_unknown_sessions_get_item_not_found() {
    let server = Server::start().await;
    let mut connection = server.connect().await;
    for sid in ["nobody", &"A".repeat(43), ""] {
        let answer = connection.roundtrip(&format!("<body rid='1' sid='{sid}' {NS}/>")).await;
        assert_eq!(answer.status, 200);
        assert_condition(&answer.body, "item-not-found");
    }
    assert_eq!(server.endpoint.stats().sessions, 0);
    assert_eq!(server.endpoint.stats().unknown_sid, 3);
}

#[tokio::test]
async fn x37_beyond_the_window_ends_that_session_only() {
    let server = Server::start().await;
    let mut victim = Client::login(&server, "1001").await;
    let mut other = Client::login(&server, "1002").await;
    victim.rid += 2;
    let body = victim.next("", "");
    assert_condition(&victim.first.roundtrip(&body).await.body, "item-not-found");
    assert!(server.service.broker().sessions("1001@localhost").is_empty(), "its resource is free at once");
    let body = other.ask("<presence xmlns='jabber:client'/>").await;
    assert!(body.contains("<presence"));
    assert_eq!(server.endpoint.stats().sessions, 1);
}

#[tokio::test]
async fn x38_a_repeated_request_gets_the_same_bytes() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    client.subscribe("/n").await;
    server.publish("/n", "only once");
    let body = client.next("", "");
    let first = client.first.roundtrip(&body).await.body;
    assert!(first.contains("only once"));
    for _ in 0..3 {
        assert_eq!(server.connect().await.roundtrip(&body).await.body, first);
    }
}

#[tokio::test]
async fn x39_a_held_request_moves_to_the_new_connection() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    client.subscribe("/n").await;
    let body = client.next("", "");
    client.first.post(&body).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.second.post(&body).await;
    let old = client.first.read().await.unwrap().body;
    assert_eq!(attribute(&old, "type"), Some("error"));
    server.publish("/n", "moved");
    assert!(client.second.read().await.unwrap().body.contains("moved"));
}

#[tokio::test]
async fn x39_payload_is_not_written_into_a_closed_connection() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    client.subscribe("/n").await;
    let body = client.next("", "");
    client.first.post(&body).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let held = server.endpoint.stats().held;
    drop(std::mem::replace(&mut client.first, server.connect().await));
    eventually("the server sees the end", || server.endpoint.stats().held == held - 1).await;
    server.publish("/n", "kept");
    let answer = client.first.roundtrip(&body).await;
    assert!(answer.body.contains("kept"), "{answer:?}");
}

fn impatient() -> Config {
    let mut config = Config::default();
    config.settings.inactivity = Duration::from_secs(1);
    config
}

#[tokio::test]
async fn x40_silent_sessions_end_and_leave_nothing() {
    let server = Server::with(impatient(), |_| {}).await;
    let mut client = Client::login(&server, "1001").await;
    client.poll().await;
    tokio::time::sleep(Duration::from_millis(1_600)).await;
    assert_eq!(server.endpoint.stats().sessions, 1, "a held request keeps it");
    drop(std::mem::replace(&mut client.first, server.connect().await));
    eventually("expiry", || server.endpoint.stats().sessions == 0).await;
    assert!(server.service.broker().sessions("1001@localhost").is_empty());
    assert_eq!(server.endpoint.stats().expired, 1);
    let body = client.next("", "");
    assert_condition(&client.second.roundtrip(&body).await.body, "item-not-found");
}

#[tokio::test]
async fn x41_a_pause_outlives_inactivity() {
    let server = Server::with(impatient(), |_| {}).await;
    let mut client = Client::login(&server, "1001").await;
    client.subscribe("/n").await;
    let body = client.next("pause='10'", "");
    assert!(is_empty(&client.first.roundtrip(&body).await.body));
    tokio::time::sleep(Duration::from_millis(1_800)).await;
    server.publish("/n", "meanwhile");
    assert!(client.ask("").await.contains("meanwhile"));
}

#[tokio::test]
async fn x45_terminate_frees_the_resource_at_once() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    client.poll().await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let end = client.next("type='terminate'", "<presence type='unavailable' xmlns='jabber:client'/>");
    let answer = client.second.roundtrip(&end).await;
    assert!(is_empty(&answer.body), "{answer:?}");
    let oldest = client.first.read().await.unwrap().body;
    assert_eq!(oldest, "<body xmlns=\"http://jabber.org/protocol/httpbind\" type=\"terminate\"/>");
    assert!(server.service.broker().sessions("1001@localhost").is_empty());
    let stats = server.endpoint.stats();
    assert_eq!((stats.sessions, stats.terminated), (0, 1));
}

#[tokio::test]
async fn x46_content_type_follows_the_client_within_a_list() {
    let server = Server::start().await;
    for (asked, given) in [
        ("text/html; charset=utf-8", "text/html; charset=utf-8"),
        ("application/octet-stream", "text/xml; charset=utf-8"),
    ] {
        let mut client = Client::open_with(&server, &format!("{CREATE} content='{asked}'")).await;
        let body = client.next("", &auth("1001", "pw"));
        let answer = client.first.roundtrip(&body).await;
        assert_eq!(answer.header("content-type"), Some(given));
    }
}

#[tokio::test]
async fn x47_routes_and_unknown_attributes_are_ignored() {
    let server = Server::start().await;
    let client =
        Client::open_with(&server, &format!("{CREATE} route='xmpp:evil:1' stream='s' secure='true' x='y'"))
            .await;
    assert_eq!(attribute(&client.created, "stream"), None);
}

#[tokio::test]
async fn x48_a_mark_and_a_declaration_before_the_body_are_fine() {
    let server = Server::start().await;
    let mut connection = server.connect().await;
    let answer = connection
        .roundtrip(&format!(
            "\u{feff}<?xml version='1.0' encoding='utf-8'?>\r\n<body rid='1' {CREATE} {NS}/>"
        ))
        .await;
    assert!(attribute(&answer.body, "sid").is_some(), "{answer:?}");
}

#[tokio::test]
async fn x49_preflight_methods_and_origins() {
    let server = Server::start().await;
    let mut connection = server.connect().await;
    connection
        .write(
            "OPTIONS /http-bind HTTP/1.1\r\nHost: x\r\nOrigin: https://desk.example\r\n\
             Access-Control-Request-Method: POST\r\n\r\n",
        )
        .await;
    let answer = connection.read().await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://desk.example"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST, GET, OPTIONS"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("Content-Type"));
    assert_eq!(answer.header("access-control-max-age"), Some("86400"));
    for method in ["GET", "PUT", "DELETE"] {
        connection.write(&format!("{method} /http-bind HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        let answer = connection.read().await.unwrap();
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST, OPTIONS")), "{method}");
    }
    let body = format!("<body rid='1' {CREATE} {NS}/>");
    for content_type in ["", "Content-Type: application/x-www-form-urlencoded\r\n"] {
        connection
            .write(&format!(
                "POST /http-bind HTTP/1.1\r\nHost: x\r\nOrigin: null\r\n{content_type}Content-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        let answer = connection.read().await.unwrap();
        assert!(attribute(&answer.body, "sid").is_some(), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("null"));
    }
}

#[tokio::test]
async fn x49_a_list_of_origins_restricts() {
    let config = Config { origins: bosh::Origins::new(["https://desk.example"]), ..Config::default() };
    let server = Server::with(config, |_| {}).await;
    let body = format!("<body rid='1' {CREATE} {NS}/>");
    for (origin, status) in [("https://evil.example", 403), ("https://desk.example", 200)] {
        let mut connection = server.connect().await;
        connection
            .write(&format!(
                "POST / HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        assert_eq!(connection.read().await.unwrap().status, status);
    }
    assert_eq!(server.endpoint.stats().origin_refused, 1);
}

#[tokio::test]
async fn x50_length_is_known_and_nothing_is_cached() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    let body = client.next("", &auth("1001", "pw"));
    // The reader of these tests refuses chunks and answers without length.
    let answer = client.first.roundtrip(&body).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
}

#[tokio::test]
async fn answers_with_something_in_them_run_no_scripts() {
    let server = Server::start().await;
    for create in [CREATE.to_owned(), format!("{CREATE} content='text/html'")] {
        let mut client = Client::open_with(&server, &create).await;
        let body = client.next("", &auth("1001", "pw"));
        let answer = client.first.roundtrip(&body).await;
        assert_eq!(answer.header("content-security-policy"), Some("sandbox"), "{}", answer.body);
    }
}

#[tokio::test]
async fn x50_http_1_0_is_served() {
    let server = Server::start().await;
    let mut connection = server.connect().await;
    let body = format!("<body rid='1' {CREATE} {NS}/>");
    connection.write(&format!("POST / HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
    assert!(attribute(&connection.read().await.unwrap().body, "sid").is_some());
    assert!(connection.read().await.is_none(), "and the connection is closed");
}

#[tokio::test]
async fn x51_a_conflict_is_a_stream_error_in_the_held_answer() {
    let server = Server::start().await;
    let mut old = Client::login(&server, "1001").await;
    old.poll().await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let mut new = Client::login(&server, "1001").await;
    let body = old.first.read().await.unwrap().body;
    assert_condition(&body, "remote-stream-error");
    assert!(body.contains(
        "<stream:error><conflict xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error></body>"
    ));
    assert!(body.contains("xmlns:stream=\"http://etherx.jabber.org/streams\""));
    assert!(new.ask("<presence xmlns='jabber:client'/>").await.contains("<presence"));
}

#[tokio::test]
async fn x51_a_conflict_between_polls_is_told_with_the_next() {
    let server = Server::start().await;
    let mut old = Client::login(&server, "1001").await;
    let _new = Client::login(&server, "1001").await;
    let body = old.ask("").await;
    assert_condition(&body, "remote-stream-error");
    assert!(body.contains("<conflict"), "{body}");
    eventually("it is gone then", || server.endpoint.stats().sessions == 1).await;
}

#[tokio::test]
async fn a_stop_tells_clients_of_another_server_if_there_is_one() {
    let server = Server::start().await;
    let uri = "https://fin-b.example.net:7443/http-bind/?a&b".to_owned();
    server.service.redirect(Some(xmpp::Alternate { host: None, websocket: None, bosh: Some(uri) }));
    let mut moved = Client::login(&server, "1001").await;
    let mut stopped = Client::login(&server, "1002").await;
    moved.poll().await;
    stopped.poll().await;
    server
        .service
        .broker()
        .send(&broker::Address::full("1001@localhost", "r"), broker::Parcel::notice("<message/>"));
    assert_eq!(server.service.move_sessions(1), 1);
    assert_eq!(server.service.move_sessions(9), 1, "each is moved once");
    for client in [&mut moved, &mut stopped] {
        let mut body = client.first.read().await.unwrap().body;
        if !body.contains("condition") {
            body = client.ask("").await;
        }
        assert_condition(&body, "see-other-uri");
        assert!(
            body.ends_with("<uri>https://fin-b.example.net:7443/http-bind/?a&amp;b</uri></body>"),
            "{body}"
        );
    }
    assert_eq!(server.service.sessions(), 0);
}

#[tokio::test]
async fn x52_a_stop_answers_held_requests() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    let mut idle = Client::login(&server, "1002").await;
    client.poll().await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    server.endpoint.shutdown();
    assert_condition(&client.first.read().await.unwrap().body, "system-shutdown");
    assert_condition(&idle.ask("").await, "system-shutdown");
    let answer = server.connect().await.roundtrip(&format!("<body rid='1' {CREATE} {NS}/>")).await;
    assert_condition(&answer.body, "system-shutdown");
    assert!(server.service.broker().sessions("1001@localhost").is_empty());
}

/// Publishes numbered events while `stop` is not set.
fn publisher(server: Server, count: u32, pause: Duration) -> Run {
    tokio::spawn(async move {
        for n in 0..count {
            assert_eq!(server.publish("/n", &format!("[{n}]")), 1);
            tokio::time::sleep(pause).await;
        }
    })
}

fn numbers(body: &str) -> impl Iterator<Item = u32> + '_ {
    body.split('[').skip(1).map(|rest| rest.split(']').next().unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x53_a_client_whose_connections_break_gets_everything_once() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    client.subscribe("/n").await;
    let events = 1_500;
    let publisher = publisher(server.clone(), events, Duration::from_micros(600));
    let (mut got, mut round) = (Vec::new(), 0u32);
    while got.len() < events as usize {
        round += 1;
        let body = client.next("", "");
        let answer = loop {
            client.first.post(&body).await;
            if !round.is_multiple_of(10) {
                break client.first.read().await.unwrap();
            }
            // Each tenth connection breaks: some before, some after the answer was written.
            tokio::time::sleep(Duration::from_micros(u64::from(round % 7) * 400)).await;
            client.first = server.connect().await;
            round += 1;
        };
        assert_eq!(attribute(&answer.body, "type"), None, "{answer:?}");
        got.extend(numbers(&answer.body));
    }
    assert_eq!(got, (0..events).collect::<Vec<_>>());
    publisher.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x54_thousands_of_immediate_requests_are_no_violation() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    client.subscribe("/n").await;
    for n in 0..3_000u32 {
        client.poll().await;
        assert_eq!(server.publish("/n", &format!("[{n}]")), 1);
        let body = client.first.read().await.unwrap().body;
        assert_eq!(numbers(&body).collect::<Vec<_>>(), [n], "{body}");
    }
}

#[tokio::test]
async fn x55_restart_by_any_prefix_and_spelling() {
    let server = Server::start().await;
    for restart in
        ["x:restart='1' xmlns:x='urn:xmpp:xbosh'", "xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'"]
    {
        let mut client = Client::open(&server).await;
        assert!(client.ask(&auth("1001", "pw")).await.contains("<success"));
        let body = client.next(restart, "");
        let features = client.first.roundtrip(&body).await.body;
        assert!(features.contains("<stream:features>") && features.contains("xmpp-bind"), "{features}");
        assert!(features.contains("xmlns:stream="));
    }
}

#[tokio::test]
async fn x56_stanzas_may_inherit_the_namespace_of_the_body() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    let body = client.ask("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>").await;
    assert!(body.contains("<iq xmlns=\"jabber:client\"") && body.contains("type=\"result\""), "{body}");
}

#[tokio::test]
async fn x57_binding_without_restart_is_tolerated() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    assert!(client.ask(&auth("1001", "pw")).await.contains("<success"));
    let body =
        client.ask("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>").await;
    assert!(body.contains("<jid>1001@localhost/"), "{body}");
}

#[tokio::test]
async fn x58_a_wrong_password_keeps_the_session() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    let body = client.ask(&auth("1001", "wrong")).await;
    assert!(body.contains("<failure") && body.contains("<not-authorized"), "{body}");
    let body = client.ask(&auth("down", "pw")).await;
    assert!(body.contains("<temporary-auth-failure"), "{body}");
    assert!(client.ask(&auth("1001", "pw")).await.contains("<success"));
}

#[tokio::test]
async fn a_verdict_is_not_lost_with_its_connection() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    let body = client.next("", &auth("slow", "pw"));
    client.first.post(&body).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.first = server.connect().await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let answer = client.first.roundtrip(&body).await;
    assert!(answer.body.contains("<success"), "{answer:?}");
}

#[tokio::test]
async fn several_sessions_share_one_connection() {
    let server = Server::start().await;
    let mut a = Client::login(&server, "1001").await;
    let mut b = Client::login(&server, "1002").await;
    let (one, two) = (a.next("", "<presence/>"), b.next("", "<presence/>"));
    let mut shared = server.connect().await;
    assert!(shared.roundtrip(&one).await.body.contains("1001@localhost"));
    assert!(shared.roundtrip(&two).await.body.contains("1002@localhost"));
}

/// A held request whose waker polls it there and then, as an executor without a queue does.
struct Inline(std::sync::Mutex<Option<HeldRequest>>, std::sync::mpsc::Sender<String>);

type HeldRequest = std::pin::Pin<Box<dyn Future<Output = String> + Send>>;

impl std::task::Wake for Inline {
    fn wake(self: Arc<Self>) {
        let Some(mut request) = self.0.lock().unwrap().take() else { return };
        match request.as_mut().poll(&mut std::task::Context::from_waker(&Arc::clone(&self).into())) {
            std::task::Poll::Ready(answer) => self.1.send(answer).expect("the test listens"),
            std::task::Poll::Pending => *self.0.lock().unwrap() = Some(request),
        }
    }
}

#[tokio::test]
async fn no_lock_is_held_while_waking() {
    let server = Server::start().await;
    let mut client = Client::login(&server, "1001").await;
    let (sent, answers) = std::sync::mpsc::channel();
    let body = client.next("", "");
    let endpoint = server.endpoint.clone();
    let held: HeldRequest = Box::pin(async move {
        let request = hyper::Request::post("/http-bind/").body(http_body_util::Full::from(body)).unwrap();
        let answer = endpoint.handle(request, None, false).await.into_body().collect().await.unwrap();
        String::from_utf8(answer.to_bytes().to_vec()).unwrap()
    });
    std::task::Wake::wake(Arc::new(Inline(std::sync::Mutex::new(Some(held)), sent)));
    // Releases the held request, which the task that does so wakes.
    let ping =
        client.next("", "<iq type='get' id='p' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>");
    let request = hyper::Request::post("/http-bind/").body(http_body_util::Full::from(ping)).unwrap();
    let endpoint = server.endpoint.clone();
    // On a thread of its own, so that a deadlock fails the test instead of stopping it.
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || runtime.block_on(endpoint.handle(request, None, false)));
    let answer = tokio::task::spawn_blocking(move || answers.recv_timeout(Duration::from_secs(10)));
    let answer = answer.await.unwrap().expect("no deadlock");
    assert!(is_empty(&answer), "{answer}");
}
