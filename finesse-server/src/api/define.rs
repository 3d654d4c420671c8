//! How a resource is described: fields with a name, a meaning and a function that reads the value.

use std::borrow::Cow;

use super::shape::{Form, Member, Shape};
use crate::model::xml::Writer;

/// The description of an element whose content is read off a `T`.
pub struct Resource<T: 'static> {
    /// Name of the element.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Its children, in alphabetical order without regard to case.
    pub fields: &'static [Field<T>],
}

/// One child of a resource.
pub struct Field<T: 'static> {
    /// Name of the child element.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// What it holds and where that comes from.
    pub value: Value<T>,
}

/// What a field holds.
pub enum Value<T: 'static> {
    /// Text; an empty element if there is none.
    Text(for<'a> fn(&'a T) -> Cow<'a, str>),
    /// A whole number; an empty element if there is none.
    Integer(fn(&T) -> Option<i64>),
    /// `true` or `false`.
    Boolean(fn(&T) -> bool),
    /// One of a few words.
    Word(&'static [&'static str], fn(&T) -> &'static str),
    /// A child with children of its own, or several of the kind.
    Part(&'static dyn Part<T>),
}

/// Children of a field that are described themselves.
pub trait Part<T>: Sync {
    /// Writes the element `name`, or all of that name.
    fn write(&self, w: &mut Writer<'_>, name: &str, of: &T);

    /// What it is without the values, and whether `name` is repeated.
    fn form(&self) -> (Form, bool);
}

/// A [`Field`] with children that are described themselves: name, meaning, reference to the [`Part`]. Not a function,
/// because what a static refers to has to be written in it.
macro_rules! part {
    ($name:expr, $about:expr, $part:expr $(,)?) => {
        $crate::api::define::Field {
            name: $name,
            about: $about,
            value: $crate::api::define::Value::Part($part),
        }
    };
}
pub(crate) use part;

/// Calls back for each value that a part has; values may be made on the way.
pub type Each<T, U> = fn(&T, &mut dyn FnMut(&U));

/// Calls back for each text of a list.
pub type EachText<T> = fn(&T, &mut dyn FnMut(&str));

/// One element with the children of a resource, or as many as there are values, each under the field's name.
pub struct Nested<T: 'static, U: 'static> {
    /// The description of the values.
    pub of: &'static Resource<U>,
    /// The values.
    pub each: Each<T, U>,
    /// Whether there can be more than one.
    pub many: bool,
}

/// A list: the field's element holds one element for each value, named as the resource.
pub struct Listed<T: 'static, U: 'static> {
    /// The description of the values.
    pub of: &'static Resource<U>,
    /// The values.
    pub each: Each<T, U>,
}

/// A list of plain texts.
pub struct Texts<T: 'static> {
    /// Name of the elements in the list.
    pub item: &'static str,
    /// The texts.
    pub each: EachText<T>,
}

/// A document that lists values of one resource, with at most one attribute.
pub struct Collection<T: 'static> {
    /// Name of the root.
    pub name: &'static str,
    /// What it lists.
    pub about: &'static str,
    /// Name of the root's attribute, if it has one.
    pub attribute: Option<&'static str>,
    /// The description of its members.
    pub of: &'static Resource<T>,
}

impl<T> Resource<T> {
    /// Writes the element under its own name.
    pub fn write(&self, w: &mut Writer<'_>, of: &T) {
        self.write_as(w, self.name, of);
    }

    /// Writes the element under another name.
    pub fn write_as(&self, w: &mut Writer<'_>, name: &str, of: &T) {
        w.open(name);
        for field in self.fields {
            field.write(w, of);
        }
        w.close(name);
    }

    /// The description without its functions.
    pub fn shape(&self) -> Shape {
        Shape { name: self.name, about: self.about, attribute: None, members: self.members() }
    }

    fn members(&self) -> Vec<Member> {
        self.fields.iter().map(Field::member).collect()
    }
}

impl<T> Field<T> {
    /// Text that every value has.
    pub const fn text(
        name: &'static str,
        about: &'static str,
        text: for<'a> fn(&'a T) -> Cow<'a, str>,
    ) -> Self {
        Self { name, about, value: Value::Text(text) }
    }

    /// A whole number.
    pub const fn integer(name: &'static str, about: &'static str, number: fn(&T) -> Option<i64>) -> Self {
        Self { name, about, value: Value::Integer(number) }
    }

    /// A boolean.
    pub const fn boolean(name: &'static str, about: &'static str, value: fn(&T) -> bool) -> Self {
        Self { name, about, value: Value::Boolean(value) }
    }

    /// One of a few words.
    pub const fn word(
        name: &'static str,
        about: &'static str,
        words: &'static [&'static str],
        word: fn(&T) -> &'static str,
    ) -> Self {
        Self { name, about, value: Value::Word(words, word) }
    }

    fn write(&self, w: &mut Writer<'_>, of: &T) {
        match &self.value {
            Value::Text(text) => w.text(self.name, &text(of)),
            Value::Integer(number) => w.option(self.name, number(of)),
            Value::Boolean(value) => w.value(self.name, value(of)),
            Value::Word(_, word) => w.text(self.name, word(of)),
            Value::Part(part) => part.write(w, self.name, of),
        }
    }

    fn member(&self) -> Member {
        let (form, repeated) = match &self.value {
            Value::Text(_) => (Form::Text, false),
            Value::Integer(_) => (Form::Integer, false),
            Value::Boolean(_) => (Form::Boolean, false),
            Value::Word(words, _) => (Form::Word(words), false),
            Value::Part(part) => part.form(),
        };
        Member { name: self.name, about: self.about, form, repeated }
    }
}

impl<T, U> Part<T> for Nested<T, U> {
    fn write(&self, w: &mut Writer<'_>, name: &str, of: &T) {
        (self.each)(of, &mut |value| self.of.write_as(w, name, value));
    }

    fn form(&self) -> (Form, bool) {
        (Form::Object(self.of.members()), self.many)
    }
}

impl<T, U> Part<T> for Listed<T, U> {
    fn write(&self, w: &mut Writer<'_>, name: &str, of: &T) {
        w.open(name);
        (self.each)(of, &mut |value| self.of.write(w, value));
        w.close(name);
    }

    fn form(&self) -> (Form, bool) {
        (Form::List { item: self.of.name, of: Box::new(Form::Object(self.of.members())) }, false)
    }
}

impl<T> Part<T> for Texts<T> {
    fn write(&self, w: &mut Writer<'_>, name: &str, of: &T) {
        w.open(name);
        (self.each)(of, &mut |text| w.text(self.item, text));
        w.close(name);
    }

    fn form(&self) -> (Form, bool) {
        (Form::List { item: self.item, of: Box::new(Form::Text) }, false)
    }
}

impl<T> Collection<T> {
    /// The document that lists `values`; `attribute` is the value of the root's attribute.
    pub fn document<'a>(&self, attribute: &str, values: impl IntoIterator<Item = &'a T>) -> String {
        let mut out = String::with_capacity(1024);
        let mut w = Writer::new(&mut out);
        match self.attribute {
            Some(name) => w.open_with(self.name, name, attribute),
            None => w.open(self.name),
        }
        for value in values {
            self.of.write(&mut w, value);
        }
        w.close(self.name);
        out
    }

    /// The description without its functions.
    pub fn shape(&self) -> Shape {
        let member = Member {
            name: self.of.name,
            about: self.of.about,
            form: Form::Object(self.of.members()),
            repeated: true,
        };
        Shape { name: self.name, about: self.about, attribute: self.attribute, members: vec![member] }
    }
}

/// The document of one value.
pub fn document<T>(resource: &Resource<T>, of: &T) -> String {
    let mut out = String::with_capacity(512);
    resource.write(&mut Writer::new(&mut out), of);
    out
}
