//! The client side of one CTI session, without I/O.
//!
//! Owns the state of one connection from OPEN_REQ to its end: heartbeats, requests and their answers, the health that
//! the server reports, CLOSE. It never opens a socket, never reads a clock and never decides where to connect next:
//! see [`crate::failover`], and [`crate::link`] for the shell. Feed it with [`Client::handle_input`] and
//! [`Client::handle_timeout`], then take [`Client::output`] and [`Client::poll_event`] until both are empty.
//!
//! ```
//! use bytes::BytesMut;
//! use cti::client::{Client, Config, Event};
//! use cti::{Dialect, Message, enums::cti_service, field, kind};
//! use std::time::Instant;
//!
//! let config = Config::new(Dialect::Cce, 20);
//! let codec = config.codec();
//! let mut client = Client::new(config, Instant::now())?;
//! let open = codec.decode(client.output())?.expect("a whole frame")?;
//! assert_eq!(open.kind, kind::OPEN_REQ);
//!
//! let answer = Message::new(kind::OPEN_CONF)
//!     .with(field::INVOKE_ID, open.invoke_id().unwrap())
//!     .with(field::SERVICES_GRANTED, cti_service::ALL_EVENTS | cti_service::CLIENT_CONTROL);
//! let mut wire = BytesMut::new();
//! codec.encode(&answer, &mut wire)?;
//! client.handle_input(Instant::now(), &mut wire);
//! assert!(matches!(client.poll_event(), Some(Event::Up { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::VecDeque;
use std::time::Instant;

use bytes::BytesMut;

use crate::codec::{BadMessage, Codec, EncodeError, FrameError};
use crate::enums::{cti_service, session_type, status_code, system_event_id};
use crate::field;
use crate::kind::{self, Kind};
use crate::message::Message;
use crate::tables::Dialect;
use crate::tag;

mod config;
mod health;
mod heartbeat;
mod requests;

pub use config::{Config, Password};
pub use health::Health;

use heartbeat::{Beat, Heartbeat};
use requests::{NotTaken, Requests};

/// The machine's own requests use InvokeIDs from here on; callers stay below.
pub const FIRST_INTERNAL_ID: u32 = 0x8000_0000;

/// Why a session ended or never came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// The TCP connection could not be made.
    #[error("cannot connect: {0}")]
    Connect(std::io::ErrorKind),
    /// The TCP connection broke.
    #[error("connection lost: {0}")]
    Socket(std::io::ErrorKind),
    /// The server closed the TCP connection.
    #[error("connection closed by the server")]
    Eof,
    /// No OPEN_CONF in time.
    #[error("no answer to OPEN_REQ")]
    OpenTimeout,
    /// FAILURE_CONF to OPEN_REQ.
    #[error("OPEN_REQ refused with status {0}")]
    OpenRefused(u32),
    /// OPEN_CONF lacks services that are needed; these were granted.
    #[error("needed services not granted, only {0:#x}")]
    Services(u32),
    /// This side is the standby of an active/standby pair.
    #[error("this side is on standby")]
    Standby,
    /// Too many heartbeats in a row without answer.
    #[error("heartbeats not answered")]
    Heartbeats,
    /// FAILURE_CONF to a heartbeat: the server goes off line.
    #[error("heartbeat refused with status {0}")]
    HeartbeatRefused(u32),
    /// FAILURE_EVENT that ends the session.
    #[error("session ended by the server with status {0}")]
    ServerFailure(u32),
    /// The server announced that it goes off line, or ended the session with CLOSE_CONF.
    #[error("CTI server off line")]
    ServerOffline,
    /// The byte stream could not be followed.
    #[error("{0}")]
    Stream(FrameError),
    /// The client is moved to the other side for maintenance.
    #[error("moved for maintenance")]
    Maintenance,
    /// Given up in order, because the owner prefers the other side.
    #[error("the other side is preferred")]
    Preferred,
    /// Closed by [`Client::close`].
    #[error("closed")]
    Closed,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// CONTROL_FAILURE_CONF.
    #[error("refused with code {code}, peripheral error {peripheral}")]
    Control {
        /// FailureCode (`ControlFailureCode`).
        code: u32,
        /// PeripheralErrorCode, opaque.
        peripheral: u32,
        /// Explanation, if the server gave one.
        text: Option<String>,
    },
    /// FAILURE_CONF with a Status (`StatusCode`).
    #[error("refused with status {0}")]
    Status(u32),
    /// There is no session, or it ended before the answer.
    #[error("no session")]
    NotConnected,
    /// Too many requests are waiting, or a configuration request while another is outstanding.
    #[error("too many requests outstanding")]
    Busy,
    /// The request cannot be sent as it is.
    #[error("{0}")]
    Unsendable(#[from] EncodeError),
    /// The confirmation could not be read.
    #[error("unreadable confirmation: {0}")]
    Unreadable(BadMessage),
}

/// What the machine reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The session is open.
    Up {
        /// The OPEN_CONF.
        open_conf: Message,
        /// Health as far as OPEN_CONF tells.
        health: Health,
    },
    /// A message that answers no request: events, also SYSTEM_EVENT, and configuration records.
    Message(Message),
    /// The health changed. The SYSTEM_EVENT itself follows as a message.
    Health(Health),
    /// A request was confirmed.
    Confirm {
        /// Its InvokeID.
        invoke_id: u32,
        /// The confirmation; for configuration requests the CONFIG_KEY_EVENT or the last CONFIG_END_EVENT.
        message: Message,
    },
    /// A request was refused.
    Refused {
        /// Its InvokeID.
        invoke_id: u32,
        /// By whom and why.
        refusal: Refusal,
    },
    /// A request was not answered in time; a late answer is dropped.
    TimedOut {
        /// Its InvokeID.
        invoke_id: u32,
    },
    /// A message was skipped since its body does not follow its layout.
    Skipped(BadMessage),
    /// The session is over. Everything outstanding has been refused before; nothing follows.
    Down(Loss),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening {
        invoke_id: u32,
        until: Instant,
    },
    Up,
    /// No new requests; moves to the other side when the old ones are answered, at the latest at the instant.
    Draining {
        until: Instant,
    },
    Closing {
        until: Instant,
    },
    Over,
}

/// One session. See the module's documentation.
#[derive(Debug)]
pub struct Client {
    config: Config,
    codec: Codec,
    phase: Phase,
    output: BytesMut,
    events: VecDeque<Event>,
    heartbeat: Heartbeat,
    requests: Requests,
    health: Health,
    next_internal: u32,
}

impl Client {
    /// A session on a connection just made: OPEN_REQ is waiting in the output. Fails when the configured texts do
    /// not fit their fields.
    pub fn new(config: Config, now: Instant) -> Result<Self, EncodeError> {
        let invoke_id = FIRST_INTERNAL_ID;
        let mut client = Self {
            codec: config.codec(),
            phase: Phase::Opening { invoke_id, until: now + config.open_timeout },
            output: BytesMut::new(),
            events: VecDeque::new(),
            heartbeat: Heartbeat::new(now, config.heartbeat, config.heartbeats_lost, config.heartbeat_grace),
            requests: Requests::new(config.max_requests, config.request_timeout, config.upload_timeout),
            health: Health::default(),
            next_internal: invoke_id + 1,
            config,
        };
        client.codec.encode(&client.config.open_request(invoke_id), &mut client.output)?;
        Ok(client)
    }

    /// Takes whole frames off the front of `input`; a started one stays there.
    pub fn handle_input(&mut self, now: Instant, input: &mut BytesMut) {
        while self.phase != Phase::Over {
            match self.codec.decode(input) {
                Ok(None) => break,
                Ok(Some(Ok(message))) => self.handle_message(now, message),
                Ok(Some(Err(bad))) => self.handle_bad(now, bad),
                Err(error) => self.end(Loss::Stream(error)),
            }
        }
    }

    /// The connection broke or was closed.
    pub fn handle_loss(&mut self, loss: Loss) {
        self.end(loss);
    }

    /// Does what is due; to be called at [`Client::deadline`] or later.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.phase {
            Phase::Opening { until, .. } if until <= now => self.end(Loss::OpenTimeout),
            Phase::Draining { until } if until <= now => self.leave_for_maintenance(),
            Phase::Closing { until } if until <= now => self.end(Loss::Closed),
            _ => {}
        }
        while let Some(invoke_id) = self.requests.expire(now) {
            self.events.push_back(Event::TimedOut { invoke_id });
        }
        if matches!(self.phase, Phase::Up | Phase::Draining { .. }) {
            self.beat(now);
        }
        self.leave_when_drained();
    }

    /// When [`Client::handle_timeout`] is due next; `None` when the session is over.
    pub fn deadline(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Over => return None,
            Phase::Up => self.heartbeat.deadline(),
            Phase::Draining { until } => until.min(self.heartbeat.deadline()),
            Phase::Opening { until, .. } | Phase::Closing { until } => until,
        };
        Some(self.requests.deadline().map_or(phase, |request| request.min(phase)))
    }

    /// Sends a request under `invoke_id`, which must be below [`FIRST_INTERNAL_ID`] and not outstanding. Exactly one
    /// of [`Event::Confirm`], [`Event::Refused`] and [`Event::TimedOut`] answers it (several confirmations, if the
    /// server sends its answer in segments). Configuration requests carry no InvokeID on the wire but are answered
    /// under it all the same. Messages that expect no answer: see [`Client::tell`].
    pub fn request(&mut self, now: Instant, invoke_id: u32, mut message: Message) {
        if self.phase != Phase::Up {
            return self.refuse(invoke_id, Refusal::NotConnected);
        }
        message.set(field::INVOKE_ID, invoke_id);
        match self.requests.take(now, invoke_id, message.kind) {
            Ok(()) => {}
            Err(NotTaken::Full | NotTaken::Busy | NotTaken::Duplicate) => {
                return self.refuse(invoke_id, Refusal::Busy);
            }
        }
        if let Err(error) = self.codec.encode(&message, &mut self.output) {
            self.forget(now, invoke_id, message.kind);
            self.refuse(invoke_id, error.into());
        }
    }

    fn forget(&mut self, now: Instant, invoke_id: u32, message: Kind) {
        match message {
            kind::CONFIG_REQUEST_KEY_EVENT | kind::CONFIG_REQUEST_EVENT => {
                self.requests.upload_refused();
            }
            _ => {
                self.requests.answer(now, invoke_id, false);
            }
        }
    }

    /// Sends a message that expects no answer.
    pub fn tell(&mut self, message: &Message) -> Result<(), Refusal> {
        if self.phase != Phase::Up {
            return Err(Refusal::NotConnected);
        }
        Ok(self.codec.encode(message, &mut self.output)?)
    }

    /// Ends the session in order: CLOSE_REQ, then [`Event::Down`] when CLOSE_CONF came or its time is over.
    pub fn close(&mut self, now: Instant) {
        match self.phase {
            Phase::Up | Phase::Draining { .. } => {
                self.say_close(status_code::NO_ERROR);
                self.refuse_outstanding();
                self.phase = Phase::Closing { until: now + self.config.close_timeout };
            }
            Phase::Opening { .. } => self.end(Loss::Closed),
            Phase::Closing { .. } | Phase::Over => {}
        }
    }

    /// Tells that reading has stopped because the caller cannot take more events, or goes on again. Meanwhile
    /// unanswered heartbeats prove nothing and are not counted.
    pub fn set_stalled(&mut self, stalled: bool) {
        self.heartbeat.set_stalled(stalled);
    }

    /// Bytes for the server; the caller takes off what it has written.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// The next report.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Health as far as the server has told.
    pub fn health(&self) -> Health {
        self.health
    }

    /// Whether requests can be sent.
    pub fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// Whether [`Client::close`] would still do something.
    pub fn closable(&self) -> bool {
        !matches!(self.phase, Phase::Closing { .. } | Phase::Over)
    }

    /// Whether the session has ended.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    fn handle_message(&mut self, now: Instant, message: Message) {
        match (self.phase, message.kind) {
            (Phase::Over, _) => {}
            (Phase::Opening { invoke_id, .. }, _) => self.while_opening(now, invoke_id, message),
            (_, kind::HEARTBEAT_CONF) => self.heartbeat.answered(),
            (_, kind::CLOSE_CONF) => self.closed_by_server(),
            (Phase::Closing { .. }, kind::FAILURE_CONF | kind::FAILURE_EVENT) => self.end(Loss::Closed),
            (Phase::Closing { .. }, _) => {}
            (_, kind::FAILURE_CONF | kind::CONTROL_FAILURE_CONF) => self.failure(now, &message),
            (_, kind::FAILURE_EVENT) => self.failure_event(message),
            (_, kind::SYSTEM_EVENT) => self.system_event(message),
            (_, kind::ACTIVE_MAINTENANCE_REQ) => self.answer_maintenance(&message),
            (_, kind::ACTIVE_MAINTENANCE_EVENT) => self.maintenance(now, message),
            _ if is_confirmation(message.kind) => self.confirmation(now, message),
            _ => self.unsolicited(now, message),
        }
        self.leave_when_drained();
    }

    fn while_opening(&mut self, now: Instant, invoke_id: u32, message: Message) {
        let status = message.raw(field::STATUS).unwrap_or(status_code::UNSPECIFIED_FAILURE);
        match message.kind {
            kind::OPEN_CONF if message.invoke_id() == Some(invoke_id) => self.opened(now, message),
            kind::FAILURE_CONF => self.end(Loss::OpenRefused(status)),
            kind::FAILURE_EVENT => self.end(Loss::ServerFailure(status)),
            _ => {}
        }
    }

    fn opened(&mut self, now: Instant, open_conf: Message) {
        let granted = open_conf.raw(field::SERVICES_GRANTED).unwrap_or(0);
        if granted & self.config.required_services != self.config.required_services {
            return self.end(Loss::Services(granted));
        }
        let pair = self.config.services & cti_service::ACTIVE_STANDBY != 0;
        if pair && open_conf.raw(field::SESSION_TYPE) == Some(session_type::STANDBY) {
            return self.end(Loss::Standby);
        }
        self.phase = Phase::Up;
        self.heartbeat = Heartbeat::new(
            now,
            self.config.heartbeat,
            self.config.heartbeats_lost,
            self.config.heartbeat_grace,
        );
        self.health = Health::at_open(self.config.dialect, &open_conf);
        self.events.push_back(Event::Up { open_conf, health: self.health });
    }

    fn confirmation(&mut self, now: Instant, message: Message) {
        let Some(invoke_id) = message.invoke_id() else { return };
        let more = message.raw(field::MORE).is_some_and(|more| more != 0);
        if self.requests.answer(now, invoke_id, more) {
            self.events.push_back(Event::Confirm { invoke_id, message });
        }
    }

    fn failure(&mut self, now: Instant, message: &Message) {
        let Some(invoke_id) = message.invoke_id() else { return };
        let status = message.raw(field::STATUS).unwrap_or(status_code::UNSPECIFIED_FAILURE);
        let refusal = match message.kind {
            kind::CONTROL_FAILURE_CONF => Refusal::Control {
                code: message.raw(field::FAILURE_CODE).unwrap_or(0),
                peripheral: message.raw(field::PERIPHERAL_ERROR_CODE).unwrap_or(0),
                text: message.tag_text(tag::TEXT).map(str::to_owned),
            },
            _ => Refusal::Status(status),
        };
        if self.requests.answer(now, invoke_id, false) {
            self.refuse(invoke_id, refusal);
        } else if invoke_id >= FIRST_INTERNAL_ID {
            self.end(Loss::HeartbeatRefused(status));
        } else if invoke_id == 0
            && let Some(upload) = self.requests.upload_refused()
        {
            self.refuse(upload, refusal);
        }
    }

    fn failure_event(&mut self, message: Message) {
        let status = message.raw(field::STATUS).unwrap_or(status_code::UNSPECIFIED_FAILURE);
        let fatal = matches!(
            status,
            status_code::CTI_SERVER_OFFLINE
                | status_code::TIMEOUT
                | status_code::NEW_SESSION_OPENED
                | status_code::SESSION_NOT_OPEN
                | status_code::CLIENT_DISCONNECTED
                | status_code::SERVER_NOT_MASTER
        );
        // In CCX the status 96 asks for the configuration again; every other one ends the session.
        let ccx = self.config.dialect == Dialect::Ccx && status != status_code::AUTO_CONFIG_RESET;
        if fatal || ccx {
            self.end(Loss::ServerFailure(status));
        } else {
            self.events.push_back(Event::Message(message));
        }
    }

    fn system_event(&mut self, message: Message) {
        if message.raw(field::SYSTEM_EVENT_ID) == Some(system_event_id::CTI_SERVER_OFFLINE) {
            self.events.push_back(Event::Message(message));
            self.say_close(status_code::CTI_SERVER_OFFLINE);
            return self.end(Loss::ServerOffline);
        }
        let before = self.health;
        let peripheral = self.config.peripheral.filter(|_| self.config.dialect == Dialect::Cce);
        self.health.update(&message, peripheral);
        if self.health != before {
            self.events.push_back(Event::Health(self.health));
        }
        self.events.push_back(Event::Message(message));
    }

    fn unsolicited(&mut self, now: Instant, message: Message) {
        match self.requests.upload_progress(now, &message) {
            Some(invoke_id) => self.events.push_back(Event::Confirm { invoke_id, message }),
            None => self.events.push_back(Event::Message(message)),
        }
    }

    fn handle_bad(&mut self, now: Instant, bad: BadMessage) {
        let answered = match bad.invoke_id {
            Some(id) if is_confirmation(bad.kind) || is_failure(bad.kind) => {
                self.requests.answer(now, id, false).then_some(id)
            }
            _ => None,
        };
        match answered {
            Some(invoke_id) => self.refuse(invoke_id, Refusal::Unreadable(bad)),
            None => self.events.push_back(Event::Skipped(bad)),
        }
    }

    /// The server asks whether this client may be moved to the other side. It may: nothing here depends on the side.
    fn answer_maintenance(&mut self, request: &Message) {
        let answer = Message::new(kind::ACTIVE_MAINTENANCE_RESP)
            .with(field::INVOKE_ID, request.raw(field::INVOKE_ID).unwrap_or(0))
            .with(field::MAINTENANCE_MODE_ACCEPTED, true);
        self.say(&answer);
    }

    fn maintenance(&mut self, now: Instant, message: Message) {
        let goes_on = message.raw(field::MAINTENANCE_MODE_CONTINUE) != Some(0);
        self.events.push_back(Event::Message(message));
        if goes_on && self.phase == Phase::Up {
            // The server gives five seconds; the last of them is for the message's way.
            self.phase = Phase::Draining { until: now + std::time::Duration::from_secs(4) };
        }
    }

    fn leave_when_drained(&mut self) {
        if matches!(self.phase, Phase::Draining { .. }) && self.requests.is_empty() {
            self.leave_for_maintenance();
        }
    }

    fn leave_for_maintenance(&mut self) {
        self.say(&Message::new(kind::STOPPING_REQUESTS_TO_THIS_SIDE_IND));
        self.end(Loss::Maintenance);
    }

    fn closed_by_server(&mut self) {
        let ours = matches!(self.phase, Phase::Closing { .. });
        self.end(if ours { Loss::Closed } else { Loss::ServerOffline });
    }

    fn beat(&mut self, now: Instant) {
        while let Some(beat) = self.heartbeat.due(now) {
            match beat {
                Beat::Send => {
                    let invoke_id = self.internal_id();
                    self.say(&Message::new(kind::HEARTBEAT_REQ).with(field::INVOKE_ID, invoke_id));
                }
                Beat::Lost => {
                    self.say_close(status_code::TIMEOUT);
                    return self.end(Loss::Heartbeats);
                }
            }
        }
    }

    fn say_close(&mut self, status: u32) {
        let invoke_id = self.internal_id();
        let close =
            Message::new(kind::CLOSE_REQ).with(field::INVOKE_ID, invoke_id).with(field::STATUS, status);
        self.say(&close);
    }

    /// Sends a message of the machine's own making.
    fn say(&mut self, message: &Message) {
        let sent = self.codec.encode(message, &mut self.output);
        debug_assert!(sent.is_ok(), "{message:?}: {sent:?}");
    }

    fn internal_id(&mut self) -> u32 {
        let id = self.next_internal;
        self.next_internal = id.wrapping_add(1).max(FIRST_INTERNAL_ID);
        id
    }

    fn refuse(&mut self, invoke_id: u32, refusal: Refusal) {
        self.events.push_back(Event::Refused { invoke_id, refusal });
    }

    fn refuse_outstanding(&mut self) {
        for invoke_id in self.requests.drain() {
            self.refuse(invoke_id, Refusal::NotConnected);
        }
    }

    fn end(&mut self, loss: Loss) {
        if self.phase == Phase::Over {
            return;
        }
        self.phase = Phase::Over;
        self.refuse_outstanding();
        self.events.push_back(Event::Down(loss));
    }
}

fn is_failure(kind: Kind) -> bool {
    matches!(kind, kind::FAILURE_CONF | kind::CONTROL_FAILURE_CONF)
}

/// Whether a message answers the request with its InvokeID.
fn is_confirmation(kind: Kind) -> bool {
    kind.name().is_some_and(|name| name.ends_with("_CONF"))
}
