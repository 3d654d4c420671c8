//! What nodes do by themselves, and what they keep from others: items that go with their publisher, nodes that
//! are not shown, requests that wait, and races between owners and subscribers.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::*;
use xmpp::Profile;

fn disco(client: &mut Client, kind: &str, node: &str) -> Received {
    client.ask(&format!(
        "<iq type='get' to='pubsub.localhost' id='d'><query xmlns='http://jabber.org/protocol/disco#{kind}' \
         node='{node}'/></iq>"
    ))
}

fn retracted(event: &Received) -> Vec<String> {
    let items = event.find(&["event", "items"]).unwrap();
    items
        .children()
        .filter(|child| child.name() == "retract")
        .map(|child| child.attr("id").unwrap().into())
        .collect()
}

#[test]
fn x65_items_go_with_their_publisher_where_the_node_says_so() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[("publish_model", "open"), ("purge_offline", "1")]);
    agent.subscribe("/n").ok();
    let (mut one, mut two) = (client(&service, "own2", "1"), client(&service, "own2", "2"));
    owner.publish("/n", "kept").ok();
    one.publish("/n", "a").ok();
    two.publish("/n", "b").ok();
    agent.read();
    one.send("<presence type='unavailable'/>");
    assert!(agent.read().is_empty(), "another resource of the publisher is there");
    drop(two);
    assert_eq!(retracted(&agent.one()), ["a", "b"]);
    assert_eq!(agent.get("<items node='/n'/>").ok().items(), ["kept"]);
    // One who was never available leaves as well.
    let mut silent = quiet(&service, "own3", "q");
    silent.publish("/n", "c").ok();
    agent.read();
    drop(silent);
    assert_eq!(retracted(&agent.one()), ["c"]);
}

#[test]
fn x66_delivery_by_presence_cannot_be_switched_off_and_the_form_says_so() {
    let service = strict();
    let (mut owner, mut agent) =
        stored(&service, &[("presence_based_delivery", "0"), ("purge_offline", "1")]);
    let form = owner.owner_get("<configure node='/n'/>").ok();
    let value = |name: &str| {
        let form = form.find(&["pubsub", "configure", "x"]).unwrap();
        let field = form.children().find(|field| field.attr("var") == Some(name)).unwrap();
        field.children().find(|child| child.name() == "value").unwrap().text()
    };
    assert_eq!(value("pubsub#presence_based_delivery"), "1");
    assert_eq!(value("pubsub#purge_offline"), "1");
    agent.subscribe("/n").ok();
    agent.send("<presence type='unavailable'/>");
    agent.read();
    owner.publish("/n", "1").ok();
    assert!(agent.read().is_empty());
    configure(&mut owner, &[("presence_based_delivery", "perhaps")]).fails("not-acceptable");
}

#[test]
fn x70_a_node_that_one_may_not_know_of_is_not_there() {
    for profile in [Profile::Finesse, Profile::Strict] {
        let service = service_with(config(profile));
        let (mut owner, mut agent) = stored(&service, &[("access_model", "whitelist"), ("title", "plans")]);
        for kind in ["info", "items"] {
            disco(&mut agent, kind, "/n").fails("item-not-found");
            disco(&mut owner, kind, "/n").ok();
        }
        affiliate(&mut owner, "agent1@localhost", "member").ok();
        agent.read();
        for kind in ["info", "items"] {
            disco(&mut agent, kind, "/n").ok();
        }
        affiliate(&mut owner, "agent1@localhost", "outcast").ok();
        agent.read();
        disco(&mut agent, "info", "/n").fails("item-not-found");
        // Requests for consent need a node that can be found.
        configure(&mut owner, &[("access_model", "authorize")]).ok();
        disco(&mut client(&service, "agent2", "a"), "info", "/n").ok();
    }
}

#[test]
fn x70_n45_nodes_of_the_server_are_no_secret_in_finesse() {
    let mut agent = client(&finesse(), "1001", "x");
    for node in ["/secret", "/closed", "/finesse/api/SystemInfo"] {
        let answer = disco(&mut agent, "info", node).ok();
        assert_eq!(answer.find(&["query", "identity"]).unwrap().attr("type"), Some("leaf"), "{node}");
    }
    let mut agent = client(&strict(), "1001", "x");
    for node in ["/secret", "/closed"] {
        disco(&mut agent, "info", node).fails("item-not-found");
    }
    disco(&mut agent, "info", "/finesse/api/SystemInfo").ok();
}

#[test]
fn x59_an_account_waits_for_no_more_than_it_may_have() {
    let limits = broker::Config { max_subscriptions_per_account: 3, ..broker::Config::default() };
    let service = xmpp::Service::new(
        config(Profile::Strict),
        broker::Broker::new(limits),
        Arc::new(Nobody),
        Arc::new(xmpp::OpenPolicy),
    );
    let (mut owner, mut agent) = stored(&service, &[("access_model", "authorize")]);
    let subscribe = |n: usize| format!("<subscribe node='/n' jid='agent1@localhost/r{n}'/>");
    for n in 0..3 {
        agent.set(&subscribe(n)).ok();
    }
    agent.set(&subscribe(3)).fails("policy-violation too-many-subscriptions");
    agent.set("<unsubscribe node='/n' jid='agent1@localhost/r1'/>").ok();
    agent.set(&subscribe(3)).ok();
    // What a deleted node kept waiting waits no longer.
    owner.owner_set("<delete node='/n'/>").ok();
    assert!(
        agent.get("<subscriptions/>").ok().find(&["pubsub", "subscriptions"]).unwrap().children().count()
            == 0
    );
    owner.create("/n", &[("access_model", "authorize")]);
    for n in 0..3 {
        agent.set(&subscribe(n)).ok();
    }
}

#[test]
fn x60_who_subscribes_to_an_opened_node_waits_no_longer() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[("access_model", "authorize")]);
    agent.subscribe("/n").ok();
    configure(&mut owner, &[("access_model", "open")]).ok();
    agent.subscribe("/n").ok();
    let list = agent.get("<subscriptions/>").ok();
    let list = list.find(&["pubsub", "subscriptions"]).unwrap();
    assert_eq!(
        list.children().map(|one| one.attr("subscription").unwrap()).collect::<Vec<_>>(),
        ["subscribed"]
    );
    // The consent that comes too late makes no second one.
    owner
        .owner_set(
            "<subscriptions node='/n'><subscription jid='agent1@localhost/a' subscription='subscribed'/></subscriptions>",
        )
        .ok();
    agent.read();
    owner.publish("/n", "1").ok();
    agent.one();
    agent.set("<unsubscribe node='/n' jid='agent1@localhost/a'/>").ok();
    assert_eq!(
        agent.get("<subscriptions/>").ok().find(&["pubsub", "subscriptions"]).unwrap().children().count(),
        0
    );
}

#[test]
fn an_item_named_often_is_retracted_once() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    owner.publish("/n", "1").ok();
    agent.subscribe("/n").ok();
    agent.read();
    let often = "<item id='1'/>".repeat(1000);
    owner.set(&format!("<retract node='/n'>{often}</retract>")).ok();
    assert_eq!(retracted(&agent.one()), ["1"]);
}

/// While a node is made and deleted over and over, nobody gets hold of one that has no access model yet or
/// no longer, and nothing is left over.
#[test]
fn x59_a_closed_node_is_never_open_while_it_comes_and_goes() {
    let service = strict();
    let done = Arc::new(AtomicBool::new(false));
    let intruders: Vec<_> = (0..2)
        .map(|n| {
            let (service, done) = (service.clone(), done.clone());
            std::thread::spawn(move || {
                let mut agent = client(&service, &format!("agent{n}"), "a");
                while !done.load(Ordering::SeqCst) {
                    let answer = agent.subscribe("/n");
                    let (_, condition, _) = answer.error();
                    assert!(["item-not-found", "not-allowed"].contains(&&*condition), "{}", answer.xml);
                }
            })
        })
        .collect();
    // Two who make and delete the same node.
    let owners: Vec<_> = (0..2)
        .map(|n| {
            let service = service.clone();
            std::thread::spawn(move || {
                let mut owner = client(&service, &format!("own{n}"), "o");
                let closed = form("node_config", &[("access_model", "whitelist")]);
                for _ in 0..500 {
                    owner.set(&format!("<create node='/n'/><configure>{closed}</configure>"));
                    owner.owner_set("<delete node='/n'/>");
                }
            })
        })
        .collect();
    owners.into_iter().for_each(|owner| owner.join().unwrap());
    done.store(true, Ordering::SeqCst);
    intruders.into_iter().for_each(|intruder| intruder.join().unwrap());
    assert!(!service.broker().has_node("/n"), "each node was deleted by who made it");
    client(&service, "own9", "o").create("/n", &[]);
}
