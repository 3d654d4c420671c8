//! Decoding of one complete run of text (XML 1.0 §2.4, §2.11, §4.6): references, line ends, characters.

use super::XmlError;
use crate::xml::plain_prefix;

/// Longest reference that is looked at, without `&` and `;`: `#x10FFFF`.
const LONGEST_REFERENCE: usize = 8;

/// Appends the text that `run`, which holds no `<`, stands for.
pub(super) fn decode(run: &[u8], out: &mut String) -> Result<(), XmlError> {
    let run = std::str::from_utf8(run).map_err(|_| XmlError::Utf8)?;
    out.reserve(run.len());
    let bytes = run.as_bytes();
    let (mut from, mut at) = (0, 0);
    loop {
        at += plain_prefix(&bytes[at..], is_special);
        if at == bytes.len() {
            break;
        }
        let (len, replacement) = special(run, at)?;
        if let Some(c) = replacement {
            out.push_str(&run[from..at]);
            out.push(c);
            from = at + len;
        }
        at += len;
    }
    out.push_str(&run[from..]);
    Ok(())
}

/// Bytes that are not simply copied. 0xef is the first byte of U+FFFE and U+FFFF, `>` the last of what may not
/// stand in text.
fn is_special(b: u8) -> bool {
    (b == b'&') | (b == b'>') | (b == 0xef) | (b < 0x20)
}

/// Length of what stands at `at`, and the character it becomes if that is another one.
fn special(run: &str, at: usize) -> Result<(usize, Option<char>), XmlError> {
    let rest = &run[at..];
    match rest.as_bytes()[0] {
        b'&' => reference(&rest[1..]).map(|(len, c)| (len + 2, Some(c))),
        b'\n' | b'\t' => Ok((1, None)),
        b'>' if !run[..at].ends_with("]]") => Ok((1, None)),
        b'\r' if rest.as_bytes().get(1) == Some(&b'\n') => Ok((2, Some('\n'))),
        b'\r' => Ok((1, Some('\n'))),
        0xef if !rest.starts_with(['\u{fffe}', '\u{ffff}']) => Ok((3, None)),
        _ => Err(XmlError::NotWellFormed),
    }
}

/// Length of a reference without `&` and `;`, and its character.
fn reference(rest: &str) -> Result<(usize, char), XmlError> {
    let window = &rest.as_bytes()[..rest.len().min(LONGEST_REFERENCE + 1)];
    let name_bytes = window.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'#').count();
    let name = &rest[..name_bytes];
    if name_bytes == window.len() && rest.len() > window.len() {
        return Err(XmlError::Restricted);
    }
    if window.get(name_bytes) != Some(&b';') || name.is_empty() {
        return Err(XmlError::NotWellFormed);
    }
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => numeric(name)?,
    };
    Ok((name_bytes, c))
}

fn numeric(name: &str) -> Result<char, XmlError> {
    let Some(digits) = name.strip_prefix('#') else {
        let is_name = name.as_bytes()[0].is_ascii_alphabetic() && !name.contains('#');
        return Err(if is_name { XmlError::Restricted } else { XmlError::NotWellFormed });
    };
    let code = match digits.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    code.ok().and_then(char::from_u32).filter(|c| crate::xml::is_xml_char(*c)).ok_or(XmlError::NotWellFormed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(run: &str) -> Result<String, XmlError> {
        let mut out = String::new();
        decode(run.as_bytes(), &mut out).map(|()| out)
    }

    #[test]
    fn references_and_line_ends() {
        assert_eq!(decoded("a&lt;b&gt;&amp;&quot;&apos;&#65;&#x1F600;z").unwrap(), "a<b>&\"'A\u{1f600}z");
        assert_eq!(decoded("a\r\nb\rc\nd\te").unwrap(), "a\nb\nc\nd\te");
        assert_eq!(decoded("a > b ]>> ]]&gt; ]] >").unwrap(), "a > b ]>> ]]> ]] >");
        assert_eq!(decoded("\u{fffd}\u{ef00}").unwrap(), "\u{fffd}\u{ef00}");
    }

    #[test]
    fn what_is_refused() {
        use XmlError::{NotWellFormed, Restricted};
        for (run, error) in [
            ("&foo;", Restricted),
            ("&averylongname;", Restricted),
            ("&", NotWellFormed),
            ("&;", NotWellFormed),
            ("& ", NotWellFormed),
            ("&lt", NotWellFormed),
            ("&#0;", NotWellFormed),
            ("&#xD800;", NotWellFormed),
            ("&#x110000;", NotWellFormed),
            ("&#;", NotWellFormed),
            ("&#x;", NotWellFormed),
            ("&#+5;", NotWellFormed),
            ("]]>", NotWellFormed),
            ("a > b ]>> ]]&gt; and much more of it ]]]>", NotWellFormed),
            ("\u{1}", NotWellFormed),
            ("\u{ffff}", NotWellFormed),
        ] {
            assert_eq!(decoded(run), Err(error), "{run:?}");
        }
        assert_eq!(decode(b"\xc3\x28", &mut String::new()), Err(XmlError::Utf8));
    }
}
