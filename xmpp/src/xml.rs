//! Escaping of text and attribute values, straight into the buffer that will be sent.
//!
//! `>` is always escaped in text: clients replace `&gt;` in raw text and would be confused by a bare one,
//! and `]]>` cannot occur.

use std::fmt::{self, Write};

/// What a byte becomes in text; `None`: itself. `\r` would be lost in line-end normalisation.
fn in_text(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#13;"),
        _ => None,
    }
}

/// What a byte becomes in an attribute value in either kind of quotes; white space would be normalised.
fn in_attribute(byte: u8) -> Option<&'static str> {
    match byte {
        b'"' => Some("&quot;"),
        b'\'' => Some("&apos;"),
        b'\t' => Some("&#9;"),
        b'\n' => Some("&#10;"),
        _ => in_text(byte),
    }
}

/// True for a character that XML 1.0 §2.2 allows.
pub fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Characters that XML cannot carry at all (controls, U+FFFE, U+FFFF) become U+FFFD, so that no value can
/// make a document malformed.
fn replaced(s: &str, at: usize) -> Option<(&'static str, usize)> {
    let c = s[at..].chars().next()?;
    (!is_xml_char(c)).then_some(("\u{fffd}", c.len_utf8()))
}

fn pieces(s: &str, escape: fn(u8) -> Option<&'static str>, mut out: impl FnMut(&str)) {
    let (mut from, mut at) = (0, 0);
    let bytes = s.as_bytes();
    while at < bytes.len() {
        let byte = bytes[at];
        let found = match escape(byte) {
            Some(entity) => Some((entity, 1)),
            // Only these first bytes can start a character that XML forbids.
            None if (byte < 0x20 && !matches!(byte, b'\t' | b'\n')) || byte == 0xef => replaced(s, at),
            None => None,
        };
        match found {
            Some((entity, len)) => {
                out(&s[from..at]);
                out(entity);
                at += len;
                from = at;
            }
            None => at += 1,
        }
    }
    out(&s[from..]);
}

/// Appends `s` escaped as text.
pub fn push_text(out: &mut Vec<u8>, s: &str) {
    pieces(s, in_text, |piece| out.extend_from_slice(piece.as_bytes()));
}

/// Appends `s` escaped as an attribute value, without the quotes.
pub fn push_attribute(out: &mut Vec<u8>, s: &str) {
    pieces(s, in_attribute, |piece| out.extend_from_slice(piece.as_bytes()));
}

/// Displays a string escaped as text.
pub struct Text<'a>(pub &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self.0, in_text, f)
    }
}

/// Displays a string escaped as an attribute value, without the quotes.
pub struct Attribute<'a>(pub &'a str);

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self.0, in_attribute, f)
    }
}

fn display(s: &str, escape: fn(u8) -> Option<&'static str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut result = Ok(());
    pieces(s, escape, |piece| result = result.and_then(|()| f.write_str(piece)));
    result
}

/// `s` escaped as an attribute value, as a string of its own (addresses, which are escaped once and used
/// often).
pub fn attribute(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    // Writing to a String cannot fail.
    let _ = write!(out, "{}", Attribute(s));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> String {
        let mut out = Vec::new();
        push_text(&mut out, s);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_escapes_greater_than_and_carriage_return() {
        assert_eq!(text("a<b>&c]]>\r\n\"'"), "a&lt;b&gt;&amp;c]]&gt;&#13;\n\"'");
        assert_eq!(text(""), "");
        assert_eq!(text("žluťoučký"), "žluťoučký");
    }

    #[test]
    fn attribute_values_survive_normalisation() {
        assert_eq!(attribute("a\"b'c\td\ne<>&"), "a&quot;b&apos;c&#9;d&#10;e&lt;&gt;&amp;");
    }

    #[test]
    fn forbidden_characters_are_replaced() {
        assert_eq!(text("a\u{0}b\u{ffff}c\u{fffd}\u{efff}"), "a\u{fffd}b\u{fffd}c\u{fffd}\u{efff}");
    }

    #[test]
    fn display_equals_push() {
        let s = "x<\u{1}>\u{fffe}é&";
        assert_eq!(Text(s).to_string(), text(s));
    }
}
