//! A connection in memory, whose far end is the workload itself.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Both ends of one connection.
#[derive(Clone, Default)]
pub struct Wire(Arc<Mutex<Ends>>);

#[derive(Default)]
struct Ends {
    input: Vec<u8>,
    output: Vec<u8>,
    reader: Option<Waker>,
}

impl Wire {
    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.lock().expect("nobody panics")
    }

    /// Sends to the server.
    pub fn send(&self, bytes: &[u8]) {
        let reader = {
            let mut ends = self.ends();
            ends.input.extend_from_slice(bytes);
            ends.reader.take()
        };
        reader.into_iter().for_each(Waker::wake);
    }

    /// What the server has written since; the buffer stays.
    pub fn received<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
        let mut ends = self.ends();
        let result = look(&ends.output);
        ends.output.clear();
        result
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut ends = self.ends();
        if ends.input.is_empty() {
            ends.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = ends.input.len().min(buf.remaining());
        buf.put_slice(&ends.input[..count]);
        ends.input.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.ends().output.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A future that is polled by hand, and only after it was woken.
pub struct Task<F> {
    future: Pin<Box<F>>,
    flag: Arc<Flag>,
    waker: Waker,
}

impl<F: Future> Task<F> {
    pub fn new(future: F) -> Self {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        Self { future: Box::pin(future), waker: flag.clone().into(), flag }
    }

    /// Polls as often as it is woken; its result once it has one.
    pub fn run(&mut self) -> Option<F::Output> {
        while self.flag.0.swap(false, Ordering::Relaxed) {
            if let Poll::Ready(output) = self.future.as_mut().poll(&mut Context::from_waker(&self.waker)) {
                return Some(output);
            }
        }
        None
    }
}
