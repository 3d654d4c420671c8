//! Stanzas, binding and presence: requirements of RFC 6120 §7, §8 and RFC 6121 as this server promises them.

mod common;

use broker::{Class, EndReason};
use common::{STANZAS, bind, client, config, finesse, quiet, service_with, strict};
use xmpp::{BindError, Config, Conflict, Profile, StreamError};

#[test]
fn x16_binds_given_empty_and_generated_resources() {
    let service = finesse();
    let given = bind(&service, "1001", Some("Desk & co")).unwrap();
    assert_eq!(&**given.bound.full(), "1001@localhost/Desk &amp; co");
    assert_eq!(&**given.bound.bare(), "1001@localhost");
    for none in [None, Some(""), Some(" \t")] {
        let made = bind(&service, "1001", none).unwrap();
        let resource = made.bound.full().split_once('/').unwrap().1.to_owned();
        // Hexadecimal: four bits a character, at least 80 wanted.
        assert!(resource.len() * 4 >= 80, "{resource}");
    }
    assert_eq!(bind(&service, "1001", Some("a\u{7}b")).err(), Some(BindError::BadRequest));
    assert_eq!(bind(&service, "", Some("x")).err(), Some(BindError::Internal));
}

#[test]
fn x16_answers_the_session_request_before_and_after_presence() {
    let service = finesse();
    let mut client = quiet(&service, "1001", "x");
    let request =
        "<iq type='set' id='_session_auth_2'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>";
    for _ in 0..2 {
        let answer = client.ask(request).ok();
        assert_eq!(
            answer.xml,
            "<iq xmlns=\"jabber:client\" type=\"result\" id=\"_session_auth_2\" to=\"1001@localhost/x\"/>"
        );
        client.send("<presence/>");
        client.read();
    }
}

#[test]
fn second_bind_is_not_allowed() {
    let service = finesse();
    let mut client = client(&service, "1001", "x");
    client
        .ask("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        .fails("not-allowed");
}

#[test]
fn local_parts_are_folded_and_escaped() {
    let service = finesse();
    assert_eq!(&**quiet(&service, "Alice", "x").bound.bare(), "alice@localhost");
    assert_eq!(&**quiet(&service, "a@b", "x").bound.bare(), "a\\40b@localhost");
}

#[test]
fn x17_replaces_the_old_session_by_default() {
    let service = finesse();
    let old = client(&service, "1001", "x");
    let mut other = client(&service, "1001", "y");
    let new = quiet(&service, "1001", "x");
    assert_eq!(old.outbox.is_ended(), Some(EndReason::Replaced));
    assert_eq!(other.one().attr("type"), Some("unavailable"));
    drop(old);
    assert!(other.read().is_empty(), "unavailable twice");
    drop(new);
    assert!(other.read().is_empty(), "never available");
}

#[test]
fn x17_refuses_or_renames_when_configured() {
    let refuse = service_with(Config { conflict: Conflict::RefuseNew, ..config(Profile::Finesse) });
    let old = quiet(&refuse, "1001", "x");
    assert_eq!(bind(&refuse, "1001", Some("x")).err(), Some(BindError::Conflict));
    assert_eq!(old.outbox.is_ended(), None);
    let rename = service_with(Config { conflict: Conflict::Rename, ..config(Profile::Finesse) });
    let _old = quiet(&rename, "1001", "x");
    assert_ne!(&**quiet(&rename, "1001", "x").bound.full(), "1001@localhost/x");
}

#[test]
fn x18_resource_constraint_beyond_the_limit() {
    let service = service_with(Config { max_resources: 2, ..config(Profile::Finesse) });
    let first = quiet(&service, "1001", "a");
    let _second = quiet(&service, "1001", "b");
    let error = bind(&service, "1001", Some("c")).err().unwrap();
    assert_eq!(
        error.to_xml(),
        format!(
            "<error type=\"wait\"><resource-constraint xmlns=\"{STANZAS}\"/>\
             <resource-limit-exceeded xmlns=\"urn:xmpp:errors\"/></error>"
        )
    );
    let _replaced = quiet(&service, "1001", "b");
    let _elsewhere = quiet(&service, "1002", "c");
    drop(first);
    let _third = quiet(&service, "1001", "c");
}

#[test]
fn x19_answers_every_get_and_set_exactly_once() {
    let service = finesse();
    let mut client = client(&service, "1001", "x");
    let addresses = [
        "",
        " to='localhost'",
        " to='pubsub.localhost'",
        " to='1001@localhost'",
        " to='1001@localhost/x'",
        " to='1001@localhost/other'",
        " to='1002@localhost'",
        " to='1002@localhost/x'",
        " to='finesse@localhost/app'",
        " to='elsewhere.example'",
        " to='a@b@c'",
        " to=''",
    ];
    let children = [
        "<ping xmlns='urn:xmpp:ping'/>",
        "<query xmlns='jabber:iq:roster'/>",
        "<query xmlns='jabber:iq:version'/>",
        "<query xmlns='jabber:iq:private'/>",
        "<vCard xmlns='vcard-temp'/>",
        "<enable xmlns='urn:xmpp:carbons:2'/>",
        "<query xmlns='urn:xmpp:mam:2'/>",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
        "<query xmlns='http://jabber.org/protocol/disco#items'/>",
        "<foo xmlns='http://jabber.org/protocol/disco#info'/>",
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='x'/></pubsub>",
        "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'/>",
        "<command xmlns='http://jabber.org/protocol/commands' node='x'/>",
        "",
        "<a xmlns='urn:a'/><b xmlns='urn:b'/>",
    ];
    for to in addresses {
        for child in children {
            for kind in ["get", "set"] {
                let iq = format!("<iq type='{kind}' id='a/+=@\"'{to}>{child}</iq>").replace("\"'", "'");
                let answer = client.ask(&iq);
                assert_eq!(answer.attr("id"), Some("a/+=@"), "{iq}");
                assert_eq!(answer.attr("to"), Some("1001@localhost/x"), "{iq}");
                let expected = to.split('\'').nth(1);
                assert_eq!(answer.attr("from"), expected, "{iq}");
            }
        }
    }
}

#[test]
fn x19_frames_that_are_wrong_are_bad_requests() {
    let service = finesse();
    let mut client = client(&service, "1001", "x");
    for iq in [
        "<iq type='get' id='1'/>",
        "<iq type='get' id='1'><a xmlns='urn:a'/><a xmlns='urn:a'/></iq>",
        "<iq type='fetch' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    ] {
        client.ask(iq).fails("bad-request");
    }
}

#[test]
fn requests_without_id_are_answered_in_finesse_and_refused_in_strict() {
    let ping = "<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>";
    assert_eq!(client(&finesse(), "1001", "x").ask(ping).ok().attr("id"), None);
    client(&strict(), "1001", "x").ask(ping).fails("bad-request");
}

#[test]
fn x20_errors_and_results_are_never_answered() {
    let service = finesse();
    let mut client = client(&service, "1001", "x");
    for stanza in [
        "<iq type='result' id='1'/>",
        "<iq type='error' id='1'><error type='cancel'/></iq>",
        "<iq type='result' to='elsewhere.example' id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>",
        "<message type='error' to='1002@localhost/x'><body>x</body></message>",
        "<presence type='error' to='finesse@localhost'/>",
        "<message to='1002@localhost/x'><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>",
    ] {
        client.send(stanza);
        assert!(client.read().is_empty(), "{stanza}");
    }
}

#[test]
fn x21_stamps_from_and_overwrites_what_the_client_wrote() {
    let service = finesse();
    let mut a = client(&service, "1001", "x");
    let mut b = client(&service, "1002", "y");
    for from in ["1001@localhost", "1001@localhost/x", "1003@localhost/z", "nonsense@@"] {
        a.send(&format!("<message from='{from}' to='1002@localhost/y' id='m1' type='chat' xml:lang='cs'><body>a&lt;b</body></message>"));
        assert_eq!(
            b.one().xml,
            "<message xmlns=\"jabber:client\" from=\"1001@localhost/x\" to=\"1002@localhost/y\" type=\"chat\" id=\"m1\" \
             xml:lang=\"cs\"><body>a&lt;b</body></message>"
        );
    }
    assert!(a.read().is_empty());
}

#[test]
fn x21_forged_from_ends_the_stream_in_strict() {
    let service = strict();
    let mut a = client(&service, "1001", "x");
    for from in ["1001@localhost", "1001@LOCALHOST/x"] {
        a.ask(&format!("<iq from='{from}' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>")).ok();
    }
    for from in ["1002@localhost", "1001@localhost/other", "localhost", "x@@y"] {
        assert_eq!(
            a.try_send(&format!("<presence from='{from}'/>")),
            Err(StreamError::InvalidFrom),
            "{from}"
        );
    }
    assert!(a.read().is_empty(), "a refused stanza had an effect");
}

#[test]
fn x22_roster_is_empty_and_cannot_be_changed() {
    let service = finesse();
    let mut client = quiet(&service, "1001", "x");
    assert_eq!(
        client.ask("<iq type='get' id='r1'><query xmlns='jabber:iq:roster' ver=''/></iq>").xml,
        "<iq xmlns=\"jabber:client\" type=\"result\" id=\"r1\" to=\"1001@localhost/x\">\
         <query xmlns=\"jabber:iq:roster\"/></iq>"
    );
    client
        .ask("<iq type='set' id='r2'><query xmlns='jabber:iq:roster'><item jid='a@b'/></query></iq>")
        .fails("not-allowed");
}

#[test]
fn x23_unknown_namespaces_and_absent_recipients_are_unavailable() {
    let service = finesse();
    let mut client = client(&service, "1001", "x");
    for iq in [
        "<iq type='get' id='1'><vCard xmlns='vcard-temp'/></iq>",
        "<iq type='get' id='1' to='localhost'><query xmlns='urn:unknown'/></iq>",
        "<iq type='get' id='1' to='pubsub.localhost'><query xmlns='urn:unknown'/></iq>",
        "<iq type='get' id='1' to='1001@localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        "<iq type='get' id='1' to='1002@localhost/x'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq type='set' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='pep'/></pubsub></iq>",
    ] {
        client.ask(iq).fails("service-unavailable");
    }
    client
        .ask("<iq type='get' id='1' to='x.example'><ping xmlns='urn:xmpp:ping'/></iq>")
        .fails("remote-server-not-found");
    client.ask("<iq type='get' id='1' to='@x'><ping xmlns='urn:xmpp:ping'/></iq>").fails("jid-malformed");
    client
        .ask("<iq type='get' id='1' to='localhost'><pong xmlns='urn:xmpp:ping'/></iq>")
        .fails("feature-not-implemented");
    for to in ["1002@localhost/x", "1002@localhost", "1001@localhost", "localhost"] {
        client
            .ask(&format!("<message to='{to}' id='1' type='chat'><body>x</body></message>"))
            .fails("service-unavailable");
    }
}

#[test]
fn x24_messages_keep_the_order_of_their_sender() {
    let service = finesse();
    let mut a = client(&service, "1001", "x");
    let mut b = quiet(&service, "1002", "y");
    for n in 0..50 {
        a.send(&format!("<message to='1002@localhost/y' id='{n}'><body>x</body></message>"));
    }
    let ids: Vec<_> = b.read().iter().map(|m| m.attr("id").unwrap().parse::<u32>().unwrap()).collect();
    assert_eq!(ids, (0..50).collect::<Vec<_>>());
}

#[test]
fn x10_unavailable_presence_is_sent_exactly_once() {
    let service = finesse();
    let mut watcher = client(&service, "1001", "w");
    let gone = client(&service, "1001", "x");
    watcher.read();
    drop(gone);
    let presence = watcher.one();
    assert_eq!(
        presence.xml,
        "<presence xmlns=\"jabber:client\" from=\"1001@localhost/x\" to=\"1001@localhost/w\" type=\"unavailable\"/>"
    );
    let mut polite = client(&service, "1001", "x");
    watcher.read();
    polite.send("<presence type='unavailable'><status>bye</status></presence>");
    polite.send("<presence type='unavailable'/>");
    assert!(watcher.one().xml.contains("<status>bye</status>"));
    drop(polite);
    assert!(watcher.read().is_empty());
    assert_eq!(service.sessions(), 1);
}

#[test]
fn presence_is_echoed_and_exchanged_among_the_own_resources() {
    let service = finesse();
    let mut a = client(&service, "1001", "a");
    let mut b = quiet(&service, "1001", "b");
    a.send("<presence id='p'><show>away</show><priority>5</priority><c xmlns='urn:caps'/></presence>");
    let echo = a.one();
    assert_eq!(echo.attr("id"), Some("p"));
    assert_eq!(echo.class, Some(Class::Notice));
    assert!(b.read().is_empty(), "not available yet");
    b.send("<presence/>");
    let froms: Vec<String> = b.read().iter().map(|p| p.attr("from").unwrap().to_owned()).collect();
    assert_eq!(froms, ["finesse@localhost/app", "1001@localhost/b", "1001@localhost/a"]);
    assert_eq!(a.one().attr("from"), Some("1001@localhost/b"));
}

#[test]
fn the_echo_can_be_switched_off() {
    let service = service_with(Config { self_echo: false, ..config(Profile::Finesse) });
    let mut a = quiet(&service, "1001", "a");
    a.send("<presence/>");
    assert_eq!(a.one().attr("from"), Some("finesse@localhost/app"));
}

#[test]
fn bad_priorities_are_bad_requests_and_change_nothing() {
    let service = finesse();
    let mut watcher = client(&service, "1001", "w");
    let mut client = quiet(&service, "1001", "x");
    for priority in ["128", "-129", "high", "", "1.5"] {
        client.send(&format!("<presence id='p'><priority>{priority}</priority></presence>"));
        client.one().fails("bad-request");
    }
    client.send("<presence type='nonsense' id='p'/>");
    client.one().fails("bad-request");
    assert!(watcher.read().is_empty());
    for priority in ["-128", "127", " 5 "] {
        client.send(&format!("<presence><priority>{priority}</priority></presence>"));
        assert!(client.read().iter().all(|p| p.attr("type").is_none()));
    }
}

#[test]
fn directed_presence_reaches_own_resources_only_and_is_taken_back() {
    let service = finesse();
    let mut a = quiet(&service, "1001", "a");
    let mut b = quiet(&service, "1001", "b");
    let mut stranger = client(&service, "1002", "s");
    a.send("<presence to='1001@localhost/b'><show>dnd</show></presence>");
    assert!(b.one().xml.contains("<show>dnd</show>"));
    a.send("<presence to='1002@localhost/s'/>");
    a.send("<presence to='pubsub.localhost'/>");
    assert!(stranger.read().is_empty() && a.read().is_empty());
    drop(a);
    assert_eq!(b.one().attr("type"), Some("unavailable"));
}

#[test]
fn subscription_presence_goes_nowhere() {
    let service = finesse();
    let mut a = client(&service, "1001", "a");
    let mut b = client(&service, "1002", "b");
    for kind in ["subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe"] {
        a.send(&format!("<presence type='{kind}' to='1002@localhost'/>"));
    }
    assert!(a.read().is_empty() && b.read().is_empty());
}

#[test]
fn other_top_level_elements_end_the_stream() {
    let service = finesse();
    let mut a = client(&service, "1001", "a");
    assert_eq!(a.try_send("<stanza/>"), Err(StreamError::UnsupportedStanzaType));
    assert_eq!(a.try_send("<iq xmlns='evil' type='get' id='1'/>"), Err(StreamError::UnsupportedStanzaType));
    assert_eq!(a.try_send("<active xmlns='urn:xmpp:csi:0'/>"), Ok(()));
    assert!(a.read().is_empty());
}

#[test]
fn error_answers_echo_the_request_up_to_4_kib() {
    let service = finesse();
    let mut a = client(&service, "1001", "a");
    let small = a.ask("<iq type='get' id='1'><q xmlns='urn:q' a='&lt;&quot;'><b>&amp;</b></q></iq>");
    assert!(
        small.xml.contains("<q xmlns=\"urn:q\" a=\"&lt;&quot;\"><b>&amp;</b></q><error "),
        "{}",
        small.xml
    );
    let big = a.ask(&format!("<iq type='get' id='1'><q xmlns='urn:q'>{}</q></iq>", "x".repeat(5000)));
    assert!(!big.xml.contains("xxx") && big.xml.contains("<error"), "{}", big.xml);
}

#[test]
fn shutdown_ends_every_session_and_lets_nobody_in() {
    let service = finesse();
    let a = client(&service, "1001", "a");
    service.shutdown();
    assert_eq!(a.outbox.is_ended(), Some(EndReason::Shutdown));
    assert_eq!(bind(&service, "1001", Some("b")).err(), Some(BindError::Stopping));
}
