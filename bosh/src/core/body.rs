//! One request: the attributes of `<body/>` and what is inside.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use minidom::{Element, Node};

use super::window::MAX_RID;

/// The namespace of `<body/>`.
pub const HTTPBIND: &str = "http://jabber.org/protocol/httpbind";
/// The namespace of `version`, `restart` and `restartlogic` (XEP-0206).
pub const XBOSH: &str = "urn:xmpp:xbosh";
/// The namespace of stanzas.
pub const CLIENT: &str = "jabber:client";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Attributes that only a session creation request or a restart carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Creation {
    /// `to`: the domain asked for.
    pub to: Option<String>,
    /// `from`: who the client says it is; not to be trusted.
    pub from: Option<String>,
    /// `xml:lang`: the language of human-readable text.
    pub lang: Option<String>,
    /// `ver`: the protocol version of the client; absent from legacy clients.
    pub ver: Option<String>,
    /// `wait`: how long an answer may be held back, in seconds.
    pub wait: Option<String>,
    /// `hold`: how many requests may be held back.
    pub hold: Option<String>,
    /// `content`: the `Content-Type` that answers shall have.
    pub content: Option<String>,
    /// `xmpp:version`: the version of XMPP.
    pub version: Option<String>,
}

/// One parsed request.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// `rid`; `None` when it is missing or no number from 1 to 2^53-1.
    pub rid: Option<u64>,
    /// `sid`; `None` on a request that creates a session.
    pub sid: Option<Cow<'a, str>>,
    /// `ack`.
    pub ack: Option<Cow<'a, str>>,
    /// `key`.
    pub key: Option<Cow<'a, str>>,
    /// `newkey`.
    pub newkey: Option<Cow<'a, str>>,
    /// `pause`.
    pub pause: Option<Cow<'a, str>>,
    /// `type="terminate"`.
    pub terminate: bool,
    /// `xmpp:restart`.
    pub restart: bool,
    /// The rest of the attributes.
    pub creation: Option<Box<Creation>>,
    /// The children, in `jabber:client` where the client left the namespace of the body on them.
    pub payload: Vec<Element>,
    /// Fingerprint of the bytes, to tell a repeated request from an altered one.
    pub digest: u64,
    /// About how many bytes of memory the payload takes; 0 if the caller does not care.
    pub weight: usize,
}

impl Request<'_> {
    /// Whether the request only asks for news.
    pub fn is_empty(&self) -> bool {
        self.payload.is_empty() && !self.terminate && !self.restart && self.pause.is_none()
    }
}

/// A number as XML Schema's unsigned types spell it: digits only.
pub(super) fn decimal(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 20 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn rid(text: &str) -> Option<u64> {
    decimal(text).filter(|rid| (1..=MAX_RID).contains(rid))
}

/// Keyed fingerprints of request bodies; one for each process, so that nobody can prepare two bodies
/// with the same one.
#[derive(Clone, Debug, Default)]
pub struct Fingerprint(RandomState);

impl Fingerprint {
    /// The fingerprint of a body.
    pub fn of(&self, body: &[u8]) -> u64 {
        self.0.hash_one(body)
    }
}

/// Reads an empty body, which is what nearly all requests of an idle session are, without the XML
/// parser and without allocating. `None`: [`from_element`] has to look.
pub fn scan_empty<'a>(body: &'a [u8], fingerprint: &Fingerprint) -> Option<Request<'a>> {
    let root = super::scan::scan(body)?;
    if !root.complete {
        return None;
    }
    let mut request = Request { digest: fingerprint.of(body), ..Request::default() };
    for (name, value) in root.attributes() {
        match name {
            "rid" => request.rid = rid(value),
            "sid" => request.sid = Some(value.into()),
            "ack" => request.ack = Some(value.into()),
            "key" => request.key = Some(value.into()),
            "newkey" => request.newkey = Some(value.into()),
            "pause" => request.pause = Some(value.into()),
            "type" => request.terminate = value == "terminate",
            // A creation needs these; a plain poll that repeats them does not pay.
            _ if root.get("sid").is_none() => note(request.creation.get_or_insert_default(), name, value),
            _ => {}
        }
    }
    Some(request)
}

/// The session a body belongs to, as far as the start tag can be read: for bodies that the parser
/// refused or that are not complete yet.
pub fn peek_sid(body: &[u8]) -> Option<&str> {
    super::scan::scan(body)?.get("sid")
}

/// Whether the start tag of a `<body/>` can be read at all.
pub fn has_root(body: &[u8]) -> bool {
    super::scan::scan(body).is_some()
}

fn note(creation: &mut Creation, name: &str, value: &str) {
    let place = match name {
        "to" => &mut creation.to,
        "from" => &mut creation.from,
        "xml:lang" => &mut creation.lang,
        "ver" => &mut creation.ver,
        "wait" => &mut creation.wait,
        "hold" => &mut creation.hold,
        "content" => &mut creation.content,
        "xmpp:version" => &mut creation.version,
        _ => return,
    };
    *place = Some(value.to_owned());
}

/// Takes a parsed document apart. `None`: it is no `<body/>`, or has text in it.
pub fn from_element(mut root: Element, digest: u64) -> Option<Request<'static>> {
    if !root.is("body", HTTPBIND) {
        return None;
    }
    let mut request = Request { digest, ..Request::default() };
    let own = |name: &str| root.attr(name).map(|value| Cow::Owned(value.to_owned()));
    request.rid = root.attr("rid").and_then(rid);
    request.sid = own("sid");
    request.ack = own("ack");
    request.key = own("key");
    request.newkey = own("newkey");
    request.pause = own("pause");
    request.terminate = root.attr("type") == Some("terminate");
    request.restart = matches!(root.attr_ns(XBOSH, "restart"), Some("true" | "1"));
    if request.sid.is_none() || request.restart {
        request.creation = Some(Box::new(creation(&root)));
    }
    for node in root.take_nodes() {
        match node {
            Node::Element(child) => request.payload.push(adopt(child)),
            Node::Text(text) if text.bytes().all(|b| b.is_ascii_whitespace()) => {}
            Node::Text(_) => return None,
        }
    }
    Some(request)
}

fn creation(root: &Element) -> Creation {
    let mut creation = Creation::default();
    for name in ["to", "from", "ver", "wait", "hold", "content"] {
        if let Some(value) = root.attr(name) {
            note(&mut creation, name, value);
        }
    }
    creation.lang = root.attr_ns(XML, "lang").map(str::to_owned);
    creation.version = root.attr_ns(XBOSH, "version").map(str::to_owned);
    creation
}

/// COMPAT: many clients leave the namespace of the body on their stanzas (XEP-0206 §2 forbids it).
/// The depth of the tree is bounded by the parser.
fn adopt(mut element: Element) -> Element {
    if element.ns() != HTTPBIND {
        return element;
    }
    let mut stanza = Element::bare(element.name(), CLIENT);
    *stanza.attrs_mut() = std::mem::take(element.attrs_mut());
    for node in element.take_nodes() {
        match node {
            Node::Element(child) => stanza.append_node(Node::Element(adopt(child))),
            text => stanza.append_node(text),
        }
    }
    stanza
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Request<'static>> {
        from_element(text.parse().unwrap(), 0)
    }

    #[test]
    fn numbers_are_digits_only() {
        for bad in
            ["", "0", "-1", "+1", " 1", "1 ", "0x10", "1e3", "9007199254740992", "99999999999999999999999"]
        {
            assert_eq!(rid(bad), None, "{bad}");
        }
        assert_eq!(rid("9007199254740991"), Some(MAX_RID));
        assert_eq!(rid("007"), Some(7));
    }

    #[test]
    fn scanner_and_parser_agree() {
        let text = "<body xmlns='http://jabber.org/protocol/httpbind' rid='12' to='example.org' wait='30' hold='1' \
                    ver='1.9' ack='1' newkey='ab' xml:lang='en'/>";
        let fast = scan_empty(text.as_bytes(), &Fingerprint::default()).unwrap();
        let full = parse(text).unwrap();
        assert_eq!(fast.rid, full.rid);
        assert_eq!(fast.creation, full.creation);
        assert!(fast.is_empty() && full.is_empty());
        assert_eq!((fast.ack, fast.newkey), (full.ack, full.newkey));
    }

    #[test]
    fn restart_needs_its_namespace_and_not_its_prefix() {
        let text = "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:q='urn:xmpp:xbosh' rid='1' sid='s' \
                    q:restart='1' to='example.org'/>";
        let request = parse(text).unwrap();
        assert!(request.restart);
        assert_eq!(request.creation.unwrap().to.as_deref(), Some("example.org"));
        assert!(
            !parse("<body xmlns='http://jabber.org/protocol/httpbind' restart='true'/>").unwrap().restart
        );
    }

    #[test]
    fn stanzas_in_the_namespace_of_the_body_become_client_stanzas() {
        let text = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='s'>\n\
                    <iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>\
                    <presence><show>away</show></presence></body>";
        let request = parse(text).unwrap();
        assert!(request.payload[0].is("iq", CLIENT));
        assert!(request.payload[0].has_child("bind", "urn:ietf:params:xml:ns:xmpp-bind"));
        assert_eq!(request.payload[0].attr("id"), Some("1"));
        assert_eq!(request.payload[1].get_child("show", CLIENT).unwrap().text(), "away");
    }

    #[test]
    fn text_and_foreign_roots_are_refused() {
        assert!(parse("<body xmlns='http://jabber.org/protocol/httpbind'>x</body>").is_none());
        assert!(parse("<body xmlns='urn:other'/>").is_none());
        assert!(parse("<iq xmlns='http://jabber.org/protocol/httpbind'/>").is_none());
    }
}
