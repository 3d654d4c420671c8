//! How long a connection waits for a request: little for its first, long between requests.
//!
//! hyper knows one time for both. Clients of BOSH keep a second connection for the moment when they have
//! something to say while the first is held; closed behind their back it costs them a handshake, or a
//! request that meets the close half-way.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;

/// From the start of a connection to the end of its first header.
pub(super) const FIRST: Duration = Duration::from_secs(10);

/// From a response to the end of the next header. Longer than a BOSH request is held (60 s by default), so
/// that the connection that was not held last is still there. A header may dribble as long; whoever got that
/// far could be silent for the same time instead.
pub(super) const BETWEEN: Duration = Duration::from_secs(90);

/// HTTP/1.1 with these times, for one connection.
pub(super) fn http() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(Patience { inner: TokioTimer::new(), answered: AtomicBool::new(false) });
    builder.header_read_timeout(FIRST);
    builder
}

/// The timer of one connection. hyper asks it for nothing but the deadline of the next header.
struct Patience {
    inner: TokioTimer,
    /// A header has been waited for already.
    answered: AtomicBool,
}

impl Timer for Patience {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let more = if self.answered.swap(true, Ordering::Relaxed) { BETWEEN - FIRST } else { Duration::ZERO };
        self.inner.sleep_until(deadline + more)
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }
}

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

    use super::*;

    fn connect() -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(4096);
        let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))));
        tokio::spawn(http().serve_connection(TokioIo::new(theirs), service));
        ours
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
    async fn the_first_header_may_not_dribble() {
        let mut silent = connect();
        assert_eq!(closed(&mut silent).await, 10);
        let mut slow = connect();
        slow.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
        assert_eq!(closed(&mut slow).await, 10);
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
