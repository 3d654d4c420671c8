//! One client's session: what it opened, what it wants to hear, and its bytes in both directions.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::config::Config;
use super::core::world::World;
use super::wire::{Scribe, failure, is_peripheral};
use super::{Mischief, Side};
use crate::enums::{cti_service as service, status_code};
use crate::{Codec, Dialect, Message, field, kind, tag};

/// Number of a session; unique for the life of the simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionId(pub(crate) u64);

/// Services this server has.
const SERVICES: u32 = service::ALL_EVENTS
    | service::CLIENT_CONTROL
    | service::CALL_DATA_UPDATE
    | service::SUPERVISOR
    | service::CONFIG_EVENTS;

/// Tag of the granted ConfigMsgMask in CCX, where it means something else than in CCE.
const CONFIG_MSG_MASK_GRANTED: crate::Tag = crate::Tag(248);

/// Shortest IdleTimeout in seconds (GED-188, OPEN_REQ).
const MIN_IDLE: u32 = 20;

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) side: Side,
    pub(crate) codec: Codec,
    pub(crate) open: bool,
    /// ClientID it opened with.
    pub(crate) client: String,
    pub(crate) services: u32,
    pub(crate) call_mask: u32,
    pub(crate) agent_mask: u32,
    pub(crate) config_mask: u32,
    /// Wants changes of all teams.
    pub(crate) team_updates: bool,
    /// Teams it watches, by MonitorID.
    watched: BTreeMap<u32, u32>,
    next_monitor: u32,
    idle: Option<Duration>,
    heard: Instant,
    /// Bytes that have come and are not yet a whole message.
    pub(crate) inbox: BytesMut,
    /// Bytes that wait for the socket.
    pub(crate) outbox: BytesMut,
    /// To be closed when the outbox is empty.
    pub(crate) closing: bool,
    /// To be closed at once.
    pub(crate) dropped: bool,
    pub(crate) mischief: Mischief,
    limit: usize,
}

impl Session {
    pub(crate) fn new(side: Side, config: &Config, now: Instant) -> Self {
        Self {
            side,
            codec: Codec::new(config.dialect, *config.versions.start()),
            open: false,
            client: String::new(),
            services: 0,
            call_mask: 0,
            agent_mask: 0,
            config_mask: 0,
            team_updates: false,
            watched: BTreeMap::new(),
            next_monitor: 0,
            idle: None,
            heard: now,
            inbox: BytesMut::new(),
            outbox: BytesMut::new(),
            closing: false,
            dropped: false,
            mischief: Mischief::default(),
            limit: config.behaviour.max_unread,
        }
    }

    /// Something came from the client.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// When the client has been silent for too long.
    pub(crate) fn idle_deadline(&self) -> Option<Instant> {
        self.idle.filter(|_| !self.closing).map(|idle| self.heard + idle)
    }

    pub(crate) fn watch(&mut self, team: u32) -> u32 {
        self.next_monitor += 1;
        self.watched.insert(self.next_monitor, team);
        self.next_monitor
    }

    pub(crate) fn unwatch(&mut self, monitor: u32) -> bool {
        self.watched.remove(&monitor).is_some()
    }

    pub(crate) fn watches(&self, team: u32) -> bool {
        self.watched.values().any(|t| *t == team)
    }

    /// Queues a message. A client that does not read is dropped.
    pub(crate) fn say(&mut self, message: &Message) {
        if self.dropped {
            return;
        }
        self.mischief.before(&mut self.outbox);
        let start = self.outbox.len();
        if let Err(error) = self.codec.encode(message, &mut self.outbox) {
            tracing::error!(%error, kind = %message.kind, "simulator cannot send a message");
        }
        self.closing |= self.mischief.after(&self.codec, start, message, &mut self.outbox);
        if self.outbox.len() > self.limit {
            tracing::warn!(bytes = self.outbox.len(), "client does not read; session dropped");
            self.outbox.clear();
            self.dropped = true;
        }
    }

    /// Checks OPEN_REQ and answers it; `Err` carries the refusal.
    pub(crate) fn open(
        &mut self,
        scribe: &Scribe,
        world: &World,
        now: Instant,
        m: &Message,
    ) -> Result<Message, Message> {
        let invoke = m.invoke_id().unwrap_or(0);
        let status = self.check_open(scribe, world, m);
        let version = m.raw(field::VERSION_NUMBER).unwrap_or(0);
        if world.config.versions.contains(&version) {
            self.codec.set_version(version);
        }
        if let Some(status) = status {
            return Err(failure(invoke, status));
        }
        let raw = |field| m.raw(field).unwrap_or(0);
        self.open = true;
        self.client = m.tag_text(tag::CLIENT_ID).unwrap_or_default().to_owned();
        self.services = raw(field::SERVICES_REQUESTED) & SERVICES;
        self.call_mask = raw(field::CALL_MSG_MASK);
        self.agent_mask = raw(field::AGENT_STATE_MASK);
        self.config_mask = raw(field::CONFIG_MSG_MASK);
        let idle = raw(field::IDLE_TIMEOUT);
        self.idle = (idle != u32::MAX).then(|| Duration::from_secs(idle.into()));
        Ok(self.open_conf(scribe, world, now, invoke))
    }

    fn check_open(&self, scribe: &Scribe, world: &World, m: &Message) -> Option<u32> {
        let raw = |field| m.raw(field).unwrap_or(0);
        let services = raw(field::SERVICES_REQUESTED);
        let both = service::CLIENT_EVENTS | service::ALL_EVENTS;
        let (id, password) = (m.tag_text(tag::CLIENT_ID), m.tag_value(tag::CLIENT_PASSWORD));
        let known = known_services(world.config.dialect);
        let peripheral = m.uint(field::PERIPHERAL_ID);
        if self.open {
            return Some(status_code::SESSION_ALREADY_OPEN);
        }
        if !world.config.versions.contains(&raw(field::VERSION_NUMBER)) {
            return Some(status_code::INVALID_VERSION);
        }
        if raw(field::IDLE_TIMEOUT) < MIN_IDLE {
            return Some(status_code::INVALID_TIMEOUT);
        }
        if services & !known != 0 || (world.config.dialect == Dialect::Ccx && services & both == both) {
            return Some(status_code::INVALID_SERVICE_MASK);
        }
        if [field::RESERVED1, field::RESERVED2, field::RESERVED3].iter().any(|f| raw(*f) != 0) {
            return Some(status_code::INVALID_RESERVED_FIELD);
        }
        if peripheral.is_some_and(|p| !is_peripheral(scribe, p)) {
            return Some(status_code::INVALID_PERIPHERAL_ID);
        }
        let (Some(id), Some(password)) = (id, password) else {
            return Some(status_code::REQUIRED_DATA_MISSING);
        };
        let given = password.as_bytes().or(password.as_text().map(str::as_bytes)).unwrap_or_default();
        let welcome =
            world.config.client.as_ref().is_none_or(|(name, secret)| name == id && secret.matches(given));
        (!welcome).then_some(status_code::INVALID_PASSWORD)
    }

    fn open_conf(&self, scribe: &Scribe, world: &World, now: Instant, invoke: u32) -> Message {
        let mut m = Message::new(kind::OPEN_CONF)
            .with(field::INVOKE_ID, invoke)
            .with(field::SERVICES_GRANTED, self.services)
            .with(field::MONITOR_ID, 0u32)
            .with(field::PG_STATUS, scribe.pg_status(world))
            .with(field::PERIPHERAL_ONLINE, world.online)
            .with(field::AGENT_STATE, 0u32);
        match scribe.dialect {
            Dialect::Cce => {
                m.set(field::ICM_CENTRAL_CONTROLLER_TIME, scribe.clock(now));
                m.set(field::PERIPHERAL_TYPE, scribe.peripheral_type());
                m.set(field::DEPARTMENT_ID, 0u32);
                m.set(field::SESSION_TYPE, crate::enums::session_type::ACTIVE);
            }
            Dialect::Ccx => {
                m.set(field::ICM_CENTRAL_CONTROLLER_TIME, 0u32);
                m.set(field::PERIPHERAL_TYPE, 0u32);
                m.push(CONFIG_MSG_MASK_GRANTED, self.config_mask);
            }
        }
        m.push(tag::NUM_PERIPHERALS, 1u32);
        m.push(tag::FLT_PERIPHERAL_ID, scribe.peripheral);
        m.push(tag::MULTILINE_AGENT_CONTROL, u32::from(scribe.dialect == Dialect::Ccx));
        m
    }
}

/// Service bits that exist in a dialect.
fn known_services(dialect: Dialect) -> u32 {
    use crate::enums::cti_service_ccx as ccx;
    match dialect {
        Dialect::Cce => service::ENTRIES.iter().fold(0, |mask, (.., bit)| mask | bit),
        Dialect::Ccx => ccx::ENTRIES.iter().fold(0, |mask, (.., bit)| mask | bit),
    }
}
