//! What a session has to do, written down once more in the plainest way: lists that are searched, no state
//! that could be derived. Every answer of the real session is compared with the one predicted here.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bosh::core::{Condition, Settings, Terms};

/// A request as its client made it.
#[derive(Debug)]
pub struct Body {
    pub rid: u64,
    pub text: String,
    pub ups: Vec<u64>,
    /// It carries the key that is due, if the session has keys.
    pub key_is_right: bool,
    pub ack: Option<u64>,
    pub pause: Option<u64>,
    pub terminate: bool,
}

impl Body {
    fn is_extra(&self) -> bool {
        self.pause.is_some() || self.terminate
    }

    fn is_empty(&self) -> bool {
        self.ups.is_empty() && !self.is_extra()
    }
}

/// What one answer has to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// Payload (perhaps none) and the request id whose loss is reported.
    Answer { downs: Vec<u64>, report: Option<u64> },
    /// The same bytes as the first answer to this request.
    Again(u64),
    /// `type="error"`: send it again.
    Recoverable,
    /// The end.
    End(Option<Condition>),
}

struct Slot {
    body: Rc<Body>,
    token: Option<u64>,
    arrived: Instant,
    repeats: u32,
    entered: bool,
}

struct Kept {
    body: Rc<Body>,
    at: Instant,
    repeats: u32,
    /// The answer when it had no connection to go to: what a repetition then gets.
    unsent: Option<Expected>,
}

/// How it stands with the session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    Open,
    /// Ended, and nobody was there to be told.
    Parting(Option<Condition>),
    Over,
}

pub struct Model {
    settings: Settings,
    terms: Terms,
    acks: bool,
    pub state: State,
    /// The highest id below which nothing is missing.
    last: u64,
    /// Ids that have come beyond it.
    ahead: BTreeSet<u64>,
    gap_since: Option<Instant>,
    slots: Vec<Slot>,
    kept: VecDeque<Kept>,
    answered: u64,
    entered: u64,
    report: Option<u64>,
    credit: u32,
    refilled: Instant,
    idle_since: Option<Instant>,
    pause: Option<Duration>,
    last_poll: Option<Instant>,
    /// It ended because nothing was heard from the client.
    pub was_silent: bool,
    /// Payload for the client.
    pub down: VecDeque<u64>,
    /// Payload of the client, in the order in which it has to be processed.
    pub up: Vec<u64>,
    /// Answers that are due, in order.
    pub due: Vec<(u64, Expected)>,
}

impl Model {
    /// The session after its creation request `rid` was answered.
    pub fn new(settings: Settings, terms: Terms, acks: bool, creation: Rc<Body>, now: Instant) -> Self {
        let rid = creation.rid;
        Self {
            settings,
            terms,
            acks,
            state: State::Open,
            last: rid,
            ahead: BTreeSet::new(),
            gap_since: None,
            slots: Vec::new(),
            kept: VecDeque::from([Kept { body: creation, at: now, repeats: 0, unsent: None }]),
            answered: rid,
            entered: rid,
            report: None,
            credit: 30,
            refilled: now,
            idle_since: Some(now),
            pause: None,
            last_poll: None,
            was_silent: false,
            down: VecDeque::new(),
            up: Vec::new(),
            due: Vec::new(),
        }
    }

    fn wait(&self) -> Duration {
        Duration::from_secs(u64::from(self.terms.wait))
    }

    fn inactivity(&self) -> Duration {
        self.pause.unwrap_or(if self.terms.is_polling() {
            self.settings.inactivity_polling
        } else {
            self.settings.inactivity
        })
    }

    /// Requests in the hands of the server whose connection is there.
    pub fn held(&self) -> usize {
        self.slots.iter().filter(|slot| slot.token.is_some()).count()
    }

    pub fn request(&mut self, now: Instant, body: &Rc<Body>, token: u64) {
        if let Err(condition) = self.accept(now, body, token) {
            self.abort(Some(token), condition);
        }
        self.run(now);
    }

    fn accept(&mut self, now: Instant, body: &Rc<Body>, token: u64) -> Result<(), Condition> {
        if self.state == State::Over {
            return Err(Condition::ItemNotFound);
        }
        if body.rid <= self.last || self.ahead.contains(&body.rid) {
            return self.repeated(now, body, token);
        }
        let requests = usize::from(self.terms.requests);
        let width = requests as u64 + u64::from(body.is_extra());
        if body.rid > self.last + width {
            return Err(Condition::ItemNotFound);
        }
        if let State::Parting(condition) = self.state {
            self.state = State::Over;
            self.due.push((token, Expected::End(condition)));
            return Ok(());
        }
        let extra = body.is_extra() || self.slots.iter().any(|slot| slot.body.is_extra());
        if self.slots.len() >= requests + usize::from(extra) {
            return Err(Condition::PolicyViolation);
        }
        self.acknowledged(now, body.ack)?;
        let before = self.last;
        self.ahead.insert(body.rid);
        while self.ahead.remove(&(self.last + 1)) {
            self.last += 1;
        }
        self.gap_since = match self.gap_since {
            _ if self.ahead.is_empty() => None,
            Some(since) if self.last == before => Some(since),
            _ => Some(now),
        };
        self.credit = (self.credit + 1).min(30);
        self.pause = None;
        self.idle_since = None;
        let slot = Slot { body: body.clone(), token: Some(token), arrived: now, repeats: 0, entered: false };
        self.slots.push(slot);
        self.slots.sort_by_key(|slot| slot.body.rid);
        Ok(())
    }

    /// XEP-0124 §9.
    fn acknowledged(&mut self, now: Instant, ack: Option<u64>) -> Result<(), Condition> {
        if !self.acks {
            return Ok(());
        }
        self.report = None;
        let Some(ack) = ack else { return Ok(()) };
        if ack > self.answered {
            return Err(Condition::BadRequest);
        }
        self.kept.retain(|kept| kept.body.rid > ack);
        let lost = self.kept.iter().find(|kept| kept.body.rid == ack + 1);
        self.report = lost.filter(|lost| now - lost.at > Duration::from_secs(2)).map(|lost| lost.body.rid);
        Ok(())
    }

    /// XEP-0124 §14.3.
    fn repeated(&mut self, now: Instant, body: &Rc<Body>, token: u64) -> Result<(), Condition> {
        let seconds = (now - self.refilled).as_secs();
        if seconds > 0 {
            self.credit = (self.credit + u32::try_from(seconds).unwrap_or(30)).min(30);
            self.refilled = now;
        }
        self.credit = self.credit.checked_sub(1).ok_or(Condition::PolicyViolation)?;
        let most = u32::from(self.settings.max_repeats);
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.body.rid == body.rid) {
            if slot.body.text != body.text {
                return Err(Condition::BadRequest);
            }
            slot.repeats += 1;
            if slot.repeats > most {
                return Err(Condition::PolicyViolation);
            }
            if let Some(old) = slot.token.replace(token) {
                self.due.push((old, Expected::Recoverable));
            }
            self.idle_since = None;
            return Ok(());
        }
        let kept = self.kept.iter_mut().find(|kept| kept.body.rid == body.rid);
        let kept = kept.ok_or(Condition::ItemNotFound)?;
        if kept.body.text != body.text {
            return Err(Condition::BadRequest);
        }
        kept.repeats += 1;
        if kept.repeats > most {
            return Err(Condition::PolicyViolation);
        }
        let expected = kept.unsent.take().unwrap_or(Expected::Again(body.rid));
        self.due.push((token, expected));
        self.rest(now);
        Ok(())
    }

    pub fn detach(&mut self, now: Instant, token: u64) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.token == Some(token)) {
            slot.token = None;
            self.rest(now);
        }
    }

    fn rest(&mut self, now: Instant) {
        if self.held() == 0 {
            self.idle_since = Some(now);
        }
    }

    /// Lets time pass, then does what is due.
    pub fn run(&mut self, now: Instant) {
        self.time(now);
        while self.state == State::Open && self.enter(now) {}
        if self.state != State::Open {
            return;
        }
        if !self.down.is_empty() && self.slots.iter().any(|slot| slot.entered && slot.token.is_some()) {
            while self.slots[0].token.is_none() {
                self.answer(now, Vec::new());
            }
            let downs = self.down.drain(..).collect();
            self.last_poll = None;
            self.answer(now, downs);
        }
        let hold = if self.terms.is_polling() { 0 } else { usize::from(self.terms.hold) };
        self.keep_at_most(now, hold);
        if self.report.is_some() && self.slots.first().is_some_and(|slot| slot.entered) {
            self.answer(now, Vec::new());
        }
    }

    fn time(&mut self, now: Instant) {
        if self.idle_since.is_some_and(|since| now >= since + self.inactivity()) {
            self.was_silent |= self.state == State::Open;
            self.state = State::Over;
            self.slots.clear();
        }
        if self.state != State::Open {
            return;
        }
        let patience = self.wait() + self.settings.gap_grace;
        if self.gap_since.is_some_and(|since| now >= since + patience) {
            return self.end_all(now, Condition::RemoteConnectionFailed);
        }
        while !self.terms.is_polling()
            && self.slots.first().is_some_and(|slot| slot.entered && now >= slot.arrived + self.wait())
        {
            self.answer(now, Vec::new());
        }
    }

    /// The next request of the sequence has its turn.
    fn enter(&mut self, now: Instant) -> bool {
        let Some(at) = self.slots.iter().position(|slot| slot.body.rid == self.entered + 1) else {
            return false;
        };
        let body = self.slots[at].body.clone();
        if let Err(condition) = self.examine(at) {
            let offender = self.slots[at].token;
            self.abort(offender, condition);
            return false;
        }
        self.entered += 1;
        self.slots[at].entered = true;
        if !body.is_extra() {
            self.keep_at_most(now, usize::from(self.terms.hold).max(1));
        }
        self.up.extend(&body.ups);
        if body.terminate {
            let mut first = true;
            self.state = State::Over;
            for token in std::mem::take(&mut self.slots).into_iter().filter_map(|slot| slot.token) {
                let empty = Expected::Answer { downs: Vec::new(), report: None };
                let expected = if first { Expected::End(None) } else { empty };
                first = false;
                self.due.push((token, expected));
            }
        } else if let Some(pause) = body.pause.filter(|pause| *pause > 0) {
            while self.slots.first().is_some_and(|slot| slot.entered) {
                self.answer(now, Vec::new());
            }
            self.pause = Some(Duration::from_secs(pause));
        }
        true
    }

    fn examine(&self, at: usize) -> Result<(), Condition> {
        let slot = &self.slots[at];
        if !slot.body.key_is_right {
            return Err(Condition::ItemNotFound);
        }
        if let Some(pause) = slot.body.pause {
            let most = self.settings.max_pause.ok_or(Condition::BadRequest)?;
            if Duration::from_secs(pause) > most {
                return Err(Condition::PolicyViolation);
            }
        }
        let since = if self.terms.is_polling() {
            self.last_poll
        } else {
            // Only a request that fills the last place is too early.
            let held = self.slots[..at].iter().filter(|slot| slot.token.is_some()).count();
            let fills = at > 0 && held + 1 >= usize::from(self.terms.requests);
            fills.then(|| self.slots[at - 1].arrived)
        };
        let early =
            since.is_some_and(|since| slot.arrived.saturating_duration_since(since) < self.settings.polling);
        if slot.body.is_empty() && early { Err(Condition::PolicyViolation) } else { Ok(()) }
    }

    fn keep_at_most(&mut self, now: Instant, most: usize) {
        while self.slots.iter().filter(|slot| slot.entered).count() > most {
            self.answer(now, Vec::new());
        }
    }

    /// The oldest request is answered.
    fn answer(&mut self, now: Instant, downs: Vec<u64>) {
        let slot = self.slots.remove(0);
        if downs.is_empty() {
            self.last_poll = slot.body.is_empty().then_some(slot.arrived);
        }
        self.answered = slot.body.rid;
        let report = self.report.take().filter(|rid| self.kept.iter().any(|kept| kept.body.rid == *rid));
        let expected = Expected::Answer { downs, report };
        let unsent = slot.token.is_none().then(|| expected.clone());
        while self.kept.len() >= usize::from(self.terms.requests) {
            self.kept.pop_front();
        }
        self.kept.push_back(Kept { body: slot.body, at: now, repeats: slot.repeats, unsent });
        if let Some(token) = slot.token {
            self.due.push((token, expected));
            self.rest(now);
        }
    }

    fn abort(&mut self, offender: Option<u64>, condition: Condition) {
        self.state = State::Over;
        let held = std::mem::take(&mut self.slots).into_iter().filter_map(|slot| slot.token);
        let others = held.filter(|token| Some(*token) != offender);
        self.due.extend(others.map(|token| (token, Expected::End(Some(Condition::OtherRequest)))));
        self.due.extend(offender.map(|token| (token, Expected::End(Some(condition)))));
    }

    fn end_all(&mut self, now: Instant, condition: Condition) {
        let held: Vec<u64> = std::mem::take(&mut self.slots).iter().filter_map(|slot| slot.token).collect();
        if held.is_empty() {
            self.state = State::Parting(Some(condition));
            self.idle_since.get_or_insert(now);
        } else {
            self.state = State::Over;
            self.due.extend(held.iter().map(|token| (*token, Expected::End(Some(condition)))));
        }
    }
}
