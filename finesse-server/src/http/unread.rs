//! Answers over HTTP/2 that their client does not read.
//!
//! A window that is never opened (RFC 9113 §6.9) stalls one stream while the connection looks alive: pings are
//! answered, other requests come and go. Over HTTP/1.1 the system notices by itself, as nothing that was sent is
//! acknowledged; here it is noticed by what becomes of the body. It is handed to hyper in pieces, each of which is
//! dropped when it has gone out.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::Instant;

/// A piece of a body. A client has to read this much in the time that a write may stall.
const PIECE: usize = 16 << 10;
/// Answers among which it is worth looking for those that are out.
const FEW: usize = 16;

/// The answers of one connection that are not out yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Unread(Arc<Mutex<List>>);

#[derive(Debug, Default)]
struct List {
    answers: Vec<Arc<Progress>>,
    /// Length at which those that are out are taken from the list.
    full: usize,
}

/// When a piece has last gone out. Shared by a body and its pieces: the list has the last reference when all are.
#[derive(Debug)]
struct Progress(Mutex<Instant>);

impl Unread {
    /// A body whose way out is watched.
    pub(super) fn watch<B>(&self, body: B) -> Watched<B> {
        let progress = Arc::new(Progress(Mutex::new(Instant::now())));
        let list = &mut *self.0.lock();
        if list.answers.len() >= list.full {
            list.sweep();
            // hyper bounds the streams, so that few are left; the list gets no longer than twice that.
            list.full = FEW.max(2 * list.answers.len());
        }
        list.answers.push(progress.clone());
        Watched { inner: body, rest: Bytes::new(), progress }
    }

    /// Resolves when nothing of some answer has gone out for `stall`, half as late again at most.
    pub(super) async fn stalled(&self, stall: Duration) {
        loop {
            tokio::time::sleep(stall / 2).await;
            let list = &mut *self.0.lock();
            list.sweep();
            if list.answers.iter().any(|progress| progress.0.lock().elapsed() >= stall) {
                return;
            }
        }
    }
}

impl List {
    /// Forgets the answers that are out, or whose stream has ended.
    fn sweep(&mut self) {
        self.answers.retain(|progress| Arc::strong_count(progress) > 1);
    }
}

/// A body in pieces.
#[derive(Debug)]
pub(super) struct Watched<B> {
    inner: B,
    /// What `inner` gave and was not handed on.
    rest: Bytes,
    progress: Arc<Progress>,
}

struct Piece {
    bytes: Bytes,
    progress: Arc<Progress>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        *self.progress.0.lock() = Instant::now();
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => self.rest = bytes,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                other => return Poll::Ready(other),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = Piece { bytes: self.rest.split_to(length), progress: self.progress.clone() };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.inner.size_hint();
        let rest = self.rest.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::Full;
    use hyper::Response;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::super::second;
    use super::*;

    const STALL: Duration = Duration::from_secs(30);
    const BODY: usize = 100_000;

    /// A client of few words, by the frame (RFC 9113 §4.1).
    struct Client {
        io: DuplexStream,
        stream: u32,
        /// Bytes of bodies that have come.
        read: usize,
    }

    impl Client {
        /// Allows each stream `window` bytes at first.
        async fn new(mut io: DuplexStream, window: u32) -> Self {
            io.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
            let mut client = Self { io, stream: 1, read: 0 };
            let setting = [&[0, 4][..], &window.to_be_bytes()].concat();
            client.say(4, 0, 0, &setting).await;
            // Enough for the connection as a whole.
            client.say(8, 0, 0, &(1_u32 << 24).to_be_bytes()).await;
            client
        }

        async fn say(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
            let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
            let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
            self.io.write_all(&[&head, payload].concat()).await.is_ok()
        }

        /// `GET /` on a new stream, with the static table's names.
        async fn ask(&mut self) -> bool {
            let stream = self.stream;
            self.stream += 2;
            self.say(1, 5, stream, &[0x82, 0x87, 0x84, 0x41, 1, b'x']).await
        }

        async fn grant(&mut self, stream: u32, bytes: u32) -> bool {
            self.say(8, 0, stream, &bytes.to_be_bytes()).await
        }

        /// Reads and answers what a living client does, until the server closes or the time is over. True if it
        /// has closed.
        async fn live(&mut self, time: Duration) -> bool {
            let end = Instant::now() + time;
            while let Ok(head) = tokio::time::timeout_at(end, self.head()).await {
                let Some((length, kind, flags)) = head else { return true };
                let mut payload = vec![0; length];
                if self.io.read_exact(&mut payload).await.is_err() {
                    return true;
                }
                match (kind, flags & 1) {
                    (0, _) => self.read += length,
                    (4, 0) => _ = self.say(4, 1, 0, &[]).await,
                    (6, 0) => _ = self.say(6, 1, 0, &payload).await,
                    _ => {}
                }
            }
            false
        }

        async fn head(&mut self) -> Option<(usize, u8, u8)> {
            let mut head = [0; 9];
            self.io.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            Some((length as usize, head[3], head[4]))
        }
    }

    fn serve(unread: &Unread) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let unread = unread.clone();
        let answers = unread.clone();
        let service = service_fn(move |_| {
            let body = answers.watch(Full::new(Bytes::from(vec![b'x'; BODY])));
            async move { Ok::<_, Infallible>(Response::new(body)) }
        });
        let connection = second::http(100, 1 << 14).serve_connection(TokioIo::new(theirs), service);
        tokio::spawn(async move {
            tokio::select! {
                _ = connection => {}
                () = unread.stalled(STALL) => {}
            }
        });
        ours
    }

    /// Answers that are kept.
    async fn kept(unread: &Unread) -> usize {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let list = &mut *unread.0.lock();
        list.sweep();
        list.answers.len()
    }

    #[tokio::test(start_paused = true)]
    async fn attack_never_reading_bosh() {
        for window in [0, 1, 70_000] {
            let unread = Unread::default();
            let mut client = Client::new(serve(&unread), window).await;
            let start = Instant::now();
            assert!(client.ask().await);
            let mut asked = 1;
            // It answers pings and asks for more, so that the connection is never idle.
            while !client.live(Duration::from_secs(10)).await {
                asked += usize::from(client.ask().await);
            }
            let seconds = start.elapsed().as_secs();
            assert!((30..=45).contains(&seconds), "window {window}: {seconds}");
            assert_eq!(kept(&unread).await, 0, "window {window}: nothing of {asked} answers is kept");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_let_be() {
        let unread = Unread::default();
        let mut client = Client::new(serve(&unread), 0).await;
        client.ask().await;
        for _ in 0..7 {
            assert!(!client.live(Duration::from_secs(25)).await);
            client.grant(1, 16 << 10).await;
        }
        assert!(!client.live(Duration::from_secs(25)).await);
        assert_eq!((client.read, kept(&unread).await), (BODY, 0));
        for _ in 0..100 {
            client.ask().await;
            let stream = client.stream - 2;
            client.grant(stream, 1 << 20).await;
            assert!(!client.live(Duration::from_millis(1)).await);
        }
        assert_eq!(client.read, 101 * BODY);
        assert!(unread.0.lock().answers.len() <= 2 * FEW);
        assert!(!client.live(10 * STALL).await, "an idle connection is nothing to this");
    }
}
