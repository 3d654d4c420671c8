//! The two wires a dialogue runs over, from the client's side: what it sends and how it reads.
//!
//! The server's half of a wire is the real one; the client's half is the judge of what the server says, and
//! takes nothing that is not well-formed.

use std::time::Instant;

use broker::Parcel;
use minidom::Element;
use xmpp::reader::{Item, Reader, parse_document};
use xmpp::websocket::Frames;
use xmpp::{Framing, Limits, Service, Stream, StreamError};

/// Header of a client's stream on TCP.
pub const HEADER: &str = "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams'>";
const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// What the client reads may be as long as an answer gets.
const MOST: usize = 16 << 20;

fn liberal() -> Limits {
    Limits {
        depth: 80,
        children: 1_000_000,
        attribute_value: 1 << 20,
        attribute_total: 4 << 20,
        ..Limits::default()
    }
}

/// What a script sends with one step, as the server has to understand it.
pub struct Meaning {
    /// Elements below the stream.
    pub elements: Vec<Element>,
    /// Nothing is left open: what is sent next is read by itself.
    pub whole: bool,
}

/// A transport with both of its ends.
pub trait Wire {
    const FRAMING: Framing;
    /// What opens a stream.
    const OPENING: &'static str;

    fn new(now: Instant, service: &Service) -> Self;
    /// Bytes with which the client sends `xml`.
    fn encode(xml: &[u8]) -> Vec<u8>;
    /// What `xml` means inside of an open stream.
    fn meaning(xml: &[u8], limits: &Limits) -> Meaning;

    fn feed(&mut self, now: Instant, stream: &mut Stream, input: &mut &[u8]);
    fn write(&mut self, stream: &mut Stream, parcel: &Parcel, out: &mut Vec<u8>);
    fn write_control(&mut self, out: &mut Vec<u8>);
    fn write_end(&mut self, stream: &Stream, error: Option<StreamError>, out: &mut Vec<u8>);
    fn deadline(&self) -> Option<Instant>;
    fn handle_timeout(&mut self, now: Instant, stream: &mut Stream);

    /// The client reads what the server has written; fails when that is not well-formed.
    fn read(&mut self, bytes: &[u8], into: &mut Vec<Element>);
    /// The client reads a new stream from here on.
    fn restart(&mut self);
    /// Nothing more will come.
    fn check_end(&self);
}

/// One XML document in each direction.
pub struct Tcp {
    reader: Reader,
    limits: Limits,
    open: bool,
    closed: bool,
}

impl Wire for Tcp {
    const FRAMING: Framing = Framing::Tcp;
    const OPENING: &'static str = HEADER;

    fn new(_: Instant, _: &Service) -> Self {
        let limits = liberal();
        Self { reader: Reader::new(&limits, MOST), limits, open: false, closed: false }
    }

    fn encode(xml: &[u8]) -> Vec<u8> {
        xml.to_vec()
    }

    fn meaning(xml: &[u8], limits: &Limits) -> Meaning {
        let mut reader = Reader::new(limits, MOST);
        let mut elements = Vec::new();
        for mut input in [HEADER.as_bytes(), xml] {
            loop {
                match reader.read(&mut input, limits) {
                    Ok(Some(Item::Header(_))) => {}
                    Ok(Some(Item::Element(element))) => elements.push(element),
                    Ok(None) => break,
                    Ok(Some(Item::Closed)) | Err(_) => return Meaning { elements, whole: false },
                }
            }
        }
        Meaning { elements, whole: !reader.is_partial() }
    }

    fn feed(&mut self, now: Instant, stream: &mut Stream, input: &mut &[u8]) {
        stream.handle_bytes(now, input);
    }

    fn write(&mut self, stream: &mut Stream, parcel: &Parcel, out: &mut Vec<u8>) {
        stream.write_parcel(parcel, out);
    }

    fn write_control(&mut self, _: &mut Vec<u8>) {}

    fn write_end(&mut self, stream: &Stream, error: Option<StreamError>, out: &mut Vec<u8>) {
        for piece in stream.farewell(error) {
            out.extend_from_slice(piece.as_bytes());
        }
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn handle_timeout(&mut self, _: Instant, _: &mut Stream) {}

    fn read(&mut self, bytes: &[u8], into: &mut Vec<Element>) {
        let mut input = bytes;
        while !self.closed {
            match self.reader.read(&mut input, &self.limits).expect("the server writes XML") {
                Some(Item::Header(header)) => {
                    assert!(header.name == "stream" && header.from.as_deref() == Some("localhost"));
                    self.open = true;
                }
                Some(Item::Element(element)) => {
                    // A new stream begins right behind it (RFC 6120 §6.4.6), perhaps in the same write.
                    if element.is("success", SASL) {
                        self.restart();
                    }
                    into.push(element);
                }
                Some(Item::Closed) => self.closed = true,
                None => break,
            }
        }
        assert!(input.is_empty(), "the server spoke behind the end of its stream");
    }

    fn restart(&mut self) {
        assert!(!self.reader.is_partial());
        self.reader.restart(&self.limits, MOST);
        self.open = false;
    }

    fn check_end(&self) {
        assert_eq!(self.closed, self.open, "a stream that was opened has an end");
    }
}

/// One document a message.
pub struct WebSocket {
    frames: Frames,
    limits: Limits,
    /// Bytes of an incomplete frame of the server.
    rest: Vec<u8>,
    closed: bool,
}

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked frame with `first` as its first byte.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        len @ 0..=125 => out.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

/// The first frame of the server in `bytes`: opcode, payload and length of it all.
fn unframe(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    assert!(first & 0xf0 == 0x80, "whole messages without extensions");
    assert!(second & 0x80 == 0, "a server does not mask");
    let (start, len) = match second {
        126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
        len => (2, usize::from(len)),
    };
    Some((first & 0x0f, bytes.get(start..start + len)?, start + len))
}

impl Wire for WebSocket {
    const FRAMING: Framing = Framing::WebSocket;
    const OPENING: &'static str = OPEN;

    fn new(now: Instant, service: &Service) -> Self {
        Self { frames: Frames::new(now, service), limits: liberal(), rest: Vec::new(), closed: false }
    }

    fn encode(xml: &[u8]) -> Vec<u8> {
        frame(0x81, xml)
    }

    /// A message that is no document ends the stream, so that nothing is ever left open.
    fn meaning(xml: &[u8], limits: &Limits) -> Meaning {
        Meaning { elements: parse_document(xml, limits).into_iter().collect(), whole: true }
    }

    fn feed(&mut self, now: Instant, stream: &mut Stream, input: &mut &[u8]) {
        self.frames.feed(now, stream, input);
    }

    fn write(&mut self, stream: &mut Stream, parcel: &Parcel, out: &mut Vec<u8>) {
        self.frames.write(stream, parcel, out);
    }

    fn write_control(&mut self, out: &mut Vec<u8>) {
        self.frames.write_control(out);
    }

    fn write_end(&mut self, stream: &Stream, error: Option<StreamError>, out: &mut Vec<u8>) {
        self.frames.write_end(stream, error, out);
    }

    fn deadline(&self) -> Option<Instant> {
        self.frames.deadline()
    }

    fn handle_timeout(&mut self, now: Instant, stream: &mut Stream) {
        self.frames.handle_timeout(now, stream);
    }

    fn read(&mut self, bytes: &[u8], into: &mut Vec<Element>) {
        self.rest.extend_from_slice(bytes);
        let mut input = self.rest.as_slice();
        while let Some((opcode, payload, len)) = unframe(input) {
            assert!(!self.closed, "the server spoke behind its close frame");
            match opcode {
                1 => into.push(parse_document(payload, &self.limits).expect("a message is a document")),
                8 => self.closed = true,
                9 | 10 => assert!(payload.len() <= 125),
                other => panic!("opcode {other}"),
            }
            input = &input[len..];
        }
        assert!(input.is_empty(), "writes end with a frame");
        self.rest.clear();
    }

    fn restart(&mut self) {}

    fn check_end(&self) {
        assert!(self.closed, "the last frame closes");
    }
}
