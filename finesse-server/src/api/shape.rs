//! What a document looks like, without the values: the ground of JSON and of the OpenAPI description.

use serde_json::{Map, Value, json};

/// The look of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Name of the root.
    pub name: &'static str,
    /// What the document is, in a sentence.
    pub about: &'static str,
    /// Name of the root's attribute, if it has one; a member of that name in JSON.
    pub attribute: Option<&'static str>,
    /// The children of the root.
    pub members: Vec<Member>,
}

/// A child of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Name of the element.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// What it holds.
    pub form: Form,
    /// Whether there is one for each of several values; an array in JSON.
    pub repeated: bool,
}

/// What an element holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text.
    Text,
    /// A whole number or nothing.
    Integer,
    /// `true`, `false` or nothing.
    Boolean,
    /// One of a few words or nothing.
    Word(&'static [&'static str]),
    /// Children.
    Object(Vec<Member>),
    /// Children of one name; in JSON an array without that name.
    List {
        /// The name.
        item: &'static str,
        /// What each holds.
        of: Box<Form>,
    },
}

impl Shape {
    /// A document with these children.
    pub fn new(name: &'static str, about: &'static str, members: Vec<Member>) -> Self {
        Self { name, about, attribute: None, members }
    }

    /// A document that lists others of one shape.
    pub fn list(name: &'static str, about: &'static str, of: Shape) -> Self {
        let member =
            Member { name: of.name, about: of.about, form: Form::Object(of.members), repeated: true };
        Self::new(name, about, vec![member])
    }

    /// The schema of the document in JSON, which says of the XML what differs (OpenAPI 3.1).
    pub fn schema(&self) -> Value {
        let mut schema = object_schema(&self.members);
        if let (Some(name), Some(properties)) = (self.attribute, schema["properties"].as_object_mut()) {
            properties.insert(name.into(), json!({ "type": "string", "xml": { "attribute": true } }));
        }
        schema["xml"] = json!({ "name": self.name });
        schema["description"] = self.about.into();
        schema
    }
}

impl Member {
    /// A child that occurs once.
    pub fn new(name: &'static str, about: &'static str, form: Form) -> Self {
        Self { name, about, form, repeated: false }
    }
}

impl Form {
    /// The JSON schema of the content.
    pub fn schema(&self) -> Value {
        match self {
            Form::Text => json!({ "type": "string" }),
            Form::Integer => json!({ "type": ["integer", "null"] }),
            Form::Boolean => json!({ "type": ["boolean", "null"] }),
            Form::Word(words) => {
                let words = words.iter().copied().chain([""]);
                json!({ "type": "string", "enum": words.collect::<Vec<_>>() })
            }
            Form::Object(members) => object_schema(members),
            Form::List { item, of } => {
                let mut items = of.schema();
                items["xml"] = json!({ "name": item });
                json!({ "type": "array", "items": items, "xml": { "wrapped": true } })
            }
        }
    }
}

fn object_schema(members: &[Member]) -> Value {
    let properties: Map<String, Value> =
        members.iter().map(|m| (m.name.to_owned(), member_schema(m))).collect();
    json!({ "type": "object", "properties": properties })
}

fn member_schema(member: &Member) -> Value {
    let mut schema = match member.repeated {
        true => json!({ "type": "array", "items": member.form.schema() }),
        false => member.form.schema(),
    };
    if !member.about.is_empty() {
        schema["description"] = member.about.into();
    }
    schema
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Panics unless all children are in alphabetical order without regard to case.
    pub(crate) fn assert_alphabetical(shape: &Shape) {
        assert_ordered(shape.name, &shape.members);
    }

    fn assert_ordered(of: &str, members: &[Member]) {
        let names: Vec<String> = members.iter().map(|m| m.name.to_lowercase()).collect();
        assert!(names.is_sorted(), "{of}: {names:?}");
        for member in members {
            match &member.form {
                Form::Object(members) => assert_ordered(member.name, members),
                Form::List { of, .. } => {
                    if let Form::Object(members) = &**of {
                        assert_ordered(member.name, members);
                    }
                }
                _ => {}
            }
        }
    }
}
