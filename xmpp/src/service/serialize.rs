//! Writes an inbound element back as XML, straight into a buffer.
//!
//! Iterative, so that depth costs no stack. Namespaces are written as `xmlns` attributes and never as
//! prefixes of elements: the readers of old clients select by the attribute. Only attributes that are in a
//! namespace need a prefix, which is declared on the element itself.

use std::rc::Rc;

use minidom::{Element, Node};

use super::ns;
use crate::xml::{push_attribute, push_text};

/// A namespace in scope. The usual ones are compared in place; others cost one string where they begin.
#[derive(Clone)]
enum Scope<'a> {
    Known(&'a str),
    Other(Rc<str>),
}

impl Scope<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Known(ns) => ns,
            Self::Other(ns) => ns,
        }
    }
}

/// An element whose children are being written.
struct Open<'a> {
    element: &'a Element,
    nodes: std::slice::Iter<'a, Node>,
    scope: Scope<'a>,
}

/// Appends `element` as it was received. `outer` is the default namespace at the place of writing: an
/// element in it gets no `xmlns` attribute.
pub(crate) fn push_element<'a>(out: &mut Vec<u8>, element: &'a Element, outer: &'a str) {
    let mut stack: Vec<Open<'_>> = Vec::new();
    let mut current = match open(out, element, &Scope::Known(outer)) {
        Some(open) => open,
        None => return,
    };
    loop {
        match current.nodes.next() {
            Some(Node::Text(text)) => push_text(out, text),
            Some(Node::Element(child)) => {
                if let Some(inner) = open(out, child, &current.scope) {
                    stack.push(std::mem::replace(&mut current, inner));
                }
            }
            None => {
                out.extend_from_slice(b"</");
                out.extend_from_slice(current.element.name().as_bytes());
                out.push(b'>');
                match stack.pop() {
                    Some(outer) => current = outer,
                    None => return,
                }
            }
        }
    }
}

/// Appends the child elements of `element`, which themselves stay in the namespace `outer` or declare
/// their own. Text directly below `element` is left out.
pub(crate) fn push_children(out: &mut Vec<u8>, element: &Element, outer: &str) {
    for child in element.children() {
        push_element(out, child, outer);
    }
}

/// Writes the start tag; an element without content is complete then.
fn open<'a>(out: &mut Vec<u8>, element: &'a Element, outer: &Scope<'a>) -> Option<Open<'a>> {
    out.push(b'<');
    out.extend_from_slice(element.name().as_bytes());
    let scope = declare(out, element, outer);
    let mut prefixes = 0;
    for ((namespace, name), value) in element.attrs().iter() {
        out.push(b' ');
        let namespace: &str = namespace;
        if namespace == ns::XML {
            out.extend_from_slice(b"xml:");
        } else if !namespace.is_empty() {
            prefixes += 1;
            let prefix = format!("a{prefixes}");
            out.extend_from_slice(format!("xmlns:{prefix}=\"").as_bytes());
            push_attribute(out, namespace);
            out.extend_from_slice(format!("\" {prefix}:").as_bytes());
        }
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b"=\"");
        push_attribute(out, value);
        out.push(b'"');
    }
    let mut nodes = element.nodes();
    if nodes.as_slice().is_empty() {
        out.extend_from_slice(b"/>");
        return None;
    }
    out.push(b'>');
    // A first text is written here, so that the common leaf never touches the stack.
    if let [Node::Text(text), ..] = nodes.as_slice() {
        push_text(out, text);
        nodes.next();
    }
    Some(Open { element, nodes, scope })
}

/// Writes `xmlns` where the element leaves the namespace around it.
fn declare<'a>(out: &mut Vec<u8>, element: &Element, outer: &Scope<'a>) -> Scope<'a> {
    if element.has_ns(outer.as_str()) {
        return outer.clone();
    }
    let scope = match [ns::PUBSUB, ns::CLIENT, ns::DATA].into_iter().find(|known| element.has_ns(*known)) {
        Some(known) => Scope::Known(known),
        None => Scope::Other(element.ns().into()),
    };
    out.extend_from_slice(b" xmlns=\"");
    push_attribute(out, scope.as_str());
    out.push(b'"');
    scope
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(xml: &str, outer: &str) -> String {
        let element: Element = xml.parse().unwrap();
        let mut out = Vec::new();
        push_element(&mut out, &element, outer);
        let text = String::from_utf8(out).unwrap();
        if outer.is_empty() {
            let again: Element = text.parse().unwrap();
            assert_eq!(again, element);
        }
        text
    }

    #[test]
    fn namespaces_are_attributes_where_they_change() {
        assert_eq!(
            round("<p:a xmlns:p='urn:a' xmlns='urn:b'><p:b/><c x='1'>t&lt;</c><p:d/></p:a>", ""),
            "<a xmlns=\"urn:a\"><b/><c xmlns=\"urn:b\" x=\"1\">t&lt;</c><d/></a>"
        );
        assert_eq!(round("<a xmlns='urn:a'/>", "urn:a"), "<a/>");
    }

    #[test]
    fn namespaced_attributes_survive() {
        let xml = "<a xmlns='urn:a' xmlns:q='urn:q' q:x='1' xml:lang='en' y=\"'&#10;\"/>";
        assert_eq!(
            round(xml, ""),
            "<a xmlns=\"urn:a\" y=\"&apos;&#10;\" xml:lang=\"en\" xmlns:a1=\"urn:q\" a1:x=\"1\"/>"
        );
    }

    #[test]
    fn mixed_content_keeps_its_order() {
        round("<a xmlns='urn:a'>one<b>two<c/>three</b>four<b/>five</a>", "");
    }

    #[test]
    fn deep_elements_need_no_stack() {
        let depth = 20_000;
        let mut element = Element::bare("x", "urn:a");
        for _ in 0..depth {
            let mut outer = Element::bare("x", "urn:a");
            outer.append_child(element);
            element = outer;
        }
        let mut out = Vec::new();
        push_element(&mut out, &element, "urn:a");
        assert_eq!(out.len(), depth * 7 + 4);
        // The tree's own drop is recursive; take it apart from the top.
        while let Some(child) = element.unshift_child() {
            element = child;
        }
    }
}
