//! Builds elements from lexer events, resolves namespaces, counts everything that is bounded.

use super::{Header, XmlError, text};
use crate::config::Limits;
use minidom::Element;
use rxml::{AttrMap, Namespace, NcName, RawEvent};

/// `(prefix, local name)` as written.
type Name = (Option<NcName>, NcName);

/// What an event completed.
pub(super) enum Piece {
    Nothing,
    Header(Header),
    Element(Element),
    Closed,
}

/// A namespace declaration in scope; the level is the depth at which it ends.
struct Binding {
    level: usize,
    prefix: Option<NcName>,
    uri: String,
}

/// An open tag whose attributes are still coming.
struct OpenTag {
    name: Name,
    attributes: Vec<(Name, String)>,
    value_bytes: usize,
    namespaces: usize,
}

struct Frame {
    element: Element,
    children: usize,
}

pub(super) struct Assembler {
    /// Elements below the stream element (or all, in a document), outermost first.
    frames: Vec<Frame>,
    bindings: Vec<Binding>,
    tag: Option<OpenTag>,
    /// Text since the last tag, which becomes one text node.
    text: String,
    /// Open elements outside `frames`: 1 once a stream's header was read.
    outer: usize,
    is_stream: bool,
    /// A namespace and the one that is meant by it.
    alias: Option<(&'static str, &'static str)>,
    /// Elements below the one at the top of `frames`, itself included.
    elements: usize,
}

impl Assembler {
    pub(super) fn stream() -> Self {
        Self {
            frames: Vec::new(),
            bindings: Vec::new(),
            tag: None,
            text: String::new(),
            outer: 0,
            is_stream: true,
            alias: None,
            elements: 0,
        }
    }

    pub(super) fn document() -> Self {
        Self { is_stream: false, ..Self::stream() }
    }

    pub(super) fn read_as(&mut self, written: &'static str, meant: &'static str) {
        self.alias = Some((written, meant));
    }

    /// In a stream, below the header and outside of any element.
    pub(super) fn is_between_elements(&self) -> bool {
        self.outer == 1 && self.frames.is_empty()
    }

    /// Elements and attributes of the tree that is being built.
    pub(super) fn elements(&self) -> usize {
        self.elements
    }

    pub(super) fn release_temporaries(&mut self) {
        self.frames.shrink_to_fit();
        self.text.shrink_to_fit();
        self.bindings.shrink_to_fit();
    }

    /// A complete run of text as it stands in the input.
    pub(super) fn text_run(&mut self, run: &[u8]) -> Result<(), XmlError> {
        text::decode(run, &mut self.text)
    }

    pub(super) fn handle(&mut self, event: RawEvent, limits: &Limits) -> Result<Piece, XmlError> {
        match event {
            RawEvent::XmlDeclaration(..) => Ok(Piece::Nothing),
            RawEvent::ElementHeadOpen(_, name) => {
                check_name(&name, limits)?;
                self.flush_text(limits)?;
                self.tag = Some(OpenTag { name, attributes: Vec::new(), value_bytes: 0, namespaces: 0 });
                Ok(Piece::Nothing)
            }
            RawEvent::Attribute(_, name, value) => self.attribute(name, value, limits),
            RawEvent::ElementHeadClose(_) => self.open(limits),
            RawEvent::ElementFoot(_) => self.close(limits),
            RawEvent::Text(_, text) => self.text_event(text),
        }
    }

    fn text_event(&mut self, text: String) -> Result<Piece, XmlError> {
        if self.frames.is_empty() {
            let blank = text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
            return if blank { Ok(Piece::Nothing) } else { Err(XmlError::Text) };
        }
        if self.text.is_empty() {
            self.text = text;
        } else {
            self.text.push_str(&text);
        }
        Ok(Piece::Nothing)
    }

    fn depth(&self) -> usize {
        self.outer + self.frames.len()
    }

    fn attribute(&mut self, name: Name, value: String, limits: &Limits) -> Result<Piece, XmlError> {
        check_name(&name, limits)?;
        let level = self.depth() + 1;
        let Some(tag) = &mut self.tag else { return Err(XmlError::NotWellFormed) };
        tag.value_bytes += value.len();
        if value.len() > limits.attribute_value || tag.value_bytes > limits.attribute_total {
            return Err(XmlError::Limit("attributes too long"));
        }
        let prefix = match (&name.0, name.1.as_str()) {
            (None, "xmlns") => None,
            (Some(prefix), _) if prefix == "xmlns" => Some(name.1),
            _ => {
                if tag.attributes.len() == limits.attributes {
                    return Err(XmlError::Limit("too many attributes"));
                }
                tag.attributes.push((name, value));
                return Ok(Piece::Nothing);
            }
        };
        tag.namespaces += 1;
        if tag.namespaces > limits.namespaces_per_element || self.bindings.len() == limits.namespaces_in_scope
        {
            return Err(XmlError::Limit("too many namespace declarations"));
        }
        let mut here = self.bindings.iter().rev().take_while(|b| b.level == level);
        if here.any(|b| b.prefix == prefix) {
            return Err(XmlError::NotWellFormed);
        }
        self.bindings.push(Binding { level, prefix, uri: value });
        Ok(Piece::Nothing)
    }

    /// URI bound to a prefix. No prefix and no declaration: no namespace.
    fn resolve(&self, prefix: Option<&NcName>) -> Result<&str, XmlError> {
        if prefix.is_some_and(|p| p == "xml") {
            return Ok(rxml::XMLNS_XML);
        }
        match self.bindings.iter().rev().find(|b| b.prefix.as_ref() == prefix) {
            Some(binding) => Ok(&binding.uri),
            None if prefix.is_none() => Ok(""),
            None => Err(XmlError::NotWellFormed),
        }
    }

    fn resolve_attributes(&self, attributes: Vec<(Name, String)>) -> Result<AttrMap, XmlError> {
        let mut map = AttrMap::new();
        for ((prefix, name), value) in attributes {
            let namespace = match &prefix {
                None => Namespace::NONE,
                Some(prefix) if prefix == "xml" => Namespace::xml().clone(),
                Some(_) => Namespace::from(self.resolve(prefix.as_ref())?.to_owned()),
            };
            if map.insert(namespace, name, value).is_some() {
                return Err(XmlError::NotWellFormed);
            }
        }
        Ok(map)
    }

    fn open(&mut self, limits: &Limits) -> Result<Piece, XmlError> {
        let Some(tag) = self.tag.take() else { return Err(XmlError::NotWellFormed) };
        let namespace = self.resolve(tag.name.0.as_ref())?.to_owned();
        if self.is_stream && self.outer == 0 {
            let attributes = self.resolve_attributes(tag.attributes)?;
            self.outer = 1;
            return Ok(Piece::Header(self.header(tag.name, namespace, &attributes)?));
        }
        if self.frames.len() == limits.depth {
            return Err(XmlError::Limit("elements nested too deeply"));
        }
        if let Some(parent) = self.frames.last_mut() {
            parent.count_child(limits)?;
        }
        let namespace = match self.alias {
            Some((written, meant)) if namespace == written => meant.to_owned(),
            _ => namespace,
        };
        self.elements = if self.frames.is_empty() { 1 } else { self.elements + 1 };
        self.elements += tag.attributes.len();
        let mut element = Element::bare(tag.name.1.as_str(), namespace);
        if !tag.attributes.is_empty() {
            *element.attrs_mut() = self.resolve_attributes(tag.attributes)?;
        }
        self.frames.push(Frame { element, children: 0 });
        Ok(Piece::Nothing)
    }

    fn header(&self, name: Name, namespace: String, attributes: &AttrMap) -> Result<Header, XmlError> {
        let get = |name: &str| attributes.get(&Namespace::NONE, name).cloned();
        Ok(Header {
            prefix: name.0.map(|p| p.as_str().to_owned()),
            name: name.1.as_str().to_owned(),
            namespace,
            content_namespace: self.resolve(None)?.to_owned(),
            to: get("to"),
            from: get("from"),
            version: get("version"),
            lang: attributes.get(Namespace::xml(), "lang").cloned(),
        })
    }

    fn close(&mut self, limits: &Limits) -> Result<Piece, XmlError> {
        self.flush_text(limits)?;
        let level = self.depth();
        while self.bindings.last().is_some_and(|b| b.level >= level) {
            self.bindings.pop();
        }
        let Some(frame) = self.frames.pop() else { return Ok(Piece::Closed) };
        match self.frames.last_mut() {
            Some(parent) => {
                parent.element.append_child(frame.element);
                Ok(Piece::Nothing)
            }
            None => Ok(Piece::Element(frame.element)),
        }
    }

    fn flush_text(&mut self, limits: &Limits) -> Result<(), XmlError> {
        if self.text.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.text);
        match self.frames.last_mut() {
            Some(frame) => {
                frame.count_child(limits)?;
                frame.element.append_text_node(text);
                Ok(())
            }
            None => Err(XmlError::Text),
        }
    }
}

impl Frame {
    fn count_child(&mut self, limits: &Limits) -> Result<(), XmlError> {
        self.children += 1;
        if self.children > limits.children { Err(XmlError::Limit("too many children")) } else { Ok(()) }
    }
}

fn check_name(name: &Name, limits: &Limits) -> Result<(), XmlError> {
    let prefix = name.0.as_ref().map_or(0, |p| p.as_str().len() + 1);
    if prefix + name.1.as_str().len() > limits.name { Err(XmlError::Limit("name too long")) } else { Ok(()) }
}
