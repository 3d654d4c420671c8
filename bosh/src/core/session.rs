//! One session: requests come in with the time, work and answers come out.
//!
//! Owns the order of requests (XEP-0124 §14), which of them are held back and for how long (§8), and
//! what ends the session (§10, §13, §17). It never touches a socket, a clock, or the content of a
//! stanza. Drive it like this:
//!
//! 1. [`Session::request`] with each parsed request and a [`Token`] for the place where its answer has
//!    to go;
//! 2. [`Session::poll_work`] until there is none, feeding the stream machine;
//! 3. while [`Session::wants_payload`] and something waits: [`Session::deliver`];
//! 4. [`Session::settle`], then [`Session::poll_answer`] until empty.
//!
//! The same from 2 on after [`Session::handle_timeout`], and 3 on when an event arrives.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use minidom::Element;

use super::ack::Acks;
use super::answer::Greeting;
use super::body::{Creation, Request, decimal};
use super::keys::Keys;
use super::replay::{Credit, Replay};
use super::window::{Place, Window};
use super::{Condition, Reply, Settings, Terms};

/// Names the place where one HTTP request waits for its answer. Given out by the caller, unique within
/// the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(pub u64);

/// What the stream machine has to do, in the order of the request ids.
#[derive(Debug)]
pub enum Work {
    /// The client restarts the stream (XEP-0206 §5).
    Restart(Box<Creation>),
    /// One child of a body.
    Stanza(Element),
}

/// Who a new session is.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The session id: a secret.
    pub sid: &'a str,
    /// The id of the stream.
    pub authid: &'a str,
    /// The domain that answers.
    pub from: &'a str,
}

/// A request that has no answer yet.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) rid: u64,
    /// Where the answer goes; `None` when the connection went away.
    pub(super) token: Option<Token>,
    pub(super) arrived: Instant,
    pub(super) digest: u64,
    pub(super) repeats: u8,
    pub(super) empty: bool,
    /// It pauses or terminates: one more request than usual may be under way.
    extra: bool,
    /// Its turn has come: it may be answered.
    pub(super) entered: bool,
    job: Option<Box<Job>>,
}

/// What a request asks for besides an answer.
#[derive(Debug)]
struct Job {
    payload: std::vec::IntoIter<Element>,
    restart: Option<Box<Creation>>,
    pause: Option<Box<str>>,
    terminate: bool,
    key: Option<Box<str>>,
    newkey: Option<Box<str>>,
    weight: usize,
}

#[derive(Debug)]
pub(super) enum State {
    Open,
    /// Ended while no request was held: the next one gets this.
    Parting(Reply),
    Over,
}

impl State {
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}

/// One BOSH session without its transport and its stream.
#[derive(Debug)]
pub struct Session {
    pub(super) settings: Arc<Settings>,
    pub(super) terms: Terms,
    pub(super) state: State,
    pub(super) window: Window,
    /// Highest request id whose turn has come.
    entered: u64,
    /// Highest request id that was answered.
    pub(super) answered: u64,
    /// Requests without answer, by request id. Those whose turn has come are in front.
    pub(super) slots: VecDeque<Slot>,
    pub(super) replay: Replay,
    pub(super) answers: VecDeque<(Token, Reply)>,
    pub(super) greeting: Option<Box<Greeting>>,
    pub(super) acks: Acks,
    pub(super) idle_since: Option<Instant>,
    /// When a polling client last asked for nothing and got nothing.
    pub(super) last_poll: Option<Instant>,
    /// Answers need the prefix `stream`: features and SASL are still going on.
    pub(super) opening: bool,
    credit: Credit,
    keys: Option<Keys>,
    job: Option<Box<Job>>,
    blocked: bool,
    pause: Option<Duration>,
    pub(super) fault: Option<Condition>,
}

impl Session {
    /// Opens a session for a request without `sid`. Its answer is due as after any other request.
    ///
    /// # Errors
    /// The condition to answer with when the request cannot create a session.
    pub fn create(
        now: Instant,
        settings: Arc<Settings>,
        request: &Request<'_>,
        identity: Identity<'_>,
        token: Token,
    ) -> Result<Self, Condition> {
        let rid = request.rid.ok_or(Condition::BadRequest)?;
        // No stream is open yet that could take a payload.
        if request.terminate || !request.payload.is_empty() {
            return Err(Condition::BadRequest);
        }
        let none = Creation::default();
        let terms = Terms::settle(&settings, request.creation.as_deref().unwrap_or(&none))?;
        let slot = Slot {
            rid,
            token: Some(token),
            arrived: now,
            digest: request.digest,
            repeats: 0,
            empty: false,
            extra: false,
            entered: true,
            job: None,
        };
        // Sessions are many: no more room than the usual case needs.
        let mut slots = VecDeque::with_capacity(usize::from(terms.requests));
        slots.push_back(slot);
        Ok(Self {
            greeting: Some(Box::new(Greeting::new(&settings, &terms, rid, identity))),
            settings,
            terms,
            state: State::Open,
            window: Window::new(rid, terms.requests),
            entered: rid,
            answered: rid - 1,
            slots,
            replay: Replay::new(terms.requests),
            answers: VecDeque::with_capacity(1),
            acks: Acks::new(request.ack.as_deref() == Some("1")),
            idle_since: None,
            last_poll: None,
            opening: true,
            credit: Credit::new(now),
            keys: request.newkey.as_deref().map(Keys::new),
            job: None,
            blocked: false,
            pause: None,
            fault: None,
        })
    }

    /// What was agreed on.
    pub fn terms(&self) -> Terms {
        self.terms
    }

    /// Whether nothing more can come of this session.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Whether the session has ended, be it that the client has still to be told.
    pub fn has_ended(&self) -> bool {
        !self.state.is_open()
    }

    /// About how many bytes of memory the session holds for its client: requests whose turn has not come,
    /// and answers that may have to be repeated.
    pub fn held(&self) -> usize {
        let jobs = self.slots.iter().filter_map(|slot| slot.job.as_ref()).chain(&self.job);
        jobs.map(|job| job.weight).sum::<usize>() + self.replay.bytes()
    }

    /// The violation of the protocol that has ended the session, if it was one.
    pub fn fault(&self) -> Option<Condition> {
        self.fault
    }

    /// Stops or resumes the processing of requests: a password is being checked, and what follows has
    /// to wait for the outcome.
    pub fn set_blocked(&mut self, blocked: bool) {
        self.blocked = blocked;
    }

    /// The stream is established: answers no longer need the prefix `stream`.
    pub fn set_established(&mut self) {
        self.opening = false;
    }

    /// Takes one request. Every request gets exactly one answer for `token`, at some time, unless it is
    /// [detached](Self::detach).
    pub fn request(&mut self, now: Instant, request: Request<'_>, token: Token) {
        if let Err(condition) = self.accept(now, request, token) {
            self.abort(now, Some(token), condition);
        }
    }

    fn accept(&mut self, now: Instant, request: Request<'_>, token: Token) -> Result<(), Condition> {
        let rid = request.rid.ok_or(Condition::BadRequest)?;
        if matches!(self.state, State::Over) {
            return Err(Condition::ItemNotFound);
        }
        let extra = request.terminate || request.pause.is_some();
        match self.window.place(rid, extra) {
            Place::Past => return self.repeated(now, rid, request.digest, token),
            Place::Beyond => return Err(Condition::ItemNotFound),
            Place::New => {}
        }
        if let State::Parting(reply) = std::mem::replace(&mut self.state, State::Over) {
            self.answers.push_back((token, reply));
            return Ok(());
        }
        self.state = State::Open;
        let extra = extra || self.slots.iter().any(|slot| slot.extra);
        if self.slots.len() >= usize::from(self.terms.requests) + usize::from(extra) {
            return Err(Condition::PolicyViolation);
        }
        self.acks.take(now, request.ack.as_deref(), self.answered, &mut self.replay)?;
        self.window.receive(now, rid);
        self.credit.earn();
        self.pause = None;
        self.idle_since = None;
        let at = self.slots.partition_point(|slot| slot.rid < rid);
        self.slots.insert(at, self.slot(now, rid, request, token));
        Ok(())
    }

    fn slot(&self, now: Instant, rid: u64, request: Request<'_>, token: Token) -> Slot {
        let empty = request.is_empty();
        let extra = request.terminate || request.pause.is_some();
        let owned = |text: Option<std::borrow::Cow<'_, str>>| text.map(|t| t.into_owned().into_boxed_str());
        let job = (!empty || self.keys.is_some()).then(|| {
            Box::new(Job {
                restart: request.restart.then(|| request.creation.unwrap_or_default()),
                // The payload of a restart is ignored (XEP-0206 §5).
                payload: if request.restart { Vec::new() } else { request.payload }.into_iter(),
                pause: owned(request.pause),
                terminate: request.terminate,
                key: owned(request.key),
                newkey: owned(request.newkey),
                weight: request.weight,
            })
        });
        let (token, digest) = (Some(token), request.digest);
        Slot { rid, token, arrived: now, digest, repeats: 0, empty, extra, entered: false, job }
    }

    /// A request id that has come before: its connection broke, or somebody tries to inject.
    fn repeated(&mut self, now: Instant, rid: u64, digest: u64, token: Token) -> Result<(), Condition> {
        if !self.credit.spend(now) {
            return Err(Condition::PolicyViolation);
        }
        let limit = self.settings.max_repeats;
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.rid == rid) {
            if slot.digest != digest {
                return Err(Condition::BadRequest);
            }
            slot.repeats += 1;
            if slot.repeats > limit {
                return Err(Condition::PolicyViolation);
            }
            if let Some(old) = slot.token.replace(token) {
                self.answers.push_back((old, Reply::new(super::write::recoverable())));
            }
            self.idle_since = None;
            return Ok(());
        }
        let reply = self.replay.again(rid, digest, limit)?;
        self.answers.push_back((token, reply));
        self.rest(now);
        Ok(())
    }

    /// The connection that waits with `token` went away. The request stays: it may be repeated.
    pub fn detach(&mut self, now: Instant, token: Token) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.token == Some(token)) {
            slot.token = None;
            self.rest(now);
        }
    }

    /// Starts the inactivity timer when no request is held.
    pub(super) fn rest(&mut self, now: Instant) {
        if self.slots.iter().all(|slot| slot.token.is_none()) {
            self.idle_since = Some(now);
        }
    }

    /// The next piece of work, in the order of request ids.
    pub fn poll_work(&mut self, now: Instant) -> Option<Work> {
        while !self.blocked && self.state.is_open() {
            if let Some(job) = &mut self.job {
                if let Some(opening) = job.restart.take() {
                    return Some(Work::Restart(opening));
                }
                if let Some(stanza) = job.payload.next() {
                    return Some(Work::Stanza(stanza));
                }
                self.finish(now);
            } else if !self.enter(now) {
                return None;
            }
        }
        None
    }

    /// Everything in the current request has been processed; what it says about the session comes last.
    fn finish(&mut self, now: Instant) {
        let Some(job) = self.job.take() else { return };
        if job.terminate {
            self.terminate(now);
        } else if let Some(pause) = job.pause.as_deref().and_then(decimal).filter(|pause| *pause > 0) {
            self.answer_all_empty(now);
            self.pause = Some(Duration::from_secs(pause));
        }
    }

    /// Lets the next request of the sequence have its turn, when it is there.
    fn enter(&mut self, now: Instant) -> bool {
        let Some(at) = self.slots.iter().position(|slot| !slot.entered) else { return false };
        if self.slots[at].rid != self.entered + 1 {
            return false;
        }
        let job = self.slots[at].job.take();
        if let Err(condition) = self.examine(at, job.as_deref()) {
            let offender = self.slots[at].token;
            self.abort(now, offender, condition);
            return false;
        }
        self.entered += 1;
        self.slots[at].entered = true;
        if job.as_deref().is_none_or(|job| !job.terminate && job.pause.is_none()) {
            self.make_room(now);
        }
        self.job = job;
        true
    }

    /// A newer request than agreed on is held: older ones are answered, so that what the newer one asks
    /// for comes back in its own answer.
    fn make_room(&mut self, now: Instant) {
        let hold = usize::from(self.terms.hold).max(1);
        while self.slots.iter().filter(|slot| slot.entered).count() > hold {
            self.answer_front_empty(now);
        }
    }

    /// The checks that depend on the order of requests.
    fn examine(&mut self, at: usize, job: Option<&Job>) -> Result<(), Condition> {
        if let Some(keys) = &mut self.keys {
            let key = job.and_then(|job| job.key.as_deref());
            if !keys.advance(key, job.and_then(|job| job.newkey.as_deref())) {
                return Err(Condition::ItemNotFound);
            }
        }
        if let Some(pause) = job.and_then(|job| job.pause.as_deref()) {
            let most = self.settings.max_pause.ok_or(Condition::BadRequest)?.as_secs();
            if decimal(pause).is_none_or(|pause| pause > most) {
                return Err(Condition::PolicyViolation);
            }
        }
        if self.slots[at].empty && !self.settings.ignore_overactivity && self.is_overactive(at) {
            return Err(Condition::PolicyViolation);
        }
        Ok(())
    }

    /// XEP-0124 §12: an empty request that does nothing but push a held one out.
    fn is_overactive(&self, at: usize) -> bool {
        let slot = &self.slots[at];
        if self.terms.is_polling() {
            let since = self.last_poll.map(|last| slot.arrived.saturating_duration_since(last));
            return since.is_some_and(|since| since < self.settings.polling);
        }
        let held = self.slots.iter().take(at).filter(|slot| slot.token.is_some()).count();
        let previous = at.checked_sub(1).map(|at| self.slots[at].arrived);
        held + 1 >= usize::from(self.terms.requests)
            && previous.is_some_and(|previous| {
                slot.arrived.saturating_duration_since(previous) < self.settings.polling
            })
    }

    fn inactivity(&self) -> Duration {
        match self.pause {
            Some(pause) => pause,
            None if self.terms.is_polling() => self.settings.inactivity_polling,
            None => self.settings.inactivity,
        }
    }

    pub(super) fn wait(&self) -> Duration {
        Duration::from_secs(u64::from(self.terms.wait))
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do next.
    pub fn deadline(&self) -> Option<Instant> {
        if self.is_over() {
            return None;
        }
        let idle = self.idle_since.map(|since| since + self.inactivity());
        if !self.state.is_open() {
            return idle;
        }
        let waited = self.slots.front().and_then(|slot| self.patience(slot));
        [waited, idle, self.gap_deadline()].into_iter().flatten().min()
    }

    /// Until when an answer may be held back. Polling sessions are settled at once instead.
    fn patience(&self, slot: &Slot) -> Option<Instant> {
        (slot.entered && !self.terms.is_polling()).then(|| slot.arrived + self.wait())
    }

    fn gap_deadline(&self) -> Option<Instant> {
        Some(self.window.gap_since()? + self.wait() + self.settings.gap_grace)
    }

    /// Lets time pass: answers requests that were held long enough, gives up on a missing request, ends
    /// an abandoned session without telling anybody.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.idle_since.is_some_and(|since| now >= since + self.inactivity()) {
            self.state = State::Over;
            self.slots.clear();
        }
        if !self.state.is_open() {
            return;
        }
        if self.gap_deadline().is_some_and(|deadline| now >= deadline) {
            self.fault = Some(Condition::RemoteConnectionFailed);
            self.end_all(now, Condition::RemoteConnectionFailed);
            return;
        }
        while self.slots.front().and_then(|slot| self.patience(slot)).is_some_and(|until| now >= until) {
            self.answer_front_empty(now);
        }
    }
}
