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
#[inline]
pub(super) fn scan(document: &[u8]) -> Option<Root<'_>> {
    let mut root = Root::default();
    let text = readable(document);
    let mut rest = trim(skip_prolog(text)?).strip_prefix("<body")?;
    loop {
        let trimmed = trim(rest);
        match *trimmed.as_bytes().first()? {
            b'/' => {
                let tail = trimmed.strip_prefix("/>")?;
                root.complete = trim(tail).is_empty();
                break;
            }
            b'>' => {
                let tail = trim(&trimmed[1..]);
                root.complete = tail.strip_prefix("</body>").is_some_and(|tail| trim(tail).is_empty());
                break;
            }
            // White space has to separate attributes.
            _ if trimmed.len() == rest.len() => return None,
            _ => rest = attribute(trimmed, &mut root)?,
        }
    }
    root.complete &= text.len() == document.len();
    (root.get("xmlns") == Some(HTTPBIND)).then_some(root)
}

/// As much of a document as is UTF-8. Checked once: names and values that the scanner takes are ASCII anyway.
fn readable(document: &[u8]) -> &str {
    std::str::from_utf8(document)
        .or_else(|error| std::str::from_utf8(&document[..error.valid_up_to()]))
        .unwrap_or_default()
}

/// Skips a byte order mark, white space and an XML declaration that names no foreign encoding.
fn skip_prolog(document: &str) -> Option<&str> {
    let document = document.strip_prefix('\u{feff}').unwrap_or(document);
    let Some(declaration) = document.strip_prefix("<?xml ") else { return Some(document) };
    let end = declaration.bytes().take(128).position(|b| b == b'>')?;
    let plain = declaration[..end].strip_suffix('?')?.replace('\'', "\"");
    let mut words = plain.split_ascii_whitespace();
    let known = words.next() == Some("version=\"1.0\"")
        && words.all(|word| word.eq_ignore_ascii_case("encoding=\"utf-8\"") || word == "standalone=\"yes\"");
    known.then(|| &declaration[end + 1..])
}

fn trim(text: &str) -> &str {
    let blank = text.bytes().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
    &text[blank..]
}

/// Reads one attribute and returns what follows it.
fn attribute<'a>(text: &'a str, root: &mut Root<'a>) -> Option<&'a str> {
    let length = text.bytes().take_while(|b| NAME[usize::from(*b)]).count();
    let (name, rest) = text.split_at(length);
    if !name.as_bytes().first()?.is_ascii_alphabetic() {
        return None;
    }
    let rest = trim(trim(rest).strip_prefix('=')?);
    let quote = *rest.as_bytes().first().filter(|b| matches!(b, b'"' | b'\''))?;
    let rest = &rest[1..];
    let value = &rest[..rest.bytes().position(|b| b == quote)?];
    if !is_plain(value) || !understood(name, value) {
        return None;
    }
    root.add(name, value)?;
    Some(&rest[value.len() + 1..])
}

/// Names without prefix, `xml:lang`, and declarations of prefixes that cannot be wrong.
fn understood(name: &str, value: &str) -> bool {
    let Some(colon) = name.bytes().position(|b| b == b':') else { return true };
    let (prefix, local) = (&name[..colon], &name[colon + 1..]);
    match prefix {
        "xmlns" => {
            local.starts_with(|c: char| c.is_ascii_alphabetic())
                && !local.contains(':')
                && !local.starts_with("xml")
                && !value.is_empty()
                && !value.starts_with("http://www.w3.org/")
        }
        _ => prefix == "xml" && local == "lang",
    }
}

/// The bytes of a name, as far as the scanner takes them.
const NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128u8 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.');
        byte += 1;
    }
    table
};

/// Whether a value is printable ASCII that stands for itself. Without branches: compilers make vector instructions
/// of it.
fn is_plain(value: &str) -> bool {
    value.bytes().fold(true, |plain, b| plain & (0x20..0x7f).contains(&b) & (b != b'<') & (b != b'&'))
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
        let broken = [format!("<body rid='7' sid='abc' {NS}/>").as_bytes(), b"\xff"].concat();
        let root = scan(&broken).unwrap();
        assert!(!root.complete, "what follows is no text");
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
