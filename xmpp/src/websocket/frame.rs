//! Frames of RFC 6455: a decoder for what clients send and an encoder for what the server sends.
//!
//! Sans-I/O and bounded: a message never takes more memory than the size allowed for it. Extensions are not
//! spoken, so that reserved bits are errors.

/// Why the connection has to end, as the status code of the close frame (RFC 6455 §7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CloseCode(pub(super) u16);

impl CloseCode {
    pub(super) const NORMAL: Self = Self(1000);
    pub(super) const GOING_AWAY: Self = Self(1001);
    pub(super) const PROTOCOL: Self = Self(1002);
    pub(super) const UNSUPPORTED: Self = Self(1003);
    pub(super) const INVALID_DATA: Self = Self(1007);
    pub(super) const POLICY: Self = Self(1008);
    pub(super) const TOO_BIG: Self = Self(1009);
}

/// A complete message or control frame from the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Text(String),
    /// To be answered by a pong with the same bytes.
    Ping(Vec<u8>),
    Pong,
    /// The client closes, with its code if it gave one.
    Close(Option<u16>),
}

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The longest frame header: two bytes, eight of length, four of mask.
const LONGEST_HEADER: usize = 14;
/// RFC 6455 §5.5.
const LONGEST_CONTROL: usize = 125;

#[derive(Clone, Copy)]
struct Frame {
    fin: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Payload bytes still to come.
    left: usize,
    /// Payload bytes so far, modulo 4: where the mask goes on.
    phase: usize,
}

/// Reads the client's frames.
#[derive(Default)]
pub(super) struct Decoder {
    header: [u8; LONGEST_HEADER],
    header_len: usize,
    frame: Option<Frame>,
    /// Text so far, across fragments.
    message: Vec<u8>,
    fragmented: bool,
    control: Vec<u8>,
}

impl Decoder {
    /// Bytes of a message that is not complete.
    pub(super) fn held(&self) -> usize {
        self.message.capacity()
    }

    /// Gives back the text so far. The rest of its message is read as if it were all of it, so the decoder is
    /// of use for finding the close frame only.
    pub(super) fn forget(&mut self) {
        self.message = Vec::new();
    }

    /// True while a frame or a fragmented message is incomplete.
    pub(super) fn is_partial(&self) -> bool {
        self.header_len > 0 || self.frame.is_some() || self.fragmented
    }

    /// Reads up to the next message or control frame and advances `input` past it; `None`: more is needed.
    /// `max` bounds the bytes of a message.
    pub(super) fn next(&mut self, input: &mut &[u8], max: usize) -> Result<Option<Incoming>, CloseCode> {
        loop {
            let Some(frame) = self.frame else {
                if !self.read_header(input, max)? {
                    return Ok(None);
                }
                continue;
            };
            let frame = self.read_payload(frame, input);
            if frame.left > 0 {
                self.frame = Some(frame);
                return Ok(None);
            }
            self.frame = None;
            if let Some(incoming) = self.finish(frame)? {
                return Ok(Some(incoming));
            }
        }
    }

    fn read_header(&mut self, input: &mut &[u8], max: usize) -> Result<bool, CloseCode> {
        loop {
            let need = match self.header_len {
                0 | 1 => 2,
                _ => header_len(self.header[1]),
            };
            if self.header_len == need {
                break;
            }
            let Some((&byte, rest)) = input.split_first() else { return Ok(false) };
            *input = rest;
            self.header[self.header_len] = byte;
            self.header_len += 1;
        }
        let frame = self.parse_header()?;
        self.header_len = 0;
        self.admit(&frame, max)?;
        self.frame = Some(frame);
        Ok(true)
    }

    fn parse_header(&self) -> Result<Frame, CloseCode> {
        let header = &self.header[..self.header_len];
        let (first, second) = (header[0], header[1]);
        // Reserved bits belong to extensions; a client always masks (RFC 6455 §5.1).
        if first & 0x70 != 0 || second & 0x80 == 0 {
            return Err(CloseCode::PROTOCOL);
        }
        let (length, minimum) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes([header[2], header[3]])), 126),
            127 => {
                let bytes = header[2..10].iter().fold(0u64, |n, &b| n << 8 | u64::from(b));
                (bytes, 1 << 16)
            }
            short => (u64::from(short), 0),
        };
        let mask_at = header.len() - 4;
        let mask = [header[mask_at], header[mask_at + 1], header[mask_at + 2], header[mask_at + 3]];
        let left = usize::try_from(length).map_err(|_| CloseCode::TOO_BIG)?;
        if length < minimum {
            return Err(CloseCode::PROTOCOL);
        }
        Ok(Frame { fin: first & 0x80 != 0, opcode: first & 0x0f, mask, left, phase: 0 })
    }

    /// Judges a frame by its header, before any of its payload is kept.
    fn admit(&mut self, frame: &Frame, max: usize) -> Result<(), CloseCode> {
        match frame.opcode {
            CLOSE | PING | PONG if frame.fin && frame.left <= LONGEST_CONTROL => return Ok(()),
            TEXT if !self.fragmented => {}
            CONTINUATION if self.fragmented => {}
            BINARY => return Err(CloseCode::UNSUPPORTED),
            _ => return Err(CloseCode::PROTOCOL),
        }
        if frame.left > max - self.message.len().min(max) {
            return Err(CloseCode::TOO_BIG);
        }
        self.fragmented = !frame.fin;
        Ok(())
    }

    fn read_payload(&mut self, mut frame: Frame, input: &mut &[u8]) -> Frame {
        let (payload, rest) = input.split_at(frame.left.min(input.len()));
        *input = rest;
        let target = if frame.opcode >= CLOSE { &mut self.control } else { &mut self.message };
        let start = target.len();
        target.extend_from_slice(payload);
        unmask(&mut target[start..], frame.mask, frame.phase);
        frame.left -= payload.len();
        frame.phase = (frame.phase + payload.len()) % 4;
        frame
    }

    fn finish(&mut self, frame: Frame) -> Result<Option<Incoming>, CloseCode> {
        match frame.opcode {
            PING => Ok(Some(Incoming::Ping(std::mem::take(&mut self.control)))),
            PONG => {
                self.control = Vec::new();
                Ok(Some(Incoming::Pong))
            }
            CLOSE => close(&std::mem::take(&mut self.control)).map(Some),
            _ if !frame.fin => Ok(None),
            _ => {
                let message = std::mem::take(&mut self.message);
                String::from_utf8(message)
                    .map(|text| Some(Incoming::Text(text)))
                    .map_err(|_| CloseCode::INVALID_DATA)
            }
        }
    }
}

fn header_len(second: u8) -> usize {
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if second & 0x80 != 0 { 4 } else { 0 };
    2 + extended + mask
}

fn close(payload: &[u8]) -> Result<Incoming, CloseCode> {
    match payload {
        [] => Ok(Incoming::Close(None)),
        [high, low, reason @ ..] if std::str::from_utf8(reason).is_ok() => {
            let code = u16::from_be_bytes([*high, *low]);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                // Kept for what never was on the wire, or not assigned (RFC 6455 §7.4).
                return Err(CloseCode::PROTOCOL);
            }
            Ok(Incoming::Close(Some(code)))
        }
        _ => Err(CloseCode::PROTOCOL),
    }
}

/// Four bytes at a time; `phase` is where in the mask the first byte falls.
fn unmask(bytes: &mut [u8], mut mask: [u8; 4], phase: usize) {
    mask.rotate_left(phase);
    let word = u32::from_ne_bytes(mask);
    let mut chunks = bytes.chunks_exact_mut(4);
    for chunk in &mut chunks {
        let masked = u32::from_ne_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]) ^ word;
        chunk.copy_from_slice(&masked.to_ne_bytes());
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// Appends a text frame whose payload `write` appends. The payload is written in place: its length is not
/// known before the per-session parts are spliced in.
pub(super) fn push_text(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    // Nearly every message needs the header of four bytes.
    const USUAL: usize = 4;
    let start = out.len();
    out.extend_from_slice(&[0; USUAL]);
    write(out);
    let len = out.len() - start - USUAL;
    let mut header = [0u8; 10];
    header[0] = 0x80 | TEXT;
    let header = match len {
        0..=125 => {
            header[1] = len as u8;
            &header[..2]
        }
        126..=0xffff => {
            header[1] = 126;
            header[2..4].copy_from_slice(&(len as u16).to_be_bytes());
            &header[..4]
        }
        _ => {
            header[1] = 127;
            header[2..10].copy_from_slice(&(len as u64).to_be_bytes());
            &header[..10]
        }
    };
    if header.len() == USUAL {
        out[start..start + USUAL].copy_from_slice(header);
    } else {
        out.splice(start..start + USUAL, header.iter().copied());
    }
}

fn push_control(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    let payload = &payload[..payload.len().min(LONGEST_CONTROL)];
    out.extend_from_slice(&[0x80 | opcode, payload.len() as u8]);
    out.extend_from_slice(payload);
}

/// Appends a ping without payload.
pub(super) fn push_ping(out: &mut Vec<u8>) {
    push_control(out, PING, &[]);
}

/// Appends the answer to a ping.
pub(super) fn push_pong(out: &mut Vec<u8>, payload: &[u8]) {
    push_control(out, PONG, payload);
}

/// Appends a close frame.
pub(super) fn push_close(out: &mut Vec<u8>, code: CloseCode) {
    push_control(out, CLOSE, &code.0.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
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
        out.extend_from_slice(&mask);
        out.extend(payload.iter().enumerate().map(|(i, b)| b ^ mask[i % 4]));
        out
    }

    fn all(bytes: &[u8], chunk: usize, max: usize) -> Result<Vec<Incoming>, CloseCode> {
        let mut decoder = Decoder::default();
        let mut seen = Vec::new();
        for mut input in bytes.chunks(chunk) {
            while let Some(incoming) = decoder.next(&mut input, max)? {
                seen.push(incoming);
            }
            assert!(input.is_empty());
        }
        Ok(seen)
    }

    #[test]
    fn messages_in_every_chunking() {
        let mut bytes = masked(0x81, b"Hello");
        bytes.extend(masked(0x01, b"<iq"));
        bytes.extend(masked(0x89, b"ping"));
        bytes.extend(masked(0x00, b" id='\xc3"));
        bytes.extend(masked(0x80, b"\xa9'/>"));
        bytes.extend(masked(0x8a, b""));
        bytes.extend(masked(0x81, "x".repeat(70_000).as_bytes()));
        bytes.extend(masked(0x88, b"\x03\xe8bye"));
        for chunk in [1, 2, 3, 7, 1000, bytes.len()] {
            assert_eq!(
                all(&bytes, chunk, 70_000),
                Ok(vec![
                    Incoming::Text("Hello".into()),
                    Incoming::Ping(b"ping".to_vec()),
                    Incoming::Text("<iq id='é'/>".into()),
                    Incoming::Pong,
                    Incoming::Text("x".repeat(70_000)),
                    Incoming::Close(Some(1000)),
                ])
            );
        }
    }

    #[test]
    fn what_is_refused() {
        let mut two = masked(0x01, &[b'x'; 60]);
        two.extend(masked(0x80, &[b'x'; 60]));
        for (bytes, code) in [
            (masked(0x82, b"x"), CloseCode::UNSUPPORTED),
            (masked(0x81, b"\xff"), CloseCode::INVALID_DATA),
            (masked(0x81, &[b'x'; 101]), CloseCode::TOO_BIG),
            (two, CloseCode::TOO_BIG),
            (masked(0xc1, b"x"), CloseCode::PROTOCOL),
            (masked(0x80, b"x"), CloseCode::PROTOCOL),
            (masked(0x83, b"x"), CloseCode::PROTOCOL),
            (masked(0x09, b"x"), CloseCode::PROTOCOL),
            (masked(0x89, &[0; 126]), CloseCode::PROTOCOL),
            (masked(0x88, b"x"), CloseCode::PROTOCOL),
            ([masked(0x01, b"x"), masked(0x81, b"x")].concat(), CloseCode::PROTOCOL),
            (vec![0x81, 1, b'x'], CloseCode::PROTOCOL),
            (vec![0x81, 0xfe, 0, 5, 0, 0, 0, 0], CloseCode::PROTOCOL),
            (vec![0x81, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0], CloseCode::TOO_BIG),
        ] {
            assert_eq!(all(&bytes, bytes.len(), 100), Err(code), "{bytes:02x?}");
        }
    }

    #[test]
    fn frames_of_every_length_class() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let mut out = vec![b'#'];
            push_text(&mut out, |out| out.resize(out.len() + len, b'y'));
            let header = match len {
                0..=125 => vec![0x81, len as u8],
                126..=65_535 => [vec![0x81, 126], (len as u16).to_be_bytes().to_vec()].concat(),
                _ => [vec![0x81, 127], (len as u64).to_be_bytes().to_vec()].concat(),
            };
            assert_eq!(out[1..=header.len()], header);
            assert_eq!(out.len(), 1 + header.len() + len);
        }
    }
}
