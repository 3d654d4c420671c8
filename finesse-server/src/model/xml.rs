//! The one XML serialiser for REST bodies and events: no declaration, no namespaces, no white space, empty
//! values as `<name></name>`. Callers write children in alphabetical order without regard to case.

use std::fmt::{self, Display, Write as _};

/// Writes elements into a string.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut String,
}

impl<'a> Writer<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut String) -> Self {
        Self { out }
    }

    /// A writer on the same string, for handing down.
    pub fn by_ref(&mut self) -> Writer<'_> {
        Writer { out: self.out }
    }

    /// Writes `<name>`.
    pub fn open(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
    }

    /// Writes `<name attribute="value">`.
    pub fn open_with(&mut self, name: &str, attribute: &str, value: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push(' ');
        self.out.push_str(attribute);
        self.out.push_str("=\"");
        escape_into(self.out, value);
        self.out.push_str("\">");
    }

    /// Writes `</name>`.
    pub fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// Writes an element with escaped text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.open(name);
        escape_into(self.out, text);
        self.close(name);
    }

    /// Writes an element with the text of a value that needs no escaping or gets it on the way.
    pub fn value(&mut self, name: &str, value: impl Display) {
        self.open(name);
        let mut escaping = Escaping(self.out);
        // Writing to a string cannot fail.
        let _ = write!(escaping, "{value}");
        self.close(name);
    }

    /// Writes an element with the value, or an empty one.
    pub fn option(&mut self, name: &str, value: Option<impl Display>) {
        match value {
            Some(value) => self.value(name, value),
            None => self.empty(name),
        }
    }

    /// Writes `<name></name>`: absent values stay visible, clients read elements without a test.
    pub fn empty(&mut self, name: &str) {
        self.open(name);
        self.close(name);
    }
}

struct Escaping<'a>(&'a mut String);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        escape_into(self.0, s);
        Ok(())
    }
}

/// Appends `text` with `<`, `>`, `&` and `"` as named entities. Characters that XML 1.0 forbids (a phone system
/// may send any byte) become U+FFFD, so that the document stays well-formed. A carriage return is a numeric
/// reference, since a parser would turn it into a line feed.
pub fn escape_into(out: &mut String, text: &str) {
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let entity = match c {
            '<' => "&lt;",
            '>' => "&gt;",
            '&' => "&amp;",
            '"' => "&quot;",
            '\r' => "&#13;",
            '\t' | '\n' => continue,
            c if c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}') => "\u{FFFD}",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        out.push_str(entity);
        plain = at + c.len_utf8();
    }
    out.push_str(&text[plain..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape_into(&mut out, text);
        out
    }

    #[test]
    fn markup_becomes_named_entities() {
        assert_eq!(escaped("a<b>&\"c]]>"), "a&lt;b&gt;&amp;&quot;c]]&gt;");
    }

    #[test]
    fn forbidden_characters_are_replaced_and_others_kept() {
        assert_eq!(escaped("a\u{0}b\u{1b}\u{FFFE}"), "a\u{FFFD}b\u{FFFD}\u{FFFD}");
        assert_eq!(escaped("tab\tline\n\r𝄞é"), "tab\tline\n&#13;𝄞é");
    }

    #[test]
    fn empty_values_stay_as_elements() {
        let mut out = String::new();
        let mut w = Writer::new(&mut out);
        w.option("a", None::<u32>);
        w.option("b", Some(7));
        w.text("c", "");
        w.open_with("d", "category", "\"x\"");
        w.close("d");
        assert_eq!(out, "<a></a><b>7</b><c></c><d category=\"&quot;x&quot;\"></d>");
    }
}
