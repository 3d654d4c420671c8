//! Data forms (XEP-0004), as far as pubsub needs them: reading submissions, writing forms.

use minidom::Element;

use super::ns;
use super::stanza::{Condition, StanzaError, push, push_attr, push_leaf};

/// What a client sent in a form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply<'a> {
    Cancel,
    /// Names of the fields with all their values, without `FORM_TYPE`.
    Submit(Vec<(&'a str, Vec<String>)>),
}

/// Reads the form below `parent`. A missing `FORM_TYPE` is tolerated; a wrong one, no form and a form that
/// is neither submitted nor cancelled are `bad-request`.
pub(crate) fn parse<'a>(parent: &'a Element, form_type: &str) -> Result<Reply<'a>, StanzaError> {
    let form = parent.get_child("x", ns::DATA).ok_or(Condition::BadRequest)?;
    match form.attr("type") {
        Some("cancel") => return Ok(Reply::Cancel),
        Some("submit") => {}
        _ => return Err(Condition::BadRequest.into()),
    }
    let mut fields = Vec::new();
    for field in form.children().filter(|child| child.is("field", ns::DATA)) {
        let name = field.attr("var").ok_or(Condition::BadRequest)?;
        let values: Vec<String> =
            field.children().filter(|child| child.is("value", ns::DATA)).map(Element::text).collect();
        if name != "FORM_TYPE" {
            fields.push((name, values));
        } else if values.first().is_some_and(|value| value != form_type) {
            return Err(Condition::BadRequest.into());
        }
    }
    Ok(Reply::Submit(fields))
}

/// A boolean of XEP-0004 §3.3.
pub(crate) fn boolean(value: &str) -> Option<bool> {
    match value.trim() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// What a field looks like to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Text,
    /// One of these values.
    List(&'static [&'static str]),
    /// Any number of lines.
    Lines,
    /// Any of these values.
    Choices(&'static [&'static str]),
    /// An address.
    Jid,
    /// Not shown to people.
    Hidden,
}

/// Writes forms.
pub(crate) struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    /// Starts a form of `kind` (`form`, `result`) with its `FORM_TYPE`.
    pub(crate) fn start(out: &'a mut Vec<u8>, kind: &str, form_type: &str) -> Self {
        push(out, &["<x xmlns=\"", ns::DATA, "\" type=\"", kind, "\">"]);
        push(out, &["<field var=\"FORM_TYPE\" type=\"hidden\">"]);
        push_leaf(out, "value", form_type);
        push(out, &["</field>"]);
        Self(out)
    }

    /// One field with one value; a label for forms that people fill in.
    pub(crate) fn field(&mut self, name: &str, kind: Kind, label: &str, value: &str) {
        self.fields(name, kind, label, &[value]);
    }

    /// One field with any number of values.
    pub(crate) fn fields(&mut self, name: &str, kind: Kind, label: &str, values: &[&str]) {
        let out = &mut *self.0;
        push(out, &["<field"]);
        push_attr(out, "var", name);
        let kind_name = match kind {
            Kind::Boolean => "boolean",
            Kind::Text => "text-single",
            Kind::List(_) => "list-single",
            Kind::Choices(_) => "list-multi",
            Kind::Lines => "text-multi",
            Kind::Jid => "jid-single",
            Kind::Hidden => "hidden",
        };
        push_attr(out, "type", kind_name);
        if !label.is_empty() {
            push_attr(out, "label", label);
        }
        out.push(b'>');
        for value in values {
            push_leaf(out, "value", value);
        }
        if let Kind::List(options) | Kind::Choices(options) = kind {
            for option in options {
                push(out, &["<option>"]);
                push_leaf(out, "value", option);
                push(out, &["</option>"]);
            }
        }
        push(out, &["</field>"]);
    }

    /// One field whose value is chosen among these.
    pub(crate) fn options(&mut self, name: &str, label: &str, options: &[&str]) {
        let out = &mut *self.0;
        push(out, &["<field"]);
        push_attr(out, "var", name);
        push(out, &[" type=\"list-single\""]);
        push_attr(out, "label", label);
        out.push(b'>');
        for option in options {
            push(out, &["<option>"]);
            push_leaf(out, "value", option);
            push(out, &["</option>"]);
        }
        push(out, &["</field>"]);
    }

    /// Ends the form.
    pub(crate) fn end(self) {
        push(self.0, &["</x>"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(form: &str) -> Element {
        format!("<configure xmlns='urn:c'>{form}</configure>").parse().unwrap()
    }

    #[test]
    fn submissions_are_read() {
        let element = parent(
            "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>t</value></field>\
             <field var='a'><value>1</value><value>2</value></field><field var='b'/></x>",
        );
        assert_eq!(
            parse(&element, "t"),
            Ok(Reply::Submit(vec![("a", vec!["1".into(), "2".into()]), ("b", vec![])]))
        );
        assert_eq!(parse(&element, "u"), Err(Condition::BadRequest.into()));
        assert_eq!(parse(&parent("<x xmlns='jabber:x:data' type='cancel'/>"), "t"), Ok(Reply::Cancel));
    }

    #[test]
    fn what_is_no_submission_is_refused() {
        for form in ["", "<x xmlns='jabber:x:data' type='form'/>", "<x xmlns='jabber:x:data'/>"] {
            assert_eq!(parse(&parent(form), "t"), Err(Condition::BadRequest.into()), "{form}");
        }
    }
}
