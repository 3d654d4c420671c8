//! What the session tells about the systems behind the CTI server (GED-188, SYSTEM_EVENT).

use crate::enums::{pg_status, system_event_id};
use crate::field;
use crate::kind;
use crate::message::Message;
use crate::tables::Dialect;

/// Health of the peripheral that a session serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Bits of `PGStatus`; 0 is healthy.
    pub pg_status: u32,
    /// Whether the configured peripheral (any one, if none is configured) is on line; `None` until the server says.
    pub peripheral_online: Option<bool>,
}

impl Health {
    /// Whether events of agents and calls flow: neither the PG's connection nor the peripheral is down.
    pub fn events_flow(&self) -> bool {
        let deaf = pg_status::OPC_DOWN | pg_status::PERIPHERAL_OFFLINE | pg_status::CTI_SERVER_OFFLINE;
        self.pg_status & deaf == 0
    }

    /// Whether agents can be served: events flow and the peripheral is known to be on line.
    pub fn in_service(&self) -> bool {
        self.events_flow() && self.peripheral_online == Some(true)
    }

    /// Health by OPEN_CONF. Only CCX tells there about the peripheral of a bridge session.
    pub(super) fn at_open(dialect: Dialect, open_conf: &Message) -> Self {
        let online = open_conf.raw(field::PERIPHERAL_ONLINE).map(|online| online != 0);
        Self {
            pg_status: open_conf.raw(field::PG_STATUS).unwrap_or(0),
            peripheral_online: if dialect == Dialect::Ccx { online } else { None },
        }
    }

    /// Takes a SYSTEM_EVENT in.
    pub(super) fn update(&mut self, event: &Message, peripheral: Option<u32>) {
        debug_assert_eq!(event.kind, kind::SYSTEM_EVENT);
        self.pg_status = event.raw(field::PG_STATUS).unwrap_or(self.pg_status);
        let about_ours = peripheral.is_none_or(|ours| event.raw(field::SYSTEM_EVENT_ARG1) == Some(ours));
        match event.raw(field::SYSTEM_EVENT_ID) {
            Some(system_event_id::PERIPHERAL_ONLINE) if about_ours => self.peripheral_online = Some(true),
            Some(system_event_id::PERIPHERAL_OFFLINE) if about_ours => self.peripheral_online = Some(false),
            Some(system_event_id::PERIPHERAL_GATEWAY_OFFLINE) => self.peripheral_online = Some(false),
            _ => {}
        }
    }
}
