//! A scanner for the start tag of `<body/>` that needs no XML parser and no allocation.
//!
//! Nearly every request of an idle session is an empty body. The scanner reads those completely; of
//! others it reads the start tag, which is enough to find the session of a body that is otherwise
//! broken. It understands the plain spellings that clients use and gives up on all else (references,
//! foreign prefixes, anything unusual), which the real parser then judges.

use super::body::HTTPBIND;

/// The most attributes the scanner compares for duplicates.
const MAX_ATTRIBUTES: usize = 20;

/// A start tag as it was found.
#[derive(Debug, Default)]
pub(super) struct Root<'a> {
    attributes: [(&'a str, &'a str); MAX_ATTRIBUTES],
    count: usize,
    /// Nothing but white space follows: the scanner has seen the whole document.
    pub(super) complete: bool,
}

impl<'a> Root<'a> {
    /// The attributes without prefix, namespace declarations and `xml:lang` included.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> + '_ {
        self.attributes[..self.count].iter().copied()
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.attributes().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    fn add(&mut self, name: &'a str, value: &'a str) -> Option<()> {
        if self.count == MAX_ATTRIBUTES || self.get(name).is_some() {
            return None;
        }
        self.attributes[self.count] = (name, value);
        self.count += 1;
        Some(())
    }
}

/// Reads the start tag. `None` is no judgement: the parser shall look.
pub(super) fn scan(document: &[u8]) -> Option<Root<'_>> {
    let mut rest = trim(skip_prolog(document)?);
    rest = rest.strip_prefix(b"<body")?;
    let mut root = Root::default();
    loop {
        let trimmed = trim(rest);
        match *trimmed.first()? {
            b'/' => {
                let tail = trimmed.strip_prefix(b"/>")?;
                root.complete = trim(tail).is_empty();
                break;
            }
            b'>' => {
                let tail = trim(&trimmed[1..]);
                root.complete = tail.strip_prefix(b"</body>").is_some_and(|tail| trim(tail).is_empty());
                break;
            }
            // White space has to separate attributes.
            _ if trimmed.len() == rest.len() => return None,
            _ => rest = attribute(trimmed, &mut root)?,
        }
    }
    (root.get("xmlns") == Some(HTTPBIND)).then_some(root)
}

/// Skips a byte order mark, white space and an XML declaration that names no foreign encoding.
fn skip_prolog(document: &[u8]) -> Option<&[u8]> {
    let document = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
    let Some(declaration) = document.strip_prefix(b"<?xml ") else { return Some(document) };
    let end = declaration.iter().take(128).position(|&b| b == b'>')?;
    let text = std::str::from_utf8(declaration[..end].strip_suffix(b"?")?).ok()?;
    let plain = text.replace('\'', "\"");
    let mut words = plain.split_ascii_whitespace();
    let known = words.next() == Some("version=\"1.0\"")
        && words.all(|word| word.eq_ignore_ascii_case("encoding=\"utf-8\"") || word == "standalone=\"yes\"");
    known.then(|| &declaration[end + 1..])
}

fn trim(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
    &bytes[blank..]
}

/// Reads one attribute and returns what follows it.
fn attribute<'a>(bytes: &'a [u8], root: &mut Root<'a>) -> Option<&'a [u8]> {
    let length = bytes.iter().take_while(|b| is_name_byte(**b)).count();
    let (name, rest) = bytes.split_at(length);
    if !name.first()?.is_ascii_alphabetic() {
        return None;
    }
    let rest = trim(trim(rest).strip_prefix(b"=")?);
    let quote = *rest.first().filter(|b| matches!(b, b'"' | b'\''))?;
    let rest = &rest[1..];
    let length = rest.iter().take_while(|b| **b != quote && is_value_byte(**b)).count();
    let (value, rest) = rest.split_at(length);
    let rest = rest.strip_prefix(&[quote])?;
    let (name, value) = (std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?);
    if !understood(name, value) {
        return None;
    }
    root.add(name, value)?;
    Some(rest)
}

/// Names without prefix, `xml:lang`, and declarations of prefixes that cannot be wrong.
fn understood(name: &str, value: &str) -> bool {
    match name.split_once(':') {
        None => true,
        Some(("xmlns", prefix)) => {
            prefix.starts_with(|c: char| c.is_ascii_alphabetic())
                && !prefix.contains(':')
                && !prefix.starts_with("xml")
                && !value.is_empty()
                && !value.starts_with("http://www.w3.org/")
        }
        Some((prefix, local)) => prefix == "xml" && local == "lang",
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.')
}

/// Printable ASCII that stands for itself in an attribute value.
fn is_value_byte(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) && byte != b'<' && byte != b'&'
}

#[cfg(test)]
mod tests {
    use super::*;

    const NS: &str = "xmlns='http://jabber.org/protocol/httpbind'";

    #[test]
    fn empty_bodies_are_read_whole() {
        for text in [
            format!("<body rid='7' sid=\"abc\" {NS}/>"),
            format!(
                "\u{feff}<?xml version='1.0' encoding='UTF-8'?>\r\n<body {NS} rid = '7'\n sid='abc' ></body> \n"
            ),
            format!("<body rid='7' sid='abc' xml:lang='en' xmlns:xmpp='urn:xmpp:xbosh' {NS}  />"),
        ] {
            let root = scan(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert!(root.complete, "{text}");
            assert_eq!((root.get("rid"), root.get("sid")), (Some("7"), Some("abc")));
        }
    }

    #[test]
    fn of_others_the_start_tag_is_read() {
        let text = format!("<body rid='7' sid='abc' {NS}><!-- no --></body>");
        let root = scan(text.as_bytes()).unwrap();
        assert!(!root.complete);
        assert_eq!(root.get("sid"), Some("abc"));
    }

    #[test]
    fn the_unusual_is_left_to_the_parser() {
        for text in [
            format!("<body rid='7' rid='8' {NS}/>"),
            format!("<body rid='7'sid='8' {NS}/>"),
            format!("<body rid='&#55;' {NS}/>"),
            format!("<body xmpp:restart='true' {NS}/>"),
            format!("<body xmlns:xml='urn:x' {NS}/>"),
            format!("<body xmlns:a='' {NS}/>"),
            format!("<!DOCTYPE body><body {NS}/>"),
            format!("<?xml version='1.0' encoding='UTF-16'?><body {NS}/>"),
            format!("<bodyx {NS}/>"),
            "<body rid='7'/>".to_owned(),
            "<body rid='7".to_owned(),
            String::new(),
        ] {
            assert!(scan(text.as_bytes()).is_none(), "{text}");
        }
    }
}
