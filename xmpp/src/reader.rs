//! From bytes to elements: a push parser for streams and for whole documents, with every limit enforced
//! while reading.
//!
//! Lexing is rxml's (restricted XML by construction: no document type, no entities, no comments, no
//! processing instructions); building the tree, resolving namespaces and counting is done here, because
//! rxml bounds a token but neither a stanza nor its depth or width. A run of text that is complete in the
//! buffer is decoded here as well: rxml ends a run at each reference, which makes escaped markup slow.
//!
//! Owns no buffer between calls except a stanza that has begun and the lexer's scratch space, which
//! [`Reader::release_temporaries`] gives back.

mod assembler;
mod error;
mod text;

pub use error::XmlError;
pub(crate) use error::is_structural;

use crate::config::Limits;
use assembler::{Assembler, Piece};
use minidom::Element;
use rxml::error::EndOrError;
use rxml::{Options, Parse, RawEvent, RawParser, WithOptions};

/// Opening tag of a stream as it was read; nothing is judged yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Prefix of the stream element.
    pub prefix: Option<String>,
    /// Local name, `stream` in a valid header.
    pub name: String,
    /// Namespace of the stream element.
    pub namespace: String,
    /// Default namespace, which stanzas inherit.
    pub content_namespace: String,
    /// Domain the peer wants.
    pub to: Option<String>,
    /// Address the peer claims.
    pub from: Option<String>,
    /// Protocol version as written.
    pub version: Option<String>,
    /// `xml:lang`.
    pub lang: Option<String>,
}

/// What one call of [`Reader::read`] found.
#[derive(Debug)]
pub enum Item {
    /// The stream was opened.
    Header(Header),
    /// A complete element below the stream element.
    Element(Element),
    /// The stream was closed by the peer; nothing after it is read.
    Closed,
}

/// What an element in memory takes beside its text: itself, its name and namespace, its place in its parent.
const ELEMENT: usize = 320;

/// Reads one XML stream. Call [`Reader::read`] until it returns `None`; an error ends it for good.
pub struct Reader {
    parser: RawParser,
    assembler: Assembler,
    /// Bytes of the element being read, or of the header.
    used: usize,
    max_bytes: usize,
    /// The lexer stands between tags with nothing buffered, so that text may be taken past it.
    between_tags: bool,
    /// Nothing but white space was seen.
    untouched: bool,
    /// Last bytes consumed, oldest first; tells self-closing tags and `<!` from the rest.
    tail: [u8; 3],
    closed: bool,
}

fn skip_blank(input: &mut &[u8]) {
    let blank = input.iter().take_while(|b| b.is_ascii_whitespace() && **b != 0x0c).count();
    *input = &input[blank..];
}

fn parser(limits: &Limits) -> RawParser {
    RawParser::with_options(Options { max_token_length: limits.attribute_value, ..Options::default() })
}

impl Reader {
    /// A reader for a new stream whose elements may have `max_bytes` bytes each.
    pub fn new(limits: &Limits, max_bytes: usize) -> Self {
        Self {
            parser: parser(limits),
            assembler: Assembler::stream(),
            used: 0,
            max_bytes,
            between_tags: false,
            untouched: true,
            tail: [0; 3],
            closed: false,
        }
    }

    fn document(limits: &Limits) -> Self {
        Self { assembler: Assembler::document(), ..Self::new(limits, usize::MAX) }
    }

    /// Forgets the old stream: the next bytes are the header of a new one (RFC 6120 §4.3.3).
    pub fn restart(&mut self, limits: &Limits, max_bytes: usize) {
        *self = Self::new(limits, max_bytes);
    }

    /// Takes elements of the namespace `written` as ones of `meant`: content namespaces of different kinds of
    /// streams carry the same stanzas (RFC 6120 §4.8.3).
    pub fn read_as(&mut self, written: &'static str, meant: &'static str) {
        self.assembler.read_as(written, meant);
    }

    /// Changes the size that an element may have, from the next one on.
    pub fn set_max_bytes(&mut self, max_bytes: usize) {
        self.max_bytes = max_bytes;
    }

    /// True while a header or an element has begun and is not complete.
    pub fn is_partial(&self) -> bool {
        self.used > 0
    }

    /// About how many bytes of memory the element takes that has begun: elements are much larger than what
    /// they were read from.
    pub fn held(&self) -> usize {
        if self.used == 0 { 0 } else { self.used + self.assembler.elements() * ELEMENT }
    }

    /// Gives back scratch memory; for a stream that has nothing to read. Costs one allocation when reading
    /// goes on.
    pub fn release_temporaries(&mut self) {
        self.parser.release_temporaries();
        self.assembler.release_temporaries();
    }

    /// Reads up to the next item and advances `input` past it; `None`: `input` is used up.
    ///
    /// # Errors
    /// Anything that is not restricted XML or breaks one of `limits`. The reader must not be used again.
    pub fn read(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Item>, XmlError> {
        loop {
            if self.closed {
                return Ok(Some(Item::Closed));
            }
            self.skip_text(input)?;
            if self.untouched && input.is_empty() {
                return Ok(None);
            }
            let Some(event) = self.next_event(input, false)? else { return Ok(None) };
            match self.assembler.handle(event, limits)? {
                Piece::Nothing => {}
                Piece::Header(header) => {
                    self.used = 0;
                    return Ok(Some(Item::Header(header)));
                }
                Piece::Element(element) => {
                    self.used = 0;
                    return Ok(Some(Item::Element(element)));
                }
                Piece::Closed => {
                    self.used = 0;
                    self.closed = true;
                }
            }
        }
    }

    /// Takes text that needs no lexer: white space between elements, and runs that end in this buffer.
    fn skip_text(&mut self, input: &mut &[u8]) -> Result<(), XmlError> {
        if self.untouched {
            skip_blank(input);
            match input.first() {
                // A byte order mark of UTF-16, or its first code unit.
                Some(0xfe | 0xff | 0x00) => return Err(XmlError::Encoding),
                Some(b'<') => self.untouched = false,
                Some(_) => return Err(XmlError::NotWellFormed),
                None => {}
            }
        } else if self.between_tags && self.assembler.is_between_elements() {
            skip_blank(input);
        } else if self.between_tags {
            let end = crate::xml::plain_prefix(input, |b| b == b'<');
            if end > 0 && end < input.len() {
                self.count(end)?;
                self.assembler.text_run(&input[..end])?;
                *input = &input[end..];
            }
        }
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), XmlError> {
        self.used += bytes;
        if self.used > self.max_bytes { Err(XmlError::Size) } else { Ok(()) }
    }

    fn next_event(&mut self, input: &mut &[u8], at_eof: bool) -> Result<Option<RawEvent>, XmlError> {
        let before = *input;
        let result = self.parser.parse(input, at_eof);
        let consumed = &before[..before.len() - input.len()];
        self.remember(consumed);
        match result {
            Ok(event) => {
                self.count(consumed.len())?;
                self.between_tags = match event {
                    // The lexer has the end of an empty element still to tell.
                    Some(RawEvent::ElementHeadClose(_)) => self.tail[1..] != *b"/>",
                    Some(RawEvent::ElementFoot(_)) => true,
                    _ => false,
                };
                Ok(event)
            }
            Err(EndOrError::NeedMoreData) => {
                if !consumed.is_empty() {
                    self.between_tags = false;
                }
                self.count(consumed.len())?;
                Ok(None)
            }
            Err(EndOrError::Error(error)) => Err(XmlError::from_lexer(error, self.tail, input)),
        }
    }

    fn remember(&mut self, consumed: &[u8]) {
        for &byte in &consumed[consumed.len().saturating_sub(3)..] {
            self.tail = [self.tail[1], self.tail[2], byte];
        }
    }
}

/// Parses a whole document (a WebSocket message, a BOSH body). A byte order mark, white space around the
/// root and an XML declaration are tolerated. The size of `bytes` is the caller's to limit.
///
/// # Errors
/// Anything that is not one restricted XML document, or breaks one of `limits`.
pub fn parse_document(bytes: &[u8], limits: &Limits) -> Result<Element, XmlError> {
    let mut input = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if input.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|&b| b != b'<') {
        return Err(XmlError::Text);
    }
    let mut reader = Reader::document(limits);
    loop {
        reader.skip_text(&mut input)?;
        if reader.untouched {
            return Err(XmlError::Incomplete);
        }
        let Some(event) = reader.next_event(&mut input, true)? else { return Err(XmlError::Incomplete) };
        if let Piece::Element(root) = reader.assembler.handle(event, limits)? {
            return if input.iter().all(u8::is_ascii_whitespace) {
                Ok(root)
            } else {
                Err(XmlError::Trailing)
            };
        }
    }
}
