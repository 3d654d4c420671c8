//! Configuration of a node (XEP-0060 §16.4.4, `pubsub#node_config`): the fields that have a meaning here.

use std::sync::Arc;

use super::super::form::{Kind, Writer, boolean};
use super::super::ns;
use super::links::Links;

/// Items one node may keep; `max` in a form means this.
pub(crate) const MAX_ITEMS: usize = 1000;

/// Roster groups that one node may name.
const MAX_GROUPS: usize = 100;

/// Who may subscribe and retrieve (XEP-0060 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessModel {
    Open,
    Authorize,
    Whitelist,
    /// Strict profile: whoever an owner lets see his presence, as the embedder's policy says.
    Presence,
    /// Strict profile: whoever is in one of the node's groups of an owner's roster, as the policy says.
    Roster,
}

/// Who may publish besides publishers and owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PublishModel {
    Publishers,
    Subscribers,
    Open,
}

/// When the last stored item is sent unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendLast {
    Never,
    OnSub,
    OnSubAndPresence,
}

/// Why a form was not taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Value,
    AccessModel,
}

/// The configuration. Defaults are those of Openfire for leaf nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeConfig {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) language: String,
    pub(crate) payload_type: String,
    pub(crate) access_model: AccessModel,
    pub(crate) publish_model: PublishModel,
    pub(crate) subscribe: bool,
    pub(crate) persist_items: bool,
    pub(crate) max_items: usize,
    /// Seconds; `None`: items stay.
    pub(crate) item_expire: Option<u64>,
    /// A full node refuses new items instead of dropping the oldest.
    pub(crate) reject_when_full: bool,
    /// Bytes.
    pub(crate) max_payload_size: usize,
    pub(crate) deliver_notifications: bool,
    pub(crate) deliver_payloads: bool,
    pub(crate) headline: bool,
    pub(crate) notify_config: bool,
    pub(crate) notify_delete: bool,
    pub(crate) notify_retract: bool,
    /// Owners hear of new and ended subscriptions.
    pub(crate) notify_sub: bool,
    /// Every new subscription ends with the subscriber's presence.
    pub(crate) tempsub: bool,
    /// What somebody has published goes when none of his resources is available any more.
    pub(crate) purge_offline: bool,
    /// Roster groups of the owners who may subscribe under [`AccessModel::Roster`].
    pub(crate) roster_groups: Vec<String>,
    pub(crate) send_last: SendLast,
    /// Addresses of people; shown, not interpreted.
    pub(crate) contact: Vec<String>,
    /// Where transformations are found; stored, never fetched.
    pub(crate) body_xslt: String,
    pub(crate) dataform_xslt: String,
    /// Items name their publisher (`itemreply`).
    pub(crate) name_publisher: bool,
    /// Collections.
    pub(crate) links: Links,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            title: String::new(),
            description: String::new(),
            language: "en".into(),
            payload_type: String::new(),
            access_model: AccessModel::Open,
            publish_model: PublishModel::Publishers,
            subscribe: true,
            persist_items: false,
            max_items: 1,
            item_expire: None,
            reject_when_full: false,
            max_payload_size: 10 << 20,
            deliver_notifications: true,
            deliver_payloads: true,
            headline: false,
            notify_config: true,
            notify_delete: true,
            notify_retract: true,
            notify_sub: false,
            tempsub: false,
            purge_offline: false,
            roster_groups: Vec::new(),
            send_last: SendLast::Never,
            contact: Vec::new(),
            body_xslt: String::new(),
            dataform_xslt: String::new(),
            name_publisher: false,
            links: Links::default(),
        }
    }
}

const ACCESS: &[&str] = &["open", "authorize", "whitelist", "presence", "roster"];
const PUBLISH: &[&str] = &["publishers", "subscribers", "open"];
const FULL: &[&str] = &["retract-oldest", "reject"];
const TYPES: &[&str] = &["normal", "headline"];
const LAST: &[&str] = &["never", "on_sub", "on_sub_and_presence"];
const REPLY: &[&str] = &["owner", "publisher"];
const LEAF: &[&str] = &["leaf"];

/// How a form shows a configuration.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// `form` or `result`.
    pub(crate) kind: &'a str,
    /// With the access models that only the strict profile has.
    pub(crate) strict: bool,
    /// With the fields about collections; the nodes in this one.
    pub(crate) collections: Option<&'a [Arc<str>]>,
}

/// Every field: name without prefix, kind, label.
const FIELDS: &[(&str, Kind, &str)] = &[
    ("title", Kind::Text, "Name of the node"),
    ("description", Kind::Text, "Description"),
    ("language", Kind::Text, "Default language"),
    ("type", Kind::Text, "Type of payload"),
    ("node_type", Kind::List(LEAF), "Kind of node"),
    ("access_model", Kind::List(ACCESS), "Who may subscribe and retrieve items"),
    ("publish_model", Kind::List(PUBLISH), "Who may publish"),
    ("subscribe", Kind::Boolean, "Allow subscriptions"),
    ("persist_items", Kind::Boolean, "Store items"),
    ("max_items", Kind::Text, "Number of items to store"),
    ("item_expire", Kind::Text, "Seconds after which items expire"),
    ("publish_node_full", Kind::List(FULL), "What happens when the node is full"),
    ("max_payload_size", Kind::Text, "Largest payload in bytes"),
    ("deliver_notifications", Kind::Boolean, "Deliver events"),
    ("deliver_payloads", Kind::Boolean, "Deliver payloads with events"),
    ("notification_type", Kind::List(TYPES), "Type of event messages"),
    ("notify_config", Kind::Boolean, "Tell subscribers of a new configuration"),
    ("notify_delete", Kind::Boolean, "Tell subscribers of the end of the node"),
    ("notify_retract", Kind::Boolean, "Tell subscribers of removed items"),
    ("notify_sub", Kind::Boolean, "Tell owners of new and ended subscriptions"),
    ("tempsub", Kind::Boolean, "Subscriptions end with the subscriber's presence"),
    ("presence_based_delivery", Kind::Boolean, "Deliver to available users only (always)"),
    ("purge_offline", Kind::Boolean, "Remove items when their publisher goes offline"),
    ("roster_groups_allowed", Kind::Lines, "Roster groups that may subscribe"),
    ("send_last_published_item", Kind::List(LAST), "When to send the last item"),
    ("itemreply", Kind::List(REPLY), "Whom replies to an item are for"),
    ("contact", Kind::Lines, "Whom to ask about the node"),
    ("body_xslt", Kind::Text, "Where a transformation of payloads into text is found"),
    ("dataform_xslt", Kind::Text, "Where a transformation of payloads into forms is found"),
];

impl NodeConfig {
    /// Value of a field as a form shows it; the name is without `pubsub#`.
    pub(crate) fn value(&self, field: &str) -> Option<String> {
        let flag = |flag: bool| if flag { "1" } else { "0" }.to_owned();
        Some(match field {
            "title" => self.title.clone(),
            "description" => self.description.clone(),
            "language" => self.language.clone(),
            "type" => self.payload_type.clone(),
            "node_type" => if self.links.collection { "collection" } else { "leaf" }.into(),
            "access_model" => ACCESS[self.access_model as usize].into(),
            "publish_model" => PUBLISH[self.publish_model as usize].into(),
            "subscribe" => flag(self.subscribe),
            "persist_items" => flag(self.persist_items),
            "max_items" => self.max_items.to_string(),
            "item_expire" => self.item_expire.map_or_else(|| "max".into(), |seconds| seconds.to_string()),
            "publish_node_full" => FULL[usize::from(self.reject_when_full)].into(),
            "max_payload_size" => self.max_payload_size.to_string(),
            "deliver_notifications" => flag(self.deliver_notifications),
            "deliver_payloads" => flag(self.deliver_payloads),
            "notification_type" => TYPES[usize::from(self.headline)].into(),
            "notify_config" => flag(self.notify_config),
            "notify_delete" => flag(self.notify_delete),
            "notify_retract" => flag(self.notify_retract),
            "notify_sub" => flag(self.notify_sub),
            "tempsub" => flag(self.tempsub),
            // Nothing is ever delivered to anybody else, nor kept for him.
            "presence_based_delivery" => flag(true),
            "purge_offline" => flag(self.purge_offline),
            "roster_groups_allowed" => self.roster_groups.join("\n"),
            "send_last_published_item" => LAST[self.send_last as usize].into(),
            "itemreply" => REPLY[usize::from(self.name_publisher)].into(),
            "contact" => self.contact.join("\n"),
            "body_xslt" => self.body_xslt.clone(),
            "dataform_xslt" => self.dataform_xslt.clone(),
            _ => return None,
        })
    }

    /// Takes over the fields of a submission; those that are not named stay, unknown ones are ignored.
    /// Nothing is changed when one is wrong.
    pub(crate) fn apply(&mut self, fields: &[(&str, Vec<String>)]) -> Result<(), Fault> {
        let mut next = self.clone();
        for (name, values) in fields {
            if let Some(field) = name.strip_prefix("pubsub#") {
                next.set(field, values)?;
            }
        }
        *self = next;
        Ok(())
    }

    fn set(&mut self, field: &str, values: &[String]) -> Result<(), Fault> {
        if field == "roster_groups_allowed" {
            let groups = values.iter().flat_map(|value| value.lines()).map(str::trim);
            self.roster_groups = groups.filter(|group| !group.is_empty()).map(str::to_owned).collect();
            return if self.roster_groups.len() <= MAX_GROUPS { Ok(()) } else { Err(Fault::Value) };
        }
        if field == "contact" {
            self.contact = values.iter().filter(|value| !value.is_empty()).cloned().collect();
            return if self.contact.len() <= MAX_GROUPS { Ok(()) } else { Err(Fault::Value) };
        }
        if self.links.set(field, values)? {
            return Ok(());
        }
        let value = match values {
            [] => "",
            [value] => value.as_str(),
            _ if self.value(field).is_none() => return Ok(()),
            _ => return Err(Fault::Value),
        };
        match field {
            "title" => value.clone_into(&mut self.title),
            "description" => value.clone_into(&mut self.description),
            "language" => value.clone_into(&mut self.language),
            "type" => value.clone_into(&mut self.payload_type),
            "access_model" => {
                self.access_model = match value {
                    "open" => AccessModel::Open,
                    "authorize" => AccessModel::Authorize,
                    "whitelist" => AccessModel::Whitelist,
                    "presence" => AccessModel::Presence,
                    "roster" => AccessModel::Roster,
                    _ => return Err(Fault::AccessModel),
                }
            }
            "publish_model" => {
                self.publish_model = match value {
                    "publishers" => PublishModel::Publishers,
                    "subscribers" => PublishModel::Subscribers,
                    "open" => PublishModel::Open,
                    _ => return Err(Fault::Value),
                }
            }
            "send_last_published_item" => {
                self.send_last = match value {
                    "never" => SendLast::Never,
                    "on_sub" => SendLast::OnSub,
                    "on_sub_and_presence" => SendLast::OnSubAndPresence,
                    _ => return Err(Fault::Value),
                }
            }
            "max_items" => self.max_items = max_items(value)?,
            "item_expire" => self.item_expire = expiry(value)?,
            "max_payload_size" => {
                self.max_payload_size = value.trim().parse().map_err(|_| Fault::Value)?;
            }
            "publish_node_full" => self.reject_when_full = choice(FULL, value)?,
            "notification_type" => self.headline = choice(TYPES, value)?,
            "itemreply" => self.name_publisher = choice(REPLY, value)?,
            "body_xslt" => value.clone_into(&mut self.body_xslt),
            "dataform_xslt" => value.clone_into(&mut self.dataform_xslt),
            // Openfire's name for two of the three values.
            "send_item_subscribe" => {
                let send = boolean(value).ok_or(Fault::Value)?;
                self.send_last = if send { SendLast::OnSub } else { SendLast::Never };
            }
            _ => return self.set_flag(field, value),
        }
        Ok(())
    }

    fn set_flag(&mut self, field: &str, value: &str) -> Result<(), Fault> {
        let flag = match field {
            "subscribe" => &mut self.subscribe,
            "persist_items" => &mut self.persist_items,
            "deliver_notifications" => &mut self.deliver_notifications,
            "deliver_payloads" => &mut self.deliver_payloads,
            "notify_config" => &mut self.notify_config,
            "notify_delete" => &mut self.notify_delete,
            "notify_retract" => &mut self.notify_retract,
            "notify_sub" => &mut self.notify_sub,
            "tempsub" => &mut self.tempsub,
            "purge_offline" => &mut self.purge_offline,
            // Clients send whole forms back, and some with their own defaults: what cannot be switched off stays.
            "presence_based_delivery" => return boolean(value).map(|_| ()).ok_or(Fault::Value),
            _ => return Ok(()),
        };
        *flag = boolean(value).ok_or(Fault::Value)?;
        Ok(())
    }

    /// Appends the form that shows the configuration.
    pub(crate) fn push_form(&self, out: &mut Vec<u8>, shown: Shown<'_>) {
        let mut form = Writer::start(out, shown.kind, ns::NODE_CONFIG);
        for (name, kind, label) in FIELDS {
            if *name == "node_type" && shown.collections.is_some() {
                continue;
            }
            let value = self.value(name).unwrap_or_default();
            let kind = match *name {
                "access_model" if !shown.strict => Kind::List(&ACCESS[..3]),
                _ => *kind,
            };
            let name = format!("pubsub#{name}");
            match kind {
                Kind::Lines => form.fields(&name, kind, label, &value.lines().collect::<Vec<_>>()),
                _ => form.field(&name, kind, label, &value),
            }
        }
        if let Some(children) = shown.collections {
            self.links.push(&mut form, children);
        }
        form.end();
    }

    /// True if the node has the values that a publisher demands (XEP-0060 §7.1.5). Fields that the node
    /// does not know are not met.
    pub(crate) fn meets(&self, fields: &[(&str, Vec<String>)]) -> bool {
        fields.iter().all(|(name, values)| {
            let Some(have) = name.strip_prefix("pubsub#").and_then(|field| self.value(field)) else {
                return false;
            };
            values.iter().all(|value| same(&have, value))
        })
    }
}

/// Equal, with both spellings of booleans and of the largest number of items.
fn same(have: &str, wanted: &str) -> bool {
    have == wanted
        || matches!((have, wanted), ("1", "true") | ("0", "false"))
        || (wanted == "max" && have.parse() == Ok(MAX_ITEMS))
}

fn max_items(value: &str) -> Result<usize, Fault> {
    match value.trim() {
        "max" => Ok(MAX_ITEMS),
        number => match number.parse() {
            Ok(number @ 1..=MAX_ITEMS) => Ok(number),
            _ => Err(Fault::Value),
        },
    }
}

fn expiry(value: &str) -> Result<Option<u64>, Fault> {
    match value.trim() {
        "max" => Ok(None),
        number => number.parse().map(Some).map_err(|_| Fault::Value),
    }
}

/// True for the second of two choices.
fn choice(choices: &[&str], value: &str) -> Result<bool, Fault> {
    choices.iter().position(|choice| *choice == value).map(|at| at == 1).ok_or(Fault::Value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(field: &str, value: &str) -> Result<NodeConfig, Fault> {
        let mut config = NodeConfig::default();
        config.apply(&[(field, vec![value.to_owned()])]).map(|()| config)
    }

    #[test]
    fn every_field_accepts_its_own_value() {
        let config = NodeConfig::default();
        for (name, ..) in FIELDS {
            let value = config.value(name).unwrap();
            assert_eq!(apply(&format!("pubsub#{name}"), &value), Ok(config.clone()), "{name}");
        }
    }

    #[test]
    fn bad_values_change_nothing() {
        for (field, value, fault) in [
            ("max_items", "0", Fault::Value),
            ("max_items", "1001", Fault::Value),
            ("max_items", "many", Fault::Value),
            ("max_payload_size", "-1", Fault::Value),
            ("item_expire", "x", Fault::Value),
            ("persist_items", "yes", Fault::Value),
            ("access_model", "secret", Fault::AccessModel),
            ("publish_model", "nobody", Fault::Value),
            ("node_type", "tree", Fault::Value),
            ("children_max", "-1", Fault::Value),
            ("children_max", "1001", Fault::Value),
            ("children_association_policy", "nobody", Fault::Value),
        ] {
            assert_eq!(apply(&format!("pubsub#{field}"), value), Err(fault), "{field}={value}");
        }
        let mut config = NodeConfig::default();
        let fields = [("pubsub#title", vec!["x".into()]), ("pubsub#max_items", vec!["z".into()])];
        assert_eq!(config.apply(&fields), Err(Fault::Value));
        assert_eq!(config, NodeConfig::default());
    }

    #[test]
    fn unknown_fields_are_ignored_and_never_met() {
        assert_eq!(apply("pubsub#colour", "red"), Ok(NodeConfig::default()));
        assert_eq!(apply("muc#x", "red"), Ok(NodeConfig::default()));
        let config = NodeConfig::default();
        assert!(!config.meets(&[("pubsub#colour", vec!["red".into()])]));
        assert!(config.meets(&[("pubsub#persist_items", vec!["false".into()])]));
        assert!(!config.meets(&[("pubsub#persist_items", vec!["true".into()])]));
    }
}
