//! Bodies of requests, each described once: a [`Body`] lists the elements with what they mean and where their text goes. The
//! reader of bodies and the OpenAPI description come from it. What is mandatory and which values go together depends on the
//! request and is judged later: an element that is missing here is missing there.

use super::shape::{Form, Member, Shape};
use crate::model::error::ApiError;
use crate::rest::body::Element;

/// The description of a body that is read into a `T`.
pub struct Body<T: 'static> {
    /// Name of the root.
    pub name: &'static str,
    /// What the request is, in a sentence.
    pub about: &'static str,
    /// Its children, in alphabetical order without regard to case.
    pub entries: &'static [Entry<T>],
}

/// One child of a body.
pub struct Entry<T: 'static> {
    /// Name of the element.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// What it holds and where that goes.
    pub take: Take<T>,
}

/// What an element of a body holds. Of several with the same name the last counts.
pub enum Take<T: 'static> {
    /// Text without white space around it; an empty element counts as absent.
    Text(fn(&mut T, String)),
    /// As text; the words it is known with. Others are judged where the request is.
    Word(&'static [&'static str], fn(&mut T, String)),
    /// Text as it stands; it may be empty.
    Whole(fn(&mut T, String)),
    /// Children; the function is told that the element is there.
    Object(fn(&mut T), &'static [Entry<T>]),
    /// Elements of this name, each with a `name` and a `value`. Values keep their white space.
    Pairs(&'static str, fn(&mut T, Vec<(String, String)>)),
    /// Elements of this name with text.
    Texts(&'static str, fn(&mut T, Vec<String>)),
}

impl<T: Default> Body<T> {
    /// Reads a body.
    ///
    /// # Errors
    /// 400 if the root is another.
    pub fn read(&self, element: &Element) -> Result<T, ApiError> {
        if element.name != self.name {
            let message = format!("The body of the request must be a {} element", self.name);
            return Err(ApiError::bad_request(message, element.name.clone()));
        }
        let mut into = T::default();
        read(self.entries, element, &mut into);
        Ok(into)
    }
}

impl<T> Body<T> {
    /// The description without its functions.
    pub fn shape(&self) -> Shape {
        Shape::new(self.name, self.about, members(self.entries))
    }
}

fn read<T>(entries: &[Entry<T>], element: &Element, into: &mut T) {
    for entry in entries {
        let Some(child) = element.child(entry.name) else { continue };
        match &entry.take {
            Take::Text(put) | Take::Word(_, put) => {
                let text = child.text.trim();
                if !text.is_empty() {
                    put(into, text.to_owned());
                }
            }
            Take::Whole(put) => put(into, child.text.clone()),
            Take::Object(there, children) => {
                there(into);
                read(children, child, into);
            }
            Take::Pairs(item, put) => put(into, child.pairs(item)),
            Take::Texts(item, put) => put(into, child.texts(item)),
        }
    }
}

fn members<T>(entries: &[Entry<T>]) -> Vec<Member> {
    let pair = || {
        let part = |name, about| Member::new(name, about, Form::Text);
        Form::Object(vec![part("name", "Name."), part("value", "Value.")])
    };
    let form = |take: &Take<T>| match take {
        Take::Text(_) | Take::Whole(_) => Form::Text,
        Take::Word(words, _) => Form::Word(words),
        Take::Object(_, children) => Form::Object(members(children)),
        Take::Pairs(item, _) => Form::List { item, of: Box::new(pair()) },
        Take::Texts(item, _) => Form::List { item, of: Box::new(Form::Text) },
    };
    entries.iter().map(|entry| Member::new(entry.name, entry.about, form(&entry.take))).collect()
}
