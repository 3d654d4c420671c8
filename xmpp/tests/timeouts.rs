//! Time limits and rates of one stream, in virtual time.

mod support;

use std::time::Duration;

use support::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn thirty_seconds_to_authenticate_whatever_is_sent() {
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    for _ in 0..29 {
        client.pass(SECOND);
        client.send(" ");
    }
    assert_eq!(client.closed, None);
    client.pass(SECOND);
    assert_eq!(client.error(), Some("connection-timeout"));
}

#[test]
fn silence_from_the_start_gets_a_header_and_an_error() {
    let mut client = Client::tcp(&service());
    let said = client.pass(31 * SECOND);
    assert!(said.starts_with("<?xml") && said.contains("<connection-timeout "), "{said}");
}

#[test]
fn the_clock_stands_still_while_the_realm_works_but_not_for_ever() {
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    client.pass(20 * SECOND);
    client.send(auth(&plain("", "slow", "secret")));
    assert_eq!(client.pass(59 * SECOND), "");
    let said = client.pass(2 * SECOND);
    assert!(said.contains("<temporary-auth-failure/>"), "{said}");
    client.pass(5 * SECOND);
    assert_eq!(client.closed, None, "25 of 30 seconds are used up");
    client.pass(10 * SECOND);
    assert_eq!(client.error(), Some("connection-timeout"));
}

#[test]
fn thirty_seconds_to_bind() {
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    client.pass(20 * SECOND);
    client.send(auth(&plain("", "1001", "secret")));
    client.send(open_tcp(DOMAIN));
    client.pass(29 * SECOND);
    assert_eq!(client.closed, None);
    client.pass(SECOND);
    assert_eq!(client.error(), Some("connection-timeout"));
}

#[test]
fn x8_n48_ping_after_sixty_seconds_and_end_after_a_hundred_and_twenty() {
    let mut client = Client::bound(&service(), "1001", "r");
    assert_eq!(client.pass(59 * SECOND), "");
    let ping = client.pass(SECOND);
    assert_eq!(
        ping,
        "<iq xmlns=\"jabber:client\" type=\"get\" id=\"ping\" from=\"fin-a.example.net\" \
         to=\"1001@fin-a.example.net/r\"><ping xmlns=\"urn:xmpp:ping\"/></iq>"
    );
    assert_eq!(client.pass(59 * SECOND), "");
    client.pass(SECOND);
    assert_eq!(client.error(), Some("connection-timeout"));
}

#[test]
fn x8_white_space_and_any_answer_to_the_ping_are_signs_of_life() {
    for sign in
        [" ", "<iq type='result' id='ping'/>", "<iq type='error' id='ping'><error type='cancel'/></iq>"]
    {
        let mut client = Client::bound(&service(), "1001", "r");
        for _ in 0..5 {
            assert!(client.pass(110 * SECOND).contains("urn:xmpp:ping"));
            assert_eq!(client.send(sign), "", "nothing answers a result or an error");
        }
        assert_eq!(client.closed, None);
    }
}

#[test]
fn a_stanza_may_not_dribble() {
    let mut client = Client::bound(&service(), "1001", "r");
    client.send("<message to='x'>");
    for _ in 0..29 {
        client.pass(SECOND);
        client.send("<x/>");
    }
    assert_eq!(client.closed, None);
    client.pass(SECOND);
    assert_eq!(client.error(), Some("connection-timeout"));
    let mut client = Client::bound(&service(), "1001", "r");
    for _ in 0..100 {
        client.send("<iq type='result' id='1'");
        client.pass(SECOND);
        client.send("/>");
    }
    assert_eq!(client.closed, None, "each of them was quick");
}

#[test]
fn stanzas_beyond_the_burst_wait_and_none_is_lost() {
    let mut client = Client::bound(&service(), "1001", "r");
    let ping = "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
    let answers = client.send(ping.repeat(400)).matches("type=\"result\"").count();
    assert!((200..=201).contains(&answers), "{answers}");
    assert!(!client.stream.wants_input() && !client.unread.is_empty());
    let later = client.pass(SECOND).matches("type=\"result\"").count();
    assert!((49..=51).contains(&later), "{later}");
    let rest = client.pass(10 * SECOND).matches("type=\"result\"").count();
    assert_eq!(answers + later + rest, 400);
    assert_eq!(client.closed, None);
}

#[test]
fn publishers_are_not_slowed_down() {
    let mut client = Client::bound(&service(), "pub0", "r");
    let ping = "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
    for _ in 0..10 {
        assert_eq!(client.send(ping.repeat(400)).matches("type=\"result\"").count(), 400);
    }
}

#[test]
fn x77_advertised_size_is_the_enforced_one() {
    let stanza = |bytes: usize| {
        let frame = "<iq type='result' id='1'></iq>".len();
        format!("<iq type='result' id='1'>{}</iq>", "x".repeat(bytes - frame))
    };
    let mut client = Client::bound(&service(), "1001", "r");
    client.send(stanza(256 << 10));
    assert_eq!(client.closed, None);
    client.send(stanza((256 << 10) + 1));
    assert_eq!(client.error(), Some("policy-violation"));
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    client.send(format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{}", "A".repeat(64 << 10)));
    assert_eq!(client.error(), Some("policy-violation"));
}
