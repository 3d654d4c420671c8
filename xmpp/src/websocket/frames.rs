//! The frames of one session without a socket, for fuzzing and tests in virtual time.

use std::time::Instant;

use broker::Parcel;

use super::WsFramer;
use crate::StreamError;
use crate::service::Service;
use crate::shell::Framer;
use crate::stream::Stream;

/// What the shell does to the bytes of a WebSocket session, step by step. Not covered by the promise of
/// compatibility.
pub struct Frames(WsFramer);

impl Frames {
    /// Frames of a session that begins at `now`.
    pub fn new(now: Instant, service: &Service) -> Self {
        let timeouts = &service.config().timeouts;
        Self(WsFramer::new(now, timeouts.websocket_ping, timeouts.partial_stanza))
    }

    /// Hands input to the stream, as much as it takes, and advances `input` past it.
    pub fn feed(&mut self, now: Instant, stream: &mut Stream, input: &mut &[u8]) {
        self.0.feed(now, stream, input);
    }

    /// Appends a parcel as a frame.
    pub fn write(&mut self, stream: &mut Stream, parcel: &Parcel, out: &mut Vec<u8>) {
        self.0.write(stream, parcel, out);
    }

    /// Appends pings and pongs that are due.
    pub fn write_control(&mut self, out: &mut Vec<u8>) {
        self.0.write_control(out);
    }

    /// Appends the end of the stream and the close frame.
    pub fn write_end(&mut self, stream: &Stream, error: Option<StreamError>, out: &mut Vec<u8>) {
        self.0.write_end(stream, error, out);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }

    /// The deadline may have passed.
    pub fn handle_timeout(&mut self, now: Instant, stream: &mut Stream) {
        self.0.handle_timeout(now, stream);
    }
}
