//! The demo as a program: its READY line, its listeners, its page, its end.

#[path = "support/demo.rs"]
mod demo;

use std::time::Duration;

use demo::Demo;

const EVERY_KEY: [&str; 13] = [
    "pid", "domain", "pubsub", "http", "https", "bosh", "bosh_tls", "ws", "wss", "xmpp", "xmpp_tls", "cti_a",
    "cti_b",
];

#[test]
fn the_ready_line_has_the_agreed_keys_and_forms() {
    let demo = Demo::start(&["--domain", "cc.example"]);
    let ready = demo.ready.as_object().unwrap();
    let mut keys: Vec<&str> = ready.keys().map(String::as_str).collect();
    let mut expected = EVERY_KEY.to_vec();
    keys.sort_unstable();
    expected.sort_unstable();
    assert_eq!(keys, expected);
    let value = |key: &str| demo.value(key);
    assert_eq!((value("domain"), value("pubsub")), ("cc.example", "pubsub.cc.example"));
    assert!(value("http").starts_with("http://127.0.0.1:") && !value("http").ends_with('/'));
    assert!(value("https").starts_with("https://127.0.0.1:") && !value("https").ends_with('/'));
    for (key, scheme, path) in [
        ("bosh", "http://", "/http-bind/"),
        ("bosh_tls", "https://", "/http-bind/"),
        ("ws", "ws://", "/ws/"),
        ("wss", "wss://", "/ws/"),
    ] {
        assert!(value(key).starts_with(scheme) && value(key).ends_with(path), "{key}");
    }
    let port = |key: &str| value(key).split("://").last().unwrap().split('/').next().unwrap().to_owned();
    assert_eq!((port("ws"), port("wss")), (port("bosh"), port("bosh_tls")));
}

#[test]
fn n3_every_http_listener_serves_everything() {
    let demo = Demo::start(&[]);
    for listener in ["http", "bosh"] {
        let info = demo.get(listener, "/finesse/api/SystemInfo", "");
        assert!(info.starts_with("HTTP/1.1 200") && info.contains("<status>IN_SERVICE</status>"), "{info}");
        assert!(demo.get(listener, "/", "").contains("<html"));
        let preflight = demo.send(listener, "OPTIONS", "/http-bind/", "Origin: https://any.example\r\n");
        assert!(preflight.to_lowercase().contains("access-control-allow-origin"), "{preflight}");
        for path in ["/ws", "/ws/"] {
            let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                           Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n";
            let answer = demo.head(listener, path, upgrade);
            assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
            assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
        }
        assert!(demo.get(listener, "/crossdomain.xml", "").starts_with("HTTP/1.1 404"));
    }
}

#[test]
fn the_page_may_load_only_what_is_its_own() {
    let demo = Demo::start(&[]);
    let page = demo.get("http", "/", "").to_lowercase();
    for header in [
        "content-security-policy: default-src 'self'",
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
    ] {
        assert!(page.contains(header), "{header}");
    }
}

#[test]
fn the_administrator_and_the_supervisor_see_what_is_theirs() {
    let demo = Demo::start(&["--password", "a:b"]);
    let get = |user: &str, path: &str| demo.get("http", path, &demo::basic(user, "a:b"));
    assert!(get("admin", "/finesse/api/Users").starts_with("HTTP/1.1 200"));
    assert!(get("1002", "/finesse/api/Users").starts_with("HTTP/1.1 401"));
    assert!(get("1001", "/finesse/api/User/1002").starts_with("HTTP/1.1 200"));
    assert!(get("1002", "/finesse/api/User/1003").starts_with("HTTP/1.1 401"));
    assert!(get("1002", "/finesse/api/User/1002").starts_with("HTTP/1.1 200"));
    assert!(
        get("1001", "/finesse/api/Team/1?includeLoggedOutAgents=true").contains("<loginId>1009</loginId>")
    );
}

#[test]
fn slow_and_broken_clients_are_cut_off_and_others_served() {
    let demo = Demo::start(&[]);
    let mut slow = demo.connect("http");
    std::io::Write::write_all(&mut slow, b"GET / HTTP/1.1\r\nHost: x\r\nX: ").unwrap();
    let mut answer = Vec::new();
    slow.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    std::io::Read::read_to_end(&mut slow, &mut answer).expect("cut off after the header timeout");
    let long = format!("X: {}\r\n", "y".repeat(300_000));
    // The answer may be lost, since the server closes with input unread.
    let answer = demo.get("http", "/", &long);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(demo.get("http", "/", "").starts_with("HTTP/1.1 200"));
}

#[cfg(unix)]
#[test]
fn sigint_and_sigterm_end_it_cleanly_and_soon() {
    for signal in ["INT", "TERM"] {
        let mut demo = Demo::start(&["--load-accounts", "3"]);
        let _held = demo.connect("xmpp");
        let _other = demo.connect("http");
        let started = std::time::Instant::now();
        assert_eq!(demo.end(signal), Some(0), "{signal}");
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    }
}

#[test]
fn desktops_find_sample_data_and_json_with_the_extensions() {
    let demo = Demo::start(&["--extensions"]);
    let anna = demo::basic("1001", "finesse");
    for (path, part) in [
        ("User/1001/WrapUpReasons", "<label>Contract renewed</label>"),
        ("User/1001/PhoneBooks", "<lastName>Winter</lastName>"),
        ("User/1001/MediaPropertiesLayouts", "<name>Contracts</name>"),
        ("TeamResource/1/Workflows", "<name>Pop CRM</name>"),
        ("ECCVariableConfig", "<name>user.contractNo</name>"),
    ] {
        let answer = demo.get("http", &format!("/finesse/api/{path}"), &anna);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(part), "{path}: {answer}");
    }
    let json = format!("{anna}Accept: application/json\r\n");
    let answer = demo.get("http", "/finesse/api/SystemInfo", &json);
    assert!(answer.contains("\"status\":\"IN_SERVICE\""), "{answer}");
    let answer = demo.get("http", "/finesse/api/openapi.json", &json);
    assert!(answer.contains("\"openapi\":\"3.1.0\""), "{answer}");
}
