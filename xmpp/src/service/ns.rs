//! Namespaces the service half reads and writes.

pub(crate) const CLIENT: &str = "jabber:client";
pub(crate) const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
pub(crate) const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
pub(crate) const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
pub(crate) const ROSTER: &str = "jabber:iq:roster";
pub(crate) const VERSION: &str = "jabber:iq:version";
pub(crate) const PING: &str = "urn:xmpp:ping";
pub(crate) const DATA: &str = "jabber:x:data";
pub(crate) const RSM: &str = "http://jabber.org/protocol/rsm";
pub(crate) const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
pub(crate) const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
pub(crate) const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
pub(crate) const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
pub(crate) const PUBSUB_OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
pub(crate) const PUBSUB_ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";
pub(crate) const NODE_CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";
pub(crate) const META_DATA: &str = "http://jabber.org/protocol/pubsub#meta-data";
pub(crate) const PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";
pub(crate) const SUBSCRIBE_OPTIONS: &str = "http://jabber.org/protocol/pubsub#subscribe_options";
pub(crate) const SUBSCRIBE_AUTHORIZATION: &str = "http://jabber.org/protocol/pubsub#subscribe_authorization";
pub(crate) const GET_PENDING: &str = "http://jabber.org/protocol/pubsub#get-pending";
pub(crate) const COMMANDS: &str = "http://jabber.org/protocol/commands";
pub(crate) const SHIM: &str = "http://jabber.org/protocol/shim";
pub(crate) const DELAY: &str = "urn:xmpp:delay";
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
