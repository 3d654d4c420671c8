//! The `<Update>` of a notification as JSON.

use serde_json::{Map, Value, json};

use crate::rest::body::{Charset, Element, parse};

/// Elements that hold a list, with the name of what is in it: always an array in JSON, however many there are.
const LISTS: [(&str, &str); 11] = [
    ("actions", "action"),
    ("actionParams", "ActionParam"),
    ("apiErrors", "apiError"),
    ("callvariables", "CallVariable"),
    ("dialogs", "Dialog"),
    ("participants", "Participant"),
    ("queues", "Queue"),
    ("roles", "role"),
    ("teams", "Team"),
    ("users", "User"),
    ("wrapUpItems", "wrapUpItem"),
];

/// One notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// Node it came from.
    pub node: String,
    /// `POST`, `PUT` or `DELETE`.
    pub event: String,
    /// Path of the object.
    pub source: String,
    /// Id of the request that caused it; may be empty.
    pub request_id: String,
    /// What is in `<data>`; the raw text of a notification that is no `<Update>`.
    pub data: Value,
}

impl Update {
    /// Reads the text of a notification.
    pub fn parse(node: &str, text: &str) -> Update {
        let update = parse(text.as_bytes(), Charset::Utf8).ok().filter(|root| root.name == "Update");
        let Some(update) = update else {
            let empty = String::new;
            let data = Value::String(text.to_owned());
            return Update {
                node: node.to_owned(),
                event: empty(),
                source: empty(),
                request_id: empty(),
                data,
            };
        };
        let child = |name: &str| update.children.iter().find(|child| child.name == name);
        let value = |name: &str| child(name).map(|child| child.text.trim().to_owned()).unwrap_or_default();
        Update {
            node: node.to_owned(),
            event: value("event"),
            source: value("source"),
            request_id: value("requestId"),
            data: child("data").map_or(Value::Null, to_json),
        }
    }

    /// One JSON object without line breaks.
    pub fn to_json(&self) -> String {
        json!({
            "node": self.node,
            "event": self.event,
            "source": self.source,
            "requestId": self.request_id,
            "data": self.data,
        })
        .to_string()
    }
}

/// Text for an element without children, otherwise an object; repeated children and known lists as arrays.
fn to_json(element: &Element) -> Value {
    let item = LISTS.iter().find(|(list, _)| *list == element.name).map(|(_, item)| *item);
    if element.children.is_empty() {
        // An empty list, where the element is one. `dialogs` of a user is a path instead.
        return match item {
            Some(item) if element.text.trim().is_empty() => json!({ item: [] }),
            _ => Value::String(element.text.clone()),
        };
    }
    let mut object = Map::new();
    for child in &element.children {
        let value = to_json(child);
        let known_list = item == Some(child.name.as_str());
        match object.get_mut(&child.name) {
            Some(Value::Array(list)) => list.push(value),
            Some(single) => *single = Value::Array(vec![single.take(), value]),
            None => {
                let value = if known_list { Value::Array(vec![value]) } else { value };
                object.insert(child.name.clone(), value);
            }
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_becomes_json() {
        let text = "<Update><data><user><dialogs>/finesse/api/User/1001/Dialogs</dialogs><roles><role>Agent</role></roles>\
            <state>READY</state><teams></teams></user></data><event>PUT</event><requestId>r&amp;1</requestId>\
            <source>/finesse/api/User/1001</source></Update>";
        let update = Update::parse("/finesse/api/User/1001", text);
        assert_eq!((update.event.as_str(), update.request_id.as_str()), ("PUT", "r&1"));
        assert_eq!(update.data["user"]["state"], "READY");
        assert_eq!(update.data["user"]["roles"]["role"], json!(["Agent"]));
        assert_eq!(update.data["user"]["teams"]["Team"], json!([]));
        assert_eq!(update.data["user"]["dialogs"], "/finesse/api/User/1001/Dialogs");
        assert!(!update.to_json().contains('\n'));
    }

    #[test]
    fn repeated_elements_become_an_array() {
        let text = "<Update><data><x><y>1</y><y>2</y><y>3</y></x></data></Update>";
        assert_eq!(Update::parse("n", text).data["x"]["y"], json!(["1", "2", "3"]));
    }

    #[test]
    fn anything_else_is_kept_as_text() {
        let update = Update::parse("n", "hello <x");
        assert_eq!((update.data, update.event.as_str()), (json!("hello <x"), ""));
    }
}
