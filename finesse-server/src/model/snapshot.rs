//! Rebuilding the state after a session has opened: the state of every agent, the calls of every phone, every call
//! once, with a limited number of queries on their way. An answer that arrives after an event about the same
//! object may be older than it: the event wins.

use cti::enums::{device_id_type, local_connection_state as lcs};
use cti::{Message, field, kind, tag};

use super::Model;
use super::actions::Actions;
use super::dialog::{Connection, Leg, Party};
use super::requests::Purpose;
use super::time::Now;

impl Model {
    /// Sends queries as long as the window has room; goes in service when nothing is left.
    pub(super) fn pump(&mut self, now: Now) {
        let window = self.settings.resync_window.max(1);
        loop {
            let Some(rebuild) = self.service.rebuild() else { return };
            if rebuild.outstanding >= window {
                return;
            }
            if let Some((id, connection)) = rebuild.calls.pop_front() {
                rebuild.outstanding += 1;
                self.query_call(now, id, &connection);
            } else if let Some(at) = rebuild.devices.pop_front() {
                rebuild.outstanding += 1;
                self.query_device(now, at);
            } else if let Some(at) = rebuild.agents.pop_front() {
                rebuild.outstanding += 1;
                self.query_agent(now, at);
            } else {
                if rebuild.outstanding == 0 {
                    self.rebuilt(now);
                }
                return;
            }
        }
    }

    /// Learns of an agent who has not been there before.
    pub(super) fn ask_after(&mut self, now: Now, at: usize) {
        if let Some(rebuild) = self.service.rebuild() {
            rebuild.agents.push_back(at);
            self.pump(now);
        } else if self.service.is_told() {
            self.query_agent(now, at);
        }
    }

    fn query_agent(&mut self, now: Now, at: usize) {
        let seat = &self.seats[at];
        let message = Message::new(kind::QUERY_AGENT_STATE_REQ)
            .with(field::PERIPHERAL_ID, self.settings.peripheral_id)
            .with(field::MRDID, 1i32)
            .with_agent_id(self.settings.dialect, &*seat.view.profile.user.id);
        let purpose = Purpose::Agent(at, seat.events);
        self.send(now, message, purpose);
    }

    fn query_device(&mut self, now: Now, at: usize) {
        let message = Message::new(kind::SNAPSHOT_DEVICE_REQ)
            .with(field::PERIPHERAL_ID, self.settings.peripheral_id)
            .with(field::SNAPSHOT_DEVICE_TYPE, device_id_type::AGENT_DEVICE)
            .with_tag(tag::AGENT_INSTRUMENT, self.seats[at].phone());
        self.send(now, message, Purpose::Device);
    }

    fn query_call(&mut self, now: Now, id: u32, connection: &Connection) {
        let events = self.calls.map.get(&id).map_or(0, |e| e.events);
        let message = Message::new(kind::SNAPSHOT_CALL_REQ)
            .with(field::PERIPHERAL_ID, self.settings.peripheral_id)
            .with(field::CONNECTION_CALL_ID, id)
            .with(field::CONNECTION_DEVICE_ID_TYPE, connection.id_type)
            .with_tag(tag::CONNECTION_DEVICE_ID, connection.device.as_str());
        self.send(now, message, Purpose::Call(id, events));
    }

    fn answered(&mut self, now: Now) {
        if let Some(rebuild) = self.service.rebuild() {
            rebuild.outstanding = rebuild.outstanding.saturating_sub(1);
        }
        self.pump(now);
    }

    /// QUERY_AGENT_STATE_CONF, or none: then the agent is not signed in.
    pub(super) fn agent_answer(&mut self, now: Now, at: usize, events: u64, answer: Option<&Message>) {
        if self.seats[at].events == events {
            match answer {
                Some(answer) => self.agent_report(now, at, answer),
                None => self.agent_unknown(now, at),
            }
        }
        if self.seats[at].view.signed_in()
            && let Some(rebuild) = self.service.rebuild()
        {
            rebuild.devices.push_back(at);
            if self.seats[at].view.settings.is_none() {
                self.ask_desk_settings(now, at);
            }
        }
        self.answered(now);
    }

    /// SNAPSHOT_DEVICE_CONF: each call is asked for once, however many phones list it.
    pub(super) fn device_answer(&mut self, now: Now, answer: Option<&Message>) {
        if let (Some(answer), Some(rebuild)) = (answer, self.service.rebuild()) {
            for group in answer.groups(tag::CALL_CONNECTION_CALL_ID) {
                let Some(id) = group.tag_uint(tag::CALL_CONNECTION_CALL_ID) else { continue };
                let device = group.tag_text(tag::CALL_CONNECTION_DEVICE_ID).unwrap_or("");
                let mut connection = Connection::of_device(device);
                if let Some(id_type) = group.tag_uint(tag::CALL_CONNECTION_DEVICE_ID_TYPE) {
                    connection.id_type = id_type;
                }
                if rebuild.asked.insert(id) {
                    rebuild.calls.push_back((id, connection));
                }
            }
        }
        self.answered(now);
    }

    /// SNAPSHOT_CALL_CONF.
    pub(super) fn call_answer(&mut self, now: Now, id: u32, events: u64, answer: Option<&Message>) {
        if let Some(answer) = answer {
            let seen = self.calls.map.get(&id).map_or(0, |e| e.events);
            self.take_snapshot(now, id, answer, seen != events);
        }
        self.answered(now);
    }

    /// With `late`, events about the call came after the question: the answer only completes what they left open.
    fn take_snapshot(&mut self, now: Now, id: u32, answer: &Message, late: bool) {
        let Some(dialog) = self.calls.open(now.instant, id, self.settings.max_calls) else { return };
        if late {
            dialog.variables.complete(answer);
        } else {
            for party in &mut dialog.parties {
                party.leg = Leg::Dropped;
            }
            self.absorb(id, answer);
        }
        for group in answer.groups(tag::CALL_CONNECTION_CALL_ID) {
            let connection_device = group.tag_text(tag::CALL_CONNECTION_DEVICE_ID).unwrap_or("");
            let address = group.tag_text(tag::CALL_DEVICE_ID).unwrap_or(connection_device);
            let leg = group.tag_uint(tag::CALL_DEVICE_CONNECTION_STATE).and_then(leg_of);
            let (Some(leg), false) = (leg, address.is_empty()) else { continue };
            let mut connection = Connection::of_device(connection_device);
            if let Some(id_type) = group.tag_uint(tag::CALL_CONNECTION_DEVICE_ID_TYPE) {
                connection.id_type = id_type;
            }
            let device_type = group.tag_uint(tag::CALL_DEVICE_TYPE);
            self.restore_party(id, address, device_type, connection, leg, late);
        }
        self.calls.touch(id);
    }

    fn restore_party(
        &mut self,
        id: u32,
        address: &str,
        device_type: Option<u32>,
        connection: Connection,
        leg: Leg,
        late: bool,
    ) {
        if matches!(device_type, Some(device_id_type::QUEUE | device_id_type::ROUTE_POINT)) {
            return;
        }
        let agent = self.by_device.get(address).copied();
        let Some(dialog) = self.calls.dialog_mut(id) else { return };
        if let Some(party) = dialog.parties.iter_mut().find(|p| p.address == address) {
            if !late {
                party.leg = leg;
                party.connection = connection;
            }
            return;
        }
        // When the leg came into being is not told: the times stay empty.
        dialog.parties.push(Party {
            address: address.to_owned(),
            device_type,
            agent,
            leg,
            start: None,
            changed: None,
            actions: Actions::NONE,
            connection,
            listed: false,
            leaving: false,
        });
        if let Some(seat) = agent {
            self.seats[seat].join(id);
        }
    }
}

fn leg_of(state: u32) -> Option<Leg> {
    Some(match state {
        lcs::INITIATE => Leg::Initiated,
        lcs::ALERTING => Leg::Alerting,
        lcs::CONNECT => Leg::Active,
        lcs::HOLD => Leg::Held,
        lcs::FAIL => Leg::Failed(super::dialog::Cause::Other),
        _ => return None,
    })
}
