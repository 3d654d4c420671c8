//! The two CTI servers in front of one centre: sessions, who hears what, delays, and misbehaviour. Still without
//! sockets and clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::config::Config;
use super::core::world::World;
use super::rules::{Reaction, Rule, Rules};
use super::scenario::{Play, Progress};
use super::session::{Session, SessionId};
use super::wire::{Audience, Scribe, answer, confirm, failure};
use super::{Mischief, Side};
use crate::enums::{cti_service as service, status_code, system_event_id};
use crate::{Dialect, Frame, Message, kind};

/// Requests that may wait for the configured response delay, all sessions together.
const MAX_DELAYED: usize = 10_000;

/// How one of the two servers behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SideMode {
    /// Connections are closed as soon as they come.
    pub(crate) refuses: bool,
    /// Sessions are refused with the status of a standby server.
    pub(crate) standby: bool,
    /// Accepts and reads, but never says anything.
    pub(crate) silent: bool,
    /// Everything but heartbeats is answered.
    pub(crate) heartless: bool,
    /// Its port is closed.
    pub(crate) stopped: bool,
    /// Connections stay open; nothing is read and nothing written.
    pub(crate) frozen: bool,
}

/// The simulator without its sockets.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) world: World,
    pub(crate) sides: [SideMode; 2],
    pub(crate) mischief: Mischief,
    pub(crate) rules: Rules,
    /// The scenario that is played.
    play: Option<Play>,
    /// The time of the last change.
    now: Instant,
    scribe: Scribe,
    sessions: BTreeMap<SessionId, Session>,
    /// Requests that wait for their time, earliest first.
    delayed: BTreeMap<(Instant, u64), (SessionId, Message, Option<Rule>)>,
    next_delayed: u64,
    next_session: u64,
}

impl Exchange {
    /// `unix` is the time in seconds since 1970 at `now`.
    pub(crate) fn new(config: Config, now: Instant, unix: u32) -> Self {
        let peripheral = if config.dialect == Dialect::Ccx { 1 } else { config.peripheral };
        let scribe = Scribe { dialect: config.dialect, peripheral, epoch: (now, unix) };
        Self {
            rules: Rules::new(&config.rules),
            play: (!config.steps.is_empty()).then(|| Play::new(config.steps.clone(), now)),
            now,
            world: World::new(config, now),
            sides: [SideMode::default(); 2],
            mischief: Mischief::default(),
            scribe,
            sessions: BTreeMap::new(),
            delayed: BTreeMap::new(),
            next_delayed: 0,
            next_session: 0,
        }
    }

    /// A connection came; `None`: close it.
    pub(crate) fn accept(&mut self, now: Instant, side: Side) -> Option<SessionId> {
        let mode = self.sides[side.index()];
        if mode.refuses || mode.stopped {
            return None;
        }
        self.next_session += 1;
        let id = SessionId(self.next_session);
        let mut session = Session::new(side, &self.world.config, now);
        session.mischief = self.mischief;
        self.sessions.insert(id, session);
        Some(id)
    }

    /// A connection is gone.
    pub(crate) fn lost(&mut self, id: SessionId) {
        self.sessions.remove(&id);
    }

    /// Bytes came. Answers and events are in the outboxes afterwards.
    pub(crate) fn receive(&mut self, now: Instant, id: SessionId, bytes: &[u8]) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.inbox.extend_from_slice(bytes);
        session.heard(now);
        if !self.sides[session.side.index()].frozen {
            self.read(now, id);
        }
    }

    /// Takes every whole message out of what has come.
    fn read(&mut self, now: Instant, id: SessionId) {
        while let Some(session) = self.sessions.get_mut(&id).filter(|s| !s.closing && !s.dropped) {
            match session.codec.decode(&mut session.inbox) {
                Ok(Some(frame)) => self.frame(now, id, frame),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "client's byte stream cannot be followed");
                    self.give_up(id, status_code::INVALID_MESSAGE_LENGTH);
                }
            }
        }
    }

    fn frame(&mut self, now: Instant, id: SessionId, frame: Frame) {
        match frame {
            Ok(message) => self.handle_request(now, id, message),
            Err(bad) => {
                // Before OPEN_REQ the version is unknown, so that a good message may look bad.
                let open = self.sessions.get(&id).is_some_and(|s| s.open) || bad.kind == kind::OPEN_REQ;
                let status =
                    if open { status_code::BAD_MESSAGE_FORMAT } else { status_code::SESSION_NOT_OPEN };
                let refusal = failure(bad.invoke_id.unwrap_or(0), status);
                self.say(id, &refusal);
            }
        }
    }

    /// One message of a client.
    pub(crate) fn handle_request(&mut self, now: Instant, id: SessionId, message: Message) {
        let Some(session) = self.sessions.get(&id) else { return };
        let rule = self.rules.apply(&self.world, &message);
        let about_session = matches!(message.kind, kind::OPEN_REQ | kind::CLOSE_REQ | kind::HEARTBEAT_REQ);
        let slow = session.open && !about_session;
        let usual = if slow { self.world.config.behaviour.response_delay } else { Duration::ZERO };
        let delay = rule.as_ref().map_or(usual, |rule| rule.delay.max(usual));
        if delay.is_zero() {
            self.react(now, id, &message, rule);
        } else if self.delayed.len() < MAX_DELAYED {
            self.next_delayed += 1;
            self.delayed.insert((now + delay, self.next_delayed), (id, message, rule));
        } else {
            self.say(id, &failure(message.invoke_id().unwrap_or(0), status_code::TIMEOUT));
        }
    }

    /// Does with a message what a rule says, or what is done always.
    fn react(&mut self, now: Instant, id: SessionId, message: &Message, rule: Option<Rule>) {
        match rule.as_ref().map(|rule| rule.then) {
            Some(Reaction::Refuse) => {
                if let Some(rule) = rule {
                    self.say(id, &rule.refusal(message));
                }
            }
            Some(Reaction::Ignore) => {}
            Some(Reaction::Close) => self.close(id),
            Some(Reaction::Obey) | None => self.obey(now, id, message),
        }
    }

    fn obey(&mut self, now: Instant, id: SessionId, message: &Message) {
        let Some(session) = self.sessions.get(&id) else { return };
        let mode = self.sides[session.side.index()];
        let invoke = message.invoke_id().unwrap_or(0);
        match message.kind {
            kind::HEARTBEAT_REQ if mode.heartless => {}
            kind::HEARTBEAT_REQ => self.say(id, &confirm(kind::HEARTBEAT_CONF, invoke)),
            kind::CLOSE_REQ => {
                self.say(id, &confirm(kind::CLOSE_CONF, invoke));
                self.close(id);
            }
            kind::OPEN_REQ => self.open(now, id, message),
            _ if !session.open => self.say(id, &failure(invoke, status_code::SESSION_NOT_OPEN)),
            _ => self.carry_out(now, id, message),
        }
    }

    fn open(&mut self, now: Instant, id: SessionId, message: &Message) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let standby = self.sides[session.side.index()].standby;
        let outcome = session.open(&self.scribe, &self.world, now, message);
        match outcome {
            Ok(_) if standby => {
                let status = match self.scribe.dialect {
                    Dialect::Cce => status_code::CTI_SERVER_OFFLINE,
                    Dialect::Ccx => status_code::SERVER_NOT_MASTER,
                };
                self.say(id, &failure(message.invoke_id().unwrap_or(0), status));
                self.close(id);
            }
            Ok(confirmation) => {
                self.say(id, &confirmation);
                let event = match self.world.online {
                    true => system_event_id::PERIPHERAL_ONLINE,
                    false => system_event_id::PERIPHERAL_OFFLINE,
                };
                let health = self.scribe.system_event(&self.world, now, event);
                self.say(id, &health);
                if self.world.config.behaviour.rebuild_calls {
                    self.rebuild(id, now);
                }
            }
            Err(refusal) => {
                let again = self.sessions.get(&id).is_some_and(|s| s.open);
                self.say(id, &refusal);
                if !again {
                    self.close(id);
                }
            }
        }
    }

    /// Tells a new session of the calls that exist, as a side does that has just taken over.
    fn rebuild(&mut self, id: SessionId, now: Instant) {
        let mut messages = Vec::new();
        for event in self.world.existing_calls() {
            self.scribe.render(&self.world, now, &event, &mut messages);
        }
        for (audience, message) in messages {
            if self.sessions.get(&id).is_some_and(|s| hears(s, audience)) {
                self.say(id, &message);
            }
        }
    }

    fn carry_out(&mut self, now: Instant, id: SessionId, message: &Message) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let answers = answer(&self.scribe, &mut self.world, session, now, message);
        let late = self.world.config.behaviour.events_first;
        if late {
            self.spread(now);
        }
        for answer in &answers {
            self.say(id, answer);
        }
        if !late {
            self.spread(now);
        }
        self.settle(now);
    }

    /// Matches calls with agents and tells of everything that has happened.
    pub(crate) fn settle(&mut self, now: Instant) {
        self.world.dispatch(now);
        self.spread(now);
        self.perform(now);
    }

    /// Takes the steps of the scenario whose time has come.
    fn perform(&mut self, now: Instant) {
        self.now = now;
        let Some(mut play) = self.play.take() else { return };
        while play.go_on(self, now) {
            self.world.dispatch(now);
            self.spread(now);
        }
        self.play = Some(play);
    }

    /// How far the scenario is, if one is played.
    pub(crate) fn progress(&self) -> Option<Progress> {
        self.play.as_ref().map(Play::progress)
    }

    fn spread(&mut self, now: Instant) {
        let mut messages = Vec::new();
        for event in self.world.take_events(now) {
            self.scribe.render(&self.world, now, &event, &mut messages);
        }
        for (audience, message) in &messages {
            for session in self.sessions.values_mut().filter(|s| hears(s, *audience)) {
                if !self.sides[session.side.index()].silent {
                    session.say(message);
                }
            }
        }
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(due) = self.delayed.first_entry().filter(|e| e.key().0 <= now) {
            let (id, message, rule) = due.remove();
            self.react(now, id, &message, rule);
        }
        self.world.handle_timeout(now);
        self.spread(now);
        self.perform(now);
        let idle: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, s)| self.speaks(s) && s.idle_deadline().is_some_and(|d| d <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in idle {
            self.give_up(id, status_code::TIMEOUT);
        }
    }

    /// When [`Exchange::handle_timeout`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let loud = self.sessions.values().filter(|s| self.speaks(s));
        let idle = loud.filter_map(Session::idle_deadline).min();
        let delayed = self.delayed.keys().next().map(|(when, _)| *when);
        let step = self.play.as_ref().and_then(|play| play.deadline(self.now));
        [self.world.deadline(), idle, delayed, step].into_iter().flatten().min()
    }

    fn say(&mut self, id: SessionId, message: &Message) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if !self.sides[session.side.index()].silent {
            session.say(message);
        }
    }

    fn close(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.closing = true;
            session.open = false;
        }
    }

    /// Ends a session with FAILURE_EVENT.
    fn give_up(&mut self, id: SessionId, status: u32) {
        let event = Message::new(kind::FAILURE_EVENT).with(crate::field::STATUS, status);
        self.say(id, &event);
        self.close(id);
    }

    /// Ends every session of both sides in good order.
    pub(crate) fn shut_down(&mut self) {
        for id in self.session_ids(None) {
            self.give_up(id, status_code::CTI_SERVER_OFFLINE);
        }
    }

    /// Cuts every connection of a side, now and without a word.
    pub(crate) fn drop_link(&mut self, side: Side) {
        for session in self.sessions.values_mut().filter(|s| s.side == side) {
            session.dropped = true;
            session.outbox.clear();
        }
    }

    /// Whether a session's side is alive enough to notice that its client is silent.
    fn speaks(&self, session: &Session) -> bool {
        let mode = self.sides[session.side.index()];
        !mode.silent && !mode.frozen
    }

    /// Stops a side, cutting its connections, or starts it again.
    pub(crate) fn stop(&mut self, side: Side, on: bool) {
        self.sides[side.index()].stopped = on;
        if on {
            self.drop_link(side);
        }
    }

    /// Freezes a side or lets it go on, with all that has come meanwhile.
    pub(crate) fn freeze(&mut self, now: Instant, side: Side, on: bool) {
        self.sides[side.index()].frozen = on;
        for id in if on { Vec::new() } else { self.session_ids(Some(side)) } {
            self.read(now, id);
        }
    }

    /// Whether nothing is read from a connection or written to it now.
    pub(crate) fn is_frozen(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|s| self.sides[s.side.index()].frozen && !s.dropped)
    }

    /// Sets how all sessions, present and future, misbehave.
    pub(crate) fn set_mischief(&mut self, mischief: Mischief) {
        self.mischief = mischief;
        for session in self.sessions.values_mut() {
            session.mischief = mischief;
        }
    }

    pub(crate) fn session_ids(&self, side: Option<Side>) -> Vec<SessionId> {
        self.sessions
            .iter()
            .filter(|(_, s)| side.is_none_or(|side| s.side == side))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Open sessions on both sides.
    pub(crate) fn open_sessions(&self) -> [usize; 2] {
        [Side::A, Side::B].map(|side| self.sessions.values().filter(|s| s.open && s.side == side).count())
    }

    /// Sessions with something to write, or to be closed.
    pub(crate) fn pending(&self) -> impl Iterator<Item = SessionId> {
        let alive = |s: &Session| !self.sides[s.side.index()].frozen && (!s.outbox.is_empty() || s.closing);
        let due = move |s: &Session| s.dropped || alive(s);
        self.sessions.iter().filter(move |(_, s)| due(s)).map(|(id, _)| *id)
    }

    /// Takes what a session has to write, the largest piece to write at once (0: any), and what follows.
    pub(crate) fn take_output(&mut self, id: SessionId) -> (BytesMut, usize, Next) {
        let frozen = self.is_frozen(id);
        let Some(session) = self.sessions.get_mut(&id) else { return (BytesMut::new(), 0, Next::Reset) };
        if frozen {
            return (BytesMut::new(), 0, Next::GoOn);
        }
        let next = match (session.dropped, session.closing) {
            (true, _) => Next::Reset,
            (false, true) => Next::Close,
            (false, false) => Next::GoOn,
        };
        (session.outbox.split(), session.mischief.split, next)
    }
}

/// What follows a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing.
    GoOn,
    /// The connection is closed in good order.
    Close,
    /// The connection is reset.
    Reset,
}

fn hears(session: &Session, audience: Audience) -> bool {
    let wanted = match audience {
        Audience::All => true,
        Audience::Call(bit) => session.call_mask & bit != 0,
        Audience::Agent(bit) => session.agent_mask & bit != 0,
        Audience::Config(bit) => {
            session.services & service::CONFIG_EVENTS != 0 && session.config_mask & bit != 0
        }
        Audience::Team(team) => session.team_updates || session.watches(team),
    };
    session.open && wanted && session.services & service::ALL_EVENTS != 0
}
