//! What can be wrong with input, and the stream error it becomes.

use crate::StreamError;
use rxml::Error;

/// Whether the sentence of a policy violation is one of [`XmlError::Limit`].
pub(crate) fn is_structural(text: &str) -> bool {
    matches!(
        text,
        "attributes too long"
            | "too many attributes"
            | "too many namespace declarations"
            | "elements nested too deeply"
            | "too many children"
            | "name too long"
            | "name or attribute too long"
    )
}

/// Why input was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum XmlError {
    /// Not well-formed, or not namespace-well-formed.
    NotWellFormed,
    /// Comment, processing instruction, document type or undeclared entity.
    Restricted,
    /// Another encoding than UTF-8, declared or by its first bytes.
    Encoding,
    /// Bytes that are not UTF-8.
    Utf8,
    /// Text where only elements may be.
    Text,
    /// Too many bytes.
    Size,
    /// Another limit; with the sentence for the peer.
    Limit(&'static str),
    /// The document ends too early, or is empty.
    Incomplete,
    /// Something follows the root element of a document.
    Trailing,
}

impl XmlError {
    /// `tail` are the last bytes that the lexer took, `next` what it left.
    pub(super) fn from_lexer(error: Error, tail: [u8; 3], next: &[u8]) -> Self {
        match error {
            Error::InvalidUtf8Byte(_) => Self::Utf8,
            Error::InvalidEof(_) => Self::Incomplete,
            Error::UndeclaredEntity => Self::Restricted,
            Error::RestrictedXml("long name or reference") => Self::Limit("name or attribute too long"),
            Error::RestrictedXml("only utf-8 encoding is allowed") => Self::Encoding,
            // A second XML declaration is no processing instruction, `<?xml-stylesheet` is one.
            Error::RestrictedXml("processing instructions")
                if tail == *b"xml" && next.first().is_none_or(u8::is_ascii_whitespace) =>
            {
                Self::NotWellFormed
            }
            Error::RestrictedXml(_) => Self::Restricted,
            // The lexer knows no declarations: `<!D` is bad syntax for it.
            _ if tail[..2] == *b"<!" => Self::Restricted,
            _ => Self::NotWellFormed,
        }
    }

    /// The stream error with which the stream ends.
    pub fn stream_error(self) -> StreamError {
        match self {
            Self::NotWellFormed | Self::Incomplete => StreamError::NotWellFormed,
            Self::Restricted => StreamError::RestrictedXml,
            Self::Encoding => StreamError::UnsupportedEncoding,
            Self::Utf8 | Self::Trailing => StreamError::BadFormat,
            Self::Text => StreamError::InvalidXml,
            Self::Size => StreamError::PolicyViolation("stanza too large"),
            Self::Limit(text) => StreamError::PolicyViolation(text),
        }
    }
}

impl std::fmt::Display for XmlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotWellFormed => "not well-formed",
            Self::Restricted => "restricted XML",
            Self::Encoding => "encoding is not UTF-8",
            Self::Utf8 => "invalid UTF-8",
            Self::Text => "text between elements",
            Self::Size => "too large",
            Self::Limit(text) => text,
            Self::Incomplete => "incomplete document",
            Self::Trailing => "content after the root element",
        })
    }
}

impl std::error::Error for XmlError {}
