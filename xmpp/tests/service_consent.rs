//! Who is let in: access models (XEP-0060 §4.5, §6.1.3) and the consent of owners (§8.6, §8.7).

mod common;

use std::sync::Arc;

use broker::Broker;
use common::{
    Client, DATA, Nobody, Received, affiliate, client, config, configure, finesse, quiet, stored, strict,
};
use xmpp::{Access, AccessPolicy, Config, Principal, Profile, Service};

const COMMANDS: &str = "http://jabber.org/protocol/commands";
const PENDING: &str = "http://jabber.org/protocol/pubsub#get-pending";
const AUTHORIZATION: &str = "http://jabber.org/protocol/pubsub#subscribe_authorization";
const FULL: &str = "agent1@localhost/a";

/// The field of a form in a message or a command.
fn field(form: &minidom::Element, name: &str) -> Option<String> {
    let field = form.children().find(|field| field.attr("var") == Some(name))?;
    field.get_child("value", DATA).map(minidom::Element::text)
}

/// What an owner is asked: subscriber and id of the message.
fn asked(message: &Received) -> (String, String) {
    assert_eq!(message.element.name(), "message");
    assert_eq!(message.attr("from"), Some("pubsub.localhost"));
    let form = message.find(&["x"]).unwrap();
    assert_eq!(form.attr("type"), Some("form"));
    assert_eq!(field(form, "FORM_TYPE").as_deref(), Some(AUTHORIZATION));
    assert_eq!(field(form, "pubsub#node").as_deref(), Some("/n"));
    assert_eq!(field(form, "pubsub#allow").as_deref(), Some("0"));
    (field(form, "pubsub#subscriber_jid").unwrap(), message.attr("id").unwrap().to_owned())
}

fn reply(owner: &mut Client, id: &str, jid: &str, allow: &str) {
    owner.send(&decision(id, jid, allow, ""));
}

fn decision(id: &str, jid: &str, allow: &str, more: &str) -> String {
    format!(
        "<message to='pubsub.localhost' id='{id}'><x xmlns='{DATA}' type='submit'>\
         <field var='FORM_TYPE'><value>{AUTHORIZATION}</value></field>\
         <field var='pubsub#node'><value>/n</value></field>\
         <field var='pubsub#subscriber_jid'><value>{jid}</value></field>{more}\
         <field var='pubsub#allow'><value>{allow}</value></field></x></message>"
    )
}

fn state(message: &Received) -> (String, String) {
    let subscription = message.find(&["event", "subscription"]).unwrap_or_else(|| panic!("{}", message.xml));
    assert_eq!(subscription.attr("node"), Some("/n"));
    (subscription.attr("jid").unwrap().to_owned(), subscription.attr("subscription").unwrap().to_owned())
}

/// Agent 1 waits for `own1`, who has been asked.
fn waiting(service: &Service) -> (Client, Client) {
    let (mut owner, mut agent) = stored(service, &[("access_model", "authorize")]);
    let answer = agent.subscribe("/n").ok();
    assert_eq!(answer.find(&["pubsub", "subscription"]).unwrap().attr("subscription"), Some("pending"));
    assert_eq!(asked(&owner.one()).0, FULL);
    agent.subscribe("/n").fails("not-authorized pending-subscription");
    assert!(owner.read().is_empty(), "asked once");
    (owner, agent)
}

#[test]
fn x59_authorize_an_owner_allows() {
    let with_forms = Config { subscription_options: Some(true), ..config(Profile::Finesse) };
    for service in [common::service_with(with_forms), strict()] {
        let (mut owner, mut agent) = waiting(&service);
        agent.get("<items node='/n'/>").fails("not-authorized not-subscribed");
        owner.publish("/n", "1").ok();
        assert!(agent.read().is_empty());
        reply(&mut owner, "x", FULL, "true");
        assert!(owner.read().is_empty());
        let all = agent.read();
        assert_eq!(state(&all[0]), (FULL.into(), "subscribed".into()), "told before anything comes");
        assert_eq!(all.len(), if format!("{:?}", service.config().profile) == "Strict" { 2 } else { 1 });
        owner.publish("/n", "2").ok();
        assert_eq!(agent.one().items(), ["2"]);
        agent.get("<items node='/n'/>").ok();
        reply(&mut owner, "x", FULL, "false");
        owner.publish("/n", "3").ok();
        assert_eq!(agent.one().items(), ["3"], "the first answer counts");
    }
}

#[test]
fn x59_finesse_asks_nobody_and_leaves_requests_in_the_list() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[("access_model", "authorize")]);
    agent.subscribe("/n").ok();
    agent.subscribe("/n").fails("not-authorized pending-subscription");
    assert!(owner.read().is_empty());
    reply(&mut owner, "x", FULL, "true");
    owner.one().fails("service-unavailable");
    command(&mut owner, "").fails("service-unavailable");
    assert!(owner.owner_get("<subscriptions node='/n'/>").ok().xml.contains("pending"));
}

#[test]
fn x59_authorize_an_owner_refuses_or_cancels() {
    let service = strict();
    let (mut owner, mut agent) = waiting(&service);
    owner.send(&format!(
        "<message to='pubsub.localhost' id='x'><x xmlns='{DATA}' type='cancel'>\
         <field var='FORM_TYPE'><value>{AUTHORIZATION}</value></field></x></message>"
    ));
    assert!(owner.read().is_empty() && agent.read().is_empty());
    agent.subscribe("/n").fails("not-authorized pending-subscription");
    reply(&mut owner, "x", FULL, "0");
    assert_eq!(state(&agent.one()), (FULL.into(), "none".into()));
    assert!(service.broker().subscribers("/n").is_empty());
    agent.subscribe("/n").ok();
}

#[test]
fn only_owners_decide_and_only_by_whole_forms() {
    let service = strict();
    let (mut owner, mut agent) = waiting(&service);
    let mut stranger = client(&service, "agent2", "x");
    for decider in [&mut agent, &mut stranger] {
        reply(decider, "x", FULL, "1");
        decider.one().fails("forbidden");
    }
    reply(&mut owner, "x", FULL, "perhaps");
    owner.one().fails("bad-request");
    reply(&mut owner, "x", "agent1@elsewhere.example", "1");
    owner.one().fails("not-acceptable");
    owner.send(&decision("x", FULL, "1", "").replace("/n", "/none"));
    owner.one().fails("item-not-found");
    owner.send(&decision("x", FULL, "1", "<field var='pubsub#subid'><value>9</value></field>"));
    owner.one().fails("not-acceptable invalid-subid");
    owner.send("<message to='pubsub.localhost' id='x'><body>allow him</body></message>");
    owner.one().fails("service-unavailable");
    assert!(service.broker().subscribers("/n").is_empty());
    reply(&mut owner, "x", "agent2@localhost", "1");
    assert!(owner.read().is_empty() && stranger.read().is_empty(), "who has not asked is not subscribed");
    assert!(service.broker().subscribers("/n").is_empty());
}

#[test]
fn what_was_asked_for_is_what_is_allowed() {
    let service = common::service_with(Config { multi_subscribe: true, ..config(Profile::Strict) });
    let (mut owner, mut agent) = stored(&service, &[("access_model", "authorize")]);
    let form = common::form("subscribe_options", &[("include_body", "1")]);
    let answer = agent.set(&format!("<subscribe node='/n' jid='{FULL}'/><options>{form}</options>")).ok();
    let subid = answer.find(&["pubsub", "subscription"]).unwrap().attr("subid").unwrap().to_owned();
    let question = owner.one();
    let asked_id = field(question.find(&["x"]).unwrap(), "pubsub#subid").unwrap();
    assert_eq!(asked_id, subid);
    let more = format!("<field var='pubsub#subid'><value>{subid}</value></field>");
    owner.send(&decision("x", FULL, "1", &more));
    let told = agent.one();
    assert_eq!(told.find(&["event", "subscription"]).unwrap().attr("subid"), Some(subid.as_str()));
    owner.publish("/n", "1").ok();
    let event = agent.one();
    assert_eq!(event.find(&["body"]).unwrap().text(), "1");
    assert_eq!(event.find(&["headers", "header"]).unwrap().text(), subid);
}

#[test]
fn a_request_can_be_withdrawn() {
    let service = strict();
    let (mut owner, mut agent) = waiting(&service);
    agent
        .set(&format!("<unsubscribe node='/n' jid='{FULL}' subid='x'/>"))
        .fails("not-acceptable invalid-subid");
    agent.set(&format!("<unsubscribe node='/n' jid='{FULL}'/>")).ok();
    reply(&mut owner, "x", FULL, "1");
    assert!(owner.read().is_empty() && agent.read().is_empty());
    assert!(service.broker().subscribers("/n").is_empty());
}

#[test]
fn x68_affiliations_decide_about_those_who_wait() {
    let service = strict();
    for (affiliation, expected) in
        [("member", "subscribed"), ("publisher", "subscribed"), ("owner", "subscribed"), ("outcast", "none")]
    {
        let (mut owner, mut agent) = waiting(&service);
        affiliate(&mut owner, "agent1@localhost", affiliation).ok();
        let told = agent.read().into_iter().find(|m| m.find(&["event"]).is_some()).unwrap();
        assert_eq!(state(&told), (FULL.into(), expected.into()), "{affiliation}");
        owner.owner_set("<delete node='/n'/>").ok();
    }
}

fn command(owner: &mut Client, inner: &str) -> Received {
    owner.send(&format!(
        "<iq type='set' to='pubsub.localhost' id='c'><command xmlns='{COMMANDS}' node='{PENDING}' \
         action='execute'>{inner}</command></iq>"
    ));
    owner.read().remove(0)
}

#[test]
fn pending_requests_are_told_again_on_demand() {
    let service = strict();
    let (mut owner, mut agent) = waiting(&service);
    drop(owner);
    let mut second = client(&service, "agent2", "x");
    second.set("<subscribe node='/n' jid='agent2@localhost'/>").ok();
    owner = client(&service, "own1", "later");
    owner.create("/other", &[("access_model", "authorize")]);
    let form = command(&mut owner, "").ok();
    let offered = form.find(&["command"]).unwrap();
    assert_eq!((offered.attr("status"), offered.attr("node")), (Some("executing"), Some(PENDING)));
    let nodes = form.find(&["command", "x"]).unwrap();
    let nodes = nodes.children().find(|field| field.attr("var") == Some("pubsub#node")).unwrap();
    assert_eq!(
        nodes
            .children()
            .map(|option| option.children().map(minidom::Element::text).collect::<String>())
            .collect::<Vec<_>>(),
        ["/n"]
    );
    let session = offered.attr("sessionid").unwrap();
    owner.send(&format!(
        "<iq type='set' to='pubsub.localhost' id='d'><command xmlns='{COMMANDS}' node='{PENDING}' \
         sessionid='{session}' action='execute'><x xmlns='{DATA}' type='submit'>\
         <field var='pubsub#node'><value>/n</value></field></x></command></iq>"
    ));
    let all = owner.read();
    assert_eq!(all[0].find(&["command"]).unwrap().attr("status"), Some("completed"));
    let waiting: Vec<String> = all[1..].iter().map(|message| asked(message).0).collect();
    assert_eq!(waiting, [FULL, "agent2@localhost"]);
    let id = asked(&all[1]).1;
    reply(&mut owner, &id, FULL, "1");
    assert_eq!(state(&agent.one()).1, "subscribed");
}

#[test]
fn x59_errors_of_the_command() {
    let service = strict();
    let (mut owner, mut agent) = waiting(&service);
    command(&mut agent, "").fails("forbidden");
    let submit = |node: &str| {
        format!("<x xmlns='{DATA}' type='submit'><field var='pubsub#node'><value>{node}</value></field></x>")
    };
    command(&mut agent, &submit("/n")).fails("forbidden");
    command(&mut owner, &submit("/none")).fails("item-not-found");
    command(&mut owner, &submit("")).fails("bad-request nodeid-required");
    let cancelled = command(&mut owner, &format!("<x xmlns='{DATA}' type='cancel'/>")).ok();
    assert_eq!(cancelled.find(&["command"]).unwrap().attr("status"), Some("canceled"));
    let other =
        format!("<iq type='set' to='pubsub.localhost' id='c'><command xmlns='{COMMANDS}' node='x'/></iq>");
    owner.ask(&other).fails("item-not-found");
    owner.ask(&other.replace("set", "get")).fails("bad-request");
}

#[test]
fn owners_who_are_not_there_miss_nothing_but_the_message() {
    let service = strict();
    let (owner, mut agent) = stored(&service, &[("access_model", "authorize")]);
    drop(owner);
    agent.subscribe("/n").ok();
    let mut owner = quiet(&service, "own1", "o");
    let listed = owner.owner_get("<subscriptions node='/n'/>").ok();
    let listed = listed.find(&["pubsub", "subscriptions", "subscription"]).unwrap();
    assert_eq!(listed.attr("subscription"), Some("pending"));
}

/// `own1` shows his presence to agents, and has `agent1` in the group `friends` of his roster.
struct Contacts;

impl AccessPolicy for Contacts {
    fn create(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }

    fn sees_presence(&self, who: &Principal, owner: &str) -> bool {
        owner == "own1@localhost" && who.user.starts_with("agent")
    }

    fn in_roster_group(&self, who: &Principal, owner: &str, groups: &[String]) -> bool {
        owner == "own1@localhost" && &*who.user == "agent1" && groups.iter().any(|group| group == "friends")
    }
}

#[test]
fn x59_access_by_presence_and_roster_is_what_the_embedder_says() {
    let broker = Broker::new(broker::Config::default());
    let service = Service::new(config(Profile::Strict), broker, Arc::new(Nobody), Arc::new(Contacts));
    let (mut owner, mut agent) = stored(&service, &[("access_model", "presence")]);
    let mut second = client(&service, "agent2", "x");
    let mut stranger = client(&service, "guest", "x");
    let refused = "not-authorized presence-subscription-required";
    for client in [&mut agent, &mut second, &mut owner] {
        client.get("<items node='/n'/>").ok();
        client.subscribe("/n").ok();
    }
    stranger.subscribe("/n").fails(refused);
    stranger.get("<items node='/n'/>").fails(refused);
    let form = format!(
        "<x xmlns='{DATA}' type='submit'><field var='pubsub#access_model'><value>roster</value></field>\
         <field var='pubsub#roster_groups_allowed'><value>friends</value><value>family</value></field></x>"
    );
    owner.owner_set(&format!("<configure node='/n'>{form}</configure>")).ok();
    for client in [&mut agent, &mut second, &mut stranger] {
        client.read();
    }
    let refused = "not-authorized not-in-roster-group";
    agent.get("<items node='/n'/>").ok();
    agent.subscribe("/n").ok();
    second.get("<items node='/n'/>").fails(refused);
    stranger.subscribe("/n").fails(refused);
    configure(&mut owner, &[("roster_groups_allowed", "family")]).ok();
    agent.read();
    agent.subscribe("/n").fails(refused);
    affiliate(&mut owner, "guest@localhost", "member").ok();
    stranger.read();
    stranger.subscribe("/n").ok();
    affiliate(&mut owner, "guest@localhost", "outcast").ok();
    stranger.read();
    stranger.subscribe("/n").fails("forbidden");
    stranger.get("<items node='/n'/>").fails("forbidden");
}

#[test]
fn x59_without_rosters_presence_and_roster_let_in_only_the_affiliated() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[("access_model", "presence")]);
    agent.subscribe("/n").fails("not-authorized presence-subscription-required");
    configure(&mut owner, &[("access_model", "roster")]).ok();
    agent.subscribe("/n").fails("not-authorized not-in-roster-group");
    owner.subscribe("/n").ok();
}

#[test]
fn x59_finesse_does_not_know_presence_and_roster() {
    let service = finesse();
    let (mut owner, mut agent) = stored(&service, &[]);
    for model in ["presence", "roster"] {
        configure(&mut owner, &[("access_model", model)]).fails("not-acceptable unsupported-access-model");
    }
    agent.subscribe("/n").ok();
    let form = owner.owner_get("<configure node='/n'/>").ok();
    assert!(!form.xml.contains("<value>roster</value>"), "{}", form.xml);
}

#[test]
fn x59_whitelist_outcast_and_nodes_without_subscriptions() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[("access_model", "whitelist")]);
    agent.subscribe("/n").fails("not-allowed closed-node");
    agent.get("<items node='/n'/>").fails("not-allowed closed-node");
    affiliate(&mut owner, "agent1@localhost", "member").ok();
    agent.read();
    agent.subscribe("/n").ok();
    configure(&mut owner, &[("subscribe", "0")]).ok();
    agent.read();
    agent.subscribe("/n").fails("not-allowed");
    affiliate(&mut owner, "agent1@localhost", "outcast").ok();
    agent.read();
    agent.subscribe("/n").fails("forbidden");
    agent.get("<items node='/n'/>").fails("forbidden");
    assert!(service.broker().subscribers("/n").is_empty(), "an outcast has no subscription");
    owner.owner_set("<delete node='/n'><redirect uri='xmpp:pubsub.localhost?;node=/m'/></delete>").ok();
    let (_, condition, _) = agent.subscribe("/n").error();
    assert_eq!(condition, "gone");
}

#[test]
fn n38_x59_a_foreign_or_missing_jid_is_refused() {
    for service in [finesse(), strict()] {
        let (_owner, mut agent) = stored(&service, &[]);
        for jid in ["own1@localhost", "own1@localhost/o", "agent1@elsewhere.example", "@", "localhost"] {
            agent.set(&format!("<subscribe node='/n' jid='{jid}'/>")).fails("bad-request invalid-jid");
            agent.set(&format!("<unsubscribe node='/n' jid='{jid}'/>")).fails("forbidden");
        }
        agent.set("<subscribe node='/n'/>").fails("bad-request invalid-jid");
        agent.set("<unsubscribe node='/n'/>").fails("bad-request jid-required");
        let not = "unexpected-request not-subscribed";
        agent.set(&format!("<unsubscribe node='/n' jid='{FULL}'/>")).fails(not);
        agent.set("<subscribe jid='agent1@localhost'/>").fails("bad-request nodeid-required");
        agent.set("<subscribe node='/none' jid='agent1@localhost'/>").fails("item-not-found");
        assert!(service.broker().subscribers("/n").is_empty());
    }
}

#[test]
fn x70_discovery_tells_what_is_on() {
    let features = |service: &Service| {
        let mut agent = client(service, "agent1", "a");
        let query = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
        let iq = format!("<iq type='get' to='pubsub.localhost' id='d'>{query}</iq>");
        let answer = agent.ask(&iq).ok();
        let query = answer.find(&["query"]).unwrap();
        let names = query.children().filter_map(|child| child.attr("var"));
        names.filter_map(|name| name.split_once('#')).map(|(_, name)| name.to_owned()).collect::<Vec<_>>()
    };
    let strict_only =
        ["subscription-options", "retrieve-default-sub", "leased-subscription", "last-published"];
    let (plain, full) = (features(&finesse()), features(&strict()));
    for name in strict_only {
        assert!(!plain.contains(&name.to_owned()) && full.contains(&name.to_owned()), "{name}");
    }
    assert!(!plain.contains(&"get-pending".to_owned()) && !full.contains(&"multi-subscribe".to_owned()));
    let many = common::service_with(Config { multi_subscribe: true, ..config(Profile::Strict) });
    assert!(features(&many).contains(&"multi-subscribe".to_owned()));
    let mut agent = client(&many, "agent1", "b");
    let items = "http://jabber.org/protocol/disco#items";
    let iq = format!(
        "<iq type='get' to='pubsub.localhost' id='d'><query xmlns='{items}' node='{COMMANDS}'/></iq>"
    );
    let item = agent.ask(&iq).ok();
    assert_eq!(item.find(&["query", "item"]).unwrap().attr("node"), Some(PENDING));
    let info = "http://jabber.org/protocol/disco#info";
    let iq =
        format!("<iq type='get' to='pubsub.localhost' id='d'><query xmlns='{info}' node='{PENDING}'/></iq>");
    let identity = agent.ask(&iq).ok();
    assert_eq!(identity.find(&["query", "identity"]).unwrap().attr("type"), Some("command-node"));
}
