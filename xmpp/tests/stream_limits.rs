//! What XEP-0478 advertises is what is enforced: sizes to the byte, silence to the second.

mod support;

use std::time::Duration;

use support::*;
use xmpp::{Config, Limits, Service, Timeouts};

const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='fin-a.example.net' version='1.0'/>";
const SECOND: Duration = Duration::from_secs(1);

/// Values that are nobody's default.
fn odd() -> Service {
    service_with(Config {
        limits: Limits { stanza_bytes: 30_000, stanza_bytes_before_auth: 12_000, ..Limits::default() },
        timeouts: Timeouts {
            authenticate: 17 * SECOND,
            bind: 23 * SECOND,
            idle_probe: 31 * SECOND,
            idle_close: 47 * SECOND,
            ..Timeouts::default()
        },
        ..config()
    })
}

/// `max-bytes` and `idle-seconds` of what a stream told last.
fn told(features: &str) -> (usize, u64) {
    let number = |name: &str| {
        let start = format!("<{name}>");
        let at = features.rfind(&start).unwrap_or_else(|| panic!("no {name}: {features}")) + start.len();
        features[at..at + features[at..].find('<').unwrap()].to_owned()
    };
    (number("max-bytes").parse().unwrap(), number("idle-seconds").parse().unwrap())
}

/// A SASL element of so many bytes.
fn attempt(bytes: usize) -> String {
    let frame = auth("").len();
    auth(&"A".repeat(bytes - frame))
}

/// A stanza of so many bytes.
fn stanza(bytes: usize) -> String {
    let frame = "<message xmlns='jabber:client' type='error'><body></body></message>".len();
    format!(
        "<message xmlns='jabber:client' type='error'><body>{}</body></message>",
        "x".repeat(bytes - frame)
    )
}

#[test]
fn x77_sizes_over_tcp_are_as_advertised() {
    let before = || {
        let mut client = Client::tcp(&odd());
        let (bytes, _) = told(&client.send(open_tcp(DOMAIN)));
        (client, bytes)
    };
    let (mut client, bytes) = before();
    assert_eq!(bytes, 12_000);
    client.send(attempt(bytes));
    assert_eq!(client.error(), None, "as many bytes as advertised");
    let (mut client, bytes) = before();
    client.send(attempt(bytes + 1));
    assert_eq!(client.error(), Some("policy-violation"));
    let after = || {
        let mut client = before().0;
        client.send(auth(&plain("", "1001", "secret")));
        let (bytes, _) = told(&client.send(open_tcp(DOMAIN)));
        client.send(bind("desk"));
        (client, bytes)
    };
    let (mut client, bytes) = after();
    assert_eq!(bytes, 30_000);
    client.send(stanza(bytes));
    assert_eq!(client.error(), None);
    client.send(stanza(bytes + 1));
    assert_eq!(client.error(), Some("policy-violation"));
}

#[test]
fn x77_sizes_over_websocket_are_as_advertised() {
    // The transport refuses what is larger than the stream says; `tests/websocket.rs` has that with frames.
    let mut client = Client::websocket(&odd());
    let (bytes, _) = told(&client.message(OPEN));
    assert_eq!((bytes, client.stream.max_bytes()), (12_000, 12_000));
    client.message(&auth(&plain("", "1001", "secret")));
    let (bytes, _) = told(&client.message(OPEN));
    assert_eq!((bytes, client.stream.max_bytes()), (30_000, 30_000));
    client.message(&bind("desk"));
    client.message(&stanza(bytes));
    assert_eq!(client.error(), None);
}

#[test]
fn x77_silence_ends_a_stream_when_it_was_advertised() {
    for websocket in [false, true] {
        let service = odd();
        let mut client = if websocket { Client::websocket(&service) } else { Client::tcp(&service) };
        let open = if websocket { OPEN.to_owned() } else { open_tcp(DOMAIN) };
        let say = |client: &mut Client, text: &str| match websocket {
            true => client.message(text),
            false => client.send(text),
        };
        let (_, idle) = told(&say(&mut client, &open));
        client.pass(Duration::from_secs(idle) - SECOND);
        assert_eq!(client.error(), None, "{websocket}");
        client.pass(SECOND);
        assert_eq!(client.error(), Some("connection-timeout"), "{websocket}");

        let mut client = if websocket { Client::websocket(&service) } else { Client::tcp(&service) };
        say(&mut client, &open);
        say(&mut client, &auth(&plain("", "1001", "secret")));
        let (_, idle) = told(&say(&mut client, &open));
        say(&mut client, &bind("desk"));
        client.pass(Duration::from_secs(idle) - SECOND);
        assert_eq!(client.error(), None, "{websocket}");
        client.pass(SECOND);
        assert_eq!(client.error(), Some("connection-timeout"), "{websocket}");
    }
}
