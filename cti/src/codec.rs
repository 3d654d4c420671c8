//! Frames to messages and back.
//!
//! Owns framing, the version and dialect switch, and the limits. A codec holds no bytes and no state between
//! messages: it is a small `Copy` value, and the caller owns the buffers. Decoding is total: every input gives a
//! message, an error of one message (framing goes on) or an error of the stream (the connection is lost).

use bytes::{Buf, BytesMut};

use crate::kind::{self, Kind};
use crate::message::Message;
use crate::tables::Dialect;
use crate::tag::Tag;

mod decode;
mod encode;

/// Bytes of the header: MessageLength and MessageType.
pub const HEADER: usize = 8;

/// Longest message including its header, by the version 24 figure.
pub const MAX_MESSAGE: usize = 12_500;

/// Most bytes of expanded call variables in one message.
pub const MAX_ECC: usize = 2000;

/// What one frame holds: a message, or the reason why only this message is unusable.
pub type Frame = Result<Message, BadMessage>;

/// A frame whose body does not follow its layout. The stream stays in step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {error}")]
pub struct BadMessage {
    /// The MessageType of its header.
    pub kind: Kind,
    /// Its InvokeID, when the body reached that far.
    pub invoke_id: Option<u32>,
    /// What is wrong.
    pub error: BodyError,
}

/// What can be wrong with one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The body ends inside the fixed part.
    #[error("body of {found} bytes is shorter than the fixed part of {needed}")]
    ShortFixed {
        /// Bytes of the body.
        found: usize,
        /// Bytes of the fixed part in this version.
        needed: usize,
    },
    /// The body ends inside the header of a floating field.
    #[error("{0} bytes left where a floating field header was due")]
    ShortHeader(usize),
    /// A floating field announces more bytes than the body still has.
    #[error("field with tag {tag} announces {announced} bytes, {left} are left", tag = tag.0)]
    ShortField {
        /// The field's tag.
        tag: Tag,
        /// Its length field.
        announced: usize,
        /// Bytes left in the body.
        left: usize,
    },
}

/// The byte stream cannot be followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The header announces a message longer than the limit.
    #[error("message of {announced} bytes announced, the limit is {limit}")]
    TooLong {
        /// Bytes announced, header included.
        announced: u64,
        /// The limit.
        limit: usize,
    },
}

/// A message cannot be sent as it is. Nothing has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A fixed value needs more bytes than its field has.
    #[error("value of {0:?} does not fit its field")]
    FixedRange(crate::field::Field),
    /// A floating value has another type than its field.
    #[error("value of the field with tag {} has the wrong type", .0.0)]
    WrongType(Tag),
    /// A floating value is too long or too large for its field.
    #[error("value of the field with tag {} does not fit", .0.0)]
    FieldTooLong(Tag),
    /// A text holds a NUL character.
    #[error("text of the field with tag {} holds a NUL", .0.0)]
    NulInText(Tag),
    /// The expanded call variables take more than 2000 bytes together.
    #[error("{0} bytes of expanded call variables, at most 2000 may travel")]
    TooMuchEcc(usize),
    /// The whole message is longer than the limit.
    #[error("message of {0} bytes is longer than the limit")]
    MessageTooLong(usize),
}

/// How many bytes the tag and the length of a floating field take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Widths {
    pub(crate) tag: Width,
    pub(crate) length: Width,
}

/// A width of one or two bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Width {
    /// One byte.
    #[default]
    One,
    /// Two bytes.
    Two,
}

impl Width {
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    pub(crate) const fn max(self) -> usize {
        match self {
            Self::One => 0xFF,
            Self::Two => 0xFFFF,
        }
    }
}

/// Encodes and decodes the messages of one session.
///
/// ```
/// use bytes::BytesMut;
/// use cti::{Codec, Dialect, Message, field, kind};
///
/// let codec = Codec::new(Dialect::Cce, 20);
/// let mut wire = BytesMut::new();
/// codec.encode(&Message::new(kind::HEARTBEAT_REQ).with(field::INVOKE_ID, 7u32), &mut wire)?;
/// assert_eq!(&wire[..], [0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 7]);
///
/// let message = codec.decode(&mut wire)?.expect("a whole frame")?;
/// assert_eq!(message.uint(field::INVOKE_ID), Some(7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Codec {
    dialect: Dialect,
    version: u32,
    limit: usize,
    ccx_length: Width,
    old_team_numbers: bool,
}

impl Codec {
    /// A codec for one dialect and protocol version. Versions below 13 are treated as 13, above 24 as 24.
    pub fn new(dialect: Dialect, version: u32) -> Self {
        Self { dialect, version, limit: MAX_MESSAGE, ccx_length: Width::One, old_team_numbers: false }
    }

    /// Sets the longest message that is accepted and sent, in bytes including the header.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Sets the width of a floating field's length in CCX from version 18. One byte by the published pages; the
    /// point is unconfirmed.
    #[must_use]
    pub fn with_ccx_length(self, ccx_length: Width) -> Self {
        Self { ccx_length, ..self }
    }

    /// Sends the TEAM_CONFIG messages under 236 to 238, as lists of versions 13 to 15 print, instead of 242 to 244,
    /// and reads both. Configuration messages with those numbers are then not understood.
    #[must_use]
    pub fn with_old_team_numbers(self, old_team_numbers: bool) -> Self {
        Self { old_team_numbers, ..self }
    }

    /// The dialect.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The protocol version of the session.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Changes the version: what a server does when an OPEN_REQ arrives.
    pub fn set_version(&mut self, version: u32) {
        self.version = version;
    }

    /// Appends one message. On error nothing is appended.
    pub fn encode(&self, message: &Message, out: &mut BytesMut) -> Result<(), EncodeError> {
        encode::message(self, message, out)
    }

    /// Takes one frame off the front of `input`; `None` when it does not hold a whole one yet. After a
    /// [`FrameError`] the stream is lost: `input` is left as it was.
    pub fn decode(&self, input: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some(length) = self.frame_length(input)? else { return Ok(None) };
        let frame = (input.len() >= length).then(|| self.decode_frame(&input[..length]));
        if frame.is_some() {
            input.advance(length);
        }
        Ok(frame)
    }

    /// Length in bytes of the frame that starts `input`, header included; `None` while the length field itself is
    /// incomplete. An announcement above the limit is refused here, before anything is allocated.
    pub fn frame_length(&self, input: &[u8]) -> Result<Option<usize>, FrameError> {
        let Some(announced) = input.first_chunk::<4>() else { return Ok(None) };
        let announced = u64::from(u32::from_be_bytes(*announced)) + HEADER as u64;
        if announced > self.limit as u64 {
            return Err(FrameError::TooLong { announced, limit: self.limit });
        }
        Ok(Some(announced as usize))
    }

    /// Decodes one whole frame, header included.
    fn decode_frame(&self, frame: &[u8]) -> Frame {
        let (header, body) = frame.split_at(HEADER);
        let kind = Kind(u32::from_be_bytes([header[4], header[5], header[6], header[7]]));
        self.decode_body(self.kind_of_wire(kind), body)
    }

    /// Decodes the body of one message.
    pub fn decode_body(&self, kind: Kind, body: &[u8]) -> Frame {
        decode::body(self, kind, body)
    }

    pub(crate) fn widths(&self, version: u32) -> Widths {
        let (tag, length) = match self.dialect {
            Dialect::Cce if version >= 20 => (Width::Two, Width::Two),
            Dialect::Ccx if version >= 18 => (Width::Two, self.ccx_length),
            _ => (Width::One, Width::One),
        };
        Widths { tag, length }
    }

    fn kind_of_wire(&self, wire: Kind) -> Kind {
        if !self.old_team_numbers {
            return wire;
        }
        match wire.0 {
            236 => kind::TEAM_CONFIG_REQ,
            237 => kind::TEAM_CONFIG_EVENT,
            238 => kind::TEAM_CONFIG_CONF,
            _ => wire,
        }
    }

    fn wire_of_kind(&self, kind: Kind) -> Kind {
        match kind {
            kind::TEAM_CONFIG_REQ if self.old_team_numbers => Kind(236),
            kind::TEAM_CONFIG_EVENT if self.old_team_numbers => Kind(237),
            kind::TEAM_CONFIG_CONF if self.old_team_numbers => Kind(238),
            _ => kind,
        }
    }
}
