//! The writing side of a connection.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use broker::Parcel;
use tokio::io::AsyncWrite;

use super::batch::{self, Scratch};
use super::{Driver, Framer, State};

/// Pause behind a barrier. Lock-step clients read once for the stream header and once for the features, and
/// give up when one read brings both; two writes alone do not keep them apart, since the second is there
/// before such a client has woken up.
const APART: Duration = Duration::from_millis(2);

/// What could not be written yet. Empty, without memory, unless the client reads slowly.
#[derive(Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    done: usize,
    parcels: VecDeque<Parcel>,
    needs_flush: bool,
    stalled_since: Option<Instant>,
    /// Nothing is written before, since a barrier has just gone out.
    not_before: Option<Instant>,
}

impl Output {
    /// Whether nothing has been left behind.
    pub(super) fn is_empty(&self) -> bool {
        self.done == self.bytes.len()
    }

    /// Since when the socket takes nothing.
    pub(super) fn stalled_since(&self) -> Option<Instant> {
        self.stalled_since
    }

    /// Bytes that wait here.
    pub(super) fn held(&self) -> usize {
        self.bytes.len() + self.parcels.iter().map(Parcel::len).sum::<usize>()
    }

    /// When writing goes on behind a barrier.
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.not_before
    }

    /// Ends the pause behind a barrier if it is over; true if there was one.
    pub(super) fn end_pause(&mut self, now: Instant) -> bool {
        self.not_before.take_if(|until| *until <= now).is_some()
    }
}

impl<F: Framer> Driver<F> {
    /// Writes what the outbox holds. Ready: all is out, and the outbox wakes this task when there is more.
    pub(super) fn poll_output(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        now: Instant,
    ) -> Poll<io::Result<()>> {
        if !self.output.parcels.is_empty() {
            scratch.parcels.append(&mut self.output.parcels);
        }
        let result = self.write_all(cx, scratch, now);
        // What is left waits here, not in the thread's buffers.
        if scratch.parcels.is_empty() {
            self.output.parcels = VecDeque::new();
        } else {
            self.output.parcels = scratch.parcels.drain(..).collect();
        }
        result
    }

    fn write_all(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        now: Instant,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_rest(cx, now))?;
            self.output.end_pause(now);
            if self.output.not_before.is_some() {
                ready!(self.poll_flush(cx, now))?;
                return Poll::Pending;
            }
            scratch.output.clear();
            self.framer.write_control(&mut scratch.output);
            if scratch.parcels.is_empty() {
                self.take_parcels(cx, scratch, now);
            }
            let barrier = self.gather(scratch);
            if scratch.output.is_empty() {
                return self.poll_flush(cx, now);
            }
            self.output.not_before = barrier.then(|| now + APART);
            ready!(self.poll_write(cx, &scratch.output, now))?;
        }
    }

    /// Takes what waits. An outbox that has ended is the end of the stream, which comes last.
    fn take_parcels(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch, now: Instant) {
        let taken = self.stream.poll_take(now, cx, &mut scratch.parcels, batch::WRITE);
        let Poll::Ready(Err(reason)) = taken else { return };
        if let Some(error) = self.farewell.take() {
            self.framer.write_end(&self.stream, error, &mut scratch.output);
        } else if self.state == State::Open {
            self.stream.handle_outbox_end(reason);
        }
    }

    /// Appends parcels that may share one write; true if they are a barrier.
    fn gather(&mut self, scratch: &mut Scratch) -> bool {
        let boundaries = self.framer.boundaries();
        while let Some(parcel) = scratch.parcels.pop_front() {
            self.framer.write(&mut self.stream, &parcel, &mut scratch.output);
            let ends = match scratch.parcels.front() {
                Some(next) => !batch::may_share(boundaries, &parcel, next),
                None => true,
            };
            if ends || scratch.output.len() >= batch::WRITE {
                return batch::stands_apart(boundaries, &parcel);
            }
        }
        false
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8], now: Instant) -> Poll<io::Result<()>> {
        self.output.needs_flush = true;
        let mut rest = bytes;
        while !rest.is_empty() {
            match Pin::new(&mut self.io).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(n)) => {
                    rest = &rest[n..];
                    self.output.stalled_since = None;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.output.bytes = rest.to_vec();
                    self.output.done = 0;
                    self.output.stalled_since.get_or_insert(now);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<io::Result<()>> {
        while self.output.done < self.output.bytes.len() {
            let rest = &self.output.bytes[self.output.done..];
            match Pin::new(&mut self.io).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(n)) => {
                    self.output.done += n;
                    self.output.stalled_since = None;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.output.stalled_since.get_or_insert(now);
                    return Poll::Pending;
                }
            }
        }
        self.output.bytes = Vec::new();
        self.output.done = 0;
        Poll::Ready(Ok(()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<io::Result<()>> {
        if self.output.needs_flush {
            match Pin::new(&mut self.io).poll_flush(cx) {
                Poll::Ready(result) => {
                    result?;
                    self.output.needs_flush = false;
                    self.output.stalled_since = None;
                }
                Poll::Pending => {
                    self.output.stalled_since.get_or_insert(now);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}
