//! Publish-subscribe by XEP-0060: requirements 60 to 72. The errors of requirement 59 are in
//! `service_errors.rs`, discovery in `service_discovery.rs`.

mod common;

use broker::{Address, EndReason, Outbox, OutboxLimits, Overflow};
use common::{
    Client, DATA, OWNER, PUBSUB, Received, affiliate, client, configure, finesse, principal, stored, strict,
};

#[test]
fn x60_repeated_subscribe_is_a_success_without_subid() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    for _ in 0..3 {
        let answer = agent.subscribe("/finesse/api/SystemInfo").ok();
        let subscription = answer.find(&["pubsub", "subscription"]).unwrap();
        assert_eq!(subscription.attr("subid"), None);
        assert_eq!(subscription.attr("subscription"), Some("subscribed"));
        assert_eq!(subscription.attr("jid"), Some("1001@localhost/x"));
        assert_eq!(subscription.attr("node"), Some("/finesse/api/SystemInfo"));
    }
    let event = xmpp::notification("pubsub.localhost", "/finesse/api/SystemInfo", "<Update/>");
    assert_eq!(service.broker().publish("/finesse/api/SystemInfo", event).sessions, 1);
    assert!(!agent.one().xml.contains("SubID"));
}

#[test]
fn x61_bare_and_full_subscriptions_are_apart_and_both_delivered() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    agent.set("<subscribe node='/n' jid='agent1@localhost'/>").ok();
    agent.subscribe("/n").ok();
    owner.publish("/n", "1").ok();
    let mut to: Vec<String> = agent.read().iter().map(|e| e.attr("to").unwrap().to_owned()).collect();
    to.sort();
    assert_eq!(to, ["agent1@localhost", "agent1@localhost/a"]);
    agent.set("<unsubscribe node='/n' jid='agent1@localhost'/>").ok();
    owner.publish("/n", "2").ok();
    assert_eq!(agent.one().attr("to"), Some("agent1@localhost/a"));
}

#[test]
fn x62_nothing_for_unavailable_or_negative_and_nothing_is_stored() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    agent.set("<subscribe node='/n' jid='agent1@localhost'/>").ok();
    agent.subscribe("/n").ok();
    agent.send("<presence type='unavailable'/>");
    agent.read();
    owner.publish("/n", "1").ok();
    assert!(agent.read().is_empty());
    agent.send("<presence><priority>-1</priority></presence>");
    assert!(agent.read().iter().all(|r| r.element.name() == "presence"), "stored for later");
    owner.publish("/n", "2").ok();
    assert_eq!(agent.one().attr("to"), Some("agent1@localhost/a"));
    agent.send("<presence/>");
    agent.read();
    owner.publish("/n", "3").ok();
    assert_eq!(agent.read().len(), 2);
}

#[test]
fn x63_subscribe_answer_first_no_event_after_unsubscribe_answer() {
    let service = finesse();
    let mut owner = client(&service, "own1", "o");
    owner.create("/n", &[]);
    let mut agent = client(&service, "agent1", "a");
    let done = std::sync::atomic::AtomicBool::new(false);
    let queue = agent.outbox.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                // However long the reader is kept from reading, its queue does not overflow.
                if queue.len() > 500 {
                    std::thread::yield_now();
                    continue;
                }
                owner.publish("/n", &format!("{n:08}")).ok();
                n += 1;
            }
        });
        for _ in 0..100 {
            let before = agent.read();
            assert!(before.is_empty(), "after the unsubscribe answer: {before:?}");
            agent.send("<iq type='set' to='pubsub.localhost' id='s'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='/n' jid='agent1@localhost/a'/></pubsub></iq>");
            std::thread::yield_now();
            agent.send("<iq type='set' to='pubsub.localhost' id='u'><pubsub xmlns='http://jabber.org/protocol/pubsub'><unsubscribe node='/n' jid='agent1@localhost/a'/></pubsub></iq>");
            let all = agent.read();
            assert_eq!(all.first().unwrap().attr("id"), Some("s"));
            assert_eq!(all.last().unwrap().attr("id"), Some("u"));
            let ids: Vec<String> = all[1..all.len() - 1].iter().flat_map(Received::items).collect();
            let numbers: Vec<u32> = ids.iter().map(|id| id.parse().unwrap()).collect();
            assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn x64_no_last_item_in_finesse() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[("send_last_published_item", "on_sub")]);
    owner.publish("/n", "1").ok();
    agent.send("<iq type='set' to='pubsub.localhost' id='s'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='/n' jid='agent1@localhost/a'/></pubsub></iq>");
    assert_eq!(agent.one().attr("id"), Some("s"));
    let form = owner.owner_get("<configure node='/n'/>").ok();
    assert!(form.xml.contains("var=\"pubsub#send_last_published_item\" type=\"list-single\" label=\"When to send the last item\"><value>never</value>"), "{}", form.xml);
}

#[test]
fn x64_last_item_on_subscribe_in_strict_with_a_delay_stamp() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    owner.publish("/n", "1").ok();
    owner.publish("/n", "2").ok();
    let subscribe = "<iq type='set' to='pubsub.localhost' id='s'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='/n' jid='agent1@localhost/a'/></pubsub></iq>";
    agent.send(subscribe);
    let all = agent.read();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].attr("id"), Some("s"));
    assert_eq!(all[1].items(), ["2"]);
    assert_eq!(all[1].attr("to"), Some("agent1@localhost/a"));
    let stamp = all[1].find(&["delay"]).unwrap().attr("stamp").unwrap();
    assert!(stamp.starts_with("20") && stamp.ends_with('Z'), "{stamp}");
    agent.send(subscribe);
    assert_eq!(agent.read().len(), 1, "a repeated subscribe is no new one");
}

#[test]
fn x64_last_item_on_presence_in_strict_where_the_node_says_so() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[("send_last_published_item", "on_sub_and_presence")]);
    agent.subscribe("/n").ok();
    agent.set("<subscribe node='/n' jid='agent1@localhost'/>").ok();
    owner.publish("/n", "1").ok();
    agent.send("<presence type='unavailable'/>");
    agent.read();
    agent.send("<presence><priority>-1</priority></presence>");
    let events: Vec<_> = agent.read().into_iter().filter(|r| r.class.is_none()).collect();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].attr("to"), events[0].items()), (Some("agent1@localhost/a"), vec!["1".to_owned()]));
    assert!(events[0].find(&["delay"]).is_some());
    agent.send("<presence/>");
    assert!(agent.read().iter().all(|r| r.class.is_some()), "only when it becomes available");
    agent.send("<presence type='unavailable'/>");
    agent.send("<presence/>");
    assert_eq!(agent.read().iter().filter(|r| r.class.is_none()).count(), 2);
}

/// An agent with 30 subscriptions and a queue for 20 parcels or 8 KiB, and how many last items he gets.
fn last_items_at_login(max_items: usize, max_bytes: usize) -> (Client, usize) {
    let service = strict();
    let mut owner = client(&service, "own1", "o");
    let text = "x".repeat(200);
    for n in 0..30 {
        let fields = [("persist_items", "1"), ("send_last_published_item", "on_sub_and_presence")];
        owner.create(&format!("/n{n}"), &fields);
        owner
            .set(&format!("<publish node='/n{n}'><item id='1'><x xmlns='urn:x'>{text}</x></item></publish>"))
            .ok();
        service.broker().subscribe(&Address::bare("agent1@localhost"), &format!("/n{n}")).unwrap();
    }
    let outbox = Outbox::new(OutboxLimits { max_items, max_bytes, overflow: Overflow::EndSession });
    let bound = service.bind(&principal("agent1"), Some("a"), outbox.clone()).unwrap();
    let mut agent = Client::new(bound, outbox);
    agent.send("<presence/>");
    let count = agent.read().iter().filter(|received| received.class.is_none()).count();
    owner.publish("/n29", "2").ok();
    assert_eq!(agent.one().items(), ["2"], "events are not less for it");
    (agent, count)
}

#[test]
fn x64_last_items_take_half_of_the_queue_at_most() {
    assert_eq!(last_items_at_login(1000, 1 << 20).1, 30);
    let (mut agent, by_number) = last_items_at_login(20, 1 << 20);
    // Two presences come first.
    assert_eq!((agent.outbox.is_ended(), by_number), (None, 8));
    assert_eq!(
        agent.get("<items node='/n29' max_items='1'/>").ok().items(),
        ["2"],
        "the others can be fetched"
    );
    let (agent, by_bytes) = last_items_at_login(1000, 8 << 10);
    assert!(agent.outbox.is_ended().is_none() && (4..30).contains(&by_bytes), "{by_bytes}");
}

#[test]
fn x65_replaces_generates_and_drops_the_oldest() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[("max_items", "2")]);
    agent.subscribe("/n").ok();
    for id in ["1", "2", "1"] {
        owner.publish("/n", id).ok();
    }
    assert_eq!(agent.read().len(), 3, "one event each");
    assert_eq!(agent.get("<items node='/n'/>").ok().items(), ["2", "1"]);
    let answer = owner.set("<publish node='/n'><item><x xmlns='urn:x'/></item></publish>").ok();
    let made = answer.find(&["pubsub", "publish", "item"]).unwrap().attr("id").unwrap().to_owned();
    assert!(made.len() >= 18);
    assert_eq!(agent.one().items(), [made.as_str()]);
    assert_eq!(agent.get("<items node='/n'/>").ok().items(), ["1", made.as_str()]);
    assert_eq!(agent.get("<items node='/n' max_items='1'/>").ok().items(), [made.as_str()]);
    agent.get("<items node='/n' max_items='many'/>").fails("bad-request");
}

#[test]
fn payloads_keep_their_namespaces_through_store_and_delivery() {
    let service = finesse();
    for persist in ["0", "1"] {
        let (mut owner, mut agent) = (client(&service, "own1", "o"), client(&service, "agent1", "a"));
        let node = format!("/{persist}");
        owner.create(&node, &[("persist_items", persist)]);
        agent.subscribe(&node).ok();
        let payload = "<e:entry xmlns:e='urn:e' xmlns='urn:d' e:a='1' xml:lang='cs'>t&lt;&amp;<in/><e:in2>&gt;</e:in2></e:entry>";
        owner.set(&format!("<publish node='{node}'><item id='i'>{payload}</item></publish>")).ok();
        let event = agent.one();
        let sent: minidom::Element = payload.parse().unwrap();
        assert_eq!(event.find(&["event", "items", "item", "entry"]), Some(&sent));
        if persist == "1" {
            let items = agent.get(&format!("<items node='{node}'/>")).ok();
            assert_eq!(items.find(&["pubsub", "items", "item", "entry"]), Some(&sent));
        }
    }
}

#[test]
fn several_items_travel_in_one_message() {
    let service = finesse();
    for persist in ["0", "1"] {
        let (mut owner, mut agent) = (client(&service, "own1", "o"), client(&service, "agent1", "a"));
        let node = format!("/{persist}");
        owner.create(&node, &[("persist_items", persist), ("max_items", "5")]);
        agent.subscribe(&node).ok();
        let x = "<x xmlns='urn:x'/>";
        let answer = owner
            .set(&format!("<publish node='{node}'><item id='a'>{x}</item><item id='b'>{x}</item></publish>"))
            .ok();
        let publish = answer.find(&["pubsub", "publish"]).unwrap();
        assert_eq!(publish.children().filter_map(|item| item.attr("id")).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(agent.one().items(), ["a", "b"]);
    }
}

#[test]
fn x66_forms_partial_cancel_bad_and_defaults() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[("title", "T &amp; co")]);
    let value = |owner: &mut Client, field: &str| {
        let form = owner.owner_get("<configure node='/n'/>").ok();
        let form = form.find(&["pubsub", "configure", "x"]).unwrap();
        assert_eq!(form.attr("type"), Some("form"));
        let name = format!("pubsub#{field}");
        let field = form.children().find(|child| child.attr("var") == Some(&name)).unwrap();
        field.get_child("value", DATA).unwrap().text()
    };
    assert_eq!(value(&mut owner, "title"), "T & co");
    assert_eq!(value(&mut owner, "max_items"), "10");
    configure(&mut owner, &[("max_items", "7")]).ok();
    assert_eq!(value(&mut owner, "max_items"), "7");
    assert_eq!(value(&mut owner, "title"), "T & co");
    configure(&mut owner, &[("title", "changed"), ("max_items", "lots")]).fails("not-acceptable");
    assert_eq!(value(&mut owner, "title"), "T & co");
    owner.owner_set(&format!("<configure node='/n'><x xmlns='{DATA}' type='cancel'/></configure>")).ok();
    assert_eq!(value(&mut owner, "max_items"), "7");
    let defaults = owner.owner_get("<default/>").ok();
    for (field, value) in [
        ("access_model", "open"),
        ("publish_model", "publishers"),
        ("persist_items", "0"),
        ("max_items", "1"),
        ("deliver_payloads", "1"),
        ("notify_config", "1"),
        ("notify_delete", "1"),
        ("notify_retract", "1"),
    ] {
        let fields = defaults.find(&["pubsub", "default", "x"]).unwrap().children();
        let name = format!("pubsub#{field}");
        let field = fields
            .filter(|f| f.attr("var") == Some(&name))
            .map(|f| f.get_child("value", DATA).unwrap().text());
        assert_eq!(field.collect::<Vec<_>>(), [value], "{name}");
    }
}

#[test]
fn x67_events_of_configuration_purge_retract_and_delete() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    agent.subscribe("/n").ok();
    owner.publish("/n", "1").ok();
    owner.publish("/n", "2").ok();
    agent.read();
    configure(&mut owner, &[("title", "T")]).ok();
    let event = agent.one();
    let configuration = event.find(&["event", "configuration"]).unwrap();
    assert_eq!(configuration.attr("node"), Some("/n"));
    assert!(configuration.get_child("x", DATA).is_some());
    owner.set("<retract node='/n'><item id='1'/></retract>").ok();
    assert_eq!(agent.one().find(&["event", "items", "retract"]).unwrap().attr("id"), Some("1"));
    owner.owner_set("<purge node='/n'/>").ok();
    assert_eq!(agent.one().find(&["event", "purge"]).unwrap().attr("node"), Some("/n"));
    assert_eq!(agent.get("<items node='/n'/>").ok().items(), [""; 0]);
    owner.owner_set("<delete node='/n'/>").ok();
    let event = agent.one();
    assert_eq!(event.find(&["event", "delete"]).unwrap().attr("node"), Some("/n"));
    assert_eq!(event.attr("to"), Some("agent1@localhost/a"));
    agent.subscribe("/n").fails("item-not-found");
    assert!(service.broker().subscriptions("agent1@localhost").is_empty());
}

#[test]
fn x67_flags_silence_each_event() {
    let service = finesse();
    let flags = [("notify_config", "0"), ("notify_retract", "0"), ("notify_delete", "0")];
    let (mut owner, mut agent) = stored(&service, &flags);
    agent.subscribe("/n").ok();
    owner.publish("/n", "1").ok();
    owner.publish("/n", "2").ok();
    agent.read();
    configure(&mut owner, &[("title", "T")]).ok();
    owner.set("<retract node='/n'><item id='1'/></retract>").ok();
    assert!(agent.read().is_empty());
    owner.set("<retract node='/n' notify='1'><item id='2'/></retract>").ok();
    assert_eq!(agent.read().len(), 1);
    owner.owner_set("<purge node='/n'/>").ok();
    owner.owner_set("<delete node='/n'/>").ok();
    assert!(agent.read().is_empty());
}

#[test]
fn deletion_is_not_told_to_the_unavailable() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    agent.subscribe("/n").ok();
    agent.set("<subscribe node='/n' jid='agent1@localhost'/>").ok();
    agent.send("<presence type='unavailable'/>");
    agent.read();
    owner.owner_set("<delete node='/n'/>").ok();
    assert!(agent.read().is_empty());
}

#[test]
fn delivery_flags_and_message_type() {
    let service = finesse();
    let (mut owner, mut agent) =
        stored(&service, &[("deliver_payloads", "0"), ("notification_type", "headline")]);
    agent.subscribe("/n").ok();
    owner.publish("/n", "1").ok();
    let event = agent.one();
    assert_eq!(event.attr("type"), Some("headline"));
    assert_eq!(event.items(), ["1"]);
    assert_eq!(event.text(), "");
    configure(&mut owner, &[("deliver_notifications", "0"), ("notify_config", "0")]).ok();
    owner.publish("/n", "2").ok();
    assert!(agent.read().is_empty());
    assert_eq!(agent.get("<items node='/n'/>").ok().items(), ["1", "2"]);
}

#[test]
fn x68_affiliations() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[]);
    let mut other = client(&service, "own2", "x");
    for (affiliation, publishes) in [
        ("member", false),
        ("publisher", true),
        ("publish-only", true),
        ("owner", true),
        ("outcast", false),
        ("none", false),
    ] {
        affiliate(&mut owner, "own2@localhost", affiliation).ok();
        let notice = other.one();
        assert_eq!(
            notice.find(&["pubsub", "affiliations", "affiliation"]).unwrap().attr("affiliation"),
            Some(affiliation)
        );
        let mine = other.get("<affiliations/>").ok();
        let mine = mine.find(&["pubsub", "affiliations"]).unwrap();
        let expected = if affiliation == "none" { vec![] } else { vec![affiliation] };
        assert_eq!(mine.children().filter_map(|a| a.attr("affiliation")).collect::<Vec<_>>(), expected);
        let answer = other.publish("/n", "1");
        assert_eq!(answer.attr("type") == Some("result"), publishes, "{affiliation}");
    }
    affiliate(&mut owner, "own2@localhost", "publish-only").ok();
    other.read();
    other.subscribe("/n").fails("forbidden");
    other.get("<items node='/n'/>").fails("forbidden");
    let list = owner.owner_get("<affiliations node='/n'/>").ok();
    let list = list.find(&["pubsub", "affiliations"]).unwrap();
    let pairs: Vec<_> =
        list.children().map(|a| (a.attr("jid").unwrap(), a.attr("affiliation").unwrap())).collect();
    assert_eq!(pairs, [("own1@localhost", "owner"), ("own2@localhost", "publish-only")]);
}

#[test]
fn x68_the_last_owner_stays() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[]);
    let answer = affiliate(&mut owner, "own1@localhost", "none");
    answer.fails("not-acceptable");
    let offender = answer.find(&["pubsub", "affiliations", "affiliation"]).unwrap();
    assert_eq!((offender.attr("jid"), offender.attr("affiliation")), (Some("own1@localhost"), Some("owner")));
    affiliate(&mut owner, "own2@localhost", "owner").ok();
    affiliate(&mut owner, "own1@localhost", "none").ok();
    owner.owner_get("<configure node='/n'/>").fails("forbidden");
}

#[test]
fn x68_malformed_changes_change_nothing() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[]);
    affiliate(&mut owner, "own2@localhost", "king").fails("bad-request");
    affiliate(&mut owner, "own2@elsewhere", "member").fails("not-acceptable");
    affiliate(&mut owner, "@@", "member").fails("jid-malformed");
    owner.owner_set("<affiliations node='/n'/>").fails("bad-request");
    let answer = owner.owner_set(
        "<affiliations node='/n'><affiliation jid='own2@localhost' affiliation='member'/>\
         <affiliation jid='own3@localhost' affiliation='king'/></affiliations>",
    );
    answer.fails("bad-request");
    assert!(!owner.owner_get("<affiliations node='/n'/>").ok().xml.contains("own2"));
}

#[test]
fn authorize_waits_for_an_owner() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[("access_model", "authorize")]);
    let answer = agent.subscribe("/n").ok();
    assert_eq!(answer.find(&["pubsub", "subscription"]).unwrap().attr("subscription"), Some("pending"));
    agent.subscribe("/n").fails("not-authorized pending-subscription");
    owner.publish("/n", "1").ok();
    assert!(agent.read().is_empty());
    let listed = agent.get("<subscriptions/>").ok();
    assert_eq!(
        listed.find(&["pubsub", "subscriptions", "subscription"]).unwrap().attr("subscription"),
        Some("pending")
    );
    let waiting = owner.owner_get("<subscriptions node='/n'/>").ok();
    assert_eq!(
        waiting.find(&["pubsub", "subscriptions", "subscription"]).unwrap().attr("subscription"),
        Some("pending")
    );
    owner.owner_set("<subscriptions node='/n'><subscription jid='agent1@localhost/a' subscription='subscribed'/></subscriptions>").ok();
    let notice = agent.one();
    assert_eq!(notice.find(&["pubsub", "subscription"]).unwrap().attr("subscription"), Some("subscribed"));
    owner.publish("/n", "2").ok();
    assert_eq!(agent.one().items(), ["2"]);
    agent.get("<items node='/n'/>").ok();
    let answer = agent.subscribe("/n").ok();
    assert_eq!(answer.find(&["pubsub", "subscription"]).unwrap().attr("subscription"), Some("subscribed"));
}

#[test]
fn a_waiting_subscription_can_be_withdrawn_or_refused() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[("access_model", "authorize")]);
    agent.subscribe("/n").ok();
    agent.set("<unsubscribe node='/n' jid='agent1@localhost/a'/>").ok();
    assert!(!agent.get("<subscriptions/>").ok().xml.contains("pending"));
    agent.subscribe("/n").ok();
    owner.owner_set("<subscriptions node='/n'><subscription jid='agent1@localhost/a' subscription='none'/></subscriptions>").ok();
    assert_eq!(agent.one().find(&["pubsub", "subscription"]).unwrap().attr("subscription"), Some("none"));
    agent.subscribe("/n").ok();
}

#[test]
fn owners_change_subscriptions_of_others() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    let set = |state: &str| {
        format!(
            "<subscriptions node='/n'><subscription jid='agent1@localhost' subscription='{state}'/></subscriptions>"
        )
    };
    owner.owner_set(&set("subscribed")).ok();
    agent.read();
    owner.publish("/n", "1").ok();
    assert_eq!(agent.one().attr("to"), Some("agent1@localhost"));
    owner.owner_set(&set("none")).ok();
    agent.read();
    owner.publish("/n", "2").ok();
    assert!(agent.read().is_empty());
    owner.owner_set(&set("pending")).fails("not-acceptable");
    owner.owner_set(&set("maybe")).fails("bad-request");
    owner.owner_set("<subscriptions node='/n'/>").fails("bad-request");
}

#[test]
fn owners_cannot_fill_the_memory_with_subscribers() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    for n in 0..20_000 {
        service.broker().subscribe(&broker::Address::bare(format!("x{n}@localhost")), "/n").unwrap();
    }
    let set = |state: &str| {
        format!(
            "<subscriptions node='/n'><subscription jid='x1@localhost' subscription='{state}'/></subscriptions>"
        )
    };
    owner.owner_set(&set("subscribed")).fails("resource-constraint");
    agent.subscribe("/n").ok();
    owner.owner_set(&set("none")).ok();
}

#[test]
fn subscriptions_of_another_own_resource_are_managed_too() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    agent.set("<subscribe node='/n' jid='agent1@localhost/later'/>").ok();
    owner.publish("/n", "1").ok();
    assert!(agent.read().is_empty());
    let mut later = client(&service, "agent1", "later");
    agent.read();
    owner.publish("/n", "2").ok();
    assert_eq!(later.one().items(), ["2"]);
    agent.set("<unsubscribe node='/n' jid='agent1@localhost/later'/>").ok();
    owner.publish("/n", "3").ok();
    assert!(later.read().is_empty());
}

#[test]
fn publish_models() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[("publish_model", "subscribers")]);
    let mut other = client(&service, "own2", "x");
    other.publish("/n", "1").fails("forbidden");
    other.subscribe("/n").ok();
    other.publish("/n", "1").ok();
    other.read();
    other.set("<unsubscribe node='/n' jid='own2@localhost/x'/>").ok();
    other.publish("/n", "1").fails("forbidden");
    configure(&mut owner, &[("publish_model", "open")]).ok();
    other.publish("/n", "1").ok();
}

#[test]
fn items_expire() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[("item_expire", "60")]);
    owner.publish("/n", "1").ok();
    owner.base += std::time::Duration::from_secs(50);
    owner.publish("/n", "2").ok();
    agent.base = owner.base + std::time::Duration::from_secs(20);
    assert_eq!(agent.get("<items node='/n'/>").ok().items(), ["2"]);
}

#[test]
fn x69_pages_with_count_and_unknown_after() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    for n in 0..5 {
        owner.publish("/n", &format!("i{n}")).ok();
        owner.create(&format!("/m{n}"), &[]);
        agent.subscribe(&format!("/m{n}")).ok();
    }
    let rsm = |inner: &str| format!("<set xmlns='http://jabber.org/protocol/rsm'>{inner}</set>");
    let page = agent.get(&format!("<items node='/n'/>{}", rsm("<max>2</max><after>i1</after>"))).ok();
    assert_eq!(page.items(), ["i2", "i3"]);
    let set = page.find(&["pubsub", "set"]).unwrap();
    let text = |name: &str| set.children().find(|c| c.name() == name).unwrap().text();
    assert_eq!((text("first"), text("last"), text("count")), ("i2".into(), "i3".into(), "5".into()));
    agent.get(&format!("<items node='/n'/>{}", rsm("<after>none</after>"))).fails("item-not-found");
    let list = agent.get(&format!("<subscriptions/>{}", rsm("<max>2</max>"))).ok();
    assert_eq!(list.find(&["pubsub", "subscriptions"]).unwrap().children().count(), 2);
    assert_eq!(list.find(&["pubsub", "set", "count"]).unwrap().text(), "5");
    let list = owner.get(&format!("<affiliations/>{}", rsm("<max>0</max>"))).ok();
    assert_eq!(list.find(&["pubsub", "affiliations"]).unwrap().children().count(), 0);
    assert_eq!(list.find(&["pubsub", "set", "count"]).unwrap().text(), "6");
    let items = agent.ask(&format!(
        "<iq type='get' to='pubsub.localhost' id='d'><query xmlns='http://jabber.org/protocol/disco#items'>{}</query></iq>",
        rsm("<max>2</max><after>/m0</after>")
    ));
    let items = items.find(&["query"]).unwrap().children().filter_map(|i| i.attr("node")).collect::<Vec<_>>();
    assert_eq!(items, ["/m1", "/m2"]);
}

#[test]
fn x69_nobody_gets_more_than_500_at_once() {
    let service = finesse();
    let mut owner = client(&service, "own1", "o");
    for n in 0..501 {
        owner.create(&format!("/m{n:03}"), &[]);
    }
    let all = owner.ask("<iq type='get' to='pubsub.localhost' id='d'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>");
    let nodes = all.find(&["query"]).unwrap().children().filter(|i| i.name() == "item").count();
    assert_eq!(nodes, 500);
    assert_eq!(all.find(&["query", "set", "count"]).unwrap().text(), "501");
}

#[test]
fn x68_affiliations_of_an_account_follow_every_change() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    let mut list = || {
        let answer = agent.get("<affiliations/>").ok();
        let of = |item: &minidom::Element| {
            format!("{} {}", item.attr("node").unwrap(), item.attr("affiliation").unwrap())
        };
        answer.find(&["pubsub", "affiliations"]).unwrap().children().map(of).collect::<Vec<_>>()
    };
    assert!(list().is_empty());
    affiliate(&mut owner, "agent1@localhost", "publisher").ok();
    owner.create("/m", &[]);
    assert_eq!(list(), ["/n publisher"]);
    affiliate(&mut owner, "agent1@localhost", "member").ok();
    assert_eq!(list(), ["/n member"]);
    affiliate(&mut owner, "agent1@localhost", "none").ok();
    assert!(list().is_empty());
    affiliate(&mut owner, "agent1@localhost", "owner").ok();
    assert_eq!(list(), ["/n owner"]);
    owner.owner_set("<delete node='/n'/>").ok();
    assert!(list().is_empty());
}

#[test]
fn x71_removed_accounts_and_generated_resources_leave_nothing() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    agent.subscribe("/n").ok();
    let mut made = common::bind(&service, "agent2", None).unwrap();
    made.send("<presence/>");
    made.subscribe("/n").ok();
    let count = |owner: &mut Client| {
        owner
            .owner_get("<subscriptions node='/n'/>")
            .find(&["pubsub", "subscriptions"])
            .unwrap()
            .children()
            .count()
    };
    assert_eq!(count(&mut owner), 2);
    drop(made);
    assert_eq!(count(&mut owner), 1);
    service.broker().remove_account("agent1@localhost");
    assert_eq!(count(&mut owner), 0);
    assert_eq!(agent.outbox.is_ended(), Some(EndReason::Removed));
}

#[test]
fn x72_overflow_ends_that_session_only() {
    let service = finesse();
    let mut owner = client(&service, "own1", "o");
    owner.create("/n", &[]);
    let mut quick = client(&service, "agent1", "a");
    quick.subscribe("/n").ok();
    let limits = OutboxLimits { max_items: 10, ..OutboxLimits::default() };
    let outbox = Outbox::new(limits);
    let bound = service.bind(&principal("agent2"), Some("b"), outbox.clone()).unwrap();
    let mut slow = Client::new(bound, outbox);
    slow.send("<presence/>");
    slow.subscribe("/n").ok();
    for n in 0..20 {
        owner.publish("/n", &n.to_string()).ok();
        assert_eq!(quick.one().items(), [n.to_string()]);
    }
    assert_eq!(slow.outbox.is_ended(), Some(EndReason::Overflow));
    assert_eq!(quick.outbox.is_ended(), None);
}

#[test]
fn two_publishers_of_a_storing_node_agree_on_what_is_last() {
    let service = finesse();
    let (_owner, mut agent) = stored(&service, &[("max_items", "1")]);
    agent.subscribe("/n").ok();
    let mut last = String::new();
    for _ in 0..20 {
        std::thread::scope(|scope| {
            for user in ["pub0", "pub1"] {
                let service = &service;
                scope.spawn(move || {
                    let mut publisher = client(service, user, "p");
                    for n in 0..10 {
                        publisher.publish("/n", &format!("{user}-{n}")).ok();
                    }
                });
            }
        });
        for event in agent.read() {
            last = event.items().remove(0);
        }
        assert_eq!(agent.get("<items node='/n'/>").ok().items(), [last.as_str()]);
    }
}

#[test]
fn deleting_a_node_forgets_who_waited() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[("access_model", "authorize")]);
    agent.subscribe("/n").ok();
    owner.owner_set("<delete node='/n'/>").ok();
    assert!(!agent.get("<subscriptions/>").ok().xml.contains("<subscription "));
    owner.create("/n", &[]);
    assert_eq!(
        owner
            .owner_get("<subscriptions node='/n'/>")
            .ok()
            .find(&["pubsub", "subscriptions"])
            .unwrap()
            .children()
            .count(),
        0
    );
}

#[test]
fn namespaces_of_answers_are_those_of_the_requests() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[]);
    for (answer, namespace) in [
        (owner.get("<subscriptions/>"), PUBSUB),
        (owner.get("<affiliations/>"), PUBSUB),
        (owner.get("<items node='/n'/>"), PUBSUB),
        (owner.owner_get("<configure node='/n'/>"), OWNER),
        (owner.owner_get("<default/>"), OWNER),
        (owner.owner_get("<affiliations node='/n'/>"), OWNER),
        (owner.owner_get("<subscriptions node='/n'/>"), OWNER),
    ] {
        let answer = answer.ok();
        assert!(answer.element.children().next().unwrap().is("pubsub", namespace), "{}", answer.xml);
    }
}

#[test]
fn x66_fields_without_an_effect_are_kept_and_itemreply_names_the_publisher() {
    let service = finesse();
    for persist in ["0", "1"] {
        let mut owner = client(&service, "own1", &format!("o{persist}"));
        owner.create(&format!("/p{persist}"), &[("persist_items", persist), ("itemreply", "publisher")]);
        let mut reader = client(&service, "agent2", "a");
        reader.subscribe(&format!("/p{persist}")).ok();
        owner.publish(&format!("/p{persist}"), "1").ok();
        let event = reader.one();
        let item = event.find(&["event", "items", "item"]).unwrap();
        assert_eq!(item.attr("publisher"), Some("own1@localhost"));
    }
    let (mut owner, mut agent) =
        stored(&service, &[("contact", "boss@localhost"), ("body_xslt", "http://x/y")]);
    let form = owner.owner_get("<configure node='/n'/>").ok();
    assert!(
        form.xml.contains("<value>boss@localhost</value>") && form.xml.contains("<value>http://x/y</value>")
    );
    agent.subscribe("/n").ok();
    owner.publish("/n", "1").ok();
    assert!(!agent.read().last().unwrap().xml.contains("publisher="));
    configure(&mut owner, &[("itemreply", "nobody")]).fails("not-acceptable");
    configure(&mut owner, &[("send_item_subscribe", "perhaps")]).fails("not-acceptable");
}
