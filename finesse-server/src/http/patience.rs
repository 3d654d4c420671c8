//! How long a connection waits for a request: little for its first, long between requests, and little again from
//! the first byte of a header to its last.
//!
//! hyper knows one time for all of it and sees no difference between a connection that is idle and a header that
//! dribbles. Clients of BOSH keep a second connection for the moment when they have something to say while the
//! first is held; closed behind their back it costs them a handshake, or a request that meets the close half-way.
//! So the timer that hyper asks for the deadline of the next header shares a [`Watch`] with the byte stream below
//! hyper, which notes when a header begins.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use hyper::server::conn::http1;
use parking_lot::Mutex;

use super::head::{Head, Scan};

/// The times of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// From the first byte of a header to its last, and from the start of a connection to the end of its first.
    pub(super) header: Duration,
    /// From a response to the first byte of the next header. Longer than a BOSH request is held, so that the
    /// connection that was not held last is still there.
    pub(super) idle: Duration,
}

/// HTTP/1.1 with these times, for the one connection whose stream notes its bytes in `watch`.
pub(super) fn http(times: Times, watch: Arc<Watch>) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(Patience { times, watch, answered: AtomicBool::new(false) });
    builder.header_read_timeout(times.header);
    // As servers have long written them: programs written by hand search the text of the answer.
    builder.title_case_headers(true);
    builder
}

/// What is known of the header that is awaited or has come.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    /// The scan of the header that is awaited; `None` while a request is under way.
    scan: Option<Scan>,
    /// Bytes of that header so far.
    bytes: usize,
    /// There was no memory for it.
    starved: bool,
    first_byte: Option<Instant>,
    head: Option<Head>,
}

impl Watch {
    /// The next bytes begin a header.
    fn arm(&self) {
        *self.0.lock() = Noted { scan: Some(Scan::default()), ..Noted::default() };
    }

    /// Bytes have come.
    pub(super) fn note(&self, bytes: &[u8]) {
        let noted = &mut *self.0.lock();
        let Some(scan) = &mut noted.scan else { return };
        if bytes.is_empty() {
            return;
        }
        noted.first_byte.get_or_insert_with(now);
        noted.bytes += bytes.len();
        noted.head = scan.feed(bytes);
        if noted.head.is_some() {
            noted.scan = None;
            noted.bytes = 0;
        }
    }

    /// There is no memory for more.
    pub(super) fn starve(&self) {
        self.0.lock().starved = true;
    }

    /// Whether the connection ends for want of memory.
    pub(super) fn is_starved(&self) -> bool {
        self.0.lock().starved
    }

    /// Bytes of a header that is not complete.
    pub(super) fn pending(&self) -> usize {
        self.0.lock().bytes
    }

    /// The header of the request that hyper has read just now, if all of it came after the one before was
    /// answered.
    pub(super) fn take_head(&self) -> Option<Head> {
        let noted = &mut *self.0.lock();
        noted.scan = None;
        noted.head.take()
    }

    fn first_byte(&self) -> Option<Instant> {
        self.0.lock().first_byte
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The timer of one connection. hyper asks it for nothing but the deadline of the next header.
struct Patience {
    times: Times,
    watch: Arc<Watch>,
    /// A header has been waited for already.
    answered: AtomicBool,
}

impl Timer for Patience {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.watch.arm();
        let answered = self.answered.swap(true, Ordering::Relaxed);
        let deadline = if answered { deadline - self.times.header + self.times.idle } else { deadline };
        Box::pin(HeaderSleep {
            inner: Box::pin(tokio::time::sleep_until(deadline.into())),
            watch: self.watch.clone(),
            header: self.times.header,
            begun: !answered,
        })
    }

    fn now(&self) -> Instant {
        now()
    }
}

/// Ends when the header is overdue. hyper polls it whenever bytes have come that do not complete one.
struct HeaderSleep {
    inner: Pin<Box<tokio::time::Sleep>>,
    watch: Arc<Watch>,
    header: Duration,
    /// The deadline is that of a header that has begun.
    begun: bool,
}

impl Future for HeaderSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.begun
            && let Some(first) = self.watch.first_byte()
        {
            self.begun = true;
            let deadline = first + self.header;
            self.inner.as_mut().reset(deadline.into());
        }
        self.inner.as_mut().poll(cx)
    }
}

impl Sleep for HeaderSleep {}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::Response;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::{Instant, sleep};

    use super::super::line::{Meter, Noting};
    use super::*;

    const TIMES: Times = Times { header: Duration::from_secs(10), idle: Duration::from_secs(90) };

    fn connect() -> DuplexStream {
        connect_with(&broker::Budget::new(1 << 20)).0
    }

    fn connect_with(budget: &broker::Budget) -> (DuplexStream, Arc<Watch>) {
        let (ours, theirs) = tokio::io::duplex(4096);
        let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))));
        let watch = Arc::new(Watch::default());
        let meter = Meter::new(budget.hold(), broker::Rank::Stranger);
        let io = TokioIo::new(Noting::new(theirs, watch.clone(), meter));
        tokio::spawn(http(TIMES, watch.clone()).serve_connection(io, service));
        (ours, watch)
    }

    #[tokio::test(start_paused = true)]
    async fn x74_a_long_header_is_on_the_budget_and_ends_where_that_does() {
        let budget = broker::Budget::new(128 << 10);
        let (mut client, watch) = connect_with(&budget);
        client.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
        let mut most = 0;
        // Strangers may fill half of it.
        while client.write_all(&[b'x'; 1024]).await.is_ok() {
            most = most.max(budget.used());
            tokio::task::yield_now().await;
        }
        assert!(watch.is_starved());
        assert!((16 << 10..=64 << 10).contains(&most), "{most}");
        assert_eq!(budget.used(), 0, "given back");
        let (mut client, watch) = connect_with(&budget);
        ask(&mut client).await;
        assert!(!watch.is_starved());
    }

    async fn ask(client: &mut DuplexStream) {
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut buf = [0; 1024];
        let read = client.read(&mut buf).await.unwrap();
        assert!(buf[..read].starts_with(b"HTTP/1.1 200 "));
    }

    /// How long until the server closes.
    async fn closed(client: &mut DuplexStream) -> u64 {
        let start = Instant::now();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        (Instant::now() - start).as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn x73_the_first_header_may_not_dribble() {
        let mut silent = connect();
        assert_eq!(closed(&mut silent).await, 10);
        let mut slow = connect();
        slow.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
        assert_eq!(closed(&mut slow).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn x73_a_later_header_may_not_dribble_either() {
        let mut client = connect();
        for _ in 0..2 {
            ask(&mut client).await;
            sleep(Duration::from_secs(80)).await;
        }
        client.write_all(b"G").await.unwrap();
        let start = Instant::now();
        for _ in 0..3 {
            sleep(Duration::from_secs(3)).await;
            client.write_all(b"E").await.unwrap();
        }
        closed(&mut client).await;
        assert_eq!((Instant::now() - start).as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_spare_connection_outlives_a_held_request() {
        let mut client = connect();
        for _ in 0..3 {
            ask(&mut client).await;
            sleep(Duration::from_secs(80)).await;
        }
        ask(&mut client).await;
        assert_eq!(closed(&mut client).await, 90);
    }
}
