//! From the first byte to a bound resource, over TCP. Names carry the numbers of the requirements.

mod support;

use std::collections::HashSet;

use support::*;
use xmpp::{Channel, Config, Conflict, Framing, StartTls};

/// Value of the first `name="…"` in `xml`.
fn attribute<'a>(xml: &'a str, name: &str) -> &'a str {
    let start = xml.find(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    xml[start..].split('"').nth(1).expect("quoted")
}

#[test]
fn x1_header_is_answered_with_own_header_and_features() {
    let mut client = Client::tcp(&service());
    let answer = client.send(open_tcp(DOMAIN));
    let (header, features) = answer.split_once("<stream:features>").expect("features");
    assert_eq!(attribute(header, "from"), DOMAIN);
    assert_eq!(attribute(header, "id").len(), 32);
    assert_eq!(attribute(header.split_once("<stream:stream").unwrap().1, "version"), "1.0");
    assert_eq!(attribute(header, "xml:lang"), "en");
    assert!(header.ends_with(" xmlns=\"jabber:client\" xmlns:stream=\"http://etherx.jabber.org/streams\">"));
    assert_eq!(
        features,
        "<mechanisms xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><mechanism>PLAIN</mechanism></mechanisms>\
         <limits xmlns=\"urn:xmpp:stream-limits:0\"><max-bytes>65536</max-bytes>\
         <idle-seconds>30</idle-seconds></limits></stream:features>"
    );
}

#[test]
fn x1_claimed_from_is_echoed_as_to() {
    let mut client = Client::tcp(&service());
    let header = open_tcp(DOMAIN).replace(" xmlns=", " from='1001@x\"y' xmlns=");
    assert!(client.send(header).contains(" to=\"1001@x&quot;y\" version=\"1.0\""));
}

#[test]
fn x2_errors_follow_our_own_header() {
    let streams = "xmlns:stream='http://etherx.jabber.org/streams'";
    for (header, error) in [
        (format!("<stream:stream xmlns='jabber:client' {streams}>"), "unsupported-version"),
        (format!("<stream:stream version='0.9' xmlns='jabber:client' {streams}>"), "unsupported-version"),
        (format!("<stream:stream version='x' xmlns='jabber:client' {streams}>"), "unsupported-version"),
        (format!("<stream:stream version='1.0' xmlns='jabber:server' {streams}>"), "invalid-namespace"),
        (format!("<stream:stream version='1.0' {streams}>"), "invalid-namespace"),
        ("<stream:stream version='1.0' xmlns='jabber:client' xmlns:stream='x'>".into(), "invalid-namespace"),
        (
            "<s:stream version='1.0' xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>"
                .into(),
            "bad-namespace-prefix",
        ),
        ("<stream:stream version='1.0' xmlns='jabber:client'>".into(), "not-well-formed"),
        (format!("<stream:other version='1.0' xmlns='jabber:client' {streams}>"), "bad-format"),
        ("GET / HTTP/1.1\r\n\r\n".into(), "not-well-formed"),
        ("<?xml version='1.0' encoding='latin1'?>".into(), "unsupported-encoding"),
        ("<!DOCTYPE x>".into(), "restricted-xml"),
    ] {
        let mut client = Client::tcp(&service());
        let answer = client.send(&header);
        assert_eq!(client.error(), Some(error), "{header}");
        let ours = answer.find("<stream:stream from=").expect("our header");
        assert!(ours < answer.find("<stream:error>").expect("the error"), "{answer}");
        assert!(answer.ends_with("</stream:error></stream:stream>"), "{answer}");
    }
}

#[test]
fn x2_closing_tag_is_answered() {
    let mut client = Client::bound(&service(), "1001", "r");
    let answer = client.send("</stream:stream>");
    assert_eq!(answer, "</stream:stream>");
    assert_eq!(client.closed, Some(None));
    assert!(client.stream.is_peer_closed());
}

#[test]
fn x3_error_children_carry_their_namespace() {
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    assert_eq!(
        client.send("<iq type='get' id='1'/>"),
        "<stream:error><not-authorized xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error>\
         </stream:stream>"
    );
}

#[test]
fn x4_x75_ids_differ_on_each_restart_and_are_random() {
    let mut ids = HashSet::new();
    let mut bits = [0u32; 128];
    for _ in 0..200 {
        let mut client = Client::tcp(&service());
        let first = client.send(open_tcp(DOMAIN));
        client.send(auth(&plain("", "1001", "secret")));
        let second = client.send(open_tcp(DOMAIN));
        for header in [first, second] {
            let id = attribute(&header, "id").to_owned();
            let number = u128::from_str_radix(&id, 16).expect("hexadecimal");
            (0..128).for_each(|bit| bits[bit] += (number >> bit & 1) as u32);
            assert!(ids.insert(id), "an id came twice");
        }
    }
    // 400 throws of a fair coin: beyond 120..280 once in 10^15.
    assert!(bits.iter().all(|ones| (120..280).contains(ones)), "{bits:?}");
}

#[test]
fn x5_foreign_host_is_accepted_in_finesse_and_refused_in_strict() {
    for to in ["10.0.0.5", "fin-a", ""] {
        let answer = Client::tcp(&service()).send(open_tcp(to));
        assert!(answer.contains("from=\"fin-a.example.net\"") && answer.contains("PLAIN"), "{answer}");
    }
    let strict = service_with(strict());
    for (header, error) in [
        (open_tcp("elsewhere.example"), Some("host-unknown")),
        (open_tcp(DOMAIN).replace("to='fin-a.example.net'", ""), Some("improper-addressing")),
        (open_tcp("FIN-A.example.net"), None),
    ] {
        let mut client = Client::tcp(&strict);
        let answer = client.send(header);
        assert_eq!(client.error(), error);
        assert!(answer.contains("<stream:stream from=\"fin-a.example.net\""));
    }
}

#[test]
fn x6_starttls_then_a_new_stream() {
    let channel = Channel { starttls: StartTls::Optional, ..Channel::default() };
    let mut client = Client::new(&service(), Framing::Tcp, channel);
    let answer = client.send(open_tcp(DOMAIN));
    assert!(
        answer.contains("<stream:features><starttls xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"/><mechanisms")
    );
    let injected = auth(&plain("", "1001", "secret"));
    let starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let answer = client.send(format!("{starttls}{injected}"));
    assert_eq!(answer, "<proceed xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"/>");
    assert!(client.starttls && !client.stream.wants_input());
    // The shell throws the rest away; what the stream has seen of it is nothing.
    assert_eq!(client.unread, injected.as_bytes());
    client.unread.clear();
    client.stream.tls_started(client.now, None);
    let answer = client.send(open_tcp(DOMAIN));
    assert!(answer.contains("PLAIN") && !answer.contains("starttls"), "{answer}");
}

#[test]
fn starttls_required_refuses_everything_before_it() {
    let channel = Channel { starttls: StartTls::Required, ..Channel::default() };
    let open = || {
        let mut client = Client::new(&service(), Framing::Tcp, channel.clone());
        let answer = client.send(open_tcp(DOMAIN));
        assert!(answer.contains("<required/>") && !answer.contains("PLAIN"));
        client
    };
    let mut client = open();
    assert!(client.send(auth(&plain("", "1001", "secret"))).contains("<encryption-required/>"));
    assert_eq!(client.error(), None);
    let mut client = open();
    client.send("<presence/>");
    assert_eq!(client.error(), Some("policy-violation"));
}

#[test]
fn starttls_that_was_not_offered_ends_the_stream() {
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    assert_eq!(client.error(), Some("not-authorized"));
}

#[test]
fn x7_stanzas_before_authentication_and_before_bind() {
    for stanza in ["<presence/>", "<message to='x@y'/>", "<iq type='get' id='1'/>", &bind("r")] {
        let mut client = Client::tcp(&service());
        client.send(open_tcp(DOMAIN));
        client.send(stanza);
        assert_eq!(client.error(), Some("not-authorized"), "{stanza}");
    }
    for stanza in [
        "<presence/>",
        "<iq type='set' id='1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
        "<iq type='get' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    ] {
        let mut client = Client::tcp(&service());
        client.send(open_tcp(DOMAIN));
        client.send(auth(&plain("", "1001", "secret")));
        client.send(open_tcp(DOMAIN));
        client.send(stanza);
        assert_eq!(client.error(), Some("not-authorized"), "{stanza}");
    }
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    client.send("<iq xmlns='evil'/>");
    assert_eq!(client.error(), Some("unsupported-stanza-type"));
}

#[test]
fn x11_plain_authorisation_identities() {
    for (authzid, accepted) in [
        ("", true),
        ("1001", true),
        ("1001@fin-a.example.net", true),
        ("1001@10.0.0.5", true),
        ("1002", false),
    ] {
        let mut client = Client::tcp(&service());
        client.send(open_tcp("10.0.0.5"));
        let answer = client.send(auth(&plain(authzid, "1001", "secret")));
        let failure = "<failure xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><invalid-authzid/></failure>";
        assert_eq!(answer, if accepted { SUCCESS } else { failure }, "{authzid}");
    }
}

#[test]
fn n9_a_token_of_16_kib_is_a_password() {
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    let answer = client.send(auth(&plain("", "bearer", &bearer_token())));
    assert_eq!(answer, SUCCESS);
}

#[test]
fn x12_x13_failures_by_condition() {
    let sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
    let long = "A".repeat(40_000);
    for (element, condition) in [
        (auth("not base64!"), "incorrect-encoding"),
        (auth("AHUAcA"), "incorrect-encoding"),
        (auth("="), "malformed-request"),
        (auth("AAAA"), "malformed-request"),
        (auth(&long), "malformed-request"),
        (format!("<auth {sasl} mechanism='SCRAM-SHA-1'>biws</auth>"), "invalid-mechanism"),
        (format!("<auth {sasl}>biws</auth>"), "invalid-mechanism"),
        (format!("<response {sasl}>AHUAcA==</response>"), "malformed-request"),
        (format!("<abort {sasl}/>"), "aborted"),
        (auth(&plain("", "1001", "wrong")), "not-authorized"),
        (auth(&plain("", "1001", "")), "not-authorized"),
        (auth(&plain("", "disabled", "secret")), "account-disabled"),
        (auth(&plain("", "unreachable", "secret")), "temporary-auth-failure"),
    ] {
        let mut client = Client::tcp(&service());
        client.send(open_tcp(DOMAIN));
        let answer = client.send(&element);
        let expected =
            format!("<failure xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"><{condition}/></failure>");
        assert_eq!(answer, expected, "{element:.80}");
        assert_eq!(client.send(auth(&plain("", "1001", "secret"))), SUCCESS);
    }
}

#[test]
fn plain_without_initial_response_is_asked_for_it() {
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    assert_eq!(client.send(auth("")), "<challenge xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"/>");
    let message = plain("", "1001", "secret");
    let response = format!("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{message}</response>");
    assert_eq!(client.send(response), SUCCESS);
}

#[test]
fn foreign_attributes_on_auth_are_ignored() {
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    let auth = auth(&plain("", "1001", "secret")).replace(
        "<auth ",
        "<auth xmlns:ga='http://www.google.com/talk/protocol/auth' ga:client-uses-full-bind-result='true' ",
    );
    assert_eq!(client.send(auth), SUCCESS);
}

#[test]
fn x14_retries_then_policy_violation() {
    for retries in [2, 3, 5] {
        let service = service_with(Config { auth_retries: retries, ..config() });
        let mut client = Client::tcp(&service);
        client.send(open_tcp(DOMAIN));
        for _ in 1..retries {
            client.send(auth(&plain("", "1001", "wrong")));
            assert_eq!(client.error(), None);
        }
        let answer = client.send(auth(&plain("", "1001", "wrong")));
        assert!(answer.starts_with("<failure"), "{answer}");
        assert_eq!(client.error(), Some("policy-violation"));
    }
}

#[test]
fn x14_an_attempt_that_is_given_up_for_another_counts() {
    let service = service_with(Config { auth_retries: 3, ..config() });
    let mut client = Client::tcp(&service);
    client.send(open_tcp(DOMAIN));
    let begin = format!("<auth xmlns='{}' mechanism='PLAIN'/>", xmpp::sasl::NS);
    for _ in 0..3 {
        assert!(client.send(&begin).starts_with("<challenge"), "the third attempt is still taken");
    }
    client.send(&begin);
    assert_eq!(client.error(), Some("policy-violation"), "the realm is not asked without end");
}

#[test]
fn pipelined_restart_waits_for_the_verdict() {
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    let everything =
        format!("{}\r\n{}\r\n{}\r\n", auth(&plain("", "1001", "secret")), open_tcp(DOMAIN), bind("r"));
    let answer = client.send(everything);
    assert!(answer.starts_with(SUCCESS), "{answer}");
    assert!(answer.contains("<jid>1001@fin-a.example.net/r</jid>"), "{answer}");
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    let rest = open_tcp(DOMAIN);
    assert_eq!(client.send(format!("{}{rest}", auth(&plain("", "slow", "secret")))), "");
    assert_eq!(client.unread, rest.as_bytes(), "nothing is read before the realm has spoken");
}

#[test]
fn x16_second_header_and_features_are_one_parcel_and_the_first_two() {
    let mut client = Client::tcp(&service());
    client.stream.handle_bytes(client.now, &mut open_tcp(DOMAIN).as_bytes());
    let first = client.parcels();
    assert_eq!(first.len(), 2, "{first:?}");
    client.send(auth(&plain("", "1001", "secret")));
    client.stream.handle_bytes(client.now, &mut open_tcp(DOMAIN).as_bytes());
    let second = client.parcels();
    assert_eq!(second.len(), 1, "{second:?}");
    assert!(second[0].starts_with("<stream:stream from="));
    assert!(second[0].ends_with(
        "<stream:features><bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\"/>\
         <session xmlns=\"urn:ietf:params:xml:ns:xmpp-session\"><optional/></session>\
         <limits xmlns=\"urn:xmpp:stream-limits:0\"><max-bytes>262144</max-bytes>\
         <idle-seconds>120</idle-seconds></limits></stream:features>"
    ));
}

#[test]
fn x16_bind_given_empty_and_generated_resources() {
    let service = service();
    let login = || {
        let mut client = Client::tcp(&service);
        client.send(open_tcp(DOMAIN));
        client.send(auth(&plain("", "1001", "secret")));
        client.send(open_tcp(DOMAIN));
        client
    };
    assert_eq!(
        login().send(bind("conn7").replace("b1", "/+=@")),
        "<iq xmlns=\"jabber:client\" type=\"result\" id=\"/+=@\"><bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\">\
         <jid>1001@fin-a.example.net/conn7</jid></bind></iq>"
    );
    let empty = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
    let mut seen = HashSet::new();
    for request in [empty.to_owned(), bind(""), bind("  ")] {
        let answer = login().send(request);
        let jid = answer.split("<jid>").nth(1).and_then(|rest| rest.split('<').next()).expect("jid");
        let resource = jid.strip_prefix("1001@fin-a.example.net/").expect("own address").to_owned();
        assert!(resource.len() >= 16, "80 random bits: {resource}");
        assert!(seen.insert(resource));
    }
    let mut client = login();
    client.send(bind("r"));
    let session = "<iq type='set' id='s1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>";
    assert!(client.send(session).contains("type=\"result\" id=\"s1\""));
}

#[test]
fn bad_resource_is_refused_and_another_may_be_bound() {
    let mut client = Client::tcp(&service());
    client.send(open_tcp(DOMAIN));
    client.send(auth(&plain("", "1001", "secret")));
    client.send(open_tcp(DOMAIN));
    let answer = client.send(bind(&"x".repeat(1024)));
    assert!(answer.contains("type=\"error\" id=\"b1\"") && answer.contains("<bad-request"), "{answer}");
    assert!(client.send(bind("fine")).contains("/fine</jid>"));
}

#[test]
fn x10_x17_conflict_ends_the_old_session() {
    let service = service();
    let mut old = Client::bound(&service, "1001", "desk");
    let _new = Client::bound(&service, "1001", "desk");
    let said = old.take();
    assert!(said.ends_with(
        "<stream:error><conflict xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error></stream:stream>"
    ));
    assert_eq!(service.sessions(), 1);
}

#[test]
fn x17_conflict_by_policy() {
    let service = service_with(Config { conflict: Conflict::RefuseNew, ..config() });
    let _old = Client::bound(&service, "1001", "desk");
    let mut new = Client::tcp(&service);
    new.send(open_tcp(DOMAIN));
    new.send(auth(&plain("", "1001", "secret")));
    new.send(open_tcp(DOMAIN));
    let answer = new.send(bind("desk"));
    assert!(answer.contains("<conflict xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/>"), "{answer}");
    assert!(new.send(bind("other")).contains("/other</jid>"));
}

#[test]
fn x18_resource_limit() {
    let service = service_with(Config { max_resources: 2, ..config() });
    let _first = Client::bound(&service, "1001", "a");
    let _second = Client::bound(&service, "1001", "b");
    let mut third = Client::tcp(&service);
    third.send(open_tcp(DOMAIN));
    third.send(auth(&plain("", "1001", "secret")));
    third.send(open_tcp(DOMAIN));
    let answer = third.send(bind("c"));
    assert!(answer.contains("<error type=\"wait\""), "{answer}");
    assert!(answer.contains("<resource-constraint ") && answer.contains("<resource-limit-exceeded "));
}

#[test]
fn x10_the_end_of_a_connection_ends_the_session_once() {
    let service = service();
    let mut watcher = Client::bound(&service, "1001", "watcher");
    watcher.send("<presence/>");
    let mut client = Client::bound(&service, "1001", "desk");
    client.send("<presence/>");
    watcher.take();
    client.stream.handle_eof();
    client.stream.handle_eof();
    drop(client);
    let said = watcher.take();
    assert_eq!(said.matches("type=\"unavailable\"").count(), 1, "{said}");
    assert_eq!(service.sessions(), 1);
}

#[test]
fn a_stream_that_was_never_opened_is_not_closed() {
    let service = service();
    let mut client = Client::tcp(&service);
    client.stream.handle_eof();
    assert_eq!(client.send(""), "");

    // Nor is one that was to be opened again after SASL.
    let mut client = Client::tcp(&service);
    client.send(open_tcp(DOMAIN));
    client.send(auth(&plain("", "1001", "secret")));
    client.stream.handle_eof();
    assert_eq!(client.send(""), "");
}
