//! One session with its stream, behind one lock, and the future that waits in it.
//!
//! Between polls a session is this structure and nothing else: no task, no timer object, no parser. A held
//! request is a [`Held`] inside the task of its HTTP connection; it parks its waker here and, when it is
//! next in line for payload, in the outbox. Nothing is woken and nobody is called while the lock is held.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use broker::{EndReason, Hold, Parcel, Timer, WakeLater};
use hyper::header::HeaderValue;
use parking_lot::Mutex;
use xmpp::stream::{Action, Open, Stream};
use xmpp::{Answer, Principal, Question, Refusal, StreamError};

use crate::core::{Condition, Creation, Reply, Request, Session, Token, Work};
use crate::http::Shared;
use crate::limits::Permit;
use crate::registry::Sid;

thread_local! {
    /// Parcels between the outbox and the body that is being written.
    static QUEUE: RefCell<VecDeque<Parcel>> = const { RefCell::new(VecDeque::new()) };
}

/// A session in the table.
pub(crate) struct Cell {
    pub(crate) sid: Sid,
    state: Mutex<State>,
}

struct State {
    core: Session,
    stream: Stream,
    /// Requests that wait, and who waits for them.
    parked: Vec<(Token, Waker)>,
    /// Answers that nobody has fetched yet.
    ready: Vec<(Token, Reply)>,
    next_token: u64,
    /// The wheel looks at this session at `armed` at the latest.
    timer: Option<Timer>,
    armed: Option<Instant>,
    /// The password attempt that is being verified, by number.
    attempt: Option<u32>,
    attempts: u32,
    /// A question on its way to the realm; only there until the lock is released.
    question: Option<Question>,
    /// Set once, when the end was counted and the table told.
    gone: bool,
    /// The client was silent for too long.
    expired: bool,
    ended_by: Option<Condition>,
    permit: Option<Permit>,
    hold: Hold,
    creator: Option<IpAddr>,
    content_type: Option<HeaderValue>,
    secure: bool,
}

/// What has to be done after unlocking.
#[derive(Default)]
#[must_use]
pub(crate) struct After {
    wake: Vec<Waker>,
    authenticate: Option<(u32, Question)>,
    removed: bool,
    log: Option<Log>,
}

/// What is logged of a session; its id is a secret and not among it.
enum Log {
    /// The user has logged in.
    LoggedIn(Principal),
    /// The session has ended, for a violation or by itself.
    Ended { user: Option<Principal>, peer: Option<IpAddr>, fault: Option<Condition> },
}

impl Log {
    fn write(self) {
        match self {
            // Names as strings, which writers escape: they are the realm's, and may be what a client sent.
            Self::LoggedIn(user) => tracing::debug!(user = &*user.user, transport = "bosh", "logged in"),
            Self::Ended { user, peer, fault } => {
                let user = user.as_ref().map(|user| &*user.user);
                let (peer, fault) = (peer.map(tracing::field::display), fault.map(Condition::name));
                tracing::debug!(user, peer, fault, transport = "bosh", "session ended");
            }
        }
    }
}

/// What a new cell is made of.
pub(crate) struct Parts {
    pub(crate) sid: Sid,
    pub(crate) core: Session,
    pub(crate) stream: Stream,
    pub(crate) permit: Permit,
    pub(crate) creator: Option<IpAddr>,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) secure: bool,
}

impl Cell {
    /// The token of the request that created the session.
    pub(crate) const FIRST: Token = Token(0);

    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { sid, core, stream, permit, creator, content_type, secure } = parts;
        let hold = stream.service().broker().budget().hold();
        let state = State {
            core,
            stream,
            // Sized for the usual case: growing from nothing would make room for four.
            parked: Vec::with_capacity(1),
            ready: Vec::with_capacity(1),
            next_token: Self::FIRST.0 + 1,
            timer: None,
            armed: None,
            attempt: None,
            attempts: 0,
            question: None,
            gone: false,
            expired: false,
            ended_by: None,
            permit: Some(permit),
            hold,
            creator,
            content_type,
            secure,
        };
        Self { sid, state: Mutex::new(state) }
    }

    /// Whether the client has authenticated: its bodies may be larger.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.state.lock().stream.is_authenticated()
    }

    /// What the `Content-Type` of answers was agreed to be, and whether the client is a legacy one.
    pub(crate) fn manners(&self) -> (Option<HeaderValue>, bool) {
        let state = self.state.lock();
        (state.content_type.clone(), state.core.terms().version.is_none())
    }

    /// Whether a request from there may use this session.
    pub(crate) fn admits(&self, peer: Option<IpAddr>, secure: bool, pin: bool) -> Result<(), Condition> {
        let state = self.state.lock();
        if state.secure && !secure {
            // A session that began under TLS does not go on without (the session stays for its owner).
            return Err(Condition::BadRequest);
        }
        if pin && state.creator != peer {
            return Err(Condition::ItemNotFound);
        }
        Ok(())
    }

    /// Starts the stream of a new session.
    pub(crate) fn open(self: &Arc<Self>, shared: &Arc<Shared>, now: Instant, creation: &Creation) {
        self.with(shared, now, |state, _| state.stream.handle_open(now, &open(creation)));
    }

    /// The most bytes that one stanza may have at this moment; bodies may be larger, since they hold many.
    pub(crate) fn max_stanza(&self) -> usize {
        self.state.lock().stream.max_bytes()
    }

    /// Hands a request to the session; its answer comes out of the future.
    pub(crate) fn request(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        now: Instant,
        request: Request<'_>,
    ) -> Held {
        let mut token = Cell::FIRST;
        self.with(shared, now, |state, _| {
            token = Token(state.next_token);
            state.next_token += 1;
            state.core.request(now, request, token);
        });
        self.wait(shared, token)
    }

    /// Waits for the answer to a request.
    pub(crate) fn wait(self: &Arc<Self>, shared: &Arc<Shared>, token: Token) -> Held {
        shared.held.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Held { cell: Arc::clone(self), shared: Arc::clone(shared), token, done: false }
    }

    /// Ends the session for a fault found outside of it; held requests learn that another was the cause.
    pub(crate) fn fail(self: &Arc<Self>, shared: &Arc<Shared>, now: Instant, condition: Condition) {
        self.with(shared, now, |state, _| {
            state.ended_by.get_or_insert(condition);
            state.core.abandon(now);
        });
    }

    /// The server stops.
    pub(crate) fn shutdown(self: &Arc<Self>, shared: &Arc<Shared>, now: Instant) {
        self.with(shared, now, |state, _| state.stream.handle_shutdown());
    }

    /// A deadline may have come.
    pub(crate) fn expire(self: &Arc<Self>, shared: &Arc<Shared>, now: Instant) {
        self.with(shared, now, |state, shared| {
            // The timer may be a newer one than that which fired; arming finds out.
            state.armed = None;
            if state.stream.deadline().is_some_and(|deadline| now >= deadline) {
                state.stream.handle_timeout(now);
                // The realm took too long: the stream has answered in its place.
                if state.attempt.is_some() && state.stream.wants_input() {
                    state.attempt = None;
                    state.core.set_blocked(false);
                }
            }
            let was_alive = !state.core.has_ended();
            state.core.handle_timeout(now);
            if was_alive && state.core.is_over() && !state.gone {
                (state.gone, state.expired) = (true, true);
                shared.counters.expired.add();
            }
        });
    }

    /// How long the answer to a failed login is kept back.
    fn failed_login(&self, shared: &Shared, now: Instant) -> Duration {
        let stranger = self.state.lock().permit.as_ref().and_then(Permit::stranger);
        stranger.map_or(Duration::ZERO, |peer| shared.service.login_failures().failed(peer, now))
    }

    /// The realm has answered.
    fn authenticated(self: &Arc<Self>, shared: &Arc<Shared>, attempt: u32, answer: Answer) {
        let now = Instant::now();
        self.with(shared, now, |state, _| {
            if state.attempt == Some(attempt) {
                state.attempt = None;
                state.stream.handle_auth(now, answer);
                state.core.set_blocked(false);
                if let (true, Some(permit)) = (state.stream.is_authenticated(), &mut state.permit) {
                    permit.authenticated();
                }
            }
        });
    }

    /// Changes the session, lets everything follow that follows from it, and does outside of the lock what
    /// has to be done there.
    fn with(self: &Arc<Self>, shared: &Arc<Shared>, now: Instant, change: impl FnOnce(&mut State, &Shared)) {
        let _quiet = WakeLater::new();
        let mut state = self.state.lock();
        let mut after = After::default();
        let before = state.core.next_token();
        let stranger = !state.stream.is_authenticated();
        change(&mut state, shared);
        state.pump(now, shared.max_answer());
        after.log = state.stream.principal().filter(|_| stranger).cloned().map(Log::LoggedIn);
        state.settle_up(before, &mut after, shared);
        self.arm(&mut state, shared);
        drop(state);
        self.follow_up(shared, after);
    }

    fn follow_up(self: &Arc<Self>, shared: &Arc<Shared>, after: After) {
        for waker in after.wake {
            waker.wake();
        }
        if after.removed {
            shared.registry.remove(self);
        }
        if let Some(log) = after.log {
            log.write();
        }
        if let Some((attempt, question)) = after.authenticate {
            let (cell, shared) = (Arc::clone(self), Arc::clone(shared));
            // A task of its own: the verdict must not be lost with the HTTP connection.
            tokio::spawn(async move {
                let answer = shared.service.ask(question).await;
                if answer.is_refusal() {
                    tokio::time::sleep(cell.failed_login(&shared, Instant::now())).await;
                }
                cell.authenticated(&shared, attempt, answer);
            });
        }
    }

    /// Makes sure that the wheel looks at this session in time. An entry that comes too early costs less
    /// than moving it with every request.
    fn arm(self: &Arc<Self>, state: &mut State, shared: &Shared) {
        let deadline = [state.core.deadline(), state.stream.deadline()].into_iter().flatten().min();
        let Some(deadline) = deadline.filter(|_| !state.core.is_over()) else {
            if let Some(timer) = state.timer.take() {
                timer.cancel();
                state.armed = None;
            }
            return;
        };
        if state.armed.is_some_and(|armed| armed <= deadline) {
            return;
        }
        if !state.timer.as_ref().is_some_and(|timer| timer.set(deadline)) {
            state.timer = Some(shared.wheel.arm(deadline, Arc::downgrade(self)));
        }
        state.armed = Some(deadline);
    }
}

impl State {
    /// Runs the session and the stream until both have nothing more to do at this moment.
    fn pump(&mut self, now: Instant, most: usize) {
        loop {
            while let Some(action) = self.stream.poll_action() {
                self.act(now, action);
            }
            match self.core.poll_work(now) {
                Some(Work::Stanza(stanza)) => self.stream.handle_element(now, stanza),
                Some(Work::Restart(creation)) => self.stream.handle_open(now, &open(&creation)),
                None if self.stream.is_closed() => break,
                None => match self.deliver(now, None, most) {
                    Ok(()) => break,
                    Err(reason) => self.stream.handle_outbox_end(reason),
                },
            }
        }
        if self.stream.is_bound() {
            self.core.set_established();
        }
        self.core.settle(now);
        self.reserve(now, most);
        if self.core.has_ended() && !self.stream.is_closed() {
            let cause = match self.ended_by.or(self.core.fault()) {
                Some(condition) => condition.name(),
                None if self.expired => "inactivity",
                None => "closed by the client",
            };
            self.stream.handle_loss(cause);
            let _ = self.stream.poll_action();
        }
    }

    /// Reserves memory for what the session keeps; without it the session ends.
    fn reserve(&mut self, now: Instant, most: usize) {
        if self.hold.set(self.core.held(), self.stream.rank()).is_err() && !self.stream.is_closed() {
            self.stream.fail(StreamError::ResourceConstraint("out of memory for clients"));
            self.pump(now, most);
        }
    }

    fn act(&mut self, now: Instant, action: Action) {
        match action {
            Action::Authenticate(question) => {
                self.attempts += 1;
                self.attempt = Some(self.attempts);
                self.question = Some(question);
                self.core.set_blocked(true);
            }
            Action::Close(error) => self.close(now, error),
            // Never offered over HTTP.
            Action::StartTls => {}
        }
    }

    /// The stream has ended: what is still in the outbox goes first, then the reason.
    fn close(&mut self, now: Instant, error: Option<StreamError>) {
        let condition = error.map(|error| self.condition(error));
        self.ended_by = condition;
        let Self { core, stream, .. } = self;
        QUEUE.with_borrow_mut(|queue| {
            let _ = stream.outbox().try_take(queue, usize::MAX);
            core.close(now, condition, |out| {
                for parcel in queue.drain(..) {
                    stream.write_parcel(&parcel, out);
                }
                match (condition, error) {
                    (Some(Condition::RemoteStreamError), Some(error)) => {
                        out.extend_from_slice(error.to_xml().as_bytes());
                    }
                    (Some(Condition::SeeOtherUri), _) => push_uri(stream, out),
                    _ => {}
                }
            });
            queue.clear();
        });
    }

    /// How the end of the stream is told in terms of the binding. Only what is no fault of the binding is
    /// wrapped as a stream error (XEP-0206 §6).
    fn condition(&self, error: StreamError) -> Condition {
        match error {
            StreamError::HostUnknown => Condition::HostUnknown,
            StreamError::HostGone => Condition::HostGone,
            StreamError::ImproperAddressing => Condition::ImproperAddressing,
            StreamError::SystemShutdown => Condition::SystemShutdown,
            StreamError::SeeOtherHost => Condition::SeeOtherUri,
            StreamError::UnsupportedStanzaType | StreamError::InvalidNamespace => Condition::BadRequest,
            StreamError::PolicyViolation(_) if self.stream.is_authenticated() => Condition::PolicyViolation,
            _ => Condition::RemoteStreamError,
        }
    }

    /// Puts what waits in the outbox into the oldest held request. With a context the outbox keeps its
    /// waker when nothing waits.
    fn deliver(&mut self, now: Instant, cx: Option<&mut Context<'_>>, most: usize) -> Result<(), EndReason> {
        if !self.core.wants_payload() {
            return Ok(());
        }
        let Self { core, stream, .. } = self;
        QUEUE.with_borrow_mut(|queue| {
            let taken = match cx {
                None => stream.outbox().try_take(queue, most)?,
                Some(cx) => match stream.outbox().poll_take(cx, queue, most) {
                    Poll::Pending => 0,
                    Poll::Ready(taken) => taken?,
                },
            };
            if taken > 0 {
                let address = stream.splicer().map_or(0, |splicer| splicer.full().len());
                let capacity = queue.iter().map(|parcel| parcel.len() + 2 * address + 8).sum();
                core.deliver(now, capacity, |out| {
                    for parcel in queue.iter() {
                        stream.write_parcel(parcel, out);
                    }
                });
                queue.clear();
            }
            Ok(())
        })
    }

    /// Collects what has to be done after unlocking: answers are handed over, the request that is now next
    /// in line gets its turn at the outbox, the end is noted.
    fn settle_up(&mut self, before: Option<Token>, after: &mut After, shared: &Shared) {
        while let Some((token, reply)) = self.core.poll_answer() {
            self.unpark(token, after);
            self.ready.push((token, reply));
        }
        let next = self.core.next_token();
        if let Some(next) = next.filter(|_| next != before) {
            self.unpark(next, after);
        }
        after.authenticate = self.attempt.zip(self.question.take());
        if self.core.has_ended() {
            self.permit = None;
            if !self.gone {
                self.gone = true;
                let (user, fault) = (self.stream.principal().cloned(), self.core.fault());
                after.log = Some(Log::Ended { user, peer: self.creator, fault });
                if let Some(fault) = self.core.fault() {
                    shared.service.count_refusal(reason(fault));
                }
                shared.counters.ended(self.ended_by.or(self.core.fault()));
            }
            after.removed = self.core.is_over();
        }
    }

    fn unpark(&mut self, token: Token, after: &mut After) {
        if let Some(at) = self.parked.iter().position(|(parked, _)| *parked == token) {
            after.wake.push(self.parked.swap_remove(at).1);
        }
    }

    fn park(&mut self, token: Token, waker: &Waker) {
        match self.parked.iter_mut().find(|(parked, _)| *parked == token) {
            Some((_, parked)) => parked.clone_from(waker),
            None => self.parked.push((token, waker.clone())),
        }
    }

    fn take_ready(&mut self, token: Token) -> Option<Reply> {
        let at = self.ready.iter().position(|(ready, _)| *ready == token)?;
        Some(self.ready.swap_remove(at).1)
    }
}

/// Under which name a violation of the binding is counted.
fn reason(fault: Condition) -> Refusal {
    match fault {
        Condition::PolicyViolation => Refusal::Overactivity,
        Condition::ItemNotFound => Refusal::Sequence,
        Condition::RemoteConnectionFailed => Refusal::Timeout,
        _ => Refusal::BadRequest,
    }
}

fn open(creation: &Creation) -> Open {
    let Creation { to, from, lang, version, .. } = creation.clone();
    // COMPAT: clients that forget the version speak 1.0 all the same.
    Open { to, from, lang, version: version.or_else(|| Some("1.0".into())) }
}

/// Where the client has to go (XEP-0124 §17.2).
fn push_uri(stream: &Stream, out: &mut Vec<u8>) {
    let alternate = stream.service().alternate();
    let uri = alternate.as_ref().and_then(|alternate| alternate.bosh.as_deref()).unwrap_or_default();
    out.extend_from_slice(b"<uri>");
    xmpp::xml::push_text(out, uri);
    out.extend_from_slice(b"</uri>");
}

/// A request that waits for its answer. Dropping it tells the session that the connection is gone; the
/// request stays and may be repeated.
pub(crate) struct Held {
    cell: Arc<Cell>,
    shared: Arc<Shared>,
    token: Token,
    done: bool,
}

impl Held {
    pub(crate) fn cell(&self) -> &Arc<Cell> {
        &self.cell
    }
}

impl Future for Held {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        let this = &mut *self;
        let mut after = After::default();
        let _quiet = WakeLater::new();
        let mut state = this.cell.state.lock();
        let mut reply = state.take_ready(this.token);
        if reply.is_none() {
            if state.core.next_token() == Some(this.token) {
                state.take_turn(cx, this.token, &this.shared, &mut after);
                this.cell.arm(&mut state, &this.shared);
                reply = state.take_ready(this.token);
            }
            if reply.is_none() {
                state.park(this.token, cx.waker());
            }
        }
        this.done = reply.is_some();
        drop(state);
        this.cell.follow_up(&this.shared, after);
        reply.map_or(Poll::Pending, Poll::Ready)
    }
}

impl State {
    /// The oldest held request looks into the outbox.
    fn take_turn(&mut self, cx: &mut Context<'_>, token: Token, shared: &Shared, after: &mut After) {
        let now = Instant::now();
        if let Err(reason) = self.deliver(now, Some(cx), shared.max_answer()) {
            self.stream.handle_outbox_end(reason);
            self.pump(now, shared.max_answer());
        }
        if self.core.next_token() != Some(token) {
            self.settle_up(Some(token), after, shared);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.held.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        if self.done {
            return;
        }
        let now = Instant::now();
        let token = self.token;
        self.cell.with(&self.shared, now, |state, _| {
            state.parked.retain(|(parked, _)| *parked != token);
            if state.take_ready(token).is_none() {
                state.core.detach(now, token);
            }
        });
    }
}
