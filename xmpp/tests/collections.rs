//! Collections (XEP-0248) in the strict profile where they are switched on.

mod common;

use common::*;
use xmpp::{Config, Profile, Service};

fn service() -> Service {
    service_with(Config { collections: true, ..config(Profile::Strict) })
}

const SHIM: &str = "http://jabber.org/protocol/shim";

/// A submitted configuration with several values a field.
fn fields(list: &[(&str, &[&str])]) -> String {
    let fields: String = list
        .iter()
        .map(|(name, values)| {
            let values: String = values.iter().map(|value| format!("<value>{value}</value>")).collect();
            format!("<field var='pubsub#{name}'>{values}</field>")
        })
        .collect();
    format!(
        "<x xmlns='{DATA}' type='submit'><field var='FORM_TYPE' type='hidden'>\
         <value>http://jabber.org/protocol/pubsub#node_config</value></field>{fields}</x>"
    )
}

fn create(owner: &mut Client, node: &str, list: &[(&str, &[&str])]) -> Received {
    owner.set(&format!("<create node='{node}'/><configure>{}</configure>", fields(list)))
}

fn collection(owner: &mut Client, node: &str, parents: &[&str]) {
    create(owner, node, &[("node_type", &["collection"]), ("collection", parents)]).ok();
}

fn leaf(owner: &mut Client, node: &str, parents: &[&str]) {
    create(owner, node, &[("collection", parents)]).ok();
}

fn change(owner: &mut Client, node: &str, list: &[(&str, &[&str])]) -> Received {
    owner.owner_set(&format!("<configure node='{node}'>{}</configure>", fields(list)))
}

fn subscribe(client: &mut Client, node: &str, kind: &str, depth: &str) -> Received {
    let jid = client.bound.full().clone();
    let form = form("subscribe_options", &[("subscription_type", kind), ("subscription_depth", depth)]);
    client.set(&format!("<subscribe node='{node}' jid='{jid}'/><options>{form}</options>"))
}

/// Nodes of the items events that wait, with the collection by which each came.
fn heard(client: &mut Client) -> Vec<String> {
    let events = client.read().into_iter().filter(|received| received.find(&["event", "items"]).is_some());
    events
        .map(|event| {
            let items = event.find(&["event", "items"]).unwrap();
            let header = event.element.get_child("headers", SHIM).map(|headers| {
                let header = headers.children().next().unwrap();
                assert_eq!(header.attr("name"), Some("Collection"));
                header.text()
            });
            format!("{} {}", items.attr("node").unwrap(), header.unwrap_or_default()).trim_end().to_owned()
        })
        .collect()
}

#[test]
fn x59_items_reach_subscribers_of_collections_with_their_node_and_the_collection() {
    let service = service();
    let mut owner = client(&service, "own1", "o");
    collection(&mut owner, "/top", &[]);
    collection(&mut owner, "/mid", &["/top"]);
    leaf(&mut owner, "/leaf", &["/mid"]);
    leaf(&mut owner, "/near", &["/top"]);
    leaf(&mut owner, "/alone", &[]);
    let mut all = client(&service, "agent1", "a");
    let mut one = client(&service, "agent2", "a");
    let mut nodes = client(&service, "agent3", "a");
    let mut direct = client(&service, "agent4", "a");
    subscribe(&mut all, "/top", "items", "all").ok();
    subscribe(&mut one, "/top", "items", "1").ok();
    subscribe(&mut nodes, "/top", "nodes", "all").ok();
    direct.subscribe("/leaf").ok();
    for node in ["/leaf", "/near", "/alone"] {
        owner.publish(node, "1").ok();
    }
    assert_eq!(heard(&mut all), ["/leaf /top", "/near /top"]);
    assert_eq!(heard(&mut one), ["/near /top"]);
    assert_eq!(heard(&mut direct), ["/leaf"]);
    assert!(nodes.read().is_empty());
}

#[test]
fn x59_x64_subscribers_of_nodes_hear_what_comes_and_goes() {
    let service = service();
    let mut owner = client(&service, "own1", "o");
    collection(&mut owner, "/top", &[]);
    let mut nodes = client(&service, "agent1", "a");
    subscribe(&mut nodes, "/top", "nodes", "1").ok();
    let mut said = |verb: &str| {
        let message =
            nodes.read().into_iter().find(|received| received.find(&["event", "collection"]).is_some());
        let message = message.unwrap_or_else(|| panic!("no {verb}"));
        let collection = message.find(&["event", "collection"]).unwrap();
        assert_eq!(collection.attr("node"), Some("/top"));
        let child = collection.children().next().unwrap();
        assert_eq!((child.name(), child.attr("node")), (verb, Some("/n")));
    };
    leaf(&mut owner, "/n", &["/top"]);
    said("associate");
    change(&mut owner, "/n", &[("collection", &[])]).ok();
    said("disassociate");
    change(&mut owner, "/n", &[("collection", &["/top"])]).ok();
    said("associate");
    owner.owner_set("<delete node='/n'/>").ok();
    said("disassociate");
}

#[test]
fn x59_associations_that_cannot_be_are_refused() {
    let service = service();
    let mut owner = client(&service, "own1", "o");
    let mut other = client(&service, "own2", "o");
    leaf(&mut owner, "/leaf", &[]);
    collection(&mut owner, "/a", &[]);
    collection(&mut owner, "/b", &["/a"]);
    let refused = |answer: Received, kind: &str, expected: &str| {
        assert_eq!(answer.error().0, kind, "{}", answer.xml);
        answer.fails(expected);
    };
    refused(create(&mut owner, "/n", &[("collection", &["/none"])]), "cancel", "item-not-found");
    refused(create(&mut owner, "/n", &[("collection", &["/leaf"])]), "modify", "not-acceptable");
    refused(create(&mut other, "/n", &[("collection", &["/a"])]), "auth", "forbidden");
    refused(change(&mut owner, "/a", &[("collection", &["/b"])]), "cancel", "not-allowed");
    refused(change(&mut owner, "/a", &[("collection", &["/a"])]), "cancel", "not-allowed");
    refused(change(&mut owner, "/a", &[("node_type", &["leaf"])]), "modify", "not-acceptable");
    change(&mut owner, "/a", &[("children_max", &["1"])]).ok();
    let full = create(&mut owner, "/n", &[("collection", &["/a"])]);
    refused(full, "cancel", "conflict max-nodes-exceeded");
    change(&mut owner, "/a", &[("children_max", &["5"]), ("children_association_policy", &["all"])]).ok();
    create(&mut other, "/n", &[("collection", &["/a"])]).ok();
    change(
        &mut owner,
        "/a",
        &[
            ("children_association_policy", &["whitelist"]),
            ("children_association_whitelist", &["own2@localhost"]),
        ],
    )
    .ok();
    create(&mut other, "/m", &[("collection", &["/a"])]).ok();
    refused(create(&mut owner, "/o", &[("collection", &["/a"])]), "auth", "forbidden");
}

#[test]
fn x59_collections_have_neither_items_nor_publishers() {
    let service = service();
    let mut owner = client(&service, "own1", "o");
    collection(&mut owner, "/c", &[]);
    owner.publish("/c", "1").fails("feature-not-implemented unsupported publish");
    owner.get("<items node='/c'/>").fails("feature-not-implemented unsupported retrieve-items");
    owner.owner_set("<purge node='/c'/>").fails("feature-not-implemented unsupported purge-nodes");
    owner.owner_set("<delete/>").fails("not-allowed");
}

#[test]
fn x59_depth_and_width_are_bounded() {
    let service = service();
    let mut owner = client(&service, "own1", "o");
    collection(&mut owner, "/0", &[]);
    for level in 1..8 {
        collection(&mut owner, &format!("/{level}"), &[&format!("/{}", level - 1)]);
    }
    leaf(&mut owner, "/leaf", &["/7"]);
    collection(&mut owner, "/root", &[]);
    change(&mut owner, "/0", &[("collection", &["/root"])]).fails("resource-constraint");
    let many: Vec<String> = (0..9).map(|n| format!("/m{n}")).collect();
    for name in &many {
        collection(&mut owner, name, &[]);
    }
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    create(&mut owner, "/wide", &[("collection", &names)]).fails("not-acceptable");
    create(&mut owner, "/wide", &[("collection", &names[..8])]).ok();
}

#[test]
fn x59_a_deleted_collection_lets_its_nodes_go() {
    let service = service();
    let mut owner = client(&service, "own1", "o");
    collection(&mut owner, "/c", &[]);
    leaf(&mut owner, "/n", &["/c"]);
    owner.owner_set("<delete node='/c'/>").ok();
    owner.subscribe("/n").ok();
    owner.publish("/n", "1").ok();
    let form = owner.owner_get("<configure node='/n'/>").ok();
    assert!(!form.xml.contains("<value>/c</value>"), "{}", form.xml);
    collection(&mut owner, "/c", &[]);
    let form = owner.owner_get("<configure node='/c'/>").ok();
    assert!(!form.xml.contains("<value>/n</value>"), "{}", form.xml);
}

#[test]
fn x63_what_is_stored_goes_up_too_and_in_order() {
    let service = service();
    let mut owner = client(&service, "own1", "o");
    collection(&mut owner, "/c", &[]);
    create(&mut owner, "/n", &[("collection", &["/c"]), ("persist_items", &["1"]), ("max_items", &["9"])])
        .ok();
    let mut agent = client(&service, "agent1", "a");
    subscribe(&mut agent, "/c", "items", "1").ok();
    for id in ["1", "2", "3"] {
        owner.publish("/n", id).ok();
    }
    let ids: Vec<String> = agent.read().iter().flat_map(Received::items).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    agent.set(&format!("<unsubscribe node='/c' jid='{}'/>", agent.bound.full().clone())).ok();
    owner.publish("/n", "4").ok();
    assert!(agent.read().is_empty());
}

#[test]
fn x70_discovery_shows_the_tree() {
    let service = service();
    let mut owner = client(&service, "own1", "o");
    collection(&mut owner, "/c", &[]);
    leaf(&mut owner, "/n", &["/c"]);
    leaf(&mut owner, "/alone", &[]);
    let mut ask = |what: &str, node: &str| {
        owner.ask(&format!(
            "<iq type='get' to='pubsub.localhost' id='d'>\
             <query xmlns='http://jabber.org/protocol/disco#{what}'{node}/></iq>"
        ))
    };
    let nodes = |answer: &Received| -> Vec<String> {
        let items = answer.find(&["query"]).unwrap().children().filter_map(|item| item.attr("node"));
        items.map(str::to_owned).collect()
    };
    assert_eq!(nodes(&ask("items", "").ok()), ["/alone", "/c"]);
    assert_eq!(nodes(&ask("items", " node='/c'").ok()), ["/n"]);
    let info = ask("info", " node='/c'").ok();
    assert_eq!(info.find(&["query", "identity"]).unwrap().attr("type"), Some("collection"));
    let info = ask("info", " node='/n'").ok();
    assert_eq!(info.find(&["query", "identity"]).unwrap().attr("type"), Some("leaf"));
    assert!(ask("info", "").ok().xml.contains("pubsub#collections\""));
}

#[test]
fn x59_without_the_switch_there_are_none() {
    let on = Config { collections: true, ..config(Profile::Finesse) };
    for service in [finesse(), strict(), service_with(on)] {
        let mut owner = client(&service, "own1", "o");
        for list in [&[("node_type", &["collection"][..])][..], &[("collection", &["/c"])]] {
            let answer = create(&mut owner, "/n", list);
            assert_eq!(answer.error().0, "cancel");
            answer.fails("feature-not-implemented unsupported collections");
        }
        leaf(&mut owner, "/n", &[]);
        change(&mut owner, "/n", &[("node_type", &["collection"])])
            .fails("feature-not-implemented unsupported collections");
        subscribe(&mut owner, "/n", "nodes", "1").fails("bad-request invalid-options");
        subscribe(&mut owner, "/n", "items", "1").ok();
        owner.owner_set("<delete/>").fails("bad-request nodeid-required");
    }
}
