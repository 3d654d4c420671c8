//! A service with a real broker, and clients that read their outboxes.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use broker::{Address, Broker, Class, NodeSource, Outbox, OutboxLimits, Parcel};
use minidom::Element;
use xmpp::auth::Verdict;
use xmpp::splice::Splicer;
use xmpp::{
    Access, AccessPolicy, AuthFailure, Authenticator, BindError, Bound, Config, Credentials, Principal,
    Profile, Service, StreamError,
};

pub const CLIENT: &str = "jabber:client";
pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
pub const OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
pub const EVENT: &str = "http://jabber.org/protocol/pubsub#event";
pub const ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";
pub const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
pub const DATA: &str = "jabber:x:data";

pub struct Nobody;

impl Authenticator for Nobody {
    fn authenticate(&self, _: Credentials) -> Verdict {
        Box::pin(async { Err(AuthFailure::NotAuthorized) })
    }
}

/// Agents have numbers and may not publish; `pub…` may create and publish everywhere; `own…` may create and
/// the nodes decide about the rest; nobody gets at `/secret`.
pub struct Rights;

impl AccessPolicy for Rights {
    fn subscribe(&self, _: &Principal, node: &str) -> Access {
        match node {
            "/secret" => Access::Forbidden,
            "/closed" => Access::NotAllowed,
            _ => Access::Defer,
        }
    }

    fn retrieve(&self, who: &Principal, node: &str) -> Access {
        self.subscribe(who, node)
    }

    fn publish(&self, who: &Principal, _: &str) -> Access {
        match who.user.as_ref() {
            user if user.starts_with("pub") => Access::Allow,
            user if user.starts_with("agent") => Access::Forbidden,
            _ => Access::Defer,
        }
    }

    fn create(&self, who: &Principal, node: &str) -> Access {
        match who.user.as_ref() {
            _ if node == "/forbidden" => Access::NotAllowed,
            user if user.starts_with("pub") || user.starts_with("own") => Access::Allow,
            _ => Access::Forbidden,
        }
    }

    fn may_flood(&self, who: &Principal) -> bool {
        who.user.starts_with("pub")
    }
}

/// The nodes of the configured user 1001, and the two closed ones.
pub struct Feeds;

impl NodeSource for Feeds {
    fn exists(&self, node: &str) -> bool {
        [
            "/finesse/api/User/1001",
            "/finesse/api/User/1001/Dialogs",
            "/finesse/api/SystemInfo",
            "/secret",
            "/closed",
        ]
        .contains(&node)
    }

    fn auto_subscriptions(&self, bare: &str) -> Vec<Arc<str>> {
        if bare != "1001@localhost" {
            return Vec::new();
        }
        vec!["/finesse/api/User/1001".into(), "/finesse/api/User/1001/Dialogs".into()]
    }
}

pub fn config(profile: Profile) -> Config {
    Config { profile, ..Config::new("localhost") }
}

pub fn service_with(config: Config) -> Service {
    let broker = Broker::with_source(broker::Config::default(), Arc::new(Feeds));
    let service = Service::new(config, broker, Arc::new(Nobody), Arc::new(Rights));
    service.set_application(true);
    service
}

pub fn finesse() -> Service {
    service_with(config(Profile::Finesse))
}

pub fn strict() -> Service {
    service_with(config(Profile::Strict))
}

/// One received stanza with what the transport would know of it.
#[derive(Debug)]
pub struct Received {
    pub xml: String,
    pub element: Element,
    /// `None` for events.
    pub class: Option<Class>,
}

/// A bound client that reads its own outbox.
pub struct Client {
    pub bound: Bound,
    pub outbox: Outbox,
    pub base: Instant,
    splicer: Splicer,
}

pub fn principal(user: &str) -> Principal {
    Principal { user: user.into(), tag: 0 }
}

pub fn bind(service: &Service, user: &str, resource: Option<&str>) -> Result<Client, BindError> {
    let outbox = Outbox::new(OutboxLimits::default());
    let bound = service.bind(&principal(user), resource, outbox.clone())?;
    Ok(Client::new(bound, outbox))
}

/// A bound client that has not sent presence.
pub fn quiet(service: &Service, user: &str, resource: &str) -> Client {
    bind(service, user, Some(resource)).unwrap()
}

/// A bound, available client that has read its greetings.
pub fn client(service: &Service, user: &str, resource: &str) -> Client {
    let mut client = quiet(service, user, resource);
    client.send("<presence/>");
    client.read();
    client
}

impl Client {
    pub fn new(bound: Bound, outbox: Outbox) -> Self {
        let splicer = Splicer::new(bound.bare().clone(), bound.full().clone());
        Self { bound, outbox, base: Instant::now(), splicer }
    }

    pub fn try_send(&mut self, stanza: &str) -> Result<(), StreamError> {
        let wrapped = format!("<stream xmlns='jabber:client'>{stanza}</stream>");
        let element: Element = wrapped.parse().unwrap();
        let stanza = element.children().next().unwrap().clone();
        self.bound.handle(self.base, stanza)
    }

    pub fn send(&mut self, stanza: &str) {
        self.try_send(stanza).unwrap();
    }

    /// Everything that waits, spliced as a transport does and parsed again.
    pub fn read(&mut self) -> Vec<Received> {
        let mut parcels = VecDeque::new();
        let _ = self.outbox.try_take(&mut parcels, usize::MAX);
        parcels.into_iter().map(|parcel| self.open(parcel)).collect()
    }

    fn open(&mut self, parcel: Parcel) -> Received {
        let class = match &parcel {
            Parcel::Direct { class, .. } => Some(*class),
            Parcel::Event { .. } | Parcel::Special { .. } => None,
        };
        let mut bytes = Vec::new();
        self.splicer.write(&parcel, &mut bytes);
        let xml = String::from_utf8(bytes).unwrap();
        assert!(!xml.contains("> <") && !xml.contains(">\n"), "white space between elements: {xml}");
        let element: Element = xml.parse().unwrap_or_else(|error| panic!("{error}: {xml}"));
        assert!(xml.starts_with(&format!("<{} xmlns=\"jabber:client\"", element.name())), "{xml}");
        Received { xml, element, class }
    }

    /// The one stanza that waits.
    pub fn one(&mut self) -> Received {
        let mut all = self.read();
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }

    /// Sends a request and gives the one answer to it.
    pub fn ask(&mut self, iq: &str) -> Received {
        self.send(iq);
        let mut answers: Vec<_> =
            self.read().into_iter().filter(|received| received.class == Some(Class::Answer)).collect();
        assert_eq!(answers.len(), 1, "{iq}: {answers:#?}");
        answers.remove(0)
    }

    fn pubsub_iq(&mut self, kind: &str, namespace: &str, inner: &str) -> Received {
        self.ask(&format!(
            "<iq type='{kind}' to='pubsub.localhost' id='q1'><pubsub xmlns='{namespace}'>{inner}</pubsub></iq>"
        ))
    }

    pub fn set(&mut self, inner: &str) -> Received {
        self.pubsub_iq("set", PUBSUB, inner)
    }

    pub fn get(&mut self, inner: &str) -> Received {
        self.pubsub_iq("get", PUBSUB, inner)
    }

    pub fn owner_set(&mut self, inner: &str) -> Received {
        self.pubsub_iq("set", OWNER, inner)
    }

    pub fn owner_get(&mut self, inner: &str) -> Received {
        self.pubsub_iq("get", OWNER, inner)
    }

    pub fn create(&mut self, node: &str, fields: &[(&str, &str)]) {
        let form = form("node_config", fields);
        self.set(&format!("<create node='{node}'/><configure>{form}</configure>")).ok();
    }

    pub fn publish(&mut self, node: &str, id: &str) -> Received {
        self.set(&format!(
            "<publish node='{node}'><item id='{id}'><x xmlns='urn:x'>{id}</x></item></publish>"
        ))
    }

    pub fn subscribe(&mut self, node: &str) -> Received {
        let jid = self.bound.full().clone();
        self.set(&format!("<subscribe node='{node}' jid='{jid}'/>"))
    }

    pub fn address(&self) -> Address {
        Address::full(&**self.bound.bare(), self.bound.full().split_once('/').unwrap().1)
    }
}

/// A submitted form of pubsub; names without the prefix.
pub fn form(kind: &str, fields: &[(&str, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(name, value)| format!("<field var='pubsub#{name}'><value>{value}</value></field>"))
        .collect();
    format!(
        "<x xmlns='{DATA}' type='submit'><field var='FORM_TYPE' type='hidden'>\
         <value>http://jabber.org/protocol/pubsub#{kind}</value></field>{fields}</x>"
    )
}

impl Received {
    pub fn attr(&self, name: &'static str) -> Option<&str> {
        self.element.attr(name)
    }

    /// Fails unless it is a result.
    pub fn ok(self) -> Self {
        assert_eq!(self.attr("type"), Some("result"), "{}", self.xml);
        self
    }

    /// Type, condition and application element of an error, with the feature for `unsupported`.
    pub fn error(&self) -> (String, String, Option<String>) {
        assert_eq!(self.attr("type"), Some("error"), "{}", self.xml);
        let error = self.element.get_child("error", CLIENT).unwrap();
        let condition = error.children().find(|child| child.has_ns(STANZAS)).unwrap();
        let detail = error.children().find(|child| child.has_ns(ERRORS)).map(|child| {
            child
                .attr("feature")
                .map_or_else(|| child.name().to_owned(), |feature| format!("{} {feature}", child.name()))
        });
        (error.attr("type").unwrap().to_owned(), condition.name().to_owned(), detail)
    }

    /// Fails unless it is this error: `condition`, or `condition detail`.
    pub fn fails(&self, expected: &str) {
        let (_, condition, detail) = self.error();
        let text = detail.map_or_else(|| condition.clone(), |detail| format!("{condition} {detail}"));
        assert_eq!(text, expected, "{}", self.xml);
    }

    /// A descendant by names, whatever its namespace.
    pub fn find(&self, path: &[&str]) -> Option<&Element> {
        path.iter()
            .try_fold(&self.element, |element, name| element.children().find(|child| child.name() == *name))
    }

    /// Ids of the items of an event or of an answer.
    pub fn items(&self) -> Vec<String> {
        let root = if self.element.name() == "message" { "event" } else { "pubsub" };
        let items = self.find(&[root, "items"]).unwrap_or_else(|| panic!("{}", self.xml));
        items.children().filter_map(|item| item.attr("id")).map(str::to_owned).collect()
    }

    /// All text below the stanza, as readers of old take it.
    pub fn text(&self) -> String {
        fn collect(element: &Element, out: &mut String) {
            for node in element.nodes() {
                match (node.as_text(), node.as_element()) {
                    (Some(text), _) => out.push_str(text),
                    (_, Some(child)) => collect(child, out),
                    _ => {}
                }
            }
        }
        let mut out = String::new();
        collect(&self.element, &mut out);
        out
    }
}

/// Owner `own1` of a node that stores items, and an agent.
pub fn stored(service: &Service, fields: &[(&str, &str)]) -> (Client, Client) {
    let mut owner = client(service, "own1", "o");
    let mut all = vec![("persist_items", "1"), ("max_items", "10")];
    all.extend(fields);
    owner.create("/n", &all);
    (owner, client(service, "agent1", "a"))
}

/// Changes the configuration of `/n`.
pub fn configure(owner: &mut Client, fields: &[(&str, &str)]) -> Received {
    owner.owner_set(&format!("<configure node='/n'>{}</configure>", form("node_config", fields)))
}

pub fn affiliate(owner: &mut Client, jid: &str, affiliation: &str) -> Received {
    owner.owner_set(&format!(
        "<affiliations node='/n'><affiliation jid='{jid}' affiliation='{affiliation}'/></affiliations>"
    ))
}
