//! Requirement 59: each row of the error table of XEP-0060 that this service knows, one test.

mod common;

use common::{DATA, affiliate, client, configure, finesse, form, stored};
use xmpp::Service;

#[test]
fn x59_node_missing() {
    let service = finesse();
    let mut own = client(&service, "own1", "o");
    for verb in [
        "<subscribe jid='own1@localhost'/>",
        "<unsubscribe jid='own1@localhost'/>",
        "<publish/>",
        "<retract/>",
    ] {
        own.set(verb).fails("bad-request nodeid-required");
    }
    own.get("<items/>").fails("bad-request nodeid-required");
    for verb in ["<configure/>", "<subscriptions/>", "<affiliations/>"] {
        own.owner_get(verb).fails("bad-request nodeid-required");
        own.owner_set(verb).fails("bad-request nodeid-required");
    }
    for verb in ["<delete/>", "<purge/>"] {
        own.owner_set(verb).fails("bad-request nodeid-required");
    }
}

#[test]
fn x59_unknown_node() {
    let service = finesse();
    let mut own = client(&service, "own1", "o");
    own.subscribe("/none").fails("item-not-found");
    own.set("<unsubscribe node='/none' jid='own1@localhost'/>").fails("item-not-found");
    own.publish("/none", "1").fails("item-not-found");
    own.set("<retract node='/none'><item id='1'/></retract>").fails("item-not-found");
    own.get("<items node='/none'/>").fails("item-not-found");
    own.get("<subscriptions node='/none'/>").fails("item-not-found");
    own.get("<affiliations node='/none'/>").fails("item-not-found");
    for verb in ["configure", "subscriptions", "affiliations"] {
        own.owner_get(&format!("<{verb} node='/none'/>")).fails("item-not-found");
        own.owner_set(&format!("<{verb} node='/none'/>")).fails("item-not-found");
    }
    own.owner_set("<delete node='/none'/>").fails("item-not-found");
    own.owner_set("<purge node='/none'/>").fails("item-not-found");
}

#[test]
fn x59_subscribe_foreign_jid() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    for jid in ["1002@localhost", "1002@localhost/x", "1001@elsewhere", "localhost", "@@", "", "1001"] {
        agent
            .set(&format!("<subscribe node='/finesse/api/SystemInfo' jid='{jid}'/>"))
            .fails("bad-request invalid-jid");
    }
    agent.set("<subscribe node='/finesse/api/SystemInfo'/>").fails("bad-request invalid-jid");
}

#[test]
fn x59_outcast() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    agent.subscribe("/n").ok();
    affiliate(&mut owner, "agent1@localhost", "outcast").ok();
    agent.read();
    owner.publish("/n", "1").ok();
    assert!(agent.read().is_empty(), "an outcast still hears");
    agent.subscribe("/n").fails("forbidden");
    agent.get("<items node='/n'/>").fails("forbidden");
}

#[test]
fn x59_subscriptions_disabled() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[("subscribe", "false")]);
    agent.subscribe("/n").fails("not-allowed");
    configure(&mut owner, &[("subscribe", "true")]).ok();
    agent.subscribe("/n").ok();
}

#[test]
fn x59_closed_and_forbidden_by_policy() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    agent.subscribe("/secret").fails("forbidden");
    agent.subscribe("/closed").fails("not-allowed closed-node");
    agent.get("<items node='/secret'/>").fails("forbidden");
    agent.get("<items node='/closed'/>").fails("not-allowed closed-node");
}

#[test]
fn x59_too_many_subscriptions() {
    let limits = broker::Config { max_subscriptions_per_session: 3, ..broker::Config::default() };
    let service = Service::new(
        common::config(xmpp::Profile::Finesse),
        broker::Broker::new(limits),
        std::sync::Arc::new(common::Nobody),
        std::sync::Arc::new(xmpp::OpenPolicy),
    );
    let mut agent = client(&service, "1001", "x");
    for n in 0..4 {
        agent.create(&format!("/{n}"), &[]);
    }
    for n in 0..3 {
        agent.subscribe(&format!("/{n}")).ok();
    }
    let answer = agent.subscribe("/3");
    answer.fails("policy-violation too-many-subscriptions");
    assert_eq!(answer.error().0, "wait");
}

#[test]
fn x59_node_moved() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    agent.subscribe("/n").ok();
    owner.owner_set("<delete node='/n'><redirect uri='xmpp:pubsub.localhost?;node=/m'/></delete>").ok();
    let event = agent.one();
    assert_eq!(
        event.find(&["event", "delete", "redirect"]).unwrap().attr("uri"),
        Some("xmpp:pubsub.localhost?;node=/m")
    );
    let answer = agent.subscribe("/n");
    answer.fails("gone");
    assert_eq!(answer.find(&["error", "gone"]).unwrap().text(), "xmpp:pubsub.localhost?;node=/m");
    owner.create("/n", &[]);
    agent.subscribe("/n").ok();
}

#[test]
fn x59_unsubscribe() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    let node = "/finesse/api/SystemInfo";
    agent.set(&format!("<unsubscribe node='{node}'/>")).fails("bad-request jid-required");
    agent
        .set(&format!("<unsubscribe node='{node}' jid='1001@localhost/x'/>"))
        .fails("unexpected-request not-subscribed");
    agent
        .set(&format!("<unsubscribe node='{node}' jid='1001@localhost'/>"))
        .fails("unexpected-request not-subscribed");
    agent
        .set(&format!("<unsubscribe node='{node}' jid='1001@localhost/elsewhere'/>"))
        .fails("unexpected-request not-subscribed");
    agent.set(&format!("<unsubscribe node='{node}' jid='1002@localhost'/>")).fails("forbidden");
    agent.subscribe(node).ok();
    agent
        .set(&format!("<unsubscribe node='{node}' jid='1001@localhost/x' subid='7'/>"))
        .fails("not-acceptable invalid-subid");
    agent.set(&format!("<unsubscribe node='{node}' jid='1001@localhost/x'/>")).ok();
}

#[test]
fn x59_options() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    let node = "/finesse/api/SystemInfo";
    let jid = "1001@localhost/x";
    agent
        .get(&format!("<options node='{node}' jid='{jid}'/>"))
        .fails("feature-not-implemented unsupported subscription-options");
    agent.get("<default/>").fails("feature-not-implemented unsupported retrieve-default-sub");
    let with = |options: &str| format!("<subscribe node='{node}' jid='{jid}'/><options>{options}</options>");
    for bad in [("digest", "1"), ("expire", "presence"), ("deliver", "0"), ("subscription_depth", "all")] {
        agent.set(&with(&form("subscribe_options", &[bad]))).fails("bad-request invalid-options");
    }
    agent.set(&with("<x xmlns='jabber:x:data' type='submit'/>")).ok();
    agent.set(&with("")).ok();
    agent.set(&with(&form("subscribe_options", &[("deliver", "1"), ("digest", "false")]))).ok();
}

#[test]
fn x59_items_of_guarded_nodes() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[("access_model", "authorize")]);
    agent.get("<items node='/n'/>").fails("not-authorized not-subscribed");
    configure(&mut owner, &[("access_model", "whitelist")]).ok();
    agent.get("<items node='/n'/>").fails("not-allowed closed-node");
    agent.subscribe("/n").fails("not-allowed closed-node");
    affiliate(&mut owner, "agent1@localhost", "member").ok();
    agent.read();
    agent.subscribe("/n").ok();
    agent.get("<items node='/n'/>").ok();
}

#[test]
fn x59_unknown_items_are_left_out() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    owner.publish("/n", "1").ok();
    let items = agent.get("<items node='/n'><item id='1'/><item id='none'/></items>").ok();
    assert_eq!(items.items(), ["1"]);
    assert_eq!(agent.get("<items node='/n'><item id='none'/></items>").ok().items(), [""; 0]);
}

#[test]
fn x59_items_of_transient_nodes() {
    let service = finesse();
    client(&service, "1001", "x")
        .get("<items node='/finesse/api/SystemInfo'/>")
        .fails("feature-not-implemented unsupported persistent-items");
}

#[test]
fn x59_publish_without_right() {
    let service = finesse();
    let (_owner, mut agent) = stored(&service, &[]);
    agent.publish("/n", "1").fails("forbidden");
    client(&service, "own2", "x").publish("/n", "1").fails("forbidden");
    client(&service, "own2", "x").publish("/finesse/api/SystemInfo", "1").fails("forbidden");
    client(&service, "pub0", "x").publish("/n", "1").ok();
}

#[test]
fn x59_payload_rules() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[("max_payload_size", "100")]);
    let x = "<x xmlns='urn:x'/>";
    let publish = |inner: &str| format!("<publish node='/n'>{inner}</publish>");
    owner.set(&publish(&format!("<item>{x}{x}</item>"))).fails("bad-request invalid-payload");
    owner.set(&publish("<item id='1'/>")).fails("bad-request payload-required");
    owner.set(&publish("")).fails("bad-request item-required");
    let big = format!("<item><x xmlns='urn:x'>{}</x></item>", "y".repeat(100));
    owner.set(&publish(&big)).fails("not-acceptable payload-too-big");
    let long = format!("<item id='{}'>{x}</item>", "i".repeat(257));
    owner.set(&publish(&long)).fails("not-acceptable");
    owner.set(&publish(&format!("<item>{x}</item>"))).ok();
    configure(&mut owner, &[("persist_items", "0"), ("deliver_payloads", "0")]).ok();
    owner.set(&publish(&format!("<item>{x}</item>"))).fails("bad-request item-forbidden");
    owner.set(&publish("")).ok();
}

#[test]
fn x59_node_full() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[("max_items", "2"), ("publish_node_full", "reject")]);
    owner.publish("/n", "1").ok();
    owner.publish("/n", "2").ok();
    owner.publish("/n", "3").fails("conflict node-full");
    owner.publish("/n", "1").ok();
    let x = "<x xmlns='urn:x'/>";
    owner
        .set(&format!("<publish node='/n'><item>{x}</item><item>{x}</item><item>{x}</item></publish>"))
        .fails("not-allowed max-items-exceeded");
}

#[test]
fn x59_preconditions() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[]);
    let with = |fields: &[(&str, &str)]| {
        let form = form("publish-options", fields);
        format!(
            "<publish node='/n'><item><x xmlns='urn:x'/></item></publish><publish-options>{form}</publish-options>"
        )
    };
    owner.set(&with(&[("persist_items", "true"), ("access_model", "open"), ("max_items", "10")])).ok();
    owner.set(&with(&[("access_model", "whitelist")])).fails("conflict precondition-not-met");
    owner.set(&with(&[("unheard_of", "1")])).fails("conflict precondition-not-met");
}

#[test]
fn x59_retract() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[("publish_model", "open")]);
    let mut other = client(&service, "own2", "x");
    owner.publish("/n", "1").ok();
    other.publish("/n", "2").ok();
    owner.set("<retract node='/n'/>").fails("bad-request item-required");
    owner.set("<retract node='/n'><item/></retract>").fails("bad-request item-required");
    owner.set("<retract node='/n'><item id='none'/></retract>").fails("item-not-found");
    other.set("<retract node='/n'><item id='1'/></retract>").fails("forbidden");
    other.set("<retract node='/n'><item id='2'/></retract>").ok();
    owner.set("<retract node='/n'><item id='1'/></retract>").ok();
    configure(&mut owner, &[("persist_items", "0")]).ok();
    owner
        .set("<retract node='/n'><item id='1'/></retract>")
        .fails("feature-not-implemented unsupported persistent-items");
}

#[test]
fn x59_create() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    owner.set("<create node='/n'/>").fails("conflict");
    owner.set("<create node='/finesse/api/SystemInfo'/>").fails("conflict");
    agent.set("<create node='/m'/>").fails("forbidden");
    agent.set("<create/>").fails("forbidden");
    owner.set("<create node='/forbidden'/>").fails("not-allowed");
    owner.set(&format!("<create node='{}'/>", "x".repeat(1025))).fails("not-acceptable");
    let with = |fields: &[(&str, &str)]| {
        format!("<create node='/m'/><configure>{}</configure>", form("node_config", fields))
    };
    owner.set(&with(&[("access_model", "roster")])).fails("not-acceptable unsupported-access-model");
    owner.set(&with(&[("node_type", "collection")])).fails("feature-not-implemented unsupported collections");
    owner.set(&with(&[("max_items", "x")])).fails("not-acceptable");
    owner.subscribe("/m").fails("item-not-found");
    owner.set(&with(&[("title", "M")])).ok();
}

#[test]
fn x59_instant_nodes_get_a_name() {
    let service = finesse();
    let mut owner = client(&service, "own1", "o");
    let answer = owner.set("<create/>").ok();
    let node = answer.find(&["pubsub", "create"]).unwrap().attr("node").unwrap().to_owned();
    owner.subscribe(&node).ok();
}

#[test]
fn x59_owners_only() {
    let service = finesse();
    let (_owner, mut agent) = stored(&service, &[]);
    for verb in ["configure", "subscriptions", "affiliations"] {
        agent.owner_get(&format!("<{verb} node='/n'/>")).fails("forbidden");
        agent.owner_set(&format!("<{verb} node='/n'/>")).fails("forbidden");
        agent.owner_get(&format!("<{verb} node='/finesse/api/SystemInfo'/>")).fails("forbidden");
    }
    for verb in ["delete", "purge"] {
        agent.owner_set(&format!("<{verb} node='/n'/>")).fails("forbidden");
        agent.owner_set(&format!("<{verb} node='/finesse/api/SystemInfo'/>")).fails("forbidden");
    }
}

#[test]
fn x59_configure_without_form() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[]);
    owner.owner_set("<configure node='/n'/>").fails("bad-request");
    owner.owner_set(&format!("<configure node='/n'><x xmlns='{DATA}'/></configure>")).fails("bad-request");
    let wrong = form("subscribe_options", &[("deliver", "1")]);
    owner.owner_set(&format!("<configure node='/n'>{wrong}</configure>")).fails("bad-request");
}

#[test]
fn x59_purge_of_transient_nodes() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[("persist_items", "0")]);
    owner.owner_set("<purge node='/n'/>").fails("feature-not-implemented unsupported persistent-items");
}

#[test]
fn x59_verbs() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[]);
    owner.set("<dance node='/n'/>").fails("feature-not-implemented");
    owner.owner_set("<dance node='/n'/>").fails("feature-not-implemented");
    owner.set("").fails("bad-request");
    owner.set("<publish node='/n'/><subscribe node='/n'/>").fails("bad-request");
    owner.set("<publish node='/n'/><publish-options/><publish node='/n'/>").fails("bad-request");
    owner.get("<subscribe node='/n' jid='own1@localhost'/>").fails("bad-request");
    owner.set("<items node='/n'/>").fails("bad-request");
    owner.owner_get("<delete node='/n'/>").fails("bad-request");
    owner.owner_set("<default/>").fails("bad-request");
}
