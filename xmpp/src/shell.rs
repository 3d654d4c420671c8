//! What TCP and WebSocket connections have in common: one task, one loop, no buffer while idle.
//!
//! Owns the byte stream of one connection and runs a [`Stream`] on it: reads into a scratch buffer of the
//! thread, writes what the outbox holds from another, and keeps bytes of its own only while the client is
//! slowed down or does not read. Knows no XML; what a transport does to bytes is its [`Framer`]'s.

mod admission;
mod batch;
mod io;
mod output;
mod tls;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use broker::{Hold, Parcel};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::auth::{Answer, Asked, AuthFailure};
use crate::stats::Refusal;
use crate::stream::{Action, Stream};
use crate::{StreamError, Timeouts};
pub(crate) use admission::Permit;
pub use admission::{Admission, AdmissionLimits};
use batch::Scratch;
pub(crate) use io::Io;
use tls::Secured;
pub(crate) use tls::handshake;

/// What a transport does to the bytes of a stream.
pub(crate) trait Framer: Unpin {
    /// Hands input to the stream, as much as it takes, and advances `input` past it.
    fn feed(&mut self, now: Instant, stream: &mut Stream, input: &mut &[u8]);
    /// Appends a parcel as it leaves on this transport.
    fn write(&mut self, stream: &mut Stream, parcel: &Parcel, out: &mut Vec<u8>);
    /// Appends what belongs to the transport itself and is due (pong, ping).
    fn write_control(&mut self, out: &mut Vec<u8>);
    /// Appends the end of the stream.
    fn write_end(&mut self, stream: &Stream, error: Option<StreamError>, out: &mut Vec<u8>);
    /// How parcels may share writes.
    fn boundaries(&self) -> Boundaries;
    /// Deadline of the transport's own.
    fn deadline(&self) -> Option<Instant>;
    /// Appends what may be said to a peer whose connection is given up without the end of the stream, and
    /// forgets what was half received.
    fn write_parting(&mut self, _out: &mut Vec<u8>) {}
    /// Gives back what was half received: the stream has ended.
    fn forget(&mut self) {}
    /// The deadline may have passed.
    fn handle_timeout(&mut self, now: Instant, stream: &mut Stream);
    /// Bytes of a message that is not complete.
    fn held(&self) -> usize;
    /// Looks at input behind the end of the stream; true when the peer has ended as well.
    fn saw_end(&mut self, input: &[u8]) -> bool;
}

/// How parcels may share writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Boundaries {
    /// A write ends where an answer meets something else, and around a barrier.
    Classes,
    /// Each parcel leaves by itself.
    Each,
    /// The transport delimits messages itself.
    #[cfg(feature = "websocket")]
    None,
}

/// Why the loop stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The connection is finished.
    Done,
    /// Everything is written; the TLS handshake is next.
    StartTls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// What waits is written, then TLS begins.
    BeforeTls,
    /// What waits and the end of the stream are written, until the deadline.
    Ending(Instant),
    /// Our half is closed; the peer's end is awaited until the deadline.
    Draining(Instant),
    /// The connection is gone, the session waits for another one (XEP-0198).
    Detached,
}

/// What everything that a connection logs stands under. On the level of debugging, so that an idle session
/// costs nothing elsewhere. `user` is filled in once it is known; what a client only claims is nowhere.
pub(crate) fn span(transport: &'static str, peer: Option<IpAddr>) -> tracing::Span {
    let peer = peer.map(tracing::field::display);
    tracing::debug_span!("xmpp_stream", transport, peer, user = tracing::field::Empty)
}

/// What one turn of the loop came to.
enum Turn {
    Again,
    Sleep,
    Stop(Outcome),
}

/// One connection.
pub(crate) struct Driver<F> {
    io: Io,
    stream: Stream,
    framer: F,
    state: State,
    /// Input that the stream did not take yet. Empty unless the client is slowed down or the realm works.
    unread: Vec<u8>,
    eof: bool,
    output: output::Output,
    /// The end of the stream, still to be written.
    farewell: Option<Option<StreamError>>,
    verdict: Option<Asked>,
    /// The verdict has been kept back already.
    delayed: bool,
    sleep: Option<Pin<Box<Sleep>>>,
    permit: Option<Permit>,
    hold: Hold,
}

impl<F: Framer> Driver<F> {
    pub(crate) fn new(io: Io, stream: Stream, framer: F, mut permit: Option<Permit>) -> Self {
        if let Some(permit) = &mut permit {
            permit.attach(stream.outbox());
        }
        let hold = stream.service().broker().budget().hold();
        Self {
            io,
            stream,
            framer,
            state: State::Open,
            unread: Vec::new(),
            eof: false,
            output: output::Output::default(),
            farewell: None,
            verdict: None,
            delayed: false,
            sleep: None,
            permit,
            hold,
        }
    }

    /// Hands in bytes that were read before the loop began.
    #[cfg(feature = "websocket")]
    pub(crate) fn preload(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// Gives the connection away for the handshake. Whatever came behind `<starttls/>` in clear is thrown
    /// away: anybody on the way could have put it there.
    pub(crate) fn take_io(&mut self) -> Io {
        self.unread = Vec::new();
        let nothing = Io::Other(Box::new(tokio::io::join(tokio::io::empty(), tokio::io::sink())));
        std::mem::replace(&mut self.io, nothing)
    }

    /// Continues after the handshake.
    pub(crate) fn resume(&mut self, secured: Secured) {
        self.io = secured.io;
        self.state = State::Open;
        self.stream.tls_started(Instant::now(), secured.binding);
    }

    fn timeouts(&self) -> &Timeouts {
        &self.stream.service().config().timeouts
    }

    /// Runs the connection. Cancel safe: everything is in `self`.
    pub(crate) async fn run(&mut self) -> Outcome {
        std::future::poll_fn(|cx| Scratch::with(|scratch| self.poll(cx, scratch))).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Poll<Outcome> {
        loop {
            match self.turn(cx, scratch) {
                Turn::Again => {}
                Turn::Sleep => return Poll::Pending,
                Turn::Stop(outcome) => return Poll::Ready(outcome),
            }
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Turn {
        let now = Instant::now();
        self.stream.check_owner();
        if self.stream.is_detached() {
            return self.poll_detached(cx);
        }
        if self.state == State::Detached {
            return Turn::Stop(Outcome::Done);
        }
        self.take_actions(now);
        self.poll_verdict(cx, now);
        let written = match self.poll_output(cx, scratch, now) {
            Poll::Ready(Ok(())) => true,
            Poll::Pending => false,
            // Which of the two finds out first, the system or the timer below, is chance.
            Poll::Ready(Err(error)) if error.kind() == std::io::ErrorKind::TimedOut => return self.abandon(),
            Poll::Ready(Err(_)) => return self.broken(),
        };
        if self.stream.has_action() {
            return Turn::Again;
        }
        if written {
            match self.state {
                State::BeforeTls => return Turn::Stop(Outcome::StartTls),
                State::Ending(until) if Pin::new(&mut self.io).poll_shutdown(cx).is_ready() => {
                    self.state = State::Draining(until);
                }
                _ => {}
            }
        }
        // A client that does not read is not read from either.
        let progress = (written || self.state != State::Open) && self.poll_input(cx, scratch, now);
        self.attach();
        match self.state {
            State::Draining(_) if self.eof || self.stream.is_peer_closed() => Turn::Stop(Outcome::Done),
            _ if progress || self.stream.has_action() => Turn::Again,
            _ => match self.is_within_budget() {
                true => self.poll_deadline(cx),
                false => Turn::Again,
            },
        }
    }

    /// The connection is of no use any more.
    fn broken(&mut self) -> Turn {
        self.stream.handle_eof();
        if self.stream.is_detached() { Turn::Again } else { Turn::Stop(Outcome::Done) }
    }

    /// The client takes nothing of what waits for it. Who may resume has not lost the session by that.
    fn abandon(&mut self) -> Turn {
        let counts = self.state == State::Open && self.output.stalled_since().is_some();
        let turn = self.broken();
        if counts && !self.stream.is_detached() {
            self.stream.service().count_refusal(Refusal::Overflow);
        }
        turn
    }

    /// Lets go of the connection, and of its place among others, and waits with the session for another one.
    /// The task stays: it has the session's deadline.
    fn poll_detached(&mut self, cx: &mut Context<'_>) -> Turn {
        if self.state != State::Detached {
            self.state = State::Detached;
            let mut parting = Vec::new();
            self.framer.write_parting(&mut parting);
            if !parting.is_empty() && self.output.is_empty() {
                let _ = Pin::new(&mut self.io).poll_write(cx, &parting);
            }
            drop(self.take_io());
            self.output = output::Output::default();
            if let Some(permit) = &mut self.permit {
                permit.detached();
            }
            // What is unacknowledged stays; it was reserved before.
            let _ = self.hold.set(self.stream.held(), self.stream.rank());
        }
        match self.stream.poll_detached(cx) {
            Poll::Ready(()) => Turn::Stop(Outcome::Done),
            Poll::Pending => self.poll_deadline(cx),
        }
    }

    /// After a resume the connection goes by another outbox.
    fn attach(&mut self) {
        if self.stream.has_new_outbox()
            && let Some(permit) = &mut self.permit
        {
            permit.attach(self.stream.outbox());
        }
    }

    /// Reserves memory for what this connection keeps while it sleeps; ends the stream if there is none.
    fn is_within_budget(&mut self) -> bool {
        if self.state != State::Open {
            return true;
        }
        let input = self.unread.capacity() + self.stream.held() + self.framer.held();
        if self.hold.set(input + self.output.held(), self.stream.rank()).is_ok() {
            return true;
        }
        self.stream.fail(StreamError::ResourceConstraint("out of memory for clients"));
        false
    }

    fn poll_verdict(&mut self, cx: &mut Context<'_>, now: Instant) {
        let Some(verdict) = &mut self.verdict else { return };
        let Poll::Ready(answer) = verdict.as_mut().poll(cx) else { return };
        self.verdict = None;
        if answer.is_refusal() && self.delays_failure(cx, now) {
            return;
        }
        self.stream.handle_auth(now, answer);
        let Some(principal) = self.stream.principal() else { return };
        tracing::Span::current().record("user", &*principal.user);
        // As a string, which writers escape: the name is the realm's, and may be what a client sent.
        tracing::debug!(user = &*principal.user, "logged in");
        if let Some(permit) = &mut self.permit {
            permit.authenticated();
        }
    }

    /// Keeps a failing answer back if its address has failed often: the verdict becomes one that takes time.
    fn delays_failure(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        if std::mem::take(&mut self.delayed) {
            return false;
        }
        // Trusted addresses are not delayed: a whole call centre may be behind one.
        let stranger = self.permit.as_ref().and_then(Permit::stranger);
        let failures = self.stream.service().login_failures();
        let delay = stranger.map_or(Duration::ZERO, |peer| failures.failed(peer, now));
        if delay.is_zero() {
            return false;
        }
        self.delayed = true;
        let mut late: Asked = Box::pin(async move {
            tokio::time::sleep(delay).await;
            Answer::Verdict(Err(AuthFailure::NotAuthorized))
        });
        // The first poll arms its timer; it cannot be ready yet.
        let _ = late.as_mut().poll(cx);
        self.verdict = Some(late);
        true
    }

    fn take_actions(&mut self, now: Instant) {
        while let Some(action) = self.stream.poll_action() {
            match action {
                Action::Authenticate(question) => {
                    self.verdict = Some(self.stream.service().ask(question));
                    self.delayed = false;
                }
                Action::StartTls => self.state = State::BeforeTls,
                Action::Close(error) => {
                    tracing::debug!(error = error.map(|e| e.name()), "stream ends");
                    self.farewell = Some(error);
                    self.verdict = None;
                    self.unread = Vec::new();
                    self.framer.forget();
                    self.state = State::Ending(now + self.timeouts().drain);
                }
            }
        }
    }

    /// Reads, or goes on with what was read; true if there was anything.
    fn poll_input(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch, now: Instant) -> bool {
        let wants = self.stream.wants_input();
        if !self.unread.is_empty() {
            return wants && self.feed_unread(now);
        }
        let discards = matches!(self.state, State::Ending(_) | State::Draining(_));
        if self.eof || !(wants || discards) {
            return false;
        }
        let mut buf = ReadBuf::new(&mut scratch.input);
        match Pin::new(&mut self.io).poll_read(cx, &mut buf) {
            Poll::Pending => false,
            Poll::Ready(Ok(())) if !buf.filled().is_empty() => {
                let mut input = buf.filled();
                if discards {
                    self.eof = self.framer.saw_end(input);
                } else {
                    self.framer.feed(now, &mut self.stream, &mut input);
                    self.unread.extend_from_slice(input);
                }
                true
            }
            // End of input, or an error that means the same.
            Poll::Ready(_) => {
                self.eof = true;
                self.stream.handle_eof();
                true
            }
        }
    }

    fn feed_unread(&mut self, now: Instant) -> bool {
        let unread = std::mem::take(&mut self.unread);
        let mut input = unread.as_slice();
        self.framer.feed(now, &mut self.stream, &mut input);
        let consumed = input.len() < unread.len();
        self.unread = input.to_vec();
        consumed
    }

    fn deadline(&self) -> Option<Instant> {
        let pause = self.output.not_before();
        match self.state {
            State::Ending(until) | State::Draining(until) => [Some(until), pause].into_iter().flatten().min(),
            State::Detached => self.stream.deadline(),
            State::Open | State::BeforeTls => {
                let stall = self.output.stalled_since().map(|since| since + self.timeouts().write_stall);
                [self.stream.deadline(), self.framer.deadline(), stall, pause].into_iter().flatten().min()
            }
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Turn {
        let Some(deadline) = self.deadline() else { return Turn::Sleep };
        let now = Instant::now();
        if deadline <= now {
            return self.timed_out(now);
        }
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        // Re-armed only when it would fire too late, or has fired too early.
        if sleep.deadline().into_std() > deadline {
            sleep.as_mut().reset(deadline.into());
        }
        while sleep.as_mut().poll(cx).is_ready() {
            if deadline <= Instant::now() {
                return Turn::Again;
            }
            sleep.as_mut().reset(deadline.into());
        }
        Turn::Sleep
    }

    fn timed_out(&mut self, now: Instant) -> Turn {
        if self.output.end_pause(now) {
            return Turn::Again;
        }
        if self.state == State::Detached {
            self.stream.handle_timeout(now);
            return Turn::Again;
        }
        let stall = self.timeouts().write_stall;
        let is_stalled = self.output.stalled_since().is_some_and(|since| since + stall <= now);
        if is_stalled {
            return self.abandon();
        }
        if self.state != State::Open {
            return self.broken();
        }
        self.stream.handle_timeout(now);
        self.framer.handle_timeout(now, &mut self.stream);
        Turn::Again
    }
}
