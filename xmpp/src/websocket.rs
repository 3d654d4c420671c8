//! XMPP over WebSocket (RFC 7395) on a connection that hyper has upgraded.
//!
//! The handshake is judged here, frames are coded here, and the same loop as for TCP runs the stream: an
//! idle session holds neither a buffer nor hyper's state, because the byte stream below is taken back after
//! the upgrade. Compression is not spoken.

mod frame;
mod frames;
mod handshake;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use broker::Parcel;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::service::Service;
pub use crate::shell::{Admission, AdmissionLimits};
use crate::shell::{Boundaries, Driver, Framer, Io, Permit};
use crate::stats::Refusal;
use crate::stream::{Channel, Framing, StartTls, Stream};
use crate::{Origins, StreamError};
use frame::{CloseCode, Decoder, Incoming};
#[doc(hidden)]
pub use frames::Frames;
pub use handshake::upgrade;

/// A message behind the end of the stream is skipped up to this size.
const DISCARDED: usize = 64 << 10;

/// Options of one WebSocket session; made for each request.
#[derive(Clone)]
pub struct WsOptions {
    /// The request came over TLS.
    pub secure: bool,
    /// Address of the client.
    pub peer: Option<IpAddr>,
    /// Values of `Origin` that are let in (every one). A request without `Origin` is let in, as it does not
    /// come from a page.
    pub origins: Origins,
    /// Bounds on connections, shared with the other listeners.
    pub admission: Admission,
    /// How to take the byte stream back, if hyper was given neither `TokioIo<TcpStream>` nor
    /// `TokioIo<TlsStream<TcpStream>>`. Any other stream works without, at the price of one more layer.
    pub recover: Option<Recover>,
}

impl Default for WsOptions {
    fn default() -> Self {
        Self {
            secure: false,
            peer: None,
            origins: Origins::any(),
            admission: Admission::new(AdmissionLimits::default()),
            recover: None,
        }
    }
}

/// The byte stream below an upgraded connection.
pub enum Transport {
    /// In clear.
    Tcp(TcpStream),
    /// Over TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Takes the byte stream back from whatever hyper was given in its place, with what has been read of it too
/// much (see [`Upgraded::downcast`]); returns its argument if it is something else.
pub type Recover = fn(Upgraded) -> Result<(Transport, hyper::body::Bytes), Upgraded>;

/// Takes the byte stream back from hyper, with what it has read too much.
fn recover(upgraded: Upgraded, own: Option<Recover>) -> (Io, hyper::body::Bytes) {
    let recovered = match own {
        Some(own) => own(upgraded),
        None => Err(upgraded),
    };
    let upgraded = match recovered {
        Ok((Transport::Tcp(socket), read)) => return (Io::Tcp(socket), read),
        Ok((Transport::Tls(socket), read)) => return (Io::Tls(socket), read),
        Err(upgraded) => upgraded,
    };
    let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => return (Io::Tcp(parts.io.into_inner()), parts.read_buf),
        Err(upgraded) => upgraded,
    };
    match upgraded.downcast::<TokioIo<TlsStream<TcpStream>>>() {
        Ok(parts) => (Io::Tls(Box::new(parts.io.into_inner())), parts.read_buf),
        Err(upgraded) => (Io::Other(Box::new(TokioIo::new(upgraded))), hyper::body::Bytes::new()),
    }
}

async fn session(upgraded: Upgraded, service: Service, options: WsOptions, permit: Permit) {
    let (io, read) = recover(upgraded, options.recover);
    let now = Instant::now();
    let channel =
        Channel { secure: options.secure, starttls: StartTls::Off, peer: options.peer, binding: None };
    let ping_interval = service.config().timeouts.websocket_ping;
    let partial = service.config().timeouts.partial_stanza;
    let stream = Stream::new(service, Framing::WebSocket, channel, now);
    let framer = WsFramer::new(now, ping_interval, partial);
    let mut driver = Driver::new(io, stream, framer, Some(permit));
    driver.preload(&read);
    driver.run().await;
}

/// One text frame a parcel; pings and pongs of its own.
struct WsFramer {
    decoder: Decoder,
    pong: Option<Vec<u8>>,
    ping_due: bool,
    next_ping: Instant,
    ping_interval: Duration,
    /// Since when a message is incomplete, and how long it may be.
    partial_since: Option<Instant>,
    partial: Duration,
    /// Code of our close frame, if the reason lies in the frames.
    code: Option<CloseCode>,
    /// The client is not to be told anything but the close frame.
    silent: bool,
}

impl WsFramer {
    fn new(now: Instant, ping_interval: Duration, partial: Duration) -> Self {
        Self {
            decoder: Decoder::default(),
            pong: None,
            ping_due: false,
            next_ping: now + ping_interval,
            ping_interval,
            partial_since: None,
            partial,
            code: None,
            silent: false,
        }
    }

    fn incoming(&mut self, now: Instant, stream: &mut Stream, incoming: Incoming) {
        match incoming {
            Incoming::Text(text) => stream.handle_message(now, &text),
            Incoming::Ping(payload) => {
                stream.heard(now);
                // Only the latest ping has to be answered (RFC 6455 §5.5.3).
                self.pong = Some(payload);
            }
            Incoming::Pong => stream.heard(now),
            Incoming::Close(_) => {
                self.code = Some(CloseCode::NORMAL);
                self.silent = true;
                stream.handle_eof();
            }
        }
    }

    fn refuse(&mut self, stream: &mut Stream, code: CloseCode) {
        self.code = Some(code);
        if code == CloseCode::TOO_BIG {
            stream.fail(StreamError::PolicyViolation("message too large"));
        } else {
            self.silent = true;
            stream.service().count_refusal(Refusal::Malformed);
            stream.handle_eof();
        }
    }
}

/// Code of the close frame behind a stream error.
fn code_of(error: Option<StreamError>) -> CloseCode {
    match error {
        Some(StreamError::BadFormat) => CloseCode::INVALID_DATA,
        Some(StreamError::SystemShutdown) => CloseCode::GOING_AWAY,
        _ => CloseCode::NORMAL,
    }
}

impl Framer for WsFramer {
    fn feed(&mut self, now: Instant, stream: &mut Stream, input: &mut &[u8]) {
        while stream.wants_input() && !input.is_empty() {
            match self.decoder.next(input, stream.max_bytes()) {
                Ok(Some(incoming)) => self.incoming(now, stream, incoming),
                Ok(None) => break,
                Err(code) => self.refuse(stream, code),
            }
        }
        if self.decoder.is_partial() {
            self.partial_since.get_or_insert(now);
        } else {
            self.partial_since = None;
        }
    }

    fn write(&mut self, stream: &mut Stream, parcel: &Parcel, out: &mut Vec<u8>) {
        frame::push_text(out, |out| stream.write_parcel(parcel, out));
    }

    fn write_control(&mut self, out: &mut Vec<u8>) {
        if let Some(payload) = self.pong.take() {
            frame::push_pong(out, &payload);
        }
        if std::mem::take(&mut self.ping_due) {
            frame::push_ping(out);
        }
    }

    fn write_end(&mut self, stream: &Stream, error: Option<StreamError>, out: &mut Vec<u8>) {
        if !self.silent {
            for message in stream.farewell(error) {
                frame::push_text(out, |out| out.extend_from_slice(message.as_bytes()));
            }
        }
        frame::push_close(out, self.code.unwrap_or_else(|| code_of(error)));
    }

    fn write_parting(&mut self, out: &mut Vec<u8>) {
        self.decoder = Decoder::default();
        if let Some(code) = self.code {
            frame::push_close(out, code);
        }
    }

    fn boundaries(&self) -> Boundaries {
        Boundaries::None
    }

    fn deadline(&self) -> Option<Instant> {
        let partial = self.partial_since.map(|since| since + self.partial);
        Some(partial.map_or(self.next_ping, |partial| partial.min(self.next_ping)))
    }

    fn handle_timeout(&mut self, now: Instant, stream: &mut Stream) {
        if self.partial_since.is_some_and(|since| since + self.partial <= now) {
            self.partial_since = None;
            self.code = Some(CloseCode::POLICY);
            stream.fail(StreamError::ConnectionTimeout);
        }
        if self.next_ping <= now {
            self.next_ping = now + self.ping_interval;
            self.ping_due = true;
        }
    }

    fn held(&self) -> usize {
        self.decoder.held()
    }

    fn forget(&mut self) {
        self.decoder.forget();
    }

    fn saw_end(&mut self, mut input: &[u8]) -> bool {
        loop {
            match self.decoder.next(&mut input, DISCARDED) {
                Ok(Some(Incoming::Close(_))) | Err(_) => return true,
                Ok(Some(_)) => {}
                Ok(None) => break,
            }
        }
        self.decoder.forget();
        false
    }
}
