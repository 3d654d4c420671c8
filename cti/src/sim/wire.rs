//! Between the centre's values and the protocol's messages. No rules of the centre live here.

mod agents;
mod calls;
mod config;
mod data;
mod query;
mod request;
mod statistics;
mod windows;

pub(crate) use request::{Theme, answer, is_peripheral, theme};

use std::time::Instant;

use crate::enums::{device_id_type, pg_status, system_event_id};
use crate::sim::core::event::{Device, DeviceKind, Event};
use crate::sim::core::world::World;
use crate::{Dialect, Field, Kind, Message, field, kind, tag};

/// Who is told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Sessions with ALL_EVENTS.
    All,
    /// Sessions that asked for this bit of `CallEventMask`.
    Call(u32),
    /// Sessions that asked for this bit of `AgentStateMask`.
    Agent(u32),
    /// Sessions that asked for this bit of `ConfigInformation`.
    Config(u32),
    /// Sessions that asked for changes of teams, or watch this team.
    Team(u32),
}

/// What the two kinds of time in messages refer to, and the constants of the dialect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scribe {
    pub(crate) dialect: Dialect,
    pub(crate) peripheral: u32,
    /// An instant and the seconds since 1970 that it stands for.
    pub(crate) epoch: (Instant, u32),
}

impl Scribe {
    pub(crate) const fn peripheral_type(&self) -> u16 {
        match self.dialect {
            Dialect::Cce => 17,
            Dialect::Ccx => 21,
        }
    }

    /// Whether the dialect has a message.
    fn has(&self, kind: Kind) -> bool {
        let known = crate::tables::message(kind);
        self.dialect == Dialect::Cce || known.is_some_and(|m| m.dialects == crate::tables::Dialects::Both)
    }

    /// Seconds since 1970.
    pub(crate) fn clock(&self, now: Instant) -> u32 {
        let passed = now.saturating_duration_since(self.epoch.0).as_secs();
        self.epoch.1.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX))
    }

    /// The messages that tell of an event, each with its audience.
    pub(crate) fn render(
        &self,
        world: &World,
        now: Instant,
        event: &Event,
        to: &mut Vec<(Audience, Message)>,
    ) {
        match event {
            Event::Agent(news) => self.agent_event(world, news, to),
            Event::Call(news) => {
                let (audience, message) = self.call_event(world, news);
                if self.has(message.kind) {
                    to.push((audience, message));
                }
            }
            Event::Media { call, device, agent, started } => {
                self.media_events(world, *call, device, *agent, *started, to);
            }
            Event::PreCall { agent, queue, data } if self.dialect == Dialect::Cce => {
                to.push(self.pre_call(world, *agent, *queue, data))
            }
            Event::PreCall { .. } => {}
            Event::Help { call, device, agent, emergency, client } => {
                to.push((Audience::All, self.help(world, *call, device, *agent, *emergency, client)));
            }
            Event::Peripheral { online } => {
                let id = match online {
                    true => system_event_id::PERIPHERAL_ONLINE,
                    false => system_event_id::PERIPHERAL_OFFLINE,
                };
                to.push((Audience::All, self.system_event(world, now, id)));
            }
            Event::Instrument { device, in_service } => {
                let id = match in_service {
                    true => system_event_id::INSTRUMENT_BACK_IN_SERVICE,
                    false => system_event_id::INSTRUMENT_OUT_OF_SERVICE,
                };
                let message = self
                    .system_event(world, now, id)
                    .with(field::EVENT_DEVICE_TYPE, device_id_type::AGENT_DEVICE)
                    .with_tag(tag::TEXT, &**device)
                    .with_tag(tag::EVENT_DEVICE_ID, &**device);
                to.push((Audience::All, message));
            }
            Event::AgentChanged { agent, left } => self.agent_changed(world, *agent, *left, to),
        }
    }

    pub(crate) fn system_event(&self, world: &World, now: Instant, id: u32) -> Message {
        Message::new(kind::SYSTEM_EVENT)
            .with(field::PG_STATUS, self.pg_status(world))
            .with(field::ICM_CENTRAL_CONTROLLER_TIME, self.clock(now))
            .with(field::SYSTEM_EVENT_ID, id)
            .with(field::SYSTEM_EVENT_ARG1, self.peripheral)
            .with(field::SYSTEM_EVENT_ARG2, 0u32)
            .with(field::SYSTEM_EVENT_ARG3, 0u32)
    }

    pub(crate) fn pg_status(&self, world: &World) -> u32 {
        if world.online { 0 } else { pg_status::PERIPHERAL_OFFLINE }
    }

    fn event(&self, kind: Kind) -> Message {
        Message::new(kind)
            .with(field::MONITOR_ID, 0u32)
            .with(field::PERIPHERAL_ID, self.peripheral)
            .with(field::PERIPHERAL_TYPE, self.peripheral_type())
    }
}

/// The answer that only says yes.
pub(crate) fn confirm(kind: Kind, invoke_id: u32) -> Message {
    Message::new(kind).with(field::INVOKE_ID, invoke_id)
}

/// A refusal of a session, query or configuration request.
pub(crate) fn failure(invoke_id: u32, status: u32) -> Message {
    confirm(kind::FAILURE_CONF, invoke_id).with(field::STATUS, status)
}

fn device_type(device: &Device) -> u32 {
    match device.kind {
        DeviceKind::Phone | DeviceKind::Monitored => device_id_type::AGENT_DEVICE,
        DeviceKind::Outside => device_id_type::EXTERNAL,
        DeviceKind::RoutePoint => device_id_type::ROUTE_POINT,
    }
}

/// Phones have lasting connection ids, everything else has passing ones.
fn connection_type(device: &Device) -> u32 {
    use crate::enums::connection_device_id_type as t;
    match device.kind {
        DeviceKind::Phone | DeviceKind::Monitored => t::STATIC,
        DeviceKind::Outside | DeviceKind::RoutePoint => t::DYNAMIC,
    }
}

/// Adds a device as a pair of type and id.
fn push_device(message: &mut Message, kind: Field, id: crate::Tag, device: &Device) {
    message.set(kind, device_type(device));
    message.push(id, &*device.id);
}

/// At most `max` bytes of `text`, cut between characters.
fn clip(text: &str, max: usize) -> &str {
    let end = (0..=text.len().min(max)).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// The routing side's number of a queue.
fn queue_target(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(0) + 7001
}
