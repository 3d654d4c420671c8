//! The byte stream of an HTTP connection: TCP or TLS, with a note of what comes in, and with what hyper keeps for it
//! on the budget.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use broker::{Hold, OverBudget, Rank};
use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use xmpp::websocket::Transport;

use super::patience::Watch;

/// What hyper's buffer has at the beginning; the cost of a connection includes it.
const INITIAL: usize = 8 << 10;

/// Reserves memory for the buffer into which hyper reads, as it grows.
pub(super) struct Meter {
    hold: Hold,
    rank: Rank,
}

impl Meter {
    pub(super) fn new(hold: Hold, rank: Rank) -> Meter {
        Meter { hold, rank }
    }

    /// The buffer has so many bytes now.
    fn note(&mut self, bytes: usize) -> Result<(), OverBudget> {
        self.hold.set(bytes.saturating_sub(INITIAL), self.rank)
    }
}

/// A stream that shows a [`Watch`] what is read from it.
pub(super) struct Noting<S> {
    inner: S,
    watch: Arc<Watch>,
    meter: Meter,
}

impl<S> Noting<S> {
    pub(super) fn new(inner: S, watch: Arc<Watch>, meter: Meter) -> Noting<S> {
        Noting { inner, watch, meter }
    }
}

/// Takes the stream back after an upgrade, so that a WebSocket session does not pay for the noting.
pub(super) fn recover(upgraded: Upgraded) -> Result<(Transport, Bytes), Upgraded> {
    let upgraded = match upgraded.downcast::<TokioIo<Noting<TcpStream>>>() {
        Ok(parts) => return Ok((Transport::Tcp(parts.io.into_inner().inner), parts.read_buf)),
        Err(upgraded) => upgraded,
    };
    let parts = upgraded.downcast::<TokioIo<Noting<TlsStream<TcpStream>>>>()?;
    Ok((Transport::Tls(Box::new(parts.io.into_inner().inner)), parts.read_buf))
}

impl<S: AsyncRead + Unpin> AsyncRead for Noting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // hyper offers all the room that there is behind what it has read and not used.
        let before = buf.filled().len();
        if this.meter.note(this.watch.pending() + before + buf.remaining()).is_err() {
            this.watch.starve();
            return Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()));
        }
        let read = Pin::new(&mut this.inner).poll_read(cx, buf);
        if read.is_ready() {
            this.watch.note(&buf.filled()[before..]);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noting<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
