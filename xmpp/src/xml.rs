//! Escaping of text and attribute values, straight into the buffer that will be sent.
//!
//! `>` is always escaped in text: clients replace `&gt;` in raw text and would be confused by a bare one,
//! and `]]>` cannot occur.

use std::fmt::{self, Write};

/// Length of the part in front that has no `special` byte.
///
/// Markup has one every few bytes, other text none for long: a few are looked at one by one, the rest in blocks, for
/// which compilers find vector instructions as long as `special` has no branches.
#[inline(always)]
pub(crate) fn plain_prefix(bytes: &[u8], special: impl Fn(u8) -> bool + Copy) -> usize {
    const NEAR: usize = 8;
    const BLOCK: usize = 32;
    let (near, far) = bytes.split_at(bytes.len().min(NEAR));
    if let Some(at) = near.iter().position(|&b| special(b)) {
        return at;
    }
    let blocks = far.chunks_exact(BLOCK);
    let plain = blocks.take_while(|block| !block.iter().fold(false, |any, &b| any | special(b)));
    let start = near.len() + plain.count() * BLOCK;
    let rest = &bytes[start..];
    start + rest.iter().position(|&b| special(b)).unwrap_or(rest.len())
}

/// Whether a byte of text may need more than being copied. Only 0xef and controls can start a character that XML
/// forbids.
fn looked_at_in_text(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'&') | (byte == b'<') | (byte == b'>') | (byte == 0xef)
}

fn looked_at_in_attribute(byte: u8) -> bool {
    looked_at_in_text(byte) | (byte == b'"') | (byte == b'\'')
}

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

/// Hands `s` out in pieces: `looked_at` bytes as `escape` has them, all else as it is.
#[inline(always)]
fn pieces(
    s: &str,
    looked_at: impl Fn(u8) -> bool + Copy,
    escape: impl Fn(u8) -> Option<&'static str>,
    mut out: impl FnMut(&str),
) {
    let (mut from, mut at) = (0, 0);
    let bytes = s.as_bytes();
    loop {
        at += plain_prefix(&bytes[at..], looked_at);
        let Some(&byte) = bytes.get(at) else { break };
        let found = match escape(byte) {
            Some(entity) => Some((entity, 1)),
            None => replaced(s, at),
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

fn text_pieces(s: &str, out: impl FnMut(&str)) {
    pieces(s, looked_at_in_text, in_text, out);
}

fn attribute_pieces(s: &str, out: impl FnMut(&str)) {
    pieces(s, looked_at_in_attribute, in_attribute, out);
}

/// Appends `s` escaped as text.
pub fn push_text(out: &mut Vec<u8>, s: &str) {
    text_pieces(s, |piece| out.extend_from_slice(piece.as_bytes()));
}

/// Appends `s` escaped as an attribute value, without the quotes.
pub fn push_attribute(out: &mut Vec<u8>, s: &str) {
    attribute_pieces(s, |piece| out.extend_from_slice(piece.as_bytes()));
}

/// Displays a string escaped as text.
pub struct Text<'a>(pub &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        text_pieces(self.0, |piece| result = result.and_then(|()| f.write_str(piece)));
        result
    }
}

/// Displays a string escaped as an attribute value, without the quotes.
pub struct Attribute<'a>(pub &'a str);

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        attribute_pieces(self.0, |piece| result = result.and_then(|()| f.write_str(piece)));
        result
    }
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
    fn what_is_special_is_found_wherever_it_is() {
        for length in 0..100 {
            let plain = "x".repeat(length);
            assert_eq!((text(&plain), attribute(&plain)), (plain.clone(), plain.clone()));
            for at in 0..length {
                let with = |what: &str| format!("{}{what}{}", &plain[..at], &plain[at + 1..]);
                assert_eq!(text(&with("<")), with("&lt;"));
                assert_eq!(text(&with("\u{ffff}")), with("\u{fffd}"));
                assert_eq!(text(&with("\n")), with("\n"));
                assert_eq!(attribute(&with("\n")), with("&#10;"));
            }
        }
    }

    #[test]
    fn display_equals_push() {
        let s = "x<\u{1}>\u{fffe}é&";
        assert_eq!(Text(s).to_string(), text(s));
    }
}
