//! What clients of Finesse rely on: the notification requirements that the service half answers for. The
//! numbers are those of the requirements.

mod common;

use broker::{Class, EndReason};
use common::{Client, EVENT, PUBSUB, bind, client, finesse, quiet};
use xmpp::{Service, event, notification};

const USER: &str = "/finesse/api/User/1001";
const DIALOGS: &str = "/finesse/api/User/1001/Dialogs";
const SYSTEM: &str = "/finesse/api/SystemInfo";

fn tell(service: &Service, node: &str, update: &str) -> usize {
    service.broker().publish(node, notification("pubsub.localhost", node, update)).sessions
}

#[test]
fn n10_bind_with_and_without_resource() {
    let service = finesse();
    let mut given = quiet(&service, "1001", "desktop");
    assert_eq!(&**given.bound.full(), "1001@localhost/desktop");
    let mut made = bind(&service, "1001", None).unwrap();
    for client in [&mut given, &mut made] {
        client.ask("<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>").ok();
    }
}

#[test]
fn n11_local_parts_are_folded() {
    let service = finesse();
    let mut agent = client(&service, "AGENT7", "x");
    assert_eq!(&**agent.bound.bare(), "agent7@localhost");
    agent.set(&format!("<subscribe node='{SYSTEM}' jid='Agent7@LOCALHOST/x'/>")).ok();
    agent.set(&format!("<subscribe node='{SYSTEM}' jid='agent7@localhost/X'/>")).ok();
    tell(&service, SYSTEM, "<Update/>");
    assert_eq!(agent.one().attr("to"), Some("agent7@localhost/x"), "resources keep their case");
}

#[test]
fn n12_same_full_address_replaces_and_the_new_session_works() {
    let service = finesse();
    let old = client(&service, "1001", "x");
    let mut new = client(&service, "1001", "x");
    assert_eq!(old.outbox.is_ended(), Some(EndReason::Replaced));
    drop(old);
    assert_eq!(tell(&service, USER, "<Update/>"), 1);
    assert_eq!(new.one().attr("to"), Some("1001@localhost"));
    new.ask("<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>").ok();
}

#[test]
fn n13_two_resources_at_the_same_time() {
    let service = finesse();
    let mut a = client(&service, "1001", "desktop");
    let mut b = client(&service, "1001", "connector");
    a.read();
    assert_eq!(tell(&service, USER, "<Update/>"), 2);
    assert_eq!((a.read().len(), b.read().len()), (1, 1));
}

#[test]
fn n14_presence_of_the_application_right_after_the_initial_presence() {
    let service = finesse();
    let mut agent = quiet(&service, "1001", "x");
    agent.send("<presence><priority>0</priority></presence>");
    let all = agent.read();
    assert_eq!(
        all[0].xml,
        "<presence xmlns=\"jabber:client\" from=\"finesse@localhost/app\" to=\"1001@localhost/x\"/>"
    );
    assert_eq!(
        all[1].xml,
        "<presence xmlns=\"jabber:client\" from=\"1001@localhost/x\" to=\"1001@localhost/x\">\
         <priority>0</priority></presence>"
    );
    assert_eq!(all.len(), 2);
    agent.send("<presence><show>away</show></presence>");
    assert_eq!(agent.one().attr("from"), Some("1001@localhost/x"), "only the first time");
    agent.send("<presence type='unavailable'/>");
    agent.read();
    agent.send("<presence/>");
    assert_eq!(agent.read()[0].attr("from"), Some("finesse@localhost/app"), "initial again");
    agent.send("<presence type='probe' to='finesse@localhost'/>");
    assert_eq!(agent.one().attr("from"), Some("finesse@localhost/app"));
}

#[test]
fn n15_the_application_goes_and_comes_back() {
    let service = finesse();
    let mut available = client(&service, "1001", "x");
    let mut negative = quiet(&service, "1002", "y");
    negative.send("<presence><priority>-1</priority></presence>");
    negative.read();
    let mut silent = quiet(&service, "1003", "z");
    service.set_application(false);
    service.set_application(false);
    for client in [&mut available, &mut negative] {
        let presence = client.one();
        assert_eq!(presence.attr("from"), Some("finesse@localhost/app"));
        assert_eq!(presence.attr("type"), Some("unavailable"));
        assert_eq!(presence.attr("to"), Some(&**client.bound.full()));
    }
    assert!(silent.read().is_empty());
    let mut late = quiet(&service, "1004", "l");
    late.send("<presence/>");
    assert_eq!(late.one().attr("from"), Some("1004@localhost/l"), "nothing of an absent application");
    service.set_application(true);
    for client in [&mut available, &mut negative, &mut late] {
        assert_eq!(client.one().attr("type"), None);
    }
}

#[test]
fn n15_a_change_in_the_middle_of_a_login_is_not_lost() {
    let service = finesse();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let flipper = scope.spawn(|| {
            let mut up = false;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                service.set_application(up);
                up = !up;
            }
            service.set_application(false);
        });
        // It ends with "unavailable": whoever heard of the application heard that last.
        let mut clients: Vec<Client> = (0..300)
            .map(|n| {
                let mut client = quiet(&service, &format!("agent{n}"), "x");
                client.send("<presence/>");
                client
            })
            .collect();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        flipper.join().unwrap();
        for client in &mut clients {
            let last = client.read().into_iter().rfind(|p| p.attr("from") == Some("finesse@localhost/app"));
            assert!(last.is_none_or(|presence| presence.attr("type") == Some("unavailable")));
        }
    });
}

#[test]
fn n16_no_bare_events_before_presence_after_unavailable_or_below_zero() {
    let service = finesse();
    let mut agent = quiet(&service, "1001", "x");
    assert_eq!(tell(&service, USER, "<Update/>"), 0);
    assert!(agent.read().is_empty());
    agent.send("<presence><priority>-5</priority></presence>");
    agent.read();
    assert_eq!(tell(&service, USER, "<Update/>"), 0);
    agent.send("<presence><priority>0</priority></presence>");
    agent.read();
    assert_eq!(tell(&service, USER, "<Update/>"), 1);
    agent.read();
    agent.send("<presence type='unavailable'/>");
    agent.read();
    assert_eq!(tell(&service, USER, "<Update/>"), 0);
    assert!(agent.read().is_empty());
}

#[test]
fn n17_auto_subscribed_events_reach_all_available_resources() {
    let service = finesse();
    let mut all: Vec<Client> = (0..3).map(|n| client(&service, "1001", &format!("r{n}"))).collect();
    all[2].send("<presence><priority>-1</priority></presence>");
    all.iter_mut().for_each(|client| {
        client.read();
    });
    assert_eq!(tell(&service, DIALOGS, "<Update/>"), 2);
    assert_eq!(all.iter_mut().map(|client| client.read().len()).collect::<Vec<_>>(), [1, 1, 0]);
}

#[test]
fn n18_roster_get_has_a_result() {
    let service = finesse();
    let mut agent = quiet(&service, "1001", "x");
    let answer = agent.ask("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>").ok();
    assert_eq!(answer.find(&["query"]).unwrap().children().count(), 0);
}

#[test]
fn n19_n20_n21_n22_n24_n25_the_event_to_the_letter() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    agent.subscribe(USER).ok();
    let update = "<Update><data><user/></data><event>PUT</event><requestId/><source>/finesse/api/User/1001</source></Update>";
    assert_eq!(tell(&service, USER, update), 2);
    let mut events = agent.read();
    events.sort_by_key(|event| event.attr("to").unwrap().len());
    for (event, to) in events.iter().zip(["1001@localhost", "1001@localhost/x"]) {
        // 19: escaped text in a notification of the right namespace; 22: named entities, `>` as well.
        let notification = event.find(&["event", "items", "item", "notification"]).unwrap();
        assert!(notification.is("notification", PUBSUB));
        assert!(event.xml.contains(
            "<notification xmlns=\"http://jabber.org/protocol/pubsub\">&lt;Update&gt;&lt;data&gt;&lt;user/&gt;"
        ));
        assert!(!event.xml.contains("CDATA") && !event.xml.contains("&#"));
        // One text node: pages read `firstChild.data`.
        assert_eq!(notification.nodes().filter_map(|node| node.as_text()).collect::<String>(), update);
        // 20: the whole text of the message is the payload.
        assert_eq!(event.text(), update);
        // 21: nothing else.
        assert_eq!(event.element.children().count(), 1);
        for foreign in ["<body", "SubID", "<delay", "<headers"] {
            assert!(!event.xml.contains(foreign));
        }
        // 24: addresses.
        assert_eq!(event.attr("from"), Some("pubsub.localhost"));
        assert_eq!(event.attr("to"), Some(to));
        assert_eq!(event.attr("type"), None);
        // 25: ids.
        assert!(event.attr("id").unwrap().starts_with("/finesse/api/User/1001__1001@localhost__"));
        assert!(!event.items()[0].is_empty());
        // Namespaces as plain attributes, for selectors that look at the attribute.
        assert!(
            event.xml.contains("<event xmlns=\"http://jabber.org/protocol/pubsub#event\"><items node=\"")
        );
        assert!(event.find(&["event"]).unwrap().has_ns(EVENT));
        assert_eq!(event.class, None);
    }
    assert_ne!(events[0].attr("id"), events[1].attr("id"));
}

#[test]
fn n23_call_variables_survive_the_round_trip() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    for value in [
        "a<b",
        "R&D",
        "]]>",
        "\"q\" 'p'",
        "𝄞 žluť 漢字",
        "&lt;",
        "<![CDATA[x]]>",
        "tab\tline\nend",
        "\u{fffe}\u{1}",
    ] {
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let update = format!("<Update><v>{escaped}</v></Update>");
        tell(&service, DIALOGS, &update);
        let text = agent.one().text();
        let expected = update.replace(['\u{fffe}', '\u{1}'], "\u{fffd}");
        assert_eq!(text, expected);
        // Clients replace the two entities in the raw text instead of parsing.
        let inner: minidom::Element = text.replacen("<Update>", "<Update xmlns='urn:u'>", 1).parse().unwrap();
        assert_eq!(inner.children().next().unwrap().text(), value.replace(['\u{fffe}', '\u{1}'], "\u{fffd}"));
    }
}

#[test]
fn events_can_carry_xml_as_well() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    service.broker().publish(USER, event("pubsub.localhost", USER, "i&1", b"<x xmlns=\"urn:x\">y</x>"));
    let received = agent.one();
    assert_eq!(received.items(), ["i&1"]);
    assert_eq!(received.text(), "y");
}

#[test]
fn n36_order_of_a_node_is_the_same_for_every_subscriber() {
    let service = finesse();
    let mut agents: Vec<Client> = (0..4)
        .map(|n| {
            let mut agent = client(&service, &format!("agent{n}"), "x");
            agent.subscribe(SYSTEM).ok();
            agent
        })
        .collect();
    std::thread::scope(|scope| {
        for publisher in 0..2 {
            let service = &service;
            scope.spawn(move || {
                (0..200).for_each(|n| assert_eq!(tell(service, SYSTEM, &format!("{publisher}-{n}")), 4))
            });
        }
    });
    let seen: Vec<Vec<String>> =
        agents.iter_mut().map(|agent| agent.read().iter().map(|event| event.text()).collect()).collect();
    assert_eq!(seen[0].len(), 400);
    assert!(seen.iter().all(|one| *one == seen[0]));
}

#[test]
fn n38_full_and_bare_subscriptions_and_no_foreign_ones() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    for jid in ["1001@localhost", "1001@localhost/x"] {
        let answer = agent.set(&format!("<subscribe node='{SYSTEM}' jid='{jid}'/><options/>")).ok();
        assert_eq!(
            answer.xml,
            format!(
                "<iq xmlns=\"jabber:client\" type=\"result\" id=\"q1\" from=\"pubsub.localhost\" to=\"1001@localhost/x\">\
                 <pubsub xmlns=\"http://jabber.org/protocol/pubsub\"><subscription node=\"{SYSTEM}\" jid=\"{jid}\" \
                 subscription=\"subscribed\"/></pubsub></iq>"
            )
        );
        assert_eq!(answer.class, Some(Class::Answer));
    }
    let answer = agent.set(&format!("<subscribe node='{SYSTEM}' jid='1002@localhost'/>"));
    answer.fails("bad-request invalid-jid");
    assert_eq!(answer.error().0, "modify");
}

#[test]
fn n39_repeated_subscribe_brings_no_second_copy() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    for _ in 0..3 {
        agent.subscribe(SYSTEM).ok();
    }
    assert_eq!(tell(&service, SYSTEM, "<Update/>"), 1);
    agent.set(&format!("<subscribe node='{USER}' jid='1001@localhost'/>")).ok();
    assert_eq!(tell(&service, USER, "<Update/>"), 1, "the auto-subscription and the explicit one are one");
}

#[test]
fn n40_two_copies_for_bare_and_full() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    agent.subscribe(USER).ok();
    assert_eq!(tell(&service, USER, "<Update/>"), 2);
    assert_eq!(agent.read().len(), 2);
}

#[test]
fn n41_lists_auto_and_explicit_subscriptions_without_white_space() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    agent.subscribe(SYSTEM).ok();
    let answer = agent.get("<subscriptions/>").ok();
    let list = answer.find(&["pubsub", "subscriptions"]).unwrap();
    assert!(list.nodes().all(|node| node.as_element().is_some_and(|child| child.is("subscription", PUBSUB))));
    let rows: Vec<_> = list
        .children()
        .map(|s| (s.attr("node").unwrap(), s.attr("jid").unwrap(), s.attr("subscription").unwrap()))
        .collect();
    assert_eq!(
        rows,
        [
            (SYSTEM, "1001@localhost/x", "subscribed"),
            (USER, "1001@localhost", "subscribed"),
            (DIALOGS, "1001@localhost", "subscribed"),
        ]
    );
    let one = agent.get(&format!("<subscriptions node='{USER}'/>")).ok();
    assert_eq!(one.find(&["pubsub", "subscriptions"]).unwrap().children().count(), 1);
}

#[test]
fn n42_subscriptions_survive_a_reconnect_of_the_same_resource() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    agent.subscribe(SYSTEM).ok();
    drop(agent);
    assert_eq!(tell(&service, SYSTEM, "<Update/>"), 0, "absent: neither delivered nor stored");
    let mut other = client(&service, "1001", "other");
    assert_eq!(tell(&service, SYSTEM, "<Update/>"), 0);
    let mut again = client(&service, "1001", "x");
    assert!(again.read().is_empty());
    other.read();
    assert_eq!(tell(&service, SYSTEM, "<Update/>"), 1);
    assert_eq!(again.one().attr("to"), Some("1001@localhost/x"));
    assert!(other.read().is_empty());
}

#[test]
fn n43_agents_cannot_publish_delete_configure_or_create() {
    let service = finesse();
    let mut agent = client(&service, "agent1", "x");
    agent.publish(USER, "1").fails("forbidden");
    agent.set(&format!("<retract node='{USER}'><item id='1'/></retract>")).fails("forbidden");
    agent.set("<create node='/mine'/>").fails("forbidden");
    for verb in ["delete", "purge", "configure"] {
        agent.owner_set(&format!("<{verb} node='{USER}'/>")).fails("forbidden");
    }
    assert_eq!(agent.publish(USER, "1").error().0, "auth");
}

#[test]
fn n43_nodes_of_the_server_are_nobodys_to_delete() {
    let service = Service::new(
        common::config(xmpp::Profile::Finesse),
        broker::Broker::with_source(broker::Config::default(), std::sync::Arc::new(common::Feeds)),
        std::sync::Arc::new(common::Nobody),
        std::sync::Arc::new(Everything),
    );
    let mut admin = client(&service, "1001", "x");
    admin.owner_set(&format!("<delete node='{USER}'/>")).fails("not-allowed");
    let form = common::form("node_config", &[("title", "x")]);
    admin.owner_set(&format!("<configure node='{USER}'>{form}</configure>")).fails("not-allowed");
    assert_eq!(tell(&service, USER, "<Update/>"), 1);
}

struct Everything;

impl xmpp::AccessPolicy for Everything {
    fn configure(&self, _: &xmpp::Principal, _: &str) -> xmpp::Access {
        xmpp::Access::Allow
    }
}

#[test]
fn n44_subscribe_to_an_unknown_node() {
    let service = finesse();
    client(&service, "1001", "x").subscribe("/finesse/api/User/4711").fails("item-not-found");
}

#[test]
fn n45_the_first_identity_of_a_node_is_a_leaf() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    let answer = agent
        .ask(&format!(
            "<iq type='get' to='pubsub.localhost' id='d'><query xmlns='http://jabber.org/protocol/disco#info' node='{USER}'/></iq>"
        ))
        .ok();
    let query = answer.find(&["query"]).unwrap();
    assert_eq!(query.attr("node"), Some(USER));
    let first = query.children().next().unwrap();
    assert_eq!(
        (first.name(), first.attr("category"), first.attr("type")),
        ("identity", Some("pubsub"), Some("leaf"))
    );
}

#[test]
fn n51_pings_are_answered_from_where_they_went() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    for to in [
        "localhost",
        "pubsub.localhost",
        "1001@localhost",
        "1001@localhost/x",
        "LOCALHOST",
        "1001@LocalHost/x",
    ] {
        let answer = agent.ask(&format!(
            "<iq type='get' to='{to}' id='1:ping' from='1001@localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
        ));
        assert_eq!(
            answer.xml,
            format!(
                "<iq xmlns=\"jabber:client\" type=\"result\" id=\"1:ping\" from=\"{to}\" to=\"1001@localhost/x\"/>"
            )
        );
    }
}

#[test]
fn n52_thousands_of_pings_leave_nothing_behind() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    for n in 0..5000 {
        agent.base += std::time::Duration::from_secs(10);
        let answer =
            agent.ask(&format!("<iq type='get' to='localhost' id='{n}'><ping xmlns='urn:xmpp:ping'/></iq>"));
        assert_eq!(answer.attr("id"), Some(n.to_string().as_str()));
    }
    assert_eq!((agent.outbox.len(), agent.outbox.bytes()), (0, 0));
}

#[test]
fn n53_200_subscribe_requests_in_a_burst() {
    let service = finesse();
    let mut owner = client(&service, "pub0", "p");
    for n in 0..200 {
        owner.create(&format!("/{n}"), &[]);
    }
    let mut agent = client(&service, "1001", "x");
    for n in 0..200 {
        agent.send(&format!(
            "<iq type='set' to='pubsub.localhost' id='sub1'><pubsub xmlns='{PUBSUB}'><subscribe node='/{n}' jid='1001@localhost/x'/></pubsub></iq>"
        ));
    }
    let answers = agent.read();
    assert_eq!(answers.len(), 200);
    answers.into_iter().for_each(|answer| drop(answer.ok()));
}
