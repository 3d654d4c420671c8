//! Request bodies: a small, bounded XML reader. What their elements mean is described in `api::bodies`.
//!
//! Bodies come from the network. Document types and therefore entities of one's own are refused, depth and
//! number of elements are bounded, and everything that is not an element with text is ignored: attributes,
//! comments, processing instructions, unknown elements. The order of elements is free; of an element that is
//! given twice the last counts.

use std::borrow::Cow;

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::model::command::ApiError;

/// Deepest nesting of elements, the root being 1. The deepest documented body has 5.
const DEPTH: usize = 16;

/// Most elements in one body.
const ELEMENTS: usize = 4096;

/// How the bytes of a body are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, and what is a part of it.
    Utf8,
    /// ISO-8859-1.
    Latin1,
}

/// Whether a content type is XML in a charset that can be read.
pub fn charset(content_type: &str) -> Option<Charset> {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !matches!(essence.as_str(), "application/xml" | "text/xml") {
        return None;
    }
    let charset = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase());
    match charset.as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii") => Some(Charset::Utf8),
        Some("iso-8859-1" | "latin1") => Some(Charset::Latin1),
        Some(_) => None,
    }
}

/// An element with its text and its child elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Name without prefix.
    pub name: String,
    /// All text directly in it.
    pub text: String,
    /// Child elements in order.
    pub children: Vec<Element>,
}

/// Reads a body.
///
/// # Errors
/// 400 `Bad Request` with what is wrong with it.
pub fn parse(bytes: &[u8], charset: Charset) -> Result<Element, ApiError> {
    let text: Cow<'_, str> = match charset {
        Charset::Utf8 => {
            let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            std::str::from_utf8(bytes).map_err(|_| bad("is not valid UTF-8"))?.into()
        }
        Charset::Latin1 => bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into(),
    };
    // Leading blank lines, before an XML declaration too, come from hand-made clients.
    let text = text.trim();
    if text.is_empty() {
        return Err(bad("is empty"));
    }
    if !text.chars().all(is_xml_char) {
        return Err(bad("has a character that XML forbids"));
    }
    Tree::default().read(text)
}

fn bad(what: &str) -> ApiError {
    ApiError::bad_request(format!("The body of the request {what}"), "")
}

/// XML 1.0, production `Char`.
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The elements that are open while a body is read.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn read(mut self, text: &str) -> Result<Element, ApiError> {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = false;
        loop {
            match reader.read_event().map_err(|_| bad("is not well-formed XML"))? {
                Event::Start(start) => self.start(start.local_name().as_ref())?,
                Event::End(_) => self.end()?,
                Event::Text(text) => self.text(&text)?,
                Event::CData(text) => self.text(&text)?,
                Event::GeneralRef(reference) => self.reference(&reference)?,
                Event::DocType(_) => return Err(bad("has a document type, which is not allowed")),
                Event::Eof => break,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(bad("is not well-formed XML")),
        }
    }

    fn start(&mut self, name: &str) -> Result<(), ApiError> {
        self.elements += 1;
        if self.root.is_some() || name.is_empty() {
            return Err(bad("is not well-formed XML"));
        }
        if self.open.len() >= DEPTH || self.elements > ELEMENTS {
            return Err(bad("is nested too deeply or has too many elements"));
        }
        self.open.push(Element { name: name.to_owned(), ..Element::default() });
        Ok(())
    }

    fn end(&mut self) -> Result<(), ApiError> {
        let done = self.open.pop().ok_or_else(|| bad("is not well-formed XML"))?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(done),
            None => self.root = Some(done),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), ApiError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(bad("is not well-formed XML")),
        }
        Ok(())
    }

    /// One of the five named references or a character by number; there are no others without a document type.
    fn reference(&mut self, name: &str) -> Result<(), ApiError> {
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let character = match name {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match name.strip_prefix('#') {
                Some(rest) => match rest.strip_prefix('x') {
                    Some(hex) => number(hex, 16),
                    None => number(rest, 10),
                },
                None => None,
            },
        };
        let character =
            character.filter(|&c| is_xml_char(c)).ok_or_else(|| bad("refers to an unknown entity"))?;
        let mut buffer = [0; 4];
        self.text(character.encode_utf8(&mut buffer))
    }
}

impl Element {
    /// The last child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().rfind(|child| child.name == name)
    }

    /// Texts of the children of a name, without white space around them.
    pub(crate) fn texts(&self, item: &str) -> Vec<String> {
        let items = self.children.iter().filter(|child| child.name == item);
        items.map(|child| child.text.trim().to_owned()).collect()
    }

    /// Name and value of each child called `item`. Values keep their white space.
    pub(crate) fn pairs(&self, item: &str) -> Vec<(String, String)> {
        let text =
            |item: &Element, name| item.child(name).map(|child| child.text.clone()).unwrap_or_default();
        let items = self.children.iter().filter(|child| child.name == item);
        items.map(|item| (text(item, "name").trim().to_owned(), text(item, "value"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::bodies::{DIALOG, USER};
    use crate::model::command::UserBody;

    fn user(text: &str) -> Result<UserBody, ApiError> {
        USER.read(&parse(text.as_bytes(), Charset::Utf8)?)
    }

    fn state(text: &str) -> Option<String> {
        user(text).unwrap().state
    }

    #[test]
    fn a_sign_in_is_read() {
        let body = user(
            "\r\n\n<?xml version=\"1.0\"?>\n<User>\n <extension> 2001 </extension><state>LOGIN</state>\n</User>\n",
        );
        let body = body.unwrap();
        assert_eq!((body.state.as_deref(), body.extension.as_deref()), (Some("LOGIN"), Some("2001")));
        assert_eq!(body.mobile_agent, None);
    }

    #[test]
    fn the_last_of_two_counts_and_strangers_are_ignored() {
        assert_eq!(
            state("<User><state>READY</state><x><state>NO</state></x><state>LOGOUT</state></User>").unwrap(),
            "LOGOUT"
        );
        assert_eq!(
            state("<User a='1'><!-- note -->text<state>READY</state><?php?></User>").unwrap(),
            "READY"
        );
        assert_eq!(state("<f:User xmlns:f='urn:x'><f:state>READY</f:state></f:User>").unwrap(), "READY");
        assert_eq!(state("<User><state/></User>"), None);
        assert_eq!(state("<User><State>READY</State></User>"), None);
    }

    #[test]
    fn references_and_cdata_are_text() {
        assert_eq!(
            state("<User><state>&lt;&#65;&#x42;&amp;<![CDATA[<c>]]></state></User>").unwrap(),
            "<AB&<c>"
        );
    }

    #[test]
    fn what_xml_must_not_be_is_refused() {
        let deep = format!("<User>{}{}</User>", "<a>".repeat(20), "</a>".repeat(20));
        let wide = format!("<User>{}</User>", "<a/>".repeat(5000));
        for bad in [
            "",
            " \n",
            "state=READY",
            "<User>",
            "<User></user>",
            "<User/><User/>",
            "<User/>x",
            "x<User/>",
            "<user><state>READY</state></user>",
            "<!DOCTYPE User><User/>",
            "<!DOCTYPE u [<!ENTITY e 'READY'>]><User><state>&e;</state></User>",
            "<User><state>&nbsp;</state></User>",
            "<User><state>&#0;</state></User>",
            "<User><state>&#xD800;</state></User>",
            "<User><state>\u{1}</state></User>",
            "<User><state>&#99999999999;</state></User>",
            "</User>",
            "<User",
            "<>",
            &deep,
            &wide,
        ] {
            let error = user(bad).unwrap_err();
            assert_eq!((error.status, error.kind), (400, "Bad Request"), "{bad}");
        }
        assert_eq!(parse(b"<User>\xff</User>", Charset::Utf8).unwrap_err().status, 400);
    }

    #[test]
    fn a_call_is_read() {
        let text = "<Dialog><requestedAction>MAKE_CALL</requestedAction><fromAddress>2001</fromAddress>\
            <toAddress>0305550123</toAddress><associatedDialogUri>/finesse/api/Dialog/7</associatedDialogUri>\
            <mediaProperties><wrapUpReason>Invoice</wrapUpReason><callvariables>\
            <CallVariable><name>callVariable3</name><value> from CRM </value></CallVariable>\
            <CallVariable><value/><name>user.x</name></CallVariable></callvariables></mediaProperties></Dialog>";
        let body = DIALOG.read(&parse(text.as_bytes(), Charset::Utf8).unwrap()).unwrap();
        assert_eq!(body.requested_action.as_deref(), Some("MAKE_CALL"));
        assert_eq!(
            body.call_variables,
            [("callVariable3".into(), " from CRM ".into()), ("user.x".into(), String::new())]
        );
        assert_eq!(body.wrap_up_reason.as_deref(), Some("Invoice"));
        assert!(body.has_media_properties);
        assert_eq!(body.associated_dialog_uri.as_deref(), Some("/finesse/api/Dialog/7"));
    }

    #[test]
    fn content_types() {
        assert_eq!(charset("Application/XML"), Some(Charset::Utf8));
        assert_eq!(charset("text/xml; charset=\"UTF-8\""), Some(Charset::Utf8));
        assert_eq!(charset("application/xml;charset=ISO-8859-1"), Some(Charset::Latin1));
        for other in [
            "application/json",
            "text/plain",
            "",
            "application/xml; charset=utf-16",
            "application/x-www-form-urlencoded",
        ] {
            assert_eq!(charset(other), None, "{other}");
        }
        let latin = parse(b"<User><state>gr\xFCn</state></User>", Charset::Latin1).unwrap();
        let latin = USER.read(&latin).unwrap();
        assert_eq!(latin.state.as_deref(), Some("grün"));
    }
}
