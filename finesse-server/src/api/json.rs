//! JSON documents, made from XML documents of this server and their shapes: elements become members, repeated ones and
//! lists arrays, numbers and booleans what they are; what is empty becomes `null` where it is no text. The root has
//! no name of its own. An extension: the original answers XML only.

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use serde_json::{Map, Value};

use super::shape::{Form, Member, Shape};

/// An element as read, without what its shape says about it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

/// The document in JSON. `None` if the XML is none of this server's: not well-formed, or with another root.
pub fn from_xml(xml: &str, shape: &Shape) -> Option<Value> {
    let root = read(xml)?;
    if root.name != shape.name {
        return None;
    }
    let mut object = object(&root, &shape.members);
    for (name, value) in root.attributes {
        object.insert(name, value.into());
    }
    Some(Value::Object(object))
}

fn object(element: &Element, members: &[Member]) -> Map<String, Value> {
    let mut object = Map::new();
    for member in members {
        let mut found = element.children.iter().filter(|child| child.name == member.name);
        if member.repeated {
            let all = found.map(|child| value(child, &member.form)).collect();
            object.insert(member.name.into(), Value::Array(all));
        } else if let Some(child) = found.next() {
            object.insert(member.name.into(), value(child, &member.form));
        }
    }
    object
}

fn value(element: &Element, form: &Form) -> Value {
    let text = element.text.as_str();
    match form {
        Form::Text | Form::Word(_) => text.into(),
        Form::Integer => text.parse::<i64>().map_or(Value::Null, Value::from),
        Form::Boolean => text.parse::<bool>().map_or(Value::Null, Value::from),
        Form::Object(members) => Value::Object(object(element, members)),
        Form::List { of, .. } => element.children.iter().map(|child| value(child, of)).collect(),
    }
}

/// Reads a document that this server wrote.
fn read(xml: &str) -> Option<Element> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => open.push(begin(&start)?),
            Event::End(_) => {
                let done = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Some(done),
                }
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text),
            Event::GeneralRef(name) => open.last_mut()?.text.push(character(&name)?),
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn begin(start: &BytesStart<'_>) -> Option<Element> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let value = quick_xml::escape::unescape(&attribute.value).ok()?.into_owned();
        attributes.push((attribute.key.as_ref().to_owned(), value));
    }
    Some(Element { name: start.name().as_ref().to_owned(), attributes, ..Element::default() })
}

/// The character behind one of the references that this server writes.
fn character(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => name.strip_prefix('#')?.parse().ok().and_then(char::from_u32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_become_members_of_their_kind() {
        let shape = Shape {
            name: "R",
            about: "",
            attribute: Some("kind"),
            members: vec![
                Member::new("a", "", Form::Text),
                Member::new("absent", "", Form::Text),
                Member::new("b", "", Form::Boolean),
                Member {
                    repeated: true,
                    ..Member::new("c", "", Form::Object(vec![Member::new("n", "", Form::Integer)]))
                },
                Member::new("d", "", Form::List { item: "i", of: Box::new(Form::Text) }),
                Member { repeated: true, ..Member::new("e", "", Form::Text) },
            ],
        };
        let xml = "<R kind=\"x &amp; y\"><a>&lt;&#13;é</a><b>true</b><c><n>5</n></c><c><n></n></c>\
                   <d><i>1</i><i></i></d></R>";
        let expected = json!({
            "kind": "x & y", "a": "<\ré", "b": true, "c": [{ "n": 5 }, { "n": null }], "d": ["1", ""], "e": [],
        });
        assert_eq!(from_xml(xml, &shape), Some(expected));
        for other in ["<S></S>", "<R>", "", "text"] {
            assert_eq!(from_xml(other, &shape), None, "{other}");
        }
    }
}
