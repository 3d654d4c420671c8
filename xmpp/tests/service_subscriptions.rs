//! What subscribers may ask for beyond the plain subscription (XEP-0060 §6.3, §12): options, several
//! subscriptions of one address, last items, temporary subscriptions, and how subscriptions end.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::{EndReason, Outbox, OutboxLimits};
use common::{
    Client, DATA, PUBSUB, Received, client, config, configure, finesse, form, quiet, stored, strict,
};
use xmpp::{Config, Profile, Service};

/// Strict, with several subscriptions of one address.
fn multi() -> Service {
    common::service_with(Config { multi_subscribe: true, ..config(Profile::Strict) })
}

fn submitted(fields: &[(&str, &str)]) -> String {
    form("subscribe_options", fields)
}

fn set_options(client: &mut Client, jid: &str, subid: &str, fields: &[(&str, &str)]) -> Received {
    let form = submitted(fields);
    client.set(&format!("<options node='/n' jid='{jid}'{subid}>{form}</options>"))
}

/// Subscribes with options in the same request; gives the subid.
fn subscribe_with(client: &mut Client, jid: &str, fields: &[(&str, &str)]) -> Option<String> {
    let options = if fields.is_empty() {
        String::new()
    } else {
        format!("<options node='/n' jid='{jid}'>{}</options>", submitted(fields))
    };
    let answer = client.set(&format!("<subscribe node='/n' jid='{jid}'/>{options}")).ok();
    let subscription = answer.find(&["pubsub", "subscription"]).unwrap();
    assert_eq!(subscription.attr("subscription"), Some("subscribed"));
    subscription.attr("subid").map(str::to_owned)
}

fn value(form: &Received, root: &str, field: &str) -> Vec<String> {
    let form = form.find(&["pubsub", root, "x"]).unwrap();
    let name = format!("pubsub#{field}");
    let field = form.children().find(|child| child.attr("var") == Some(&name)).unwrap();
    field.children().filter(|child| child.name() == "value").map(minidom::Element::text).collect()
}

/// Ids in the SHIM headers of an event.
fn subids(event: &Received) -> Vec<String> {
    let Some(headers) = event.find(&["headers"]) else { return Vec::new() };
    assert_eq!(headers.ns(), "http://jabber.org/protocol/shim");
    assert!(headers.children().all(|header| header.attr("name") == Some("SubID")));
    headers.children().map(minidom::Element::text).collect()
}

const FULL: &str = "agent1@localhost/a";
const BARE: &str = "agent1@localhost";

#[test]
fn x59_options_need_a_subscription_a_jid_and_a_form() {
    let service = strict();
    let (_owner, mut agent) = stored(&service, &[]);
    agent.get("<options node='/n' jid='agent1@localhost/a'/>").fails("unexpected-request not-subscribed");
    agent.subscribe("/n").ok();
    agent.get("<options node='/n'/>").fails("bad-request jid-required");
    agent.get("<options jid='agent1@localhost/a'/>").fails("bad-request nodeid-required");
    agent.get("<options node='/none' jid='agent1@localhost/a'/>").fails("item-not-found");
    agent.get("<options node='/n' jid='own1@localhost'/>").fails("forbidden");
    agent
        .get("<options node='/n' jid='agent1@localhost/a' subid='x'/>")
        .fails("not-acceptable invalid-subid");
    agent.set("<options node='/n' jid='agent1@localhost/a'/>").fails("bad-request");
    let cancel = format!("<options node='/n' jid='{FULL}'><x xmlns='{DATA}' type='cancel'/></options>");
    agent.set(&cancel).ok();
    agent.get("<default node='/none'/>").fails("item-not-found");
    agent.set("<default/>").fails("bad-request");
}

#[test]
fn x59_bad_options_are_refused_and_change_nothing() {
    let service = strict();
    let (_owner, mut agent) = stored(&service, &[]);
    let bad = [("digest", "1"), ("digest_frequency", "500"), ("expire", "soon"), ("deliver", "maybe")];
    for field in bad {
        let beside = format!("<options>{}</options>", submitted(&[field]));
        agent
            .set(&format!("<subscribe node='/n' jid='{FULL}'/>{beside}"))
            .fails("bad-request invalid-options");
    }
    assert!(service.broker().subscribers("/n").is_empty());
    agent.subscribe("/n").ok();
    for field in bad {
        set_options(&mut agent, FULL, "", &[("include_body", "1"), field])
            .fails("bad-request invalid-options");
    }
    let form = agent.get(&format!("<options node='/n' jid='{FULL}'/>")).ok();
    assert_eq!(value(&form, "options", "include_body"), ["0"]);
}

#[test]
fn x59_finesse_has_no_options_unless_they_are_switched_on() {
    let service = finesse();
    let (_owner, mut agent) = stored(&service, &[]);
    let options = format!("<options node='/n' jid='{FULL}'/>");
    agent.get(&options).fails("feature-not-implemented unsupported subscription-options");
    agent.get("<default/>").fails("feature-not-implemented unsupported retrieve-default-sub");
    let asked = |deliver| format!("<options>{}</options>", submitted(&[("deliver", deliver)]));
    let subscribe = format!("<subscribe node='/n' jid='{FULL}'/>");
    agent.set(&format!("{subscribe}{}", asked("0"))).fails("bad-request invalid-options");
    agent.set(&format!("{subscribe}{}", asked("1"))).ok();
    let on = Config { subscription_options: Some(true), ..config(Profile::Finesse) };
    let service = common::service_with(on);
    let (_owner, mut agent) = stored(&service, &[]);
    agent.subscribe("/n").ok();
    agent.get(&options).ok();
}

#[test]
fn options_are_kept_shown_and_changed_in_part() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    let defaults = agent.get("<default/>").ok();
    assert_eq!(value(&defaults, "default", "deliver"), ["1"]);
    assert_eq!(value(&defaults, "default", "expire"), [""; 0]);
    assert_eq!(value(&defaults, "default", "show-values"), ["online", "chat", "away", "dnd", "xa"]);
    assert!(!defaults.xml.contains("digest"), "only what does something");
    assert_eq!(
        subscribe_with(&mut agent, FULL, &[("deliver", "0"), ("expire", "2126-01-01T00:00:00Z")]),
        None
    );
    owner.publish("/n", "1").ok();
    assert!(agent.read().is_empty());
    set_options(&mut agent, FULL, "", &[("include_body", "true")]).ok();
    let form = agent.get(&format!("<options node='/n' jid='{FULL}'/>")).ok();
    assert_eq!(value(&form, "options", "deliver"), ["0"]);
    assert_eq!(value(&form, "options", "expire"), ["2126-01-01T00:00:00Z"]);
    set_options(&mut agent, FULL, "", &[("deliver", "1")]).ok();
    owner.publish("/n", "a &lt; b").ok();
    let event = agent.one();
    assert_eq!(event.find(&["body"]).unwrap().text(), "a < b");
    assert_eq!(subids(&event), [""; 0]);
    agent.subscribe("/n").ok();
    owner.publish("/n", "3").ok();
    assert!(agent.one().find(&["body"]).is_some(), "subscribing again without options leaves them");
    set_options(&mut agent, FULL, "", &[("include_body", "0"), ("expire", "")]).ok();
    owner.publish("/n", "4").ok();
    assert!(agent.one().find(&["body"]).is_none());
    assert!(service.broker().manners().is_empty(), "a plain subscription again");
}

#[test]
fn options_of_another_resource_of_ones_own_can_be_set() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    let mut other = client(&service, "agent1", "b");
    agent.read();
    other.subscribe("/n").ok();
    set_options(&mut agent, "agent1@localhost/b", "", &[("deliver", "0")]).ok();
    owner.publish("/n", "1").ok();
    assert!(other.read().is_empty());
    assert_eq!(subscribe_with(&mut agent, "agent1@localhost/b", &[("deliver", "1")]), None);
    owner.publish("/n", "2").ok();
    assert_eq!(other.one().items(), ["2"]);
}

#[test]
fn x62_show_values_follow_the_presence_of_each_session() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    let mut other = client(&service, "agent1", "b");
    agent.read();
    let shows = "<field var='pubsub#show-values'><value>away</value><value>chat</value></field>";
    let form = format!("<x xmlns='{DATA}' type='submit'>{shows}</x>");
    for jid in [FULL, BARE] {
        agent
            .set(&format!(
                "<subscribe node='/n' jid='{jid}'/><options node='/n' jid='{jid}'>{form}</options>"
            ))
            .ok();
    }
    let mut published = 0;
    let mut copies = |agent: &mut Client, other: &mut Client| {
        published += 1;
        owner.publish("/n", &published.to_string()).ok();
        let events = |client: &mut Client| client.read().iter().filter(|r| r.class.is_none()).count();
        (events(agent), events(other))
    };
    assert_eq!(copies(&mut agent, &mut other), (0, 0), "both are online");
    agent.send("<presence><show>away</show></presence>");
    assert_eq!(copies(&mut agent, &mut other), (2, 0));
    other.send("<presence><show>chat</show></presence>");
    assert_eq!(copies(&mut agent, &mut other), (2, 1));
    agent.send("<presence><show>dnd</show></presence>");
    assert_eq!(copies(&mut agent, &mut other), (0, 1));
    agent.send("<presence><show>chat</show><priority>-1</priority></presence>");
    assert_eq!(copies(&mut agent, &mut other), (1, 1), "by the full address only");
    agent.send("<presence type='unavailable'/>");
    other.send("<presence type='unavailable'/>");
    assert_eq!(copies(&mut agent, &mut other), (0, 0));
}

#[test]
fn x60_finesse_never_has_subids_even_if_they_are_switched_on() {
    let service = common::service_with(Config { multi_subscribe: true, ..config(Profile::Finesse) });
    let (mut owner, mut agent) = stored(&service, &[]);
    assert_eq!(subscribe_with(&mut agent, FULL, &[]), None);
    assert_eq!(subscribe_with(&mut agent, FULL, &[]), None);
    owner.publish("/n", "1").ok();
    let event = agent.one();
    assert!(event.find(&["headers"]).is_none(), "{}", event.xml);
    assert!(service.broker().manners().is_empty());
}

#[test]
fn x60_strict_has_one_subscription_for_each_address_by_default() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    assert_eq!(subscribe_with(&mut agent, FULL, &[]), None);
    assert_eq!(subscribe_with(&mut agent, FULL, &[]), None);
    owner.publish("/n", "1").ok();
    assert!(agent.one().find(&["headers"]).is_none());
}

#[test]
fn x61_several_subscriptions_of_one_address_are_told_apart_by_subid() {
    let service = multi();
    let (mut owner, mut agent) = stored(&service, &[]);
    let a = subscribe_with(&mut agent, FULL, &[]).unwrap();
    let b = subscribe_with(&mut agent, FULL, &[("deliver", "0")]).unwrap();
    let c = subscribe_with(&mut agent, BARE, &[]).unwrap();
    assert!(a != b && b != c && a != c);
    owner.publish("/n", "1").ok();
    let mut events: Vec<_> =
        agent.read().iter().map(|e| (e.attr("to").unwrap().to_owned(), subids(e))).collect();
    events.sort();
    assert_eq!(events, [(BARE.to_owned(), vec![c.clone()]), (FULL.to_owned(), vec![a.clone()])]);
    set_options(&mut agent, FULL, &format!(" subid='{b}'"), &[("deliver", "1")]).ok();
    owner.publish("/n", "2").ok();
    let full = agent.read().into_iter().find(|e| e.attr("to") == Some(FULL)).unwrap();
    assert_eq!(subids(&full), [a.clone(), b.clone()], "one message for both");
    let listed = agent.get("<subscriptions node='/n'/>").ok();
    let list = listed.find(&["pubsub", "subscriptions"]).unwrap();
    let mut ids: Vec<_> = list.children().map(|one| one.attr("subid").unwrap().to_owned()).collect();
    ids.sort();
    let mut expected = vec![a.clone(), b.clone(), c];
    expected.sort();
    assert_eq!(ids, expected);
    let seen = owner.owner_get("<subscriptions node='/n'/>").ok();
    assert_eq!(seen.find(&["pubsub", "subscriptions"]).unwrap().children().count(), 3);
    agent.set(&format!("<unsubscribe node='/n' jid='{FULL}' subid='{a}'/>")).ok();
    owner.publish("/n", "3").ok();
    let full = agent.read().into_iter().find(|e| e.attr("to") == Some(FULL)).unwrap();
    assert_eq!(subids(&full), [b]);
    agent.set(&format!("<unsubscribe node='/n' jid='{FULL}'/>")).ok();
    owner.publish("/n", "4").ok();
    assert_eq!(agent.one().attr("to"), Some(BARE));
}

#[test]
fn x59_subids_are_required_where_there_are_several_and_checked() {
    let service = multi();
    let (_owner, mut agent) = stored(&service, &[]);
    let a = subscribe_with(&mut agent, FULL, &[]).unwrap();
    agent.get("<items node='/n'/>").ok();
    subscribe_with(&mut agent, FULL, &[]).unwrap();
    let of_bare = subscribe_with(&mut agent, BARE, &[]).unwrap();
    let required = "bad-request subid-required";
    let invalid = "not-acceptable invalid-subid";
    agent.set(&format!("<unsubscribe node='/n' jid='{FULL}'/>")).fails(required);
    agent.get(&format!("<options node='/n' jid='{FULL}'/>")).fails(required);
    agent.get("<items node='/n'/>").fails(required);
    for wrong in ["nonsense", of_bare.as_str()] {
        agent.set(&format!("<unsubscribe node='/n' jid='{FULL}' subid='{wrong}'/>")).fails(invalid);
        agent.get(&format!("<options node='/n' jid='{FULL}' subid='{wrong}'/>")).fails(invalid);
    }
    agent.get("<items node='/n' subid='nonsense'/>").fails(invalid);
    agent.get(&format!("<items node='/n' subid='{a}'/>")).ok();
}

#[test]
fn x59_too_many_subscriptions_of_one_address() {
    let service = multi();
    let (_owner, mut agent) = stored(&service, &[]);
    for _ in 0..16 {
        subscribe_with(&mut agent, FULL, &[]).unwrap();
    }
    agent.subscribe("/n").fails("policy-violation too-many-subscriptions");
    assert_eq!(service.broker().stats().subscriptions, 1);
}

#[test]
fn x59_owners_name_the_subscription_they_end_where_there_are_several() {
    let service = multi();
    let (mut owner, mut agent) = stored(&service, &[]);
    let set = |subid: &str, state: &str| {
        format!(
            "<subscriptions node='/n'><subscription jid='{FULL}'{subid} subscription='{state}'/></subscriptions>"
        )
    };
    let a = subscribe_with(&mut agent, FULL, &[]).unwrap();
    let b = subscribe_with(&mut agent, FULL, &[]).unwrap();
    owner.owner_set(&set("", "none")).fails("bad-request");
    owner.owner_set(&set(" subid='x'", "none")).fails("not-acceptable invalid-subid");
    owner.owner_set(&set(&format!(" subid='{a}'"), "none")).ok();
    let told = agent.one();
    let told = told.find(&["pubsub", "subscription"]).unwrap();
    assert_eq!((told.attr("subid"), told.attr("subscription")), (Some(a.as_str()), Some("none")));
    owner.publish("/n", "1").ok();
    assert_eq!(subids(&agent.one()), [b.as_str()]);
    owner.owner_set(&set(&format!(" subid='{b}'"), "none")).ok();
    agent.read();
    owner.owner_set(&set("", "subscribed")).ok();
    assert!(agent.one().find(&["pubsub", "subscription"]).unwrap().attr("subid").is_some());
}

#[test]
fn x63_answers_enclose_each_manner_of_a_subscription() {
    let service = strict();
    let mut owner = client(&service, "own1", "o");
    owner.create("/n", &[]);
    let mut agent = client(&service, "agent1", "a");
    let done = AtomicBool::new(false);
    let queue = agent.outbox.clone();
    let iq = |id: &str, inner: &str| {
        format!(
            "<iq type='set' to='pubsub.localhost' id='{id}'><pubsub xmlns='{PUBSUB}'>{inner}</pubsub></iq>"
        )
    };
    let subscribe = |deliver: &str| {
        let options = submitted(&[("include_body", "1"), ("deliver", deliver)]);
        format!("<subscribe node='/n' jid='{FULL}'/><options>{options}</options>")
    };
    let plain = format!(
        "<options node='/n' jid='{FULL}'>{}</options>",
        submitted(&[("include_body", "0"), ("deliver", "1")])
    );
    let unsubscribe = format!("<unsubscribe node='/n' jid='{FULL}'/>");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !done.load(Ordering::Relaxed) {
                // However long the reader is kept from reading, its queue does not overflow.
                if queue.len() > 500 {
                    std::thread::yield_now();
                    continue;
                }
                owner.publish("/n", &format!("{n:08}")).ok();
                n += 1;
            }
        });
        let _done = Done(&done);
        for _ in 0..100 {
            assert!(agent.read().is_empty(), "after the unsubscribe answer");
            agent.send(&iq("s", &subscribe("1")));
            std::thread::yield_now();
            agent.send(&iq("o", &plain));
            std::thread::yield_now();
            agent.send(&iq("m", &subscribe("0")));
            std::thread::yield_now();
            agent.send(&iq("u", &unsubscribe));
            let all = agent.read();
            let at = |id| all.iter().position(|r| r.attr("id") == Some(id)).unwrap();
            assert_eq!((at("s"), at("u")), (0, all.len() - 1));
            assert_eq!(at("m") + 1, at("u"), "nothing while nothing is delivered");
            assert!(all[1..at("o")].iter().all(|e| e.find(&["body"]).is_some()));
            assert!(all[at("o") + 1..at("m")].iter().all(|e| e.find(&["body"]).is_none()));
            let events = all.iter().filter(|r| r.class.is_none());
            let numbers: Vec<u32> = events.flat_map(Received::items).map(|id| id.parse().unwrap()).collect();
            assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
        }
    });
}

/// Ends the other thread however this one ends.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn x64_last_items_go_where_the_subscription_goes() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    owner.publish("/n", "1").ok();
    let mut hidden = quiet(&service, "agent1", "hidden");
    let mut low = quiet(&service, "agent1", "low");
    low.send("<presence><priority>-5</priority></presence>");
    let mut other = client(&service, "agent1", "b");
    low.read();
    agent.read();
    hidden.subscribe("/n").ok();
    assert!(hidden.read().is_empty(), "not to the unavailable");
    hidden.send("<iq type='set' to='pubsub.localhost' id='s'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='/n' jid='agent1@localhost'/></pubsub></iq>");
    assert_eq!(hidden.one().attr("id"), Some("s"));
    assert!(low.read().is_empty(), "not by the bare address to a negative priority");
    for client in [&mut agent, &mut other] {
        let event = client.one();
        assert_eq!((event.attr("to"), event.items()), (Some(BARE), vec!["1".to_owned()]));
        assert!(event.find(&["delay"]).is_some());
    }
}

#[test]
fn x64_last_items_carry_the_subid_and_respect_the_options() {
    let service = multi();
    let (mut owner, mut agent) = stored(&service, &[("send_last_published_item", "on_sub_and_presence")]);
    owner.publish("/n", "1").ok();
    let mut subscribe = |options: &str| {
        agent.send(&format!("<iq type='set' to='pubsub.localhost' id='s'><pubsub xmlns='{PUBSUB}'><subscribe node='/n' jid='{FULL}'/>{options}</pubsub></iq>"));
        let mut all = agent.read();
        let id = all.remove(0).find(&["pubsub", "subscription"]).unwrap().attr("subid").unwrap().to_owned();
        (id, all)
    };
    let (a, last) = subscribe("");
    assert_eq!(subids(&last[0]), [a.as_str()]);
    let (b, last) = subscribe("");
    assert_eq!((last.len(), subids(&last[0])), (1, vec![b.clone()]), "of the new one");
    let (_, last) = subscribe(&format!("<options>{}</options>", submitted(&[("show-values", "away")])));
    assert!(last.is_empty());
    agent.send("<presence type='unavailable'/>");
    agent.read();
    agent.send("<presence/>");
    let events: Vec<_> = agent.read().into_iter().filter(|r| r.class.is_none()).collect();
    assert_eq!((events.len(), subids(&events[0])), (1, vec![a, b]));
    configure(&mut owner, &[("send_last_published_item", "never")]).ok();
}

#[test]
fn x71_temporary_subscriptions_end_with_presence() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    let temporary = [("expire", "presence")];
    let subscribers = || service.broker().subscribers("/n").len();
    subscribe_with(&mut agent, FULL, &temporary);
    subscribe_with(&mut agent, BARE, &temporary);
    let mut other = client(&service, "agent1", "b");
    subscribe_with(&mut other, "agent1@localhost/b", &[]);
    agent.read();
    owner.publish("/n", "1").ok();
    assert_eq!((agent.read().len(), other.read().len()), (2, 2));
    agent.send("<presence type='unavailable'/>");
    assert_eq!(subscribers(), 2, "that of the account goes on while another resource is available");
    drop(agent);
    drop(other);
    assert_eq!(subscribers(), 1, "the lasting one lies dormant");
    let mut agent = client(&service, "agent1", "a");
    subscribe_with(&mut agent, FULL, &temporary);
    drop(agent);
    assert_eq!(subscribers(), 1, "a connection that breaks is the end of presence");
    let mut agent = client(&service, "agent1", "a");
    subscribe_with(&mut agent, FULL, &temporary);
    let _newer = client(&service, "agent1", "a");
    assert_eq!(subscribers(), 1, "and so is a replacement");
    drop(agent);
}

#[test]
fn x71_a_node_may_make_every_subscription_temporary() {
    let service = strict();
    let (_owner, mut agent) = stored(&service, &[("tempsub", "1")]);
    agent.subscribe("/n").ok();
    let form = agent.get(&format!("<options node='/n' jid='{FULL}'/>")).ok();
    assert_eq!(value(&form, "options", "expire"), ["presence"]);
    agent.send("<presence type='unavailable'/>");
    assert!(service.broker().subscribers("/n").is_empty());
}

#[test]
fn subscriptions_expire_by_the_clock_of_the_service() {
    let service = multi();
    let (mut owner, mut agent) = stored(&service, &[]);
    let now = agent.base;
    assert_eq!(service.handle_timeout(now), None);
    let in_an_hour = xmpp_date(3600);
    let a = subscribe_with(&mut agent, FULL, &[("expire", &in_an_hour)]).unwrap();
    let b = subscribe_with(&mut agent, FULL, &[("expire", &xmpp_date(7200))]).unwrap();
    let due = service.handle_timeout(now).unwrap();
    assert!((3590..=3601).contains(&(due - now).as_secs()), "{:?}", due - now);
    owner.publish("/n", "1").ok();
    assert_eq!(subids(&agent.one()), [a.clone(), b.clone()]);
    let next = service.handle_timeout(due).unwrap();
    assert!(next > due + Duration::from_secs(3000));
    let told = agent.one();
    let told = told.find(&["event", "subscription"]).unwrap();
    assert_eq!((told.attr("subid"), told.attr("subscription")), (Some(a.as_str()), Some("none")));
    owner.publish("/n", "2").ok();
    assert_eq!(subids(&agent.one()), [b]);
    assert_eq!(service.handle_timeout(next), None);
    agent.read();
    owner.publish("/n", "3").ok();
    assert!(agent.read().is_empty());
    assert!(service.broker().subscribers("/n").is_empty());
}

/// A date some seconds from now.
fn xmpp_date(seconds: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let at = jiff::Timestamp::from_second((now + seconds).cast_signed()).unwrap();
    at.to_string()
}

#[test]
fn a_lease_that_is_taken_back_does_not_end_anything() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    subscribe_with(&mut agent, FULL, &[("expire", &xmpp_date(60))]);
    set_options(&mut agent, FULL, "", &[("expire", "")]).ok();
    assert_eq!(service.handle_timeout(agent.base + Duration::from_secs(3600)), None);
    owner.publish("/n", "1").ok();
    assert_eq!(agent.one().items(), ["1"]);
}

#[test]
fn owners_hear_of_subscriptions_where_the_node_says_so() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    agent.subscribe("/n").ok();
    assert!(owner.read().is_empty());
    configure(&mut owner, &[("notify_sub", "1")]).ok();
    agent.read();
    agent.subscribe("/n").ok();
    assert!(owner.read().is_empty(), "nothing new");
    for (request, state) in [("unsubscribe", "none"), ("subscribe", "subscribed")] {
        agent.set(&format!("<{request} node='/n' jid='{FULL}'/>")).ok();
        let told = owner.one();
        let told = told.find(&["event", "subscription"]).unwrap();
        assert_eq!((told.attr("jid"), told.attr("subscription")), (Some(FULL), Some(state)));
    }
}

fn bounce(client: &mut Client, event: &Received, kind: &str) {
    let id = event.attr("id").unwrap().to_owned();
    let to = event.attr("to").unwrap().to_owned();
    client.send(&format!(
        "<message type='error' to='pubsub.localhost' from='{to}' id='{id}'><error type='{kind}'>\
         <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    ));
}

#[test]
fn three_final_errors_end_the_subscription_they_are_about() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    agent.subscribe("/n").ok();
    agent.set(&format!("<subscribe node='/n' jid='{BARE}'/>")).ok();
    let mut published = 0;
    let mut event = |agent: &mut Client, to: &str| {
        published += 1;
        owner.publish("/n", &published.to_string()).ok();
        agent.read().into_iter().find(|event| event.attr("to") == Some(to)).unwrap()
    };
    for _ in 0..5 {
        let one = event(&mut agent, FULL);
        bounce(&mut agent, &one, "wait");
    }
    for _ in 0..2 {
        let one = event(&mut agent, FULL);
        bounce(&mut agent, &one, "cancel");
    }
    assert_eq!(service.broker().subscribers("/n").len(), 2);
    let one = event(&mut agent, FULL);
    bounce(&mut agent, &one, "cancel");
    let left = service.broker().subscribers("/n");
    assert_eq!(left.iter().map(|address| address.to_string()).collect::<Vec<_>>(), [BARE]);
    let told = agent.one();
    assert_eq!(told.find(&["event", "subscription"]).unwrap().attr("subscription"), Some("none"));
}

#[test]
fn errors_never_end_the_subscriptions_of_the_server() {
    let service = finesse();
    let mut agent = client(&service, "1001", "x");
    let node = "/finesse/api/User/1001";
    for _ in 0..5 {
        let event = xmpp::notification("pubsub.localhost", node, "<Update/>");
        assert_eq!(service.broker().publish(node, event).sessions, 1);
        let event = agent.one();
        bounce(&mut agent, &event, "cancel");
        assert!(agent.read().is_empty());
    }
    agent.subscribe(node).ok();
    for _ in 0..3 {
        let id = format!("{node}__1001@localhost__00000");
        agent.send(&format!(
            "<message type='error' to='pubsub.localhost' id='{id}'><error type='cancel'/></message>"
        ));
    }
    let left = service.broker().subscribers(node);
    assert_eq!(left.len(), 1, "the explicit one is gone, the automatic one is not");
    assert_eq!(left[0].resource, None);
}

#[test]
fn x71_a_removed_user_leaves_nothing() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[("access_model", "authorize")]);
    common::affiliate(&mut owner, BARE, "publisher").ok();
    agent.subscribe("/n").ok();
    let mut waiting = client(&service, "agent2", "b");
    waiting.set("<subscribe node='/n' jid='agent2@localhost'/>").ok();
    agent.read();
    assert!(service.remove_user("Agent1"));
    assert!(service.remove_user("agent2"));
    for client in [&agent, &waiting] {
        assert_eq!(client.outbox.is_ended(), Some(EndReason::Removed));
    }
    assert!(service.broker().subscribers("/n").is_empty());
    let affiliated = owner.owner_get("<affiliations node='/n'/>").ok();
    assert_eq!(affiliated.find(&["pubsub", "affiliations"]).unwrap().children().count(), 1);
    let listed = owner.owner_get("<subscriptions node='/n'/>").ok();
    assert_eq!(listed.find(&["pubsub", "subscriptions"]).unwrap().children().count(), 0);
    drop((agent, waiting));
    assert!(!service.remove_user("agent2"), "nothing is left");
    assert!(service.remove_user("own1"));
    let mut again = client(&service, "agent1", "a");
    again.subscribe("/n").ok();
    assert!(again.read().is_empty(), "nobody is there to be asked, and nothing is wrong");
}

#[test]
fn x72_a_slow_special_subscriber_ends_alone() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    let small = Outbox::new(OutboxLimits { max_items: 10, ..OutboxLimits::default() });
    let bound = service.bind(&common::principal("agent2"), Some("slow"), small.clone()).unwrap();
    let mut slow = Client::new(bound, small);
    slow.send("<presence/>");
    slow.read();
    for (client, jid) in [(&mut agent, FULL), (&mut slow, "agent2@localhost/slow")] {
        subscribe_with(client, jid, &[("include_body", "1")]);
    }
    for n in 0..20 {
        owner.publish("/n", &n.to_string()).ok();
    }
    assert_eq!(slow.outbox.is_ended(), Some(EndReason::Overflow));
    assert_eq!(agent.read().len(), 20);
}

#[test]
fn n39_n42_dormant_subscriptions_keep_their_options() {
    let service = strict();
    let (mut owner, mut agent) = stored(&service, &[]);
    subscribe_with(&mut agent, FULL, &[("include_body", "1")]);
    drop(agent);
    owner.publish("/n", "1").ok();
    let mut agent = client(&service, "agent1", "a");
    assert!(agent.read().is_empty(), "nothing was stored");
    agent.subscribe("/n").ok();
    owner.publish("/n", "2").ok();
    let event = agent.one();
    assert_eq!((event.items(), event.find(&["body"]).is_some()), (vec!["2".to_owned()], true));
}

#[test]
fn nobody_is_rendered_for_while_everything_is_withheld() {
    let service = strict();
    let (_owner, mut agent) = stored(&service, &[]);
    subscribe_with(&mut agent, FULL, &[("deliver", "0")]);
    let published = service.broker().publish_with("/n", || unreachable!("nobody listens"));
    assert!(published.known && published.sessions == 0);
}
