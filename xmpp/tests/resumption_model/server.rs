//! The server's side: connections whose tasks run only when they are woken, as under a real executor.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use broker::{Outbox, Parcel};
use xmpp::auth::Asked;
use xmpp::{Action, Channel, Framing, Service, Stream};

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A connection with what is on its way in both directions, element by element.
pub struct Connection {
    stream: Stream,
    /// The outbox it was born with: that of the session, if one is bound on it.
    pub born_with: Outbox,
    woken: Arc<Woken>,
    verdict: Option<Asked>,
    /// On the way to the server.
    pub input: VecDeque<String>,
    /// On the way to the client.
    pub wire: VecDeque<String>,
    /// The client's end is gone; found out behind the input.
    pub is_cut: bool,
    /// The server has closed it.
    pub is_closed: bool,
    /// The task has ended.
    pub is_over: bool,
}

impl Connection {
    pub fn new(service: &Service, now: Instant) -> Self {
        let stream = Stream::new(service.clone(), Framing::Tcp, Channel::default(), now);
        let born_with = stream.outbox().clone();
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self {
            stream,
            born_with,
            woken,
            verdict: None,
            input: VecDeque::new(),
            wire: VecDeque::new(),
            is_cut: false,
            is_closed: false,
            is_over: false,
        }
    }

    /// Whether an executor would run the task now.
    pub fn is_runnable(&self, now: Instant) -> bool {
        let has_input = self.stream.wants_input() && (self.is_cut || !self.input.is_empty());
        !self.is_over
            && (self.woken.0.load(Ordering::SeqCst)
                || has_input && !self.is_closed
                || self.deadline().is_some_and(|deadline| deadline <= now))
    }

    /// Whether it takes itself for the one that has a session.
    pub fn is_bound(&self) -> bool {
        self.stream.is_bound()
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.stream.deadline().filter(|_| !self.is_over)
    }

    /// One run of the task, which gets up to `input` elements.
    pub fn run(&mut self, now: Instant, mut input: usize) {
        if self.is_over {
            return;
        }
        self.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(self.woken.clone());
        let mut cx = Context::from_waker(&waker);
        loop {
            self.stream.check_owner();
            if self.stream.is_detached() {
                return self.run_detached(&mut cx, now);
            }
            if self.is_closed && !self.stream.has_action() {
                self.is_over = true;
                return;
            }
            let acted = self.act(&mut cx, now);
            self.write(&mut cx, now);
            if acted || self.stream.has_action() || self.read(now, &mut input) {
                continue;
            }
            if self.stream.deadline().is_none_or(|deadline| deadline > now) {
                return;
            }
            self.stream.handle_timeout(now);
        }
    }

    fn run_detached(&mut self, cx: &mut Context<'_>, now: Instant) {
        self.is_closed = true;
        self.wire.clear();
        self.input.clear();
        while self.stream.poll_detached(cx).is_pending() {
            match self.stream.deadline() {
                Some(deadline) if deadline <= now => self.stream.handle_timeout(now),
                _ => return,
            }
        }
        self.is_over = true;
    }

    fn act(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let mut acted = false;
        while let Some(action) = self.stream.poll_action() {
            acted = true;
            match action {
                Action::Authenticate(question) => self.verdict = Some(self.stream.service().ask(question)),
                Action::StartTls => unreachable!("it is not offered"),
                Action::Close(error) => {
                    self.write(cx, now);
                    self.is_closed = true;
                    let end = self.stream.farewell(error).concat();
                    self.wire.push_back(if end.is_empty() { "</stream:stream>".into() } else { end });
                }
            }
        }
        if let Some(verdict) = &mut self.verdict
            && let Poll::Ready(answer) = verdict.as_mut().poll(cx)
        {
            self.verdict = None;
            self.stream.handle_auth(now, answer);
            acted = true;
        }
        acted
    }

    fn write(&mut self, cx: &mut Context<'_>, now: Instant) {
        let mut parcels = VecDeque::<Parcel>::new();
        loop {
            match self.stream.poll_take(now, cx, &mut parcels, 300) {
                Poll::Pending => break,
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(reason)) => {
                    if !self.is_closed && !self.stream.has_action() {
                        self.stream.handle_outbox_end(reason);
                    }
                    break;
                }
            }
        }
        for parcel in parcels {
            let mut out = Vec::new();
            self.stream.write_parcel(&parcel, &mut out);
            if !self.is_cut {
                self.wire.push_back(String::from_utf8(out).unwrap());
            }
        }
    }

    /// Reads one element; true if anything has changed.
    fn read(&mut self, now: Instant, left: &mut usize) -> bool {
        if *left == 0 || !self.stream.wants_input() {
            return false;
        }
        let Some(element) = self.input.pop_front() else {
            let cut = self.is_cut && !self.stream.is_closed();
            if cut {
                self.stream.handle_eof();
            }
            return cut;
        };
        *left -= 1;
        let mut rest = element.as_bytes();
        self.stream.handle_bytes(now, &mut rest);
        if !rest.is_empty() {
            self.input.push_front(String::from_utf8(rest.to_vec()).unwrap());
        }
        rest.len() < element.len()
    }
}
