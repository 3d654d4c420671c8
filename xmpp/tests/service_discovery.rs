//! Discovery of the service and its nodes (XEP-0030, XEP-0060 §5): what is told is true, hidden nodes stay hidden.

mod common;

use common::{Client, DATA, Received, affiliate, client, configure, finesse, stored};

fn disco(client: &mut Client, what: &str, to: &str, node: &str) -> Received {
    let node = if node.is_empty() { String::new() } else { format!(" node='{node}'") };
    client.ask(&format!(
        "<iq type='get' to='{to}' id='d'><query xmlns='http://jabber.org/protocol/disco#{what}'{node}/></iq>"
    ))
}

fn features(received: &Received) -> Vec<String> {
    let query = received.find(&["query"]).unwrap();
    query.children().filter(|c| c.name() == "feature").map(|c| c.attr("var").unwrap().to_owned()).collect()
}

#[test]
fn x70_disco_lists_the_service_and_every_listed_thing_answers() {
    let service = finesse();
    let (_owner, mut agent) = stored(&service, &[]);
    let info = disco(&mut agent, "info", "localhost", "").ok();
    let identity = info.find(&["query", "identity"]).unwrap();
    assert_eq!((identity.attr("category"), identity.attr("type")), (Some("server"), Some("im")));
    assert!(features(&info).contains(&"urn:xmpp:ping".to_owned()));
    let items = disco(&mut agent, "items", "localhost", "").ok();
    let jids: Vec<_> = items.find(&["query"]).unwrap().children().map(|i| i.attr("jid").unwrap()).collect();
    assert_eq!(jids, ["pubsub.localhost"]);
    let info = disco(&mut agent, "info", "pubsub.localhost", "").ok();
    let first = info.find(&["query"]).unwrap().children().next().unwrap();
    assert_eq!(
        (first.name(), first.attr("category"), first.attr("type")),
        ("identity", Some("pubsub"), Some("service"))
    );
    let nodes = disco(&mut agent, "items", "pubsub.localhost", "").ok();
    let names: Vec<_> = nodes.find(&["query"]).unwrap().children().map(|i| i.attr("node").unwrap()).collect();
    assert_eq!(names, ["/n"]);
    for node in names {
        disco(&mut agent, "info", "pubsub.localhost", node).ok();
        disco(&mut agent, "items", "pubsub.localhost", node).ok();
    }
    disco(&mut agent, "info", "pubsub.localhost", "/none").fails("item-not-found");
    disco(&mut agent, "items", "pubsub.localhost", "/none").fails("item-not-found");
    disco(&mut agent, "info", "localhost", "x").fails("item-not-found");
}

#[test]
fn x70_features_are_truthful() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    let all = features(&disco(&mut agent, "info", "pubsub.localhost", ""));
    let has = |name: &str| all.contains(&format!("http://jabber.org/protocol/pubsub#{name}"));
    for name in [
        "subscribe",
        "publish",
        "create-nodes",
        "retrieve-items",
        "purge-nodes",
        "access-open",
        "instant-nodes",
    ] {
        assert!(has(name), "{name}");
    }
    let switched = ["subscription-options", "leased-subscription", "access-roster", "last-published"];
    for name in switched.iter().chain(&["multi-subscribe", "collections"]) {
        assert!(!has(name), "{name}");
    }
    assert_eq!(all.len(), all.iter().collect::<std::collections::BTreeSet<_>>().len());
    let options = xmpp::Config { multi_subscribe: true, ..common::config(xmpp::Profile::Strict) };
    let mut agent = client(&common::service_with(options), "1001", "x");
    let all = features(&disco(&mut agent, "info", "pubsub.localhost", ""));
    let has = |name: &str| all.contains(&format!("http://jabber.org/protocol/pubsub#{name}"));
    for name in switched.iter().chain(&["multi-subscribe"]) {
        assert!(has(name), "{name}");
    }
    assert!(!has("collections"));
}

#[test]
fn x69_x70_thousands_of_nodes_are_paged_without_their_places() {
    let service = finesse();
    let mut owner = client(&service, "own1", "o");
    for n in 0..1200 {
        service.broker().create_node(&format!("/b{n:04}")).unwrap();
    }
    owner.create("/hidden", &[("access_model", "whitelist")]);
    owner.create("/z", &[]);
    let mut agent = client(&service, "agent1", "a");
    let mut ask = |inner: &str| {
        agent.ask(&format!(
            "<iq type='get' to='pubsub.localhost' id='d'><query xmlns='http://jabber.org/protocol/disco#items'>\
             <set xmlns='http://jabber.org/protocol/rsm'>{inner}</set></query></iq>"
        ))
    };
    let names = |page: &Received| -> Vec<String> {
        let items = page.find(&["query"]).unwrap().children().filter_map(|item| item.attr("node"));
        items.map(str::to_owned).collect()
    };
    let mut seen = Vec::new();
    let mut page = ask("<max>500</max>").ok();
    while let Some(last) = names(&page).last().cloned() {
        assert!(page.find(&["query", "set", "first"]).unwrap().attr("index").is_none());
        seen.extend(names(&page));
        page = ask(&format!("<max>500</max><after>{last}</after>")).ok();
    }
    let mut expected: Vec<String> = (0..1200).map(|n| format!("/b{n:04}")).collect();
    expected.push("/z".into());
    assert_eq!(seen, expected, "each once, in order, without the hidden one");
    assert_eq!(names(&ask("<max>1</max><before/>")), ["/z"]);
    ask("<after>/hidden</after>").fails("item-not-found");
    ask("<after>/none</after>").fails("item-not-found");
    ask("<index>7</index>").fails("feature-not-implemented");
}

#[test]
fn x70_invisible_nodes_are_hidden() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[("access_model", "whitelist")]);
    let list = |client: &mut Client| {
        disco(client, "items", "pubsub.localhost", "").find(&["query"]).unwrap().children().count()
    };
    assert_eq!((list(&mut agent), list(&mut owner)), (0, 1));
    configure(&mut owner, &[("access_model", "open")]).ok();
    assert_eq!(list(&mut agent), 1);
    affiliate(&mut owner, "agent1@localhost", "outcast").ok();
    agent.read();
    assert_eq!(list(&mut agent), 0);
}

#[test]
fn disco_items_of_a_node_are_its_items() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    owner.publish("/n", "1").ok();
    owner.publish("/n", "2").ok();
    let items = disco(&mut agent, "items", "pubsub.localhost", "/n").ok();
    let query = items.find(&["query"]).unwrap();
    assert_eq!(query.attr("node"), Some("/n"));
    assert_eq!(query.children().filter_map(|i| i.attr("name")).collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn disco_of_a_node_shows_its_meta_data() {
    let service = finesse();
    let (_owner, mut agent) = stored(&service, &[("title", "The node")]);
    let info = disco(&mut agent, "info", "pubsub.localhost", "/n").ok();
    let query = info.find(&["query"]).unwrap();
    let first = query.children().next().unwrap();
    assert_eq!(
        (first.attr("category"), first.attr("type"), first.attr("name")),
        (Some("pubsub"), Some("leaf"), Some("The node"))
    );
    let form = query.get_child("x", DATA).unwrap();
    assert_eq!(
        form.children().next().unwrap().get_child("value", DATA).unwrap().text(),
        "http://jabber.org/protocol/pubsub#meta-data"
    );
    assert!(form.children().any(|f| f.attr("var") == Some("pubsub#title")));
}
