//! Requirement 59 at a glance: every row of the error table of XEP-0060 (§6 to §8) and XEP-0248 (§7) with the
//! condition, the type that goes with it, and the element of `pubsub#errors`.
//!
//! Rows that cannot arise here, and why:
//! * *anonymous user* (§6.1.3.6): every login is that of an account.
//! * *subscribe unsupported* (§6.1.3.10): subscribing cannot be switched off; `subscribe` of a node can, which is a
//!   row of its own.
//! * *payment or registration required* (§6.1.3.5, §8.1.1): there is neither.
//! * *configuration required* (§6.1.3.7): no subscription is `unconfigured`.
//! * *create, delete, publish, … unsupported*: these features are always there; who may use them is a matter of rights.

mod common;

use common::*;
use xmpp::{Config, Profile, Service};

/// How the service is configured.
#[derive(Clone, Copy, Debug)]
enum With {
    Finesse,
    Strict,
    Multi,
    Collections,
}

impl With {
    fn service(self) -> Service {
        let strict = config(Profile::Strict);
        match self {
            Self::Finesse => finesse(),
            Self::Strict => service_with(strict),
            Self::Multi => service_with(Config { multi_subscribe: true, ..strict }),
            Self::Collections => service_with(Config { collections: true, ..strict }),
        }
    }
}

/// The owner of `/n`, who is `own1@localhost/o`, and `agent1@localhost/a`, who may not publish.
struct Desk {
    service: Service,
    owner: Client,
    agent: Client,
}

fn create(node: &str, fields: &[(&str, &str)]) -> String {
    format!("<create node='{node}'/><configure>{}</configure>", form("node_config", fields))
}

fn options(verb: &str, fields: &[(&str, &str)]) -> String {
    format!("<options {verb}>{}</options>", form("subscribe_options", fields))
}

const AGENT: &str = "node='/n' jid='agent1@localhost/a'";
const ITEM: &str = "<item><x xmlns='urn:x'/></item>";

/// Situation, configuration of the service, of `/n`, what is asked, and the error: type, condition, detail.
type Row =
    (&'static str, With, &'static [(&'static str, &'static str)], fn(&mut Desk) -> Received, &'static str);

/// §5, §6: subscribers.
const SUBSCRIBERS: &[Row] = &[
    (
        "node missing",
        With::Finesse,
        &[],
        |d| d.agent.set("<subscribe jid='agent1@localhost'/>"),
        "modify bad-request nodeid-required",
    ),
    ("unknown node", With::Finesse, &[], |d| d.agent.subscribe("/none"), "cancel item-not-found"),
    (
        "foreign JID",
        With::Finesse,
        &[],
        |d| d.agent.set("<subscribe node='/n' jid='own1@localhost'/>"),
        "modify bad-request invalid-jid",
    ),
    (
        "outcast",
        With::Finesse,
        &[],
        |d| {
            affiliate(&mut d.owner, "agent1@localhost", "outcast").ok();
            d.agent.read();
            d.agent.subscribe("/n")
        },
        "auth forbidden",
    ),
    (
        "subscriptions disabled",
        With::Finesse,
        &[("subscribe", "0")],
        |d| d.agent.subscribe("/n"),
        "cancel not-allowed",
    ),
    (
        "presence",
        With::Strict,
        &[("access_model", "presence")],
        |d| d.agent.subscribe("/n"),
        "auth not-authorized presence-subscription-required",
    ),
    (
        "roster",
        With::Strict,
        &[("access_model", "roster")],
        |d| d.agent.subscribe("/n"),
        "auth not-authorized not-in-roster-group",
    ),
    (
        "pending",
        With::Finesse,
        &[("access_model", "authorize")],
        |d| {
            d.agent.subscribe("/n").ok();
            d.agent.subscribe("/n")
        },
        "auth not-authorized pending-subscription",
    ),
    (
        "whitelist",
        With::Finesse,
        &[("access_model", "whitelist")],
        |d| d.agent.subscribe("/n"),
        "cancel not-allowed closed-node",
    ),
    (
        "too many",
        With::Multi,
        &[],
        |d| {
            (0..16).for_each(|_| drop(d.agent.subscribe("/n").ok()));
            d.agent.subscribe("/n")
        },
        "wait policy-violation too-many-subscriptions",
    ),
    (
        "node moved",
        With::Finesse,
        &[],
        |d| {
            d.owner
                .owner_set("<delete node='/n'><redirect uri='xmpp:pubsub.localhost?;node=/m'/></delete>")
                .ok();
            d.agent.subscribe("/n")
        },
        "cancel gone",
    ),
    (
        "unsubscribe: no jid",
        With::Finesse,
        &[],
        |d| d.agent.set("<unsubscribe node='/n'/>"),
        "modify bad-request jid-required",
    ),
    (
        "unsubscribe: not subscribed",
        With::Finesse,
        &[],
        |d| d.agent.set(&format!("<unsubscribe {AGENT}/>")),
        "modify unexpected-request not-subscribed",
    ),
    (
        "unsubscribe: other's",
        With::Finesse,
        &[],
        |d| {
            d.owner.subscribe("/n").ok();
            d.agent.set("<unsubscribe node='/n' jid='own1@localhost/o'/>")
        },
        "auth forbidden",
    ),
    (
        "subid needed",
        With::Multi,
        &[],
        |d| {
            d.agent.subscribe("/n").ok();
            d.agent.subscribe("/n").ok();
            d.agent.set(&format!("<unsubscribe {AGENT}/>"))
        },
        "modify bad-request subid-required",
    ),
    (
        "subid wrong",
        With::Multi,
        &[],
        |d| {
            d.agent.subscribe("/n").ok();
            d.agent.set(&format!("<unsubscribe {AGENT} subid='7'/>"))
        },
        "modify not-acceptable invalid-subid",
    ),
    (
        "options: unsupported",
        With::Finesse,
        &[],
        |d| d.agent.get(&format!("<options {AGENT}/>")),
        "cancel feature-not-implemented unsupported subscription-options",
    ),
    (
        "options: not subscribed",
        With::Strict,
        &[],
        |d| d.agent.get(&format!("<options {AGENT}/>")),
        "modify unexpected-request not-subscribed",
    ),
    (
        "options: bad values",
        With::Strict,
        &[],
        |d| {
            d.agent.subscribe("/n").ok();
            d.agent.set(&options(AGENT, &[("deliver", "maybe")]))
        },
        "modify bad-request invalid-options",
    ),
    (
        "options: no digests",
        With::Strict,
        &[],
        |d| {
            d.agent.subscribe("/n").ok();
            d.agent.set(&options(AGENT, &[("digest", "1")]))
        },
        "modify bad-request invalid-options",
    ),
    (
        "options: no form",
        With::Strict,
        &[],
        |d| {
            d.agent.subscribe("/n").ok();
            d.agent.set(&format!("<options {AGENT}/>"))
        },
        "modify bad-request",
    ),
    (
        "items: not subscribed",
        With::Finesse,
        &[("access_model", "authorize")],
        |d| d.agent.get("<items node='/n'/>"),
        "auth not-authorized not-subscribed",
    ),
    (
        "items: presence",
        With::Strict,
        &[("access_model", "presence")],
        |d| d.agent.get("<items node='/n'/>"),
        "auth not-authorized presence-subscription-required",
    ),
    (
        "items: roster",
        With::Strict,
        &[("access_model", "roster")],
        |d| d.agent.get("<items node='/n'/>"),
        "auth not-authorized not-in-roster-group",
    ),
    (
        "items: whitelist",
        With::Finesse,
        &[("access_model", "whitelist")],
        |d| d.agent.get("<items node='/n'/>"),
        "cancel not-allowed closed-node",
    ),
    (
        "items: outcast",
        With::Finesse,
        &[],
        |d| {
            affiliate(&mut d.owner, "agent1@localhost", "outcast").ok();
            d.agent.read();
            d.agent.get("<items node='/n'/>")
        },
        "auth forbidden",
    ),
    (
        "items: transient",
        With::Finesse,
        &[("persist_items", "0")],
        |d| d.agent.get("<items node='/n'/>"),
        "cancel feature-not-implemented unsupported persistent-items",
    ),
    (
        "items: collection",
        With::Collections,
        &[],
        |d| {
            d.owner.create("/c", &[("node_type", "collection")]);
            d.owner.get("<items node='/c'/>")
        },
        "cancel feature-not-implemented unsupported retrieve-items",
    ),
    (
        "collection twice",
        With::Collections,
        &[],
        |d| {
            let service =
                service_with(Config { collections: true, multi_subscribe: true, ..config(Profile::Strict) });
            let mut owner = client(&service, "own1", "o");
            owner.create("/c", &[("node_type", "collection")]);
            owner.subscribe("/c").ok();
            d.service = service;
            owner.subscribe("/c")
        },
        "cancel conflict",
    ),
];

/// §7: publishers.
const PUBLISHERS: &[Row] = &[
    ("no right", With::Finesse, &[], |d| d.agent.publish("/n", "1"), "auth forbidden"),
    ("unknown node", With::Finesse, &[], |d| d.owner.publish("/none", "1"), "cancel item-not-found"),
    (
        "to a collection",
        With::Collections,
        &[],
        |d| {
            d.owner.create("/c", &[("node_type", "collection")]);
            d.owner.publish("/c", "1")
        },
        "cancel feature-not-implemented unsupported publish",
    ),
    (
        "payload too big",
        With::Finesse,
        &[("max_payload_size", "5")],
        |d| d.owner.publish("/n", "1"),
        "modify not-acceptable payload-too-big",
    ),
    (
        "two payloads",
        With::Finesse,
        &[],
        |d| d.owner.set("<publish node='/n'><item><x xmlns='u'/><x xmlns='u'/></item></publish>"),
        "modify bad-request invalid-payload",
    ),
    (
        "item missing",
        With::Finesse,
        &[],
        |d| d.owner.set("<publish node='/n'/>"),
        "modify bad-request item-required",
    ),
    (
        "payload missing",
        With::Finesse,
        &[],
        |d| d.owner.set("<publish node='/n'><item/></publish>"),
        "modify bad-request payload-required",
    ),
    (
        "item forbidden",
        With::Finesse,
        &[("persist_items", "0"), ("deliver_payloads", "0")],
        |d| d.owner.publish("/n", "1"),
        "modify bad-request item-forbidden",
    ),
    (
        "node full",
        With::Finesse,
        &[("max_items", "1"), ("publish_node_full", "reject")],
        |d| {
            d.owner.publish("/n", "1").ok();
            d.owner.publish("/n", "2")
        },
        "cancel conflict node-full",
    ),
    (
        "too many items",
        With::Finesse,
        &[("max_items", "1")],
        |d| d.owner.set(&format!("<publish node='/n'>{ITEM}{ITEM}</publish>")),
        "cancel not-allowed max-items-exceeded",
    ),
    (
        "precondition",
        With::Finesse,
        &[],
        |d| {
            let form = form("publish-options", &[("access_model", "whitelist")]);
            d.owner
                .set(&format!("<publish node='/n'>{ITEM}</publish><publish-options>{form}</publish-options>"))
        },
        "cancel conflict precondition-not-met",
    ),
    (
        "retract without item",
        With::Finesse,
        &[],
        |d| d.owner.set("<retract node='/n'/>"),
        "modify bad-request item-required",
    ),
    (
        "retract without id",
        With::Finesse,
        &[],
        |d| d.owner.set("<retract node='/n'><item/></retract>"),
        "modify bad-request item-required",
    ),
    (
        "retract unknown",
        With::Finesse,
        &[],
        |d| d.owner.set("<retract node='/n'><item id='1'/></retract>"),
        "cancel item-not-found",
    ),
    (
        "retract foreign",
        With::Finesse,
        &[("publish_model", "open")],
        |d| {
            d.owner.publish("/n", "1").ok();
            client(&d.service, "own2", "x").set("<retract node='/n'><item id='1'/></retract>")
        },
        "auth forbidden",
    ),
    (
        "retract transient",
        With::Finesse,
        &[("persist_items", "0")],
        |d| d.owner.set("<retract node='/n'><item id='1'/></retract>"),
        "cancel feature-not-implemented unsupported persistent-items",
    ),
];

/// §8: owners.
const OWNERS: &[Row] = &[
    ("exists", With::Finesse, &[], |d| d.owner.set("<create node='/n'/>"), "cancel conflict"),
    (
        "the server's",
        With::Finesse,
        &[],
        |d| d.owner.set("<create node='/finesse/api/SystemInfo'/>"),
        "cancel conflict",
    ),
    ("not allowed", With::Finesse, &[], |d| d.agent.set("<create node='/m'/>"), "auth forbidden"),
    ("no instant node", With::Finesse, &[], |d| d.agent.set("<create/>"), "auth forbidden"),
    (
        "access model unknown",
        With::Finesse,
        &[],
        |d| d.owner.set(&create("/m", &[("access_model", "secret")])),
        "modify not-acceptable unsupported-access-model",
    ),
    (
        "bad value",
        With::Finesse,
        &[],
        |d| d.owner.set(&create("/m", &[("purge_offline", "sometimes")])),
        "modify not-acceptable",
    ),
    (
        "no collections",
        With::Finesse,
        &[],
        |d| d.owner.set(&create("/m", &[("node_type", "collection")])),
        "cancel feature-not-implemented unsupported collections",
    ),
    (
        "parent unknown",
        With::Collections,
        &[],
        |d| d.owner.set(&create("/m", &[("collection", "/none")])),
        "cancel item-not-found",
    ),
    (
        "leaf parent",
        With::Collections,
        &[],
        |d| d.owner.set(&create("/m", &[("collection", "/n")])),
        "modify not-acceptable",
    ),
    (
        "parent full",
        With::Collections,
        &[],
        |d| {
            d.owner.create("/c", &[("node_type", "collection"), ("children_max", "0")]);
            d.owner.set(&create("/m", &[("collection", "/c")]))
        },
        "cancel conflict max-nodes-exceeded",
    ),
    (
        "foreign parent",
        With::Collections,
        &[],
        |d| {
            d.owner.create("/c", &[("node_type", "collection")]);
            client(&d.service, "own2", "x").set(&create("/m", &[("collection", "/c")]))
        },
        "auth forbidden",
    ),
    (
        "its own parent",
        With::Collections,
        &[],
        |d| {
            d.owner.create("/c", &[("node_type", "collection")]);
            let form = form("node_config", &[("collection", "/c")]);
            d.owner.owner_set(&format!("<configure node='/c'>{form}</configure>"))
        },
        "cancel not-allowed",
    ),
    (
        "configure: not owner",
        With::Finesse,
        &[],
        |d| configure(&mut d.agent, &[("title", "x")]),
        "auth forbidden",
    ),
    ("delete: not owner", With::Finesse, &[], |d| d.agent.owner_set("<delete node='/n'/>"), "auth forbidden"),
    ("purge: not owner", With::Finesse, &[], |d| d.agent.owner_set("<purge node='/n'/>"), "auth forbidden"),
    (
        "subscriptions: not owner",
        With::Finesse,
        &[],
        |d| d.agent.owner_get("<subscriptions node='/n'/>"),
        "auth forbidden",
    ),
    (
        "affiliations: not owner",
        With::Finesse,
        &[],
        |d| d.agent.owner_get("<affiliations node='/n'/>"),
        "auth forbidden",
    ),
    (
        "configure: no form",
        With::Finesse,
        &[],
        |d| d.owner.owner_set("<configure node='/n'/>"),
        "modify bad-request",
    ),
    (
        "last owner",
        With::Finesse,
        &[],
        |d| affiliate(&mut d.owner, "own1@localhost", "none"),
        "modify not-acceptable",
    ),
    ("delete the root", With::Collections, &[], |d| d.owner.owner_set("<delete/>"), "cancel not-allowed"),
    (
        "purge transient",
        With::Finesse,
        &[("persist_items", "0")],
        |d| d.owner.owner_set("<purge node='/n'/>"),
        "cancel feature-not-implemented unsupported persistent-items",
    ),
    (
        "purge a collection",
        With::Collections,
        &[],
        |d| {
            d.owner.create("/c", &[("node_type", "collection")]);
            d.owner.owner_set("<purge node='/c'/>")
        },
        "cancel feature-not-implemented unsupported purge-nodes",
    ),
    (
        "subscription without subid",
        With::Multi,
        &[],
        |d| {
            d.agent.subscribe("/n").ok();
            d.owner.owner_set("<subscriptions node='/n'><subscription jid='agent1@localhost/a' subscription='none'/></subscriptions>")
        },
        "modify bad-request",
    ),
    (
        "unknown verb",
        With::Finesse,
        &[],
        |d| d.owner.set("<dance node='/n'/>"),
        "cancel feature-not-implemented",
    ),
    (
        "get for set",
        With::Finesse,
        &[],
        |d| d.owner.get(&format!("<publish node='/n'>{ITEM}</publish>")),
        "modify bad-request",
    ),
    ("set for get", With::Finesse, &[], |d| d.owner.set("<items node='/n'/>"), "modify bad-request"),
];

#[test]
fn x59_error_table_every_row_has_its_type_condition_and_detail() {
    for (situation, with, fields, ask, expected) in SUBSCRIBERS.iter().chain(PUBLISHERS).chain(OWNERS) {
        let service = with.service();
        let (owner, agent) = stored(&service, fields);
        let answer = ask(&mut Desk { service, owner, agent });
        let (kind, condition, detail) = answer.error();
        let detail = detail.map_or_else(String::new, |detail| format!(" {detail}"));
        assert_eq!(
            format!("{kind} {condition}{detail}"),
            *expected,
            "{situation} ({with:?}): {}",
            answer.xml
        );
    }
}

#[test]
fn x59_error_table_unknown_items_are_no_error() {
    let service = finesse();
    let (_owner, mut agent) = stored(&service, &[]);
    assert_eq!(agent.get("<items node='/n'><item id='none'/></items>").ok().items(), [""; 0]);
}

#[test]
fn x59_error_table_the_last_owner_is_named() {
    let service = finesse();
    let (mut owner, _agent) = stored(&service, &[]);
    let answer = affiliate(&mut owner, "own1@localhost", "none");
    let offender = answer.find(&["pubsub", "affiliations", "affiliation"]).expect("who it is about");
    assert_eq!(offender.attr("jid"), Some("own1@localhost"));
}
