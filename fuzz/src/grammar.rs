//! Requests from a few bytes: each byte is a choice, so that mutations of the input are mutations of the
//! request and not of its syntax.

const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";

/// Choices left; without any, every choice is the first.
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    fn of<T: Copy>(&mut self, options: &[T]) -> T {
        options[usize::from(self.byte()) % options.len()]
    }
}

const NODES: &[&str] = &["/n", "/finesse/api/User/1001", "/a", "/b", "/c", "", "/&lt;&amp;&quot;", "/none"];
const ADDRESSES: &[&str] = &[
    "1001@localhost",
    "1001@localhost/r",
    "own1@localhost",
    "own1@localhost/r",
    "1001@localhost/other",
    "witness@localhost/r",
    "1001@elsewhere",
    "@",
    "",
];
const ITEMS: &[&str] = &["i1", "i2", "i3", "", "current"];
/// Stands for the id of the subscription that was made last, wherever a script sends XML.
pub const SUBID: &str = "$subid";
const SUBIDS: &[&str] = &["", "1", SUBID];
const NUMBERS: &[&str] = &["0", "1", "2", "10", "max", "-1", "99999999999", ""];
const ACCESS: &[&str] = &["open", "authorize", "whitelist", "presence", "roster", "none"];
const WORDS: &[&str] = &["owner", "publisher", "member", "outcast", "publish-only", "none", "boss"];
const STATES: &[&str] = &["subscribed", "none", "pending", "unconfigured", "?"];
const BOOLEANS: &[&str] = &["1", "0", "true", "false", "yes"];
const MODELS: &[&str] = &["publishers", "subscribers", "open"];
const LAST: &[&str] = &["never", "on_sub", "on_sub_and_presence"];
const DATES: &[&str] = &["2020-01-01T00:00:00Z", "2035-12-31T23:59:59Z", "presence", "never"];
const LINKS: &[&str] = &["/a", "/b", "/c", "xmpp:pubsub.localhost?;node=/a"];
const KINDS: &[&str] = &["leaf", "collection"];
const DEPTHS: &[&str] = &["1", "2", "all"];
const SUBSCRIPTION_TYPES: &[&str] = &["items", "nodes"];

/// Fields of the three forms, with the values that are tried.
const FIELDS: &[(&str, &[&str])] = &[
    ("access_model", ACCESS),
    ("persist_items", BOOLEANS),
    ("max_items", NUMBERS),
    ("deliver_payloads", BOOLEANS),
    ("deliver_notifications", BOOLEANS),
    ("notify_config", BOOLEANS),
    ("notify_delete", BOOLEANS),
    ("notify_retract", BOOLEANS),
    ("notify_sub", BOOLEANS),
    ("publish_model", MODELS),
    ("send_last_published_item", LAST),
    ("presence_based_delivery", BOOLEANS),
    ("max_payload_size", NUMBERS),
    ("itemreply", &["owner", "publisher"]),
    ("item_expire", NUMBERS),
    ("title", NODES),
    ("collection", LINKS),
    ("children", LINKS),
    ("node_type", KINDS),
    ("roster_groups_allowed", WORDS),
    ("deliver", BOOLEANS),
    ("digest", BOOLEANS),
    ("digest_frequency", NUMBERS),
    ("expire", DATES),
    ("include_body", BOOLEANS),
    ("show-values", &["online", "away", "chat", "dnd", "xa"]),
    ("subscription_type", SUBSCRIPTION_TYPES),
    ("subscription_depth", DEPTHS),
    ("notification_type", &["normal", "headline"]),
    ("node", NODES),
    ("subscriber_jid", ADDRESSES),
    ("allow", BOOLEANS),
];

fn form(choices: &mut Choices<'_>) -> String {
    let kind = choices.of(&[
        "node_config",
        "subscribe_options",
        "publish-options",
        "subscribe_authorization",
        "other",
    ]);
    let action = choices.of(&["submit", "submit", "submit", "cancel", "form", ""]);
    let mut fields = String::new();
    for _ in 0..choices.byte() % 4 {
        let (name, values) = choices.of(FIELDS);
        let mut value = String::new();
        for _ in 0..choices.of(&[1, 1, 1, 0, 2]) {
            value += &format!("<value>{}</value>", choices.of(values));
        }
        fields += &format!("<field var='pubsub#{name}'>{value}</field>");
    }
    format!(
        "<x xmlns='jabber:x:data' type='{action}'><field var='FORM_TYPE' type='hidden'>\
         <value>http://jabber.org/protocol/pubsub#{kind}</value></field>{fields}</x>"
    )
}

fn rsm(choices: &mut Choices<'_>) -> String {
    let content = match choices.byte() % 5 {
        0 => return String::new(),
        1 => format!("<max>{}</max>", choices.of(NUMBERS)),
        2 => format!("<max>2</max><after>{}</after>", choices.of(ITEMS)),
        3 => format!("<max>1</max><before>{}</before>", choices.of(ITEMS)),
        _ => format!("<index>{}</index>", choices.of(NUMBERS)),
    };
    format!("<set xmlns='http://jabber.org/protocol/rsm'>{content}</set>")
}

fn item(choices: &mut Choices<'_>) -> String {
    let id = choices.of(ITEMS);
    let payload = choices.of(&[
        "<x xmlns='urn:x'>1</x>",
        "",
        "<x xmlns='urn:x'><y a='&lt;'/>]]&gt;</x>",
        "<x xmlns='urn:x'/><z xmlns='urn:x'/>",
        "<event xmlns='http://jabber.org/protocol/pubsub#event'/>",
    ]);
    format!("<item id='{id}'>{payload}</item>")
}

/// A request to the publish-subscribe service: type, namespace, content.
fn verb(choices: &mut Choices<'_>) -> (&'static str, &'static str, String) {
    let which = choices.byte() % 22;
    let node = choices.of(NODES);
    let jid = choices.of(ADDRESSES);
    let subid = match choices.of(SUBIDS) {
        "" => String::new(),
        subid => format!(" subid='{subid}'"),
    };
    match which {
        0 => ("set", PUBSUB, format!("<subscribe node='{node}' jid='{jid}'/>")),
        1 => {
            let options = format!("<options>{}</options>", form(choices));
            ("set", PUBSUB, format!("<subscribe node='{node}' jid='{jid}'/>{options}"))
        }
        2 => ("set", PUBSUB, format!("<unsubscribe node='{node}' jid='{jid}'{subid}/>")),
        3 => ("get", PUBSUB, format!("<options node='{node}' jid='{jid}'{subid}/>")),
        4 => {
            ("set", PUBSUB, format!("<options node='{node}' jid='{jid}'{subid}>{}</options>", form(choices)))
        }
        5 => ("get", PUBSUB, format!("<subscriptions node='{node}'/>")),
        6 => ("get", PUBSUB, "<affiliations/>".into()),
        7 => ("set", PUBSUB, format!("<publish node='{node}'>{}</publish>", item(choices))),
        8 => {
            let options = format!("<publish-options>{}</publish-options>", form(choices));
            ("set", PUBSUB, format!("<publish node='{node}'>{}</publish>{options}", item(choices)))
        }
        9 => {
            let id = choices.of(ITEMS);
            ("set", PUBSUB, format!("<retract node='{node}' notify='1'><item id='{id}'/></retract>"))
        }
        10 => ("set", PUBSUB, format!("<create node='{node}'/>")),
        11 => {
            let configure = format!("<configure>{}</configure>", form(choices));
            ("set", PUBSUB, format!("<create node='{node}'/>{configure}"))
        }
        12 => {
            let most = choices.of(NUMBERS);
            ("get", PUBSUB, format!("<items node='{node}' max_items='{most}'/>{}", rsm(choices)))
        }
        13 => ("get", PUBSUB, format!("<default node='{node}'/>")),
        14 => ("get", OWNER, format!("<configure node='{node}'/>")),
        15 => ("set", OWNER, format!("<configure node='{node}'>{}</configure>", form(choices))),
        16 => ("get", OWNER, "<default/>".into()),
        17 => {
            let uri = choices.of(LINKS);
            ("set", OWNER, format!("<delete node='{node}'><redirect uri='{uri}'/></delete>"))
        }
        18 => ("set", OWNER, format!("<purge node='{node}'/>")),
        19 => ("get", OWNER, format!("<subscriptions node='{node}'/>")),
        20 => {
            let state = choices.of(STATES);
            let entry = format!("<subscription jid='{jid}' subscription='{state}'{subid}/>");
            ("set", OWNER, format!("<subscriptions node='{node}'>{entry}</subscriptions>"))
        }
        _ => {
            let word = choices.of(WORDS);
            let entry = format!("<affiliation jid='{jid}' affiliation='{word}'/>");
            ("set", OWNER, format!("<affiliations node='{node}'>{entry}</affiliations>"))
        }
    }
}

/// Content of requests that are not publish-subscribe.
const QUERIES: &[&str] = &[
    "<ping xmlns='urn:xmpp:ping'/>",
    "<query xmlns='jabber:iq:roster'/>",
    "<query xmlns='jabber:iq:version'/>",
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    "<query xmlns='http://jabber.org/protocol/disco#items'/>",
    "<query xmlns='http://jabber.org/protocol/disco#info' node='/n'/>",
    "<query xmlns='http://jabber.org/protocol/disco#items' node='/a'/>",
    "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>",
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
    "<command xmlns='http://jabber.org/protocol/commands' action='execute' \
     node='http://jabber.org/protocol/pubsub#get-pending'/>",
    "<query xmlns='jabber:iq:private'/>",
    "",
    "<a xmlns='urn:a'/><b xmlns='urn:b'/>",
];

fn presence(choices: &mut Choices<'_>) -> String {
    let kind = choices.of(&[
        "",
        " type='unavailable'",
        " to='own1@localhost'",
        " type='probe' to='finesse@localhost'",
        " type='subscribe' to='own1@localhost'",
        " type='nonsense'",
    ]);
    let content = choices.of(&["", "<priority>-1</priority>", "<show>dnd</show>", "<priority>x</priority>"]);
    format!("<presence xmlns='jabber:client'{kind}>{content}</presence>")
}

fn message(choices: &mut Choices<'_>) -> String {
    let to = choices.of(ADDRESSES);
    let kind = choices.of(&["chat", "error", "headline"]);
    let content = match choices.byte() % 3 {
        0 => "<body>b</body>".to_owned(),
        1 => "<event xmlns='http://jabber.org/protocol/pubsub#event'/>".to_owned(),
        _ => form(choices),
    };
    format!("<message xmlns='jabber:client' to='{to}' type='{kind}'>{content}</message>")
}

/// One stanza; `serial` makes the ids of requests differ.
pub fn stanza(choices: &mut Choices<'_>, serial: u32) -> String {
    let iq = |kind: &str, to: &str, content: &str| {
        format!("<iq xmlns='jabber:client' type='{kind}' id='q{serial}' to='{to}'>{content}</iq>")
    };
    match choices.byte() % 8 {
        0 => presence(choices),
        1 => message(choices),
        2 => {
            let kind = choices.of(&["get", "set", "result", "error", "other"]);
            let to =
                choices.of(&["localhost", "pubsub.localhost", "1001@localhost", "own1@localhost/r", "x@y@z"]);
            iq(kind, to, choices.of(QUERIES))
        }
        _ => {
            let (kind, namespace, content) = verb(choices);
            let kind = match choices.byte() % 16 {
                15 => "get",
                14 => "set",
                _ => kind,
            };
            iq(kind, "pubsub.localhost", &format!("<pubsub xmlns='{namespace}'>{content}</pubsub>"))
        }
    }
}
