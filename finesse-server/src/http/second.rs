//! HTTP/2 (RFC 9113): many requests on one connection, held ones among them, within bounds.
//!
//! Chosen by ALPN on listeners with TLS. Beside the bounds on streams and headers, hyper ends a connection that
//! resets streams faster than they are answered ("rapid reset", CVE-2023-44487) or makes it reset many itself.

use std::time::Duration;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::watch;

use super::patience::Times;

/// Streams that the client has reset and nobody has looked at yet; one more ends the connection.
const PENDING_RESETS: usize = 32;
/// Streams that the server had to reset for the client's mistakes; one more ends the connection.
const LOCAL_RESETS: usize = 128;
/// What a stream may send before it is read: a BOSH request usually fits.
const STREAM_WINDOW: u32 = 64 << 10;
/// What all streams of a connection together may.
const CONNECTION_WINDOW: u32 = 512 << 10;
/// What is buffered of a response that the client does not read.
const SEND_BUFFER: usize = 64 << 10;
/// Silence after which a ping asks whether the client is still there, and how long it has for its answer.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);

/// HTTP/2 with these bounds.
pub(super) fn http(streams: u32, header_bytes: u32) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams)
        .max_header_list_size(header_bytes)
        .max_pending_accept_reset_streams(PENDING_RESETS)
        .max_local_error_reset_streams(LOCAL_RESETS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG);
    builder
}

/// Counts the requests under way on one connection.
#[derive(Clone, Debug)]
pub(super) struct Activity(watch::Sender<usize>);

/// One request under way, until dropped.
#[derive(Debug)]
pub(super) struct Busy(watch::Sender<usize>);

impl Activity {
    pub(super) fn new() -> Activity {
        Activity(watch::channel(0).0)
    }

    pub(super) fn begin(&self) -> Busy {
        self.0.send_modify(|requests| *requests += 1);
        Busy(self.0.clone())
    }

    /// Resolves when the first request has not come in time, or none has been under way for the idle time.
    pub(super) async fn ceased(&self, times: Times) {
        let mut requests = self.0.subscribe();
        let mut patience = times.header;
        loop {
            let idle = *requests.borrow_and_update() == 0;
            // The sender is in self: waiting for a change meets no error.
            if !idle {
                let _ = requests.changed().await;
            } else if tokio::time::timeout(patience, requests.changed()).await.is_err() {
                return;
            }
            patience = times.idle;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|requests| *requests -= 1);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const TIMES: Times = Times { header: Duration::from_secs(10), idle: Duration::from_secs(90) };

    #[tokio::test(start_paused = true)]
    async fn only_a_connection_without_requests_ceases() {
        let activity = Activity::new();
        let start = Instant::now();
        activity.ceased(TIMES).await;
        assert_eq!(start.elapsed().as_secs(), 10, "no first request");
        let busy = (activity.begin(), activity.begin());
        let held = async {
            sleep(Duration::from_secs(300)).await;
            drop(busy.0);
            sleep(Duration::from_secs(200)).await;
            drop(busy.1);
        };
        let start = Instant::now();
        tokio::join!(held, activity.ceased(TIMES));
        assert_eq!(start.elapsed().as_secs(), 590);
    }
}
