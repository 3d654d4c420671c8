//! The way to the server: plain TCP, watched.
//!
//! A `Client` of tokio-xmpp does not tell why a stream ended and comes back at once, also when another session has
//! taken its place. Who does not want that has to say so here, where it connects.

use std::borrow::Cow;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio_xmpp::Error;
use tokio_xmpp::connect::ServerConnector;
use tokio_xmpp::jid::Jid;
use tokio_xmpp::xmlstream::{PendingFeaturesRecv, StreamHeader, Timeouts, initiate_stream};

/// How much of what the server said last is kept.
const TAIL: usize = 512;

/// Leads to one address. Clones share their state.
#[derive(Clone, Debug)]
pub struct Door(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    address: String,
    /// One permit for each connection that may be made.
    permits: Semaphore,
    /// Told when a connection is wanted and there is no permit: the one before has ended.
    shut: Notify,
    socket: Mutex<Option<std::net::TcpStream>>,
    /// The end of what the server said.
    tail: Mutex<Vec<u8>>,
}

impl Door {
    pub fn new(address: String) -> Door {
        Door(Arc::new(Shared {
            address,
            permits: Semaphore::new(0),
            shut: Notify::new(),
            socket: Mutex::new(None),
            tail: Mutex::new(Vec::new()),
        }))
    }

    /// Lets one connection through.
    pub fn open(&self) {
        self.0.permits.add_permits(1);
    }

    /// Waits until the connection has ended.
    pub async fn shut(&self) {
        self.0.shut.notified().await;
    }

    /// Closes the socket without a word.
    pub fn cut(&self) {
        if let Some(socket) = &*self.0.socket.lock().expect("no panic under this lock") {
            // It may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Condition of the stream error that the server ended with.
    pub fn condition(&self) -> Option<String> {
        let tail = self.0.tail.lock().expect("no panic under this lock");
        let text = String::from_utf8_lossy(&tail);
        let error = text.rsplit_once("<stream:error>")?.1;
        Some(error.strip_prefix('<')?.split([' ', '/', '>']).next()?.to_owned())
    }
}

impl ServerConnector for Door {
    type Stream = Watched;

    async fn connect(
        &self,
        jid: &Jid,
        ns: &'static str,
        timeouts: Timeouts,
    ) -> Result<(PendingFeaturesRecv<Watched>, sasl::common::ChannelBinding), Error> {
        if self.0.permits.available_permits() == 0 {
            self.0.shut.notify_one();
        }
        self.0.permits.acquire().await.expect("never closed").forget();
        let socket = TcpStream::connect(&self.0.address).await?.into_std()?;
        *self.0.socket.lock().expect("no panic under this lock") = Some(socket.try_clone()?);
        let stream = Watched { io: BufReader::new(TcpStream::from_std(socket)?), door: self.0.clone() };
        let header = StreamHeader { to: Some(Cow::Borrowed(jid.domain().as_str())), from: None, id: None };
        let pending = initiate_stream(stream, ns, header, timeouts).await?;
        Ok((pending, sasl::common::ChannelBinding::None))
    }
}

/// The connection; what is read of it is remembered.
pub struct Watched {
    io: BufReader<TcpStream>,
    door: Arc<Shared>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, into)
    }
}

impl AsyncBufRead for Watched {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Pin::new(&mut self.get_mut().io).poll_fill_buf(cx)
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        let mut tail = self.door.tail.lock().expect("no panic under this lock");
        tail.extend_from_slice(&self.io.buffer()[..amount]);
        let surplus = tail.len().saturating_sub(TAIL);
        tail.drain(..surplus);
        drop(tail);
        Pin::new(&mut self.io).consume(amount);
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
